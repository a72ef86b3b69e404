"""Which inputs moved a forecast: each is taken away in turn and the forecast repeated (occlusion).

The method is that of Zeiler & Fergus (2014) on the windows of a time series. A past value is taken
away by making it missing, a covariate by setting it to its mean. Knows no terminal.

Axes: N series, K windows, H horizon, L context.
"""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from lstmcast.compute.progress import Event, OnEvent
from lstmcast.errors import DataError
from lstmcast.forecasting.predictor import Predictor
from lstmcast.network import diagnostics
from lstmcast.panel.extend import with_training_history
from lstmcast.panel.holdout import split_holdout
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Floats, Ints, choose_evenly
from lstmcast.scoring import metrics
from lstmcast.scoring.result_views import ResultView, count_things
from lstmcast.scoring.verdict import actuals_after_origins

MAX_EXPLAINED_WINDOWS = 200
"""Most windows that are explained unless asked otherwise; of many evenly chosen ones."""
MAX_OCCLUDED_STEPS = 60
"""Most past steps that are taken away one by one."""
_MAX_SHOWN_FACTORS = 3
"""Factors of each kind that a notebook shows."""
MIN_EXPLAINED_STEPS = 4
"""Steps of history that an explained window has at least, or a season if that is more."""


class Factor(NamedTuple):
    """One input and its part in the forecasts.

    kind: "covariate", "lag" (so many steps before the step that is forecast) or "past step" (1 is
    the last one known). moved: mean absolute change of the forecast without it. helps: how much
    larger its error is without it. Both are in the unit of MASE: 1 is the usual error of the
    seasonal naive forecast.
    """

    kind: str
    name: str
    moved: float
    helps: float


@dataclass(frozen=True, repr=False)
class Explanation(ResultView):
    """Factors, those of a kind together, the one that moved forecasts most first."""

    windows: int
    horizon: int
    mase: float
    """Error of the forecasts with all inputs."""
    factors: tuple[Factor, ...]

    def frame(self, top: int | None = None) -> pd.DataFrame:
        """Return a table of the `top` factors of each kind, or of all factors."""
        by_kind: dict[str, list[Factor]] = {}
        for factor in self.factors:
            of_kind = by_kind.setdefault(factor.kind, [])
            of_kind.append(factor)
        rows: list[Factor] = []
        for factors in by_kind.values():
            rows += factors[:top]
        return pd.DataFrame(rows, columns=list(Factor._fields))

    def sentences(self) -> list[str]:
        """Return what was forecast and how well, and what a figure of the table means."""
        windows = count_things(self.windows, "window")
        steps = count_things(self.horizon, "step")
        with_all = f"{windows} of {steps}, with a mean error (MASE) of {self.mase:.3g}."
        meaning = (
            "Without an input the forecast is moved by so much (moved), and its error grows by so"
            " much (helps)."
        )
        return [with_all, meaning]

    def make_summary_table(self) -> pd.DataFrame:
        """Return the factors of each kind that moved forecasts most."""
        return self.frame(_MAX_SHOWN_FACTORS)


def explain(
    forecaster: Predictor,
    panel: Panel | None = None,
    *,
    max_windows: int = MAX_EXPLAINED_WINDOWS,
    on_event: OnEvent | None = None,
) -> Explanation:
    """Explain the forecasts of the newest windows of a panel by taking inputs away.

    Args:
        forecaster: whose forecasts are explained; left as it is.
        panel: what to forecast (default: the run's own history, and so its validation windows).
        max_windows: most windows that are explained; of more, evenly chosen ones.
        on_event: called with each input that was taken away.

    Raises:
        DataError: no series is long enough to hold a horizon back, or none ever changes.
    """
    panel = forecaster.panel if panel is None else panel
    windows = _OcclusionWindows.of(forecaster, panel, max_windows)
    total = len(set(forecaster.covariate_names)) + windows.steps
    report = on_event or (lambda _: None)
    report(Event("explain", total=total))
    baseline = windows.forecast(forecaster)
    covariates = []
    for name, forecast in _forecast_without_covariates(forecaster, windows):
        factor = windows.measure_factor("covariate", name, baseline, forecast)
        covariates.append(factor)
        report(Event("explain", name, len(covariates), total))
    without_step = []
    for step in range(1, windows.steps + 1):
        without_step.append(windows.forecast(forecaster, missing_step=step))
        done = len(covariates) + step
        report(Event("explain", f"past step {step}", done, total))
    lags = _measure_lags(windows, baseline, without_step)
    past_steps = []
    for step, forecast in enumerate(without_step, 1):
        factor = windows.measure_factor("past step", str(step), baseline, forecast)
        past_steps.append(factor)

    # Within each kind the largest effect first.
    for factors in (covariates, lags, past_steps):
        factors.sort(key=lambda factor: -factor.moved)
    return Explanation(
        windows=len(windows.scale),
        horizon=forecaster.horizon,
        mase=windows.error(baseline),
        factors=(*covariates, *lags, *past_steps),
    )


def compute_attention(
    forecaster: Predictor, panel: Panel | None = None
) -> pd.DataFrame:
    """Compute how much each series' forecast attends to each step of its context, in shares of 1.

    The forecasts are those from the end of each series of `panel`, by default of the run's own
    history.

    Returns:
        A table with the series columns, the time column, and `attention`.

    Raises:
        UsageError: the run has no attention.
    """
    if panel is None:
        panel = forecaster.panel
    else:
        panel = with_training_history(panel, forecaster.panel, forecaster.context)
    series = np.arange(len(panel))
    origins = panel.lengths - 1
    windows = forecaster.windows_at_origins(panel, series, origins, forecaster.horizon)
    weights = forecaster.combination.members
    shares = diagnostics.attention_by_step(
        forecaster.networks, weights, windows, series, origins
    )
    return panel.context_frame(shares, "attention")


@dataclass(frozen=True, eq=False)
class _OcclusionWindows:
    """Windows to be forecast with and without each input.

    panel: a series for each window, which ends at its origin. actual: values observed after it,
    [K, H]. scale: what the errors of each window are divided by, [K]. steps: past steps that are
    taken away one by one.
    """

    panel: Panel
    actual: Floats
    scale: Floats
    steps: int

    @classmethod
    def of(
        cls, forecaster: Predictor, panel: Panel, max_windows: int
    ) -> "_OcclusionWindows":
        """Choose the windows of a panel whose series change at all."""
        series, origins = _choose_windows(forecaster, panel, max_windows)
        series_scale = metrics.seasonal_scale(
            panel.values, panel.offsets, panel.lengths, forecaster.season
        )
        scale = series_scale[series]
        changes = scale > 0
        if not changes.any():
            raise DataError(
                "no series ever changes, so nothing moves its forecast",
                "explain a run on data that change",
            )
        series = series[changes]
        origins = origins[changes]
        # Every window a series of its own, with no more past than its forecast depends on.
        past = panel.select(series).head(origins + 1)
        past = past.tail(forecaster.memory)
        shortest = int(past.lengths.min())
        steps = min(MAX_OCCLUDED_STEPS, forecaster.context, shortest - 1)
        return cls(
            panel=past,
            actual=actuals_after_origins(panel, series, origins, forecaster.horizon),
            scale=scale[changes],
            steps=max(steps, 1),
        )

    def forecast(self, forecaster: Predictor, missing_step: int = 0) -> Floats:
        """Forecast medians [K, H]; the value of the past step `missing_step` is missing (0: none).

        Past step 1 is the origin.
        """
        panel = self.panel
        if missing_step:
            # Each series ends at its origin, so the steps are counted from there.
            values = panel.values.copy()
            ends = panel.offsets[1:]
            values[ends - missing_step] = np.nan
            panel = replace(panel, values=values)
        series = np.arange(len(panel))
        origins = panel.lengths - 1
        # What is taken away on purpose is no error of the data.
        quantiles = forecaster.quantiles(
            panel, series, origins, levels=(0.5,), as_it_is=True
        )
        return quantiles[..., 0]

    def measure_factor(
        self, kind: str, name: str, with_it: Floats, without_it: Floats
    ) -> Factor:
        """Measure what a factor does, from the forecasts [K, H] with it and without it."""
        change = np.abs(without_it - with_it)
        moved = self._mean_scaled(change)
        helps = self.error(without_it) - self.error(with_it)
        return Factor(kind, name, moved, helps)

    def error(self, forecast: Floats) -> float:
        """Return the mean scaled absolute error of medians [K, H]."""
        size = np.abs(forecast - self.actual)
        return self._mean_scaled(size)

    def _mean_scaled(self, size: Floats) -> float:
        scaled = size / self.scale[:, None]
        return float(np.nanmean(scaled))


def _choose_windows(
    forecaster: Predictor, panel: Panel, max_windows: int
) -> tuple[Ints, Ints]:
    """Choose series and origins [K] of the newest windows that hold a season of history."""
    config = forecaster.config
    season = forecaster.season
    _, series, origins = split_holdout(
        panel, forecaster.horizon, season, config.window.validation
    )
    joint = config.inputs.joint
    if joint:
        # The targets of a table must stay beside each other: the newest window of each series.
        series, newest = np.unique(series[::-1], return_index=True)
        origins = origins[::-1][newest]
    needed_steps = max(season, MIN_EXPLAINED_STEPS)
    long_enough = origins + 1 >= needed_steps
    if not long_enough.any():
        raise DataError(
            f"too short to explain: no series holds back {forecaster.horizon} steps",
            "give a longer history",
        )
    windows = np.flatnonzero(long_enough)
    if not joint:
        chosen = choose_evenly(len(windows), max_windows, round_down=True)
        windows = windows[chosen]
    return series[windows], origins[windows]


def _forecast_without_covariates(
    forecaster: Predictor, windows: _OcclusionWindows
) -> Iterator[tuple[str, Floats]]:
    """Forecast without each covariate: its name, and the medians [K, H].

    Columns of the same name, such as the categories of one text, go together.
    """
    places_by_name: dict[str, list[int]] = {}
    for place, name in enumerate(forecaster.covariate_names):
        places = places_by_name.setdefault(name, [])
        places.append(place)
    past_covariates = windows.panel.past.shape[1]
    for name, places in places_by_name.items():
        # A copy that scales the covariate to nothing; networks and history are shared.
        blind = copy.copy(forecaster)
        scaling = forecaster.scaling
        blind.scaling = scaling.without_covariates(np.array(places), past_covariates)
        yield name, windows.forecast(blind)


def _measure_lags(
    windows: _OcclusionWindows, baseline: Floats, without_step: Sequence[Floats]
) -> list[Factor]:
    """Measure each lag, from the forecasts [K, H] without each past step.

    Step h ahead lacks the lag where the past step lag - h + 1 is missing; those steps of all
    forecasts together show what the lag does.
    """
    horizon = baseline.shape[1]
    factors = []
    for lag in range(1, len(without_step) + 1):
        steps = min(horizon, lag)  # for later steps the lag lies after the origin
        with_lag = baseline[:, :steps]
        without_lag = np.empty_like(with_lag)
        for h in range(steps):
            forecast = without_step[lag - 1 - h]
            without_lag[:, h] = forecast[:, h]
        part = replace(windows, actual=windows.actual[:, :steps])
        factor = part.measure_factor("lag", str(lag), with_lag, without_lag)
        factors.append(factor)
    return factors
