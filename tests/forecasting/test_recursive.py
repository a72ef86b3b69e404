"""Beyond the trained horizon: on paths of a forecaster's own quantiles, from what is known only."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtri

from lstmcast.config import Config, InputConfig, TrainConfig, WindowConfig
from lstmcast.errors import DataError
from lstmcast.forecasting import recursive
from lstmcast.forecasting.recursive import ForecastLimits, forecast_recursively
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Floats, Ints
from lstmcast.training.forecaster import Forecaster
from tests.make import panel_of

LEVELS = np.array([0.1, 0.5, 0.9])


def walk(
    panel: Panel, series: Ints, origins: Ints, horizon: int, levels: Floats
) -> Floats:
    """The right forecast of a random walk with steps of deviation 1."""
    last = panel.values[panel.offsets[series] + origins]
    return np.asarray(
        last[:, None, None]
        + np.sqrt(np.arange(1, horizon + 1))[:, None] * ndtri(levels)
    )


def beyond(
    panel: Panel,
    horizon: int,
    forecast: recursive.ForecastFunction = walk,
    together: bool = True,
) -> Floats:
    series = np.arange(len(panel))
    return forecast_recursively(
        forecast,
        ForecastLimits(5, 50, together),
        panel,
        series,
        panel.lengths - 1,
        horizon,
        LEVELS,
    )


def test_intervals_grow_as_those_of_a_random_walk_do() -> None:
    forecasts = beyond(panel_of([np.full(30, 70.0)]), 42)[0]
    expected = 70 + np.sqrt(np.arange(1, 43))[:, None] * ndtri(LEVELS)
    np.testing.assert_allclose(forecasts[:5], expected[:5])
    width, expected_width = (
        forecasts[:, 2] - forecasts[:, 0],
        expected[:, 2] - expected[:, 0],
    )
    np.testing.assert_allclose(width, expected_width, rtol=0.08)
    np.testing.assert_allclose(forecasts[:, 1], 70, atol=0.1)


def noise(
    panel: Panel, series: Ints, origins: Ints, horizon: int, levels: Floats
) -> Floats:
    """A forecast of noise around 70 by one who also follows the last value halfway."""
    last = panel.values[panel.offsets[series] + origins]
    centre = 70 + 0.5 * (last - 70)
    shape = (1, horizon, 1)
    return np.asarray(np.tile(centre[:, None, None] + 1.2 * ndtri(levels), shape))


def test_intervals_of_noise_around_a_level_do_not_grow_from_block_to_block() -> None:
    forecasts = beyond(panel_of([np.full(30, 70.0)]), 42, noise)[0]
    width = forecasts[:, 2] - forecasts[:, 0]
    np.testing.assert_allclose(width, width[0], rtol=0.1)


def test_errors_go_together_as_they_grow() -> None:
    steps = np.arange(1, 9)
    walk_width = np.sqrt(steps)[:, None] * ndtri(recursive.SAMPLED_LEVELS)
    level_width = np.ones(8)[:, None] * ndtri(recursive.SAMPLED_LEVELS)
    both = np.stack([walk_width, level_width])
    of_walk, of_level = recursive.infer_step_correlations(both)
    np.testing.assert_allclose(of_walk[1:], np.sqrt((steps[1:] - 1) / steps[1:]))
    np.testing.assert_allclose(of_level, 0, atol=1e-9)


def test_a_step_is_the_same_whatever_the_horizon_and_whichever_series_are_beside(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    panel = panel_of([np.full(30, 7.0), np.arange(40.0), np.full(20, -1.0)])
    far = beyond(panel, 17)
    np.testing.assert_array_equal(far[:, :8], beyond(panel, 8))
    monkeypatch.setattr(recursive, "_MAX_CELLS", 1)  # one window at a time
    np.testing.assert_array_equal(far, beyond(panel, 17))


def test_paths_use_what_is_known_ahead_and_nothing_else() -> None:
    t = np.arange(30)
    frame = pd.DataFrame(
        {
            "t": np.arange(42),
            "y": [*t, *[np.nan] * 12],
            "seen": [*t, *[np.nan] * 12],
            "plan": 1.0,
        }
    )
    panel = Panel.from_frame(frame, target="y", time="t", past="seen", future="plan")
    calls = []

    def recorded_walk(
        panel: Panel, series: Ints, origins: Ints, horizon: int, levels: Floats
    ) -> Floats:
        known = len(panel.past) - np.isnan(panel.past).sum()
        calls.append(
            (
                int(panel.lengths[0]),
                known // len(panel),
                float(panel.future.min()),
                panel.ahead.max(),
            )
        )
        return walk(panel, series, origins, horizon, levels)

    beyond(panel, 12, recorded_walk)
    assert calls == [(30, 30, 1.0, 12), (35, 30, 1.0, 7), (40, 30, 1.0, 2)]


def test_joint_targets_follow_one_path_each_at_a_time_with_draws_of_their_own() -> None:
    frame = pd.DataFrame({"t": np.arange(30), "a": 5.0, "b": 5.0})
    panel = Panel.from_frame(frame, target=["a", "b"], time="t")
    drawn = []

    def recorded_walk(
        panel: Panel, series: Ints, origins: Ints, horizon: int, levels: Floats
    ) -> Floats:
        assert len(set(panel.keys)) == len(panel) == 2
        drawn.append([panel.series(i)[-1] for i in (0, 1)])
        return walk(panel, series, origins, horizon, levels)

    beyond(panel, 10, recorded_walk, together=False)
    paths = np.array(drawn[1:])
    assert len(paths) == recursive.PATHS_PER_WINDOW
    assert abs(np.corrcoef(paths.T)[0, 1]) < 0.4


def test_windows_of_one_series_are_not_put_into_one_panel() -> None:
    frame = pd.DataFrame({"t": np.arange(30), "a": np.arange(30.0), "b": 5.0})
    panel = Panel.from_frame(frame, target=["a", "b"], time="t")
    series, origins = np.array([0, 0, 1]), np.array([20, 25, 25])
    forecasts = forecast_recursively(
        walk, ForecastLimits(5, 50, together=False), panel, series, origins, 9, LEVELS
    )
    np.testing.assert_allclose(forecasts[:, -1, 1], [20, 25, 5], atol=0.5)


def weekly(days: int = 120, ahead: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    t = np.arange(days + ahead)
    plan = np.where(rng.random(len(t)) < 0.3, 1.0, 0.0)
    y = 100 + 10 * np.sin(t * 2 * np.pi / 7) + 30 * plan + rng.normal(size=len(t))
    y[days:] = np.nan
    return pd.DataFrame(
        {"day": pd.date_range("2024-01-01", periods=len(t)), "y": y, "plan": plan}
    )


def untrained(horizon: int, **inputs: object) -> Config:
    return Config(
        window=WindowConfig(horizon=horizon),
        train=TrainConfig(steps=0),
        inputs=InputConfig(**inputs),  # type: ignore[arg-type]
    )


def test_a_run_forecasts_beyond_its_horizon_with_its_covariates_alike_after_it_was_saved(
    tmp_path: Path,
) -> None:
    frame = weekly(ahead=30)
    panel = Panel.from_frame(frame, target="y", time="day", future="plan")
    forecaster = Forecaster(untrained(7)).fit(panel)
    forecasts = forecaster.predict(horizon=30)
    pd.testing.assert_frame_equal(forecasts.head(7), forecaster.predict(), rtol=1e-6)
    truth = (
        100
        + 10 * np.sin(np.arange(120, 150) * 2 * np.pi / 7)
        + 30 * frame["plan"].to_numpy()[120:]
    )
    assert np.abs(forecasts["forecast"] - truth)[7:].mean() < 4
    assert (np.diff(forecasts[["q10", "q50", "q90"]].to_numpy(), axis=1) >= 0).all()
    pd.testing.assert_frame_equal(
        Forecaster.load(forecaster.save(tmp_path / "run")).predict(horizon=30),
        forecasts,
    )
    with pytest.raises(
        DataError,
        match=r"covariates known ahead \(plan\) are missing for 2024-05-30 to 2024-06-08",
    ):
        forecaster.predict(horizon=40)


def test_holidays_and_joint_targets_go_on_beyond_the_horizon(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recursive, "PATHS_PER_WINDOW", 10)
    frame = weekly(80).assign(z=lambda f: f["y"] * 2)
    panel = Panel.from_frame(frame, target=["y", "z"], time="day")
    forecasts = (
        Forecaster(untrained(7, holidays="DE", joint=True))
        .fit(panel)
        .predict(horizon=16)
    )
    assert len(forecasts) == 32
    assert np.isfinite(forecasts["forecast"]).all()
    assert forecasts["forecast"].between(0, 400).all()


def test_neighbouring_errors_go_together_as_the_widths_of_an_autoregression_say() -> (
    None
):
    phi, steps = 0.8, 12
    variance = np.cumsum(phi ** (2 * np.arange(steps)))
    levels = np.array(recursive.SAMPLED_LEVELS)
    width = np.sqrt(variance)[None, :, None]
    quantiles = width * ndtri(levels)
    found = recursive.infer_step_correlations(quantiles)[0, 1:]
    expected = phi * np.sqrt(variance[:-1] / variance[1:])
    np.testing.assert_allclose(found, expected, rtol=1e-6)
