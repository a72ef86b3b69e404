"""Unlikely newest values are found, ordinary ones are not, and shifts of level are told apart."""

from collections.abc import Callable

import numpy as np
import pytest

from lstmcast.features.steps import Seasons
from lstmcast.features.unlikely import Recent, find_unlikely, judge_series
from lstmcast.ragged import NAN, Floats

WEEK = Seasons(7, 0)
NO_SEASON = Seasons(1, 0)
PATTERN = np.array([0, 0.2, 0.3, 0.2, 0.1, -0.3, -0.5])
Kind = Callable[[np.random.Generator, int], Floats]


def week(rng: np.random.Generator, n: int = 200, noise: float = 0.05) -> Floats:
    pattern = PATTERN[np.arange(n) % 7]
    return np.asarray(100 * np.exp(pattern + noise * rng.normal(size=n)))


def promoted(rng: np.random.Generator, n: int) -> Floats:
    factor = np.where(rng.random(n) < 0.04, 3.0, 1.0)
    return week(rng, n) * factor


def closed_on_holidays(rng: np.random.Generator, n: int) -> Floats:
    return np.where(rng.random(n) < 0.03, 0.0, week(rng, n))


CLEAN: dict[str, tuple[Seasons, Kind]] = {
    "week": (WEEK, week),
    "heavy tails": (WEEK, lambda rng, n: week(rng, n) + rng.standard_t(3, size=n)),
    "very heavy tails": (NO_SEASON, lambda rng, n: 100 + rng.standard_t(2, size=n)),
    "skewed": (NO_SEASON, lambda rng, n: np.exp(rng.normal(size=n))),
    "random walk": (NO_SEASON, lambda rng, n: 100 + np.cumsum(rng.normal(size=n))),
    "promotions": (WEEK, promoted),
    "holidays": (WEEK, closed_on_holidays),
    "counts": (WEEK, lambda rng, n: rng.poisson(3, n).astype(float)),
    "rare counts": (WEEK, lambda rng, n: rng.poisson(0.3, n).astype(float)),
    "lumpy demand": (
        WEEK,
        lambda rng, n: rng.negative_binomial(0.3, 0.15, n).astype(float),
    ),
}


def judge(y: Floats, seasons: Seasons = WEEK) -> Recent | None:
    starts, ends = np.array([0]), np.array([len(y)])
    return find_unlikely(y, starts, ends, seasons).get(0)


def test_hardly_any_clean_series_is_suspected() -> None:
    rng = np.random.default_rng(1)
    alarms = {
        name: np.mean([judge(make(rng, 200), seasons) is not None for _ in range(60)])
        for name, (seasons, make) in CLEAN.items()
    }
    assert np.mean(list(alarms.values())) < 0.01, alarms
    assert max(alarms.values()) < 0.06, alarms


@pytest.mark.parametrize("factor", [0, 0.12, 10, 1000])
def test_a_part_of_a_day_and_a_typing_error_are_found(factor: float) -> None:
    rng = np.random.default_rng(2)
    for _ in range(20):
        y = week(rng)
        ordinary = y[-1]
        y[-1] *= factor
        found = judge(y)
        assert found is not None
        assert (found.steps.tolist(), found.shift) == ([1], 0)
        assert found.expected[0] == pytest.approx(ordinary, rel=0.4)


def test_any_value_of_the_last_season_may_be_unlikely() -> None:
    for back in range(1, 8):
        y = week(np.random.default_rng(back))
        y[-back] = 1e5
        found = judge(y)
        assert found is not None
        assert found.steps.tolist() == [back]


@pytest.mark.parametrize("lasting", [3, 5, 6])
def test_a_level_that_stays_has_shifted(lasting: int) -> None:
    y = week(np.random.default_rng(3))
    y[-lasting:] += 300
    found = judge(y)
    assert found is not None
    assert (found.steps.tolist(), found.shift) == ([], lasting)
    assert not found.is_factor
    assert found.change == pytest.approx(300, rel=0.05)


def test_a_shift_is_a_factor_where_that_fits_better() -> None:
    y = week(np.random.default_rng(4))
    y[-6:] *= 5
    found = judge(y)
    assert found is not None
    assert found.is_factor
    assert found.change == pytest.approx(5, rel=0.1)


def test_a_spike_of_every_year_is_no_surprise() -> None:
    rng = np.random.default_rng(5)
    days = 3 * 365 + 355
    y = week(rng, days)
    # The last of them is the day that the series ends with.
    y[[days - 1 - year * 365 for year in range(4)]] *= 5
    assert judge(y) is None
    y[[days - 1 - year * 365 for year in range(1, 4)]] /= 5
    found = judge(y)
    assert found is not None
    assert found.steps.tolist() == [1]


def test_a_steady_series_shows_its_first_change() -> None:
    y = np.full(60, 100.0)
    y[-1] = 12
    found = judge(y)
    assert found is not None
    assert found.expected.tolist() == pytest.approx([100])
    y[-1] = 101
    assert judge(y) is None


def test_the_first_sale_is_no_error() -> None:
    y = np.zeros(60)
    y[-1] = 1
    assert judge(y) is None


def test_short_and_missing_series_are_left_alone() -> None:
    for y in (np.array([1.0, 2, 900]), np.full(50, NAN), np.arange(9.0)):
        assert judge(y) is None
        assert judge_series(y, NO_SEASON) is None


def test_series_of_all_lengths_are_judged_as_if_alone() -> None:
    rng = np.random.default_rng(6)
    series = [week(rng, n) for n in (30, 200, 90, 3, 1000)]
    for y in series[::2]:
        y[-1] = 9e4
    ends = np.cumsum([len(y) for y in series])
    starts = ends - [len(y) for y in series]
    found = find_unlikely(np.concatenate(series), starts, ends, WEEK)
    assert {n: recent.steps.tolist() for n, recent in found.items()} == {
        n: recent.steps.tolist()
        for n, y in enumerate(series)
        if (recent := judge(y)) is not None
    }
    assert {0, 2, 4} <= set(found)
