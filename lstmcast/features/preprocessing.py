"""From a panel to what the network reads, and the fitted state to do it again to other data.

Knows no frames, files or torch.

Axes: N series, T steps; Cp past, Cf known-future and Cs static covariates, C of them in all; flat
arrays hold all series end to end. Known-future covariates have T + ahead rows a series.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lstmcast.config import UNTRANSFORMED_LOSSES, Config, Scale, Transform
from lstmcast.features.covariate_effects import (
    CovariateEffects,
    fit_effects,
    measure_units,
    no_effects,
    to_series_units,
)
from lstmcast.features.rows import are_first_steps, series_of_rows
from lstmcast.features.scaler import (
    ScalerState,
    fit_scaler,
    inverse_transform,
    positive_or,
    transform_values,
    with_fixed_scale,
)
from lstmcast.features.seasonal.seasonality import default_horizon, infer_seasons
from lstmcast.features.steps import (
    FEATURE_CLIP,
    Seasons,
    StepArrays,
    compute_step_arrays,
)
from lstmcast.features.windows import ScaledCovariates
from lstmcast.panel.checks import require_positive_values
from lstmcast.panel.gaps import fill_gaps, find_open_steps
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Bools, Floats, Ints, Singles


@dataclass(frozen=True, eq=False)
class Scaling:
    """What was fitted to the training part: seasons, transforms of series, scales of covariates.

    mean, deviation: [C] of the covariates, past, known-future and static in that order. scale,
    transform: as in ModelConfig, for series of no training.
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
        requested of values that have none.
        """
        if transform == "log":
            require_positive_values(panel)
        ends = panel.lengths if ends is None else ends

        future = panel.future[_is_target_step(panel)]
        blocks = (panel.past, future, panel.static)
        means = [_column_statistic(np.nanmean, block, 0.0) for block in blocks]
        deviations = [_column_statistic(np.nanstd, block, 1.0) for block in blocks]
        deviation = np.concatenate(deviations)

        scaler = fit_scaler(panel.values, panel.offsets, transform)
        scaler = with_fixed_scale(scale, panel.values, panel.offsets, ends, scaler)

        # Without a transform, as for counts and for 0 and 1, covariates are left to the network.
        n_future = panel.future.shape[1]
        effects = no_effects(len(panel), n_future)
        if linear and n_future:
            steps = compute_filled_steps(panel, seasons, scaler)
            effects = fit_effects(steps, future, ends)

        return cls(
            seasons=seasons,
            scaler=scaler,
            mean=np.concatenate(means),
            deviation=positive_or(deviation, 1.0),
            effects=effects,
            scale=scale,
            transform=transform,
        )

    def scaler_for_panel(self, panel: Panel, trained: Ints, ends: Ints) -> ScalerState:
        """Transforms of another panel's series: those of training where `trained` [N] names one.

        Where it does not (-1) they come from the first `ends` [N] steps of the series itself.
        """
        is_trained = trained >= 0
        if is_trained.all():
            return self.scaler.take(trained)

        # Fitted without what is after the ends.
        past = panel.values.copy()
        is_past = are_first_steps(panel.offsets, ends)
        past[~is_past] = np.nan
        fresh = fit_scaler(past, panel.offsets, self.transform)
        fresh = with_fixed_scale(self.scale, past, panel.offsets, ends, fresh)

        mixed = []
        of_training = self.scaler.take(trained)
        for known, new in zip(of_training, fresh, strict=True):
            # A causal scale has no centre and no spread.
            if known is not None and new is not None:
                new = np.where(is_trained, known, new)
            mixed.append(new)
        return ScalerState._make(mixed)

    def steps(
        self, panel: Panel, scaler: ScalerState, effect: Floats | None = None
    ) -> StepArrays:
        """Step features and candidates' arrays of a panel; effect: of `effect`, taken out first."""
        explained = None
        if effect is not None:
            explained = effect[_is_target_step(panel)]
        return compute_filled_steps(panel, self.seasons, scaler, explained)

    def effect(
        self, panel: Panel, scaler: ScalerState, trained: Ints, ends: Ints
    ) -> Floats | None:
        """What covariates known ahead add to series, [sum (T + ahead)]; None for nothing.

        Arguments as of `scaler_for_panel`, and the scaler that it returns.
        """
        if not self.effects.any():
            return None

        effects = self._effects_for_panel(panel, scaler, trained, ends)
        owner = series_of_rows(panel.future_offsets)
        return effects.added(panel.future, owner)

    def _effects_for_panel(
        self, panel: Panel, scaler: ScalerState, trained: Ints, ends: Ints
    ) -> CovariateEffects:
        """Effects on another panel's series: those of training, or the usual one in their units."""
        mean, effect, usual = self.effects
        # Copies, since the rows are chosen by number.
        mean = mean[trained]
        effect = effect[trained]

        is_new = trained < 0
        if is_new.any():
            steps = self.steps(panel, scaler)
            table = panel.future[_is_target_step(panel)]
            units = measure_units(steps, table, ends)

            # A series of no training has no effect of its own yet: that in all series is taken.
            usual_of_each = np.broadcast_to(usual, units.mean.shape)
            standard = CovariateEffects(units.mean, usual_of_each, usual)
            fresh = to_series_units(standard, units)
            mean[is_new] = fresh.mean[is_new]
            effect[is_new] = fresh.effect[is_new]

        return CovariateEffects(mean, effect, usual)

    def with_new_series(self, panel: Panel, trained: Ints) -> "Scaling":
        """The same for a panel with new series (-1 in `trained` [N]), fitted to all their steps."""
        ends = panel.lengths
        scaler = self.scaler_for_panel(panel, trained, ends)

        n_covariates = len(self.effects.usual)
        effects = no_effects(len(panel), n_covariates)
        if self.effects.any():
            effects = self._effects_for_panel(panel, scaler, trained, ends)
        return replace(self, scaler=scaler, effects=effects)

    def without_effects(self, panel: Panel) -> Panel:
        """The panel that was fitted to, without the effects of covariates known ahead."""
        every = np.arange(len(panel))
        effect = self.effect(panel, self.scaler, every, panel.lengths)
        if effect is None:
            return panel

        # Taken out of the transformed values, and these brought back into the user's units.
        owner = np.repeat(every, panel.lengths)
        transformed = transform_values(panel.values, owner, self.scaler)
        rest = transformed - effect[_is_target_step(panel)]
        values = inverse_transform(rest, owner, self.scaler)
        return replace(panel, values=values)

    def without_covariates(self, places: Ints, past: int) -> "Scaling":
        """The same, blind to the covariates at `places`; the first `past` are not known ahead."""
        # Divided by an infinite deviation, a covariate is 0 everywhere.
        deviation = self.deviation.copy()
        deviation[places] = np.inf

        effect = self.effects.effect.copy()
        usual = self.effects.usual.copy()
        # Those known ahead stand between the past and the static ones.
        end = past + len(usual)
        is_known_ahead = (places >= past) & (places < end)
        ahead = places[is_known_ahead] - past
        effect[:, ahead] = 0.0
        usual[ahead] = 0.0

        effects = self.effects._replace(effect=effect, usual=usual)
        return replace(self, deviation=deviation, effects=effects)

    def covariates(
        self, panel: Panel, effect: Floats | None = None, more: Singles | None = None
    ) -> ScaledCovariates | None:
        """Scaled covariates of a panel, 0 where unknown; None where there are none.

        effect: see `effect`. more: [sum T, C], further inputs that are known at a step.
        """
        n_past = panel.past.shape[1]
        n_future = panel.future.shape[1]
        n_static = panel.static.shape[1]
        if not n_past + n_future + n_static and more is None:
            return None

        splits = [n_past, n_past + n_future]
        means = np.split(self.mean, splits)
        deviations = np.split(self.deviation, splits)
        past = _standardize(panel.past, means[0], deviations[0])
        future = _standardize(panel.future, means[1], deviations[1])
        static = _standardize(panel.static, means[2], deviations[2])

        # At a step all covariates are known; ahead of an origin only those of `future`.
        future_at_step = future[_is_target_step(panel)]
        static_at_step = np.repeat(static, panel.lengths, 0)
        blocks = [past, future_at_step, static_at_step]
        if more is not None:
            blocks.append(more)
        step = np.concatenate(blocks, 1)
        return ScaledCovariates(step, future, panel.future_offsets, effect)

    def to_dict(self) -> dict[str, Any]:
        """JSON form that `from_dict` reads back exactly."""
        series: dict[str, Any] = {}
        for name, part in self.scaler._asdict().items():
            if part is not None:
                series[name] = part.tolist()

        # JSON has no infinity.
        lowest = series["low"]
        series["low"] = [None if np.isinf(low) else low for low in lowest]

        return {
            "seasons": self.seasons._asdict(),
            "scale": self.scale,
            "transform": self.transform,
            "series": series,
            "covariates": {
                "mean": self.mean.tolist(),
                "deviation": self.deviation.tolist(),
            },
            "effects": self.effects.to_dict(),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Scaling":
        """Rebuild from `to_dict`'s form."""
        series = data["series"]
        covariates = data["covariates"]

        # None stands for minus infinity, which JSON has not.
        lowest = series["low"]
        low = [-np.inf if value is None else value for value in lowest]
        scaler = ScalerState(
            log=np.array(series["log"], dtype=bool),
            shift=np.array(series["shift"], dtype=np.float64),
            floor=np.array(series["floor"], dtype=np.float64),
            low=np.array(low, dtype=np.float64),
            centre=_optional_floats(series.get("centre")),
            spread=_optional_floats(series.get("spread")),
        )
        return cls(
            seasons=Seasons(**data["seasons"]),
            scaler=scaler,
            mean=np.array(covariates["mean"], dtype=np.float64),
            deviation=np.array(covariates["deviation"], dtype=np.float64),
            effects=CovariateEffects.from_dict(data["effects"]),
            # Runs of older versions do not name these two.
            scale=data.get("scale", "causal"),
            transform=data.get("transform", "auto"),
        )


def compute_filled_steps(
    panel: Panel, seasons: Seasons, scaler: ScalerState, explained: Floats | None = None
) -> StepArrays:
    """Step features of a panel whose gaps are filled as was asked for; arguments as of `steps`.

    What was filled is read, but it counts as not observed: nothing is learnt from it.
    """
    values = fill_gaps(panel)
    steps = compute_step_arrays(values, panel.offsets, seasons, scaler, explained)
    if values is panel.values:
        return steps
    observed = ~np.isnan(panel.values)
    return replace(steps, observed=observed, open=find_open_steps(panel))


def fit_scaling(
    panel: Panel, seasons: Seasons, config: Config, ends: Ints | None = None
) -> Scaling:
    """Fit a configuration's scales and transforms to the first `ends` [N] steps of each series."""
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

    scaling = fit_scaling(panel, seasons, config)
    return infer_seasons(scaling.without_effects(panel))


def resolve_horizon(
    panel: Panel, config: Config, seasons: Seasons | None = None
) -> int:
    """Steps to forecast: as configured, else `default_horizon` of the seasons that a fit finds.

    A fit, a backtest, a search, an inspection and their dry runs all ask here, once, and so have
    one answer. seasons: those of `infer_seasons_without_effects`, where they are known already.
    """
    if config.window.horizon is not None:
        return config.window.horizon
    if seasons is None and panel.axis.kind == "integer":
        seasons = infer_seasons_without_effects(panel, config)
    # Where steps have dates, the frequency alone decides, and no season needs to be measured.
    main = seasons.main if seasons else 1
    return default_horizon(panel, main)


def resolve_required_horizon(panel: Panel, config: Config) -> int | None:
    """The horizon that series must be long enough for, None where lengths are no requirement.

    A horizon and a context that are both left out adapt to the series. The default horizon of steps
    without dates is a season, which takes a while to find: it is looked for only where it counts.
    """
    window = config.window
    if window.context is None and window.horizon is None:
        return None
    return resolve_horizon(panel, config)


def _is_target_step(panel: Panel) -> Bools:
    """Which known-future rows lie within the target's steps, [sum (T + ahead)]."""
    return are_first_steps(panel.future_offsets, panel.lengths)


def _column_statistic(statistic: Any, block: Floats, default: float) -> Floats:
    """A statistic of each column of a block [n, C] that has a value, else `default`, [C]."""
    result = np.full(block.shape[1], default)
    has_value = ~np.isnan(block).all(0)
    if has_value.any():
        columns = block[:, has_value]
        result[has_value] = statistic(columns, axis=0)
    return result


def _standardize(block: Floats, mean: Floats, deviation: Floats) -> Singles:
    """A block [n, C] in deviations from its mean, clipped; 0 where missing."""
    scaled = (block - mean) / deviation
    scaled = np.nan_to_num(scaled)
    scaled = scaled.clip(-FEATURE_CLIP, FEATURE_CLIP)
    return scaled.astype(np.float32)


def _optional_floats(values: list[float] | None) -> Floats | None:
    if values is None:
        return None
    return np.array(values, dtype=np.float64)
