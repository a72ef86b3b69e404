import io
import json
from pathlib import Path

import pandas as pd

from tests.cli.conftest import Program, run_program, write_months


def test_a_forecast_at_once_says_how_good_it_is_and_leaves_nothing_behind(
    tmp_path: Path,
) -> None:
    write_months(tmp_path / "p.csv", 72)
    done = run_program(
        "forecast", "p.csv", "--target", "price", "--horizon", 6, cwd=tmp_path
    )
    assert done.returncode == 0
    table = pd.read_csv(io.StringIO(done.stdout))
    assert table["month"].tolist() == [f"2016-{month:02}" for month in range(1, 7)]
    assert (table["q10"] <= table["forecast"]).all() and (
        table["forecast"] <= table["q90"]
    ).all()
    assert "the model's error was" in done.stderr and "seasonal_naive" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["p.csv"]


def test_the_pretrained_network_follows_a_season_that_it_was_not_trained_on(
    tmp_path: Path,
) -> None:
    write_months(tmp_path / "p.csv", 96)
    done = run_program("forecast", "p.csv", "--target", "price", "--json", cwd=tmp_path)
    verdict = json.loads(done.stdout)["verdict"]
    assert verdict["skill"] > 0.3
    baselines = verdict["baselines"]
    assert baselines["seasonal_naive"]["mae"] < baselines["naive"]["mae"]


def test_a_quality_gate_stops_a_forecast_too(tmp_path: Path) -> None:
    write_months(tmp_path / "p.csv", 72)
    done = run_program(
        "forecast",
        "p.csv",
        "--target",
        "price",
        "--fail-if",
        "mase>0.001",
        "-q",
        cwd=tmp_path,
    )
    assert done.returncode == 7
    assert len(done.stderr.splitlines()) <= 3


def test_a_rival_that_is_named_is_the_one_compared_with(
    quickly: Program, tmp_path: Path
) -> None:
    write_months(tmp_path / "x.csv", 100)
    line = ("forecast", "x.csv", "--target", "price")
    done = quickly(*line, "--against", "naive")
    assert done.returncode == 0, done.stderr
    assert "that of repeating the last value." in done.stderr

    done = quickly(*line, "--against", "niave")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no simple method is called 'niave'" in done.stderr
    assert "did you mean 'naive'" in done.stderr
