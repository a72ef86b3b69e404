"""Scales that are fitted once to the training part of a series, and the series that a logarithm cannot take.

The causal scale, which is the default, needs none of this: see `features`. Knows no frames, files or torch.

Axes: N series, T steps; flat arrays hold all series end to end.
"""

import numpy as np
from numpy.typing import NDArray

from lstmcast.config import Scale
from lstmcast.errors import UsageError
from lstmcast.features import ScalerState, transform
from lstmcast.panel import Panel

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def fixed(kind: Scale, values: Floats, offsets: Ints, ends: Ints, state: ScalerState) -> ScalerState:
    """The state with a centre and a spread of each series, from its first `ends` [N] steps alone.

    standard: mean and deviation; robust: median and interquartile range; minmax: lowest value and range; none: 0 and 1.
    A spread of nothing becomes 1. values: [sum T] with NaN for missing, in the user's units; offsets: [N+1].
    """
    if kind == "causal":
        return state
    lengths = np.diff(offsets)
    owner = np.repeat(np.arange(len(lengths)), lengths)
    step = np.arange(len(values)) - offsets[owner]
    z = np.where(step < ends[owner], transform(values, owner, state), np.nan)
    low, lower, middle, upper, high = (_quantiles(z, owner, offsets, share) for share in (0, 0.25, 0.5, 0.75, 1))
    if kind == "standard":
        size = np.where(high > low, high - low, 1.0)  # squares of it would overflow
        seen, share = ~np.isnan(z), np.nan_to_num((z - middle[owner]) / size[owner])
        count = np.maximum(np.bincount(owner, seen, len(lengths)), 1)
        mean = np.bincount(owner, share, len(lengths)) / count
        square = np.bincount(owner, np.where(seen, share - mean[owner], 0.0) ** 2, len(lengths)) / count
        centre, spread = middle + mean * size, np.sqrt(square) * size
    elif kind == "none":
        centre, spread = np.zeros(len(lengths)), np.ones(len(lengths))
    else:
        centre, spread = (middle, upper - lower) if kind == "robust" else (low, high - low)
    return state._replace(centre=centre, spread=np.where(spread > 0, spread, 1.0))


def require_positive(panel: Panel) -> None:
    """Raise UsageError where a series has a value that has no logarithm."""
    wrong = np.flatnonzero(panel.values <= 0)
    if len(wrong):
        series = int(np.searchsorted(panel.offsets, wrong[0], side="right")) - 1
        name = f" of series {', '.join(panel.keys[series])!r}" if panel.keys[series] else ""
        stamp = panel.axis.texts(np.array([panel.start[series] + wrong[0] - panel.offsets[series]]))[0]
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        raise UsageError(
            f"--transform log needs values above 0: {panel.values[wrong[0]]:g}{name} at {stamp}{more}",
            "leave it at auto, or take none",
        )


def _quantiles(z: Floats, owner: Ints, offsets: Ints, share: float) -> Floats:
    """The value of each series [N] below which `share` of its known ones lie; 0 where it has none."""
    order = np.lexsort((z, owner))  # NaN sort last
    count = np.bincount(owner, ~np.isnan(z), len(offsets) - 1).astype(np.int64)
    place = offsets[:-1] + np.round(share * np.maximum(count - 1, 0)).astype(np.int64)
    return np.where(count > 0, z[order[place]], 0.0)
