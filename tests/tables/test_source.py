"""Bytes of files, packed files and standard input, never more than a limit."""

import gzip
import io
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from lstmcast.tables.number_columns import to_float_column
from lstmcast.tables.read import read_table
from tests.tables.files import PLAIN, write_file


def test_gzip_and_zstd_are_known_by_content(tmp_path: Path) -> None:
    data = PLAIN.encode()
    packed = pa.Codec("zstd").compress(data, asbytes=True)
    for bytes_, note in ((gzip.compress(data), "gzip-compressed"), (packed, "zstd-compressed")):
        table = read_table(write_file(tmp_path, bytes_))
        assert to_float_column(table, "y").tolist() == [1.5, -2, 1000]
        assert note in table.notes


def test_a_dash_reads_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(PLAIN.encode())))
    table = read_table("-")
    assert table.name == "stdin"
    assert table.locate(0) == "stdin:2"
