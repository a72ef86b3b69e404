"""Logarithms and fixed scales of series, fitted once to their training part, and their inverse.

The causal scale, which is the default, is not fitted: see `steps`. Knows no frames, files or torch.

Axes: N series, T steps; flat arrays hold all series end to end.
"""

from typing import NamedTuple

import numpy as np

from lstmcast.config import Scale, Transform
from lstmcast.features.rows import are_first_steps, series_of_rows
from lstmcast.ragged import Bools, Floats, Ints, median_by_series

FIXED_SCALE_CLIP = 1e6
"""Where scales are fixed, features and targets are clipped to this many of them."""
_NEAR_ZERO_SHARE = 0.02
"""A series whose lowest value is below this share of its median comes near zero."""
_LOG_SHIFT_SHARE = 0.2
"""Share of the median that is added to a series that comes near zero, before its logarithm."""
_MAX_LEVEL_RANGES = 100.0
"""A series whose level is more than so many of its ranges from zero is forecast as if it were just
that far: a small cycle on a large number is no smaller for it."""
_LOG_FLOOR_SHARE = 0.1
"""Share of the lowest shifted value, below which no value is taken for its logarithm."""
_MAX_EXPONENT = 700.0
"""Greatest power of e that is taken: the largest float is some e^709."""


class ScalerState(NamedTuple):
    """What a run must remember of each series to transform it again; arrays [N].

    log: the series is forecast as log(y + shift). floor: what stands for y + shift below it, so
    that later values have a logarithm whatever they are. low: no forecast is below it (0 for a
    series that never was, else -inf). centre, spread: fixed scale, in transformed units; None where
    the scale is the causal one of each step.
    """

    log: Bools
    shift: Floats
    floor: Floats
    low: Floats
    centre: Floats | None = None
    spread: Floats | None = None

    def bound(self, usual: float) -> float:
        """Where to clip features: a causal scale can be tiny by accident, a fixed one cannot."""
        return usual if self.spread is None else FIXED_SCALE_CLIP

    def take(self, series: Ints) -> "ScalerState":
        """The state of these series."""
        parts = []
        for part in self:
            # A causal scale has no centre and no spread.
            taken = None if part is None else part[series]
            parts.append(taken)
        return ScalerState._make(parts)


def fit_scaler(values: Floats, offsets: Ints, how: Transform = "auto") -> ScalerState:
    """Decide for each series whether it is forecast in logs, and with which shift.

    values: [sum T] with NaN for missing. offsets: [N+1]. how: "log" where all values are above 0,
    "none" nowhere. With "auto" a series that was never negative is; where it comes near zero a
    fifth of its median is added first, so that zeros do not become craters. A series that is zero
    most of the time is left as it is. With "auto", too, a level far above or below the range of the
    values is shifted nearer, and then no logarithm is taken: it would be as good as linear.
    """
    starts = offsets[:-1]
    low = np.fmin.reduceat(values, starts)
    middle = median_by_series(values, offsets)
    n_series = len(low)
    never_negative = low >= 0
    in_logs = {
        "auto": never_negative & (middle > 0),
        "log": low > 0,
        "none": np.zeros(n_series, dtype=bool),
    }
    log = in_logs[how]

    shift = np.zeros(n_series)
    if how == "auto":
        shift = _distant_level_shift(values, starts, low, middle)
        stays = shift == 0
        log &= stays

        # Where no value is that close to zero, the logarithm needs no help.
        least_far = _NEAR_ZERO_SHARE * middle
        near_zero = log & (low < least_far)
        log_shift = _LOG_SHIFT_SHARE * middle
        shift = np.where(near_zero, log_shift, shift)

    # Where no logarithm is taken, the lowest value may be missing or negative; 1 stands in.
    lowest = np.where(log, low, 1.0)
    lowest_shifted = lowest + shift
    log_floor = _LOG_FLOOR_SHARE * lowest_shifted
    floor = np.where(log, log_floor, 0.0)

    # A series that was never negative is not forecast to be.
    lowest_forecast = np.where(never_negative, 0.0, -np.inf)
    return ScalerState(log, shift, floor, lowest_forecast)


def _distant_level_shift(
    values: Floats, starts: Ints, low: Floats, middle: Floats
) -> Floats:
    """What is added to series whose level is large beside their range, [N]; 0 to the others.

    So y and y + c have the same forecasts, but for c, whichever of these levels they are at.
    """
    high = np.fmax.reduceat(values, starts)
    # In halves, since the difference of very large values may overflow.
    half_range = high / 2 - low / 2
    nearest = 2 * _MAX_LEVEL_RANGES * half_range
    has_range = half_range > 0
    is_far = np.abs(middle) > nearest
    is_distant = has_range & is_far
    shift = np.copysign(nearest, middle) - middle
    return np.where(is_distant, shift, 0.0)


def transform_values(values: Floats, series: Ints, state: ScalerState) -> Floats:
    """Convert values of these series from the user's units into those of the features.

    values: of any shape, to which the series numbers `series` broadcast.
    """
    log = state.log[series]
    floor = state.floor[series]

    # Later values may have no logarithm: none is taken of less than the floor.
    floor = np.where(log, floor, -np.inf)
    shifted = values + state.shift[series]
    np.maximum(shifted, floor, out=shifted)
    return np.log(shifted, where=log, out=shifted)


def inverse_transform(z: Floats, series: Ints, state: ScalerState) -> Floats:
    """Invert `transform_values`, exactly above the floor; nothing falls below a series' `low`."""
    values = np.array(z, dtype=np.float64)
    exponent = np.minimum(z, _MAX_EXPONENT)
    log = state.log[series]

    # Only where the series is in logs; the others have been shifted alone.
    np.exp(exponent, where=log, out=values)
    values -= state.shift[series]
    return np.maximum(values, state.low[series])


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
    if kind == "none":
        n = len(ends)
        return state._replace(centre=np.zeros(n), spread=np.ones(n))

    owner = series_of_rows(offsets)
    in_sample = are_first_steps(offsets, ends)
    z = transform_values(values, owner, state)

    # What a verdict will judge takes no part.
    z[~in_sample] = np.nan
    quartiles = _quartiles_by_series(z, owner, offsets)
    low, lower, middle, upper, high = quartiles

    if kind == "standard":
        extent = high - low
        centre, spread = _mean_and_deviation(z, owner, middle, extent)
    elif kind == "robust":
        centre = middle
        spread = upper - lower
    else:
        centre = low
        spread = high - low

    return state._replace(centre=centre, spread=positive_or(spread, 1.0))


def positive_or(divisor: Floats, default: float) -> Floats:
    """What to divide by: `default` where the divisor is not above 0."""
    return np.where(divisor > 0, divisor, default)


def _mean_and_deviation(
    z: Floats, owner: Ints, middle: Floats, extent: Floats
) -> tuple[Floats, Floats]:
    """Mean and standard deviation of each series, [N] each.

    Both are summed in shares of the range `extent` around the median `middle` [N]: squares of large
    values would overflow.
    """
    n = len(middle)
    size = positive_or(extent, 1.0)

    observed = ~np.isnan(z)
    count = np.bincount(owner, observed, n)
    count = np.maximum(count, 1)

    share = (z - middle[owner]) / size[owner]
    share = np.nan_to_num(share)
    total = np.bincount(owner, share, n)
    mean = total / count

    deviation = np.where(observed, share - mean[owner], 0.0)
    sum_of_squares = np.bincount(owner, deviation**2, n)
    variance = sum_of_squares / count
    root = np.sqrt(variance)

    # Back from shares of the range into transformed units.
    return middle + mean * size, root * size


def _quartiles_by_series(z: Floats, owner: Ints, offsets: Ints) -> list[Floats]:
    """Lowest value, quartiles and highest value of each series, [N] each; 0 for no value."""
    order = np.lexsort((z, owner))  # NaN sort last in each series
    starts = offsets[:-1]
    observed = ~np.isnan(z)
    count = np.add.reduceat(observed, starts, dtype=np.int64)
    last_rank = np.maximum(count - 1, 0)

    quartiles = []
    for share in (0, 0.25, 0.5, 0.75, 1):
        # The nearest value, not one interpolated between two.
        rank = np.round(share * last_rank)
        rank = rank.astype(np.int64)
        row = order[starts + rank]
        value = z[row]
        quartiles.append(np.where(count > 0, value, 0.0))
    return quartiles
