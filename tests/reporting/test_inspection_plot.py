"""The picture of a panel: what is drawn where."""

import numpy as np
import pytest

from lstmcast.inspection.findings import inspect_panel
from lstmcast.reporting.plots import encode_picture
from tests.make import panel_of, wavy

pytest.importorskip("matplotlib")


def test_series_gaps_outliers_and_season_are_drawn() -> None:
    from lstmcast.reporting.inspection_plot import MAX_INSPECTED_SERIES, plot_inspection

    series = [wavy(np.random.default_rng(seed), 96) for seed in range(5)]
    series[1][10:14] = np.nan
    series[1][60] *= 5
    found = inspect_panel(panel_of(series))
    assert found.shape.outliers.tolist() == [[1, 60]]
    picture = plot_inspection(found)
    *drawn, season = picture.figure.axes
    assert [len(axes.patches) for axes in drawn] == [0, 1, 0]
    assert [len(axes.lines) for axes in drawn] == [1, 2, 1]
    assert len(drawn) == MAX_INSPECTED_SERIES
    assert f"first {MAX_INSPECTED_SERIES} of 5 series" in picture.caption
    # A line for each year, one for their median and one for the mean.
    assert len(season.lines) == 96 // 12 + 2
    assert encode_picture(picture, "png").startswith(b"\x89PNG")


def test_a_series_without_a_season_or_a_calendar_is_drawn_too() -> None:
    from lstmcast.reporting.inspection_plot import plot_inspection

    found = inspect_panel(panel_of([np.arange(9.0) ** 2]), season=1)
    assert len(plot_inspection(found).figure.axes) == 1
