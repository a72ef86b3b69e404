"""The picture of a panel: what is drawn where."""

import numpy as np
import pytest

from lstmcast.inspection.findings import inspect_panel
from lstmcast.reporting.plots import encode
from tests.make import panel_of, wavy

pytest.importorskip("matplotlib")


def test_series_gaps_outliers_and_season_are_drawn() -> None:
    from lstmcast.reporting.inspection_plot import SHOWN, overview

    series = [wavy(np.random.default_rng(seed), 96) for seed in range(5)]
    series[1][10:14] = np.nan
    series[1][60] *= 5
    found = inspect_panel(panel_of(series))
    assert found.shape.outliers.tolist() == [[1, 60]]
    picture = overview(found)
    *drawn, season = picture.figure.axes
    assert [len(axes.patches) for axes in drawn] == [0, 1, 0]
    assert [len(axes.lines) for axes in drawn] == [1, 2, 1]
    assert len(drawn) == SHOWN
    assert f"first {SHOWN} of 5 series" in picture.caption
    assert len(season.lines) == 96 // 12 + 1
    assert encode(picture, "png").startswith(b"\x89PNG")


def test_a_series_without_a_season_or_a_calendar_is_drawn_too() -> None:
    from lstmcast.reporting.inspection_plot import overview

    found = inspect_panel(panel_of([np.arange(9.0) ** 2]), season=1)
    assert len(overview(found).figure.axes) == 1
