"""The picture of components has a row for each, and no gap before the forecast."""

import numpy as np
import pandas as pd
import pytest

from lstmcast.config import Config, InputConfig, TrainConfig, WindowConfig
from lstmcast.panel.panel import Panel
from lstmcast.reporting.component_plot import (
    plot_components,
    plot_series_components,
)
from lstmcast.training.forecaster import Forecaster


def test_each_component_has_a_row_and_one_without_effect_has_none() -> None:
    stamps = pd.date_range("2026-01-01", periods=6)
    observed = np.arange(4.0)
    panel = Panel.from_frame(
        pd.DataFrame({"day": stamps[:4], "y": observed}), target="y", time="day"
    )
    table = pd.DataFrame(
        {
            "day": stamps,
            "y": [*observed, np.nan, np.nan],
            "forecast": [np.nan] * 4 + [7.0, 8.0],
            "level": 1.0,
            "trend": 0.5,
            "season_7": 2.0,
            "effect_price": 3.0,
            "effect_nothing": 0.0,
            "remainder": 4.0,
        }
    )
    picture = plot_components(panel, table, 3)
    rows = picture.figure.axes
    assert [axes.get_title(loc="left") for axes in rows] == [
        *("", "level", "trend: change of the level in a step"),
        *("season of 7 steps (the week)", "effect of price", "remainder"),
    ]
    past, ahead = rows[0].lines
    np.testing.assert_array_equal(past.get_ydata(), observed[1:])
    np.testing.assert_array_equal(ahead.get_ydata(), [3.0, 7.0, 8.0])
    assert "The last 2 steps are forecast" in picture.caption


@pytest.mark.parametrize("joint", [False, True])
def test_a_series_of_several_is_drawn_by_its_number(*, joint: bool) -> None:
    day = np.arange(60)
    rng = np.random.default_rng(3)
    wide = pd.DataFrame(
        {
            "day": pd.date_range("2026-01-01", periods=60),
            "low": 10 + np.sin(2 * np.pi * day / 7) + 0.1 * rng.normal(size=60),
            "high": 500 + np.sin(2 * np.pi * day / 7) + 0.1 * rng.normal(size=60),
        }
    )
    panel = Panel.from_frame(wide, target=["low", "high"], time="day")
    config = Config(
        window=WindowConfig(horizon=3),
        train=TrainConfig(steps=0),
        inputs=InputConfig(joint=joint),
    )
    forecaster = Forecaster(config).fit(panel)
    for number, values in enumerate((wide["low"], wide["high"])):
        picture = plot_series_components(forecaster, panel, number, n_history=20)
        past, ahead = picture.figure.axes[0].lines
        np.testing.assert_allclose(past.get_ydata(), values[-20:])
        assert len(ahead.get_ydata()) == 4, "the last value and three forecasts"
        np.testing.assert_allclose(ahead.get_ydata(), values.mean(), rtol=0.2)
