"""Candidates are the classical forecasts that they are named after."""

import math

import numpy as np
import pytest

from lstmcast.features.candidates import (
    CANDIDATE_DESCRIPTIONS,
    CANDIDATES,
    N_HORIZON_FEATURES,
    forecast_candidates,
    horizon_features,
    older_seasonal_values,
    same_phase_offsets,
)
from lstmcast.features.steps import Seasons
from tests.make import steps_of


def test_every_candidate_has_a_description_of_its_own() -> None:
    assert tuple(CANDIDATE_DESCRIPTIONS) == CANDIDATES
    assert len(set(CANDIDATE_DESCRIPTIONS.values())) == len(CANDIDATES)


def test_the_newest_known_step_of_the_same_phase_is_whole_seasons_back() -> None:
    assert same_phase_offsets(np.arange(1, 8), 3).tolist() == [-2, -1, 0, -2, -1, 0, -2]


def test_candidates_are_the_classical_forecasts() -> None:
    t = np.arange(40)
    y = (
        100 + t + 10 * np.sin(np.pi * t / 2) - 200.0
    )  # negative: no logs; season 4, straight trend
    arrays = steps_of([y], Seasons(4, 8))
    out = dict(
        zip(
            CANDIDATES,
            forecast_candidates(arrays, np.array([0]), np.array([31]), 6)[0].T,
            strict=True,
        )
    )
    np.testing.assert_allclose(out["last"], y[31])
    np.testing.assert_allclose(
        out["seasonal_naive"], [y[28], y[29], y[30], y[31], y[28], y[29]]
    )
    np.testing.assert_allclose(out["seasonal_naive_2"], y[24:30])
    damped = np.cumsum(0.98 ** np.arange(1, 7))
    np.testing.assert_allclose(
        out["damped_trend"] - out["level"], arrays.trend[31] * damped
    )
    np.testing.assert_allclose(arrays.trend[31], 1.0, atol=0.01)
    np.testing.assert_allclose(
        out["theta"] - out["level"], 0.5 * arrays.slope[31] * np.arange(1, 7)
    )


def test_older_seasons_stop_at_the_oldest_value_of_the_phase() -> None:
    arrays = steps_of([np.arange(10.0) - 5], Seasons(4, 0))
    at = np.array([0]), np.array([7])
    assert older_seasonal_values(arrays, *at, 5, 1)[0].tolist() == [-5, -4, -3, -2, -5]
    assert older_seasonal_values(arrays, *at, 5, 2)[0].tolist() == [-5, -4, -3, -2, -5]


def test_horizon_features_say_how_far_how_long_the_season_and_whether_in_logs() -> None:
    features = horizon_features(3, Seasons(12, 24), np.array([True, False]))
    assert features.shape == (2, 3, N_HORIZON_FEATURES)
    row = [math.log(3) / 3, 1 / 3, 3 / 12 / 4, math.sqrt(3) / 5, math.log(12) / 4, 1.0]
    np.testing.assert_allclose(features[0, 2], [*row, 1.0], rtol=1e-6)
    np.testing.assert_allclose(features[1, 2], [*row, 0.0], rtol=1e-6)


@pytest.mark.parametrize("value", [0.0, 7.5, -3.0])
def test_a_constant_series_has_that_constant_for_every_candidate(value: float) -> None:
    arrays = steps_of([np.full(30, value)], Seasons(4, 8))
    options = forecast_candidates(arrays, np.array([0]), np.array([29]), 6)
    expected = np.log(value) if value > 0 else value
    np.testing.assert_allclose(options, expected, rtol=1e-12, atol=1e-12)
