"""Unlikely ends, zeros, gaps, offsets and fine-grained seasons forecast as a person would."""

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.cli.conftest import Program, quickly
from tests.conftest import shared_file

__all__ = ["quickly"]
WEEK = [91, 82, 87, 101, 115, 120, 110]
"""What follows the files of daily data: the pattern of their weeks."""


def report(name: str) -> Path:
    return shared_file(f"reports/{name}")


def table(text: str) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(text))


@pytest.mark.parametrize("levels", ["0.9", "0.05,0.95"])
def test_forecast_is_the_median_whatever_levels_are_asked_for(
    quickly: Program, levels: str
) -> None:
    line = ("forecast", report("v_count_small.csv"), "--target", "y", "--horizon", 1)
    usual = table(quickly(*line).stdout)
    asked = table(quickly(*line, "--quantiles", levels).stdout)
    assert asked["forecast"].tolist() == usual["forecast"].tolist()
    names = [f"q{float(level) * 100:g}" for level in levels.split(",")]
    assert list(asked) == ["ds", "forecast", *names]


@pytest.mark.parametrize(
    "name, value",
    [
        ("last_row_partial.csv", "12"),
        ("last_row_typo.csv", "10990"),
        ("out_7.csv", "100000"),
    ],
)
def test_an_unlikely_value_is_named_and_does_not_move_the_forecast(
    quickly: Program, name: str, value: str
) -> None:
    line = ("forecast", report(name), "--target", "y", "--horizon", 7)
    done = quickly(*line)
    assert f"left out of the forecast: {value} at" in done.stderr
    forecast = table(done.stdout)["forecast"]
    assert forecast.to_numpy() == pytest.approx(WEEK, rel=0.06)

    found = json.loads(quickly(*line, "--json").stdout)
    assert any("unlikely" in note for note in found["notes"])
    kept = quickly(*line, "--last", "keep")
    assert "unlikely" not in kept.stderr
    assert np.abs(table(kept.stdout)["forecast"] - forecast).max() > 20


def test_a_dropped_last_value_is_forecast_from_all_the_same(quickly: Program) -> None:
    line = ("forecast", report("last_row_partial.csv"), "--target", "y")
    done = quickly(*line, "--horizon", 7, "--last", "drop")
    forecast = table(done.stdout)
    assert forecast["ds"][0] == "2022-07-20"
    assert forecast["forecast"].to_numpy() == pytest.approx(WEEK, rel=0.06)


def test_a_level_that_has_shifted_is_followed(quickly: Program) -> None:
    done = quickly(
        *("forecast", report("v_shift_recent.csv"), "--target", "y", "--horizon", 7)
    )
    assert "the level shifted at 2022-07-15" in done.stderr
    forecast = table(done.stdout)["forecast"]
    assert forecast.to_numpy() == pytest.approx(np.add(WEEK, 298), rel=0.02)


def test_zero_stays_zero_and_counts_are_whole(quickly: Program) -> None:
    done = quickly(
        *("forecast", report("zeros_panel.csv"), "--target", "units"),
        *("--series", "sku", "--horizon", 2),
    )
    zeros = table(done.stdout).query("sku == 'B'")
    assert (zeros[["forecast", "q10", "q50", "q90"]] == 0).all(axis=None)

    line = ("forecast", report("int_10.csv"), "--target", "y", "--horizon", 5)
    done = quickly(*line, "--json")
    found = json.loads(done.stdout)
    # Nine of ten values are zeros: no interval that holds them covers less.
    assert 0.72 <= found["verdict"]["model"]["coverage"] <= 0.95
    for row in found["forecast"]:
        assert row["forecast"] == row["q10"] == 0
        assert row["q90"] == round(row["q90"])


def test_one_row_after_a_gap_goes_on_from_the_run(quickly: Program) -> None:
    fit = ("fit", report("n_train.csv"), "--target", "y", "--horizon", 7)
    assert quickly(*fit, "--steps", 0, "--out", "run").returncode == 0
    done = quickly("predict", "run", report("n_one.csv"))
    forecast = table(done.stdout)
    assert "the run's own past goes before" in done.stderr
    # The week goes on: 760 to 1190, where one row alone would give 1020 throughout.
    assert np.ptp(forecast["forecast"]) > 250
    assert (forecast["q90"] - forecast["q10"]).min() > 20


def test_intervals_are_by_the_spread_not_by_the_level(quickly: Program) -> None:
    done = quickly(
        *("forecast", report("v_bigoffset.csv"), "--target", "y", "--horizon", 7)
    )
    forecast = table(done.stdout)
    assert (forecast["q90"] - forecast["q10"]).max() < 20
    assert (forecast["forecast"] - 1e9).to_numpy() == pytest.approx(WEEK, abs=4)


@pytest.mark.parametrize(
    "name, season", [("sub_15min_n6.csv", 96), ("min_30240.csv", 1440)]
)
def test_the_day_is_found_in_fine_grained_data(
    quickly: Program, name: str, season: int
) -> None:
    line = ("forecast", report(name), "--target", "y", "--horizon", 96, "--json")
    verdict = json.loads(quickly(*line).stdout)["verdict"]
    assert verdict["season"] == season
    high = max(pd.read_csv(report(name))["y"])
    rows = json.loads(quickly(*line).stdout)["forecast"]
    assert max(row["q90"] for row in rows) < 1.5 * high


def test_a_cycle_that_repeats_exactly_is_forecast_perfectly(quickly: Program) -> None:
    path = report("det_steps_1499.csv")
    line = ("forecast", path, "--target", "v", "--horizon", 240)
    forecast = table(quickly(*line).stdout)["forecast"]
    past = pd.read_csv(path)["v"].to_numpy()
    assert forecast.to_numpy() == pytest.approx(past[-240:], abs=0.02)


def test_a_typed_error_at_the_end_is_no_error_of_the_forecast(quickly: Program) -> None:
    files = (report("last_row_typo.csv"), report("last_row_partial.csv"))
    line = ("--target", "y", "--horizon", 3, "--json")
    typo, partial = (
        json.loads(quickly("forecast", one, *line).stdout) for one in files
    )
    assert typo["verdict"]["model"]["mae"] == partial["verdict"]["model"]["mae"] < 5
