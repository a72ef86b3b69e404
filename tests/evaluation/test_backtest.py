"""Forecasts from past cutoffs: nothing leaks, and the number of jobs changes nothing."""

import os
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lstmcast.compute.progress import Event
from lstmcast.config import Config, TrainConfig, WindowConfig
from lstmcast.errors import DataError, ResourceError, UsageError
from lstmcast.evaluation.backtest import Result, backtest, evaluate, score
from lstmcast.panel.panel import Panel
from lstmcast.training.forecaster import Forecaster

MODULE = sys.modules[backtest.__module__]
QUICK = Config(window=WindowConfig(horizon=4), train=TrainConfig(steps=4, members=1))


def frame_of(lengths: dict[str, int], seed: int = 0) -> pd.DataFrame:
    """Monthly series with a yearly season, all from January 2000."""
    rng = np.random.default_rng(seed)
    parts = []
    for name, length in lengths.items():
        month = np.arange(length)
        values = (
            100 + month + 10 * np.sin(2 * np.pi * month / 12) + rng.normal(size=length)
        )
        stamps = pd.date_range("2000", periods=length, freq="MS")
        parts.append(pd.DataFrame({"shop": name, "month": stamps, "y": values}))
    return pd.concat(parts, ignore_index=True)


def panel_of(frame: pd.DataFrame) -> Panel:
    return Panel.from_frame(frame, target="y", time="month", series="shop")


def months(stamps: pd.Series) -> list[str]:
    return stamps.dt.strftime("%Y-%m").tolist()


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return frame_of({"a": 60, "b": 48})


@pytest.fixture(scope="module")
def result(frame: pd.DataFrame) -> Result:
    return backtest(panel_of(frame), QUICK, windows=2)


@pytest.fixture(scope="module")
def fitted(frame: pd.DataFrame) -> Forecaster:
    """Trained on the first 40 months of each shop, up to April 2003."""
    return Forecaster(QUICK).fit(panel_of(frame[frame["month"] < "2003-05"]))


def test_forecasts_have_the_documented_columns_and_one_row_a_step(
    result: Result,
) -> None:
    columns = [
        "shop",
        "cutoff",
        "month",
        "actual",
        "forecast",
        *(f"q{level}" for level in range(10, 100, 10)),
    ]
    assert list(result.forecasts) == columns
    assert len(result.forecasts) == 2 * 2 * 4


def test_cutoffs_count_back_from_each_series_own_end(result: Result) -> None:
    windows = (
        result.forecasts.groupby(["shop", "cutoff"], sort=False)["month"]
        .agg(["min", "max"])
        .reset_index()
    )
    assert windows["shop"].tolist() == ["a", "a", "b", "b"]
    assert months(windows["cutoff"]) == ["2004-04", "2004-08", "2003-04", "2003-08"]
    assert months(windows["min"]) == ["2004-05", "2004-09", "2003-05", "2003-09"]
    assert months(windows["max"]) == ["2004-08", "2004-12", "2003-08", "2003-12"]


def test_actual_values_stand_beside_the_forecasts(
    result: Result, frame: pd.DataFrame
) -> None:
    joined = result.forecasts.merge(frame, on=["shop", "month"])
    assert len(joined) == len(result.forecasts)
    assert joined["actual"].tolist() == joined["y"].tolist()


def test_there_is_a_verdict_for_the_whole_and_for_every_fold(result: Result) -> None:
    assert (result.verdict.windows, result.verdict.series, result.verdict.origins) == (
        4,
        2,
        2,
    )
    assert [fold.windows for fold in result.folds] == [2, 2]
    errors = [fold.model["mae"] for fold in result.folds]
    assert result.verdict.model["mae"] == pytest.approx(np.mean(errors))


def test_scoring_the_table_gives_the_same_verdict(
    result: Result, frame: pd.DataFrame
) -> None:
    shuffled = result.forecasts.sample(frac=1, random_state=0)
    assert (
        score(shuffled, panel_of(frame), season=result.verdict.season).to_dict()
        == result.verdict.to_dict()
    )


def futures(frame: pd.DataFrame) -> list[pd.DataFrame]:
    """Frames with the same past up to the first cutoffs of `QUICK`, and quite other futures.

    The cutoffs are those of two windows.
    """
    past = frame.groupby("shop").cumcount(ascending=False) >= 8
    noise = np.random.default_rng(1).normal(scale=1e6, size=len(frame))
    changed = [
        frame["y"].where(past, other) for other in (noise, np.nan, -1e9, 0.0, 1e-9)
    ]
    return [frame.assign(y=y) for y in changed]


@pytest.mark.parametrize("refit", [True, False], ids=["refit", "once"])
def test_no_change_of_the_future_changes_a_forecast_made_before(
    frame: pd.DataFrame, refit: bool
) -> None:
    columns = ["forecast", *(f"q{level}" for level in range(10, 100, 10))]
    first = ("a", "2004-04"), ("b", "2003-04")
    expected = None
    for other in (frame, *futures(frame)):
        if other["y"].isna().any():
            # No actual value of the two last windows is left, so give both shops some to be scored
            # on.
            ends = other.groupby("shop")["month"].transform("max")
            other = other.assign(y=other["y"].where(other["month"] < ends, 5.0))
        table = backtest(panel_of(other), QUICK, windows=2, refit=refit).forecasts
        pairs = zip(table["shop"], months(table["cutoff"]), strict=True)
        forecasts = table[[pair in first for pair in pairs]][columns].to_numpy()
        assert len(forecasts) == 8
        expected = forecasts if expected is None else expected
        np.testing.assert_array_equal(forecasts, expected)


def test_any_number_of_jobs_gives_the_same_bytes(
    result: Result, frame: pd.DataFrame
) -> None:
    again = backtest(panel_of(frame), QUICK, windows=2, jobs=2)
    pd.testing.assert_frame_equal(again.forecasts, result.forecasts, check_exact=True)
    assert again.verdict.to_dict() == result.verdict.to_dict()


def test_folds_have_seeds_of_their_own_derived_from_the_configured_one(
    frame: pd.DataFrame,
) -> None:
    seeds: list[int] = []

    class Spy(Forecaster):
        def __init__(self, config: Config) -> None:
            seeds.append(config.train.seed)
            super().__init__(config)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lstmcast.training.forecaster.Forecaster", Spy)
        backtest(panel_of(frame), QUICK, windows=2)
        backtest(panel_of(frame), QUICK, windows=2)
    assert seeds[:2] == seeds[2:]
    assert seeds[0] != seeds[1]


def test_the_panel_of_the_caller_is_left_as_it_is(
    frame: pd.DataFrame, fitted: Forecaster
) -> None:
    panel = panel_of(frame)
    before = panel.fingerprint()
    found = backtest(panel, QUICK, windows=2, refit=False)
    evaluate(fitted, panel)
    score(found.forecasts, panel)
    assert panel.fingerprint() == before


def history_lengths(panel: Panel, **options: Any) -> list[list[int]]:
    """Return the lengths of the histories that the folds of a backtest are fitted to."""
    lengths: list[list[int]] = []

    class Spy(Forecaster):
        def fit_part(self, panel: Panel, **more: Any) -> Forecaster:
            lengths.append(panel.lengths.tolist())
            return super().fit_part(panel, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lstmcast.training.forecaster.Forecaster", Spy)
        backtest(panel, QUICK, **options)
    return lengths


def test_folds_are_fitted_to_all_history_or_to_a_window_of_one_length(
    frame: pd.DataFrame,
) -> None:
    panel = panel_of(frame)
    assert history_lengths(panel, windows=2) == [[52, 40], [56, 44]]
    assert history_lengths(panel, windows=2, expanding=False) == [[52, 40], [52, 44]]
    assert history_lengths(panel, windows=2, refit=False) == [[52, 40]]


def test_cutoffs_can_be_closer_than_a_horizon(frame: pd.DataFrame) -> None:
    found = backtest(panel_of(frame), QUICK, windows=3, step=1, refit=False)
    assert months(found.forecasts["cutoff"].drop_duplicates())[:3] == [
        "2004-06",
        "2004-07",
        "2004-08",
    ]
    assert found.verdict.windows == 6


def test_series_too_short_for_the_oldest_cutoffs_join_later() -> None:
    found = backtest(
        panel_of(frame_of({"a": 60, "b": 9})), QUICK, windows=3, refit=False
    )
    assert [fold.series for fold in found.folds] == [1, 1, 2]


def test_no_series_long_enough_is_a_data_error_with_need_and_have() -> None:
    with pytest.raises(DataError, match="need 6 steps, the longest series has 5"):
        backtest(panel_of(frame_of({"a": 5, "b": 4})), QUICK)


@pytest.mark.parametrize("options", [{"windows": 0}, {"step": 0}, {"jobs": 0}])
def test_numbers_below_one_are_usage_errors(
    frame: pd.DataFrame, options: dict[str, int]
) -> None:
    with pytest.raises(UsageError, match="out of range"):
        backtest(panel_of(frame), QUICK, **options)


def test_a_column_named_like_one_of_the_result_is_refused_before_anything_is_fitted(
    frame: pd.DataFrame,
) -> None:
    panel = Panel.from_frame(
        frame.rename(columns={"shop": "actual"}),
        target="y",
        time="month",
        series="actual",
    )
    with pytest.raises(DataError, match="'actual'"):
        backtest(panel, QUICK)


def test_progress_is_reported_fold_by_fold_and_within_folds(
    frame: pd.DataFrame,
) -> None:
    events: list[Event] = []
    backtest(panel_of(frame), QUICK, windows=2, on_event=events.append)
    assert {(event.phase, event.total) for event in events} == {("backtest", 2)}
    done = [event.step + event.part for event in events]
    assert done[0] == 0 and done[-1] == 2
    assert done == sorted(done)
    assert any(event.part > 0 for event in events)


def test_evaluate_scores_rows_newer_than_the_training_and_refits_nothing(
    frame: pd.DataFrame, fitted: Forecaster
) -> None:
    found = evaluate(fitted, panel_of(frame))
    cutoffs = {
        shop: months(rows["cutoff"].drop_duplicates())
        for shop, rows in found.forecasts.groupby("shop")
    }
    assert cutoffs == {
        "a": ["2003-04", "2003-08", "2003-12", "2004-04", "2004-08"],
        "b": ["2003-04", "2003-08"],
    }
    assert found.verdict.windows == 7
    assert [fold.series for fold in found.folds] == [2, 2, 1, 1, 1]


def test_evaluate_begins_where_the_run_itself_would_forecast_from(
    frame: pd.DataFrame, fitted: Forecaster
) -> None:
    forecasts = evaluate(fitted, panel_of(frame)).forecasts
    first = forecasts[forecasts["cutoff"] == forecasts["cutoff"].min()]
    predicted = fitted.predict()
    np.testing.assert_allclose(
        first["forecast"].to_numpy(), predicted["forecast"].to_numpy(), rtol=1e-6
    )
    assert months(first["month"]) == months(predicted["month"])


def test_the_newest_windows_are_scored_where_a_number_is_given(
    frame: pd.DataFrame, fitted: Forecaster
) -> None:
    found = evaluate(fitted, panel_of(frame), windows=1)
    assert months(found.forecasts["cutoff"].drop_duplicates()) == ["2004-08", "2003-08"]


def test_less_than_a_horizon_of_new_rows_makes_one_window(
    frame: pd.DataFrame, fitted: Forecaster
) -> None:
    found = evaluate(fitted, panel_of(frame[frame["month"] < "2003-07"]))
    assert (found.verdict.windows, found.verdict.observed) == (2, 4)
    assert found.forecasts["actual"].isna().sum() == 4


def test_no_newer_rows_is_a_data_error_that_names_the_end_of_training(
    frame: pd.DataFrame, fitted: Forecaster
) -> None:
    with pytest.raises(
        DataError, match=r"need rows after 2003-04.*the data ends at 2003-04"
    ) as caught:
        evaluate(fitted, panel_of(frame[frame["month"] < "2003-05"]))
    assert caught.value.exit_code == 3


def test_only_new_rows_are_scored_from_the_history_that_the_run_keeps(
    frame: pd.DataFrame, fitted: Forecaster
) -> None:
    newer = evaluate(fitted, panel_of(frame[frame["month"] >= "2003-05"]))
    assert newer.verdict == evaluate(fitted, panel_of(frame)).verdict


def test_new_rows_far_from_their_history_are_a_data_error(
    frame: pd.DataFrame, fitted: Forecaster
) -> None:
    later = frame.assign(month=frame["month"] + pd.DateOffset(years=9))
    with pytest.raises(
        DataError,
        match="'a' begins at 2009-01.*after the end of its training at 2003-04",
    ):
        evaluate(fitted, panel_of(later))


def test_a_series_that_was_not_trained_on_is_scored_from_where_training_ended(
    fitted: Forecaster,
) -> None:
    found = evaluate(fitted, panel_of(frame_of({"a": 60, "new": 44})))
    assert months(
        found.forecasts.loc[
            found.forecasts["shop"] == "new", "cutoff"
        ].drop_duplicates()
    ) == ["2003-04"]


def test_what_comes_after_a_cutoff_changes_no_evaluation_before_it(
    frame: pd.DataFrame, fitted: Forecaster
) -> None:
    later = frame["month"] >= "2003-09"
    other = frame.assign(y=frame["y"].where(~later, -1e6))
    tables = [evaluate(fitted, panel_of(data)).forecasts for data in (frame, other)]
    early = [
        table.loc[table["cutoff"] < "2003-09", "forecast"].to_numpy()
        for table in tables
    ]
    assert len(early[0]) == 2 * 2 * 4
    np.testing.assert_array_equal(*early)


def test_scoring_takes_forecasts_from_elsewhere(frame: pd.DataFrame) -> None:
    last = frame.groupby("shop").tail(2).rename(columns={"y": "forecast"})
    verdict = score(last.assign(forecast=last["forecast"] + 1), panel_of(frame))
    assert verdict.model["mae"] == pytest.approx(1)
    assert (verdict.windows, verdict.horizon, verdict.origins) == (2, 2, 1)
    assert np.isnan(verdict.model["coverage"])


def test_scoring_a_single_series_needs_no_series_column() -> None:
    frame = frame_of({"a": 30})[["month", "y"]]
    last = frame.tail(3).rename(columns={"y": "forecast"})
    assert score(last, Panel.from_frame(frame, target="y")).model["mae"] == 0


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda f: f.drop(index=f.index[1]), "are not the steps 1 to 4"),
        (lambda f: pd.concat([f, f.tail(1)]), "are not the steps 1 to 4"),
        (lambda f: f.assign(shop="zz"), "no series 'zz'"),
        (lambda f: f.rename(columns={"forecast": "forcast"}), "no column 'forecast'"),
    ],
    ids=["hole", "twice", "unknown", "column"],
)
def test_tables_that_cannot_be_scored_are_data_errors(
    result: Result, frame: pd.DataFrame, spoil: Any, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        score(spoil(result.forecasts), panel_of(frame))


def test_steps_without_dates_are_scored_over_the_horizon_that_a_fit_would_have() -> (
    None
):
    step = np.arange(90)
    frame = pd.DataFrame({"t": step, "y": 50 + 10 * np.sin(2 * np.pi * step / 12)})
    panel = Panel.from_frame(frame, target="y", time="t")
    config = Config(train=TrainConfig(steps=0))
    found = backtest(panel, config, windows=1, refit=False)
    assert found.verdict.horizon == Forecaster(config).fit(panel).horizon == 12


def die(*_: Any) -> Any:
    os._exit(9)


def test_a_worker_that_dies_is_a_resource_error_and_never_a_hang(
    frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MODULE, "_backtest_fold", die)
    with pytest.raises(ResourceError, match="died"):
        backtest(panel_of(frame), QUICK, windows=2, jobs=2)
