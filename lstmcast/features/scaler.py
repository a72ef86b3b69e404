"""Scales that are fitted once to the training part of a series, and the series that a logarithm cannot take.

The causal scale, which is the default, needs none of this: see `features`. Knows no frames, files
or torch.

Axes: N series, T steps; flat arrays hold all series end to end.
"""

from typing import NamedTuple

import numpy as np

from lstmcast.config import Scale, Transform
from lstmcast.ragged import Bools, Floats, Ints, median_by_series

FIXED_SCALE_CLIP = 1e6
"""The same for fixed scales."""


class ScalerState(NamedTuple):
    """What a run must remember of each series to transform it again; arrays [N].

    log: the series is forecast as log(y + shift). floor: what stands for y + shift below it, so
    that later values have a logarithm whatever they are. low: no forecast is below it (0 for a
    series that never was, else -inf).
    centre, spread: fixed scale, in transformed units; None where the scale is the causal one of
    each step.
    """

    log: Bools
    shift: Floats
    floor: Floats
    low: Floats
    centre: Floats | None = None
    spread: Floats | None = None

    def bound(self, usual: float) -> float:
        """How far features may go: a causal scale can be tiny by accident, a fixed one cannot."""
        return usual if self.spread is None else FIXED_SCALE_CLIP

    def take(self, series: Ints) -> "ScalerState":
        """The state of these series."""
        return ScalerState._make([None if part is None else part[series] for part in self])


def fit_scaler(values: Floats, offsets: Ints, how: Transform = "auto") -> ScalerState:
    """Decide per series whether and how to work in logs: `how` "log" where all values are above 0, "none" nowhere.

    With "auto" a series that was never negative is; where it comes near zero a fifth of its median
    is added first, so that zeros do not become craters. A series that is zero most of the time is
    left as it is.

    values: [sum T] with NaN for missing. offsets: [N+1].
    """
    low = np.fmin.reduceat(values, offsets[:-1])
    middle = median_by_series(values, offsets)
    log = {"auto": (low >= 0) & (middle > 0), "log": low > 0, "none": low != low}[how]
    shift = np.where(log & (low < 0.02 * middle) & (how == "auto"), 0.2 * middle, 0.0)
    floor = np.where(log, 0.1 * (np.where(log, low, 1.0) + shift), 0.0)
    return ScalerState(log, shift, floor, np.where(low >= 0, 0.0, -np.inf))


def transform_values(values: Floats, series: Ints, state: ScalerState) -> Floats:
    """Values of the given series (any shape; `series` broadcasts) into the units of the features."""
    log = np.broadcast_to(state.log[series], np.shape(values))
    shifted = np.maximum(values + state.shift[series], np.where(log, state.floor[series], -np.inf))
    return np.log(shifted, where=log, out=shifted)


def inverse_transform(z: Floats, series: Ints, state: ScalerState) -> Floats:
    """Inverse of `transform`, exact above the floor; nothing falls below a series' `low`."""
    log = np.broadcast_to(state.log[series], np.shape(z))
    out = np.exp(np.minimum(z, 700.0), where=log, out=np.array(z, dtype=np.float64))
    return np.maximum(out - state.shift[series], state.low[series])


def with_fixed_scale(
    kind: Scale, values: Floats, offsets: Ints, ends: Ints, state: ScalerState
) -> ScalerState:
    """The state with a centre and a spread of each series, from its first `ends` [N] steps alone.

    standard: mean and deviation; robust: median and interquartile range; minmax: lowest value and
    range; none: 0 and 1. A spread of nothing becomes 1. values: [sum T] with NaN for missing, in
    the user's units; offsets: [N+1].
    """
    if kind == "causal":
        return state
    lengths = np.diff(offsets)
    owner = np.repeat(np.arange(len(lengths)), lengths)
    step = np.arange(len(values)) - offsets[owner]
    z = np.where(step < ends[owner], transform_values(values, owner, state), np.nan)
    low, lower, middle, upper, high = (
        _quantile_by_series(z, owner, offsets, share) for share in (0, 0.25, 0.5, 0.75, 1)
    )
    if kind == "standard":
        size = np.where(high > low, high - low, 1.0)  # squares of it would overflow
        seen, share = ~np.isnan(z), np.nan_to_num((z - middle[owner]) / size[owner])
        count = np.maximum(np.bincount(owner, seen, len(lengths)), 1)
        mean = np.bincount(owner, share, len(lengths)) / count
        square = (
            np.bincount(owner, np.where(seen, share - mean[owner], 0.0) ** 2, len(lengths)) / count
        )
        centre, spread = middle + mean * size, np.sqrt(square) * size
    elif kind == "none":
        centre, spread = np.zeros(len(lengths)), np.ones(len(lengths))
    else:
        centre, spread = (middle, upper - lower) if kind == "robust" else (low, high - low)
    return state._replace(centre=centre, spread=np.where(spread > 0, spread, 1.0))


def _quantile_by_series(z: Floats, owner: Ints, offsets: Ints, share: float) -> Floats:
    """The value of each series [N] below which `share` of its known ones lie; 0 where it has none."""
    order = np.lexsort((z, owner))  # NaN sort last
    count = np.bincount(owner, ~np.isnan(z), len(offsets) - 1).astype(np.int64)
    place = offsets[:-1] + np.round(share * np.maximum(count - 1, 0)).astype(np.int64)
    return np.where(count > 0, z[order[place]], 0.0)
