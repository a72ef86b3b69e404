"""Some of the series of a folder: whole ones, chosen by name and seed, whatever the files."""

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lstmcast.config import Columns
from lstmcast.errors import DataError, UsageError
from lstmcast.panel.panel import Panel
from lstmcast.tables import sampling
from lstmcast.tables.read import read_table
from lstmcast.tables.sampling import choose_sample_rows, count_parquet_rows, read_sample

ROLES = Columns(target=("y",), series=("shop", "item"))


def sales(shops: int = 30, items: int = 10, days: int = 20) -> pd.DataFrame:
    grid = np.meshgrid(range(shops), range(items), range(days), indexing="ij")
    shop, item, day = (axis.ravel() for axis in grid)
    stamps = pd.Timestamp("2024-01-01") + pd.to_timedelta(day, "D")
    y = shop * 1e4 + item * 100 + day
    return pd.DataFrame(
        {
            "shop": [f"s{k}" for k in shop],
            "item": item,
            "day": stamps,
            "y": y.astype(float),
        }
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 series of 20 rows in five files, by time: every series is in every file."""
    place = tmp_path_factory.mktemp("data")
    frame = sales()
    for k, part in frame.groupby(frame["day"].dt.day_of_year % 5):
        part.to_parquet(place / f"{k}.parquet")
    return place


def chosen(folder: Path, rows: int, seed: int = 0) -> Panel:
    return Panel.from_table(read_sample(folder, ROLES.series, rows, seed), ROLES)


def test_rows_are_counted_without_reading_them(folder: Path) -> None:
    assert count_parquet_rows(folder) == 300 * 20


def test_a_folder_is_sampled_where_that_is_asked_for_or_it_is_large(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert choose_sample_rows(folder) is None
    assert choose_sample_rows(folder, 1000) == 1000
    monkeypatch.setattr(sampling, "MAX_UNSAMPLED_ROWS", 5999)
    assert choose_sample_rows(folder) == sampling.DEFAULT_SAMPLE_ROWS
    monkeypatch.setattr(sampling, "DEFAULT_SAMPLE_ROWS", 1000)
    assert 800 <= len(read_table(folder, sample=0, series=ROLES.series)) <= 1000


def test_a_table_is_read_whole_unless_a_sample_is_asked_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(read_table(folder, sample=0)) == 6000
    sampled = read_table(folder, sample=1000, series=ROLES.series, seed=1)
    assert sampled.notes == read_sample(folder, ROLES.series, 1000, 1).notes
    monkeypatch.setattr(sampling, "MAX_UNSAMPLED_ROWS", 10)
    assert len(read_table(folder)) == 6000


def test_only_a_folder_can_be_sampled(folder: Path) -> None:
    with pytest.raises(UsageError, match="sample is for a folder"):
        read_table(folder / "1.parquet", sample=1000, series=ROLES.series)
    assert len(read_table(folder / "1.parquet", sample=0)) == 300 * 4


def test_series_are_kept_whole_and_about_as_many_rows_as_asked_for(
    folder: Path,
) -> None:
    panel = chosen(folder, 1000)
    assert (panel.lengths == 20).all()
    assert 40 <= len(panel) <= 50
    for i, (shop, item) in enumerate(panel.keys):
        np.testing.assert_array_equal(
            panel.series(i), int(shop[1:]) * 1e4 + int(item) * 100 + np.arange(20)
        )
    few = "which is few: --sample 2000 would learn from twice as many"
    assert (
        f"{len(panel)} of 300 series, chosen at random from 5 files, {few}"
        in panel.notes
    )


def test_a_sample_of_many_series_or_of_all_is_not_called_small(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (
        "300 of 300 series, chosen at random from 5 files" in chosen(folder, 6000).notes
    )
    monkeypatch.setattr(sampling, "MIN_SAMPLED_SERIES", 10)
    assert not any("few" in note for note in chosen(folder, 1000).notes)


def test_the_choice_is_of_names_and_seed_not_of_files(
    folder: Path, tmp_path: Path
) -> None:
    frame = sales().sample(frac=1, random_state=1).sort_values("day", kind="stable")
    frame.iloc[:1000].to_parquet(tmp_path / "a.parquet")
    frame.iloc[1000:].to_parquet(tmp_path / "b.parquet")
    assert set(chosen(folder, 1000).keys) == set(chosen(tmp_path, 1000).keys)
    assert set(chosen(folder, 1000).keys) != set(chosen(folder, 1000, seed=1).keys)


def test_every_series_has_the_same_chance(folder: Path) -> None:
    count = Counter(
        key for seed in range(60) for key in chosen(folder, 3000, seed).keys
    )
    assert len(count) == 300
    assert min(count.values()) > 15 and max(count.values()) < 45


def test_all_are_kept_where_more_rows_are_asked_for_than_there_are(
    folder: Path,
) -> None:
    assert len(chosen(folder, 10**9)) == 300


def test_pieces_smaller_than_a_file_give_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = chosen(folder, 1000)
    monkeypatch.setattr(sampling, "_BATCH_ROWS", 7)
    small = chosen(folder, 1000)
    assert small.keys == whole.keys and small.fingerprint() == whole.fingerprint()


def test_folders_of_a_partition_name_series_too(tmp_path: Path) -> None:
    sales().to_parquet(tmp_path / "hive", partition_cols=["shop"])
    panel = chosen(tmp_path / "hive", 1000)
    assert 40 <= len(panel) <= 50 and (panel.lengths == 20).all()


def test_few_and_long_series_are_no_sample(tmp_path: Path) -> None:
    sales(shops=2, items=2, days=500).to_parquet(tmp_path / "x.parquet")
    with pytest.raises(
        DataError, match=r"4 series of 2,000 rows are too few and too long"
    ):
        read_sample(tmp_path, ROLES.series, 600, 0)


def test_a_sample_needs_a_column_that_names_series(folder: Path) -> None:
    with pytest.raises(UsageError, match="no column names any"):
        read_sample(folder, (), 100, 0)
    with pytest.raises(DataError, match="no column 'store'") as caught:
        read_sample(folder, ("store",), 100, 0)
    assert "shop" in caught.value.hint


def test_a_damaged_file_is_named(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes((folder / "1.parquet").read_bytes())
    (tmp_path / "b.parquet").write_bytes(b"PAR1 nonsense PAR1")
    with pytest.raises(DataError, match=r"b\.parquet"):
        read_sample(tmp_path, ROLES.series, 100, 0)
