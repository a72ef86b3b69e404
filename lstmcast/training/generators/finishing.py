"""A user's scale; caps, few levels, whole numbers and missing values.

Axes: n series, T steps.
"""

import numpy as np

from lstmcast.ragged import Bools, Floats
from lstmcast.training.generators.draws import Draws


def give_user_scale(draws: Draws, y: Floats) -> Floats:
    """Give unit-size series of any sign a user's scale, [n, T].

    They are exponentiated, on an offset, above zero, counts, or with many zeros.
    """
    kind = draws.share()
    is_exponential = kind < 0.45
    # Where they began says nothing of their size.
    centred = y - y.mean(1, keepdims=True)
    growth = centred * draws.log_uniform(-1.3, 0.0)
    growth = np.clip(growth, -12, 12)
    exponential = np.exp(growth, where=is_exponential, out=np.zeros_like(y))
    exponential *= draws.log_uniform(0, 4)

    linear = y * draws.log_uniform(-1, 3)
    linear += draws.pick([0.0, 20.0, 1000.0])

    above_zero = y - y.min(1, keepdims=True)
    above_zero += draws.uniform(0.02, 4)
    above_zero *= draws.log_uniform(0, 4)

    with_zeros = centred - draws.uniform(-1.5, 0.7)
    with_zeros = np.maximum(with_zeros, 0)
    with_zeros *= draws.log_uniform(0, 2)

    conditions = [is_exponential, kind < 0.7, kind < 0.9]
    choices = [exponential, linear, above_zero]
    scaled: Floats = np.select(conditions, choices, with_zeros)

    # A distribution is slow to draw from: only where it is taken.
    rows = np.flatnonzero((kind >= 0.9) & (kind < 0.96))
    counted = draws.take(len(rows))
    log_rate = centred[rows] * 0.7 + counted.uniform(-1.5, 3)
    # At most some 3000, at least a count of one in 400 steps.
    rate = np.exp(np.clip(log_rate, -6, 8))
    scaled[rows] = draws.rng.poisson(rate)
    return scaled


def give_size(draws: Draws, y: Floats) -> Floats:
    """Multiply series that have their own zero by a size of 0.1 to 10,000, [n, T].

    The mean of the magnitudes that are not zero becomes that size.
    """
    magnitude = np.abs(y)
    is_zero = magnitude < 1e-12
    count = np.maximum((~is_zero).sum(1, keepdims=True), 1)
    typical = magnitude.sum(1, keepdims=True) / count
    unit = np.where(typical > 0, typical, 1.0)
    return np.asarray(y / unit * draws.log_uniform(-1, 4))


def limit_values(draws: Draws, y: Floats) -> Floats:
    """Limit some series at a quantile, above, below or on both sides, [n, T].

    Capacities, meters at their end, floors: the limit is reached exactly, and often (censoring at a
    quantile, TempoPFN, Moroshan et al. 2025). About one series in twelve.
    """
    rows = np.flatnonzero(draws.mask(0.08))
    if not len(rows):
        return y
    some = draws.take(len(rows))
    ordered = np.sort(y[rows], 1)
    last = draws.length - 1
    low = (some.uniform(0.02, 0.35) * last).astype(int)
    high = (some.uniform(0.65, 0.98) * last).astype(int)
    # A third each has an upper limit, a lower one, or both.
    side = some.share()
    low = np.where(side < 0.33, 0, low)
    high = np.where(side > 0.67, last, high)
    lowest = np.take_along_axis(ordered, low, 1)
    highest = np.take_along_axis(ordered, high, 1)
    clipped = np.clip(y[rows], lowest, highest)
    # Mostly zeros, and limited to them: nothing would be left.
    is_constant = np.ptp(clipped, axis=1, keepdims=True) == 0
    limited = y.copy()
    limited[rows] = np.where(is_constant, y[rows], clipped)
    return limited


def round_values(draws: Draws, y: Floats) -> Floats:
    """Round some series to whole numbers, and some to a few levels, [n, T].

    Some people round (one series in seven); meters and grades have 5 to 40 levels (one in 25).
    """
    kind = draws.share()
    low = y.min(1, keepdims=True)
    span = y.max(1, keepdims=True) - low
    levels = np.round(draws.log_uniform(0.7, 1.6))
    # Levels begin at zero where series do.
    step = np.maximum(span / levels, 1e-12)
    unit = np.where(kind < 0.14, 1.0, step)
    rounded = np.round(y / unit) * unit
    # A series that is constant then has nothing left to learn.
    is_rounded = kind < 0.18
    is_rounded &= rounded.max(1, keepdims=True) > rounded.min(1, keepdims=True)
    return np.where(is_rounded, rounded, y)


def hide_values(draws: Draws, y: Floats) -> Floats:
    """Hide single values or blocks in one series of eight, never the first."""
    length = draws.length
    share = draws.uniform(0.01, 0.25)
    start = draws.share() * length
    end = start + share * length
    in_block = draws.t >= start
    in_block &= draws.t < end

    # One number for both, so that no series has both.
    kind = draws.share()
    in_block &= kind > 0.96
    rows = np.flatnonzero(kind < 0.08)
    hidden: Bools = in_block
    singles = draws.rng.random((len(rows), length))
    hidden[rows] |= singles < share[rows]
    hidden[:, 0] = False
    return np.where(hidden, np.nan, y)
