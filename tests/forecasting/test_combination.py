"""What validation decides: the weight of each forecast, and the width of the intervals.

Axes: M members, K windows, H horizon, Q quantiles, A candidates.
"""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from lstmcast.config import NETWORK_QUANTILES
from lstmcast.features.candidates import CANDIDATES
from lstmcast.forecasting.combination import (
    NETWORK_SHARES,
    Combination,
    ValidationForecasts,
    assign_folds,
    combine_forecasts,
    cross_fit_forecasts,
    default_combination,
    fit_combination,
    soft_weights,
)
from lstmcast.ragged import NAN, Floats

MEDIAN = NETWORK_QUANTILES.index(0.5)
K, H = 40, 6


def normal(median: Floats, deviation: float = 1.0) -> Floats:
    """Quantiles [..., Q] of a normal distribution around a median [...]."""
    return np.asarray(median[..., None] + deviation * norm.ppf(NETWORK_QUANTILES))


def case_of(
    errors: tuple[float, ...],
    candidate_errors: tuple[float, ...],
    *,
    series: int = 8,
    seed: int = 0,
    width: float = 1.0,
) -> ValidationForecasts:
    """Windows in which each forecaster errs by normal errors of the given size."""
    rng = np.random.default_rng(seed)
    actual = 50 + 5 * rng.normal(size=(K, H))
    members = np.stack(
        [normal(actual + size * rng.normal(size=(K, H)), width) for size in errors]
    )
    candidates = np.stack(
        [actual + size * rng.normal(size=(K, H)) for size in candidate_errors], -1
    )
    return ValidationForecasts(
        members, candidates, actual, np.arange(K) * series // K, np.full(K, 5.0)
    )


@settings(max_examples=60, deadline=None)
@given(
    errors=st.lists(st.sampled_from([0.0, 0.1, 1.0, 30.0]), min_size=1, max_size=4),
    options=st.lists(st.sampled_from([0.0, 0.2, 2.0]), min_size=1, max_size=4),
    series=st.integers(1, K),
    missing=st.sampled_from([0.0, 0.5, 1.0]),
    prior=st.booleans(),
)
def test_weights_are_shares_that_sum_to_one(
    errors: list[float], options: list[float], series: int, missing: float, prior: bool
) -> None:
    case = case_of(tuple(errors), tuple(options), series=series)
    hidden = np.random.default_rng(1).random((K, H)) < missing
    case = case._replace(actual=np.where(hidden, NAN, case.actual))
    if prior:
        case = case._replace(prior=np.linspace(0.2, 1.0, len(errors)))
    combination = fit_combination(case)
    for weights in (combination.members, combination.candidates):
        assert weights.sum() == pytest.approx(1.0)
        assert (weights >= 0).all()
    assert 0 <= combination.network <= 1
    assert combination.widen > 0
    assert combination.windows == (K if missing < 1 else 0)


def test_a_member_far_better_than_the_others_takes_nearly_all() -> None:
    for best in (0.0, 0.05):
        combination = fit_combination(case_of((1.0, best, 2.0), (3.0, 4.0)))
        assert combination.members[1] > 0.99
        assert combination.network > 0.95


def test_members_of_the_same_error_have_the_same_weight() -> None:
    case = case_of((1.0,), (3.0,))
    mirrored = normal(2 * case.actual - case.members[0, ..., MEDIAN])
    case = case._replace(members=np.stack([case.members[0], mirrored]))
    np.testing.assert_allclose(fit_combination(case).members, 0.5)


def test_a_useless_network_leaves_the_forecast_to_the_best_candidate() -> None:
    case = case_of((40.0,), (3.0, 0.5, 6.0))
    combination = fit_combination(case)
    assert combination.network < 0.02
    assert combination.candidates[1] > 0.95
    forecasts = combine_forecasts(combination, case.members, case.candidates)[
        ..., MEDIAN
    ]
    error, best = (
        np.abs(forecasts - case.actual).mean(),
        np.abs(case.candidates[..., 1] - case.actual).mean(),
    )
    assert error < 1.1 * best


def test_useless_candidates_leave_the_forecast_to_the_network() -> None:
    assert fit_combination(case_of((0.5,), (30.0, 40.0))).network > 0.95


def test_one_series_is_weaker_evidence_than_many() -> None:
    one, many = (
        fit_combination(case_of((1.0,), (1.0, 2.0), series=count)) for count in (1, K)
    )
    assert many.candidates[0] > one.candidates[0] + 0.05 > 0.55


def test_the_network_is_preferred_where_the_evidence_is_even() -> None:
    case = case_of((1.0,), (1.0,), series=1)
    # The same forecast, so the same error.
    case = case._replace(candidates=case.members[0][..., MEDIAN, None].copy())
    assert fit_combination(case).network >= 0.5


def test_a_prior_shifts_the_weights_where_the_evidence_is_even() -> None:
    case = case_of((1.0,), (3.0,))
    case = case._replace(
        members=np.repeat(case.members, 2, 0), prior=np.array([1.0, 0.25])
    )
    np.testing.assert_allclose(fit_combination(case).members, [0.8, 0.2])


def test_a_series_counts_once_however_many_windows_it_has() -> None:
    """Member 0 is right on the series with many windows, member 1 on the two with few."""
    actual = np.zeros((12, 1))
    series = np.array([0] * 10 + [1, 2])
    first = np.where(series == 0, 1.0, 3.0)[:, None]
    second = np.where(series == 0, 3.0, 1.0)[:, None]
    members = normal(np.stack([first, second]))
    combination = fit_combination(
        ValidationForecasts(
            members, np.full((12, 1, 1), 9.0), actual, series, np.ones(12)
        )
    )
    assert combination.members[1] > combination.members[0]


def test_the_unit_of_a_series_does_not_matter() -> None:
    case = case_of((1.0, 1.5), (1.2, 3.0))
    unit = np.where(case.series < 4, 1e6, 1.0)
    other = ValidationForecasts(
        case.members * unit[:, None, None],
        case.candidates * unit[:, None, None],
        case.actual * unit[:, None],
        case.series,
        case.scale * unit,
    )
    plain, scaled = fit_combination(case), fit_combination(other)
    np.testing.assert_allclose(plain.members, scaled.members)
    assert (plain.network, plain.widen) == pytest.approx((scaled.network, scaled.widen))


def test_missing_values_change_no_weight() -> None:
    case = case_of((1.0, 2.0), (1.5,))
    hidden = np.zeros((K, H), bool)
    hidden[::3, 2:] = True
    case = case._replace(actual=np.where(hidden, NAN, case.actual))
    absurd = case._replace(members=np.where(hidden[None, ..., None], 1e9, case.members))
    expected, found = fit_combination(case), fit_combination(absurd)
    np.testing.assert_array_equal(found.members, expected.members)
    assert found.network == expected.network


@pytest.mark.parametrize("spoil", ["actual", "scale"])
def test_members_have_equal_weights_where_nothing_was_observed(spoil: str) -> None:
    case = case_of((1.0, 2.0), (1.5, 1.0))
    case = (
        case._replace(actual=case.actual * NAN)
        if spoil == "actual"
        else case._replace(scale=case.scale * NAN)
    )
    combination = fit_combination(case)
    assert combination.to_dict() == default_combination(2, 2).to_dict()
    assert combination.members.tolist() == [0.5, 0.5]
    assert (combination.network, combination.windows) == (1.0, 0)
    assert combination.widen > 1


# ---- intervals


def coverage(quantiles: Floats, actual: Floats) -> float:
    return float(
        ((actual >= quantiles[..., 0]) & (actual <= quantiles[..., -1])).mean()
    )


@pytest.mark.parametrize("factor", [0.7, 1.5, 2.0, 2.8])
def test_intervals_of_many_series_are_calibrated(factor: float) -> None:
    case = case_of((2.0,), (50.0,), width=2.0 / factor, series=K)
    combination = fit_combination(case)
    assert combination.widen == pytest.approx(factor, rel=0.15)
    assert abs(coverage(case.members[0], case.actual) - 0.8) > 0.08
    assert coverage(
        combine_forecasts(combination, case.members, case.candidates), case.actual
    ) == pytest.approx(0.8, abs=0.05)


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_the_overlapping_windows_of_one_series_move_its_intervals_a_little(
    factor: float,
) -> None:
    widen = fit_combination(case_of((2.0,), (50.0,), width=2.0 / factor)).widen
    assert 1 < widen < factor or factor < widen < 1


def test_intervals_are_neither_narrowed_nor_widened_without_bound() -> None:
    assert fit_combination(
        case_of((2.0,), (50.0,), width=200.0, series=K)
    ).widen == pytest.approx(0.4, rel=0.02)
    assert fit_combination(
        case_of((2.0,), (50.0,), width=0.01, series=K)
    ).widen == pytest.approx(4.0, rel=0.02)


def test_few_windows_make_intervals_wider_than_many() -> None:
    case = case_of((2.0,), (50.0,), width=1.5)
    few = [
        fit_combination(case.select(np.arange(K) // 2 == k)).widen
        for k in range(K // 2)
    ]
    assert np.mean(few) > fit_combination(case).widen


def test_intervals_without_any_width_are_left_alone() -> None:
    assert fit_combination(case_of((2.0,), (50.0,), width=0.0)).widen == 1.0


# ---- combining, and cross-fitting


def test_the_forecast_is_the_mix_that_the_combination_describes() -> None:
    case = case_of((1.0, 2.0), (1.0, 3.0))
    combination = Combination(np.array([0.75, 0.25]), np.array([0.4, 0.6]), 0.7, 1.5, K)
    forecasts = combine_forecasts(combination, case.members, case.candidates)
    for k, h in ((0, 0), (7, 3)):
        pooled = 0.75 * case.members[0, k, h] + 0.25 * case.members[1, k, h]
        classical = 0.4 * case.candidates[k, h, 0] + 0.6 * case.candidates[k, h, 1]
        centre = 0.7 * pooled[MEDIAN] + 0.3 * classical
        np.testing.assert_allclose(
            forecasts[k, h], centre + 1.5 * (pooled - pooled[MEDIAN])
        )
    assert (np.diff(forecasts, axis=-1) >= 0).all()


@pytest.mark.parametrize("series", [2, 5, K])
def test_an_out_of_sample_forecast_does_not_use_the_actual_values_of_its_own_window(
    series: int,
) -> None:
    case = case_of((1.0, 1.1), (1.2, 1.0), series=series)
    forecasts = cross_fit_forecasts(case)
    for k in (0, 17, K - 1):
        actual = case.actual.copy()
        actual[k] += 1e3 * np.random.default_rng(k).normal(size=H)
        other = cross_fit_forecasts(case._replace(actual=actual))
        assert other[k].tobytes() == forecasts[k].tobytes()
        assert other.tobytes() != forecasts.tobytes()  # but the others do know them


@pytest.mark.parametrize("windows", [1, 2])
def test_a_single_window_is_no_evidence_about_itself(windows: int) -> None:
    case = case_of((1.0, 5.0), (0.2,)).select(np.arange(K) < windows)
    forecasts = cross_fit_forecasts(case)
    other = case.actual.copy()
    other[0] += 100.0
    assert (
        cross_fit_forecasts(case._replace(actual=other))[0].tobytes()
        == forecasts[0].tobytes()
    )


def test_out_of_sample_forecasts_are_those_of_the_combination_where_the_evidence_is_plain() -> (
    None
):
    case = case_of((0.5, 20.0), (30.0, 40.0), width=0.5)
    np.testing.assert_allclose(
        cross_fit_forecasts(case)[..., MEDIAN], case.members[0, ..., MEDIAN], atol=0.5
    )


# ---- weights, and what is kept


def test_weights_fall_exponentially_with_the_excess() -> None:
    weights = soft_weights([1.0, 1.1, 2.0], 10.0)
    assert weights[1] / weights[0] == pytest.approx(np.exp(-1))
    assert weights[2] / weights[0] == pytest.approx(np.exp(-10))
    assert soft_weights([0.0, 1.0, 0.0], 10.0).tolist() == [0.5, 0.0, 0.5]


def test_a_combination_is_the_same_after_json() -> None:
    combination = fit_combination(case_of((1.0, 1.3), (1.2, 2.0)))
    weights = np.linspace(0, 1, len(CANDIDATES))
    combination = combination._replace(candidates=weights / weights.sum())
    loaded = Combination.from_dict(json.loads(json.dumps(combination.to_dict())))
    for expected, found in zip(combination, loaded, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_a_combination_describes_what_the_forecast_consists_of() -> None:
    weights = np.zeros(len(CANDIDATES))
    weights[[1, 3, 4]] = 0.1, 0.6, 0.3
    mixed = Combination(np.ones(1), weights, 0.72, 1.0, 24)
    assert mixed.sentence() == (
        "The forecast is 72 % network and 28 % simple methods, mostly a short-memory average, "
        "a damped trend and the value one season before."
    )
    assert mixed._replace(network=1.0).sentence() == "The forecast is the network's."


def test_a_fold_is_a_run_of_neighbours_since_neighbours_overlap() -> None:
    """Else windows of one fold share most of their actual values with those of another."""
    folds = assign_folds(np.repeat([0, 3], [24, 6]))
    assert folds[:24].tolist() == [0] * 6 + [1] * 6 + [2] * 6 + [3] * 6
    assert (np.diff(folds[24:]) >= 0).all()
    assert set(folds[24:]) == {0, 1, 2, 3}


def test_series_of_one_window_each_are_spread_over_four_folds() -> None:
    assert assign_folds(np.arange(8)).tolist() == [0, 1, 2, 3, 0, 1, 2, 3]


def test_shares_of_the_network_are_tried_in_tenths() -> None:
    np.testing.assert_allclose(10 * NETWORK_SHARES, np.arange(11))
