"""Baselines against numbers worked out by hand."""

import numpy as np
import pytest

from lstmcast.errors import UsageError
from lstmcast.ragged import NAN
from lstmcast.scoring.baselines import (
    choose_rival,
    drift_forecast,
    fill_forward_by_phase,
    mean_forecast,
    naive_forecast,
    seasonal_mean_forecast,
    seasonal_naive_forecast,
)

# Two series: 1..8, and four steps with gaps.
VALUES = np.array([1.0, 2, 3, 4, 5, 6, 7, 8, 10, NAN, 30, NAN])
OFFSETS = np.array([0, 8, 12])
BOTH, ENDS = np.array([0, 1]), np.array([7, 3])


def test_naive_repeats_the_last_observed_value() -> None:
    assert naive_forecast(VALUES, OFFSETS, BOTH, ENDS, 3).tolist() == [
        [8, 8, 8],
        [30, 30, 30],
    ]


def test_seasonal_naive_repeats_the_last_season_beyond_its_own_length() -> None:
    assert seasonal_naive_forecast(
        VALUES, OFFSETS, BOTH[:1], ENDS[:1], 6, 4
    ).tolist() == [[5, 6, 7, 8, 5, 6]]


def test_seasonal_naive_looks_further_back_for_a_missing_value_then_takes_the_last_one() -> (
    None
):
    # Season 2 of (10, -, 30, -): odd steps have 30, even steps were never observed.
    assert seasonal_naive_forecast(
        VALUES, OFFSETS, BOTH[1:], ENDS[1:], 2, 2
    ).tolist() == [[30, 30]]
    values, offsets = np.array([1.0, 2, 3, NAN, 5, NAN]), np.array([0, 6])
    assert seasonal_naive_forecast(
        values, offsets, np.array([0]), np.array([5]), 2, 2
    ).tolist() == [[5, 2]]


def test_seasonal_naive_of_a_history_shorter_than_a_season_is_naive() -> None:
    assert seasonal_naive_forecast(
        VALUES, OFFSETS, BOTH, np.array([1, 0]), 2, 12
    ).tolist() == [
        [2, 2],
        [10, 10],
    ]


def test_drift_continues_the_line_through_the_observed_ends() -> None:
    assert drift_forecast(VALUES, OFFSETS, BOTH, ENDS, 2).tolist() == [
        [9, 10],
        [50, 60],
    ]


def test_drift_with_one_observed_value_is_flat() -> None:
    assert drift_forecast(
        VALUES, OFFSETS, np.array([1]), np.array([1]), 2
    ).tolist() == [[10, 10]]


def test_seasonal_mean_averages_the_same_season_of_past_cycles() -> None:
    assert seasonal_mean_forecast(
        VALUES, OFFSETS, BOTH[:1], ENDS[:1], 3, 4
    ).tolist() == [[3, 4, 5]]
    assert seasonal_mean_forecast(
        VALUES, OFFSETS, BOTH[:1], ENDS[:1], 3, 4, cycles=1
    ).tolist() == [[5, 6, 7]]
    assert seasonal_mean_forecast(
        VALUES, OFFSETS, BOTH[1:], ENDS[1:], 2, 2
    ).tolist() == [[20, 30]]


def test_nothing_observed_up_to_the_origin_gives_no_forecast() -> None:
    values, offsets, first = (
        np.array([5.0, NAN, NAN, 4]),
        np.array([0, 1, 4]),
        np.array([1]),
    )
    for forecast in (
        naive_forecast(values, offsets, first, first, 2),
        seasonal_naive_forecast(values, offsets, first, first, 2, 2),
        drift_forecast(values, offsets, first, first, 2),
        seasonal_mean_forecast(values, offsets, first, first, 2, 2),
    ):
        assert np.isnan(forecast).all()


@pytest.mark.parametrize("season", [1, 3, 7])
def test_filling_by_season_agrees_with_a_plain_walk(season: int) -> None:
    rng = np.random.default_rng(season)
    offsets = np.array([0, 5, 5, 22, 60])
    values = np.where(rng.random(60) < 0.5, NAN, rng.normal(size=60))
    expected = values.copy()
    for start, stop in zip(offsets[:-1], offsets[1:], strict=True):
        for t in range(start + season, stop):
            if np.isnan(expected[t]):
                expected[t] = expected[t - season]
    np.testing.assert_array_equal(
        fill_forward_by_phase(values, offsets, season), expected
    )


def test_no_baseline_reads_past_the_origin_or_changes_its_input() -> None:
    rng = np.random.default_rng(0)
    values = np.where(rng.random(200) < 0.2, NAN, rng.normal(size=200))
    offsets, series, origins = (
        np.array([0, 80, 200]),
        np.array([0, 0, 1]),
        np.array([20, 40, 60]),
    )
    step = np.arange(200) - np.repeat(offsets[:-1], np.diff(offsets))
    for window in range(3):
        i, o = series[window : window + 1], origins[window : window + 1]
        future = (np.repeat([0, 1], np.diff(offsets)) != i) | (step > o)
        for other in (np.where(future, 1e9, values), np.where(future, NAN, values)):
            before = other.copy()
            for make in (
                naive_forecast,
                drift_forecast,
                seasonal_naive_forecast,
                seasonal_mean_forecast,
            ):
                more = (
                    (7,)
                    if make in (seasonal_naive_forecast, seasonal_mean_forecast)
                    else ()
                )
                np.testing.assert_array_equal(
                    make(values, offsets, i, o, 10, *more),
                    make(other, offsets, i, o, 10, *more),
                )
            np.testing.assert_array_equal(other, before)


def test_the_rival_is_the_best_by_mae_or_the_one_asked_for() -> None:
    scores = {"naive": {"mae": 3.0}, "drift": {"mae": 2.0}, "mean": {"mae": NAN}}
    assert choose_rival(scores) == "drift"
    assert choose_rival(scores, "naive") == "naive"
    with pytest.raises(UsageError, match="'drifd'") as caught:
        choose_rival(scores, "drifd")
    assert "drift" in caught.value.hint


def test_the_mean_is_of_the_observed_values_alone() -> None:
    # 1..8, and (10, -, 30, -).
    means = mean_forecast(VALUES, OFFSETS, BOTH, ENDS, 2)
    assert means.tolist() == [[4.5, 4.5], [20, 20]]
