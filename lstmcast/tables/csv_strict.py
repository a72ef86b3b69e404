"""Bytes of a text table to columns of text, strictly: cells as written, every fault with its line.

Knows no files and not what a column means. Line numbers count from 1, in the file as it lies on
disk.
"""

import codecs
import csv
import io
import re
import shlex
from collections import defaultdict
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
_MAX_BYTES_SEARCHED = 1 << 22
_MAX_BYTES_TO_GUESS_BY = 1 << 16
"""Bytes of lines that are not ASCII by which their encoding is guessed."""
_UTF16_BOMS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_LIKELY_ENCODINGS = (
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254"),
    *("cp932", "gb18030", "big5", "euc_kr", "mac_roman"),
)


@dataclass(frozen=True)
class TextTable:
    """Columns of text as in the file.

    data: the bytes, to count lines in; None where each row is one line.
    """

    columns: pa.Table
    dialect: Dialect
    notes: tuple[str, ...]
    data: bytes | None

    def line_of_row(self, row: int) -> int:
        """Line of the file, counted from 1, where data row `row` (counted from 0) begins."""
        if self.data is None:
            return row + self.dialect.first_line
        lines = self._iter_lines_of_rows(self.data)
        return next(islice(lines, row, None), row + self.dialect.first_line)

    def _iter_lines_of_rows(self, data: bytes) -> Iterator[int]:
        """Lines of the records that became rows: of the right width, and not empty."""
        width = len(self.dialect.names)
        for line, record in _iter_records(data, self.dialect):
            is_empty = width > 1 and not any(record)
            if len(record) == width and not is_empty:
                yield line


def parse_csv_strictly(data: bytes, name: str, config: DataConfig) -> TextTable:
    """Read the bytes of a text table; `name` is what errors call it.

    Raises DataError for a wrong encoding, NUL bytes, rows of different widths, quotes that are not
    closed, and where there are no rows; UsageError for an unknown encoding.
    """
    notes: list[str] = []
    data = _ensure_utf8(data, name, config, notes)
    dialect = find_dialect(data, name, config)

    # A header that takes in the whole file has a quote that never ends.
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

    filled = _without_empty_rows(columns)
    if filled is not None:
        empty_rows = len(columns) - len(filled)
        notes.append(f"empty rows left out: {empty_rows}")
        columns = filled

    # The bytes are let go where they are not needed to find lines.
    is_one_line_per_row = _is_one_line_per_row(data, dialect, len(columns))
    data_for_lines = None if is_one_line_per_row else data
    return TextTable(columns, dialect, tuple(notes), data_for_lines)


def _ensure_utf8(data: bytes, name: str, config: DataConfig, notes: list[str]) -> bytes:
    """The bytes in UTF-8, without a byte-order mark. DataError for another encoding."""
    if config.encoding:
        return _transcode_to_utf8(data, name, config.encoding, notes)

    if data.startswith(_UTF16_BOMS):
        message = f"{name}: byte 0 begins UTF-16 text, not UTF-8"
        raise DataError(message, "read it with --encoding utf-16")
    if b"\0" in data:
        raise _nul_byte_error(data, name)

    try:
        if not data.isascii():
            data.decode()
    except UnicodeDecodeError as error:
        guess = _guess_encoding(data)
        odd_byte = data[error.start]
        raise DataError(
            f"{name}: byte {error.start} (0x{odd_byte:02x}) is not UTF-8",
            f"read it with --encoding {guess}, or the encoding that it was written in",
        ) from error

    if data.startswith(UTF8_BOM):
        notes.append("byte-order mark skipped")
    return data.removeprefix(UTF8_BOM)


def _transcode_to_utf8(
    data: bytes, name: str, encoding: str, notes: list[str]
) -> bytes:
    try:
        text = data.decode(encoding)
    except LookupError as error:
        message = f"encoding {encoding!r} is not known"
        raise UsageError(message, "try utf-8, utf-16 or latin-1") from error
    except UnicodeDecodeError as error:
        message = f"{name}: byte {error.start} is not {encoding}"
        raise DataError(message, "try another --encoding") from error
    except ValueError as error:  # encodings that are no text, like hex
        message = f"encoding {encoding!r} cannot be read: {error}"
        raise UsageError(message, "try utf-8 or latin-1") from error

    if text.startswith("\ufeff"):
        notes.append("byte-order mark skipped")
    return text.removeprefix("\ufeff").encode(errors="replace")


def _nul_byte_error(data: bytes, name: str) -> DataError:
    hint = "text does not hold NUL bytes: is it a table?"

    # Latin text of two bytes a character has NUL for the high byte of most.
    for encoding, first_high_byte in (("utf-16-le", 1), ("utf-16-be", 0)):
        if _is_mostly_nul(data[first_high_byte:4096:2]):
            hint = f"read it with --encoding {encoding}"
            break

    return DataError(f"{name}: byte {data.index(0)} is NUL", hint)


def _is_mostly_nul(data: bytes) -> bool:
    nul_bytes = data.count(0)
    return len(data) > 1 and nul_bytes * 2 > len(data)


def _guess_encoding(data: bytes) -> str:
    """The encoding that the lines which are not ASCII were most likely written in."""
    lines = data[:_MAX_BYTES_SEARCHED].splitlines()
    odd_lines = [line for line in lines if not line.isascii()]
    sample = b"\n".join(odd_lines)[:_MAX_BYTES_TO_GUESS_BY]

    likely = list(_LIKELY_ENCODINGS)
    best = charset_normalizer.from_bytes(sample, cp_isolation=likely).best()

    # Several may read the sample to the same text: the most common of them is meant.
    alike = best.could_be_from_charset if best else ["latin_1"]
    guess = likely[0] if likely[0] in alike else alike[0]
    encoding = guess.replace("_", "-")

    # A guess by some of the lines only counts where it fits all of the text.
    with suppress(UnicodeDecodeError):
        data.decode(encoding)
        return encoding
    return "latin-1"


def _parse_columns(data: bytes, dialect: Dialect, name: str) -> tuple[pa.Table, int]:
    """The columns, and how many rows were left out because they are of another width."""
    names = dialect.names
    start = dialect.start

    if not data[start:].strip():
        no_texts = pa.array([], pa.string())
        return pa.table(dict.fromkeys(names, no_texts)), 0

    if len(names) == 1:  # an empty line is then a missing value, except at the end
        body = pa.py_buffer(data[start:].rstrip(b"\r\n") + b"\n")
    else:
        body = pa.py_buffer(data).slice(start)

    try:
        table, ragged = read_block(body, dialect, quoted=b'"' in data)
    except pa.ArrowInvalid as error:
        message = f"{name} cannot be read as a table: {error}"
        raise DataError(message, "check its quotes and separators") from error

    # An odd number of quotes is the cheap test; a quote for inches passes it, and is text.
    quotes = data.count(b'"')
    if quotes % 2 and _has_unclosed_quote(data, dialect.delimiter):
        raise _unclosed_quote_error(data, dialect, name)
    return table, ragged


def _without_empty_rows(columns: pa.Table) -> pa.Table | None:
    """The rows without those that are all empty, as spreadsheets leave them; None where none are.

    An empty row of a single column is a missing value.
    """
    if len(columns.column_names) == 1:
        return None

    empty = pc.equal(columns.column(0), "")
    for name in columns.column_names[1:]:
        if not pc.any(empty).as_py():
            return None
        empty = pc.and_(empty, pc.equal(columns[name], ""))

    if not pc.any(empty).as_py():
        return None
    return columns.filter(pc.invert(empty))


def read_block(
    body: pa.Buffer, dialect: Dialect, *, quoted: bool
) -> tuple[pa.Table, int]:
    """Whole records as columns of text, and how many of another width were left out.

    quoted: whether there are quotes, so that cells may hold line ends. Raises pa.ArrowInvalid where
    Arrow cannot read them.
    """
    ragged = 0

    def count_and_skip(_: pacsv.InvalidRow) -> str:
        nonlocal ragged
        ragged += 1
        return "skip"

    parse = pacsv.ParseOptions(
        delimiter=dialect.delimiter,
        newlines_in_values=quoted,
        ignore_empty_lines=len(dialect.names) > 1,
        invalid_row_handler=count_and_skip,
    )

    types = dict.fromkeys(dialect.names, pa.string())
    convert = pacsv.ConvertOptions(column_types=types, strings_can_be_null=False)

    # One thread: the handler counts for one, and pieces are read side by side elsewhere.
    read = pacsv.ReadOptions(
        column_names=dialect.names, block_size=1 << 24, use_threads=False
    )

    table = pacsv.read_csv(
        pa.BufferReader(body),
        read_options=read,
        parse_options=parse,
        convert_options=convert,
    )
    return table, ragged


def _iter_records(data: bytes, dialect: Dialect) -> Iterator[tuple[int, list[str]]]:
    """Records below the header, each with the line that it begins on; empty lines are left out."""
    text = io.StringIO(data[dialect.start :].decode(), newline="")
    reader = csv.reader(text, delimiter=dialect.delimiter)
    line = dialect.first_line

    with suppress(csv.Error):  # a cell longer than the reader's limit ends the search
        for record in reader:
            if record:
                yield line, record
            line = dialect.first_line + reader.line_num


def _find_ragged_record(data: bytes, dialect: Dialect) -> tuple[int, list[str]]:
    """Line and cells of the first record of another width; no cells where it cannot be found."""
    for line, record in _iter_records(data, dialect):
        if len(record) != len(dialect.names):
            return line, record
    return 0, []


def _note_skipped_rows(data: bytes, dialect: Dialect, count: int) -> str:
    rows = "row" if count == 1 else "rows"
    width = len(dialect.names)
    note = f"skipped {count} {rows} not of {width} columns"

    line, _ = _find_ragged_record(data, dialect)
    if not line:
        return note
    if count == 1:
        return f"{note}: line {line}"
    return f"{note}, the first on line {line}"


def _ragged_rows_error(
    data: bytes, dialect: Dialect, count: int, name: str
) -> DataError:
    """The error for `count` rows that are not as wide as the header."""
    line, record = _find_ragged_record(data, dialect)
    width = len(dialect.names)

    hint = (
        "mend the line, quote values that hold the separator,"
        " or leave such rows out with --bad-rows skip"
    )
    if not record:
        return DataError(f"{name}: {count} rows are not of {width} columns", hint)

    header_error = _misplaced_header_error(data, dialect, name)
    if header_error is not None:
        return header_error

    if dialect.delimiter == "," and len(record) > width:
        hint = (
            "mend the line, or leave it out with --bad-rows skip;"
            ' decimal commas need quotes ("1,5")'
        )

    cells = "1 value" if len(record) == 1 else f"{len(record)} values"
    more = format_more(count, "such lines")
    problem = f"{cells} where the header names {width} columns{more}"
    return DataError(f"{name}:{line}: {problem}", hint)


def _misplaced_header_error(
    data: bytes, dialect: Dialect, name: str
) -> DataError | None:
    """The error where most records have one width, greater than the header's; None elsewhere.

    Either the names stand further down, or lines end in a separator.
    """
    width = len(dialect.names)
    sampled = islice(_iter_records(data, dialect), _MAX_SAMPLED_RECORDS)
    records_by_width = defaultdict(list)
    for line, record in sampled:
        records_by_width[len(record)].append((line, record))

    counts = {each: len(found) for each, found in records_by_width.items()}
    usual = max(counts, key=counts.__getitem__)
    if usual <= width or 2 * counts[usual] <= sum(counts.values()):
        return None

    usual_records = records_by_width[usual]
    line, first = usual_records[0]
    header_line = dialect.first_line - dialect.has_header
    values = f"{usual} values, as in most lines, where line {header_line} has {width}"
    message = f"{name}:{line}: {values}"
    file = shlex.quote(name)

    # All that goes beyond the header is empty: lines end in a separator.
    goes_beyond = any(any(record[width:]) for _, record in usual_records)
    if not goes_beyond:
        missing_marks = dialect.delimiter * (usual - width)
        fix = f"sed '1s/\\r*$/{missing_marks}/' {file} | lstmcast ... -"
        return DataError(message, f"end the first line as the others: {fix}")

    # The first row may only have one value too many, unless it is all words.
    all_words = all(re.search("[A-Za-z]", cell) for cell in first)
    if line <= dialect.first_line and not all_words:
        return None
    fix = f"tail -n +{line} {file} | lstmcast ... -"
    return DataError(message, f"if the names stand on line {line}, begin there: {fix}")


def _has_unclosed_quote(data: bytes, delimiter: str) -> bool:
    """Whether a quote that begins a cell is never closed.

    A quote inside a cell, as for inches, is text.
    """
    text = io.StringIO(data.decode(), newline="")
    try:
        for _ in csv.reader(text, delimiter=delimiter, strict=True):
            pass
    except csv.Error as error:
        return "end of data" in str(error)
    return False


def _unclosed_quote_error(data: bytes, dialect: Dialect, name: str) -> DataError:
    # The record with the open quote takes in all that follows: it is the last.
    line = 1
    for line, _ in _iter_records(data, dialect):  # noqa: B007
        pass

    message = f"{name}:{line}: a quote is opened here and never closed"
    return DataError(message, "close it, or double it inside a value")


def _is_one_line_per_row(data: bytes, dialect: Dialect, rows: int) -> bool:
    start = dialect.start
    line_ends = data.count(b"\n", start) or data.count(b"\r", start)
    last_is_open = not data.endswith((b"\n", b"\r"))
    return line_ends + last_is_open == rows
