"""Past windows end where a horizon still fits, and a fold knows nothing after its cutoffs."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from lstmcast.errors import DataError, UsageError
from lstmcast.evaluation.cutoffs import (
    MIN_HISTORY_STEPS,
    ForecastWindows,
    choose_backtest_windows,
    choose_evaluation_windows,
    find_training_ends,
    fold_ends,
    format_series_name,
    keep_latest_windows,
    require_positive_option,
)
from lstmcast.panel.panel import Panel
from tests.make import panel_of


def panel_of_lengths(*lengths: int) -> Panel:
    return panel_of([np.arange(1.0, length + 1) for length in lengths])


def as_lists(windows: ForecastWindows) -> tuple[list[int], list[int], list[int]]:
    return windows.series.tolist(), windows.origins.tolist(), windows.fold.tolist()


def test_the_last_horizon_of_each_series_ends_at_its_own_end() -> None:
    windows = choose_backtest_windows(
        panel_of_lengths(20, 12), horizon=4, windows=2, step=4
    )
    assert as_lists(windows) == ([0, 0, 1, 1], [11, 15, 3, 7], [0, 1, 0, 1])


def test_cutoffs_leave_enough_history_and_the_oldest_fold_is_the_first() -> None:
    shortest = MIN_HISTORY_STEPS + 4
    windows = choose_backtest_windows(
        panel_of_lengths(shortest, 10), 4, windows=3, step=4
    )
    assert as_lists(windows) == ([0, 1, 1], [1, 1, 5], [1, 0, 1])
    with pytest.raises(DataError, match="need 6 steps, the longest series has 5"):
        choose_backtest_windows(panel_of_lengths(shortest - 1), 4, windows=1, step=4)


def test_a_fold_may_know_each_series_up_to_its_cutoff_and_no_series_without_one() -> (
    None
):
    panel = panel_of_lengths(20, 6)
    windows = choose_backtest_windows(panel, horizon=4, windows=2, step=4)
    assert fold_ends(panel, windows, 0).tolist() == [12, 0]
    assert fold_ends(panel, windows, 1).tolist() == [16, 2]


def test_evaluation_goes_on_from_the_cutoff_while_a_whole_horizon_is_left() -> None:
    cutoff = np.array([9, 9, 9])
    windows = choose_evaluation_windows(
        panel_of_lengths(21, 12, 10), cutoff, horizon=4, step=3
    )
    assert as_lists(windows) == ([0, 0, 0, 1], [9, 12, 15, 9], [0, 1, 2, 0])


def test_nothing_newer_than_the_cutoff_is_an_error_that_names_both_ends() -> None:
    panel = panel_of_lengths(10, 8)
    with pytest.raises(
        DataError, match=r"need rows after 2001-10.*, the data ends at 2001-10"
    ):
        choose_evaluation_windows(panel, panel.lengths - 1, horizon=4, step=4)


def test_the_latest_windows_of_all_series_are_of_one_fold() -> None:
    windows = choose_evaluation_windows(
        panel_of_lengths(22, 14), np.array([5, 5]), 4, 4
    )
    assert as_lists(windows) == (
        [0, 0, 0, 0, 1, 1],
        [5, 9, 13, 17, 5, 9],
        [0, 1, 2, 3, 0, 1],
    )
    assert as_lists(keep_latest_windows(windows, 1)) == ([0, 1], [17, 9], [0, 0])
    latest = keep_latest_windows(windows, 3)
    assert as_lists(latest) == ([0, 0, 0, 1, 1], [9, 13, 17, 5, 9], [0, 1, 2, 1, 2])


def forecaster_of(panel: Panel) -> Any:
    """What `find_training_ends` reads of a forecaster that was trained on all of a panel."""
    return SimpleNamespace(panel=panel, cutoff=panel.start + panel.lengths - 1)


def test_training_ends_where_it_did_and_for_new_series_where_it_did_for_the_others() -> (
    None
):
    trained = panel_of_lengths(12, 8)
    longer = panel_of_lengths(30, 30, 30)
    assert find_training_ends(forecaster_of(trained), longer).tolist() == [11, 7, 11]


def test_data_that_begin_after_the_training_are_an_error_that_names_the_series() -> (
    None
):
    trained = panel_of_lengths(12, 8)
    later = panel_of([np.arange(9.0), np.arange(9.0)], start="2003-01-01")
    with pytest.raises(
        DataError, match=r"'s0' begins at 2003-01.* its training at 2001-12"
    ):
        find_training_ends(forecaster_of(trained), later)


def test_a_series_is_named_by_its_key() -> None:
    assert format_series_name(panel_of_lengths(5, 5), 1) == "series 's1'"


def test_an_option_below_one_is_named() -> None:
    assert require_positive_option("step", 1) == 1
    with pytest.raises(UsageError) as caught:
        require_positive_option("step", 0)
    assert caught.value.message == "--step 0 is out of range"
