"""A panel becomes what the network reads: transformed steps and scaled covariates, with the state to do it again.

Knows no frames, files or torch.

Axes: N series, T steps, Cp past, Cf known-future, Cs static covariates.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstmcast.config import UNTRANSFORMED_LOSSES, Config, Scale, Transform
from lstmcast.errors import UsageError
from lstmcast.features import covariate_effects
from lstmcast.features import scaler as scaler_module
from lstmcast.features import steps as features
from lstmcast.features.covariate_effects import CovariateEffects
from lstmcast.features.scaler import ScalerState, with_fixed_scale
from lstmcast.features.seasonality import default_horizon, infer_seasons
from lstmcast.features.steps import Seasons, StepArrays
from lstmcast.features.windows import ScaledCovariates
from lstmcast.panel.checks import require_positive_values
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Floats, Ints

JOINT_FEATURE_INDICES = (0, 1, 2, 5)
"""Of the step features: distance from the usual, last change, change over a season, surprise; all
in scales."""


@dataclass(frozen=True, eq=False)
class Scaling:
    """Everything that was fitted to the training part: seasons, transforms by series, covariates' mean and deviation.

    mean, deviation: [Cp + Cf + Cs], in that order. scale, transform: as in ModelConfig, for series
    of no training.
    """

    seasons: Seasons
    scaler: ScalerState
    mean: Floats
    deviation: Floats
    effects: CovariateEffects
    scale: Scale = "causal"
    transform: Transform = "auto"

    @classmethod
    def fit(
        cls,
        panel: Panel,
        seasons: Seasons,
        ends: Ints | None = None,
        *,
        scale: Scale = "causal",
        transform: Transform = "auto",
        linear: bool = True,
    ) -> "Scaling":
        """Fit to all steps of `panel` (known-future rows beyond the target's end are left out).

        The effects of covariates (none unless `linear`) and fixed scales, which a verdict will
        judge, are fitted to the first `ends` [N] steps. Raises UsageError where the logarithm is
        asked of values that have none.
        """
        if transform == "log":
            require_positive_values(panel)
        ends = panel.lengths if ends is None else ends
        inside = _is_target_step(panel)
        blocks = [panel.past, panel.future[inside], panel.static]
        mean = np.concatenate([_column_statistic(np.nanmean, b, 0.0) for b in blocks])
        deviation = np.concatenate([_column_statistic(np.nanstd, b, 1.0) for b in blocks])
        scaler = scaler_module.fit_scaler(panel.values, panel.offsets, transform)
        scaler = with_fixed_scale(scale, panel.values, panel.offsets, ends, scaler)
        found = covariate_effects.no_effects(len(panel), panel.future.shape[1])
        if linear and panel.future.shape[1]:
            steps = features.compute_step_arrays(panel.values, panel.offsets, seasons, scaler)
            found = covariate_effects.fit_effects(steps, panel.future[inside], ends)
        return cls(
            seasons, scaler, mean, np.where(deviation > 0, deviation, 1.0), found, scale, transform
        )

    def scaler_for_panel(self, panel: Panel, trained: Ints, ends: Ints) -> ScalerState:
        """Transforms of another panel's series: those of training where `trained` [N] names one.

        Where it does not (-1) they come from the first `ends` [N] steps of the series itself.
        """
        known = trained >= 0
        if known.all():
            return self.scaler.take(trained)
        past = panel.values.copy()
        lengths = panel.lengths
        past[np.arange(len(past)) - np.repeat(panel.offsets[:-1] + ends, lengths) >= 0] = np.nan
        own = scaler_module.fit_scaler(past, panel.offsets, self.transform)
        own = with_fixed_scale(self.scale, past, panel.offsets, ends, own)
        taken = self.scaler.take(trained)
        mixed = [
            b if a is None or b is None else np.where(known, a, b)
            for a, b in zip(taken, own, strict=True)
        ]
        return ScalerState._make(mixed)

    def steps(self, panel: Panel, scaler: ScalerState, effect: Floats | None = None) -> StepArrays:
        """Step features and candidates' arrays of a panel."""
        explained = None if effect is None else effect[_is_target_step(panel)]
        return features.compute_step_arrays(
            panel.values, panel.offsets, self.seasons, scaler, explained
        )

    def effect(self, panel: Panel, scaler: ScalerState, trained: Ints, ends: Ints) -> Floats | None:
        """What covariates known ahead add to a panel's series, [sum (T + ahead)]; None where that is nothing.

        Arguments as for `for_panel`.
        """
        if not self.effects.any():
            return None
        found = self._effects_for_panel(panel, scaler, trained, ends)
        return found.added(
            panel.future, np.repeat(np.arange(len(panel)), np.diff(panel.future_offsets))
        )

    def _effects_for_panel(
        self, panel: Panel, scaler: ScalerState, trained: Ints, ends: Ints
    ) -> CovariateEffects:
        found = self.effects._replace(
            mean=self.effects.mean[trained], effect=self.effects.effect[trained]
        )
        new = trained < 0
        if new.any():
            steps = self.steps(panel, scaler)
            measured = covariate_effects.measure_units(
                steps, panel.future[_is_target_step(panel)], ends
            )
            usual = np.broadcast_to(self.effects.usual, measured.mean.shape)
            own = covariate_effects.to_series_units(
                CovariateEffects(measured.mean, usual, self.effects.usual), measured
            )
            found.mean[new], found.effect[new] = own.mean[new], own.effect[new]
        return found

    def with_new_series(self, panel: Panel, trained: Ints) -> "Scaling":
        """The same for a panel with further series (-1 in `trained` [N]), which are measured on all their steps."""
        scaler = self.scaler_for_panel(panel, trained, panel.lengths)
        found = covariate_effects.no_effects(len(panel), len(self.effects.usual))
        if self.effects.any():
            found = self._effects_for_panel(panel, scaler, trained, panel.lengths)
        return replace(self, scaler=scaler, effects=found)

    def without_effects(self, panel: Panel) -> Panel:
        """The panel that was fitted to, without what covariates known ahead do to its series."""
        every = np.arange(len(panel))
        effect = self.effect(panel, self.scaler, every, panel.lengths)
        if effect is None:
            return panel
        owner = np.repeat(every, panel.lengths)
        z = (
            scaler_module.transform_values(panel.values, owner, self.scaler)
            - effect[_is_target_step(panel)]
        )
        return replace(panel, values=scaler_module.inverse_transform(z, owner, self.scaler))

    def without_covariates(self, places: Ints, past: int) -> "Scaling":
        """The same, blind to the covariates at these places; the first `past` of them are not known ahead."""
        deviation, effect, usual = (
            self.deviation.copy(),
            self.effects.effect.copy(),
            self.effects.usual.copy(),
        )
        deviation[places] = np.inf
        ahead = places[(places >= past) & (places < past + len(usual))] - past
        effect[:, ahead], usual[ahead] = 0.0, 0.0
        return replace(
            self, deviation=deviation, effects=self.effects._replace(effect=effect, usual=usual)
        )

    def covariates(
        self, panel: Panel, effect: Floats | None = None, more: NDArray[np.float32] | None = None
    ) -> ScaledCovariates | None:
        """Scaled covariates of a panel, 0 where unknown; None where there are none.

        effect: see `effect`; more: [sum T, C], further inputs that are known at a step.
        """
        widths = np.cumsum([panel.past.shape[1], panel.future.shape[1], panel.static.shape[1]])
        if not widths[-1] and more is None:
            return None
        mean, deviation = np.split(self.mean, widths[:2]), np.split(self.deviation, widths[:2])
        past, future, static = (
            np.nan_to_num((block - m) / d)
            .clip(-features.FEATURE_CLIP, features.FEATURE_CLIP)
            .astype(np.float32)
            for block, m, d in zip(
                (panel.past, panel.future, panel.static), mean, deviation, strict=True
            )
        )
        blocks = [past, future[_is_target_step(panel)], np.repeat(static, panel.lengths, 0)]
        step = np.concatenate(blocks if more is None else [*blocks, more], 1)
        return ScaledCovariates(step, future, panel.future_offsets, effect)

    def to_dict(self) -> dict[str, Any]:
        """JSON form that `from_dict` reads back exactly."""
        low = [None if np.isinf(x) else x for x in self.scaler.low.tolist()]
        return {
            "seasons": self.seasons._asdict(),
            "scale": self.scale,
            "transform": self.transform,
            "series": {
                n: part.tolist() for n, part in self.scaler._asdict().items() if part is not None
            }
            | {"low": low},
            "covariates": {"mean": self.mean.tolist(), "deviation": self.deviation.tolist()},
            "effects": self.effects.to_dict(),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Scaling":
        """Rebuild from `to_dict`'s form."""
        series = data["series"]
        low = np.array([-np.inf if x is None else x for x in series["low"]], dtype=np.float64)
        shift, floor = (np.array(series[name], dtype=np.float64) for name in ("shift", "floor"))
        place = [
            np.array(series[n], dtype=np.float64) if n in series else None
            for n in ("centre", "spread")
        ]
        scaler = ScalerState(np.array(series["log"], dtype=bool), shift, floor, low, *place)
        kind = data.get("scale", "causal"), data.get("transform", "auto")
        mean, deviation = (
            np.array(data["covariates"][name], dtype=np.float64) for name in ("mean", "deviation")
        )
        return cls(
            Seasons(**data["seasons"]),
            scaler,
            mean,
            deviation,
            CovariateEffects.from_dict(data["effects"]),
            *kind,
        )


def fit_scaling(
    panel: Panel, seasons: Seasons, config: Config, ends: Ints | None = None
) -> Scaling:
    """Fit scales and transforms to the first `ends` [N] steps of each series, as a configuration has them."""
    untransformed = config.train.loss in UNTRANSFORMED_LOSSES
    transform = "none" if untransformed else config.model.transform
    return Scaling.fit(
        panel,
        seasons,
        ends,
        scale=config.model.scale,
        transform=transform,
        linear=not untransformed,
    )


def infer_seasons_without_effects(panel: Panel, config: Config) -> Seasons:
    """Seasons of a panel, measured without the effects of its covariates known ahead.

    Promotions can hide a week. A season in the configuration is taken as it is.
    """
    requested = config.window.season
    seasons = infer_seasons(panel, requested)
    if requested is not None or not panel.future.shape[1]:
        return seasons
    return infer_seasons(fit_scaling(panel, seasons, config).without_effects(panel))


def resolve_horizon(panel: Panel, config: Config, seasons: Seasons | None = None) -> int:
    """Steps to forecast: as configured, else `default_horizon` of the seasons that a fit finds.

    A fit, a backtest, a search, an inspection and their dry runs all ask here, once, and so have
    one answer. seasons: those of `infer_seasons_without_effects`, where they are known already.
    """
    if config.window.horizon is not None:
        return config.window.horizon
    if seasons is None and panel.axis.kind == "integer":
        seasons = infer_seasons_without_effects(panel, config)
    # Where steps have dates, the frequency alone decides, and no season needs to be measured.
    return default_horizon(panel, seasons.main if seasons else 1)


def _is_target_step(panel: Panel) -> NDArray[np.bool_]:
    """Which known-future rows lie within the target's steps, [sum (T + ahead)]."""
    total = np.diff(panel.future_offsets)
    at = np.arange(int(total.sum())) - np.repeat(panel.future_offsets[:-1], total)
    return np.asarray(at < np.repeat(panel.lengths, total))


def _column_statistic(statistic: Any, block: Floats, default: float) -> Floats:
    """A statistic of each column that has a value, [C]."""
    out = np.full(block.shape[1], default)
    some = ~np.isnan(block).all(0) if len(block) else np.zeros(block.shape[1], dtype=bool)
    if some.any():
        out[some] = statistic(block[:, some], axis=0)
    return out


def require_several_targets(panel: Panel) -> None:
    """Raise UsageError where there is one target only."""
    if len(panel.columns.target) < 2:
        raise UsageError(
            "--joint needs more than one target",
            "name each column with --target, or leave out --joint",
        )


def joint_inputs(panel: Panel, steps: StepArrays) -> NDArray[np.float32]:
    """At each step the features of all targets of the same row, 0 where one has no value, and which of them one is.

    Returns [sum T, K * (F + 1)]; nothing after a step is in its row.
    """
    place = {name: number for number, name in enumerate(panel.columns.target)}
    target = np.array([place[key[-1]] for key in panel.keys])
    _, group = np.unique(np.array(["\0".join(key[:-1]) for key in panel.keys]), return_inverse=True)
    sibling = np.full((group.max() + 1, len(place)), -1)
    sibling[group, target] = np.arange(len(panel))
    owner = np.repeat(np.arange(len(panel)), panel.lengths)
    stamp = panel.start[owner] + np.arange(len(owner)) - panel.offsets[owner]
    out = np.zeros((len(owner), len(place), len(JOINT_FEATURE_INDICES) + 1), dtype=np.float32)
    for k in range(len(place)):
        other = sibling[group[owner], k]
        step = stamp - panel.start[other]
        there = (other >= 0) & (step >= 0) & (step < panel.lengths[other])
        out[there, k, :-1] = steps.x[(panel.offsets[other] + step)[there]][:, JOINT_FEATURE_INDICES]
    out[np.arange(len(owner)), target[owner], -1] = 1
    return out.reshape(len(owner), -1)
