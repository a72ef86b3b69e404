"""What seasons mean in days, weeks and years, and levels that differ between days."""

import numpy as np
import pytest

from lstmcast.features.steps import Seasons
from lstmcast.training.generators.clock import (
    Clock,
    draw_day_levels,
    draw_weekdays,
    read_clock,
)
from tests.training.generators.make import draws_of


@pytest.mark.parametrize(
    ("seasons", "clock"),
    [
        (Seasons(1, 0), Clock(1, 1, 0)),
        (Seasons(12, 0), Clock(1, 1, 12)),
        (Seasons(1, 52), Clock(1, 1, 52)),
        (Seasons(7, 0), Clock(1, 7, 365.25)),
        (Seasons(7, 365), Clock(1, 7, 365)),
        (Seasons(5, 260), Clock(1, 5, 260)),
        (Seasons(24, 168), Clock(24, 7, 8766)),
        (Seasons(24, 168, 8760), Clock(24, 7, 8760)),
        (Seasons(169, 845), Clock(169, 5, 44083.0)),
        (Seasons(37, 0), Clock(37, 1, 0)),
        (Seasons(26, 0), Clock(1, 1, 26)),
        (Seasons(27, 0), Clock(27, 1, 0)),
        (Seasons(24, 8766), Clock(24, 1, 8766)),
    ],
)
def test_the_clock_of_seasons(seasons: Seasons, clock: Clock) -> None:
    found = read_clock(seasons)
    assert found[:2] == clock[:2]
    assert found.year == pytest.approx(clock.year, rel=1e-3)


def test_weekdays_follow_each_other_but_for_holidays_like_the_last_day() -> None:
    clock = Clock(24, 7, 8766)
    days = draw_weekdays(draws_of(200, 24 * 70), clock)[:, ::24]
    follows = (np.diff(days, axis=1) % 7) == 1
    is_ordinary = follows.all(1)
    assert 0.2 < is_ordinary.mean() < 0.7
    n_last = (days == 6).mean(1)
    assert n_last[is_ordinary] == pytest.approx(1 / 7, abs=0.01)
    assert (n_last[~is_ordinary] >= 1 / 7 - 0.01).all()


def test_a_day_is_the_same_at_all_of_its_steps() -> None:
    days = draw_weekdays(draws_of(20, 48 * 30), Clock(48, 7, 17532))
    assert (days.reshape(20, 30, 48) == days[:, ::48, None]).all()


def test_the_last_days_of_a_week_differ_most() -> None:
    levels = draw_day_levels(draws_of(500, 10), Clock(24, 7, 8766))
    assert np.abs(levels[:, 5:] - 1).mean() > 4 * np.abs(levels[:, :5] - 1).mean()
    assert (levels > 0).all()
