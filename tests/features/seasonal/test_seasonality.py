"""Which seasons are found, confirmed, dropped and taken from the user."""

import numpy as np
import pytest

from lstmcast.features.seasonal.seasonality import (
    confirm_seasons,
)
from lstmcast.features.steps import Seasons
from lstmcast.ragged import Floats, Ints
from tests.make import flat, wavy

MONTHLY = Seasons(12, 0)


def walk(seed: int, length: int) -> Floats:
    return np.asarray(
        100 * np.exp(np.cumsum(0.02 * np.random.default_rng(seed).normal(size=length)))
    )


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_the_season_of_monthly_traffic_is_confirmed() -> None:
    assert confirm_seasons(*flat([wavy(rng(), 144, 12)]), MONTHLY) == MONTHLY


def test_a_random_walk_has_no_season() -> None:
    mains = [
        confirm_seasons(*flat([walk(seed, 300)]), MONTHLY).main for seed in range(20)
    ]
    assert mains.count(1) >= 16  # a test at 10 % may err now and then


def test_one_series_in_five_is_enough_to_keep_a_season_for_a_panel() -> None:
    plain = [walk(seed, 120) for seed in range(100, 140)]
    quiet = [y for y in plain if confirm_seasons(*flat([y]), MONTHLY).main == 1][:8]
    seasonal = [wavy(rng(1), 120, 12), wavy(rng(2), 120, 12)]
    assert confirm_seasons(*flat(quiet), MONTHLY).main == 1
    assert confirm_seasons(*flat([*quiet, *seasonal]), MONTHLY).main == 12
    assert (
        confirm_seasons(*flat([*quiet, *quiet[:1], *seasonal[:1]]), MONTHLY).main == 1
    )


def test_series_too_short_to_show_a_season_are_believed_to_have_that_of_the_calendar() -> (
    None
):
    assert confirm_seasons(*flat([walk(0, 20)]), MONTHLY) == MONTHLY


def test_a_day_of_minutes_that_no_series_holds_twice_is_not_believed() -> None:
    day = Seasons(1440, 10080)
    assert confirm_seasons(*flat([walk(0, 2000)]), day) == Seasons(1, 0)
    # What is short enough to be held in mind is believed as before.
    assert confirm_seasons(*flat([walk(0, 300)]), Seasons(288, 0)).main == 288


def test_a_yearly_pattern_of_weekly_series_becomes_the_main_season() -> None:
    proposed = Seasons(1, 52)
    strong = [wavy(rng(seed), 260, 52, noise=0.01) for seed in range(3)]
    assert confirm_seasons(*flat(strong), proposed) == Seasons(52, 0)
    assert confirm_seasons(
        *flat([walk(seed, 260) for seed in range(3)]), proposed
    ) == Seasons(1, 0)


def test_a_second_season_needs_part_of_a_second_cycle() -> None:
    day_and_week = Seasons(24, 168)
    assert confirm_seasons(*flat([hourly(0, 14)]), day_and_week) == day_and_week
    assert confirm_seasons(*flat([hourly(0, 13)]), day_and_week) == day_and_week
    assert confirm_seasons(*flat([hourly(0, 9)]), day_and_week) == Seasons(24, 0)


def test_a_year_of_weeks_is_seen_before_it_is_held_twice() -> None:
    proposed = Seasons(1, 52)
    years = [wavy(rng(seed), 90, 52) for seed in range(12)]
    assert confirm_seasons(*flat(years), proposed) == proposed
    assert confirm_seasons(*flat(years[:1]), proposed) == proposed
    # Without a calendar it would be one length of many.
    assert confirm_seasons(*flat(years), Seasons(1, 0)) == Seasons(1, 0)


def test_a_year_of_weeks_is_seldom_seen_where_there_is_none() -> None:
    proposed = Seasons(1, 52)
    noise = [rng(seed).normal(100, 5, size=90) for seed in range(200)]
    walks = [walk(seed, 90) for seed in range(200)]
    for series in (noise, walks):
        alone = [confirm_seasons(*flat([y]), proposed).second for y in series]
        assert alone.count(52) <= 40  # the same bound for all, a fifth
        panels = [series[i : i + 20] for i in range(0, 200, 20)]
        together = [confirm_seasons(*flat(one), proposed).second for one in panels]
        assert together.count(52) == 0


def test_a_week_that_the_values_do_not_show_is_none() -> None:
    y = wavy(rng(), 24 * 28, 24)
    assert confirm_seasons(*flat([y]), Seasons(24, 168)) == Seasons(24, 0)


@pytest.mark.parametrize("forced", [1, 3, 8, 12])
def test_the_season_a_user_asks_for_is_obeyed(forced: int) -> None:
    for y in (walk(0, 100), wavy(rng(), 144, 12), np.ones(5)):
        assert confirm_seasons(*flat([y]), MONTHLY, forced).main == forced


def search_seasons(values: Floats, offsets: Ints) -> Seasons:
    """Seasons of a panel without a calendar."""
    return confirm_seasons(values, offsets, Seasons(1, 0))


def hourly(seed: int, days: int) -> Floats:
    """A day of 24 steps and a week in which the last two days are quiet."""
    t = np.arange(24 * days)
    day = np.sin(2 * np.pi * t / 24) + 0.5 * np.sin(4 * np.pi * t / 24)
    weekday = np.where(t // 24 % 7 < 5, 1.0, 0.3)
    return np.asarray(100 + 30 * weekday * day + rng(seed).normal(size=len(t)))


def test_beside_a_forced_season_longer_ones_are_found_in_the_values() -> None:
    y = wavy(rng(), 400, 24)
    assert confirm_seasons(*flat([y]), Seasons(24, 168), 12) == Seasons(12, 24)
    assert confirm_seasons(*flat([y]), Seasons(24, 168), 168) == Seasons(168, 0)
    week = flat([hourly(0, 40)])
    assert confirm_seasons(*week, Seasons(24, 168), 24) == Seasons(24, 168)
    assert confirm_seasons(*week, Seasons(1, 0), 24) == Seasons(24, 168)
    assert confirm_seasons(*week, Seasons(24, 168), 1) == Seasons(1, 0)


def test_a_day_and_a_week_are_found_in_steps_without_a_calendar() -> None:
    assert search_seasons(*flat([hourly(seed, 28) for seed in range(3)])) == Seasons(
        24, 168
    )


def test_no_season_is_found_where_there_is_none() -> None:
    assert search_seasons(*flat([walk(seed, 500) for seed in range(3)])) == Seasons(
        1, 0
    )


def test_the_shortest_of_several_multiples_is_the_season() -> None:
    pattern = np.tile([11.0, 15.0, 12.0, 19.0], 120)
    pattern *= np.tile(
        np.repeat([1.0, 1.3, 1.0], 4), 40
    )  # exactly the same only every 12 steps
    assert search_seasons(*flat([pattern + 0.1 * rng().normal(size=480)])).main == 4


def test_a_season_needs_three_rounds_to_be_found() -> None:
    y = wavy(rng(), 48, 12, noise=0.01)
    assert search_seasons(*flat([y])).main == 12
    assert search_seasons(*flat([y[:35]])).main != 12


@pytest.mark.parametrize(
    "values",
    [
        np.zeros(50),
        np.ones(50),
        np.full(50, np.nan),
        np.array([1.0]),
        np.array([1.0, 2]),
    ],
)
def test_series_without_any_movement_are_no_trouble(values: Floats) -> None:
    assert search_seasons(*flat([values])) == Seasons(1, 0)
    assert confirm_seasons(*flat([values]), MONTHLY).second == 0


def test_missing_values_do_not_hide_a_season() -> None:
    y = wavy(rng(), 144, 12)
    y[rng(3).random(144) < 0.1] = np.nan
    assert confirm_seasons(*flat([y]), MONTHLY).main == 12


@pytest.mark.parametrize("value", [3.0, 100.0, 1e6])
def test_one_wild_value_hides_no_season(value: float) -> None:
    t = np.arange(96)
    y = 100 + t + 30 * np.sin(np.pi * t / 6) + rng().uniform(-3, 3, 96)
    y[82] *= value
    assert confirm_seasons(*flat([y]), MONTHLY).main == 12


def test_a_season_is_found_though_every_second_value_is_missing() -> None:
    y = np.sin(np.arange(200) * 2 * np.pi / 7) + 0.1 * np.random.default_rng(0).normal(
        size=200
    )
    y[1::2] = np.nan
    assert confirm_seasons(y, np.array([0, 200]), Seasons(7, 0)) == Seasons(7, 0)
    noise = np.random.default_rng(1).normal(size=200)
    noise[1::2] = np.nan
    assert confirm_seasons(noise, np.array([0, 200]), Seasons(7, 0)) == Seasons(1, 0)


def minutes(days: int, noise: float, seed: int = 0) -> Floats:
    t = np.arange(1440 * days)
    return np.asarray(
        50 + 30 * np.sin(2 * np.pi * t / 1440) + noise * rng(seed).normal(size=len(t))
    )


@pytest.mark.parametrize("noise", [0.1, 5, 20])
def test_a_day_of_minutes_is_found_under_noise(noise: float) -> None:
    day_and_week = Seasons(1440, 10080)
    found = confirm_seasons(*flat([minutes(6, noise)]), day_and_week)
    assert found == Seasons(1440, 0)


def test_a_day_of_quarter_hours_is_found_but_not_in_noise_or_a_walk() -> None:
    day = Seasons(96, 0)
    daily = minutes(20, 10)[::15]
    assert confirm_seasons(*flat([daily]), day).main == 96
    mains = []
    for seed in range(20):
        mains.append(confirm_seasons(*flat([rng(seed).normal(size=1500)]), day).main)
        mains.append(confirm_seasons(*flat([walk(seed, 1500)]), day).main)
    assert mains.count(1) >= 34  # a test at 10 % may err now and then


def test_a_cycle_that_repeats_exactly_is_the_season_of_minutes() -> None:
    blocks = np.repeat([20.0, 20.5, 21, 21.5], 60)
    steps = np.tile(blocks, 7)[:1499]
    day_and_week = Seasons(1440, 10080)
    assert confirm_seasons(*flat([steps]), day_and_week) == Seasons(240, 0)
    # Seen one and a half times it is none.
    assert confirm_seasons(*flat([steps[:360]]), day_and_week) == Seasons(1, 0)
    noisy = steps + 0.1 * rng().normal(size=len(steps))
    assert confirm_seasons(*flat([noisy]), day_and_week) == Seasons(240, 0)


def test_less_than_two_days_by_the_minute_show_no_day() -> None:
    day_and_week = Seasons(1440, 10080)
    assert confirm_seasons(*flat([minutes(1, 1)]), day_and_week) == Seasons(1, 0)
