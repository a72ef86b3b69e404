"""A table as read: its columns as text, numbers, stamps or codes, however they are stored.

Does not know where a table came from, nor what its columns mean.

Axes: n rows.
"""

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lstmcast.config import DataConfig
from lstmcast.errors import DataError, format_more, suggest_similar
from lstmcast.ragged import Bools, Floats, Ints
from lstmcast.tables.csv_dialect import Dialect
from lstmcast.tables.csv_fast import TypedTable
from lstmcast.tables.csv_strict import TextTable
from lstmcast.tables.numbers import find_unit_sign, parse_missing_numbers
from lstmcast.timeaxis.calendar_fields import (
    YEAR_RANGE_WORDS,
    are_outside_years,
    format_count,
)
from lstmcast.timeaxis.timestamp_format import TimestampFormat

MAX_ODD_CELLS = 3
"""Most rows at an edge, or different cells, that a column of numbers may have that are none."""


@dataclass(frozen=True, eq=False)
class TextSource:
    """Where a text table came from: its cells as they were written, and their lines.

    na: markers of missing values. read_strictly: reads it (again) as text. typed_table: the result
    of the fast reader, if it did not give up.
    """

    na: tuple[str, ...]
    read_strictly: Callable[[], TextTable]
    typed_table: TypedTable | None = None

    @cached_property
    def texts(self) -> TextTable:
        """The table as the strict reader has it, read when it is first needed."""
        return self.read_strictly()

    @property
    def dialect(self) -> Dialect:
        """How the text is written."""
        return (self.typed_table or self.texts).dialect

    def verbatim(self, column: str) -> pa.ChunkedArray:
        """Every cell of a column as it was written."""
        if self.typed_table is None:
            return self.texts.columns[column]

        stored = self.typed_table.columns[column]
        kind = stored.type
        # "1.50" is stored as 1.5; integers are only stored where they are written the usual way.
        if pa.types.is_floating(kind) or pa.types.is_timestamp(kind):
            return self.texts.columns[column]
        return pc.cast(stored, pa.string())

    def line_of_row(self, row: int) -> int:
        """Line of the file, counted from 1, where data row `row` (counted from 0) begins."""
        typed_table = self.typed_table
        if typed_table is not None and typed_table.is_one_line_per_row:
            return typed_table.dialect.first_line + row
        return self.texts.line_of_row(row)


class ColumnCodes(NamedTuple):
    """A column as codes that count up in the order of first appearance.

    codes: of each row [n], -1 where missing. labels: what each code stands for. kind: what the
    labels were: "int64" or "str".
    """

    codes: Ints
    labels: list[str]
    kind: str


@dataclass(frozen=True, eq=False)
class Table:
    """A table as read, or as a caller passed it.

    data: a caller's frame, or Arrow columns: typed ones, or those of a text file as it was read.
    name: the path as it was passed, or "stdin". notes: what was inferred and is worth reporting.
    decimal, thousands: marks of numbers in text. source: of a text file, its cells as written.
    na: markers of missing values.
    """

    data: pd.DataFrame | pa.Table
    name: str
    notes: tuple[str, ...] = ()
    decimal: str = "."
    thousands: str = ""
    source: TextSource | None = None
    na: tuple[str, ...] = DataConfig.na

    def __len__(self) -> int:
        return len(self.data)

    @property
    def names(self) -> list[str]:
        """Names of the columns."""
        if isinstance(self.data, pd.DataFrame):
            return list(self.data.columns)
        return list(self.data.column_names)

    @property
    def is_text(self) -> bool:
        """Whether the table came from text, so that rows have lines."""
        return self.source is not None

    @cached_property
    def frame(self) -> pd.DataFrame:
        """All columns in pandas: those of a text file as text, missing where a marker stood."""
        if isinstance(self.data, pd.DataFrame):
            return self.data
        columns = {name: self.series(name) for name in self.names}
        return pd.DataFrame(columns, copy=False)

    def series(self, column: str) -> pd.Series:
        """One column of `frame`, without making the others."""
        if isinstance(self.data, pd.DataFrame):
            return self.data[column]
        if self.source is None:
            values = _decode_dictionary(self.data[column])
            values = self._mask_markers(values)
            if self._find_outside_years(column).any():  # which pandas has no days for
                texts = _format_instants(values)
                return pd.Series(texts, name=column, dtype=object)
            return pd.Series(values.to_pandas(), name=column)

        cells = self.source.verbatim(column)
        cells = _mask_missing(cells, self.source.na)
        return pd.Series(cells.to_pandas(), name=column)

    def verbatim(self, column: str) -> pd.Series:
        """A column with no cell taken for missing: the id "NA" stays "NA"."""
        if self.source is None:
            return self.series(column)
        cells = self.source.verbatim(column)
        return pd.Series(cells.to_pandas())

    def locate(self, row: int) -> str:
        """Where data row `row` (from 0) stands: "data.csv:17", or "data.parquet row 16"."""
        if self.source is None:
            return f"{self.name} row {row}"
        return f"{self.name}:{self.source.line_of_row(row)}"

    def unit_sign(self, column: str) -> str:
        """The sign of a currency or of percent in every cell of a text column; "" if none."""
        is_frame = isinstance(self.data, pd.DataFrame)
        if is_frame or self._typed_column(column) is not None:
            return ""

        cells = self.series(column)
        if not len(cells):
            return ""

        texts = pc.utf8_trim_whitespace(to_text_array(cells))
        return find_unit_sign(texts)

    def hint_on_edge_rows(self, bad: Bools) -> str:
        """What to do about the `bad` rows [n] where they are the first or last: units, totals.

        "" where they are elsewhere, or too many.
        """
        rows = np.flatnonzero(bad)
        count = len(rows)
        # More than a third of the rows is no edge.
        too_many = count > MAX_ODD_CELLS or len(bad) < 3 * count
        if not self.source or too_many:
            return ""

        first_row, last_row = int(rows[0]), int(rows[-1])
        if last_row == count - 1:  # nothing but the first rows
            what = "units or a second header"
        elif first_row == len(bad) - count:  # nothing but the last rows
            what = "totals or remarks"
        else:
            return ""

        first = self.source.line_of_row(first_row)
        last = self.source.line_of_row(last_row)
        if first == last:
            lines = f"line {first} holds"
            address = f"{first}"
        else:
            lines = f"lines {first} to {last} hold"
            address = f"{first},{last}"

        command = f"sed {address}d {shlex.quote(self.name)}"
        return f"if {lines} {what}, leave that out: {command} | lstmcast ... -"

    def require(self, columns: tuple[str, ...]) -> None:
        """Raise DataError, with a suggestion, for the first of `columns` that is not there."""
        for column in columns:
            if column not in self.names:
                hint = suggest_similar(column, self.names)
                if "," in column:
                    hint += "; give the option once for each of several columns"
                raise DataError(f"{self.name} has no column {column!r}", hint)

    def _typed_column(self, column: str) -> pa.ChunkedArray | None:
        """The column in Arrow, where it is stored there as anything but text."""
        if isinstance(self.data, pd.DataFrame):
            return None
        stored = self.data[column]
        return None if pa.types.is_string(stored.type) else stored

    @cached_property
    def missing_numbers(self) -> Floats:
        """Numbers that stand for missing values, however a cell writes them: markers like -999."""
        return parse_missing_numbers(self.na, self.decimal, self.thousands)

    def mask_missing_numbers(self, values: Floats, *, single: bool = False) -> Floats:
        """The values [n], NaN where a number stands for missing.

        single: whether they were stored as float32, in which a marker is rounded as they were.
        """
        markers = self.missing_numbers
        if not len(markers):
            return values
        if single:
            markers = markers.astype(np.float32).astype(np.float64)
        missing = np.isin(values, markers)
        return np.where(missing, np.nan, values) if missing.any() else values

    def _mask_markers(self, values: pa.ChunkedArray) -> pa.ChunkedArray:
        """A typed column, null where a number is a marker, or a text one that the user named.

        A format that has missing values of its own may well hold the text "NA".
        """
        kind = values.type
        if _is_text(kind):
            named = tuple(marker for marker in self.na if marker not in DataConfig.na)
            return _mask_missing(values, named, empty=False) if named else values
        if not _is_number(kind) or pa.types.is_boolean(kind):
            return values

        missing = self._are_marked(values)
        if not missing.any():
            return values
        return pc.if_else(pa.array(missing), pa.scalar(None, kind), values)

    def _are_marked(self, stored: pa.ChunkedArray) -> Bools:
        """Which numbers [n] of a typed column stand for missing values."""
        if not len(self.missing_numbers):
            return np.zeros(len(stored), dtype=bool)
        numbers = _to_float64(stored)
        masked = self.mask_missing_numbers(numbers, single=_is_single(stored.type))
        return np.asarray(np.isnan(masked) & ~np.isnan(numbers))

    def stored_numbers(self, column: str) -> Floats | None:
        """Values [n] of a column stored as numbers in Arrow, NaN where missing; None of another."""
        stored = self._typed_column(column)
        if stored is None or not _is_number(stored.type):
            return None

        numbers = _to_float64(stored)
        if pa.types.is_boolean(stored.type):
            return numbers
        return self.mask_missing_numbers(numbers, single=_is_single(stored.type))

    def stored_integers(self, column: str) -> Ints | None:
        """Values [n] of a column stored as integers in Arrow, none missing; None of another."""
        stored = self._typed_column(column)
        if stored is None or not _is_integer(stored.type) or stored.null_count:
            return None
        if self._are_marked(stored).any():
            return None
        return np.asarray(stored.to_numpy(), dtype=np.int64)

    def is_temporal(self, column: str) -> bool:
        """Whether a column is stored as stamps or days in Arrow."""
        stored = self._typed_column(column)
        return stored is not None and bool(_count_unit(stored.type))

    def require_known_years(self, column: str) -> None:
        """Raise DataError for an instant outside the years 1 to 9999 in a typed column."""
        outside = self._find_outside_years(column)
        if not outside.any():
            return
        row = int(outside.argmax())
        stored = self.data[column].slice(row, 1)
        [text] = _format_instants(stored)
        more = format_more(int(outside.sum()))
        raise DataError(
            f"{self.locate(row)}: column {column!r}: {text} is outside"
            f" {YEAR_RANGE_WORDS}{more}",
            "correct it, or leave the row out",
        )

    def _find_outside_years(self, column: str) -> Bools:
        """Which instants [n] of a typed column lie outside the years 1 to 9999."""
        stored = self._typed_column(column)
        unit = _count_unit(stored.type) if stored is not None else ""
        if stored is None or not unit:
            return np.zeros(len(self), dtype=bool)
        zone = stored.type.tz if pa.types.is_timestamp(stored.type) else None
        zoned = zone not in (None, "UTC")
        return are_outside_years(_to_counts(stored), unit, zoned=zoned)

    def stored_timestamps(self, column: str) -> tuple[Ints, TimestampFormat] | None:
        """Instants [n] and form of a column stored as stamps or days in Arrow; None of another.

        None as well where one is missing, or where the stamps have a zone. Raises DataError for
        instants outside the years 1 to 9999.
        """
        stored = self._typed_column(column)
        if stored is None or stored.null_count or not self.is_temporal(column):
            return None

        self.require_known_years(column)
        kind = stored.type
        if pa.types.is_date32(kind):
            form = TimestampFormat("date")
        elif not pa.types.is_timestamp(kind) or kind.tz is not None:
            return None
        elif self.source is None or self.source.typed_table is None:
            form = TimestampFormat("datetime", kind.unit)
        else:
            # The fast reader has the instants of a text file's stamps, and how they are written.
            layout = self.source.typed_table.layouts[column]
            zone = "UTC" if layout.endswith("Z") else ""
            form = TimestampFormat("text", layout, zone)

        return _to_microseconds(stored), form

    def codes(self, column: str) -> ColumnCodes:
        """The column as codes. In a text file no cell is taken for missing."""
        if isinstance(self.data, pd.DataFrame):
            return _factorize_series(self.data[column])

        stored = self.data[column]
        # A marker of missing values may still be the id of a series.
        if _is_integer(stored.type) and not stored.null_count:
            integers = np.asarray(stored.to_numpy(), dtype=np.int64)
            kind = "str" if self.is_text else "int64"
            return _factorize_values(integers, kind)

        # "1.50" and "1.5" may be two ids, however a text file's column is stored.
        if self.source and not pa.types.is_dictionary(stored.type):
            stored = self.source.verbatim(column)

        if pa.types.is_string(stored.type):
            stored = pc.dictionary_encode(stored)
        if pa.types.is_dictionary(stored.type):
            return _factorize_dictionary(stored)
        return _factorize_series(self.series(column))


def _factorize_series(series: pd.Series) -> ColumnCodes:
    is_integer = pd.api.types.is_integer_dtype(series.dtype)
    return _factorize_values(series, "int64" if is_integer else "str")


def _factorize_values(values: pd.Series | Ints, kind: str) -> ColumnCodes:
    codes, unique = pd.factorize(values)
    labels = [str(value) for value in unique]
    return ColumnCodes(codes.astype(np.int64), labels, kind)


def _factorize_dictionary(column: pa.ChunkedArray) -> ColumnCodes:
    """Codes of a dictionary column that count up in the order of first appearance."""
    whole = column.unify_dictionaries().combine_chunks()
    indices = np.asarray(pc.fill_null(whole.indices, -1))
    codes, places = pd.factorize(indices)

    is_missing = places < 0
    labels = whole.dictionary.take(pa.array(places[~is_missing]))

    if is_missing.any():
        # Nulls were a code of their own, which becomes -1; those behind it move up by one.
        is_missing = np.append(is_missing, False)  # answers for a code of -1
        places_without = np.cumsum(~is_missing) - 1
        new_codes = np.where(is_missing, -1, places_without)
        codes = new_codes[codes]

    codes = codes.astype(np.int64, copy=False)
    return ColumnCodes(codes, labels.to_pylist(), "str")


def _is_integer(kind: pa.DataType) -> bool:
    """Whether values fit into an int64."""
    is_integer = bool(pa.types.is_integer(kind))
    return is_integer and kind != pa.uint64()


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_single(kind: pa.DataType) -> bool:
    return bool(pa.types.is_float32(kind) or pa.types.is_float16(kind))


def _to_float64(stored: pa.ChunkedArray) -> Floats:
    """Values [n] of a column of numbers or booleans, NaN where missing."""
    if pa.types.is_boolean(stored.type):  # which Arrow does not cast to float64
        stored = pc.cast(stored, pa.uint8())
    numbers = pc.cast(stored, pa.float64(), safe=False)
    return np.asarray(numbers.to_numpy(), dtype=np.float64)


def _is_number(kind: pa.DataType) -> bool:
    tests = (
        pa.types.is_integer,
        pa.types.is_floating,
        pa.types.is_boolean,
        pa.types.is_decimal,
    )
    return any(test(kind) for test in tests)


def _count_unit(kind: pa.DataType) -> str:
    """The unit of numpy's datetimes that a type counts since 1970; "" for a type of no instants."""
    if pa.types.is_date32(kind):
        return "D"
    if pa.types.is_date64(kind):
        return "ms"
    return str(kind.unit) if pa.types.is_timestamp(kind) else ""


def _to_counts(column: pa.ChunkedArray) -> Ints:
    """Instants of a typed column as they are stored [n]; 0 where missing."""
    # Of days Arrow only makes the integers that it stores them as.
    width = pa.int32() if pa.types.is_date32(column.type) else pa.int64()
    counts = column.cast(width).fill_null(0)
    return np.asarray(counts.to_numpy(), dtype=np.int64)


def _format_instants(column: pa.ChunkedArray) -> list[str | None]:
    """Instants of a typed column as texts, of whatever year; None where missing."""
    unit = _count_unit(column.type)
    present = np.asarray(column.is_valid())
    counts = _to_counts(column).tolist()
    pairs = zip(counts, present, strict=True)
    return [format_count(count, unit) if has else None for count, has in pairs]


def _to_microseconds(column: pa.ChunkedArray) -> Ints:
    # A finer unit than microseconds is cut off, which only an unsafe cast does.
    stamps = pc.cast(column, pa.timestamp("us"), safe=False)
    instants = pc.cast(stamps, pa.int64())
    return np.asarray(instants.to_numpy(), dtype=np.int64)


def _mask_missing(
    cells: pa.ChunkedArray, na: tuple[str, ...], *, empty: bool = True
) -> pa.ChunkedArray:
    """The cells as written, null where nothing or a marker of `na` stands between blanks.

    empty: whether nothing is a marker too.
    """
    kind = cells.type
    texts = {"", *na} if empty else {*na}
    markers = pa.array(sorted(texts), kind)
    missing = pc.is_in(pc.utf8_trim_whitespace(cells), value_set=markers)

    if not pc.any(missing).as_py():
        return cells
    return pc.if_else(missing, pa.scalar(None, kind), cells)


def _decode_dictionary(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if not pa.types.is_dictionary(column.type):
        return column
    return pc.cast(column, column.type.value_type)


def to_text_array(series: pd.Series) -> pa.Array:
    """A column as one Arrow array of text [n], null where missing."""
    if not isinstance(series.dtype, pd.StringDtype):
        texts = series.astype("object").map(_to_text, na_action="ignore")
        series = texts.astype("object")  # numbers again if every cell is missing
    kind = pa.large_string()
    array = pa.array(series, type=kind, from_pandas=True)
    # The chunks of a column of pandas may be of either kind of text, whatever was asked for.
    parts = array.chunks if isinstance(array, pa.ChunkedArray) else [array]
    return pa.chunked_array([part.cast(kind) for part in parts], kind).combine_chunks()


def _to_text(value: object) -> str:
    """A cell as text; Python writes no integers of more than some thousand digits."""
    try:
        return str(value)
    except ValueError:
        return "an integer of thousands of digits"
