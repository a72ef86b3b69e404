"""Means, shifts and fills along time that know nothing of the future.

Axes: n series, T steps, m season, G cycles of a season.
"""

import numpy as np

from lstmcast.ragged import Floats

_MAX_BLOCK_EXPONENT = 60.0
"""A block of a recursive sum ends before its factors pass e to the power of this: far from the
largest float."""
_RESCALE_ABOVE, _RESCALE_EXPONENT = 1e270, 512
"""Values beyond the first are summed so many powers of two smaller: those factors would carry them
to infinity."""
_MIN_MASS = 1e-300
"""Least sum of weights that a mean is divided by."""


def exponential_moving_average(
    x: Floats, weight: Floats, alpha: float, axis: int = -1
) -> Floats:
    """Exponential moving average along `axis` of the steps with a weight; 0 before the first.

    x, weight: of one shape. alpha: share of the newest value, in (0, 1].
    """
    if _RESCALE_ABOVE < np.max(np.abs(x), initial=0.0) < np.inf:
        # A power of two changes no digit of a float.
        smaller = np.ldexp(x, -_RESCALE_EXPONENT)
        average = exponential_moving_average(smaller, weight, alpha, axis)
        return np.ldexp(average, _RESCALE_EXPONENT)
    mass = _decayed_sum(weight, alpha, axis)
    total = _decayed_sum(x * weight, alpha, axis)
    return np.asarray(
        np.divide(total, mass, out=np.zeros_like(mass), where=mass > _MIN_MASS)
    )


def _decayed_sum(x: Floats, alpha: float, axis: int) -> Floats:
    """Sums y[t] = alpha x[t] + (1 - alpha) y[t - 1] along `axis`.

    Within a block it is a cumulative sum of x[t] (1 - alpha)^-t; blocks end before these factors
    overflow. A filter of scipy's would do it, but importing that takes longer than most of what is
    done here.
    """
    x = np.moveaxis(x, axis, -1)
    steps = x.shape[-1]
    out = np.empty_like(x)
    decay = -np.log(max(1 - alpha, 1e-80))
    size = max(1, min(steps, int(_MAX_BLOCK_EXPONENT / decay)))
    growth = np.exp(decay * np.arange(size))
    carried = np.zeros(x.shape[:-1])
    for start in range(0, steps, size):
        block = x[..., start : start + size]
        factors = growth[: block.shape[-1]]
        sums = np.cumsum(block * (alpha * factors), -1)
        sums += (1 - alpha) * carried[..., None]
        sums /= factors
        out[..., start : start + size] = sums
        carried = sums[..., -1]
    return np.moveaxis(out, -1, axis)


def moving_average(z: Floats, window: int) -> Floats:
    """Mean of the last `window` steps, of fewer at the start, [n, T].

    Differences of running sums, taken from the first value so that a high level costs no digits.
    """
    base = z[:, :1]
    sums = np.concatenate([np.zeros_like(base), np.cumsum(z - base, 1)], 1)
    stop = np.arange(1, z.shape[1] + 1)
    start = np.maximum(0, stop - window)
    return np.asarray(base + (sums[:, stop] - sums[:, start]) / (stop - start))


def shift_right(z: Floats, k: int, part: slice = slice(0, None)) -> Floats:
    """A part of the steps of z [n, T], each k steps late; 0 where there is nothing."""
    stop = z.shape[1] if part.stop is None else part.stop
    shifted = np.zeros((len(z), stop - part.start))
    first = max(part.start, k)
    if first < stop:
        shifted[:, first - part.start :] = z[:, first - k : stop - k]
    return shifted


def difference_at_lag(z: Floats, k: int) -> Floats:
    """z[t] - z[t - k], 0 for the first k steps, [n, T]."""
    difference = np.zeros_like(z)
    if k < z.shape[1]:
        difference[:, k:] = z[:, k:] - z[:, : z.shape[1] - k]
    return difference


def fill_gaps_from_past(z: Floats, season: int) -> Floats:
    """Fill NaN from the past: from the same phase of an earlier season, else from the last value.

    z: [n, T]. Leading NaN become 0.
    """
    if not np.isnan(z).any():
        return z
    filled = z
    if season > 1:
        cycles = _carry_forward(reshape_to_cycles(z, season, np.nan), axis=1)
        filled = cycles.reshape(len(z), -1)[:, : z.shape[1]]
    return np.nan_to_num(_carry_forward(filled, axis=1))


def reshape_to_cycles(z: Floats, m: int, fill: float) -> Floats:
    """Series [n, T] as whole cycles [n, G, m], padded with `fill` at the end."""
    n, width = z.shape
    cycles = -(-width // m)  # rounded up
    padded = np.full((n, cycles * m), fill)
    padded[:, :width] = z
    return padded.reshape(n, cycles, m)


def _carry_forward(z: Floats, axis: int) -> Floats:
    """Replace NaN by the last value before it along `axis`."""
    along_axis = [-1 if i == axis else 1 for i in range(z.ndim)]
    steps = np.arange(z.shape[axis]).reshape(along_axis)
    # Before the first value this is step 0, whose NaN stays.
    last_known = np.maximum.accumulate(np.where(np.isnan(z), 0, steps), axis=axis)
    return np.take_along_axis(z, last_known, axis)
