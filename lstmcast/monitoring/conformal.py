"""How large a number must be to be rare among others: a conformal quantile, or a tail beyond them.

Knows only numbers.
"""

from collections.abc import Sequence

import numpy as np

from lstmcast.monitoring.evidence.rarity import MIN_NUMBERS

_TAIL_SHARE = 0.1
"""Share of the numbers that the tail is fitted to, where they are too few for the rate."""
_MAX_TAIL_SHAPE = 0.5
"""Largest shape of a tail: from here on its variance is infinite, which few numbers cannot show."""
_PLOTTING_POSITION = 0.35
"""Shift of the ranks that estimate probabilities in weighted moments (Hosking & Wallis 1987)."""
_ROUNDING = 1e-9
"""Slack that keeps a rate such as 0.01 from being rounded to the next count."""


def find_conformal_limit(numbers: Sequence[float], rate: float) -> float:
    """The limit that a further number exceeds with probability `rate` at most, if it is like these.

    The conformal quantile (Vovk, Gammerman & Shafer 2005; Laxhammar & Falkman 2015): of n numbers
    the k-th largest, with k the whole part of rate * (n + 1). Where that is 0, n is too small for
    the rate, and a generalised Pareto tail (Pickands 1975, fitted by probability-weighted moments:
    Hosking & Wallis 1987) reaches beyond the largest. Infinite where there are too few to say.
    """
    count = len(numbers)
    if count < MIN_NUMBERS:
        return float("inf")

    in_order = sorted(numbers)
    rank = int(rate * (count + 1) + _ROUNDING)
    if rank >= 1:
        return float(in_order[-rank])
    return float(max(in_order[-1], _pareto_quantile(in_order, rate)))


def _pareto_quantile(numbers: list[float], rate: float) -> float:
    """The level exceeded at `rate`, by a generalised Pareto tail of sorted numbers."""
    count = len(numbers)
    share = int(count * _TAIL_SHARE)
    size = max(share, MIN_NUMBERS // 2)
    base = numbers[-size - 1]
    tail = np.array(numbers[-size:])
    excess = tail - base

    # Hosking & Wallis 1987: with a0 the mean and a1 the mean weighted by the share of the tail
    # above each number, shape = 2 - a0 / (a0 - 2 a1) and scale = a0 (1 - shape), the sign of the
    # shape being that of extreme value theory, positive for heavy tails.
    mean = float(excess.mean())
    if mean <= 0:
        return base

    ranks = np.arange(1, size + 1)
    share_above = 1 - (ranks - _PLOTTING_POSITION) / size
    weighted_excess = excess * share_above
    weighted = float(weighted_excess.mean())
    difference = max(mean - 2 * weighted, 1e-12)
    estimate = 2 - mean / difference
    shape = float(np.clip(estimate, 0.0, _MAX_TAIL_SHAPE))
    scale = mean * (1 - shape)

    # The quantile function, whose limit for a shape of 0 is the exponential's.
    expected_beyond = count * rate
    times_rarer = size / expected_beyond
    if shape < 1e-6:
        return float(base + scale * np.log(times_rarer))

    growth = times_rarer**shape - 1
    return float(base + scale / shape * growth)
