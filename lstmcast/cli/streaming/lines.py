"""Whole lines out of a stream, as they arrive. Knows bytes only."""

import csv
import io
from collections.abc import Iterator
from typing import IO, NamedTuple

from lstmcast.errors import DataError

_BLOCK_BYTES = 1 << 16
MAX_LINE_BYTES = 1 << 20
"""Bytes of a line: a longer one is not a line of a table."""
DELIMITERS = ",;\t|"
"""What may separate the cells of a line."""
_BINARY_MAGIC = (
    b"\x1f\x8b",
    b"\x28\xb5\x2f\xfd",
    b"PAR1",
    b"ARRO",
    b"\xff\xff\xff\xff",
)
"""First bytes of gzip, Zstandard, Parquet, and Arrow files and streams."""


class NumberedLine(NamedTuple):
    """A line of stdin; the first one has the number 1."""

    number: int
    text: bytes


def is_text_stream(stream: IO[bytes]) -> bool:
    """Whether a stream begins as text does.

    Waits for its first bytes and leaves them where they are.
    """
    if not isinstance(stream, io.BufferedReader):
        return True
    start = stream.peek(4)[:4]
    return not start.startswith(_BINARY_MAGIC)


def read_line_blocks(stream: IO[bytes]) -> Iterator[list[NumberedLine]]:
    """Give whole lines as they arrive, all at once that are there; empty ones are left out.

    A quoted cell may span lines. Raises DataError for a line that is too long for a table.
    """
    rest = b""
    number = 1
    while block := stream.read1(_BLOCK_BYTES):  # type: ignore[attr-defined]
        rest += block
        lines, rest, number = _split_lines(rest, number)
        if len(rest) > MAX_LINE_BYTES:
            raise DataError(
                f"stdin:{number}: a line of more than {MAX_LINE_BYTES:,} bytes",
                "give a table of text, as CSV",
            )
        if lines:
            yield lines
    if rest.strip():
        yield [NumberedLine(number, rest.rstrip(b"\r\n"))]


def _split_lines(data: bytes, number: int) -> tuple[list[NumberedLine], bytes, int]:
    """Return the whole lines in `data`, of which the first has the `number`.

    Also returns the bytes after them, and the number of the line that begins there.
    """
    *parts, rest = data.split(b"\n")
    lines: list[NumberedLine] = []
    pending: list[bytes] = []
    for part in parts:
        pending.append(part)
        text = b"\n".join(pending)
        if text.count(b'"') % 2:
            continue  # a quotation is open: the line goes on in the next part
        text = text.rstrip(b"\r")
        if text.strip():
            lines.append(NumberedLine(number, text))
        number += len(pending)
        pending = []
    rest = b"\n".join([*pending, rest])
    return lines, rest, number


def parse_cells(line: bytes, delimiter: str) -> list[str]:
    """The cells of a line, without the blanks around them."""
    text = line.decode("utf-8", "replace")
    cells = next(csv.reader([text], delimiter=delimiter), [])
    return [cell.strip() for cell in cells]
