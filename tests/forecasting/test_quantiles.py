"""Intervals of point forecasts are as wide as the errors were, those of other windows only."""

from statistics import NormalDist

import numpy as np
import pytest

from lstmcast.config import NETWORK_QUANTILES
from lstmcast.forecasting import quantiles
from lstmcast.ragged import NAN


def test_intervals_cover_new_errors_of_the_same_kind() -> None:
    rng = np.random.default_rng(0)
    size = np.sqrt(np.arange(1, 7))
    fitted = quantiles.fit_error_quantiles(size * rng.laplace(size=(400, 6)))
    fresh = size * rng.laplace(size=(4000, 6))
    for place, level in enumerate(NETWORK_QUANTILES):
        np.testing.assert_allclose(
            (fresh <= fitted[:, place]).mean(0), level, atol=0.04
        )


def test_the_point_itself_is_the_median_even_where_errors_are_biased() -> None:
    fitted = quantiles.fit_error_quantiles(
        np.random.default_rng(0).exponential(size=(200, 3)) + 5
    )
    assert not fitted[:, NETWORK_QUANTILES.index(0.5)].any()
    assert (np.diff(fitted, axis=1) > 0).all()


def test_intervals_never_shrink_with_the_step() -> None:
    errors = np.random.default_rng(1).normal(size=(5, 20))
    width = np.ptp(quantiles.fit_error_quantiles(errors), axis=1)
    assert (np.diff(width) >= 0).all()


def test_missing_errors_count_for_nothing() -> None:
    errors = np.random.default_rng(1).normal(size=(30, 2))
    holes = np.concatenate([errors, np.full((10, 2), NAN)])
    np.testing.assert_array_equal(
        quantiles.fit_error_quantiles(holes), quantiles.fit_error_quantiles(errors)
    )
    np.testing.assert_array_equal(
        quantiles.fit_error_quantiles(np.full((3, 2), NAN)),
        quantiles.default_error_quantiles(2),
    )
    assert not quantiles.fit_error_quantiles(np.zeros((3, 2))).any()


def test_no_error_changes_the_interval_of_its_own_window() -> None:
    errors = np.random.default_rng(2).normal(size=(12, 3))
    fold = np.repeat([0, 1, 2], 4)
    before = quantiles.cross_fit_error_quantiles(errors, fold)
    changed = errors.copy()
    changed[4:8] *= 100
    after = quantiles.cross_fit_error_quantiles(changed, fold)
    np.testing.assert_array_equal(before[4:8], after[4:8])
    assert (before[0] != after[0]).any()
    np.testing.assert_array_equal(before[0], quantiles.fit_error_quantiles(errors[4:]))


def test_the_spread_of_each_member_is_of_its_own_errors() -> None:
    errors = np.random.default_rng(4).normal(size=(2, 12, 3))
    errors[1] *= 10
    folds = np.repeat([0, 1, 2], 4)
    spread, out_of_sample = quantiles.cross_fit_spread(errors, folds)
    np.testing.assert_array_equal(spread[1], quantiles.fit_error_quantiles(errors[1]))
    np.testing.assert_array_equal(
        out_of_sample[1], quantiles.cross_fit_error_quantiles(errors[1], folds)
    )


@pytest.mark.parametrize("horizon", [2, 3, 5])
def test_steps_beyond_the_known_ones_have_the_last_one_s_intervals(
    horizon: int,
) -> None:
    known = np.arange(6.0).reshape(1, 3, 2)
    matched = quantiles.match_horizon(known, horizon)
    assert matched.shape == (1, horizon, 2)
    np.testing.assert_array_equal(matched[0], known[0, [0, 1, 2, 2, 2][:horizon]])


def test_known_levels_are_kept_and_others_lie_between_them() -> None:
    known = np.array(NETWORK_QUANTILES)
    values = np.cumsum(np.random.default_rng(3).random((2, 4, len(known))), axis=-1)
    np.testing.assert_allclose(quantiles.interpolate_quantiles(values, known), values)
    between = quantiles.interpolate_quantiles(values, (known[:-1] + known[1:]) / 2)
    np.testing.assert_allclose(between, (values[..., :-1] + values[..., 1:]) / 2)


def test_levels_beyond_the_known_ones_follow_the_normal_distribution() -> None:
    normal = NormalDist(5.0, 2.0)
    values = np.array([[[normal.inv_cdf(level) for level in NETWORK_QUANTILES]]])
    levels = np.array([0.001, 0.05, 0.95, 0.999])
    expected = [normal.inv_cdf(level) for level in levels]
    np.testing.assert_allclose(
        quantiles.interpolate_quantiles(values, levels)[0, 0], expected
    )


def test_only_quantiles_of_counts_are_rounded() -> None:
    values = np.array([0.4, 1.6])
    assert quantiles.round_count_quantiles(values, "negative-binomial").tolist() == [
        0.0,
        2.0,
    ]
    assert quantiles.round_count_quantiles(values, "mse").tolist() == [0.4, 1.6]
