"""Batches of windows of context and horizon, taken from feature arrays by index and never stored.

A chunk of steps is encoded once and every origin inside it is a window. Knows no calendars, files
or pandas.

Axes: N series, T steps, B chunks, L steps of a chunk, P origins per chunk, H horizon, F input
features, J local features, A candidates, Cs covariates known at a step, Ca known ahead.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lstmcast.features.candidates import (
    CANDIDATES,
    N_FAST_CANDIDATES,
    forecast_candidates,
    horizon_features,
    older_seasonal_values,
)
from lstmcast.features.steps import FEATURE_CLIP, TARGET_CLIP, Seasons, StepArrays
from lstmcast.ragged import Bools, Floats, Ints, Singles

MIN_CONTEXT = 12
"""Least default context, in steps."""
LONG_SEASON = 200
"""From so many steps on, a season is left to the features and candidates, which remember it."""
MAX_CONTEXT_OF_LONG_SEASON = 512
_SEASONAL_NAIVE = CANDIDATES.index("seasonal_naive")


class ScaledCovariates(NamedTuple):
    """Scaled covariates of all series, flat, 0 where unknown.

    step: float32 [sum T, Cs], known at the step: past, known-future and static ones, and the
    calendar. ahead: float32 [sum (T + ahead), Ca], known for horizon steps too. ahead_offsets:
    [N+1]. effect: [sum (T + ahead)], what they add to the series, in transformed units; None where
    that is nothing.
    """

    step: Singles
    ahead: Singles
    ahead_offsets: Ints
    effect: Floats | None = None


class Batch(NamedTuple):
    """Arrays of B chunks with P origins each.

    x: [L, B, F]. at: [B, P], each origin's step in its chunk. local: [B, P, H, J]. blend: [B, P, H,
    A], candidates relative to the seasonal-naive one in scales; base [B, P, H] and scale [B, P, 1]
    (float64) undo that. target: [B, P, H] in the same units, and z: [B, P, H] (float64) as
    transformed; NaN where unknown or missing. pad: [B], steps of each chunk that lie before its
    series.
    """

    x: Singles
    at: Ints
    local: Singles
    blend: Singles
    base: Floats
    scale: Floats
    target: Singles
    z: Floats
    pad: Ints


def default_context(seasons: Seasons, horizon: int) -> int:
    """Context length in steps where none is given: two seasons, and two horizons or so."""
    m = seasons.main
    two_seasons = 2 * m if m > 1 else 0

    # A long horizon is not looked back on twice.
    for_horizon = 2 * horizon
    if horizon > 24:
        for_horizon = horizon + m

    context = max(two_seasons, for_horizon, MIN_CONTEXT)
    if m > LONG_SEASON:
        return min(context, MAX_CONTEXT_OF_LONG_SEASON)
    return context


def choose_lead(context: int, longest: int) -> int:
    """Steps that a forecast reads before its context: as many as in training, on average.

    There an origin has up to two contexts before its own, at most the longest series.
    """
    return min(2 * context, longest) // 2


@dataclass(frozen=True, eq=False)
class Windows:
    """Batches from the steps of a panel.

    context: steps that an origin can look back on. stride: further steps of a training chunk, from
    which its origins are drawn. lead: steps that a forecast reads before its context.
    """

    steps: StepArrays
    horizon: int
    context: int
    stride: int
    covariates: ScaledCovariates | None = None
    lead: int = 0

    @property
    def chunk(self) -> int:
        """Steps of a training chunk."""
        return self.context + self.stride - 1

    @property
    def lengths(self) -> Ints:
        """Steps of each series, [N]."""
        return np.diff(self.steps.offsets)

    def batch(
        self, series: Ints, origins: Ints, chunk: int, ends: Ints | None = None
    ) -> Batch:
        """Windows of `series` [B] at `origins` [B, P], in chunks of `chunk` steps.

        The last origin of a row closes its chunk. ends: [N], targets at or after this step are
        withheld (NaN); by default the lengths.
        """
        steps = self.steps
        first = steps.offsets[series]

        # The steps of a chunk, and where in it the origins are.
        close = origins.max(1)
        last_of_chunk = chunk - 1
        until_close = np.arange(-last_of_chunk, 1)
        inside = close + until_close[:, None]
        before_close = origins - close[:, None]
        at = before_close + last_of_chunk
        pad = np.maximum(last_of_chunk - close, 0)

        # All of a window is relative to its seasonal-naive forecast, in scales of its origin.
        column = series[:, None]
        owner = np.broadcast_to(column, origins.shape)
        candidates = forecast_candidates(steps, owner, origins, self.horizon)
        base = candidates[..., _SEASONAL_NAIVE]

        at_origin = first[:, None] + origins
        scale = steps.scale[at_origin]
        scale = scale[..., None]

        blend = candidates - base[..., None]
        blend /= scale[..., None]

        # One wild value must not drown the others.
        limit = steps.state.bound(TARGET_CLIP)
        blend = blend.clip(-limit, limit)

        local = self._local_inputs(owner, origins, blend, base, scale)
        target, z = self._scaled_targets(owner, origins, base, scale, ends)

        return Batch(
            x=self.encoder_inputs(first, inside),
            at=at,
            local=local,
            blend=blend.astype(np.float32),
            base=base,
            scale=scale,
            target=target,
            z=z,
            pad=pad,
        )

    def encoder_inputs(self, first: Ints, inside: Ints) -> Singles:
        """Inputs [L, B, F] at steps `inside` [L, B] of series that begin at row `first` [B]."""
        x = _take_rows(self.steps.x, first, inside)
        if self.covariates is None:
            return x

        covariates = _take_rows(self.covariates.step, first, inside)
        return np.concatenate([x, covariates], -1)

    def _local_inputs(
        self, series: Ints, origins: Ints, blend: Floats, base: Floats, scale: Floats
    ) -> Singles:
        """What the decoder reads of each horizon step, [B, P, H, J + Ca]; see `Batch`."""
        steps = self.steps
        horizon = self.horizon

        # Differences between seasons: the two seasons before that of the base, and the origin.
        older = older_seasonal_values(steps, series, origins, horizon, 1)
        oldest = older_seasonal_values(steps, series, origins, horizon, 2)
        at_origin = steps.offsets[series] + origins
        origin_value = steps.z[at_origin, None]
        from_base = [
            older - base,
            oldest - base,
            base - origin_value,
        ]
        differences = np.stack(from_base, -1)
        differences /= scale[..., None]

        fast = blend[..., :N_FAST_CANDIDATES]
        patterns = blend[..., N_FAST_CANDIDATES:]
        local = np.concatenate([fast, differences, patterns], -1)
        bound = steps.state.bound(FEATURE_CLIP)
        local = local.clip(-bound, bound)

        # The features of the horizon are those of every origin of a series.
        series_of_chunk = series[:, 0]
        log = steps.state.log[series_of_chunk]
        of_series = horizon_features(horizon, steps.seasons, log)
        n_features = of_series.shape[-1]
        shape = (*base.shape, n_features)
        for_origins = of_series[:, None]
        shared = np.broadcast_to(for_origins, shape)

        # What came later stands last, so that older networks find theirs where they were.
        local = local.astype(np.float32)
        n_first = N_FAST_CANDIDATES + differences.shape[-1]
        parts = [local[..., :n_first], shared, local[..., n_first:]]
        if self.covariates is not None:
            ahead = self._covariates_ahead(self.covariates, series, origins)
            parts.append(ahead)

        return np.concatenate(parts, -1)

    def effect(self, series: Ints, origins: Ints) -> Floats:
        """What covariates add at the horizon steps of windows [...], transformed: [..., H]."""
        if self.covariates is None or self.covariates.effect is None:
            return np.zeros((*series.shape, self.horizon))

        at, known = self._horizon_rows(self.covariates, series, origins)
        effect = self.covariates.effect[at]
        return np.where(known, effect, 0.0)

    def _covariates_ahead(
        self, covariates: ScaledCovariates, series: Ints, origins: Ints
    ) -> Singles:
        """Known covariates of the horizon steps, [B, P, H, Ca]; 0 past their end."""
        at, known = self._horizon_rows(covariates, series, origins)
        ahead = covariates.ahead[at]
        known = known[..., None]
        return np.where(known, ahead, np.float32(0))

    def _horizon_rows(
        self, covariates: ScaledCovariates, series: Ints, origins: Ints
    ) -> tuple[Ints, Bools]:
        """Rows of the horizon steps in the tables known ahead, and which exist: [..., H] each."""
        offsets = covariates.ahead_offsets
        at_origin = offsets[series] + origins
        at = _following(at_origin, self.horizon)
        end = offsets[series + 1]
        end = end[..., None]

        # Row 0 stands in where there is none, for the caller to mask.
        known = at < end
        rows = np.where(known, at, 0)
        return rows, known

    def _scaled_targets(
        self,
        series: Ints,
        origins: Ints,
        base: Floats,
        scale: Floats,
        ends: Ints | None,
    ) -> tuple[Singles, Floats]:
        """Targets of windows in scales from their base, and as transformed: [B, P, H] each."""
        steps = self.steps
        limit = self.lengths if ends is None else ends
        limit = limit[series]
        limit = limit[..., None]
        ahead = _following(origins, self.horizon)
        known = ahead < limit

        # The first step stands in where there is none, to be masked.
        ahead = np.where(known, ahead, 0)
        first = steps.offsets[series]
        at = first[..., None] + ahead
        known &= steps.observed[at]

        # An origin in a gap that is read as a line already knows where the line ends.
        if steps.open is not None:
            at_origin = first + origins
            is_open = steps.open[at_origin]
            known &= ~is_open[..., None]

        z = steps.z[at]
        z = np.where(known, z, np.nan)

        bound = steps.state.bound(TARGET_CLIP)
        distance = z - base
        target = distance / scale
        target = target.clip(-bound, bound)
        return target.astype(np.float32), z


def _following(origins: Ints, horizon: int) -> Ints:
    """The steps ahead of origins [...], [..., H]."""
    h = np.arange(1, horizon + 1)
    return origins[..., None] + h


def _take_rows(table: Singles, first: Ints, inside: Ints) -> Singles:
    """table[first + inside], with zeros before the first step of a series: [L, B, F]."""
    # The first step stands in where there is none, and is then cleared.
    step = np.maximum(inside, 0)
    rows = table[first + step]
    is_before = inside < 0
    rows[is_before] = 0
    return rows
