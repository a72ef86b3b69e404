"""A table as read, its columns handed out as text, numbers, stamps or codes, whichever way they are stored.

Knows not where a table came from, nor what its columns mean.
"""

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

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

_MAX_ODD_CELLS = 3
"""So many rows at an edge, or kinds of cells, may be what is no number of a column of numbers."""


@dataclass(frozen=True, eq=False)
class TextSource:
    """Where a text table came from: its cells as they were written, and their lines.

    na: markers of missing values; bulk: what the fast way made of it, if it did; strict: reads it
    again, strictly.
    """

    na: tuple[str, ...]
    read_strictly: Callable[[], TextTable]
    typed_table: TypedTable | None = None

    @cached_property
    def texts(self) -> TextTable:
        """The strict reading."""
        return self.read_strictly()

    @property
    def dialect(self) -> Dialect:
        """How the text is written."""
        return (self.typed_table or self.texts).dialect

    def verbatim(self, column: str) -> pa.ChunkedArray:
        """Every cell of a column as it was written."""
        if self.typed_table is None:
            return self.texts.columns[column]
        found = self.typed_table.columns[column]
        if pa.types.is_floating(found.type) or pa.types.is_timestamp(found.type):
            return self.texts.columns[column]
        return pc.cast(found, pa.string())

    def line_of_row(self, row: int) -> int:
        """Line of the file, counted from 1, where data row `row` (counted from 0) begins."""
        if self.typed_table is not None and self.typed_table.is_one_line_per_row:
            return self.typed_table.dialect.first_line + row
        return self.texts.line_of_row(row)


@dataclass(frozen=True, eq=False)
class Table:
    """A table as read, or as given by a caller.

    given: a caller's frame, or Arrow columns: typed ones, or of a text file what the reader made of
    them.
    name: the path as given, or "stdin". notes: what was found out and is worth saying. decimal,
    thousands: marks of numbers in text. source: of a text file, its cells as written.
    """

    given: pd.DataFrame | pa.Table
    name: str
    notes: tuple[str, ...] = ()
    decimal: str = "."
    thousands: str = ""
    source: TextSource | None = None

    def __len__(self) -> int:
        return len(self.given)

    @property
    def names(self) -> list[str]:
        """Names of the columns."""
        return (
            list(self.given.columns)
            if isinstance(self.given, pd.DataFrame)
            else list(self.given.column_names)
        )

    @property
    def text(self) -> bool:
        """Whether the table came from text, and so can be located by line."""
        return self.source is not None

    @cached_property
    def frame(self) -> pd.DataFrame:
        """All columns as pandas has them: of a text file as text, missing where a marker of missing values stood."""
        if isinstance(self.given, pd.DataFrame):
            return self.given
        return pd.DataFrame({name: self.series(name) for name in self.names}, copy=False)

    def series(self, column: str) -> pd.Series:
        """One column of `frame`, without making the others."""
        if isinstance(self.given, pd.DataFrame):
            return self.given[column]
        if self.source is None:
            return pd.Series(_decode_dictionary(self.given[column]).to_pandas(), name=column)
        values = self.source.verbatim(column)
        markers = pa.array(sorted({"", *self.source.na}), pa.string())
        missing = pc.is_in(pc.utf8_trim_whitespace(values), value_set=markers)
        masked = (
            pc.if_else(missing, pa.scalar(None, pa.string()), values)
            if pc.any(missing).as_py()
            else values
        )
        return pd.Series(masked.to_pandas(), name=column)

    def verbatim(self, column: str) -> pd.Series:
        """A column with nothing taken for missing: the id "NA" stays "NA"."""
        return (
            pd.Series(self.source.verbatim(column).to_pandas())
            if self.source
            else self.series(column)
        )

    def locate(self, row: int) -> str:
        """Where data row `row` (from 0) stands: "data.csv:17", or "data.parquet row 16"."""
        return (
            f"{self.name}:{self.source.line_of_row(row)}"
            if self.source
            else f"{self.name} row {row}"
        )

    def sign(self, column: str) -> str:
        """The sign of a currency or of percent in every cell of a text column; "" where there is none."""
        texts = (
            None
            if isinstance(self.given, pd.DataFrame) or self._typed_column(column) is not None
            else self.series(column)
        )
        return (
            ""
            if texts is None or not len(texts)
            else find_unit_sign(pc.utf8_trim_whitespace(to_text_array(texts)))
        )

    def hint_on_edge_rows(self, bad: Bools) -> str:
        """What to do about `bad` rows [rows] where they are the first or the last ones: units, a header, a total."""
        rows = np.flatnonzero(bad)
        if not self.source or len(rows) > _MAX_ODD_CELLS or len(bad) < 3 * len(rows):
            return ""
        if rows[-1] == len(rows) - 1:
            what = "units or a second header"
        elif rows[0] == len(bad) - len(rows):
            what = "totals or remarks"
        else:
            return ""
        first, last = self.source.line_of_row(int(rows[0])), self.source.line_of_row(int(rows[-1]))
        lines, range_ = (
            (f"line {first} holds", f"{first}")
            if first == last
            else (f"lines {first} to {last} hold", f"{first},{last}")
        )
        return f"if {lines} {what}, leave that out: sed {range_}d {shlex.quote(self.name)} | lstmcast ... -"

    def require(self, columns: tuple[str, ...]) -> None:
        """Raise DataError, with a suggestion, for the first of `columns` that is not there."""
        for column in columns:
            if column not in self.names:
                raise DataError(
                    f"{self.name} has no column {column!r}", suggest_similar(column, self.names)
                )

    def _typed_column(self, column: str) -> pa.ChunkedArray | None:
        """The column as Arrow has it, where it is stored as anything but text."""
        found = None if isinstance(self.given, pd.DataFrame) else self.given[column]
        return None if found is None or pa.types.is_string(found.type) else found

    def stored_numbers(self, column: str) -> Floats | None:
        """Values [rows] of a column stored as numbers, NaN where missing; None where it is stored as anything else."""
        found = self._typed_column(column)
        if found is None or not (
            _is_integer(found.type)
            or pa.types.is_floating(found.type)
            or _is_convertible_number(found.type)
        ):
            return None
        if pa.types.is_boolean(found.type):
            found = pc.cast(found, pa.uint8())
        return np.asarray(pc.cast(found, pa.float64(), safe=False).to_numpy(), dtype=np.float64)

    def whole(self, column: str) -> Ints | None:
        """Values [rows] of a column stored as whole numbers, none of them missing; None where it is not so."""
        found = self._typed_column(column)
        if found is None or not _is_integer(found.type) or found.null_count:
            return None
        return np.asarray(found.to_numpy(), dtype=np.int64)

    def stamps(self, column: str) -> tuple[Ints, TimestampFormat] | None:
        """Instants [rows] and their form, of a column stored as stamps without a zone or as days, none missing."""
        found = self._typed_column(column)
        if found is None or found.null_count:
            return None
        if pa.types.is_date32(found.type):
            return _to_microseconds(found), TimestampFormat("date")
        if not pa.types.is_timestamp(found.type) or found.type.tz is not None:
            return None
        if self.source is None or self.source.typed_table is None:
            return _to_microseconds(found), TimestampFormat("datetime", found.type.unit)
        layout = self.source.typed_table.layouts[column]
        return _to_microseconds(found), TimestampFormat(
            "text", layout, "UTC" if layout.endswith("Z") else ""
        )

    def codes(self, column: str) -> tuple[Ints, list[str], str]:
        """Code of each row [rows], -1 where missing; what each code stands for; and whether that was "int64" or "str".

        Codes count up in the order of first appearance. In a text file nothing is taken for
        missing.
        """
        if isinstance(self.given, pd.DataFrame):
            return _factorize_series(self.given[column])
        found, whole = self.given[column], self.whole(column)
        if whole is not None:
            codes, unique = pd.factorize(whole)
            return (
                codes.astype(np.int64),
                [str(value) for value in unique.tolist()],
                "str" if self.text else "int64",
            )
        if self.source and not pa.types.is_dictionary(found.type):
            found = self.source.verbatim(column)
        if pa.types.is_string(found.type):
            found = pc.dictionary_encode(found)
        return (
            _factorize_dictionary(found)
            if pa.types.is_dictionary(found.type)
            else _factorize_series(self.series(column))
        )


def _factorize_series(series: pd.Series) -> tuple[Ints, list[str], str]:
    codes, kinds = pd.factorize(series)
    kind = "int64" if pd.api.types.is_integer_dtype(series.dtype) else "str"
    return codes.astype(np.int64), [str(value) for value in kinds], kind


def _factorize_dictionary(column: pa.ChunkedArray) -> tuple[Ints, list[str], str]:
    """Codes of a dictionary column that count up in the order of first appearance."""
    whole = column.unify_dictionaries().combine_chunks()
    indices = np.asarray(pc.fill_null(whole.indices, -1))
    codes, places = pd.factorize(indices)
    missing = np.append(places < 0, False)  # the last place answers for a code of -1
    order = np.where(missing, -1, np.cumsum(~missing) - 1)
    codes = order[codes] if missing.any() else codes.astype(np.int64)
    texts = whole.dictionary.take(pa.array(places[places >= 0])).to_pylist()
    return codes, texts, "str"


def _is_integer(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind)) and kind != pa.uint64()


def _is_convertible_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_boolean(kind) or pa.types.is_decimal(kind) or kind == pa.uint64())


def _to_microseconds(column: pa.ChunkedArray) -> Ints:
    exact = pc.cast(column, pa.timestamp("us"), safe=False)
    return np.asarray(pc.cast(exact, pa.int64()).to_numpy(), dtype=np.int64)


def _decode_dictionary(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return (
        pc.cast(column, column.type.value_type) if pa.types.is_dictionary(column.type) else column
    )


def to_text_array(series: pd.Series) -> pa.Array:
    """A column as one Arrow array of text, null where missing."""
    if not isinstance(series.dtype, pd.StringDtype):
        series = series.astype("object").map(str, na_action="ignore")
    array = pa.array(series, type=pa.large_string(), from_pandas=True)
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
