"""The picture of components has a row for each, and no gap before the forecast."""

import numpy as np
import pandas as pd

from lstmcast.panel.panel import Panel
from lstmcast.reporting.component_plot import plot_components


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
        *("season of 7 steps", "effect of price", "remainder"),
    ]
    past, ahead = rows[0].lines
    np.testing.assert_array_equal(past.get_ydata(), observed[1:])
    np.testing.assert_array_equal(ahead.get_ydata(), [3.0, 7.0, 8.0])
    assert "The last 2 steps are forecast" in picture.caption
