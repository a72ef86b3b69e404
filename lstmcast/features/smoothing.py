"""Smoothing along time that knows nothing of the future: recursive means, gaps filled from the past, seasons as rows.

Axes: n series, T steps, m season.
"""

import numpy as np

from lstmcast.ragged import Floats

_MAX_BLOCK_EXPONENT = 60.0
"""A block of a recursive sum ends before its factors pass e to the power of this: far from the
largest float."""
_RESCALE_ABOVE, _RESCALE_EXPONENT = 1e270, 512
"""Values beyond the first are summed so many powers of two smaller: those factors would carry them
to infinity."""


def exponential_moving_average(x: Floats, weight: Floats, alpha: float, axis: int = -1) -> Floats:
    """Exponential moving average along `axis` that skips steps of weight 0; 0 before the first weight."""
    if _RESCALE_ABOVE < np.max(np.abs(x), initial=0.0) < np.inf:  # no power of two changes a digit
        return np.ldexp(
            exponential_moving_average(np.ldexp(x, -_RESCALE_EXPONENT), weight, alpha, axis),
            _RESCALE_EXPONENT,
        )
    mass = _decayed_sum(weight, alpha, axis)
    total = _decayed_sum(x * weight, alpha, axis)
    return np.asarray(np.divide(total, mass, out=np.zeros_like(mass), where=mass > 1e-300))


def _decayed_sum(x: Floats, alpha: float, axis: int) -> Floats:
    """Sums y[t] = alpha x[t] + (1 - alpha) y[t - 1] along `axis`.

    Within a block it is a cumulative sum of x[t] (1 - alpha)^-t; blocks end before these factors
    overflow. A filter of scipy's would do it, but importing that takes longer than most of what is
    done here.
    """
    x = np.moveaxis(x, axis, -1)
    out = np.empty_like(x)
    keep = -np.log(max(1 - alpha, 1e-80))
    size = max(1, min(x.shape[-1], int(_MAX_BLOCK_EXPONENT / keep)))
    grow = np.exp(keep * np.arange(size))
    last = np.zeros(x.shape[:-1])
    for start in range(0, x.shape[-1], size):
        block = x[..., start : start + size]
        n = block.shape[-1]
        part = np.cumsum(block * (alpha * grow[:n]), -1)
        part += (1 - alpha) * last[..., None]
        part /= grow[:n]
        out[..., start : start + size] = part
        last = part[..., -1]
    return np.moveaxis(out, -1, axis)


def fill_gaps_from_past(z: Floats, season: int) -> Floats:
    """Fill NaN from the past: from the same phase of an earlier season, else from the last value.

    z: [n, T]. Leading NaN become 0.
    """
    if not np.isnan(z).any():
        return z
    filled = z
    if season > 1:
        filled = _carry_forward(reshape_to_cycles(z, season, np.nan), axis=1).reshape(len(z), -1)[
            :, : z.shape[1]
        ]
    return np.nan_to_num(_carry_forward(filled, axis=1))


def reshape_to_cycles(z: Floats, m: int, fill: float) -> Floats:
    """[n, T] -> [n, cycles, m], padded at the end."""
    n, width = z.shape
    count = -(-width // m)
    out = np.full((n, count * m), fill)
    out[:, :width] = z
    return out.reshape(n, count, m)


def _carry_forward(z: Floats, axis: int) -> Floats:
    """Replace NaN by the last value before it along `axis`."""
    steps = np.arange(z.shape[axis]).reshape([-1 if i == axis else 1 for i in range(z.ndim)])
    newest = np.maximum.accumulate(np.where(np.isnan(z), 0, steps), axis=axis)
    return np.take_along_axis(z, newest, axis)
