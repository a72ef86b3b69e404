"""Values far from their neighbours are found wherever they stand, also at the very end."""

import numpy as np
import pytest

from lstmcast.inspection.outliers import find_jump, find_outliers, seasonal_profile

T = np.arange(200)


def weekly(seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=200)
    return 100 + 15 * np.sin(2 * np.pi * T / 7) + 2 * noise


def steps(y: np.ndarray, m: int = 7) -> list[int]:
    return [outlier.step for outlier in find_outliers(y, m)]


@pytest.mark.parametrize("step", [0, 3, 90, 193, 197, 198, 199])
@pytest.mark.parametrize("value", [12.0, 0.0, 10_990.0, 100_000.0])
def test_a_wrong_value_is_found_wherever_it_stands(step: int, value: float) -> None:
    y = weekly()
    usual = y[step]
    y[step] = value
    [found] = [one for one in find_outliers(y, 7) if one.step == step]
    assert found.expected == pytest.approx(usual, abs=15)


def test_a_last_value_of_half_the_usual_size_is_found() -> None:
    y = weekly()
    y[-1] /= 2
    assert steps(y) == [199]


@pytest.mark.parametrize("seed", range(5))
def test_two_days_that_ended_early_are_found_in_noisy_sales(seed: int) -> None:
    rng = np.random.default_rng(seed)
    y = 100 * (1 + 0.3 * np.sin(2 * np.pi * T / 7)) * np.exp(0.1 * rng.normal(size=200))
    assert steps(y) == []
    y[-2:] *= 0.12
    assert steps(y) == [198, 199]


@pytest.mark.parametrize("seed", range(10))
def test_ordinary_series_have_none_but_by_rare_chance(seed: int) -> None:
    rng = np.random.default_rng(seed)
    walk = 1000 + np.cumsum(rng.normal(size=200))
    growing = np.exp(T / 60 + 0.1 * rng.normal(size=200)) * (
        2 + np.sin(T * 2 * np.pi / 7)
    )
    for y in (weekly(seed), walk, growing, rng.normal(size=200), T * 1.0):
        assert steps(y) == []


def test_several_wrong_values_do_not_hide_each_other() -> None:
    y = weekly()
    wrong = [20, 21, 60, 100, 101, 102, 150, 199]
    y[wrong] = 400.0
    assert steps(y) == wrong


def test_few_values_and_repeated_ones_say_nothing() -> None:
    assert find_outliers(np.r_[np.ones(10), 9.0], 1) == []
    assert find_outliers(np.where(T % 10, 0.0, 7.0), 1) == []


def test_a_new_level_is_a_jump_with_its_first_step() -> None:
    y = weekly()
    y[195:] += 300
    jump = find_jump(y, 7)
    assert jump is not None and jump.step == 195
    assert jump.before == pytest.approx(100, abs=15)
    assert jump.after == pytest.approx(400, abs=25)


@pytest.mark.parametrize("seed", range(10))
def test_a_walk_a_line_noise_and_two_wrong_values_are_no_jump(seed: int) -> None:
    rng = np.random.default_rng(seed)
    spoiled = weekly(seed)
    spoiled[100:102] += 300
    walk = np.cumsum(rng.normal(size=200))
    for y in (weekly(seed), walk, T + rng.normal(size=200), spoiled):
        assert find_jump(y, 7) is None


def test_the_profile_of_a_season_is_its_median_at_every_step() -> None:
    profile = seasonal_profile(np.array([1.0, 5, 3, 7, 2, 6, 2]), 2)
    assert profile.tolist() == [2, 6, 2, 6, 2, 6, 2]
