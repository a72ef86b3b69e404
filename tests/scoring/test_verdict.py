"""The verdict: figures by hand, fair windows, and baselines as others have measured them."""

import json
import math

import numpy as np
import pandas as pd
import pytest

from lstmcast.errors import DataError
from lstmcast.panel.forecast_table import point_forecast
from lstmcast.panel.panel import Panel
from lstmcast.ragged import NAN
from lstmcast.scoring.verdict import Verdict, score_forecasts
from tests.conftest import shared_file
from tests.scoring.cases import LEVELS, RAMP, panel_of, quantiles_around


def test_figures_of_one_window_by_hand() -> None:
    panel = panel_of([0.0, 2, 4, 6, 8, 10])
    verdict = score_forecasts(
        panel, np.array([0]), np.array([3]), quantiles_around([[9, 9]]), LEVELS, 1
    )
    assert verdict.model["mae"] == 1
    assert verdict.model["mase"] == 0.5  # the in-sample step is 2
    assert verdict.model["coverage"] == 1
    assert verdict.model["mape"] == pytest.approx(100 * (1 / 8 + 1 / 10) / 2)
    assert verdict.baselines["naive"]["mae"] == 3
    assert verdict.baselines["drift"]["mae"] == 0
    assert (verdict.best_baseline, verdict.windows, verdict.observed) == ("drift", 1, 2)
    assert [row["mae"] for row in verdict.by_step] == [1, 1]
    assert [row["coverage"] for row in verdict.by_step] == [1, 1]


def test_series_weigh_the_same_however_many_windows_they_have() -> None:
    panel = panel_of(RAMP, RAMP)
    series, origins = np.array([0, 0, 0, 1]), np.array([5, 6, 7, 5])
    centre = [[8.0], [9.0], [10.0], [17.0]]  # off by 1, 1, 1 and 10
    verdict = score_forecasts(
        panel, series, origins, quantiles_around(centre), LEVELS, 1, by_series=True
    )
    assert verdict.model["mae"] == pytest.approx(5.5)
    assert [row["mae"] for row in verdict.by_series] == [1, 10]
    assert [row["windows"] for row in verdict.by_series] == [3, 1]
    assert (verdict.series, verdict.windows, verdict.origins) == (2, 4, 3)


def test_skill_is_measured_against_the_baseline_of_least_mase() -> None:
    season = [0.0, 10, 0, 10, 0, 10, 0, 10, 0, 10]
    panel = panel_of(season)
    verdict = score_forecasts(
        panel, np.array([0]), np.array([7]), quantiles_around([[1, 9]]), LEVELS, 2
    )
    assert verdict.best_baseline == "seasonal_naive"
    assert math.isnan(
        verdict.skill
    )  # the baseline is perfect, so no share of its error can be named
    assert not verdict.beats_baseline
    assert verdict.sentences()[0] == (
        "On the last 2 months the model was off by 1 on average, repeating the last 2 months by 0."
    )


def test_a_season_of_one_step_has_no_seasonal_baseline() -> None:
    verdict = score_forecasts(
        panel_of(RAMP), np.array([0]), np.array([7]), quantiles_around([[9]]), LEVELS, 1
    )
    assert set(verdict.baselines) == {"naive", "drift", "mean", "median", "theta"}


def test_missing_and_future_actuals_are_left_out() -> None:
    panel = panel_of([1.0, 2, 3, 4, NAN, 6])
    verdict = score_forecasts(
        panel,
        np.array([0]),
        np.array([3]),
        quantiles_around([[5, 7, 99, 99]]),
        LEVELS,
        1,
    )
    assert verdict.observed == 1
    assert verdict.model["mae"] == 1
    assert [math.isnan(row["mae"]) for row in verdict.by_step] == [
        True,
        False,
        True,
        True,
    ]


def test_no_known_actual_is_a_data_error() -> None:
    with pytest.raises(DataError, match="no actual value"):
        score_forecasts(
            panel_of(RAMP),
            np.array([0]),
            np.array([11]),
            quantiles_around([[1, 2]]),
            LEVELS,
            1,
        )


def test_the_scale_knows_only_what_came_before_the_first_origin() -> None:
    calm, wild = [0.0, 1, 0, 1, 0, 1, 0, 1], [0.0, 1, 0, 1, 0, 1, 500, -900]
    verdict = score_forecasts(
        panel_of(calm), np.array([0]), np.array([4]), quantiles_around([[0]]), LEVELS, 1
    )
    same = score_forecasts(
        panel_of(wild), np.array([0]), np.array([4]), quantiles_around([[0]]), LEVELS, 1
    )
    assert verdict.model == same.model


def test_ends_move_the_scale_to_the_training_part() -> None:
    panel = panel_of([0.0, 1, 2, 3, 13, 23, 24])
    late = score_forecasts(
        panel,
        np.array([0]),
        np.array([5]),
        quantiles_around([[25]]),
        LEVELS,
        1,
        ends=np.array([4]),
    )
    assert late.model["mase"] == 1


def test_series_that_never_change_are_counted_and_left_out_of_scaled_errors() -> None:
    verdict = score_forecasts(
        panel_of([5.0] * 6, RAMP),
        np.array([0, 1]),
        np.array([3, 3]),
        quantiles_around([[6], [6]]),
        LEVELS,
        1,
    )
    assert verdict.unscaled == 1
    assert verdict.model["mase"] == 1
    assert verdict.model["mae"] == 1


def test_a_single_constant_series_is_judged_by_plain_error() -> None:
    verdict = score_forecasts(
        panel_of([5.0] * 6),
        np.array([0]),
        np.array([3]),
        quantiles_around([[5]]),
        LEVELS,
        1,
    )
    assert math.isnan(verdict.model["mase"])
    assert verdict.skill == 0
    assert (
        "as well as the best simple method, repeating the last value"
        in verdict.sentences()[0]
    )


def test_a_broken_forecast_never_counts_as_a_win() -> None:
    verdict = score_forecasts(
        panel_of(RAMP),
        np.array([0]),
        np.array([7]),
        quantiles_around([[NAN]]),
        LEVELS,
        1,
    )
    assert math.isnan(verdict.skill)
    assert not verdict.beats_baseline


def test_the_interval_is_the_outermost_where_ten_and_ninety_are_missing() -> None:
    levels = np.array([0.05, 0.5, 0.8])
    verdict = score_forecasts(
        panel_of(RAMP), np.array([0]), np.array([7]), quantiles_around([[9]]), levels, 1
    )
    assert verdict.interval == (0.05, 0.8)
    assert (
        verdict.sentences()[-1] == "Of 1 actual value 1 fell inside the 75 % interval."
    )


def test_a_median_without_other_quantiles_has_no_coverage() -> None:
    verdict = score_forecasts(
        panel_of(RAMP),
        np.array([0]),
        np.array([7]),
        quantiles_around([[9]])[..., 1:2],
        np.array([0.5]),
        1,
    )
    assert math.isnan(verdict.model["coverage"])
    assert not any("interval" in sentence for sentence in verdict.sentences())


def test_the_median_is_interpolated_where_it_was_not_requested() -> None:
    quantiles = np.array([[[0.0, 10.0]]])
    assert point_forecast(quantiles, np.array([0.25, 0.75])).tolist() == [[5]]
    assert point_forecast(quantiles, np.array([0.6, 0.8])).tolist() == [[0]]
    assert point_forecast(quantiles, np.array([0.1, 0.2])).tolist() == [[10]]


def test_json_round_trip_keeps_everything_and_writes_nan_as_null() -> None:
    verdict = score_forecasts(
        panel_of([5.0] * 6),
        np.array([0]),
        np.array([3]),
        quantiles_around([[6, 6, 6]]),
        LEVELS,
        1,
        by_series=True,
    )
    text = json.dumps(verdict.to_dict(), allow_nan=False)
    again = Verdict.from_dict(json.loads(text))
    assert json.dumps(again.to_dict(), allow_nan=False) == text
    assert json.loads(text)["model"]["mase"] is None
    assert math.isnan(again.model["mase"])
    assert isinstance(again, Verdict)
    assert again.interval == (0.1, 0.9)


@pytest.mark.parametrize(
    ("name", "file", "options", "horizon", "season", "windows"),
    [
        (
            "air_passengers",
            "airline-passengers.csv",
            {"target": "Passengers"},
            12,
            12,
            2,
        ),
        ("retail_sales", "example_retail_sales.csv", {"target": "y"}, 12, 12, 3),
        ("stocks", "stocks.csv", {"target": "price", "series": "symbol"}, 6, 1, 4),
    ],
)
def test_baselines_score_as_others_have_measured_them(
    name: str,
    file: str,
    options: dict[str, str],
    horizon: int,
    season: int,
    windows: int,
) -> None:
    table = pd.read_csv(shared_file("reference_everyday.csv"))
    reference = table[table["set"] == name].set_index("method")["MASE"]
    panel = Panel.from_frame(pd.read_csv(shared_file(f"everyday/{file}")), **options)
    series = np.repeat(np.arange(len(panel)), windows)
    origins = (panel.lengths[:, None] - 1 - horizon * np.arange(windows, 0, -1)).ravel()
    zeros = np.zeros((len(series), horizon, 1))
    baselines = score_forecasts(
        panel, series, origins, zeros, np.array([0.5]), season
    ).baselines
    for ours, theirs in (
        ("naive", "Naive"),
        ("drift", "RWD"),
        ("seasonal_naive", "SeasonalNaive"),
    ):
        if ours in baselines:
            assert round(baselines[ours]["mase"], 4) == reference[theirs]


def test_the_method_that_is_asked_for_is_the_rival_of_all_figures() -> None:
    best = score_forecasts(
        panel_of(RAMP), np.array([0]), np.array([6]), quantiles_around([[8]]), LEVELS, 1
    )
    asked = score_forecasts(
        panel_of(RAMP), np.array([0]), np.array([6]), quantiles_around([[8]]), LEVELS, 1,
        against="mean",
    )  # fmt: skip
    assert (best.best_baseline, asked.best_baseline) == ("drift", "mean")
    error = asked.baselines["mean"]["mae"]
    assert asked.skill == 1 - asked.model["mae"] / error
    assert asked.by_step[0]["baseline_mae"] == error
