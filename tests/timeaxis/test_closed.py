"""Times that never occur: how they are written, found and counted."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmcast.errors import UsageError
from lstmcast.timeaxis.calendar_fields import DAY
from lstmcast.timeaxis.closed import find_open_slots, infer_closed, parse_closed
from lstmcast.timeaxis.frequency import HOUR, LAST_DAY, MINUTE, Grid
from lstmcast.timeaxis.zones import to_microseconds


@pytest.mark.parametrize(
    ("text", "day", "minute", "closed"),
    [
        ("sun", 6, 600, True),
        ("sun", 5, 600, False),
        ("Sunday", 6, 0, True),
        ("sat-mon", 0, 0, True),
        ("sat-mon", 1, 0, False),
        ("0-9", 3, 539, True),
        ("0-9", 3, 540, False),
        ("18-9", 3, 60, True),
        ("18-9", 3, 1439, True),
        ("18-9", 3, 600, False),
        ("9:30-16", 3, 569, False),
        ("9:30-16", 3, 570, True),
        ("sat 13-24", 5, 1200, True),
        ("sat 13-24", 4, 1200, False),
        ("sun, 20-24", 2, 1200, True),
    ],
)
def test_weekdays_and_hours_are_closed_as_written(
    text: str, day: int, minute: int, closed: bool
) -> None:
    assert bool(parse_closed(text).week[day, minute]) is closed


def test_months_go_on_past_the_end_of_the_year() -> None:
    months = np.flatnonzero(parse_closed("nov-feb,july").months)
    assert months.tolist() == [0, 1, 6, 10, 11]


@pytest.mark.parametrize("text", ["holiday", "9-9", "25-26", "sat 13", "9-25", ""])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="closed"):
        parse_closed(text)


@pytest.mark.parametrize(
    ("unit", "step", "closed"),
    [
        ("us", 7 * DAY, "sun"),
        ("us", HOUR, "nov-mar"),
        ("month", 1, "sun"),
        ("us", DAY, "mon-sun"),
    ],
)
def test_times_that_do_not_fit_the_step_are_refused(
    unit: str, step: int, closed: str
) -> None:
    with pytest.raises(UsageError, match="closed="):
        find_open_slots(unit, step, 0, closed)


def days_where(keep: Callable[[pd.Timestamp], bool], until: str) -> list[pd.Timestamp]:
    return [day for day in pd.date_range("2019-01-01", until) if keep(day)]


def hours_where(keep: Callable[[pd.Timestamp], bool], until: str) -> list[pd.Timestamp]:
    hours = pd.date_range("2019-01-01", until, freq="h")
    return [hour for hour in hours if keep(hour)]


KINDS = {
    "sun": (
        Grid("us", DAY),
        days_where(lambda day: day.weekday() != 6, "2019-02-28"),
    ),
    "tue,thu,sat-sun": (
        Grid("us", DAY),
        days_where(lambda day: day.weekday() in (0, 2, 4), "2019-02-28"),
    ),
    "sun,nov-mar": (
        Grid("us", DAY),
        days_where(lambda day: day.weekday() != 6 and 3 < day.month < 11, "2022-12-31"),
    ),
    "0-9,17-24": (
        Grid("us", HOUR),
        hours_where(lambda hour: 9 <= hour.hour < 17, "2019-01-09"),
    ),
    "sun,0-9,17-24,sat 13-17": (
        Grid("us", HOUR),
        hours_where(
            lambda hour: (
                hour.weekday() < 6
                and 9 <= hour.hour < (13 if hour.weekday() == 5 else 17)
            ),
            "2019-02-28",
        ),
    ),
}


@pytest.mark.parametrize("closed", KINDS)
def test_times_that_never_occur_are_found_and_leave_no_holes(closed: str) -> None:
    grid, stamps = KINDS[closed]
    instants = to_microseconds(pd.DatetimeIndex(stamps))
    periods, _ = grid.ordinals(instants)
    assert infer_closed(grid.unit, grid.step, grid.phase, periods) == closed
    open_grid = Grid(grid.unit, grid.step, grid.phase, closed=closed)
    ordinals, on_grid = open_grid.ordinals(instants)
    assert on_grid.all()
    assert (np.diff(ordinals) == 1).all()
    assert (open_grid.instants(ordinals) == instants).all()


def test_months_of_a_season_are_found() -> None:
    ends = pd.date_range("2015-01-31", periods=60, freq="ME")
    kept = pd.DatetimeIndex([end for end in ends if 3 < end.month < 11])
    grid = Grid("month", day=LAST_DAY)
    periods, _ = grid.ordinals(to_microseconds(kept))
    assert infer_closed("month", 1, 0, periods) == "nov-mar"


@pytest.mark.parametrize("weeks", [1, 2])
def test_few_weeks_close_nothing_where_a_day_may_be_missing_by_chance(
    weeks: int,
) -> None:
    steps = np.array([day for day in range(7 * weeks + 3) if day % 7 != 3])
    holes = np.delete(steps, [2, 4]) if weeks == 2 else steps
    assert infer_closed("us", DAY, 0, holes) == ""


def test_random_holes_close_nothing() -> None:
    rng = np.random.default_rng(0)
    closed = 0
    for _ in range(200):
        steps = np.flatnonzero(rng.random(rng.integers(20, 80)) > 0.5)
        closed += bool(infer_closed("us", DAY, 0, steps))
    assert closed <= 10  # of 200: the chance that is allowed


@given(
    st.sets(st.sampled_from(range(7)), min_size=1, max_size=6),
    st.integers(-40_000, 40_000),
)
@settings(max_examples=50, deadline=None)
def test_ordinals_of_open_days_count_all_of_them(days: set[int], first: int) -> None:
    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    grid = Grid("us", DAY, closed=",".join(names[day] for day in sorted(days)))
    instants = np.arange(first, first + 30) * DAY
    ordinals, is_open = grid.ordinals(instants)
    weekday = (np.arange(first, first + 30) + 3) % 7
    assert is_open.tolist() == [int(day) not in days for day in weekday]
    steps = np.diff(ordinals)
    assert steps.tolist() == is_open[1:].astype(int).tolist()
    assert (grid.instants(ordinals[is_open]) == instants[is_open]).all()


def test_quarter_hours_open_on_the_half_hour() -> None:
    grid = Grid("us", 15 * MINUTE, closed="0-9:30,16-24")
    instants = np.arange(96) * 15 * MINUTE
    _, is_open = grid.ordinals(instants)
    assert np.flatnonzero(is_open).tolist() == list(range(38, 64))
