"""A text table in blocks, straight to numbers and stamps: the fast way, which gives up in doubt.

Takes a column for numbers or stamps only where every cell is one beyond question, and never says
what is wrong with a file: whatever is odd is left to the strict reader (`csv_strict`), which knows
the line of every fault.

Axes: n rows of a piece.
"""

import codecs
import re
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from lstmcast.config import DataConfig
from lstmcast.errors import DataError
from lstmcast.tables.csv_dialect import Dialect, find_dialect
from lstmcast.tables.csv_strict import UTF8_BOM, read_block
from lstmcast.tables.numbers import parse_numbers, trim_and_mask_missing
from lstmcast.tables.source import Source
from lstmcast.timeaxis.layouts import match_formats

_INTEGER_PATTERN = r"^(0|-?[1-9]\d{0,17})$"
_ISO_LAYOUT = re.compile(r"%Y-%m-%d(?:[ T]%H:%M(?::%S(?:\.%f)?)?Z?)?")
_FRACTION_DIRECTIVES = {3: "%-f", 6: "%f"}
_MAX_RECORD_BYTES = 1 << 26
_MAX_ROWS_FOR_INFERENCE = 1000
_MAX_ATTEMPTS = 3
ColumnKind = Literal["whole", "number", "stamp", "text"]


class _Piece(NamedTuple):
    """Bytes, and where in them whole records begin and end."""

    data: bytes
    begin: int
    end: int

    def holds(self, mark: bytes) -> bool:
        """Whether the records hold some bytes."""
        return self.data.find(mark, self.begin, self.end) >= 0


@dataclass(frozen=True)
class TypedTable:
    """Columns of int64, float64, timestamps in microseconds, or text as in the file.

    columns: texts may be dictionaries. layouts: how the stamps of a column are written.
    """

    columns: pa.Table
    layouts: dict[str, str]
    dialect: Dialect
    notes: tuple[str, ...]
    source: Source

    @cached_property
    def is_one_line_per_row(self) -> bool:
        """Whether each row is one line. Reads the file again."""
        lines = 0
        block = b""
        for block in self.source.blocks():
            lines += block.count(b"\n")

        if not block.endswith(b"\n"):
            lines += 1

        lines_above = self.dialect.first_line - 1
        return lines == lines_above + len(self.columns)


class _FallbackError(Exception):
    """Something that only the strict reader may judge.

    columns: where there are any, it is enough to read these as text.
    """

    def __init__(self, *columns: str) -> None:
        super().__init__()
        self.columns = columns


@dataclass
class _ReadPlan:
    """What every piece is read by.

    na: markers of missing values. kinds: what each column holds. layouts, widths: how the stamps of
    a column are written, and in how many characters.
    """

    dialect: Dialect
    na: tuple[str, ...]
    kinds: dict[str, ColumnKind] = field(default_factory=dict)
    layouts: dict[str, str] = field(default_factory=dict)
    widths: dict[str, int] = field(default_factory=dict)


def parse_csv_fast(source: Source, config: DataConfig) -> TypedTable | None:
    """Read a text table in blocks; None where the strict reader has to look at it."""
    text_columns: set[str] = set()
    for _ in range(_MAX_ATTEMPTS):
        try:
            return _read_blocks(source, config, text_columns)
        except _FallbackError as doubt:
            if not doubt.columns:
                return None
            text_columns.update(doubt.columns)
        except (DataError, pa.ArrowInvalid, LookupError, UnicodeDecodeError):
            return None
    return None


def _read_blocks(
    source: Source, config: DataConfig, text_columns: set[str]
) -> TypedTable:
    """One attempt, with some columns read as text. Raises _FallbackError at any doubt."""
    # Other names of UTF-8 are the same codec.
    if config.encoding and codecs.lookup(config.encoding).name != "utf-8":
        raise _FallbackError

    head = source.start.removeprefix(UTF8_BOM)
    bom_bytes = len(source.start) - len(head)
    dialect = find_dialect(head, source.name, config)

    # The header is longer than the sample, or there are no rows.
    if dialect.start >= len(head):
        raise _FallbackError

    plan = _ReadPlan(dialect, config.na)
    _infer_column_kinds(head, plan, config.date_format, text_columns)
    table = _read_columns(source, plan, dialect.start + bom_bytes)

    notes = dialect.notes
    if bom_bytes:
        notes = ("byte-order mark skipped", *notes)
    return TypedTable(table, plan.layouts, dialect, notes, source)


def _read_columns(source: Source, plan: _ReadPlan, skipped: int) -> pa.Table:
    """The columns as their kinds. skipped: bytes before the first row."""
    names = plan.dialect.names
    chunks: list[list[pa.Array]] = [[] for _ in names]
    for columns in _iter_converted_pieces(source, plan, skipped):
        for column_chunks, column in zip(chunks, columns, strict=True):
            column_chunks.append(column)

    # Popped one by one, so that the chunks of a column can go when it is whole.
    whole_columns = [_concat_chunks(chunks.pop(0)) for _ in names]

    table = pa.table(whole_columns, names=names)
    pa.default_memory_pool().release_unused()  # of the texts
    return table


def _infer_column_kinds(
    head: bytes, plan: _ReadPlan, date_format: str | None, text_columns: set[str]
) -> None:
    """Infer from the first rows what each column holds, and write it into the plan."""
    dialect = plan.dialect
    begin = dialect.start
    end = _find_records_end(head, begin)
    if end <= begin:  # no line ends: all of it is one record
        end = len(head)

    rows = _parse_piece(_Piece(head, begin, end), dialect)
    first_rows = rows.slice(0, _MAX_ROWS_FOR_INFERENCE)
    if not len(first_rows):
        raise _FallbackError

    for name in dialect.names:
        plan.kinds[name] = "text"
        if name in text_columns:
            continue

        column = first_rows[name].combine_chunks()
        plan.kinds[name] = _infer_column_kind(column, dialect, plan.na)
        if plan.kinds[name] != "text":
            continue

        cell = column[0].as_py() or ""
        layout = _infer_stamp_layout(cell)
        if layout and date_format in (None, layout):
            plan.kinds[name] = "stamp"
            plan.layouts[name] = layout
            plan.widths[name] = len(cell)


def _infer_column_kind(
    column: pa.Array, dialect: Dialect, na: tuple[str, ...]
) -> ColumnKind:
    is_integer = pc.match_substring_regex(column, _INTEGER_PATTERN)
    if pc.all(is_integer).as_py():
        return "whole"

    texts = trim_and_mask_missing(column, na)
    _, good = parse_numbers(texts, dialect.decimal, dialect.thousands)
    return "number" if good.all() else "text"


def _infer_stamp_layout(text: str) -> str:
    """The layout of a stamp that Arrow's own parser reads; "" for any other text."""
    layouts = match_formats(text)
    if len(layouts) != 1:
        return ""

    layout = layouts[0]
    if not _ISO_LAYOUT.fullmatch(layout):
        return ""

    fraction = re.search(r"\.(\d+)Z?$", text)
    if not fraction:
        return layout

    digits = len(fraction[1])
    directive = _FRACTION_DIRECTIVES.get(digits, "")
    return layout.replace("%f", directive)


def _iter_converted_pieces(
    source: Source, plan: _ReadPlan, skipped: int
) -> Iterator[list[pa.Array]]:
    """The columns of every piece of the file in order, several pieces at a time.

    skipped: bytes before the first row.
    """
    threads = pa.cpu_count()
    with ThreadPoolExecutor(threads) as pool:
        ahead: deque[Future[list[pa.Array]]] = deque()
        for piece in _iter_pieces(source, skipped):
            ahead.append(pool.submit(_convert_piece, piece, plan))
            # Few pieces at a time are in memory: the oldest must be done before the next is read.
            if len(ahead) > threads:
                yield ahead.popleft().result()

        for columns in ahead:
            yield columns.result()


def _iter_pieces(source: Source, skipped: int) -> Iterator[_Piece]:
    """The rows in pieces of whole records, cut where a line ends outside of quotes.

    Copies as little as it can: where there are no quotes, only the line that two blocks share.
    """
    rest = b""
    for block in source.blocks():
        data = block
        begin = min(skipped, len(block))
        skipped -= begin

        # The line that two blocks share is a piece of its own, which spares a copy of a block.
        if rest and b'"' not in rest and b'"' not in block and b"\n" in block:
            begin = block.index(b"\n") + 1
            line = rest + block[:begin]
            yield _Piece(line, 0, len(line))
        elif rest:
            data = rest + block

        end = _find_records_end(data, begin)
        if end <= begin:  # no record ends in this block
            if len(data) > _MAX_RECORD_BYTES:
                raise _FallbackError
            rest = data[begin:]
            continue

        rest = data[end:]
        yield _Piece(data, begin, end)

    if rest.strip():
        yield _Piece(rest, 0, len(rest))


def _find_records_end(data: bytes, begin: int) -> int:
    """Offset behind the last line that ends outside of quotes; 0 where no line does."""
    end = data.rfind(b"\n", begin) + 1

    # An odd number of quotes before a place means that it is inside of quotes.
    odd = data.count(b'"', begin, end) % 2 if b'"' in data else 0
    # Line by line backwards, to one that ends outside of quotes.
    while odd and end > begin:
        line_begin = data.rfind(b"\n", begin, end - 1) + 1
        odd = (odd + data.count(b'"', max(line_begin, begin), end)) % 2
        end = line_begin
    return end


def _parse_piece(piece: _Piece, dialect: Dialect) -> pa.Table:
    """The columns of a piece as text. Raises _FallbackError where anything is odd."""
    data, begin, end = piece
    quotes = data.count(b'"', begin, end) if b'"' in data else 0
    if quotes % 2 or piece.holds(b"\0"):
        raise _FallbackError

    if len(dialect.names) == 1:
        has_doubtful_row = _has_blank_line(piece)
    else:
        has_doubtful_row = _has_empty_row(piece, dialect.delimiter.encode())
    if has_doubtful_row:
        raise _FallbackError

    if not data.isascii():
        data[begin:end].decode()  # raises where this is not UTF-8

    body = pa.py_buffer(data).slice(begin, end - begin)
    table, ragged = read_block(body, dialect, quoted=quotes > 0)
    if ragged:
        raise _FallbackError
    return table


def _has_empty_row(piece: _Piece, delimiter: bytes) -> bool:
    """Whether a row may consist of separators only."""
    begins_with_delimiter = piece.data.startswith(delimiter, piece.begin)
    if not begins_with_delimiter and not piece.holds(b"\n" + delimiter):
        return False

    escaped = re.escape(delimiter)
    pattern = re.compile(b"^" + escaped + b"+\r?$", re.MULTILINE)
    return pattern.search(*piece) is not None


def _has_blank_line(piece: _Piece) -> bool:
    """Whether a line is empty: in the middle of a single column that is a missing value."""
    if piece.holds(b"\n\n") or piece.holds(b"\n\r\n"):
        return True
    return piece.data.startswith((b"\n", b"\r"), piece.begin)


def _convert_piece(piece: _Piece, plan: _ReadPlan) -> list[pa.Array]:
    table = _parse_piece(piece, plan.dialect)
    columns = []
    doubtful = []
    for name in plan.dialect.names:
        texts = table[name].combine_chunks()
        column = _convert_column(texts, name, plan)
        if column is None:
            doubtful.append(name)
        columns.append(column)

    if doubtful:
        raise _FallbackError(*doubtful)
    return columns


def _convert_column(texts: pa.Array, name: str, plan: _ReadPlan) -> pa.Array | None:
    """The column [n] as its kind; None where a text is of another."""
    match plan.kinds[name]:
        case "whole":
            return _convert_whole_numbers(texts, plan)
        case "number":
            return _convert_numbers(texts, plan)
        case "stamp":
            return _convert_timestamps(texts, name, plan)
        case _:
            return _compress_texts(texts)


def _convert_whole_numbers(texts: pa.Array, plan: _ReadPlan) -> pa.Array | None:
    """Integers, or other numbers; None where an integer would not be written as its text is."""
    try:
        whole = pc.cast(texts, pa.int64())
    except pa.ArrowInvalid:
        return _convert_numbers(texts, plan)

    # "007" could be an id, which must be found as it was written.
    written_back = pc.cast(whole, pa.string())
    same = pc.equal(written_back, texts)
    return whole if pc.all(same).as_py() else None


def _convert_numbers(texts: pa.Array, plan: _ReadPlan) -> pa.Array | None:
    decimal = plan.dialect.decimal
    thousands = plan.dialect.thousands

    if decimal == "." and not thousands:
        # Arrow's own parser is many times faster, but takes "inf" and "nan" for numbers.
        with suppress(pa.ArrowInvalid):
            numbers = pc.cast(texts, pa.float64())
            if _are_all_finite(numbers):
                return numbers

    trimmed = trim_and_mask_missing(texts, plan.na)
    numbers, good = parse_numbers(trimmed, decimal, thousands)
    if not good.all() or not _are_all_finite(numbers):
        return None
    return numbers


def _are_all_finite(numbers: pa.Array) -> bool:
    """Whether no number is infinite or NaN; nulls count as finite."""
    return bool(pc.all(pc.is_finite(numbers), min_count=0).as_py())


def _convert_timestamps(texts: pa.Array, name: str, plan: _ReadPlan) -> pa.Array | None:
    """Stamps [n] without a zone; None where a text is not written in the layout and width.

    None as well where a stamp stands for a missing value.
    """
    layout = plan.layouts[name]
    width = plan.widths[name]
    markers = [marker for marker in plan.na if len(marker) == width]
    if markers:
        value_set = pa.array(markers, texts.type)
        if pc.any(pc.is_in(texts, value_set=value_set)).as_py():
            return None

    lengths = pc.min_max(pc.binary_length(texts)).as_py()
    if lengths != {"min": width, "max": width}:
        return None

    zone = "UTC" if layout.endswith("Z") else None
    try:
        stamps = pc.cast(texts, pa.timestamp("us", zone))
    except pa.ArrowInvalid:
        return None

    return pc.cast(stamps, pa.timestamp("us"))


def _compress_texts(texts: pa.Array) -> pa.Array:
    """Texts [n] as a dictionary, where that saves memory."""
    coded = texts.dictionary_encode()
    are_often_equal = 2 * len(coded.dictionary) < len(coded)
    return coded if are_often_equal else texts


def _concat_chunks(chunks: list[pa.Array]) -> pa.ChunkedArray:
    """Chunks as one column: float64 if only some are integers, text if only some are coded."""
    types = {chunk.type for chunk in chunks}
    if len(types) > 1:
        wider = pa.float64() if pa.float64() in types else pa.string()
        chunks = [chunk.cast(wider) for chunk in chunks]

    if not pa.types.is_primitive(chunks[0].type):
        return pa.chunked_array(chunks)

    # One array, which numpy can use without a copy.
    return pa.chunked_array([pa.concat_arrays(chunks)])
