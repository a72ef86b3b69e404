"""The frequency of stamps: the majority's step, days of the month, and slower series."""

import numpy as np
import pandas as pd
import pytest

from lstmcast.ragged import Ints
from lstmcast.timeaxis.calendar_fields import DAY
from lstmcast.timeaxis.frequency import HOUR, LAST_DAY, Grid
from lstmcast.timeaxis.infer import (
    grid_from_frequency,
    infer_grid,
    is_slower_series,
    mixed_frequency_error,
    most_frequent_value,
    steps_within_series,
)
from lstmcast.timeaxis.zones import to_microseconds


def days(*texts: str) -> Ints:
    return to_microseconds(pd.DatetimeIndex(texts))


def infer(stamps: Ints) -> Grid:
    return infer_grid(stamps, np.zeros(len(stamps), np.int64), integer=False)


def test_a_smaller_step_is_meant_where_it_explains_every_step_with_few_gaps() -> None:
    steps = np.array([0, 2, 4, 6, 7, 8, 10]) * DAY
    assert infer(steps).step == DAY
    assert infer(np.array([0, 2, 4, 6, 8, 20]) * DAY).step == 2 * DAY
    assert infer(np.array([0, 10, 20, 30, 31]) * DAY).step == 10 * DAY


@pytest.mark.parametrize(
    ("stamps", "day", "working"),
    [
        (("2023-01-31", "2023-02-28", "2023-03-31"), LAST_DAY, False),
        (("2023-01-30", "2023-02-28", "2023-03-30"), 30, False),
        (("2023-04-28", "2023-05-31", "2023-06-30"), LAST_DAY, True),
        (("2023-05-01", "2023-06-01", "2023-07-03"), 1, True),
    ],
)
def test_months_are_known_by_the_day_that_all_stamps_share(
    stamps: tuple[str, ...], day: int, working: bool
) -> None:
    grid = infer(days(*stamps))
    assert (grid.unit, grid.day, grid.working) == ("month", day, working)


def test_what_a_frequency_leaves_open_is_taken_from_the_stamps() -> None:
    stamps = days("2024-01-15 06:00", "2024-02-15 06:00")
    assert grid_from_frequency("M", stamps) == Grid("month", day=15, clock=6 * HOUR)
    assert grid_from_frequency("ME", stamps).day == LAST_DAY
    assert grid_from_frequency("QS-FEB", stamps).phase == 1
    assert grid_from_frequency("B", stamps).clock == 6 * HOUR


def test_steps_are_taken_within_series() -> None:
    stamps, codes = np.array([0, 2, 4, 1, 2]), np.array([0, 0, 0, 1, 1])
    assert steps_within_series(stamps, codes).tolist() == [2, 2, 1]


def test_the_smallest_of_equally_frequent_values_is_taken() -> None:
    assert most_frequent_value(np.array([3, 1, 3, 1])) == 1
    assert most_frequent_value(np.array([], np.int64)) == 0


def test_a_series_that_steps_regularly_by_several_periods_is_slower() -> None:
    ordinals = np.r_[np.arange(20), np.arange(0, 70, 7), np.array([0, 3, 4, 9])]
    codes = np.repeat([0, 1, 2], [20, 10, 4])
    assert is_slower_series(ordinals, codes).tolist() == [False, True, False]
    assert not is_slower_series(np.arange(20), np.zeros(20, np.int64)).any()


def test_groups_of_series_are_listed_by_name() -> None:
    stamps = np.r_[np.arange(10) * DAY, np.arange(10) * HOUR]
    codes = np.repeat([0, 1], 10)
    error = mixed_frequency_error(stamps, codes, ["shop", "till"], integer=False)
    assert error is not None
    assert "hourly: till; daily: shop" in error.message
    assert (
        mixed_frequency_error(stamps[:10], codes[:10], ["shop"], integer=False) is None
    )
