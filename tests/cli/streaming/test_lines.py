"""Lines out of a stream."""

import io

import pytest

from lstmcast.cli.streaming.lines import (
    MAX_LINE_BYTES,
    NumberedLine,
    is_text_stream,
    read_line_blocks,
)
from lstmcast.errors import DataError


def lines_of(data: bytes) -> list[NumberedLine]:
    stream = io.BufferedReader(io.BytesIO(data))  # type: ignore[arg-type]
    return [line for block in read_line_blocks(stream) for line in block]


def test_lines_have_their_numbers_and_empty_ones_are_left_out() -> None:
    assert lines_of(b"a,b\r\n\n1,2\n3,4") == [(1, b"a,b"), (3, b"1,2"), (4, b"3,4")]


def test_a_quoted_cell_may_span_lines() -> None:
    assert lines_of(b'"a\nb",1\n2,3\n') == [(1, b'"a\nb",1'), (3, b"2,3")]


def test_a_line_without_an_end_is_an_error_that_names_it() -> None:
    with pytest.raises(DataError, match="stdin:2: a line of more than"):
        lines_of(b"a\n" + b"x" * (MAX_LINE_BYTES + 1))


@pytest.mark.parametrize(
    ("data", "is_text"),
    [(b"a,b\n", True), (b"", True), (b"PAR1", False), (b"\x1f\x8b\x08", False)],
)
def test_packed_and_typed_streams_are_not_text(data: bytes, is_text: bool) -> None:
    stream = io.BufferedReader(io.BytesIO(data))  # type: ignore[arg-type]
    assert is_text_stream(stream) is is_text
    assert stream.read() == data
