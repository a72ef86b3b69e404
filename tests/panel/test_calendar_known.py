"""The calendar as covariates: only cycles that separate steps, as far ahead as requested."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lstmcast.config import Config, InputConfig, TrainConfig, WindowConfig
from lstmcast.errors import UsageError
from lstmcast.evaluation.explain import explain
from lstmcast.panel.calendar import with_calendar_waves
from lstmcast.panel.panel import Panel
from lstmcast.training.forecaster import Forecaster


def panel_of(freq: str, steps: int = 800) -> Panel:
    frame = pd.DataFrame(
        {
            "t": pd.date_range("2024-01-01", periods=steps, freq=freq),
            "y": np.arange(float(steps)),
        }
    )
    return Panel.from_frame(frame, target="y", time="t")


@pytest.mark.parametrize(
    ("freq", "cycles"),
    [
        ("h", ["hour", "weekday", "day", "month"]),
        ("D", ["weekday", "day", "month"]),
        ("B", ["weekday", "day", "month"]),
        ("W", ["day", "month"]),
        ("MS", ["month"]),
    ],
)
def test_only_cycles_that_separate_steps_become_covariates(
    freq: str, cycles: list[str]
) -> None:
    wide = with_calendar_waves(panel_of(freq), 5)
    assert wide.future_names == tuple(
        f"{cycle}, {wave}" for cycle in cycles for wave in ("sine", "cosine")
    )
    assert wide.ahead.tolist() == [5]
    assert np.abs(wide.future).max() <= 1
    assert not np.isnan(wide.future).any()
    assert (np.ptp(wide.future, axis=0) > 0).all()


def test_steps_that_are_alike_to_a_calendar_are_refused() -> None:
    steps = Panel.from_frame(
        pd.DataFrame({"t": np.arange(9), "y": np.arange(9.0)}), target="y", time="t"
    )
    for panel in (panel_of("YS", 9), steps):
        with pytest.raises(UsageError, match="calendar does not apply"):
            with_calendar_waves(panel, 1)


def paydays(shops: int, days: int = 400, ahead: int = 28) -> tuple[Panel, np.ndarray]:
    """Daily sales, highest on the first of each month; and the values after them [N, ahead]."""
    stamps = pd.date_range("2023-01-01", periods=days + ahead, freq="D")
    wave = np.cos(2 * np.pi * (stamps.day - 1) / stamps.days_in_month)
    rng = np.random.default_rng(0)
    rows = [
        (1 + k) * (100 + 20 * wave.to_numpy() + rng.normal(size=len(stamps)))
        for k in range(shops)
    ]
    parts = [
        pd.DataFrame({"shop": f"s{k}", "t": stamps[:days], "y": y[:days]})
        for k, y in enumerate(rows)
    ]
    return Panel.from_frame(
        pd.concat(parts), target="y", time="t", series="shop"
    ), np.array(rows)[:, days:]


def fitted(panel: Panel, *, calendar: bool) -> Forecaster:
    inputs, window = InputConfig(calendar=calendar), WindowConfig(horizon=28)
    return Forecaster(
        Config(window=window, inputs=inputs, train=TrainConfig(steps=0))
    ).fit(panel)


@pytest.mark.parametrize("shops", [1, 3])
def test_a_cycle_of_months_is_forecast_from_the_calendar_by_a_saved_run_too(
    shops: int, tmp_path: Path
) -> None:
    panel, actual = paydays(shops)
    known, unknown = (fitted(panel, calendar=calendar) for calendar in (True, False))
    error = [
        np.abs(forecaster.predict()["forecast"].to_numpy() - actual.ravel()).mean()
        for forecaster in (known, unknown)
    ]
    assert error[0] < 0.7 * error[1]
    pd.testing.assert_frame_equal(
        Forecaster.load(known.save(tmp_path / "run")).predict(), known.predict()
    )
    assert [
        factor.name for factor in explain(known).factors if factor.kind == "covariate"
    ] == ["calendar"]
