"""Series with gaps are forecast sensibly: real ones against baselines, invented ones too."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lstmcast.config import Columns, Config, DataConfig, TrainConfig, WindowConfig
from lstmcast.evaluation.backtest import backtest
from lstmcast.panel.panel import Panel
from lstmcast.tables.read import read_table
from lstmcast.training.forecaster import Forecaster

PARTS = ("year", "month", "day", "hour")


def config(horizon: int) -> Config:
    """Return the network as it ships: how it deals with gaps does not depend on training."""
    return Config(window=WindowConfig(horizon=horizon), train=TrainConfig(steps=0))


@pytest.mark.parametrize(
    ("name", "target", "time", "horizon", "windows"),
    [
        ("beijing_pm25_split_date_columns.csv", "pm2.5", PARTS, 24, 20),
        ("co2_weekly_missing.csv", "co2", (), 8, 6),
        ("example_wp_log_R.csv", "y", (), 28, 6),
        ("example_yosemite_temps.csv", "y", (), 48, 10),
    ],
)
def test_real_files_with_missing_values_are_forecast_no_worse_than_by_the_best_baseline(
    shared: Callable[[str], Path],
    name: str,
    target: str,
    time: tuple[str, ...],
    horizon: int,
    windows: int,
) -> None:
    data = DataConfig()
    panel = Panel.from_table(
        read_table(shared(f"everyday/{name}"), data), Columns((target,), time), data
    )
    assert np.isnan(panel.values).any()
    result = backtest(panel, config(horizon), windows=windows, refit=False)
    assert np.isfinite(result.forecasts["forecast"]).all()
    verdict = result.verdict
    # Which of all simple methods is the best one is only known afterwards. The theta method is none
    # of those that a forecast may be.
    best = min(
        scores["mase"] for name, scores in verdict.baselines.items() if name != "theta"
    )
    assert verdict.model["mase"] < 1.1 * best
    assert 0.6 < verdict.model["coverage"] <= 1


def weekly(length: int = 300) -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.asarray(
        100 + 20 * np.sin(np.arange(length) * 2 * np.pi / 7) + rng.normal(size=length)
    )


def panel_of(y: np.ndarray) -> Panel:
    frame = pd.DataFrame(
        {"t": pd.date_range("2023-01-01", periods=len(y), freq="D"), "y": y}
    )
    return Panel.from_frame(frame, target="y", time="t")


@pytest.mark.parametrize(
    "begin", [1, 120, 200], ids=["at the start", "in the middle", "up to the last week"]
)
def test_a_gap_longer_than_the_context_is_survived(begin: int) -> None:
    y = weekly()
    expected = 100 + 20 * np.sin(np.arange(300, 307) * 2 * np.pi / 7)
    y[begin : begin + 92] = np.nan
    forecaster = Forecaster(config(7)).fit(panel_of(y))
    assert forecaster.context < 92
    forecast = forecaster.predict()["forecast"].to_numpy()
    assert np.abs(forecast - expected).mean() < 3


def test_every_second_value_missing_is_survived() -> None:
    y = weekly()
    y[1:-1:2] = np.nan
    forecast = Forecaster(config(7)).fit(panel_of(y)).predict()["forecast"].to_numpy()
    expected = 100 + 20 * np.sin(np.arange(300, 307) * 2 * np.pi / 7)
    assert np.abs(forecast - expected).mean() < 5


def test_the_network_reads_which_values_were_missing() -> None:
    y = weekly()
    forecaster = Forecaster(config(7)).fit(panel_of(y))
    filled = y.copy()
    filled[-3] = filled[-10]  # what a gap there would be filled with
    holed = y.copy()
    holed[-3] = np.nan
    window = np.zeros(1, np.int64), np.array([299])
    forecasts = [
        forecaster.quantiles(panel_of(values), *window) for values in (holed, filled)
    ]
    assert not np.array_equal(*forecasts)
