"""Parquet and Arrow: known by content, one file or several as one table."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lstmcast.tables.number_columns import to_float_column
from lstmcast.tables.read import read_table


def test_parquet_and_arrow_are_known_by_content(tmp_path: Path) -> None:
    table = pa.table({"t": [1, 2], "y": [1.5, None]})
    pq.write_table(table, tmp_path / "parquet.csv")
    with (
        pa.OSFile(str(tmp_path / "arrow.csv"), "wb") as sink,
        pa.ipc.new_file(sink, table.schema) as writer,
    ):
        writer.write_table(table)
    with (
        pa.OSFile(str(tmp_path / "stream.csv"), "wb") as sink,
        pa.ipc.new_stream(sink, table.schema) as writer,
    ):
        writer.write_table(table)
    for name in ("parquet.csv", "arrow.csv", "stream.csv"):
        read = read_table(tmp_path / name)
        assert not read.text
        assert read.frame["t"].dtype == np.int64
        assert to_float_column(read, "y")[0] == 1.5
        assert read.locate(16).endswith(f"{name} row 16")


def test_a_folder_and_a_glob_of_parquet_are_one_table(tmp_path: Path) -> None:
    for part in range(3):
        pq.write_table(
            pa.table({"t": [part], "y": [float(part)]}), tmp_path / f"part{part}.parquet"
        )
    assert to_float_column(read_table(tmp_path), "y").tolist() == [0, 1, 2]
    assert to_float_column(read_table(f"{tmp_path}/part[12].parquet"), "y").tolist() == [1, 2]
