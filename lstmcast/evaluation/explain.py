"""What moved a forecast: each input is taken away in turn, and the forecast is made again (occlusion).

The method is that of Zeiler & Fergus (2014) on the windows of a time series. A past value is taken
away by making it missing, a covariate by setting it to its mean. Knows no terminal.

Axes: K windows, H horizon, S past steps taken away one at a time, C covariates.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from lstmcast.errors import DataError
from lstmcast.forecasting.predictor import Predictor
from lstmcast.network import diagnostics
from lstmcast.panel.extend import with_training_history
from lstmcast.panel.holdout import split_holdout
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Floats, Ints, choose_evenly
from lstmcast.scoring import metrics
from lstmcast.scoring.verdict import actuals_after_origins

MAX_EXPLAINED_WINDOWS = 200
"""Windows looked at, at most; of many series evenly chosen ones."""
MAX_OCCLUDED_STEPS = 60
"""Past steps looked at one by one, at most."""


class Factor(NamedTuple):
    """One input and its part in the forecasts.

    kind: "covariate", "lag" (so many steps before the step that is forecast) or "past step" (1 is
    the last one known).
    moved: mean absolute change of the forecast without it; helps: how much larger its error is
    without it. Both in the unit of MASE: 1 is the usual error of the seasonal naive forecast.
    """

    kind: str
    name: str
    moved: float
    helps: float


@dataclass(frozen=True)
class Explanation:
    """Factors, those of a kind together, the one that moved forecasts most first."""

    windows: int
    horizon: int
    mase: float
    """Error of the forecasts with all inputs."""
    factors: tuple[Factor, ...]

    def frame(self, top: int | None = None) -> pd.DataFrame:
        """A table of the `top` factors of each kind, or of all."""
        kinds = list(dict.fromkeys(factor.kind for factor in self.factors))
        chosen = [
            one for kind in kinds for one in [f for f in self.factors if f.kind == kind][:top]
        ]
        return pd.DataFrame(chosen, columns=list(Factor._fields))


def explain(forecaster: Predictor, panel: Panel | None = None) -> Explanation:
    """Explain the forecasts of the newest windows of `panel`, by default of the run's own validation windows.

    Raises DataError where no series is long enough to hold a horizon back.
    """
    panel = forecaster.panel if panel is None else panel
    case = _OcclusionCase.of(forecaster, panel)
    plain = case.forecast(forecaster)
    factors = [
        case.factor("covariate", name, plain, other)
        for name, other in _occlude_covariates(forecaster, case)
    ]
    made = [case.forecast(forecaster, back) for back in range(1, case.steps + 1)]
    factors += _factors_by_lag(case, plain, made)
    factors += [
        case.factor("past step", str(back), plain, other) for back, other in enumerate(made, 1)
    ]
    order = {
        kind: place for place, kind in enumerate(dict.fromkeys(factor.kind for factor in factors))
    }
    ranked = sorted(factors, key=lambda one: (order[one.kind], -one.moved))
    return Explanation(len(case.scale), forecaster.horizon, case.error(plain), tuple(ranked))


def compute_attention(forecaster: Predictor, panel: Panel | None = None) -> pd.DataFrame:
    """How much the forecast from the end of each series leans on the steps of its context, in shares of 1.

    Columns: the series columns, the time column, `attention`. Raises UsageError for a run without
    attention.
    """
    panel = (
        forecaster.panel
        if panel is None
        else with_training_history(panel, forecaster.panel, forecaster.context)
    )
    series, origins = np.arange(len(panel)), panel.lengths - 1
    windows = forecaster.seen_windows(panel, series, origins, forecaster.horizon)
    shares = diagnostics.attention_by_step(
        forecaster.networks, forecaster.guard.members, windows, series, origins
    )
    return panel.context_frame(shares, "attention")


@dataclass(frozen=True, eq=False)
class _OcclusionCase:
    """Windows as series of their own, each ending at its origin; what came after them; the scale of their errors."""

    panel: Panel
    actual: Floats
    scale: Floats
    steps: int

    @classmethod
    def of(cls, forecaster: Predictor, panel: Panel) -> "_OcclusionCase":
        series, origins = _choose_windows(forecaster, panel)
        scale = metrics.seasonal_scale(
            panel.values, panel.offsets, panel.lengths, forecaster.season
        )[series]
        kept = scale > 0
        if not kept.any():
            raise DataError(
                "no series ever changes, so nothing moves its forecast",
                "explain a run on livelier data",
            )
        series, origins = series[kept], origins[kept]
        cut = panel.select(series).head(origins + 1).tail(forecaster.memory)
        steps = min(MAX_OCCLUDED_STEPS, forecaster.context, int(cut.lengths.min()) - 1)
        return cls(
            cut,
            actuals_after_origins(panel, series, origins, forecaster.horizon),
            scale[kept],
            max(steps, 1),
        )

    def forecast(self, forecaster: Predictor, without: int = 0) -> Floats:
        """Medians [K, H], with the value of the past step `without` missing (0: none)."""
        panel, last = self.panel, self.panel.lengths - 1
        if without:
            values = panel.values.copy()
            values[panel.offsets[:-1] + last + 1 - without] = np.nan
            panel = replace(panel, values=values)
        return forecaster.quantiles(panel, np.arange(len(panel)), last, levels=(0.5,))[..., 0]

    def factor(self, kind: str, name: str, plain: Floats, other: Floats) -> Factor:
        """What a factor did, from the forecasts with it and without."""
        return Factor(
            kind,
            name,
            self._mean_scaled(np.abs(other - plain)),
            self.error(other) - self.error(plain),
        )

    def error(self, made: Floats) -> float:
        """Mean scaled absolute error of medians [K, H]."""
        return self._mean_scaled(np.abs(made - self.actual))

    def _mean_scaled(self, size: Floats) -> float:
        return float(np.nanmean(size / self.scale[:, None]))


def _choose_windows(forecaster: Predictor, panel: Panel) -> tuple[Ints, Ints]:
    """Series and origins [K] of the newest windows that hold a season of history."""
    config = forecaster.config
    _, series, origins = split_holdout(
        panel, forecaster.horizon, forecaster.season, config.window.validation
    )
    if config.inputs.joint:  # the targets of a table must stay beside each other: one window each
        series, last = np.unique(series[::-1], return_index=True)
        origins = origins[::-1][last]
    room = origins + 1 >= max(forecaster.season, 4)
    if not room.any():
        raise DataError(
            f"too short to explain: no series holds back {forecaster.horizon} steps",
            "give a longer history",
        )
    series, origins = series[room], origins[room]
    if config.inputs.joint:
        return series, origins
    chosen = choose_evenly(len(series), MAX_EXPLAINED_WINDOWS, round_down=True)
    return series[chosen], origins[chosen]


def _occlude_covariates(
    forecaster: Predictor, case: _OcclusionCase
) -> Sequence[tuple[str, Floats]]:
    """Each covariate's name, and the forecasts without it."""
    groups: dict[str, list[int]] = {}
    for place, name in enumerate(forecaster.covariate_names):
        groups.setdefault(name, []).append(place)
    made = []
    for name, places in groups.items():
        blind = copy.copy(forecaster)
        blind.scaling = forecaster.scaling.without_covariates(
            np.array(places), case.panel.past.shape[1]
        )
        made.append((name, case.forecast(blind)))
    return made


def _factors_by_lag(case: _OcclusionCase, plain: Floats, made: Sequence[Floats]) -> list[Factor]:
    """For each lag the windows' steps that it was taken away from: step h without the past step lag - h + 1."""
    horizon = plain.shape[1]
    factors = []
    for lag in range(1, len(made) + 1):
        pairs = [
            (h, lag - h) for h in range(1, min(horizon, lag) + 1)
        ]  # of step h ahead, the value so far back
        other, same, actual = (
            np.stack(columns, 1)
            for columns in (
                [made[back][:, h - 1] for h, back in pairs],
                [plain[:, h - 1] for h, _ in pairs],
                [case.actual[:, h - 1] for h, _ in pairs],
            )
        )
        part = replace(case, actual=actual)
        factors.append(part.factor("lag", str(lag), same, other))
    return factors
