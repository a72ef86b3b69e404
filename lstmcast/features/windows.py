"""Feature arrays -> batches of (context, horizon) windows by index; no window is ever stored.

A chunk of steps is encoded once and every origin inside it is a window. Knows no calendars, files
or pandas.

Axes: B chunks, C steps of a chunk, P origins per chunk, H horizon, J local features, A candidates.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.features.candidates import (
    forecast_candidates,
    horizon_features,
    older_seasonal_values,
)
from lstmcast.features.steps import FEATURE_CLIP, TARGET_CLIP, Seasons, StepArrays
from lstmcast.ragged import Floats, Ints, Singles


class ScaledCovariates(NamedTuple):
    """Scaled covariates of all series, flat, 0 where unknown.

    step: float32 [sum T, Cs], known at the step: past, known-future and static ones, and the
    calendar.
    ahead: float32 [sum (T + ahead), Ca], known for horizon steps too. ahead_offsets: [N+1].
    effect: [sum (T + ahead)], what they add to the series, in transformed units; None where that is
    nothing.
    """

    step: Singles
    ahead: Singles
    ahead_offsets: Ints
    effect: Floats | None = None


class Batch(NamedTuple):
    """Arrays of B chunks with P origins each.

    x [C, B, F]; at [B, P], each origin's step in its chunk; local [B, P, H, J]; blend [B, P, H, A],
    candidates relative to the seasonal-naive one in scales; base [B, P, H] and scale [B, P, 1]
    (float64) undo that; target [B, P, H] in the same units and z [B, P, H] (float64) as
    transformed, NaN where unknown or missing; pad [B], steps of each chunk that lie before its
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
    """Context length in steps that a forecast needs at least."""
    m = seasons.main
    return max(2 * m if m > 1 else 0, 2 * horizon if horizon <= 24 else horizon + m, 12)


@dataclass(frozen=True, eq=False)
class Windows:
    """Batches from the steps of a panel.

    context: steps that an origin can look back on. stride: further steps of a training chunk, from
    which its origins are drawn.
    """

    steps: StepArrays
    horizon: int
    context: int
    stride: int
    covariates: ScaledCovariates | None = None

    @property
    def chunk(self) -> int:
        """Steps of a training chunk."""
        return self.context + self.stride - 1

    @property
    def lengths(self) -> Ints:
        """Steps of each series, [N]."""
        return np.diff(self.steps.offsets)

    def batch(self, series: Ints, origins: Ints, chunk: int, ends: Ints | None = None) -> Batch:
        """Windows of `series` [B] at `origins` [B, P], the last of each row closing its chunk of `chunk` steps.

        ends: [N], targets at or after this step are withheld (NaN); by default the lengths.
        """
        steps = self.steps
        first = steps.offsets[series]
        close = origins.max(1)
        inside = close + np.arange(1 - chunk, 1)[:, None]  # (C, B)
        x = self.encoded(first, inside)
        wide = np.broadcast_to(series[:, None], origins.shape)
        options = forecast_candidates(steps, wide, origins, self.horizon)  # (B, P, H, A)
        base = options[..., 1]
        flat = first[:, None] + origins
        scale = steps.scale[flat][..., None]
        limit, clip = steps.state.bound(TARGET_CLIP), steps.state.bound(FEATURE_CLIP)
        blend = ((options - base[..., None]) / scale[..., None]).clip(-limit, limit)
        older = [
            older_seasonal_values(steps, wide, origins, self.horizon, back) - base
            for back in (1, 2)
        ]
        relative = np.stack([*older, base - steps.z[flat][..., None]], -1) / scale[..., None]
        local = np.concatenate([blend, relative], -1).clip(-clip, clip).astype(np.float32)
        shared = horizon_features(self.horizon, steps.seasons, steps.state.log[series])[:, None]
        parts = [local, np.broadcast_to(shared, (*local.shape[:-1], shared.shape[-1]))]
        if self.covariates is not None:
            parts.append(self._known_ahead(self.covariates, wide, origins))
        target, z = self._scaled_targets(wide, origins, base, scale, ends)
        at, pad = origins - close[:, None] + chunk - 1, np.maximum(chunk - 1 - close, 0)
        ahead = np.concatenate(parts, -1)
        return Batch(x, at, ahead, blend.astype(np.float32), base, scale, target, z, pad)

    def encoded(self, first: Ints, inside: Ints) -> Singles:
        """What the encoder reads, [C, B, F], at steps `inside` [C, B] of series that begin at `first` [B]."""
        x = _take_rows(self.steps.x, first, inside)
        if self.covariates is None:
            return x
        return np.concatenate([x, _take_rows(self.covariates.step, first, inside)], -1)

    def effect(self, series: Ints, origins: Ints) -> Floats:
        """What known covariates add at the horizon steps of windows [...], in transformed units: [..., H]."""
        if self.covariates is None or self.covariates.effect is None:
            return np.zeros((*series.shape, self.horizon))
        at, known = self._horizon_rows(self.covariates, series, origins)
        return np.where(known, self.covariates.effect[at], 0.0)

    def _known_ahead(self, covariates: ScaledCovariates, series: Ints, origins: Ints) -> Singles:
        """Known covariates of the horizon steps, [B, P, H, Ca]; 0 past their end."""
        at, known = self._horizon_rows(covariates, series, origins)
        return np.where(known[..., None], covariates.ahead[at], np.float32(0))

    def _horizon_rows(
        self, covariates: ScaledCovariates, series: Ints, origins: Ints
    ) -> tuple[Ints, NDArray[np.bool_]]:
        """Rows of the horizon steps in the tables of what is known ahead, and whether there is one: [..., H] each."""
        offsets = covariates.ahead_offsets
        at = offsets[series][..., None] + origins[..., None] + np.arange(1, self.horizon + 1)
        known = at < offsets[series + 1][..., None]
        return np.where(known, at, 0), known

    def _scaled_targets(
        self, series: Ints, origins: Ints, base: Floats, scale: Floats, ends: Ints | None
    ) -> tuple[Singles, Floats]:
        limit = self.lengths if ends is None else ends
        ahead = origins[..., None] + np.arange(1, self.horizon + 1)
        known = ahead < limit[series][..., None]
        at = self.steps.offsets[series][..., None] + np.where(known, ahead, 0)
        known &= self.steps.seen[at]
        z = np.where(known, self.steps.z[at], np.nan)
        bound = self.steps.state.bound(TARGET_CLIP)
        return ((z - base) / scale).clip(-bound, bound).astype(np.float32), z


def _take_rows(table: Singles, first: Ints, inside: Ints) -> Singles:
    """table[first + inside] with zeros before a series' first step: [C, B, F]."""
    out = table[first + np.maximum(inside, 0)]
    out[inside < 0] = 0
    return out
