"""The dialect of a text table: encoding, delimiter, decimal mark, header; and its bytes as columns of text.

Knows no files and not what a column means. Line numbers count from 1, in the file as it lies on disk.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

import pyarrow as pa
import pyarrow.csv as pacsv

from lstmcast.config import DataConfig
from lstmcast.errors import DataError, UsageError

_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_SAMPLE = 1 << 16
_LONGEST_HEADER = 1 << 24
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_POINT = re.compile(r"[+-]?\d*\.\d+(?:[eE][+-]?\d+)?")
_COMMA = re.compile(r"[+-]?\d+,\d+(?:[eE][+-]?\d+)?")
_GROUPS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?|\d{4}-\d\d(?:-\d\d)?(?:[ T].*)?")


@dataclass(frozen=True)
class TextTable:
    """Columns of text as in the file; `data` is kept only where rows and lines do not go together one to one."""

    columns: pa.Table
    decimal: str
    delimiter: str
    notes: tuple[str, ...]
    data: bytes | None

    def line(self, row: int) -> int:
        """Line of the file, counted from 1, where data row `row` (counted from 0) begins."""
        if self.data is None:
            return row + 2
        wanted = row + 1
        for place, (line, _) in enumerate(_records(self.data, self.delimiter)):
            if place == wanted:
                return line
        return row + 2


def parse_text(data: bytes, name: str, config: DataConfig) -> TextTable:
    """Read the bytes of a text table. DataError: wrong encoding, NUL bytes, ragged rows, open quotes, no rows."""
    notes: list[str] = []
    data = _utf8(data, name, config, notes)
    if not data.strip():
        raise DataError(f"{name} is empty", "give a file with a header line and rows")
    if b"\n" not in data and b"\r" in data:
        notes.append("line ends of old Macs")
    sample = _sample(data)
    delimiter = config.delimiter or _delimiter(sample, name)
    header, start = _header(data, delimiter, name)
    decimal = config.decimal or _decimal(sample, delimiter)
    if delimiter != "," and len(header) > 1:
        notes.append(f"{_DELIMITERS.get(delimiter, repr(delimiter))}-separated")
    if decimal == ",":
        notes.append("decimal comma")
    names = _names(header, name, notes)
    columns = _columns(data, start, names, delimiter, name)
    if not len(columns):
        raise DataError(f"{name} has a header but no rows", "give a file with rows")
    kept = None if _line_per_row(data, len(columns)) else data
    return TextTable(columns, decimal, delimiter, tuple(notes), kept)


def _utf8(data: bytes, name: str, config: DataConfig, notes: list[str]) -> bytes:
    if config.encoding:
        try:
            return data.decode(config.encoding).removeprefix("\ufeff").encode()
        except LookupError as error:
            raise UsageError(f"encoding {config.encoding!r} is not known", "try utf-8, utf-16 or latin-1") from error
        except UnicodeDecodeError as error:
            raise DataError(f"{name}: byte {error.start} is not {config.encoding}", "try another --encoding") from error
    encoding = next((encoding for mark, encoding in _BOMS if data.startswith(mark)), None)
    if encoding == "utf-16":
        raise DataError(f"{name}: byte 0 begins UTF-16 text, not UTF-8", "read it with --encoding utf-16")
    if encoding:
        notes.append("byte-order mark skipped")
        data = data[len(codecs.BOM_UTF8) :]
    if b"\0" in data:
        raise DataError(f"{name}: byte {data.index(0)} is NUL", "text does not hold NUL bytes: is it a table?")
    try:
        if not data.isascii():
            data.decode()
    except UnicodeDecodeError as error:
        hint = "read it with --encoding latin-1 (Western Europe) or the encoding that it was written in"
        raise DataError(f"{name}: byte {error.start} (0x{data[error.start]:02x}) is not UTF-8", hint) from error
    return data


def _sample(data: bytes) -> str:
    """The first part of the text, in whole lines."""
    text = data[:_SAMPLE].decode(errors="ignore")
    if len(data) > _SAMPLE:
        text = text[: max(text.rfind("\n"), text.rfind("\r")) + 1] or text
    return text


def _rows(text: str, delimiter: str) -> list[list[str]]:
    try:
        return [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row]
    except csv.Error:
        return []


def _delimiter(sample: str, name: str) -> str:
    """The one character that cuts every line into the same number of columns."""
    fits, header = [], {}
    for candidate in _DELIMITERS:
        rows = _rows(sample, candidate)
        widths = {len(row) for row in rows}
        header[candidate] = len(rows[0]) if rows else 1
        if len(widths) == 1 and widths != {1}:
            fits.append(candidate)
    if len(fits) > 1:
        shown = " or ".join(_DELIMITERS[fit] for fit in fits)
        raise DataError(f"{name}: columns may be separated by {shown}", "say which with --delimiter")
    return fits[0] if fits else max(header, key=lambda candidate: header[candidate])


def _decimal(sample: str, delimiter: str) -> str:
    """The decimal mark of the numbers; a comma only where it cannot be a thousands separator."""
    cells = [cell.strip() for row in _rows(sample, delimiter)[1:] for cell in row]
    commas = [cell for cell in cells if _COMMA.fullmatch(cell)]
    certain = any(not _GROUPS.fullmatch(cell) for cell in commas)
    return "," if certain and not any(_POINT.fullmatch(cell) for cell in cells) else "."


def _header(data: bytes, delimiter: str, name: str) -> tuple[list[str], int]:
    """Cells of the first record, and the offset of the byte after it."""
    start = len(data) - len(data.lstrip(b"\r\n"))
    text = data[start : start + _LONGEST_HEADER].decode(errors="ignore")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        cells = next(reader)
    except csv.Error as error:
        raise DataError(f"{name}:1: the first line is no header: {error}", "give a line of column names") from error
    ends = [match.end() for match in islice(re.finditer(rb"\r\n|\n|\r", data[start:]), reader.line_num)]
    end = start + ends[-1] if len(ends) == reader.line_num else len(data)
    if end == len(data) and _open_at_end(data, delimiter):
        raise _open_quote(data, delimiter, name)
    if all(_NUMBER.fullmatch(cell.strip()) for cell in cells):
        values = "the first line holds values, not names"
        raise DataError(f"{name}:1: {values}: {cells[0]!r}", "add a first line with column names")
    return cells, end


def _names(header: list[str], name: str, notes: list[str]) -> list[str]:
    names = [cell.strip() or f"column {place}" for place, cell in enumerate(header, 1)]
    if any(cell != cell.strip() for cell in header):
        notes.append("spaces around column names trimmed")
    double = sorted({cell for cell in names if names.count(cell) > 1})
    if double:
        raise DataError(f"{name}:1: column {double[0]!r} is there {names.count(double[0])} times", "rename one of them")
    return names


def _columns(data: bytes, start: int, names: list[str], delimiter: str, name: str) -> pa.Table:
    if not data[start:].strip():
        return pa.table({column: pa.array([], pa.string()) for column in names})
    body = pa.py_buffer(data).slice(start)
    if len(names) == 1:  # an empty line is then a missing value, except at the end
        body = pa.py_buffer(data[start:].rstrip(b"\r\n") + b"\n")
    ragged: list[str] = []

    def skip(row: pacsv.InvalidRow) -> str:
        ragged.append(row.text)
        return "skip"

    options = pacsv.ParseOptions(
        delimiter=delimiter,
        newlines_in_values=b'"' in data,
        ignore_empty_lines=len(names) > 1,
        invalid_row_handler=skip,
    )
    convert = pacsv.ConvertOptions(column_types={column: pa.string() for column in names}, strings_can_be_null=False)
    read = pacsv.ReadOptions(column_names=names, block_size=1 << 24, use_threads=False)
    try:
        table = pacsv.read_csv(pa.BufferReader(body), read_options=read, parse_options=options, convert_options=convert)
    except pa.ArrowInvalid as error:
        raise DataError(f"{name} cannot be read as a table: {error}", "check its quotes and separators") from error
    if data.count(b'"') % 2 and _open_at_end(data, delimiter):
        raise _open_quote(data, delimiter, name)
    if ragged:
        raise _ragged(data, delimiter, len(names), len(ragged), name)
    return table


def _records(data: bytes, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Records of the text with the line that each begins on; empty lines are passed over."""
    reader = csv.reader(io.StringIO(data.decode(), newline=""), delimiter=delimiter)
    line = 1
    with suppress(csv.Error):  # a cell longer than the reader's limit ends the search
        for record in reader:
            if record:
                yield line, record
            line = reader.line_num + 1


def _ragged(data: bytes, delimiter: str, width: int, count: int, name: str) -> DataError:
    odd = ((line, record) for line, record in _records(data, delimiter) if len(record) != width)
    line, record = next(odd, (1, []))
    if not record:
        return DataError(f"{name}: {count} rows are not of {width} columns", "check the quotes and separators in them")
    more = f" (and {count - 1} more such lines)" if count > 1 else ""
    hint = "mend the line, or quote values that hold the separator"
    if delimiter == "," and len(record) > width:
        hint += '; decimal commas need quotes ("1,5") or another separator'
    return DataError(f"{name}:{line}: {len(record)} values where the header names {width} columns{more}", hint)


def _open_at_end(data: bytes, delimiter: str) -> bool:
    """Whether a quote that begins a cell is never closed; a quote inside a cell, as for inches, is text."""
    try:
        for _ in csv.reader(io.StringIO(data.decode(), newline=""), delimiter=delimiter, strict=True):
            pass
    except csv.Error as error:
        return "end of data" in str(error)
    return False


def _open_quote(data: bytes, delimiter: str, name: str) -> DataError:
    line = 1
    for line, _ in _records(data, delimiter):  # noqa: B007
        pass
    return DataError(f"{name}:{line}: a quote is opened here and never closed", "close it, or double it inside a value")


def _line_per_row(data: bytes, rows: int) -> bool:
    ends = data.count(b"\n") or data.count(b"\r")
    return ends + (not data.endswith((b"\n", b"\r"))) == rows + 1
