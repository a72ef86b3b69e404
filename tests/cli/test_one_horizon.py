"""Without a horizon given, every command and dry run forecasts as many steps as a fit does."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lstmcast.cli import app
from lstmcast.config import Config, TrainConfig, WindowConfig
from lstmcast.evaluation.backtest import backtest
from lstmcast.features.preprocessing import resolve_horizon
from lstmcast.inspection.findings import inspect_panel
from lstmcast.panel.panel import Panel
from lstmcast.training.forecaster import Forecaster
from lstmcast.tuning.tune import plan_search

UNTRAINED = Config(train=TrainConfig(steps=0, members=1))
PACKAGE = Path(app.__file__).parent.parent


def seasonal_frame(season: int) -> pd.DataFrame:
    """Eight seasons of steps without dates: a profile of that length over and over, and noise."""
    rng = np.random.default_rng(season)
    profile, noise = rng.uniform(10, 30, season), rng.normal(size=8 * season)
    sold = np.tile(profile, 8) + noise
    return pd.DataFrame({"step": np.arange(8 * season), "sold": sold.round(3)})


def seasonal_panel(season: int) -> Panel:
    return Panel.from_frame(seasonal_frame(season), target="sold", time="step")


@pytest.mark.parametrize("season", [12, 48])
def test_every_command_takes_the_same_horizon(
    season: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("optuna")
    monkeypatch.chdir(tmp_path)
    seasonal_frame(season).to_csv("steps.csv", index=False)
    data = ("steps.csv", "--target", "sold", "--time", "step")

    def answer(command: str, *options: str) -> Any:
        assert app.run_command_line([command, *data, *options, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    horizons = {
        "inspect": answer("inspect")["horizon"],
        "fit": answer("fit", "--steps", "0", "--out", "run")["horizon"],
        "fit --dry-run": answer("fit", "--steps", "0", "--dry-run")["horizon"],
        "forecast": len(answer("forecast")["forecast"]),
        "backtest": answer("backtest", "--steps", "0", "--windows", "1")["verdict"][
            "horizon"
        ],
        "backtest --dry-run": answer("backtest", "--steps", "0", "--dry-run")[
            "horizon"
        ],
        "tune --dry-run": answer("tune", "--steps", "0", "--trials", "1", "--dry-run")[
            "horizon"
        ],
    }
    search = (
        "--trials",
        "1",
        "--windows",
        "1",
        "--unseen",
        "1",
        "--param",
        "dropout=0.1,0.2",
    )
    horizons["tune"] = answer("tune", "--steps", "0", "-j", "1", *search)["horizon"]
    assert horizons == dict.fromkeys(horizons, season)


@pytest.mark.parametrize("season", [12, 48])
def test_the_library_takes_the_same_horizon(season: int) -> None:
    panel = seasonal_panel(season)
    assert resolve_horizon(panel, UNTRAINED) == season
    assert Forecaster(UNTRAINED).fit(panel).horizon == season
    assert inspect_panel(panel).horizon == season
    assert plan_search(panel, UNTRAINED).horizon == season
    assert backtest(panel, UNTRAINED, windows=1).verdict.horizon == season


def test_a_season_that_is_given_is_the_horizon_of_steps_without_dates() -> None:
    noise = np.random.default_rng(0).normal(size=90)
    panel = Panel.from_frame(
        pd.DataFrame({"step": np.arange(90), "sold": noise}), target="sold", time="step"
    )
    config = Config(window=WindowConfig(season=9), train=UNTRAINED.train)
    assert resolve_horizon(panel, UNTRAINED) == 10
    assert inspect_panel(panel, season=9).horizon == 9
    assert plan_search(panel, config).horizon == 9
    assert Forecaster(config).fit(panel).horizon == 9
    assert backtest(panel, config, windows=1).verdict.horizon == 9


def test_a_season_that_a_covariate_hides_is_found_alike_by_all() -> None:
    season, steps = 12, np.arange(240)
    promotion = np.random.default_rng(1).random(240) < 0.4
    sold = np.sin(2 * np.pi * steps / season) + 12.0 * promotion + 30
    frame = pd.DataFrame(
        {"step": steps, "sold": sold, "promotion": promotion.astype(float)}
    )
    panel = Panel.from_frame(frame, target="sold", time="step", future="promotion")
    without = Panel.from_frame(frame, target="sold", time="step")
    assert resolve_horizon(without, UNTRAINED) == 10, "the promotions hide the season"
    assert Forecaster(UNTRAINED).fit(panel).horizon == season
    assert resolve_horizon(panel, UNTRAINED) == season
    assert inspect_panel(panel).horizon == season
    assert plan_search(panel, UNTRAINED).horizon == season


def test_a_horizon_that_is_given_is_taken() -> None:
    config = Config(window=WindowConfig(horizon=5))
    assert resolve_horizon(seasonal_panel(12), config) == 5


def test_dates_have_the_horizon_of_their_frequency_whatever_the_season() -> None:
    days = pd.date_range("2024-01-01", periods=60)
    panel = Panel.from_frame(
        pd.DataFrame({"day": days, "sold": np.arange(60.0)}), target="sold"
    )
    season_of_9 = Config(window=WindowConfig(season=9))
    assert resolve_horizon(panel, Config()) == resolve_horizon(panel, season_of_9) == 14


@pytest.mark.parametrize(
    ("step", "rows", "horizon"),
    [
        ("1min", 2000, 60),
        ("1min", 100, 33),  # a third of the series
        ("1min", 30, 24),
        ("1s", 600, 60),
        ("10s", 600, 60),
        ("15min", 2000, 96),
        ("15min", 200, 66),
        ("1h", 30, 24),
    ],
)
def test_short_steps_have_a_horizon_that_suits_the_length(
    step: str, rows: int, horizon: int
) -> None:
    stamps = pd.date_range("2024-01-01", periods=rows, freq=step)
    values = np.random.default_rng(0).normal(50, 1, rows)
    panel = Panel.from_frame(pd.DataFrame({"t": stamps, "y": values}), target="y")
    assert resolve_horizon(panel, UNTRAINED) == horizon
    assert inspect_panel(panel).horizon == horizon


def test_only_the_default_horizon_reads_that_of_the_frequency() -> None:
    readers = [
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if "axis.horizon" in path.read_text(encoding="utf-8")
    ]
    assert readers == ["features/seasonal/seasonality.py"]
