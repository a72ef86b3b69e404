"""Quantiles that networks do not make: around point forecasts, and at other levels.

The quantiles of point forecasts are those of their errors on out-of-sample windows. Knows only
arrays, no networks.

Axes: K windows, H horizon, Q quantiles at NETWORK_QUANTILES. Errors and their quantiles are in
scales, the unit that the errors of a network are divided by.
"""

from statistics import NormalDist

import numpy as np

from lstmcast.config import NETWORK_QUANTILES, Loss
from lstmcast.ragged import Floats, Ints

DEVIATION_PER_MEAN_ERROR = 1.2533
"""Standard deviation of a normal error whose mean absolute size is 1, sqrt(pi / 2)."""
STANDARD_NORMAL = NormalDist()
NORMAL_80_HALF_WIDTH = 1.2815515655446004
"""Quantile 0.9 of the standard normal distribution: half the width of its interval of 80 %."""

_MEDIAN = NETWORK_QUANTILES.index(0.5)


def fit_error_quantiles(errors: Floats) -> Floats:
    """Fit the quantiles [H, Q] of errors [K, H] around a point forecast, NaN where unknown.

    Their shape is that of the errors of all steps together, their size that of each step, never
    smaller for a later step. The median is 0: it is the point that the network was trained for.
    """
    known = ~np.isnan(errors)
    if not known.any():
        horizon = errors.shape[1]
        return default_error_quantiles(horizon)

    count = known.sum(0)
    sizes = np.where(known, np.abs(errors), 0.0)
    total_size = sizes.sum(0)
    mean_size = total_size / np.maximum(count, 1)

    # The closest sizes that never fall; the small weight lets steps without errors take part.
    size = fit_never_falling(mean_size, count + 1e-9)

    # The errors of all steps, as if those of each step were of size 1.
    ratios = np.zeros_like(errors)
    np.divide(errors, size, out=ratios, where=size > 0)
    shape = np.quantile(ratios[known], NETWORK_QUANTILES)
    centred = shape - shape[_MEDIAN]
    return np.outer(size, centred)


def fit_never_falling(values: Floats, weights: Floats) -> Floats:
    """Fit the closest values [H] that never fall, by weighted squares.

    Neighbours that fall are merged into their mean until none do: pool adjacent violators (Barlow,
    Bartholomew, Bremner & Brunk 1972).
    """
    means: list[float] = []
    masses: list[float] = []
    sizes: list[int] = []
    for value, weight in zip(values, weights, strict=True):
        mean, mass, size = float(value), float(weight), 1
        while means and means[-1] >= mean:
            before = masses.pop()
            mean = (before * means.pop() + mass * mean) / (before + mass)
            mass += before
            size += sizes.pop()
        means.append(mean)
        masses.append(mass)
        sizes.append(size)

    return np.repeat(means, sizes)


def cross_fit_error_quantiles(errors: Floats, folds: Ints) -> Floats:
    """Fit quantiles [K, H, Q] for each window from errors [K, H] of the other folds [K]."""
    n_quantiles = len(NETWORK_QUANTILES)
    quantiles = np.empty((*errors.shape, n_quantiles))
    for fold in np.unique(folds):
        held_out = folds == fold
        quantiles[held_out] = fit_error_quantiles(errors[~held_out])

    return quantiles


def cross_fit_spread(errors: Floats, folds: Ints) -> tuple[Floats, Floats]:
    """Fit quantiles of the errors [M, K, H] of each member, for forecasts and for the hold-out.

    Returns those of all errors [M, H, Q], and those of each window [M, K, H, Q] from the errors of
    the other folds [K].
    """
    spread = [fit_error_quantiles(of_member) for of_member in errors]
    out_of_sample = [
        cross_fit_error_quantiles(of_member, folds) for of_member in errors
    ]
    return np.stack(spread), np.stack(out_of_sample)


def default_error_quantiles(horizon: int) -> Floats:
    """Return quantiles [H, Q] for when no error is known.

    They are those of normal errors as large as the errors of the seasonal naive forecast.
    """
    row = []
    for level in NETWORK_QUANTILES:
        deviation = STANDARD_NORMAL.inv_cdf(level)
        row.append(DEVIATION_PER_MEAN_ERROR * deviation)
    return np.tile(row, (horizon, 1))


def match_horizon(quantiles: Floats, horizon: int) -> Floats:
    """Cut or lengthen quantiles [..., H, Q] to another horizon; the last step is repeated."""
    last = quantiles.shape[-2] - 1
    wanted = np.arange(horizon)
    steps = np.minimum(wanted, last)
    return quantiles[..., steps, :]


def interpolate_quantiles(quantiles: Floats, levels: Floats) -> Floats:
    """Return quantiles [K, H, len(levels)] from those [K, H, Q] at NETWORK_QUANTILES.

    They are linear between known levels. Beyond these the outermost distance from the median is
    stretched as in a normal distribution.
    """
    lowest = NETWORK_QUANTILES[0]
    highest = NETWORK_QUANTILES[-1]

    windows, horizon, _ = quantiles.shape
    at_levels = np.empty((windows, horizon, len(levels)))
    for q, level in enumerate(levels):
        if lowest <= level <= highest:
            quantile = _interpolate_quantile(quantiles, level)
        else:
            quantile = _extrapolate_quantile(quantiles, level)
        at_levels[..., q] = quantile

    return at_levels


def _interpolate_quantile(quantiles: Floats, level: float) -> Floats:
    """Return the quantile [K, H] at a level between those of quantiles [K, H, Q]."""
    known = np.array(NETWORK_QUANTILES)
    # A level that is known but for rounding must be taken as it is.
    position = np.searchsorted(known, level - 1e-12)
    last = len(known) - 1
    right = int(np.clip(position, 1, last))
    left = right - 1

    # Linear between the two known levels.
    distance = known[right] - known[left]
    share = (level - known[left]) / distance
    lower = quantiles[..., left]
    upper = quantiles[..., right]

    rest = 1 - share
    return np.asarray(rest * lower + share * upper)


def _extrapolate_quantile(quantiles: Floats, level: float) -> Floats:
    """Return the quantile [K, H] at a level beyond those of quantiles [K, H, Q]."""
    median = quantiles[..., _MEDIAN]
    outermost = 0 if level < 0.5 else -1
    distance = quantiles[..., outermost] - median

    # Distances from the median are proportional to those of a normal distribution.
    normal_distance = abs(STANDARD_NORMAL.inv_cdf(level))
    stretch = normal_distance / NORMAL_80_HALF_WIDTH
    return np.asarray(median + distance * stretch)


def round_count_quantiles(quantiles: Floats, loss: Loss) -> Floats:
    """Round quantiles of counts to whole numbers; those of other losses stay as they are.

    The network's quantiles of counts are whole, but not their mix with classical forecasts.
    """
    if loss == "negative-binomial":
        return np.round(quantiles)
    return quantiles
