"""Errors against numbers worked out by hand, and against the table of the M4 competition."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lstmcast.ragged import NAN
from lstmcast.scoring import metrics
from tests.conftest import shared_file

ACTUAL = np.array([[10.0, 20], [0, 4], [NAN, 8]])
FORECAST = np.array([[12.0, 15], [0, 2], [1, 10]])
SERIES = np.array([0, 1, 1])  # series 0: errors 2, 5; series 1: errors 0, 2, 2


def test_mae_is_the_mean_over_series_of_each_series_mean() -> None:
    assert metrics.mae(ACTUAL, FORECAST, SERIES) == pytest.approx((3.5 + 4 / 3) / 2)
    assert metrics.mae(ACTUAL, FORECAST) == pytest.approx((3.5 + 1 + 2) / 3)


def test_rmse_takes_the_root_within_a_series() -> None:
    assert metrics.rmse(ACTUAL, FORECAST, SERIES) == pytest.approx(
        (np.sqrt(29 / 2) + np.sqrt(8 / 3)) / 2
    )


def test_smape_counts_two_zeros_as_no_error() -> None:
    first = 200 * (2 / 22 + 5 / 35) / 2
    second = 200 * (0 + 2 / 6 + 2 / 18) / 3
    assert metrics.smape(ACTUAL, FORECAST, SERIES) == pytest.approx(
        (first + second) / 2
    )


def test_mape_leaves_out_actuals_of_zero() -> None:
    assert metrics.mape(ACTUAL, FORECAST, SERIES) == pytest.approx(
        100 * ((0.2 + 0.25) / 2 + (0.5 + 0.25) / 2) / 2
    )


def test_mase_and_rmsse_are_multiples_of_the_scale() -> None:
    scale = np.array([2.0, 4, 4])
    assert metrics.mase(ACTUAL, FORECAST, scale, SERIES) == pytest.approx(
        (3.5 / 2 + 4 / 3 / 4) / 2
    )
    expected = (np.sqrt(29 / 2) / 2 + np.sqrt(8 / 3) / 4) / 2
    assert metrics.rmsse(ACTUAL, FORECAST, scale, SERIES) == pytest.approx(expected)


@pytest.mark.parametrize("useless", [0.0, NAN])
def test_series_without_a_scale_are_left_out_of_scaled_errors(useless: float) -> None:
    scale = np.array([2.0, useless, useless])
    assert metrics.mase(ACTUAL, FORECAST, scale, SERIES) == pytest.approx(3.5 / 2)
    assert metrics.rmsse(ACTUAL, FORECAST, scale, SERIES) == pytest.approx(
        np.sqrt(29 / 2) / 2
    )


def test_scale_is_the_in_sample_seasonal_naive_error() -> None:
    values, offsets = np.array([1.0, 2, 4, 8, 99, 5, 5, 5, 5]), np.array([0, 5, 9])
    ends = np.array([4, 4])
    assert metrics.seasonal_scale(values, offsets, ends, 2).tolist() == [
        4.5,
        0,
    ]  # |4-1|, |8-2|
    assert metrics.seasonal_scale(values, offsets, ends, 2, power=2)[
        0
    ] == pytest.approx(np.sqrt(45 / 2))


def test_scale_falls_back_to_lag_one_where_a_season_does_not_fit() -> None:
    values, offsets = np.array([1.0, 2, 4, 8, 7]), np.array([0, 4, 5])
    scale = metrics.seasonal_scale(values, offsets, np.array([4, 1]), 4)
    assert scale[0] == pytest.approx(7 / 3)
    assert np.isnan(scale[1])


def test_scale_passes_over_missing_values() -> None:
    values = np.array([1.0, NAN, 4, 8, 5])
    assert metrics.seasonal_scale(
        values, np.array([0, 5]), np.array([5]), 1
    ).tolist() == [3.5]


def test_weighted_quantile_loss_by_hand() -> None:
    quantiles = np.array([[[1.0, 3], [2, 4]]])  # levels .1, .9 against actuals 2, 5
    pinball = np.array([[0.1 * 1, 0.1 * 3], [0.1 * 1, 0.9 * 1]])
    expected = 2 * pinball.sum(axis=1).mean() / 7
    assert metrics.wql(
        np.array([[2.0, 5]]), quantiles, np.array([0.1, 0.9])
    ) == pytest.approx(expected)


def test_weighted_quantile_loss_of_a_median_is_the_mae_over_the_mean_actual() -> None:
    assert metrics.wql(ACTUAL, FORECAST[..., None], np.array([0.5])) == pytest.approx(
        11 / 42
    )


def test_coverage_counts_observed_points_on_or_within_the_bounds() -> None:
    assert metrics.coverage(ACTUAL, FORECAST - 2, FORECAST + 2) == pytest.approx(4 / 5)


def test_owa_is_the_mean_of_both_relative_errors() -> None:
    assert metrics.owa(13.912, 1.193, 18.383, 2.395) == pytest.approx(0.6275, abs=5e-5)


def test_a_missing_forecast_of_an_observed_value_is_never_passed_over() -> None:
    holed = np.where(FORECAST == 15, NAN, FORECAST)
    scale = np.ones(3)
    assert np.isnan(metrics.mae(ACTUAL, holed, SERIES))
    assert np.isnan(metrics.rmse(ACTUAL, holed, SERIES))
    assert np.isnan(metrics.smape(ACTUAL, holed, SERIES))
    assert np.isnan(metrics.mape(ACTUAL, holed, SERIES))
    assert np.isnan(metrics.mase(ACTUAL, holed, scale, SERIES))
    assert np.isnan(metrics.rmsse(ACTUAL, holed, scale, SERIES))
    assert np.isnan(metrics.wql(ACTUAL, holed[..., None], np.array([0.5])))


def test_without_any_observed_value_the_errors_are_nan() -> None:
    nothing = np.full((2, 3), NAN)
    assert np.isnan(metrics.mae(nothing, np.ones((2, 3))))
    assert np.isnan(metrics.rmse(nothing, np.ones((2, 3))))
    assert np.isnan(metrics.coverage(nothing, np.ones((2, 3)), np.ones((2, 3))))
    assert np.isnan(metrics.wql(nothing, np.ones((2, 3, 1)), np.array([0.5])))


def test_huge_and_tiny_series_side_by_side_keep_their_errors() -> None:
    actual, forecast = np.array([[1e300], [1.0]]), np.array([[3e300], [4.0]])
    assert metrics.rmse(actual[1:], forecast[1:]) == 3
    scale = metrics.seasonal_scale(
        np.array([0, 1e300, 0, 1]), np.array([0, 2, 4]), np.array([2, 2]), 1, power=2
    )
    assert scale.tolist() == [1e300, 1]
    assert metrics.rmsse(actual, forecast, scale) == pytest.approx(2.5)


@pytest.mark.parametrize(("group", "season"), [("hourly", 24), ("weekly", 1)])
def test_official_m4_submissions_score_as_in_the_official_table(
    group: str, season: int
) -> None:
    official = pd.read_csv(
        shared_file("m4/m4_official_results_by_frequency.csv")
    ).set_index("method")
    train = pd.read_parquet(shared_file(f"m4/m4_{group}_train.parquet")).sort_values(
        ["unique_id", "t"]
    )
    test = _wide(shared_file(f"m4/m4_{group}_test.parquet"), "y")
    lengths = train.groupby("unique_id").size()
    assert lengths.index.equals(test.index)
    ends = lengths.to_numpy(np.int64)
    offsets = np.concatenate([[0], np.cumsum(ends)])
    scale = metrics.seasonal_scale(
        train["y"].to_numpy(np.float64), offsets, ends, season
    )
    scores = {}
    for method in ("Naive2", "Naive", "sNaive", "SES"):
        forecast = _wide(
            shared_file("m4/m4_reference_forecasts_hourly_weekly.parquet"),
            "yhat",
            method,
        ).loc[test.index, test.columns]
        pair = test.to_numpy(np.float64), forecast.to_numpy(np.float64)
        scores[method] = metrics.smape(*pair), metrics.mase(*pair, scale)
        name = group.title()
        assert round(scores[method][0], 3) == official.loc[method, f"sMAPE_{name}"]
        assert round(scores[method][1], 3) == official.loc[method, f"MASE_{name}"]
        # The official OWA starts from the rounded figures of Naive2.
        reference = (
            official.loc["Naive2", f"sMAPE_{name}"],
            official.loc["Naive2", f"MASE_{name}"],
        )
        assert metrics.owa(*scores[method], *reference) == pytest.approx(
            official.loc[method, f"OWA_{name}"], abs=5e-4
        )


def _wide(path: Path, column: str, method: str | None = None) -> pd.DataFrame:
    frame = pd.read_parquet(path)
    if method is not None:
        frame = frame[frame["method"] == method]
    frame = frame.sort_values(["unique_id", "t"])
    frame["h"] = frame.groupby("unique_id").cumcount()
    return frame.pivot(index="unique_id", columns="h", values=column)
