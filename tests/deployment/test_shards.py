"""A folder of Parquet by shards: results whole or absent, computed once, the same by any engine."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from lstmcast.compute import jobs
from lstmcast.compute.progress import Event
from lstmcast.config import Columns, Config, TrainConfig, WindowConfig
from lstmcast.deployment import shards
from lstmcast.deployment.shard_list import find_shards
from lstmcast.deployment.shards import (
    ShardJob,
    backtest_shard,
    forecast_shard,
    predict_shard,
    process_shards,
)
from lstmcast.errors import DataError, ResourceError, UsageError
from lstmcast.evaluation.backtest import backtest
from lstmcast.panel.panel import Panel
from lstmcast.training.forecaster import Forecaster

ROLES = Columns(target=("y",), series=("shop",))
QUICK = Config(train=TrainConfig(steps=0), window=WindowConfig(horizon=4))
LEVELS = (0.1, 0.5, 0.9)


def sales(shop: str, days: int = 60, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng([seed, *shop.encode()])
    y = 20 + 5 * np.sin(np.arange(days) * 2 * np.pi / 7) + rng.normal(size=days)
    return pd.DataFrame(
        {
            "shop": shop,
            "day": pd.date_range("2024-01-01", periods=days).astype(str),
            "y": y,
        }
    )


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Three files, of two shops each."""
    folder = tmp_path / "data"
    folder.mkdir()
    for k in range(3):
        pd.concat([sales(f"{k}a"), sales(f"{k}b")]).to_parquet(
            folder / f"part-{k}.parquet"
        )
    (folder / "_SUCCESS").touch()
    return folder


def job() -> ShardJob:
    return ShardJob(
        "forecast", forecast_shard, (ROLES, QUICK, LEVELS), {"config": QUICK.to_dict()}
    )


def results(out: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(out)): file.read_bytes()
        for file in sorted(out.rglob("*"))
        if file.is_file()
    }


def manifest(out: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((out / shards.SHARDS_MANIFEST).read_text())
    return content


def test_each_shard_has_the_forecast_of_its_own_rows_and_the_manifest_counts_them(
    data: Path, tmp_path: Path
) -> None:
    events: list[Event] = []
    outcome = process_shards(
        find_shards(data), job(), tmp_path / "out", on_event=events.append
    )
    assert (outcome.series, outcome.rows, outcome.kept, outcome.errors) == (
        6,
        24,
        0,
        {},
    )
    assert [(event.step, event.total) for event in events] == [(1, 3), (2, 3), (3, 3)]
    content = manifest(tmp_path / "out")
    assert content["complete"] and content["failed"] == []
    listed = [
        (shard["file"], shard["series"], shard["rows"]) for shard in content["shards"]
    ]
    assert listed == [(f"part-{k}.parquet", 2, 8) for k in range(3)]
    panel = Panel.from_frame(
        pd.read_parquet(data / "part-1.parquet"), target="y", series="shop"
    )
    expected = Forecaster(QUICK).fit(panel).predict()
    pd.testing.assert_frame_equal(
        pd.read_parquet(tmp_path / "out/part-1.parquet"), expected, check_dtype=False
    )


def test_partitions_keep_the_column_that_their_folders_name(tmp_path: Path) -> None:
    pd.concat([sales("x"), sales("y")]).to_parquet(
        tmp_path / "hive", partition_cols=["shop"]
    )
    process_shards(find_shards(tmp_path / "hive"), job(), tmp_path / "out")
    assert set(pd.read_parquet(tmp_path / "out/shop=x.parquet")["shop"]) == {"x"}


def test_a_run_forecasts_each_shard_from_its_last_row(
    data: Path, tmp_path: Path
) -> None:
    trained = Panel.from_frame(
        pd.read_parquet(data / "part-0.parquet"), target="y", series="shop"
    )
    run = str(Forecaster(QUICK).fit(trained).save(tmp_path / "run"))
    predict_job = ShardJob("predict", predict_shard, (run, 6, LEVELS), {})
    process_shards(find_shards(data), predict_job, tmp_path / "out")
    other = Panel.from_frame(pd.read_parquet(data / "part-2.parquet"), like=trained)
    expected = Forecaster.load(run).predict(other, horizon=6)
    pd.testing.assert_frame_equal(
        pd.read_parquet(tmp_path / "out/part-2.parquet"), expected, check_dtype=False
    )


def test_a_rerun_does_only_what_is_missing_or_was_forecast_from_other_rows(
    data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    process_shards(find_shards(data), job(), out)
    before = results(out)
    assert process_shards(find_shards(data), job(), out).kept == 3
    (out / "part-1.parquet").unlink()
    pd.concat([sales("2a", seed=1), sales("2b")]).to_parquet(data / "part-2.parquet")
    assert process_shards(find_shards(data), job(), out).kept == 1
    after = results(out)
    assert after["part-0.parquet"] == before["part-0.parquet"]
    assert after["part-1.parquet"] == before["part-1.parquet"]
    assert after["part-2.parquet"] != before["part-2.parquet"]


def test_a_result_that_was_cut_short_is_computed_again(
    data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    process_shards(find_shards(data), job(), out)
    whole = (out / "part-1.parquet").read_bytes()
    (out / "part-1.parquet").write_bytes(whole[:100])
    assert process_shards(find_shards(data), job(), out).kept == 2
    assert (out / "part-1.parquet").read_bytes() == whole


def test_one_bad_shard_does_not_stop_the_others_and_is_named(
    data: Path, tmp_path: Path
) -> None:
    (data / "part-1.parquet").write_bytes(b"PAR1 nonsense PAR1")
    outcome = process_shards(find_shards(data), job(), tmp_path / "out")
    assert set(outcome.facts) == {"part-0", "part-2"} and set(outcome.errors) == {
        "part-1"
    }
    content = manifest(tmp_path / "out")
    assert not content["complete"]
    assert [shard["name"] for shard in content["failed"]] == ["part-1"]
    pd.concat([sales("1a"), sales("1b")]).to_parquet(data / "part-1.parquet")
    assert process_shards(find_shards(data), job(), tmp_path / "out").kept == 2
    assert manifest(tmp_path / "out")["complete"]


def test_results_of_other_settings_are_not_mixed_nor_other_files_overwritten(
    data: Path, tmp_path: Path
) -> None:
    process_shards(find_shards(data), job(), tmp_path / "out")
    with pytest.raises(UsageError, match="other settings"):
        process_shards(
            find_shards(data),
            job()._replace(settings={"config": None}),
            tmp_path / "out",
        )
    with pytest.raises(UsageError, match="other files"):
        process_shards(find_shards(data), job(), data)


def test_a_series_in_two_shards_is_found(data: Path, tmp_path: Path) -> None:
    sales("0b").to_parquet(data / "part-3.parquet")
    with pytest.raises(
        DataError, match=r"1 series are in more than one shard, one of them in part-0"
    ):
        process_shards(find_shards(data), job(), tmp_path / "out")
    assert not manifest(tmp_path / "out")["complete"]


def test_a_worker_that_dies_leaves_what_is_done(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out").mkdir()
    first = shards._process_shard(job(), find_shards(data)[0], str(tmp_path / "out"))
    (tmp_path / "out/part-0.parquet").rename(tmp_path / "kept")

    def lose_a_worker(*_: Any, **__: Any) -> Any:
        (tmp_path / "kept").rename(tmp_path / "out/part-0.parquet")
        yield first
        raise ResourceError("a worker process died", "")

    monkeypatch.setattr(jobs, "run_jobs", lose_a_worker)
    with pytest.raises(ResourceError):
        process_shards(find_shards(data), job(), tmp_path / "out")
    monkeypatch.undo()
    assert not manifest(tmp_path / "out")["complete"]
    assert process_shards(find_shards(data), job(), tmp_path / "out").kept == 1


@pytest.mark.parametrize(
    "backend",
    [
        "loky",
        "threading",
        pytest.param("dask", marks=pytest.mark.slow),
        pytest.param("ray", marks=pytest.mark.slow),
    ],
)
def test_any_engine_and_number_of_jobs_gives_the_same_bytes(
    data: Path, tmp_path: Path, backend: Any
) -> None:
    pytest.importorskip({"dask": "distributed", "ray": "ray"}.get(backend, "joblib"))
    process_shards(find_shards(data), job(), tmp_path / "here")
    with jobs.use_engine(backend):
        process_shards(find_shards(data), job(), tmp_path / "there", jobs=2)
    assert results(tmp_path / "there") == results(tmp_path / "here")


def test_scores_of_shards_together_are_those_of_all_series_at_once(
    data: Path, tmp_path: Path
) -> None:
    options = {"windows": 2, "step": None, "refit": True, "expanding": True}
    config = Config(
        train=TrainConfig(steps=0), window=WindowConfig(horizon=4, season=7)
    )
    backtest_job = ShardJob("backtest", backtest_shard, (ROLES, config, options), {})
    outcome = process_shards(find_shards(data), backtest_job, tmp_path / "out")
    found = shards.combine_scores(
        [facts["verdict"] for facts in outcome.facts.values()]
    )
    whole = pd.concat([pd.read_parquet(data / f"part-{k}.parquet") for k in range(3)])
    panel = Panel.from_frame(whole, target="y", series="shop")
    verdict = backtest(panel, config, **options).verdict  # type: ignore[arg-type]
    for method, scores in verdict.baselines.items():
        for measure in ("mase", "rmsse", "smape", "mape", "mae", "rmse"):
            assert found[method][measure] == pytest.approx(
                scores[measure], rel=1e-12
            ), measure
    rows = pd.read_parquet(tmp_path / "out/part-0.parquet")
    assert (
        list(rows)[:4] == ["shop", "cutoff", "day", "actual"] and len(rows) == 2 * 2 * 4
    )
    errors = pd.concat(
        pd.read_parquet(tmp_path / f"out/part-{k}.parquet") for k in range(3)
    )
    assert found["model"]["mae"] == pytest.approx(
        (errors["actual"] - errors["forecast"]).abs().mean()
    )
    covered = errors["actual"].between(errors["q10"], errors["q90"]).mean()
    assert found["model"]["coverage"] == pytest.approx(covered)
    best = min(verdict.baselines[name]["mae"] for name in verdict.baselines)
    assert found["model"]["skill"] == pytest.approx(1 - found["model"]["mae"] / best)


def test_the_seed_of_a_shard_depends_on_its_name_and_the_seed_only(data: Path) -> None:
    first, second, _ = find_shards(data)
    seeds = [
        shards._with_shard_seed(QUICK, shard).train.seed
        for shard in (first, second, first)
    ]
    assert seeds[0] != seeds[1] and seeds[0] == seeds[2]


def test_results_carry_page_checksums_and_no_path_of_this_machine(
    data: Path, tmp_path: Path
) -> None:
    process_shards(find_shards(data), job(), tmp_path / "out")
    facts = json.loads(
        pq.read_metadata(tmp_path / "out/part-0.parquet").metadata[b"lstmcast"]
    )
    assert str(tmp_path) not in json.dumps(facts)
    assert str(tmp_path) not in (tmp_path / "out" / shards.SHARDS_MANIFEST).read_text()
