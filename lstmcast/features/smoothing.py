"""Means, shifts and fills along time that know nothing of the future.

Axes: n series, T steps, m season, G cycles of a season.
"""

import numpy as np

from lstmcast.ragged import Floats, Ints, carry_forward

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
    largest = np.max(np.abs(x), initial=0.0)
    if _RESCALE_ABOVE < largest < np.inf:
        # A power of two changes no digit of a float.
        smaller = np.ldexp(x, -_RESCALE_EXPONENT)
        average = exponential_moving_average(smaller, weight, alpha, axis)
        return np.ldexp(average, _RESCALE_EXPONENT)

    mass = _decayed_sum(weight, alpha, axis)
    total = _decayed_sum(x * weight, alpha, axis)

    # Before the first step with a weight there is nothing to divide by.
    has_mass = mass > _MIN_MASS
    average = np.zeros_like(mass)
    np.divide(total, mass, out=average, where=has_mass)
    return average


def _decayed_sum(x: Floats, alpha: float, axis: int) -> Floats:
    """Sums y[t] = alpha x[t] + (1 - alpha) y[t - 1] along `axis`.

    Within a block it is a cumulative sum of x[t] (1 - alpha)^-t; blocks end before these factors
    overflow. A filter of scipy's would do it, but importing that takes longer than most of what is
    done here.
    """
    x = np.moveaxis(x, axis, -1)
    steps = x.shape[-1]
    out = np.empty_like(x)

    # An alpha of 1 leaves nothing, which has no logarithm.
    share_left = 1 - alpha
    decay = -np.log(max(share_left, 1e-80))
    longest = int(_MAX_BLOCK_EXPONENT / decay)
    size = max(1, min(steps, longest))
    exponents = decay * np.arange(size)
    growth = np.exp(exponents)

    # The last sum of a block is carried into the next one.
    carried = np.zeros(x.shape[:-1])
    for start in range(0, steps, size):
        part = slice(start, start + size)
        block = x[..., part]
        factors = growth[: block.shape[-1]]
        weights = alpha * factors
        weighted = block * weights
        sums = np.cumsum(weighted, -1)

        # What is carried decays from step to step, as the division makes it do.
        sums += share_left * carried[..., None]
        sums /= factors
        out[..., part] = sums
        carried = sums[..., -1]

    return np.moveaxis(out, -1, axis)


def moving_average(z: Floats, window: int) -> Floats:
    """Mean of the last `window` steps, of fewer at the start, [n, T].

    Differences of running sums, taken from the first value so that a high level costs no digits.
    """
    n, width = z.shape
    base = z[:, :1]

    # Before the first step the sum is 0.
    sums = np.zeros((n, width + 1))
    sums_so_far = sums[:, 1:]
    np.cumsum(z - base, 1, out=sums_so_far)

    # The steps of each mean: from `start` on, up to before `stop`.
    stop = np.arange(1, width + 1)
    start = np.maximum(0, stop - window)
    average: Floats = sums[:, stop]
    average -= sums[:, start]
    n_steps = stop - start
    average /= n_steps

    average += base
    return average


def shift_right(z: Floats, k: int, part: slice = slice(0, None)) -> Floats:
    """A part of the steps of z [n, T], each k steps late; 0 where there is nothing."""
    n, width = z.shape
    start = part.start
    stop = width if part.stop is None else part.stop
    n_steps = stop - start
    shifted = np.zeros((n, n_steps))

    # The first k steps of a series have nothing before them.
    first = max(start, k)
    if first < stop:
        earlier = z[:, first - k : stop - k]
        zeros_before = first - start
        shifted[:, zeros_before:] = earlier
    return shifted


def difference_at_lag(z: Floats, k: int) -> Floats:
    """z[t] - z[t - k], 0 for the first k steps, [n, T]."""
    difference = np.zeros_like(z)
    width = z.shape[1]
    kept = width - k
    if kept > 0:
        later = z[:, k:]
        earlier = z[:, :kept]
        difference[:, k:] = later - earlier
    return difference


def fill_gaps_from_past(z: Floats, season: int) -> Floats:
    """Fill NaN from the past: from the same phase of an earlier season, else from the last value.

    z: [n, T]. Leading NaN become 0.
    """
    if not np.isnan(z).any():
        return z

    filled = z
    if season > 1:
        cycles = reshape_to_cycles(z, season, np.nan)
        cycles = carry_forward(cycles, axis=1)
        filled = flatten_cycles(cycles, z.shape[1])

    # What no earlier season has.
    filled = carry_forward(filled, axis=1)
    return np.nan_to_num(filled)


def reshape_to_cycles(z: Floats, m: int, fill: float) -> Floats:
    """Series [n, T] as whole cycles [n, G, m], padded with `fill` at the end."""
    n, width = z.shape
    cycles = -(-width // m)  # rounded up
    padded_width = cycles * m
    padded = np.full((n, padded_width), fill)
    padded[:, :width] = z
    return padded.reshape(n, cycles, m)


def flatten_cycles(cycles: Floats, width: int) -> Floats:
    """Undo `reshape_to_cycles` for series of `width` steps."""
    flat = cycles.reshape(len(cycles), -1)
    return flat[:, :width]


def average_by_phase(
    rest: Floats,
    z: Floats,
    weight: Floats,
    m: int,
    lengths: Ints,
    alpha: float,
    width: int = 1,
) -> Floats:
    """Average over the cycles, phase by phase, of what is left above the moving average, [n, T].

    Inside the first cycle the moving average does not yet span a whole season; the mean of that
    cycle stands in. width: steps that the deviations are smoothed over before.
    """
    # Only the steps of the first cycle: adding zeros behind them would change how floats round.
    n_steps = z.shape[1]
    t = np.arange(n_steps)
    of_first = t[:m]
    inside = of_first < lengths[:, None]
    first_weight = weight[:, :m] * inside
    first_weighted = z[:, :m] * first_weight
    first_total = first_weighted.sum(1, keepdims=True)
    first_count = first_weight.sum(1, keepdims=True)
    first_mean = first_total / np.maximum(first_count, 1)
    is_first = t < m
    rest = np.where(is_first, z - first_mean, rest)
    if width > 1:
        rest = moving_average(rest, width)

    # Each phase of the season is a series of its own, from cycle to cycle.
    index = exponential_moving_average(
        reshape_to_cycles(rest, m, 0.0),
        reshape_to_cycles(weight, m, 0.0),
        alpha,
        axis=1,
    )
    return flatten_cycles(index, n_steps)
