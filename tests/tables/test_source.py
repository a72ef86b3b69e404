"""Bytes of files, packed files and standard input, never more than a limit."""

import gzip
import io
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from lstmcast.errors import DataError, ResourceError
from lstmcast.tables.number_columns import to_float_column
from lstmcast.tables.read import read_table
from lstmcast.tables.source import Source, open_source
from tests.tables.files import PLAIN, write_file


def test_gzip_and_zstd_are_known_by_content(tmp_path: Path) -> None:
    data = PLAIN.encode()
    packed = pa.Codec("zstd").compress(data, asbytes=True)
    for bytes_, note in (
        (gzip.compress(data), "gzip-compressed"),
        (packed, "zstd-compressed"),
    ):
        table = read_table(write_file(tmp_path, bytes_))
        assert to_float_column(table, "y").tolist() == [1.5, -2, 1000]
        assert note in table.notes


def test_a_dash_reads_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(PLAIN.encode())))
    table = read_table("-")
    assert table.name == "stdin"
    assert table.locate(0) == "stdin:2"


def test_no_more_is_unpacked_than_the_limit() -> None:
    packed = gzip.compress(b"0" * 10_000)
    assert len(packed) < 100
    with pytest.raises(
        ResourceError, match=r"holds more than .* max_bytes allows"
    ) as caught:
        Source("x", data=packed, limit=1000).read()
    assert "--max-bytes" in caught.value.hint
    assert Source("x", data=packed, limit=10_000).read() == b"0" * 10_000
    with pytest.raises(ResourceError, match="x holds 2 kB"):
        list(Source("x", data=b"0" * 2000, limit=1000).blocks())


def test_a_file_can_be_read_again_and_in_blocks(tmp_path: Path) -> None:
    source = open_source(str(write_file(tmp_path, b"abcdefg")))
    assert list(source.blocks(3)) == [b"abc", b"def", b"g"]
    assert source.read() == source.read() == b"abcdefg"
    with pytest.raises(DataError, match="cannot read"):
        open_source(str(tmp_path / "missing" / "x.csv"))


@pytest.mark.parametrize(
    ("start", "what"),
    [(b"PK\x03\x04", "zip archive"), (b"FEA1", "Feather"), (b"%PDF", "PDF")],
)
def test_a_format_that_is_no_table_is_named(start: bytes, what: str) -> None:
    with pytest.raises(DataError, match=what):
        Source("x", data=start + b"...").require_table_format()
    Source("x", data=b"t,y\n1,2\n").require_table_format()
