"""Days, weeks and years in steps, and levels that differ between days.

Axes: n series, T steps, m steps of a day.
"""

from typing import NamedTuple

import numpy as np

from lstmcast.features.steps import Seasons
from lstmcast.ragged import Floats, Ints
from lstmcast.training.generators.draws import Draws

DAYS_OF_A_YEAR = 365.25
MOST_DAYS_OF_A_WEEK = 10
WEEKS = (5, 6, 7)
"""Seasons that are a week of days: of five where weekends are closed."""


class Clock(NamedTuple):
    """Steps of a day, days of a week and steps of a year; 1, 1 and 0 where there are none."""

    day: int
    week: int
    year: float

    def number_days(self, t: Ints, start: Ints) -> Ints:
        """Return the weekday of each step, [n, T]; start: those of the first steps, [n, 1]."""
        days = t // self.day
        return np.asarray((days + start) % self.week)


def read_clock(seasons: Seasons) -> Clock:
    """Return what seasons of these lengths mean in days, weeks and years."""
    main, second, third = seasons
    if main in WEEKS and second in (0, *_list_years(main)):
        year = second or DAYS_OF_A_YEAR * main / 7
        return Clock(1, main, float(year))
    if main > 1 and second:
        days, rest = divmod(second, main)
        if rest == 0 and days <= MOST_DAYS_OF_A_WEEK:
            year = third or DAYS_OF_A_YEAR * main * days / 7
            return Clock(main, days, float(year))
    longest = max(main, second, third)
    if longest <= 1:
        return Clock(1, 1, 0.0)
    # Months, quarters and weeks have a year and no days.
    if main in (1, longest) and longest in (2, 4, 6, 12, 13, 24, 26, 36, 52, 53):
        return Clock(1, 1, float(longest))
    return Clock(max(main, 1), 1, float(max(second, third)))


def _list_years(week: int) -> range:
    """Days that may be a year where a week has so many, a few more or less."""
    year = round(DAYS_OF_A_YEAR * week / 7)
    return range(year - 13, year + 14)


def draw_weekdays(draws: Draws, clock: Clock) -> Ints:
    """Draw which weekday each step is, [n, T]; holidays at random are like the last day.

    One day in 40 is a holiday, in half of the series, and some series have a holiday of one or two
    weeks once.
    """
    rng = draws.rng
    start = rng.integers(0, clock.week, (draws.n, 1))
    weekdays = clock.number_days(draws.t, start)
    if clock.week == 1:
        return weekdays
    last_day = clock.week - 1
    n_days = draws.length // clock.day + 1

    is_holiday = rng.random((draws.n, n_days)) < 1 / 40
    is_holiday &= draws.mask(0.5)
    day = np.arange(n_days)
    begin = draws.share() * n_days
    in_break = day >= begin
    in_break &= day < begin + draws.uniform(4, 15)
    in_break &= draws.mask(0.2)
    holiday = (is_holiday | in_break)[:, draws.t // clock.day]
    return np.where(holiday, last_day, weekdays)


def draw_day_levels(draws: Draws, clock: Clock) -> Floats:
    """Draw levels of the days of a week about 1, [n, week]: only its last days differ much."""
    week = clock.week
    levels = 1 + draws.normal(week) * 0.04
    if week == 1:
        return levels
    rest_days = 2 if week >= 7 else 1
    common = draws.uniform(0.05, 0.75)
    # Some series are highest at weekends: shops, sports, leisure.
    common = np.where(draws.mask(0.2), -common, common)
    single = draws.normal(rest_days) * 0.1
    levels[:, -rest_days:] -= common + single
    return np.maximum(levels, 0.02)
