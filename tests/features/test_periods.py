"""Which periods are found in invented series, and that none is seen where there is none."""

import numpy as np
import pytest

from lstmcast.features.periods import find_periods, measure_periods, measure_share
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
