"""Windows that begin in a first season or in a gap see a series that is cut off there."""

from dataclasses import replace

import numpy as np

from lstmcast.forecasting.cut_windows import iter_cut_windows
from lstmcast.ragged import NAN
from tests.make import panel_of


def test_each_window_has_a_panel_that_ends_before_what_comes_after_it() -> None:
    y = np.array([1, 2, 3, 4, NAN, NAN, 7, 8, NAN, 10.0])
    panel = replace(panel_of([y, np.arange(10.0)]), fill="linear")
    series = np.array([0, 0, 0, 0, 0, 1, 1])
    origins = np.array([1, 4, 5, 7, 8, 0, 4])
    found = {}
    for windows, past, numbers in iter_cut_windows(
        panel, series, origins, season=3, joint=False
    ):
        for window, number in zip(windows.tolist(), numbers.tolist(), strict=True):
            assert past.keys[number] == panel.keys[series[window]]
            found[window] = int(past.lengths[number])
    # Of a first season up to the origin, of a gap up to its end; the others see all.
    assert found == {0: 2, 5: 1, 1: 6, 2: 6, 4: 9}


def test_without_lines_only_a_first_season_is_cut_off() -> None:
    panel = panel_of([np.array([1, 2, NAN, 4.0])])
    cut = iter_cut_windows(
        panel, np.array([0, 0]), np.array([0, 2]), season=2, joint=True
    )
    assert [windows.tolist() for windows, _, _ in cut] == [[0]]
