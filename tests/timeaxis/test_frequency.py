"""Frequencies: how users ask for them, what they are called, and their periods."""

import numpy as np
import pytest

from lstmcast.errors import UsageError
from lstmcast.timeaxis.calendar_fields import DAY
from lstmcast.timeaxis.frequency import (
    HOUR,
    LAST_DAY,
    MINUTE,
    WEEK,
    FrequencySpec,
    Grid,
    nearest_working_days,
    parse_frequency,
)


@pytest.mark.parametrize(
    ("freq", "spec"),
    [
        ("D", FrequencySpec("us", DAY)),
        ("2H", FrequencySpec("us", 2 * HOUR)),
        ("15T", FrequencySpec("us", 15 * MINUTE)),
        ("W-TUE", FrequencySpec("us", WEEK, anchor=1)),
        ("M", FrequencySpec("month", 1)),
        ("BM", FrequencySpec("month", 1, "E", working=True)),
        ("QE-NOV", FrequencySpec("month", 3, "E", 10)),
        ("2YS", FrequencySpec("month", 24, "S")),
        ("B", FrequencySpec("business", 1)),
        ("10", FrequencySpec("integer", 10)),
    ],
)
def test_aliases_of_pandas_and_whole_numbers_are_known(
    freq: str, spec: FrequencySpec
) -> None:
    assert parse_frequency(freq) == spec


@pytest.mark.parametrize("freq", ["", "0", "2B", "MS-JAN", "W-JAN", "QS-MON", "year"])
def test_other_words_are_refused_with_examples(freq: str) -> None:
    with pytest.raises(UsageError, match="is not known") as caught:
        parse_frequency(freq)
    assert "30min" in caught.value.hint


@pytest.mark.parametrize(
    ("grid", "alias", "words"),
    [
        (Grid("us", DAY), "D", "daily"),
        (Grid("us", 30 * MINUTE), "30min", "half-hourly"),
        (Grid("us", 90 * MINUTE), "90min", "every 90min"),
        (Grid("us", WEEK, 3 * DAY), "W-SUN", "weekly"),
        (Grid("month", 1, day=LAST_DAY), "ME", "monthly (month end)"),
        (Grid("month", 3, phase=1), "QS-FEB", "quarterly"),
        (Grid("month", 12, phase=11, day=LAST_DAY), "YE", "yearly (month end)"),
        (Grid("month", 1, working=True), "BMS", "monthly (first business day)"),
        (Grid("business"), "B", "business days"),
        (Grid("integer", 5), "5", "integer steps of 5"),
    ],
)
def test_a_grid_is_named_as_in_pandas_and_in_words(
    grid: Grid, alias: str, words: str
) -> None:
    assert (grid.alias, grid.words) == (alias, words)


def test_an_instant_before_the_day_of_its_month_is_of_the_period_before() -> None:
    grid = Grid("month", day=15, clock=6 * HOUR)
    instants = np.array([14 * DAY, 14 * DAY + 6 * HOUR, 20 * DAY])
    ordinals, exact = grid.ordinals(instants)
    assert ordinals.tolist() == [-1, 0, 0]
    assert exact.tolist() == [False, True, False]


def test_working_days_next_to_a_weekend() -> None:
    friday, saturday, sunday, monday = days = np.array([1, 2, 3, 4])
    assert nearest_working_days(days, last=True).tolist() == [
        friday,
        friday,
        friday,
        monday,
    ]
    assert nearest_working_days(days, last=False).tolist() == [
        friday,
        monday,
        monday,
        monday,
    ]
    assert (saturday, sunday) == (2, 3)
