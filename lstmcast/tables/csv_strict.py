"""Bytes of a text table to columns of text, strictly: every cell as it is written, every fault with its line.

Knows no files and not what a column means. Line numbers count from 1, in the file as it lies on
disk.
"""

import codecs
import csv
import io
import re
import shlex
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

import charset_normalizer
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from lstmcast.config import DataConfig
from lstmcast.errors import DataError, UsageError, format_more
from lstmcast.tables.csv_dialect import Dialect, find_dialect

UTF8_BOM = codecs.BOM_UTF8
_MAX_SAMPLED_RECORDS = 1000
_UTF16_BOMS = ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_LIKELY_ENCODINGS = (
    "cp1252",
    "cp1250",
    "cp1251",
    "cp1253",
    "cp1254",
    "cp932",
    "gb18030",
    "big5",
    "euc_kr",
    "mac_roman",
)


@dataclass(frozen=True)
class TextTable:
    """Columns of text as in the file; `data` is kept only where rows and lines do not go together one to one."""

    columns: pa.Table
    dialect: Dialect
    notes: tuple[str, ...]
    data: bytes | None

    def line_of_row(self, row: int) -> int:
        """Line of the file, counted from 1, where data row `row` (counted from 0) begins."""
        if self.data is None:
            return row + self.dialect.first_line
        records, width = _iter_records(self.data, self.dialect), len(self.dialect.names)
        whole = (
            line for line, record in records if len(record) == width and (any(record) or width == 1)
        )
        return next(islice(whole, row, None), row + self.dialect.first_line)


def parse_csv_strictly(data: bytes, name: str, config: DataConfig) -> TextTable:
    """Read the bytes of a text table. DataError: wrong encoding, NUL bytes, ragged rows, open quotes, no rows."""
    notes: list[str] = []
    data = _ensure_utf8(data, name, config, notes)
    dialect = find_dialect(data, name, config)
    if dialect.start == len(data) and _has_unclosed_quote(data, dialect.delimiter):
        raise _unclosed_quote_error(data, dialect, name)
    columns, ragged = _parse_columns(data, dialect, name)
    if ragged and config.bad_rows == "error":
        raise _ragged_rows_error(data, dialect, ragged, name)
    if not len(columns):
        raise DataError(f"{name} has a header but no rows", "give a file with rows")
    notes += dialect.notes
    if ragged:
        notes.append(_note_skipped_rows(data, dialect, ragged))
    full = _without_empty_rows(columns)
    if full is not None:
        notes.append(f"empty rows left out: {len(columns) - len(full)}")
        columns = full
    kept = None if _is_one_line_per_row(data, dialect, len(columns)) else data
    return TextTable(columns, dialect, tuple(notes), kept)


def _ensure_utf8(data: bytes, name: str, config: DataConfig, notes: list[str]) -> bytes:
    if config.encoding:
        return _transcode_to_utf8(data, name, config.encoding)
    if any(data.startswith(mark) for mark, _ in _UTF16_BOMS):
        raise DataError(
            f"{name}: byte 0 begins UTF-16 text, not UTF-8", "read it with --encoding utf-16"
        )
    if b"\0" in data:
        raise _nul_byte_error(data, name)
    try:
        if not data.isascii():
            data.decode()
    except UnicodeDecodeError as error:
        hint = f"read it with --encoding {_guess_encoding(data)}, or the encoding that it was written in"
        raise DataError(
            f"{name}: byte {error.start} (0x{data[error.start]:02x}) is not UTF-8", hint
        ) from error
    if data.startswith(UTF8_BOM):
        notes.append("byte-order mark skipped")
    return data.removeprefix(UTF8_BOM)


def _transcode_to_utf8(data: bytes, name: str, encoding: str) -> bytes:
    try:
        text = data.decode(encoding)
    except LookupError as error:
        raise UsageError(
            f"encoding {encoding!r} is not known", "try utf-8, utf-16 or latin-1"
        ) from error
    except UnicodeDecodeError as error:
        raise DataError(
            f"{name}: byte {error.start} is not {encoding}", "try another --encoding"
        ) from error
    except ValueError as error:  # encodings that are no text, like hex
        raise UsageError(
            f"encoding {encoding!r} cannot be read: {error}", "try utf-8 or latin-1"
        ) from error
    return text.removeprefix("\ufeff").encode(errors="replace")


def _nul_byte_error(data: bytes, name: str) -> DataError:
    wide = next(
        (form for form in ("utf-16-le", "utf-16-be") if _is_utf16_like(data[:4096], form)), ""
    )
    hint = (
        f"read it with --encoding {wide}"
        if wide
        else "text does not hold NUL bytes: is it a table?"
    )
    return DataError(f"{name}: byte {data.index(0)} is NUL", hint)


def _is_utf16_like(data: bytes, wide: str) -> bool:
    """Whether every second byte is NUL, as in Latin text of two bytes a character."""
    high = data[1::2] if wide.endswith("le") else data[::2]
    return len(high) > 1 and high.count(0) * 2 > len(high)


def _guess_encoding(data: bytes) -> str:
    """The encoding that the lines which are not UTF-8 were most likely written in."""
    odd = b"\n".join(line for line in data[: 1 << 22].splitlines() if not line.isascii())[: 1 << 16]
    best = charset_normalizer.from_bytes(odd, cp_isolation=list(_LIKELY_ENCODINGS)).best()
    alike = (
        best.could_be_from_charset if best else ["latin_1"]
    )  # encodings that read the same: the usual one of them
    found = (_LIKELY_ENCODINGS[0] if _LIKELY_ENCODINGS[0] in alike else alike[0]).replace("_", "-")
    with suppress(UnicodeDecodeError):
        data.decode(found)
        return found
    return "latin-1"


def _parse_columns(data: bytes, dialect: Dialect, name: str) -> tuple[pa.Table, int]:
    """The columns, and how many rows were left out because they are of another width."""
    names, start = dialect.names, dialect.start
    if not data[start:].strip():
        return pa.table({column: pa.array([], pa.string()) for column in names}), 0
    body = pa.py_buffer(data).slice(start)
    if len(names) == 1:  # an empty line is then a missing value, except at the end
        body = pa.py_buffer(data[start:].rstrip(b"\r\n") + b"\n")
    try:
        table, ragged = read_block(body, dialect, quoted=b'"' in data)
    except pa.ArrowInvalid as error:
        raise DataError(
            f"{name} cannot be read as a table: {error}", "check its quotes and separators"
        ) from error
    if data.count(b'"') % 2 and _has_unclosed_quote(data, dialect.delimiter):
        raise _unclosed_quote_error(data, dialect, name)
    return table, ragged


def _without_empty_rows(columns: pa.Table) -> pa.Table | None:
    """The rows without those whose cells are all empty, as sheets leave them behind; None where there are none such."""
    empty = pc.equal(columns.column(0), "")
    for name in columns.column_names[1:]:
        if not pc.any(empty).as_py():
            return None
        empty = pc.and_(empty, pc.equal(columns[name], ""))
    several = len(columns.column_names) > 1
    return columns.filter(pc.invert(empty)) if several and pc.any(empty).as_py() else None


def read_block(body: pa.Buffer, dialect: Dialect, *, quoted: bool) -> tuple[pa.Table, int]:
    """Whole records as columns of text, and the number of records of another width, which are left out."""
    ragged = 0

    def skip(_: pacsv.InvalidRow) -> str:
        nonlocal ragged
        ragged += 1
        return "skip"

    parse = pacsv.ParseOptions(
        delimiter=dialect.delimiter,
        newlines_in_values=quoted,
        ignore_empty_lines=len(dialect.names) > 1,
        invalid_row_handler=skip,
    )
    types = dict.fromkeys(dialect.names, pa.string())
    convert = pacsv.ConvertOptions(column_types=types, strings_can_be_null=False)
    read = pacsv.ReadOptions(column_names=dialect.names, block_size=1 << 24, use_threads=False)
    table = pacsv.read_csv(
        pa.BufferReader(body), read_options=read, parse_options=parse, convert_options=convert
    )
    return table, ragged


def _iter_records(data: bytes, dialect: Dialect) -> Iterator[tuple[int, list[str]]]:
    """Records below the header, with the line that each begins on; empty lines are passed over."""
    reader = csv.reader(
        io.StringIO(data[dialect.start :].decode(), newline=""), delimiter=dialect.delimiter
    )
    line = dialect.first_line
    with suppress(csv.Error):  # a cell longer than the reader's limit ends the search
        for record in reader:
            if record:
                yield line, record
            line = dialect.first_line + reader.line_num


def _find_ragged_record(data: bytes, dialect: Dialect) -> tuple[int, list[str]]:
    """Line and cells of the first record of another width; no cells where it cannot be found."""
    width = len(dialect.names)
    return next(
        ((line, record) for line, record in _iter_records(data, dialect) if len(record) != width),
        (0, []),
    )


def _note_skipped_rows(data: bytes, dialect: Dialect, count: int) -> str:
    line, _ = _find_ragged_record(data, dialect)
    where = f": line {line}" if count == 1 else f", the first on line {line}"
    return (
        f"skipped {count} {'row' if count == 1 else 'rows'} not of {len(dialect.names)} columns"
        + where * bool(line)
    )


def _ragged_rows_error(data: bytes, dialect: Dialect, count: int, name: str) -> DataError:
    line, record = _find_ragged_record(data, dialect)
    width = len(dialect.names)
    hint = "mend the line, quote values that hold the separator, or leave such rows out with --bad-rows skip"
    if not record:
        return DataError(f"{name}: {count} rows are not of {width} columns", hint)
    more = format_more(count, "such lines")
    found = _misplaced_header_error(data, dialect, name)
    if found is not None:
        return found
    if dialect.delimiter == "," and len(record) > width:
        hint = 'mend the line, or leave it out with --bad-rows skip; decimal commas need quotes ("1,5")'
    cells = "1 value" if len(record) == 1 else f"{len(record)} values"
    return DataError(f"{name}:{line}: {cells} where the header names {width} columns{more}", hint)


def _misplaced_header_error(data: bytes, dialect: Dialect, name: str) -> DataError | None:
    """The error where most records are of one other width: names stand further down, or lines end in a separator."""
    width, records = (
        len(dialect.names),
        list(islice(_iter_records(data, dialect), _MAX_SAMPLED_RECORDS)),
    )
    usual, count = Counter(len(record) for _, record in records).most_common(1)[0]
    if usual <= width or 2 * count <= len(records):
        return None
    line, record = next((line, record) for line, record in records if len(record) == usual)
    said = f"{name}:{line}: {usual} values, as in most lines, where line {dialect.first_line - dialect.has_header} has {width}"
    file = shlex.quote(name)
    if not any(cell for _, record in records if len(record) == usual for cell in record[width:]):
        marks = dialect.delimiter * (usual - width)
        return DataError(
            said,
            f"end the first line as the others: sed '1s/\\r*$/{marks}/' {file} | lstmcast ... -",
        )
    if line <= dialect.first_line and not all(re.search("[A-Za-z]", cell) for cell in record):
        return None
    return DataError(
        said,
        f"if the names stand on line {line}, begin there: tail -n +{line} {file} | lstmcast ... -",
    )


def _has_unclosed_quote(data: bytes, delimiter: str) -> bool:
    """Whether a quote that begins a cell is never closed; a quote inside a cell, as for inches, is text."""
    try:
        for _ in csv.reader(
            io.StringIO(data.decode(), newline=""), delimiter=delimiter, strict=True
        ):
            pass
    except csv.Error as error:
        return "end of data" in str(error)
    return False


def _unclosed_quote_error(data: bytes, dialect: Dialect, name: str) -> DataError:
    line = 1
    for line, _ in _iter_records(data, dialect):  # noqa: B007
        pass
    return DataError(
        f"{name}:{line}: a quote is opened here and never closed",
        "close it, or double it inside a value",
    )


def _is_one_line_per_row(data: bytes, dialect: Dialect, rows: int) -> bool:
    start = dialect.start
    ends = data.count(b"\n", start) or data.count(b"\r", start)
    return ends + (not data.endswith((b"\n", b"\r"))) == rows
