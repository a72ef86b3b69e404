"""Which files are a shard; those behind an address are in tests/tables/formats."""

from pathlib import Path

import pandas as pd
import pytest

from lstmcast.deployment.shard_list import find_shards
from lstmcast.errors import DataError

SALES = pd.DataFrame({"shop": ["x", "x", "y"], "y": [1, 2, 3]})


def test_each_file_is_a_shard_and_hidden_ones_are_none(tmp_path: Path) -> None:
    for name in ("part-1.parquet", "part-0.parquet", "_hidden.parquet"):
        SALES.to_parquet(tmp_path / name)
    (tmp_path / "_SUCCESS").touch()
    found = find_shards(tmp_path)
    assert [shard.name for shard in found] == ["part-0", "part-1"]
    size = (tmp_path / "part-0.parquet").stat().st_size
    assert found[0].state()[0][:2] == ["part-0.parquet", size]


def test_each_folder_of_a_partition_is_a_shard(tmp_path: Path) -> None:
    SALES.to_parquet(tmp_path / "hive", partition_cols=["shop"])
    SALES[["y"]].to_parquet(tmp_path / "hive/shop=y/more.parquet")
    found = find_shards(tmp_path / "hive")
    assert [(shard.name, len(shard.files)) for shard in found] == [
        ("shop=x", 1),
        ("shop=y", 2),
    ]


def test_a_folder_without_parquet_has_no_shards(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="without Parquet"):
        find_shards(tmp_path)
