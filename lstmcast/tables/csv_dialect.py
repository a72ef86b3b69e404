"""The dialect of a text table, inferred from its first lines: delimiter, marks in numbers, header.

Knows no files and not what a column means.
"""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from statistics import median_low
from typing import NamedTuple

from lstmcast.config import DataConfig
from lstmcast.errors import DataError

# Python's own limit of a cell is 131,072 characters, for all readers of the process.
csv.field_size_limit(max(csv.field_size_limit(), 1 << 30))

_DELIMITER_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_SAMPLE_BYTES = 1 << 16
_MAX_HEADER_BYTES = 1 << 24
_MAX_NAME_CHARS = 1 << 17
_MAX_ROWS_BELOW_HEADER = 100
"""Rows that are compared with the first line to see whether that is a header."""
_POINT_NUMBER = re.compile(r"[+-]?\d*\.\d+(?:[eE][+-]?\d+)?")
_COMMA_NUMBER = re.compile(r"[+-]?\d+,\d+(?:[eE][+-]?\d+)?")
_COMMA_GROUPED_NUMBER = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
_POINT_GROUPED_NUMBER = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}")
_SEP_LINE = re.compile(rb'"?sep=([^\r\n"])"?(?:\r\n|\n|\r)', re.IGNORECASE)
"""A first line by which spreadsheets name the delimiter to one another."""
_LINE_END = re.compile(rb"\r\n|\n|\r")
_DATE = re.compile(r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}(?:[ T].*)?")
_NUMBER_OR_MONTH = re.compile(r"[+-]?\d+(?:[.,]\d+)?|\d{4}-\d\d")


@dataclass(frozen=True)
class Dialect:
    """How a text table is written.

    names: of its columns. has_header: whether the first line has them. start: offset of the first
    byte of its rows, which is on line first_line. decimal, thousands: marks in its numbers. notes:
    what was inferred and is worth reporting.
    """

    names: list[str]
    has_header: bool
    start: int
    first_line: int
    delimiter: str
    decimal: str
    thousands: str
    notes: tuple[str, ...]


class _FirstRecord(NamedTuple):
    """Cells of the first record, the offset of its first byte and of the byte after it."""

    cells: list[str]
    begin: int
    end: int


def find_dialect(data: bytes, name: str, config: DataConfig) -> Dialect:
    """The dialect of UTF-8 bytes: all of a file, or the first of them.

    name: of the file, for errors. Raises DataError where the dialect cannot be inferred, or where
    names of columns repeat.
    """
    if not data.strip():
        raise DataError(f"{name} is empty", "give a file with a header line and rows")

    # What the user sets goes before what the file states, and that before what is inferred.
    stated, skipped = _read_sep_line(data)
    sample_end = skipped + 2 * _SAMPLE_BYTES
    sample = _decode_sample(data[skipped:sample_end])
    delimiter = config.delimiter or stated or _infer_delimiter(sample, name)

    first = _read_first_record(data, skipped, delimiter, name)
    rows = _split_rows(sample, delimiter)[1:]
    thousands = config.thousands or ""
    decimal = config.decimal or _infer_decimal_mark(rows, thousands)

    notes: list[str] = []
    line_end = b"\n" if b"\n" in data else b"\r"
    if line_end == b"\r" and line_end in data:
        notes.append("line ends of old Macs")
    notes += _note_unusual_marks(delimiter, decimal, len(first.cells))

    # Where semicolons separate columns, points may be those of thousands.
    if delimiter == ";" and not (config.decimal or thousands or decimal == ","):
        notes += _note_ambiguous_points(rows)

    has_header = config.header
    if has_header is None:
        has_header = not _is_data_row(first.cells, rows)

    if has_header:
        names = _clean_column_names(first.cells, name, notes)
        start = first.end
    else:
        names = _name_columns_by_number(len(first.cells), notes)
        start = first.begin

    return Dialect(
        names,
        has_header,
        start,
        first_line=data.count(line_end, 0, start) + 1,
        delimiter=delimiter,
        decimal=decimal,
        thousands=thousands,
        notes=tuple(notes),
    )


def _read_sep_line(data: bytes) -> tuple[str, int]:
    """The delimiter that a first line like "sep=;" names, and the bytes of that line."""
    match = _SEP_LINE.match(data)
    if match is None:
        return "", 0
    return match[1].decode(), match.end()


def _note_unusual_marks(delimiter: str, decimal: str, columns: int) -> list[str]:
    """Notes on a delimiter or a decimal mark that is not the usual one."""
    notes = []
    if delimiter != "," and columns > 1:
        shown = _DELIMITER_NAMES.get(delimiter, repr(delimiter))
        notes.append(f"{shown}-separated")
    if decimal == ",":
        notes.append("decimal comma")
    return notes


def _note_ambiguous_points(rows: Sequence[Sequence[str]]) -> list[str]:
    """A note where points may separate thousands: all numbers are like "1.234".

    For tables where a comma may well be the decimal mark.
    """
    cells = [cell.strip() for row in rows for cell in row]
    with_points = list(filter(_POINT_NUMBER.fullmatch, cells))
    all_grouped = all(map(_POINT_GROUPED_NUMBER.fullmatch, with_points))
    if not with_points or not all_grouped:
        return []

    note = f"numbers like {with_points[0]} have decimals"
    return [f"{note}: if the point separates thousands, add --thousands ."]


def _decode_sample(data: bytes) -> str:
    """The first part of the text, in whole lines if it has any."""
    text = data[:_SAMPLE_BYTES].decode(errors="ignore")
    if len(data) <= _SAMPLE_BYTES:
        return text

    last_line_end = max(text.rfind("\n"), text.rfind("\r"))
    return text[: last_line_end + 1] or text


def _split_rows(text: str, delimiter: str) -> list[list[str]]:
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=delimiter)
    try:
        return [row for row in reader if row]
    except csv.Error:
        return []


def _infer_delimiter(sample: str, name: str) -> str:
    """The one character that cuts every line into the same number of columns.

    Where none does, the one that cuts the header, or else most lines, into the most columns. Raises
    DataError where several do.
    """
    fits: list[str] = []
    columns: dict[str, tuple[int, int]] = {}
    for delimiter in _DELIMITER_NAMES:
        rows = _split_rows(sample, delimiter)
        widths = [len(row) for row in rows] or [1]
        # The header's width counts first, then that of most lines.
        columns[delimiter] = (widths[0], median_low(widths))
        if len(set(widths)) == 1 and widths[0] > 1:
            fits.append(delimiter)

    if len(fits) > 1:
        raise _several_delimiters_error(fits, name)
    if fits:
        return fits[0]
    return max(columns, key=columns.__getitem__)


def _several_delimiters_error(delimiters: list[str], name: str) -> DataError:
    shown = " or ".join(_DELIMITER_NAMES[each] for each in delimiters)
    flags = " or ".join(f"--delimiter {each!r}" for each in delimiters)
    message = f"{name}: columns may be separated by {shown}"
    return DataError(message, f"say which with {flags}")


def _infer_decimal_mark(rows: Sequence[Sequence[str]], thousands: str) -> str:
    """The decimal mark of the numbers; a comma only where it cannot separate thousands."""
    if thousands == ".":  # which cannot be the decimal mark too
        return ","

    cells = [cell.strip() for row in rows for cell in row]
    if thousands:
        cells = [cell.replace(thousands, "") for cell in cells]

    if any(map(_POINT_NUMBER.fullmatch, cells)):
        return "."

    for cell in filter(_COMMA_NUMBER.fullmatch, cells):
        # "1,234" may be a thousand; "1,5" and "0,123" cannot, nor with another separator.
        if thousands or not _COMMA_GROUPED_NUMBER.fullmatch(cell):
            return ","
    return "."


def _read_first_record(
    data: bytes, skipped: int, delimiter: str, name: str
) -> _FirstRecord:
    """The first record after `skipped` bytes and empty lines."""
    begin = skipped
    while data[begin : begin + 1] in (b"\r", b"\n"):
        begin += 1

    header_end = begin + _MAX_HEADER_BYTES
    text = data[begin:header_end].decode(errors="replace")
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=delimiter)

    try:
        cells = next(reader)
    except csv.Error as error:
        message = f"{name}:1: the first line is no header: {error}"
        raise DataError(message, "give a line of column names") from error

    longest = max(map(len, cells), default=0)
    if longest > _MAX_NAME_CHARS:
        name_length = f"a name of {longest:,} characters"
        message = f"{name}:1: the first line is no header: {name_length}"
        raise DataError(message, "give a line of column names")

    # Quoted cells may hold line ends: the record ends where as many lines do as the reader took.
    line_ends = _LINE_END.finditer(data, begin)
    last_line_end = next(islice(line_ends, reader.line_num - 1, None), None)
    end = last_line_end.end() if last_line_end else len(data)
    return _FirstRecord(cells, begin, end)


def _is_data_row(first: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first line is a row: nothing but values, or a date above dates."""
    cells = [cell.strip() for cell in first]
    dated = [place for place, cell in enumerate(cells) if _DATE.fullmatch(cell)]
    others = [cell for cell in cells if not _DATE.fullmatch(cell)]

    if all(map(_NUMBER_OR_MONTH.fullmatch, others)):
        return True

    compared = rows[:_MAX_ROWS_BELOW_HEADER]
    below = [row for row in compared if len(row) == len(cells)]
    if not below:
        return False
    return any(_has_only_dates(below, place) for place in dated)


def _has_only_dates(rows: Sequence[Sequence[str]], place: int) -> bool:
    cells = [row[place].strip() for row in rows]
    return all(map(_DATE.fullmatch, cells))


def _name_columns_by_number(count: int, notes: list[str]) -> list[str]:
    names = [f"column{place}" for place in range(1, count + 1)]
    shown = names[0]
    if count > 1:
        shown += f" to {names[-1]}"
    notes.append(f"no header line: columns are named {shown}")
    return names


def _clean_column_names(header: list[str], name: str, notes: list[str]) -> list[str]:
    """Names without blanks around them, and numbered where empty. DataError where one repeats."""
    trimmed = [cell.strip() for cell in header]
    if trimmed != header:
        notes.append("spaces around column names trimmed")

    names = [cell or f"column{place}" for place, cell in enumerate(trimmed, 1)]
    repeated = sorted({cell for cell in names if names.count(cell) > 1})
    if repeated:
        column = repeated[0]
        message = f"{name}:1: column {column!r} is there {names.count(column)} times"
        raise DataError(message, "rename one of them")
    return names
