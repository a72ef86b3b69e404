"""Parquet and Arrow: known by content, one file or several as one table."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lstmcast.config import DataConfig
from lstmcast.errors import DataError, ResourceError
from lstmcast.tables.number_columns import to_float_column
from lstmcast.tables.read import read_table


def write_arrow(table: pa.Table, path: Path, new_writer: Callable[..., Any]) -> None:
    with pa.OSFile(str(path), "wb") as sink, new_writer(sink, table.schema) as writer:
        writer.write_table(table)


def test_parquet_and_arrow_are_known_by_content(tmp_path: Path) -> None:
    table = pa.table({"t": [1, 2], "y": [1.5, None]})
    pq.write_table(table, tmp_path / "parquet.csv")
    write_arrow(table, tmp_path / "arrow.csv", pa.ipc.new_file)
    write_arrow(table, tmp_path / "stream.csv", pa.ipc.new_stream)
    for name in ("parquet.csv", "arrow.csv", "stream.csv"):
        read = read_table(tmp_path / name)
        assert not read.is_text
        assert read.frame["t"].dtype == np.int64
        assert to_float_column(read, "y")[0] == 1.5
        assert read.locate(16).endswith(f"{name} row 16")


def test_a_folder_and_a_glob_of_parquet_are_one_table(tmp_path: Path) -> None:
    for part in range(3):
        pq.write_table(
            pa.table({"t": [part], "y": [float(part)]}),
            tmp_path / f"part{part}.parquet",
        )
    assert to_float_column(read_table(tmp_path), "y").tolist() == [0, 1, 2]
    assert to_float_column(
        read_table(f"{tmp_path}/part[12].parquet"), "y"
    ).tolist() == [1, 2]


def test_folders_of_a_partition_become_columns(tmp_path: Path) -> None:
    for folder in ("shop=7%20a", "shop=__HIVE_DEFAULT_PARTITION__"):
        (tmp_path / folder).mkdir()
        pq.write_table(pa.table({"y": [1.0, 2.0]}), tmp_path / folder / "part.parquet")
    table = read_table(tmp_path)
    assert table.notes == ("2 Parquet files",)
    assert table.series("shop").dropna().tolist() == ["7 a", "7 a"]
    assert table.series("shop").isna().sum() == 2


def test_an_index_that_pandas_stored_is_kept_where_it_holds_stamps(
    tmp_path: Path,
) -> None:
    days = pd.date_range("2024-01-01", periods=2, name=None)
    pd.DataFrame({"y": [1, 2]}, index=days).to_parquet(tmp_path / "days.parquet")
    assert read_table(tmp_path / "days.parquet").names == ["y", "time"]
    pd.DataFrame({"y": [1, 2]}, index=[5, 7]).to_parquet(tmp_path / "rows.parquet")
    assert read_table(tmp_path / "rows.parquet").names == ["y"]


def test_files_of_different_columns_or_formats_are_no_data_set(tmp_path: Path) -> None:
    pq.write_table(pa.table({"y": [1.0]}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"y": ["x"]}), tmp_path / "b.parquet")
    with pytest.raises(DataError, match="do not have the same columns"):
        read_table(tmp_path)
    (tmp_path / "b.parquet").write_text("t,y\n1,2\n")
    with pytest.raises(DataError, match="is not Parquet"):
        read_table(tmp_path)


def test_a_file_is_not_unpacked_beyond_the_limit(tmp_path: Path) -> None:
    pq.write_table(pa.table({"y": np.zeros(100_000)}), tmp_path / "y.parquet")
    with pytest.raises(ResourceError, match="100,000 rows of 1 columns"):
        read_table(tmp_path / "y.parquet", DataConfig(max_bytes=10_000))


def test_lists_are_left_out_and_repeated_names_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"y": [1.0], "tags": [["a", "b"]]}), tmp_path / "y.parquet")
    assert read_table(tmp_path / "y.parquet").names == ["y"]
    repeated = pa.table([pa.array([1]), pa.array([2])], names=["y", "y"])
    write_arrow(repeated, tmp_path / "y.arrow", pa.ipc.new_file)
    with pytest.raises(DataError, match="'y' is there more than once"):
        read_table(tmp_path / "y.arrow")
