"""A file or a stream becomes a table: CSV, TSV, Parquet and Arrow, also gz and zst, known by their content.

Knows not what a column means. Text tables keep every cell as text, so that an id `007` stays what it is.
"""

import glob
import gzip
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lstmcast.config import DataConfig
from lstmcast.csvtext import TextTable, parse_text
from lstmcast.errors import DataError, suggest

Floats = NDArray[np.float64]

_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_KINDS = ((b"PAR1", "Parquet"), (b"ARROW1", "Arrow"), (b"\xff\xff\xff\xff", "Arrow stream"))
_PACKED = ((b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"))


@dataclass(frozen=True, eq=False)
class Table:
    """A table as read: text formats hold only text (missing where an NA marker stood), others their own types.

    name: the path as given, or "stdin". notes: what was found out and is worth saying. decimal: mark of text numbers.
    """

    frame: pd.DataFrame
    name: str
    notes: tuple[str, ...] = ()
    decimal: str = "."
    source: TextTable | None = None

    @property
    def text(self) -> bool:
        """Whether the table came from text, and so can be located by line."""
        return self.source is not None

    def locate(self, row: int) -> str:
        """Where data row `row` (from 0) stands: "data.csv:17", or "data.parquet row 16"."""
        return f"{self.name}:{self.source.line(row)}" if self.source else f"{self.name} row {row}"

    def verbatim(self, column: str) -> pd.Series:
        """A column with nothing taken for missing: the id "NA" stays "NA"."""
        return self.source.columns[column].to_pandas() if self.source else self.frame[column]

    def require(self, columns: tuple[str, ...]) -> None:
        """Raise DataError, with a suggestion, for the first of `columns` that is not there."""
        for column in columns:
            if column not in self.frame:
                raise DataError(f"{self.name} has no column {column!r}", suggest(column, list(self.frame.columns)))


def read_table(source: str | Path, config: DataConfig = DataConfig()) -> Table:  # noqa: B008
    """Read a path, a folder or glob of Parquet, or "-" (stdin). DataError where it cannot be read as a table."""
    name = str(source)
    if name == "-":
        return _from_bytes(sys.stdin.buffer.read(), "stdin", config)
    path = Path(source)
    if path.is_dir():
        return _dataset(sorted(path.rglob("*.parquet")), name)
    if not path.exists():
        matches = sorted(Path(match) for match in glob.glob(name))  # noqa: PTH207 (Path.glob wants relative patterns)
        if len(matches) == 1:
            return read_table(matches[0], config)
        if not matches:
            raise _missing(path)
        return _dataset(matches, name)
    try:
        return _from_bytes(path.read_bytes(), name, config)
    except OSError as error:
        raise DataError(f"cannot read {name}: {error.strerror or error}", "give a file that can be read") from error


def _missing(path: Path) -> DataError:
    folder = path.parent
    names = sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []
    hint = suggest(path.name, names) if names else f"there is no folder {str(folder)!r}"
    return DataError(f"there is no file {str(path)!r}", hint)


def _from_bytes(data: bytes, name: str, config: DataConfig) -> Table:
    notes: list[str] = []
    data = _unpacked(data, name, notes)
    kind = next((kind for magic, kind in _KINDS if data.startswith(magic)), None)
    if kind:
        return _typed(_columnar(data, kind, name), name, (*notes, kind))
    text = parse_text(data, name, config)
    return _as_table(text, name, config.na, (*notes, *text.notes))


def _as_table(text: TextTable, name: str, na: tuple[str, ...], notes: tuple[str, ...]) -> Table:
    columns = {column: _masked(text.columns[column], na) for column in text.columns.column_names}
    frame = pd.DataFrame({column: values.to_pandas() for column, values in columns.items()}, copy=False)
    return Table(frame, name, notes, text.decimal, text)


def _masked(values: pa.ChunkedArray, na: tuple[str, ...]) -> pa.ChunkedArray:
    """The column with NA markers as nulls; the same buffers where there are none."""
    missing = pc.is_in(pc.utf8_trim_whitespace(values), value_set=pa.array(sorted({"", *na}), pa.string()))
    return pc.if_else(missing, pa.scalar(None, pa.string()), values) if pc.any(missing).as_py() else values


def _unpacked(data: bytes, name: str, notes: list[str]) -> bytes:
    kind = next((kind for magic, kind in _PACKED if data.startswith(magic)), None)
    if kind is None:
        return data
    notes.append(f"{kind}-compressed")
    try:
        if kind == "gzip":
            return gzip.decompress(data)
        with pa.CompressedInputStream(pa.BufferReader(data), "zstd") as stream:
            return bytes(stream.read())
    except (EOFError, OSError, zlib.error) as error:
        raise _damaged(name, kind) from error


def _columnar(data: bytes, kind: str, name: str) -> pa.Table:
    reader = pa.BufferReader(data)
    try:
        if kind == "Parquet":
            return pq.read_table(reader, page_checksum_verification=True)
        return (pa.ipc.open_file(reader) if kind == "Arrow" else pa.ipc.open_stream(reader)).read_all()
    except (pa.ArrowException, OSError) as error:
        raise _damaged(name, kind) from error


def _damaged(name: str, kind: str) -> DataError:
    return DataError(f"{name}: the {kind} data are damaged or cut short", "copy or download the file again")


def _dataset(paths: list[Path], name: str) -> Table:
    if not paths:
        raise DataError(f"{name} is a folder without Parquet files", "give a file, or a folder of .parquet files")
    parts = [_columnar(path.read_bytes(), "Parquet", str(path)) for path in paths]
    try:
        whole = pa.concat_tables(parts, promote_options="default")
    except pa.ArrowInvalid as error:
        raise DataError(f"the files of {name} do not have the same columns", "give files of one data set") from error
    return _typed(whole, name, (f"{len(paths)} Parquet files",))


def _typed(columns: pa.Table, name: str, notes: tuple[str, ...]) -> Table:
    double = sorted({column for column in columns.column_names if columns.column_names.count(column) > 1})
    if double:
        raise DataError(f"{name}: column {double[0]!r} is there more than once", "rename one of them")
    frame = columns.to_pandas()
    if list(frame.index.names) != [None]:  # a pandas index stored as columns
        frame = frame.reset_index()
    if not len(frame):
        raise DataError(f"{name} has no rows", "give a file with rows")
    return Table(frame.rename(columns=str), name, notes)


def to_number(table: Table, column: str) -> Floats:
    """Values [rows] of a column as float64; missing is NaN, true/false and yes/no are 1 and 0.

    Raises DataError, with place, value and count, for text and infinite values.
    """
    series = table.frame[column]
    if pd.api.types.is_bool_dtype(series.dtype) or pd.api.types.is_numeric_dtype(series.dtype):
        values = series.to_numpy(dtype=np.float64, na_value=np.nan)
    elif pd.api.types.is_datetime64_any_dtype(series.dtype):
        raise DataError(f"{table.name}: column {column!r} holds dates, not numbers", "name a column of numbers")
    else:
        values = _text_numbers(table, column, series)
    infinite = np.isinf(values)
    if infinite.any():
        raise _not_a_number(table, column, infinite, "infinite or too large")
    return values


def _text_numbers(table: Table, column: str, series: pd.Series) -> Floats:
    text = pc.utf8_trim_whitespace(as_text(series))
    if table.decimal != ".":
        text = pc.replace_substring(text, table.decimal, ".")
    good = np.asarray(pc.fill_null(pc.match_substring_regex(text, _NUMBER), True))
    if good.all():
        return np.asarray(pc.cast(text, pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)
    truth = _truth(text)
    if truth is None:
        raise _not_a_number(table, column, ~good, "not a number")
    return truth


def _truth(text: pa.Array) -> Floats | None:
    """1 and 0 for a column of true and false, or of yes and no; None for any other."""
    lower = pc.utf8_lower(text)
    found = set(pc.unique(pc.drop_null(lower)).to_pylist()) if pc.count_distinct(lower).as_py() <= 3 else {""}
    if not found <= {"true", "false"} and not found <= {"yes", "no"}:
        return None
    yes = pc.is_in(lower, value_set=pa.array(["true", "yes"])).to_numpy(zero_copy_only=False)
    return np.where(pc.is_null(text).to_numpy(zero_copy_only=False), np.nan, yes.astype(np.float64))


def as_text(series: pd.Series) -> pa.Array:
    """A column as one Arrow array of text, null where missing."""
    if not isinstance(series.dtype, pd.StringDtype):
        series = series.astype("object").map(str, na_action="ignore")
    array = pa.array(series, type=pa.large_string(), from_pandas=True)
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _not_a_number(table: Table, column: str, bad: NDArray[np.bool_], what: str) -> DataError:
    rows = np.flatnonzero(bad)
    value = str(table.frame[column].iloc[int(rows[0])])
    more = f" (and {len(rows) - 1} more)" if len(rows) > 1 else ""
    hint = "mend the file, or say what means missing with --na"
    if "," in value and table.decimal == ".":
        hint = "if that is a decimal comma, add --decimal ,"
    return DataError(f"{table.locate(int(rows[0]))}: column {column!r}: {value!r} is {what}{more}", hint)
