"""Errors of rows are counted in half-widths of their intervals, those of runs in moving sums."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from lstmcast import Config, Forecaster, Panel, TrainConfig
from lstmcast.monitoring.row_errors import Interval, RowErrorModel, RowErrors

TRAINED, SEASON = 600, 24


def hourly_frame(length: int) -> pd.DataFrame:
    noise = np.random.default_rng(0).normal(size=length)
    values = 100 + 20 * np.sin(2 * np.pi * np.arange(length) / SEASON) + noise
    return pd.DataFrame(
        {"t": pd.date_range("2024-01-01", periods=length, freq="h"), "y": values}
    )


@pytest.fixture(scope="module")
def forecaster() -> Forecaster:
    panel = Panel.from_frame(hourly_frame(TRAINED), target="y", time="t")
    return Forecaster(Config(train=TrainConfig(steps=0))).fit(panel)


@pytest.fixture(scope="module")
def model(forecaster: Forecaster) -> RowErrorModel:
    model = RowErrorModel(forecaster)
    model.fit(forecaster.panel, np.array([SEASON]), np.array([TRAINED]))
    return model


def measure(model: RowErrorModel, frame: pd.DataFrame) -> RowErrors:
    panel = Panel.from_frame(frame, like=model.forecaster.panel)
    return model.measure(panel, np.array([TRAINED]), panel.lengths)


def test_an_error_is_counted_in_half_widths_of_its_side() -> None:
    interval = Interval.from_quantiles(np.array([[8.0, 10.0, 14.0]] * 3))
    errors = interval.scale_errors(np.array([9.0, 10.0, 12.0]))
    assert errors.tolist() == [-0.5, 0.0, 0.5]


def test_an_interval_without_width_still_has_finite_errors() -> None:
    interval = Interval.from_quantiles(np.array([[7.0, 7.0, 7.0], [0.0, 0.0, 0.0]]))
    assert (interval.above > 0).all() and (interval.below > 0).all()
    assert interval.scale_errors(np.array([7.0, 0.0])).tolist() == [0.0, 0.0]


def test_rows_before_the_warm_up_and_missing_values_have_no_error(
    model: RowErrorModel,
) -> None:
    frame = hourly_frame(TRAINED)
    frame.loc[100, "y"] = np.nan
    panel = Panel.from_frame(frame, like=model.forecaster.panel)
    errors = model.measure(panel, np.zeros(1, np.int64), panel.lengths)
    missing = np.isnan(errors.point)
    assert missing[: model.warm_up].all() and missing[100]
    assert missing.sum() == model.warm_up + 1


def test_runs_are_no_longer_than_a_block_of_forecasts(model: RowErrorModel) -> None:
    assert model.run_lengths == [4, 8, 16]
    assert model.run_lengths[-1] <= model.block


@pytest.mark.parametrize(
    ("horizon", "season", "block"),
    [(48, 24, 24), (168, 24, 24), (6, 24, 6), (12, 1, 2), (1, 24, 2)],
)
def test_a_block_is_as_long_as_the_shorter_of_season_and_horizon(
    horizon: int, season: int, block: int
) -> None:
    own = SimpleNamespace(method="")
    sizes = SimpleNamespace(horizon=horizon, season=season, combination=own)
    assert RowErrorModel(sizes).block == block  # type: ignore[arg-type]


def test_rows_are_judged_by_networks_where_a_simple_method_forecasts() -> None:
    """The mean of four days would show a wrong value again on each of the next four."""
    frame = hourly_frame(660)
    frame.loc[610, "y"] += 50.0
    known = frame.head(600)
    forecaster = Forecaster(Config(train=TrainConfig(steps=0)))
    forecaster.fit(Panel.from_frame(known, target="y", time="t"))
    combination = forecaster.combination
    spread = np.zeros((forecaster.horizon, 9))
    forecaster.combination = combination._replace(method="seasonal_mean", spread=spread)
    model = RowErrorModel(forecaster)
    panel = Panel.from_frame(frame, like=forecaster.panel)
    lower = np.array([600])
    errors = model.measure(panel, lower, panel.lengths).point
    assert abs(errors[10]) > 5 > np.abs(errors[[34, 58]]).max()
    # The run itself forecasts as it did.
    assert forecaster.combination.method == "seasonal_mean"


def test_a_lasting_shift_strays_farther_than_ordinary_rows_do(
    model: RowErrorModel,
) -> None:
    frame = hourly_frame(660)
    frame.loc[620:, "y"] += 2.0
    deviations, rows = model.largest_run_deviations(measure(model, frame))
    assert np.median(deviations[23:30]) > deviations[:20].max()
    assert set(rows) <= set(model.run_lengths)


def test_a_row_does_not_change_the_errors_before_it(model: RowErrorModel) -> None:
    frame = hourly_frame(660)
    before = measure(model, frame)
    frame.loc[640:, "y"] = 1e6
    after = measure(model, frame)
    np.testing.assert_array_equal(after.point[:40], before.point[:40])
    np.testing.assert_array_equal(after.runs[:40], before.runs[:40])


def test_past_an_alarm_a_row_is_forecast_without_the_row_before_it(
    model: RowErrorModel,
) -> None:
    frame = hourly_frame(660)
    panel = Panel.from_frame(frame, like=model.forecaster.panel)
    frame.loc[639, "y"] += 50.0
    wrong = Panel.from_frame(frame, like=model.forecaster.panel)
    for expected, found in zip(
        model.measure_past_alarm(panel, 0, 640),
        model.measure_past_alarm(wrong, 0, 640),
        strict=True,
    ):
        np.testing.assert_array_equal(found, expected)


def test_rows_are_measured_alike_wherever_the_file_ends(model: RowErrorModel) -> None:
    frame = hourly_frame(TRAINED + 90)
    whole = measure(model, frame)
    for end in (1, 37, 70):
        part = measure(model, frame.iloc[: TRAINED + end])
        for name in ("expected", "above", "below"):
            found = getattr(part.interval, name)
            expected = getattr(whole.interval, name)[:end]
            np.testing.assert_allclose(found, expected, rtol=1e-5)
        np.testing.assert_allclose(part.runs, whole.runs[:end], rtol=1e-4, atol=1e-5)


def test_rows_are_measured_alike_wherever_they_begin(model: RowErrorModel) -> None:
    panel = Panel.from_frame(hourly_frame(TRAINED + 60), like=model.forecaster.panel)
    whole = model.measure(panel, np.array([TRAINED]), panel.lengths)
    later = model.measure(panel, np.array([TRAINED + 21]), panel.lengths)
    np.testing.assert_allclose(later.point, whole.point[21:], rtol=1e-3, atol=1e-4)
