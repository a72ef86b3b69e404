"""Recursive means and filled gaps, against their definitions in plain Python."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmcast.features.smoothing import exponential_moving_average, fill_gaps_from_past
from lstmcast.ragged import NAN
from tests.make import slow_ema


@given(
    x=st.lists(st.floats(-100, 100), min_size=1, max_size=30),
    alpha=st.sampled_from([0.05, 0.3, 0.5, 1.0]),
    data=st.data(),
)
def test_the_moving_average_skips_what_is_missing(
    x: list[float], alpha: float, data: st.DataObject
) -> None:
    weight = data.draw(
        st.lists(st.sampled_from([0.0, 1.0]), min_size=len(x), max_size=len(x))
    )
    average = exponential_moving_average(np.array(x), np.array(weight), alpha)
    np.testing.assert_allclose(
        average, slow_ema(x, weight, alpha), rtol=1e-9, atol=1e-9
    )
    poisoned = np.where(
        np.array(weight) > 0, np.array(x), 1e6
    )  # what is skipped may be anything
    np.testing.assert_allclose(
        exponential_moving_average(poisoned, np.array(weight), alpha),
        average,
        rtol=1e-9,
        atol=1e-9,
    )


def test_the_moving_average_works_along_any_axis() -> None:
    x = np.random.default_rng(0).normal(size=(3, 7, 4))
    average = exponential_moving_average(x, np.ones_like(x), 0.3, axis=1)
    np.testing.assert_allclose(
        average[1, :, 2], exponential_moving_average(x[1, :, 2], np.ones(7), 0.3)
    )


def test_gaps_are_filled_from_the_same_phase_then_from_the_last_value() -> None:
    y = np.array([[NAN, 2.0, NAN, 4.0, 5.0, NAN, NAN, NAN, NAN]])
    assert fill_gaps_from_past(y, 4).tolist() == [[0, 2, 2, 4, 5, 2, 2, 4, 5]]
    assert fill_gaps_from_past(y, 1).tolist() == [[0, 2, 2, 4, 5, 5, 5, 5, 5]]


@given(
    y=st.lists(st.sampled_from([NAN, 1.0, 2.0, 3.0]), min_size=1, max_size=20),
    season=st.integers(1, 6),
    cut=st.integers(1, 20),
)
def test_gaps_are_filled_only_from_the_past(
    y: list[float], season: int, cut: int
) -> None:
    whole = fill_gaps_from_past(np.array([y]), season)
    part = fill_gaps_from_past(np.array([y[:cut]]), season)
    assert whole[0, :cut].tolist() == part[0].tolist()
    observed = ~np.isnan(np.array(y))
    assert whole[0, observed].tolist() == np.array(y)[observed].tolist()


@pytest.mark.parametrize("alpha", [0.03, 0.5])
def test_a_long_moving_average_is_that_of_its_recursion(alpha: float) -> None:
    x = np.random.default_rng(0).normal(size=5000)
    expected, mass, total = np.empty(5000), 0.0, 0.0
    for t, value in enumerate(x):
        mass, total = alpha + (1 - alpha) * mass, alpha * value + (1 - alpha) * total
        expected[t] = total / mass
    np.testing.assert_allclose(
        exponential_moving_average(x, np.ones(5000), alpha),
        expected,
        rtol=1e-9,
        atol=1e-12,
    )


def test_the_future_changes_no_bit_of_a_moving_average() -> None:
    x = np.random.default_rng(0).normal(size=3000)
    whole = exponential_moving_average(x, np.ones(3000), 0.5)
    for cut in (1, 50, 86, 87, 500):
        assert (
            exponential_moving_average(x[:cut], np.ones(cut), 0.5).tolist()
            == whole[:cut].tolist()
        )


def test_a_moving_average_stays_finite_after_a_shock() -> None:
    x = np.zeros(2000)
    x[1000] = 1e250
    assert np.isfinite(exponential_moving_average(x, np.ones(2000), 0.5)).all()


def test_the_mean_of_the_largest_numbers_is_that_of_small_ones_at_another_scale() -> (
    None
):
    x = np.random.default_rng(4).normal(size=(2, 200))
    huge = exponential_moving_average(np.ldexp(x, 1000), np.ones_like(x), 0.3)
    np.testing.assert_array_equal(
        huge, np.ldexp(exponential_moving_average(x, np.ones_like(x), 0.3), 1000)
    )
