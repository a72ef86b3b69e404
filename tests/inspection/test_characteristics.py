"""Figures of shape: a season where there is one, none in noise, a trend, an outlier."""

import numpy as np
import pytest

from lstmcast.inspection.characteristics import (
    Characteristics,
    measure_characteristics,
    seasonal_strength,
    trend_direction,
)
from tests.make import flat

RNG = np.random.default_rng(0)
T = np.arange(120)
WAVE = np.sin(2 * np.pi * T / 12)


def shape(*series: np.ndarray, m: int = 12) -> Characteristics:
    return measure_characteristics(*flat(series), m)


def test_strength_is_near_1_for_a_pure_season_and_near_0_for_noise() -> None:
    assert seasonal_strength(WAVE + 0.05 * T, 12) > 0.95
    assert seasonal_strength(WAVE + RNG.normal(size=120), 12) == pytest.approx(
        0.4, abs=0.2
    )
    noise = [
        seasonal_strength(RNG.normal(size=n), 12)
        for n in (25, 36, 60, 120)
        for _ in range(20)
    ]
    assert np.mean(noise) < 0.15


def test_strength_needs_two_seasons_and_a_changing_series() -> None:
    assert np.isnan(seasonal_strength(WAVE[:24], 12))
    assert np.isnan(seasonal_strength(WAVE, 1))
    assert seasonal_strength(np.full(60, 7.0), 12) == 0


@pytest.mark.parametrize(("slope", "expected"), [(0.1, 1), (-0.1, -1), (0.0, 0)])
def test_a_trend_is_distinguished_from_a_season_and_noise(
    slope: float, expected: int
) -> None:
    assert (
        trend_direction(slope * T + WAVE + 0.3 * RNG.normal(size=120), 12) == expected
    )
    assert trend_direction(np.ones(120), 12) == 0


def test_outliers_are_found_farthest_first_and_a_season_is_none() -> None:
    y = 10 + 5 * WAVE + 0.1 * RNG.normal(size=120)
    other = y.copy()
    other[[40, 80]] += [9, -30]
    found = shape(y, other).outliers
    assert found[:2].tolist() == [[1, 80], [1, 40]]
    assert (found[:, 0] == 1).all()


def test_zeros_constant_series_and_gaps() -> None:
    gappy = np.where(T % 10 == 0, np.nan, WAVE)
    found = shape(np.zeros(30), np.full(30, 4.0), gappy)
    assert found.constant.tolist() == [0, 1]
    assert found.zeros == pytest.approx((30 + (gappy == 0).sum()) / (60 + 108))
    assert found.season[2] > 0.9


@pytest.mark.parametrize("unit", [1e300, 1e-320, 1e-300])
def test_extreme_units_change_no_figure(unit: float) -> None:
    y = np.round(100 * (2 + WAVE + 0.1 * RNG.normal(size=120)))
    plain, extreme = shape(y), shape(y * unit)
    assert extreme.season[0] == pytest.approx(plain.season[0], abs=1e-3)
    assert extreme.trend.tolist() == plain.trend.tolist()


def test_of_many_series_a_sample_is_measured() -> None:
    found = shape(*(WAVE + i for i in range(1000)))
    assert len(found.chosen) == len(found.season) == 200
    assert found.chosen[[0, -1]].tolist() == [0, 999]
