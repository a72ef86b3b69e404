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

from lstmcast.errors import DataError, suggest_similar
from lstmcast.ragged import Bools, Floats, Ints
from lstmcast.tables.csv_dialect import Dialect
from lstmcast.tables.csv_fast import TypedTable
from lstmcast.tables.csv_strict import TextTable
from lstmcast.tables.numbers import find_unit_sign
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
    """

    data: pd.DataFrame | pa.Table
    name: str
    notes: tuple[str, ...] = ()
    decimal: str = "."
    thousands: str = ""
    source: TextSource | None = None

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
        line = self.source.line_of_row(row)
        return f"{self.name}:{line}"

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

        first_row = int(rows[0])
        last_row = int(rows[-1])
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
                raise DataError(f"{self.name} has no column {column!r}", hint)

    def _typed_column(self, column: str) -> pa.ChunkedArray | None:
        """The column in Arrow, where it is stored there as anything but text."""
        if isinstance(self.data, pd.DataFrame):
            return None
        stored = self.data[column]
        return None if pa.types.is_string(stored.type) else stored

    def stored_numbers(self, column: str) -> Floats | None:
        """Values [n] of a column stored as numbers in Arrow, NaN where missing; None of another."""
        stored = self._typed_column(column)
        if stored is None or not _is_number(stored.type):
            return None

        if pa.types.is_boolean(stored.type):  # which Arrow does not cast to float64
            stored = pc.cast(stored, pa.uint8())

        numbers = pc.cast(stored, pa.float64(), safe=False)
        return np.asarray(numbers.to_numpy(), dtype=np.float64)

    def stored_integers(self, column: str) -> Ints | None:
        """Values [n] of a column stored as integers in Arrow, none missing; None of another."""
        stored = self._typed_column(column)
        if stored is None or not _is_integer(stored.type) or stored.null_count:
            return None
        return np.asarray(stored.to_numpy(), dtype=np.int64)

    def stored_timestamps(self, column: str) -> tuple[Ints, TimestampFormat] | None:
        """Instants [n] and form of a column stored as stamps or days in Arrow; None of another.

        None as well where one is missing, or where the stamps have a zone.
        """
        stored = self._typed_column(column)
        if stored is None or stored.null_count:
            return None

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

        integers = self.stored_integers(column)
        if integers is not None:
            kind = "str" if self.is_text else "int64"
            return _factorize_values(integers, kind)

        stored = self.data[column]
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


def _is_number(kind: pa.DataType) -> bool:
    tests = (
        pa.types.is_integer,
        pa.types.is_floating,
        pa.types.is_boolean,
        pa.types.is_decimal,
    )
    return any(test(kind) for test in tests)


def _to_microseconds(column: pa.ChunkedArray) -> Ints:
    # A finer unit than microseconds is cut off, which only an unsafe cast does.
    stamps = pc.cast(column, pa.timestamp("us"), safe=False)
    instants = pc.cast(stamps, pa.int64())
    return np.asarray(instants.to_numpy(), dtype=np.int64)


def _mask_missing(cells: pa.ChunkedArray, na: tuple[str, ...]) -> pa.ChunkedArray:
    """The cells as written, null where nothing or a marker of `na` stands between blanks."""
    kind = pa.string()
    markers = pa.array(sorted({"", *na}), kind)
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
        objects = series.astype("object")
        series = objects.map(str, na_action="ignore")

    array = pa.array(series, type=pa.large_string(), from_pandas=True)
    if isinstance(array, pa.ChunkedArray):
        return array.combine_chunks()
    return array
