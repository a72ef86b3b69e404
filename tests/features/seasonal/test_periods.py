"""Which periods are found in invented series, and that none is seen where there is none."""

import numpy as np
import pytest

from lstmcast.features.seasonal.periods import measure_periods, measure_share
from lstmcast.features.seasonal.seasonality import find_periods
from lstmcast.ragged import Floats


def sine(period: int, length: int, noise: float, seed: int = 0) -> Floats:
    rng = np.random.default_rng(seed)
    wave = np.cos(2 * np.pi * np.arange(length) / period)
    return np.asarray(wave + noise * rng.normal(size=length))


@pytest.mark.parametrize("period", [2, 3, 7, 11, 30, 169, 365, 1000, 2000])
def test_a_period_of_any_length_is_found(period: int) -> None:
    y = sine(period, 8 * period + 50, 0.3)
    [found] = find_periods([y])
    # Of few smooth cycles, lengths nearby can hardly be told apart.
    assert found == pytest.approx(period, rel=0.01)


def test_a_day_of_169_steps_is_found_with_its_week_of_five_days() -> None:
    rng = np.random.default_rng(0)
    t = np.arange(845 * 8)
    weekday = np.array([1.0, 0.7, 0.8, 0.6, 0.9])[t // 169 % 5]
    day = 2 + np.sin(2 * np.pi * t / 169) + 0.5 * np.sin(4 * np.pi * t / 169)
    assert find_periods([weekday * day + 0.1 * rng.normal(size=len(t))]) == (169, 845)


def test_the_share_of_a_clean_season_is_all_of_the_variance() -> None:
    assert measure_share([sine(24, 480, 0.0)], 24) > 0.99
    assert measure_share([sine(24, 480, 0.0)], 500) == 0.0


def test_the_score_of_noise_is_about_normal() -> None:
    scores = []
    for seed in range(40):
        y = np.random.default_rng(seed).normal(size=400)
        scores.append(measure_periods(y).score[2:])
    spread = np.array(scores)
    assert np.mean(spread > 1.645) < 0.07
    assert np.abs(spread.mean()) < 0.4


def invent(rng: np.random.Generator, noise: float) -> tuple[int, Floats]:
    """A period of 2 to 2,000 steps and a series that has it, on a level that may move."""
    period = int(np.exp(rng.uniform(np.log(2), np.log(2000))))
    n = int(np.clip(period * rng.uniform(6, 30), 120, 20_000))
    t = np.arange(n)
    waves = (
        np.sqrt(2) * np.cos(2 * np.pi * t / period),
        np.where(t % period < period / 2, 1.0, -1.0),
        (t % period == 0) * np.sqrt(float(period)),
    )
    y = waves[rng.integers(3)] + noise * rng.normal(size=n)
    levels = (
        np.zeros(n),
        0.1 * noise * np.cumsum(rng.normal(size=n)),
        5 * rng.normal() * t / n,
        np.where(t > n // 2, 4 * rng.normal(), 0.0),
    )
    y += levels[rng.integers(4)]
    y[rng.random(n) < rng.choice([0.0, 0.05, 0.2])] = np.nan
    y[rng.random(n) < rng.choice([0.0, 0.005])] += 20
    return period, y


@pytest.mark.parametrize(("noise", "least"), [(0.3, 0.85), (1.0, 0.7), (2.0, 0.5)])
def test_most_invented_periods_are_found_and_hardly_a_wrong_one(
    noise: float, least: float
) -> None:
    rng = np.random.default_rng(3)
    right = 0
    wrong = 0
    for _ in range(40):
        period, y = invent(rng, noise)
        found = find_periods([y])
        # Over all cycles, half a cycle of drift at most.
        near = max(period * period / len(y) / 2, 0.01 * period)
        is_right = len(found) == 1 and abs(found[0] - period) <= near
        right += is_right
        # A multiple is not wrong, but it is learnt from fewer cycles.
        is_multiple = all(p % period == 0 for p in found)
        wrong += bool(found) and not is_right and not is_multiple
    assert right >= 40 * least
    assert wrong <= 2


def make_autocorrelated(rng: np.random.Generator, n: int, share: float) -> Floats:
    y = rng.normal(size=n)
    for t in range(1, n):
        y[t] += share * y[t - 1]
    return y


@pytest.mark.parametrize("length", [60, 200, 1000])
def test_hardly_a_season_is_seen_where_there_is_none(length: int) -> None:
    rng = np.random.default_rng(5)
    seen = 0
    for _ in range(25):
        series = (
            rng.normal(size=length),
            np.cumsum(rng.normal(size=length)),
            make_autocorrelated(rng, length, 0.7),
            make_autocorrelated(rng, length, -0.5),
        )
        seen += sum(bool(find_periods([y])) for y in series)
    assert seen <= 4  # of 100


def test_a_year_of_hours_is_found_beside_the_day_and_the_week() -> None:
    rng = np.random.default_rng(0)
    t = np.arange(8760 * 2 + 500)
    day = np.cos(2 * np.pi * t / 24)
    weekend = np.where(t // 24 % 7 > 4, -1.0, 0.0)
    year = 2 * np.cos(2 * np.pi * t / 8760)
    y = 20 + day + weekend + year + 0.3 * rng.normal(size=len(t))
    assert find_periods([y]) == (24, 168, 8760)
