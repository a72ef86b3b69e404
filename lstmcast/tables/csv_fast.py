"""A text table in blocks, straight to numbers and stamps: the fast way, which gives up at any doubt.

Takes a column for numbers or stamps only where every cell is one beyond question, and never says
what is wrong with a
file: whatever is odd is left to the strict reader (`csvtext`), which knows the line of every fault.
"""

import codecs
import re
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from lstmcast.config import DataConfig
from lstmcast.errors import DataError
from lstmcast.tables.csv_dialect import Dialect, find_dialect
from lstmcast.tables.csv_strict import UTF8_BOM, read_block
from lstmcast.tables.numbers import parse_numbers, trim_and_mask_missing
from lstmcast.tables.source import Source
from lstmcast.timeaxis.formats import match_formats

_INTEGER_PATTERN = r"^(0|-?[1-9]\d{0,17})$"
_ISO_LAYOUT = re.compile(r"%Y-%m-%d(?:[ T]%H:%M(?::%S(?:\.%f)?)?Z?)?")
_FRACTION_DIRECTIVES = {3: "%-f", 6: "%f"}
_MAX_RECORD_BYTES = 1 << 26
_MAX_ROWS_FOR_INFERENCE = 1000
_MAX_ATTEMPTS = 3
ColumnKind = Literal["whole", "number", "stamp", "text"]
_Piece = tuple[bytes, int, int]
"""Bytes, and where in them whole records begin and end."""


@dataclass(frozen=True)
class TypedTable:
    """Columns of int64, float64, timestamps in microseconds, or text: as in the file, or as a dictionary of it.

    layouts: how the stamps of a column are written.
    """

    columns: pa.Table
    layouts: dict[str, str]
    dialect: Dialect
    notes: tuple[str, ...]
    source: Source

    @cached_property
    def is_one_line_per_row(self) -> bool:
        """Whether rows and lines go together one to one."""
        lines, last = 0, b""
        for last in self.source.blocks():
            lines += last.count(b"\n")
        return lines + (not last.endswith(b"\n")) == self.dialect.first_line - 1 + len(self.columns)


class _FallbackError(Exception):
    """Something that only the strict reader may judge; or, where columns are named, that these are better text."""

    def __init__(self, *columns: str) -> None:
        super().__init__()
        self.columns = columns


@dataclass
class _ReadPlan:
    """What every block is read by: the dialect, what each column holds, how stamps are written and how long."""

    dialect: Dialect
    na: tuple[str, ...]
    kinds: dict[str, ColumnKind] = field(default_factory=dict)
    layouts: dict[str, str] = field(default_factory=dict)
    widths: dict[str, int] = field(default_factory=dict)


def parse_csv_fast(source: Source, config: DataConfig) -> TypedTable | None:
    """Read a text table in blocks; None where the strict reader has to look at it."""
    texts: set[str] = set()
    for _ in range(_MAX_ATTEMPTS):
        try:
            return _read_blocks(source, config, texts)
        except _FallbackError as doubt:
            if not doubt.columns:
                return None
            texts.update(doubt.columns)
        except (DataError, pa.ArrowInvalid, LookupError, UnicodeDecodeError):
            return None
    return None


def _read_blocks(source: Source, config: DataConfig, texts: set[str]) -> TypedTable:
    if config.encoding and codecs.lookup(config.encoding).name != "utf-8":
        raise _FallbackError
    head = source.start.removeprefix(UTF8_BOM)
    marked = len(source.start) > len(head)
    plan = _ReadPlan(find_dialect(head, source.name, config), config.na)
    if plan.dialect.start >= len(head):
        raise _FallbackError
    _infer_column_kinds(head, plan, config.date_format, texts)
    parts: list[list[pa.Array]] = [[] for _ in plan.dialect.names]
    for columns in _iter_converted_pieces(
        source, plan, plan.dialect.start + len(UTF8_BOM) * marked
    ):
        for chunks, column in zip(parts, columns, strict=True):
            chunks.append(column)
    table = pa.table(
        [_concat_chunks(parts.pop(0)) for _ in plan.dialect.names], names=plan.dialect.names
    )
    pa.default_memory_pool().release_unused()  # of the texts
    return TypedTable(
        table,
        plan.layouts,
        plan.dialect,
        ("byte-order mark skipped",) * marked + plan.dialect.notes,
        source,
    )


def _infer_column_kinds(
    head: bytes, plan: _ReadPlan, date_format: str | None, texts: set[str]
) -> None:
    """Guess from the first rows what each column holds."""
    begin = plan.dialect.start
    end = _find_records_end(head, begin)
    first = _parse_piece((head, begin, end if end > begin else len(head)), plan.dialect)
    first = first.slice(0, _MAX_ROWS_FOR_INFERENCE)
    if not len(first):
        raise _FallbackError
    for name in plan.dialect.names:
        column = first[name].combine_chunks()
        plan.kinds[name] = (
            "text" if name in texts else _infer_column_kind(column, plan.dialect, plan.na)
        )
        layout = (
            _infer_stamp_layout(column[0].as_py() or "")
            if plan.kinds[name] == "text" and name not in texts
            else ""
        )
        if layout and date_format in (None, layout):
            plan.kinds[name] = "stamp"
            plan.layouts[name], plan.widths[name] = layout, len(column[0].as_py())


def _infer_column_kind(column: pa.Array, dialect: Dialect, na: tuple[str, ...]) -> ColumnKind:
    if pc.all(pc.match_substring_regex(column, _INTEGER_PATTERN)).as_py():
        return "whole"
    _, good = parse_numbers(trim_and_mask_missing(column, na), dialect.decimal, dialect.thousands)
    return "number" if good.all() else "text"


def _infer_stamp_layout(text: str) -> str:
    """The layout of a stamp that Arrow reads by itself, of one length for all stamps; "" for any other."""
    layouts = match_formats(text)
    if len(layouts) != 1 or not _ISO_LAYOUT.fullmatch(layouts[0]):
        return ""
    fraction = re.search(r"\.(\d+)Z?$", text)
    return (
        layouts[0].replace("%f", _FRACTION_DIRECTIVES.get(len(fraction[1]), ""))
        if fraction
        else layouts[0]
    )


def _iter_converted_pieces(
    source: Source, plan: _ReadPlan, skipped: int
) -> Iterator[list[pa.Array]]:
    """The columns of every piece of the file, in order; as many pieces at once as there are processors."""
    with ThreadPoolExecutor(pa.cpu_count()) as pool:
        ahead: deque[Future[list[pa.Array]]] = deque()
        for piece in _iter_pieces(source, skipped):
            ahead.append(pool.submit(_convert_piece, piece, plan))
            if len(ahead) > pa.cpu_count():
                yield ahead.popleft().result()
        for columns in ahead:
            yield columns.result()


def _iter_pieces(source: Source, skipped: int) -> Iterator[_Piece]:
    """The rows in pieces of whole records: cut where a line ends outside of quotes, and copied as little as can be."""
    rest = b""
    for block in source.blocks():
        data, begin = block, min(skipped, len(block))
        skipped -= begin
        if rest and b'"' not in rest and b'"' not in block and b"\n" in block:
            begin = block.index(b"\n") + 1
            line = rest + block[:begin]
            yield line, 0, len(line)
        elif rest:
            data = rest + block
        end = _find_records_end(data, begin)
        if end <= begin:
            if len(data) > _MAX_RECORD_BYTES:
                raise _FallbackError
            rest = data[begin:]
            continue
        rest = data[end:]
        yield data, begin, end
    if rest.strip():
        yield rest, 0, len(rest)


def _find_records_end(data: bytes, begin: int) -> int:
    """Where the last line ends that ends outside of quotes; 0 where none does."""
    end = data.rfind(b"\n", begin) + 1
    odd = data.count(b'"', begin, end) % 2 if b'"' in data else 0
    while odd and end > begin:
        before = data.rfind(b"\n", begin, end - 1) + 1
        odd = (odd + data.count(b'"', max(before, begin), end)) % 2
        end = before
    return end


def _parse_piece(piece: _Piece, dialect: Dialect) -> pa.Table:
    data, begin, end = piece
    if len(dialect.names) > 1 and _has_empty_row(piece, dialect.delimiter.encode()):
        raise _FallbackError
    quotes = data.count(b'"', begin, end) if b'"' in data else 0
    if (
        quotes % 2
        or data.find(b"\0", begin, end) >= 0
        or (len(dialect.names) == 1 and _has_blank_line(piece))
    ):
        raise _FallbackError
    if not data.isascii():
        data[begin:end].decode()
    table, ragged = read_block(
        pa.py_buffer(data).slice(begin, end - begin), dialect, quoted=quotes > 0
    )
    if ragged:
        raise _FallbackError
    return table


def _has_empty_row(piece: _Piece, delimiter: bytes) -> bool:
    """Whether a row may be of nothing but separators."""
    data, begin, end = piece
    if data.find(b"\n" + delimiter, begin, end) < 0 and not data.startswith(delimiter, begin):
        return False
    return (
        re.compile(b"^" + re.escape(delimiter) + b"+\r?$", re.MULTILINE).search(data, begin, end)
        is not None
    )


def _has_blank_line(piece: _Piece) -> bool:
    """Whether a line is empty, which is a missing value in the middle of a single column, and nothing at its end."""
    data, begin, end = piece
    inside = any(data.find(mark, begin, end) >= 0 for mark in (b"\n\n", b"\n\r\n"))
    return inside or data.startswith((b"\n", b"\r"), begin)


def _convert_piece(piece: _Piece, plan: _ReadPlan) -> list[pa.Array]:
    texts, columns, doubtful = _parse_piece(piece, plan.dialect), [], []
    for name in plan.dialect.names:
        column = texts[name].combine_chunks()
        converted = _convert_column(column, name, plan)
        if converted is None:
            doubtful.append(name)
        columns.append(converted)
    if doubtful:
        raise _FallbackError(*doubtful)
    return columns


def _convert_column(texts: pa.Array, name: str, plan: _ReadPlan) -> pa.Array | None:
    """The column as its kind; None where that does not hold."""
    match plan.kinds[name]:
        case "whole":
            with suppress(pa.ArrowInvalid):
                whole = pc.cast(texts, pa.int64())
                return (
                    whole if pc.all(pc.equal(pc.cast(whole, pa.string()), texts)).as_py() else None
                )
            return _convert_numbers(texts, plan)
        case "number":
            return _convert_numbers(texts, plan)
        case "stamp":
            return _convert_timestamps(texts, plan.layouts[name], plan.widths[name])
        case _:
            return _compress_texts(texts)


def _convert_numbers(texts: pa.Array, plan: _ReadPlan) -> pa.Array | None:
    if plan.dialect.decimal == "." and not plan.dialect.thousands:
        with suppress(pa.ArrowInvalid):
            numbers = pc.cast(texts, pa.float64())
            if pc.all(pc.is_finite(numbers)).as_py():
                return numbers
    numbers, good = parse_numbers(
        trim_and_mask_missing(texts, plan.na), plan.dialect.decimal, plan.dialect.thousands
    )
    finite = pc.all(pc.is_finite(pc.drop_null(numbers))).as_py() is not False
    return numbers if finite and good.all() else None


def _convert_timestamps(texts: pa.Array, layout: str, width: int) -> pa.Array | None:
    lengths = pc.min_max(pc.binary_length(texts)).as_py()
    if lengths != {"min": width, "max": width}:
        return None
    zone = "UTC" if layout.endswith("Z") else None
    with suppress(pa.ArrowInvalid):
        return pc.cast(pc.cast(texts, pa.timestamp("us", zone)), pa.timestamp("us"))
    return None


def _compress_texts(texts: pa.Array) -> pa.Array:
    """The texts as a dictionary, where that saves memory."""
    coded = texts.dictionary_encode()
    return coded if 2 * len(coded.dictionary) < len(coded) else texts


def _concat_chunks(chunks: list[pa.Array]) -> pa.ChunkedArray:
    """Chunks as one column: of numbers where some are whole, of plain text where some have no dictionary."""
    types = {chunk.type for chunk in chunks}
    if len(types) > 1:
        wider = pa.float64() if pa.float64() in types else pa.string()
        chunks = [chunk.cast(wider) for chunk in chunks]
    if pa.types.is_primitive(chunks[0].type):
        chunks = [pa.concat_arrays(chunks)]  # one array: what is made of it needs no copy
    return pa.chunked_array(chunks)
