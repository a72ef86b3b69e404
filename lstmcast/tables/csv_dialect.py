"""The dialect of a text table: delimiter, marks in numbers, header or none; found from its first lines, and said.

Knows no files and not what a column means.
"""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from statistics import median_low

from lstmcast.config import DataConfig
from lstmcast.errors import DataError

_DELIMITER_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_SAMPLE_BYTES = 1 << 16
_MAX_HEADER_BYTES = 1 << 24
_POINT_NUMBER = re.compile(r"[+-]?\d*\.\d+(?:[eE][+-]?\d+)?")
_COMMA_NUMBER = re.compile(r"[+-]?\d+,\d+(?:[eE][+-]?\d+)?")
_COMMA_GROUPED_NUMBER = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
_POINT_GROUPED_NUMBER = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}")
_SEP_LINE = re.compile(rb'"?sep=([^\r\n"])"?(?:\r\n|\n|\r)', re.IGNORECASE)
"""A first line by which spreadsheets tell one another the delimiter."""
_DATE = re.compile(r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}(?:[ T].*)?")
_NUMBER_OR_MONTH = re.compile(r"[+-]?\d+(?:[.,]\d+)?|\d{4}-\d\d")


@dataclass(frozen=True)
class Dialect:
    """How a text table is written.

    names: of its columns; headed: whether the first line gave them. start: where the first byte of
    its rows is, on line first_line. decimal, thousands: marks in its numbers. notes: what was found
    out.
    """

    names: list[str]
    has_header: bool
    start: int
    first_line: int
    delimiter: str
    decimal: str
    thousands: str
    notes: tuple[str, ...]


def find_dialect(data: bytes, name: str, config: DataConfig) -> Dialect:
    """The dialect of UTF-8 bytes: all, or the first of them. DataError where it cannot be told, or names repeat."""
    if not data.strip():
        raise DataError(f"{name} is empty", "give a file with a header line and rows")
    notes: list[str] = []
    if b"\n" not in data and b"\r" in data:
        notes.append("line ends of old Macs")
    told = _SEP_LINE.match(data)
    skipped = told.end() if told else 0
    sample = _decode_sample(data[skipped : skipped + 2 * _SAMPLE_BYTES])
    delimiter = config.delimiter or (told[1].decode() if told else _infer_delimiter(sample, name))
    rows = _split_rows(sample, delimiter)
    first, begin, end = _read_first_record(data, skipped, delimiter, name)
    decimal = config.decimal or (
        "," if config.thousands == "." else _infer_decimal_mark(rows[1:], config.thousands or "")
    )
    if delimiter != "," and len(first) > 1:
        notes.append(f"{_DELIMITER_NAMES.get(delimiter, repr(delimiter))}-separated")
    if decimal == ",":
        notes.append("decimal comma")
    elif delimiter == ";" and not config.decimal and not config.thousands:
        notes += _note_ambiguous_points(rows[1:])
    headed = config.header if config.header is not None else not _is_data_row(first, rows[1:])
    names = (
        _clean_column_names(first, name, notes)
        if headed
        else _name_columns_by_number(len(first), notes)
    )
    start = end if headed else begin
    line = data.count(b"\n" if b"\n" in data else b"\r", 0, start) + 1
    return Dialect(
        names, headed, start, line, delimiter, decimal, config.thousands or "", tuple(notes)
    )


def _note_ambiguous_points(rows: Sequence[Sequence[str]]) -> list[str]:
    """What to say of numbers that are all like "1.234" where commas may well be for decimals: perhaps thousands."""
    points = [cell for row in rows for cell in map(str.strip, row) if _POINT_NUMBER.fullmatch(cell)]
    if not points or not all(_POINT_GROUPED_NUMBER.fullmatch(cell) for cell in points):
        return []
    return [
        f"numbers like {points[0]} have decimals: if the point separates thousands, add --thousands ."
    ]


def _decode_sample(data: bytes) -> str:
    """The first part of the text, in whole lines."""
    text = data[:_SAMPLE_BYTES].decode(errors="ignore")
    if len(data) > _SAMPLE_BYTES:
        text = text[: max(text.rfind("\n"), text.rfind("\r")) + 1] or text
    return text


def _split_rows(text: str, delimiter: str) -> list[list[str]]:
    try:
        return [
            row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row
        ]
    except csv.Error:
        return []


def _infer_delimiter(sample: str, name: str) -> str:
    """The one character that cuts every line into the same number of columns."""
    fits, header = [], {}
    usual: dict[str, int] = {}
    for candidate in _DELIMITER_NAMES:
        rows = _split_rows(sample, candidate)
        widths = {len(row) for row in rows}
        header[candidate] = len(rows[0]) if rows else 1
        usual[candidate] = median_low(len(row) for row in rows) if rows else 1
        if len(widths) == 1 and widths != {1}:
            fits.append(candidate)
    if len(fits) > 1:
        shown = " or ".join(_DELIMITER_NAMES[fit] for fit in fits)
        flags = " or ".join(f"--delimiter {fit!r}" for fit in fits)
        raise DataError(f"{name}: columns may be separated by {shown}", f"say which with {flags}")
    return (
        fits[0]
        if fits
        else max(header, key=lambda candidate: (header[candidate], usual[candidate]))
    )


def _infer_decimal_mark(rows: Sequence[Sequence[str]], thousands: str) -> str:
    """The decimal mark of the numbers; a comma only where it cannot be a thousands separator."""
    cells = [cell.strip().replace(thousands, "") for row in rows for cell in row]
    commas = [cell for cell in cells if _COMMA_NUMBER.fullmatch(cell)]
    certain = any(thousands or not _COMMA_GROUPED_NUMBER.fullmatch(cell) for cell in commas)
    return "," if certain and not any(_POINT_NUMBER.fullmatch(cell) for cell in cells) else "."


def _read_first_record(
    data: bytes, skipped: int, delimiter: str, name: str
) -> tuple[list[str], int, int]:
    """Cells of the first record after `skipped` bytes, and the offsets of its first byte and of the byte after it."""
    begin = skipped
    while data[begin : begin + 1] in (b"\r", b"\n"):
        begin += 1
    text = data[begin : begin + _MAX_HEADER_BYTES].decode(errors="replace")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        cells = next(reader)
    except csv.Error as error:
        raise DataError(
            f"{name}:1: the first line is no header: {error}", "give a line of column names"
        ) from error
    ends = [
        match.end() for match in islice(re.finditer(rb"\r\n|\n|\r", data[begin:]), reader.line_num)
    ]
    return cells, begin, begin + ends[-1] if len(ends) == reader.line_num else len(data)


def _is_data_row(first: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first line is a row: nothing but values, or a date above dates."""
    cells = [cell.strip() for cell in first]
    if all(_NUMBER_OR_MONTH.fullmatch(cell) or _DATE.fullmatch(cell) for cell in cells):
        return True
    below = [row for row in rows[:100] if len(row) == len(cells)]
    dated = [place for place, cell in enumerate(cells) if _DATE.fullmatch(cell)]
    return bool(below) and any(
        all(_DATE.fullmatch(row[place].strip()) for row in below) for place in dated
    )


def _name_columns_by_number(count: int, notes: list[str]) -> list[str]:
    names = [f"column{place}" for place in range(1, count + 1)]
    notes.append(
        f"no header line: columns are named {names[0]}" + (f" to {names[-1]}" if count > 1 else "")
    )
    return names


def _clean_column_names(header: list[str], name: str, notes: list[str]) -> list[str]:
    names = [cell.strip() or f"column{place}" for place, cell in enumerate(header, 1)]
    if any(cell != cell.strip() for cell in header):
        notes.append("spaces around column names trimmed")
    double = sorted({cell for cell in names if names.count(cell) > 1})
    if double:
        raise DataError(
            f"{name}:1: column {double[0]!r} is there {names.count(double[0])} times",
            "rename one of them",
        )
    return names
