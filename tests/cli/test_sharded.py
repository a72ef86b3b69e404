"""A folder in, a folder out: forecast, predict and backtest of a data set file by file."""

import json
import resource
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.cli.conftest import PROGRAM, Program

ROLES = ("--target", "y", "--series", "shop")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    for k in range(3):
        rng = np.random.default_rng(k)
        y = 20 + 5 * np.sin(np.arange(60) * 2 * np.pi / 7) + rng.normal(size=60)
        pd.DataFrame(
            {"shop": f"s{k}", "day": pd.date_range("2024-01-01", periods=60), "y": y}
        ).to_parquet(folder / f"{k}.parquet")
    return folder


@pytest.mark.usefixtures("data")
def test_a_folder_is_forecast_file_by_file_and_a_rerun_does_only_what_is_missing(
    lstmcast: Program, tmp_path: Path
) -> None:
    line = ("forecast", "data", *ROLES, "-o", "out/", "-j", 2)
    first = lstmcast(*line)
    assert (first.returncode, first.stdout) == (0, "")
    assert "3 of 3 shards done: 3 series, 42 rows in 'out/'" in first.stderr
    (tmp_path / "out/1.parquet").unlink()
    again = lstmcast(*line, "--json")
    content = json.loads(again.stdout)
    assert [
        content[name] for name in ("folder", "shards", "kept", "series", "rows")
    ] == [
        "out/",
        3,
        2,
        3,
        42,
    ]
    assert json.loads((tmp_path / "out/manifest.json").read_text())["complete"] is True
    other = lstmcast("forecast", "data", *ROLES, "-o", "out", "--horizon", 3)
    assert other.returncode == 2 and "other settings" in other.stderr


def test_a_file_that_cannot_be_used_is_named_and_the_others_are_done(
    quickly: Program, data: Path, tmp_path: Path
) -> None:
    (data / "1.parquet").write_bytes(b"PAR1 nonsense PAR1")
    done = quickly("forecast", "data", *ROLES, "-o", "out/", "-j", 1)
    assert done.returncode == 3
    assert "1 of 3 shards could not be used; 1: " in done.stderr
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == [
        "0.parquet",
        "2.parquet",
        "manifest.json",
    ]


@pytest.mark.usefixtures("data")
def test_a_run_forecasts_a_folder(quickly: Program, tmp_path: Path) -> None:
    fitted = quickly("fit", "data", *ROLES, "--steps", 0, "--out", "run")
    assert fitted.returncode == 0, fitted.stderr
    done = quickly("predict", "run", "data", "--horizon", 3, "-o", "out/", "-j", 1)
    assert done.returncode == 0, done.stderr
    assert len(pd.read_parquet(tmp_path / "out/2.parquet")) == 3


@pytest.mark.usefixtures("data")
def test_a_run_judges_the_newer_rows_of_a_folder(
    quickly: Program, data: Path, tmp_path: Path
) -> None:
    old = tmp_path / "old"
    old.mkdir()
    for file in data.iterdir():
        pd.read_parquet(file).head(50).to_parquet(old / file.name)
    assert (
        quickly(
            "fit", "old", *ROLES, "--steps", 0, "--horizon", 4, "--out", "run"
        ).returncode
        == 0
    )
    late = pd.read_parquet(data / "1.parquet")
    late.loc[55, "y"] = 500.0
    late.to_parquet(data / "1.parquet")
    line = ("detect", "run", "data", "-o", "out/", "-j", 1, "--rate", 0.01)
    done = quickly(*line)
    assert done.returncode == 0, done.stderr
    judged = pd.read_parquet(tmp_path / "out/1.parquet")
    assert judged.loc[judged["actual"] == 500, "anomaly"].tolist() == [1]
    content = json.loads(quickly(*line, "--json").stdout)
    assert (content["shards"], content["judged"]) == (3, 30) and content[
        "anomalies"
    ] >= 1
    assert quickly(*line, "--fail-if", "anomalies>0").returncode == 7


@pytest.mark.usefixtures("data")
def test_a_backtest_of_a_folder_prints_the_scores_of_all_and_obeys_its_gates(
    quickly: Program,
) -> None:
    line = (
        "backtest",
        "data",
        *ROLES,
        "--steps",
        0,
        "--windows",
        1,
        "-o",
        "out/",
        "-j",
        1,
    )
    done = quickly(*line)
    assert done.returncode == 0, done.stderr
    assert [row.split(",")[0] for row in done.stdout.splitlines()] == [
        *("method", "model", "naive", "seasonal_naive", "drift"),
        *("mean", "median", "seasonal_mean", "theta"),
    ]
    assert quickly(*line, "--fail-if", "mase>0").returncode == 7
    assert json.loads(quickly(*line, "--json").stdout)["scores"]["model"]["mase"] > 0


@pytest.mark.parametrize(
    "line",
    [
        ("predict", "run"),
        ("forecast", "x.csv", "--target", "y"),
        ("detect", "run", "x.csv"),
    ],
    ids=lambda p: p[0],
)
def test_one_table_is_one_job(quickly: Program, line: tuple[str, ...]) -> None:
    done = quickly(*line, "--backend", "threading")
    assert done.returncode == 2
    assert "one table is a single job" in done.stderr


@pytest.mark.parametrize(
    "option", [("--plot", "x.png"), ("--excel-safe",), ("--format", "csv")]
)
@pytest.mark.usefixtures("data")
def test_options_of_one_table_do_not_go_with_a_folder_of_them(
    quickly: Program, option: tuple[str, ...]
) -> None:
    done = quickly("backtest", "data", *ROLES, "--steps", 0, "-o", "out/", *option)
    assert done.returncode == 2
    assert f"{option[0]} does not go with a folder" in done.stderr


# ---- larger than memory

ROWS = 100_000_000
STEPS = 200
BOUND = 8 << 30
"""Bytes of addresses; the features of all rows alone would take 14e9, and torch itself reserves
some 3e9."""


@pytest.mark.usefixtures("data")
def test_a_fit_of_a_folder_may_learn_from_a_sample_of_its_series(
    quickly: Program,
) -> None:
    few = quickly("fit", "data", *ROLES, "--steps", 0, "--sample", 200, "--out", "run")
    assert few.returncode == 0, few.stderr
    assert "3 of 3 series, chosen at random from 3 files" in few.stderr
    done = quickly("fit", "data/1.parquet", *ROLES, "--sample", 200)
    assert done.returncode == 2 and "--sample is for a folder" in done.stderr


@pytest.mark.slow
def test_a_hundred_million_rows_are_learnt_from_within_the_bound(
    tmp_path: Path,
) -> None:
    (tmp_path / "data").mkdir()
    day = np.arange(STEPS)
    count = ROWS // STEPS // 50
    for k in range(50):
        rng = np.random.default_rng(k)
        level = rng.uniform(10, 100, count)[:, None]
        y = level * (1 + 0.2 * np.sin(day * 2 * np.pi / 7)) + rng.normal(
            size=(count, STEPS)
        )
        table = pa.table(
            {
                "shop": pa.DictionaryArray.from_arrays(
                    np.repeat(np.arange(count, dtype=np.int32), STEPS),
                    [f"{k}-{i}" for i in range(count)],
                ),
                "day": np.tile(np.datetime64("2024-01-01", "D") + day, count).astype(
                    "M8[ms]"
                ),
                "y": y.ravel().astype(np.float32),
            }
        )
        pq.write_table(table, tmp_path / f"data/{k:02}.parquet")
    line = [
        *PROGRAM,
        "fit",
        "data",
        *ROLES,
        "--steps",
        "60",
        "--members",
        "1",
        "-j",
        "1",
    ]

    def bounded() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (BOUND, BOUND))

    done = subprocess.run(
        line,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=1500,
        preexec_fn=bounded,
    )
    assert done.returncode == 0, done.stderr
    assert "of 500,000 series, chosen at random from 50 files" in done.stderr
