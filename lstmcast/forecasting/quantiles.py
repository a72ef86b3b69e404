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
    # Slow to import, and most losses do without it.
    from scipy.optimize import isotonic_regression

    known = ~np.isnan(errors)
    if not known.any():
        return default_error_quantiles(errors.shape[1])
    count = known.sum(0)
    total_size = np.where(known, np.abs(errors), 0.0).sum(0)
    mean_size = total_size / np.maximum(count, 1)
    # The closest sizes that never fall; the small weight lets steps without errors take part.
    rising = isotonic_regression(mean_size, weights=count + 1e-9).x
    size = np.asarray(rising, dtype=np.float64)
    ratios = np.divide(errors, size, out=np.zeros_like(errors), where=size > 0)
    shape = np.quantile(ratios[known], NETWORK_QUANTILES)
    return np.asarray(size[:, None] * (shape - shape[_MEDIAN]))


def cross_fit_error_quantiles(errors: Floats, folds: Ints) -> Floats:
    """Fit quantiles [K, H, Q] for each window from errors [K, H] of the other folds [K]."""
    quantiles = np.empty((*errors.shape, len(NETWORK_QUANTILES)))
    for fold in np.unique(folds):
        quantiles[folds == fold] = fit_error_quantiles(errors[folds != fold])
    return quantiles


def default_error_quantiles(horizon: int) -> Floats:
    """Return quantiles [H, Q] for when no error is known.

    They are those of normal errors as large as the errors of the seasonal naive forecast.
    """
    deviations = [STANDARD_NORMAL.inv_cdf(level) for level in NETWORK_QUANTILES]
    row = [DEVIATION_PER_MEAN_ERROR * deviation for deviation in deviations]
    return np.tile(row, (horizon, 1))


def match_horizon(quantiles: Floats, horizon: int) -> Floats:
    """Cut or lengthen quantiles [..., H, Q] to another horizon; the last step is repeated."""
    last = quantiles.shape[-2] - 1
    steps = np.minimum(np.arange(horizon), last)
    return quantiles[..., steps, :]


def interpolate_quantiles(quantiles: Floats, levels: Floats) -> Floats:
    """Return quantiles [K, H, len(levels)] from those [K, H, Q] at NETWORK_QUANTILES.

    They are linear between known levels. Beyond these the outermost distance from the median is
    stretched as in a normal distribution.
    """
    lowest, highest = NETWORK_QUANTILES[0], NETWORK_QUANTILES[-1]
    result = np.empty((*quantiles.shape[:-1], len(levels)))
    for q, level in enumerate(levels):
        between = lowest <= level <= highest
        quantile_at = _interpolate_quantile if between else _extrapolate_quantile
        result[..., q] = quantile_at(quantiles, level)
    return result


def _interpolate_quantile(quantiles: Floats, level: float) -> Floats:
    """Return the quantile [K, H] at a level between those of quantiles [K, H, Q]."""
    known = np.array(NETWORK_QUANTILES)
    # A level that is known but for rounding must be taken as it is.
    position = np.searchsorted(known, level - 1e-12)
    right = int(np.clip(position, 1, len(known) - 1))
    left = right - 1
    share = (level - known[left]) / (known[right] - known[left])
    lower, upper = quantiles[..., left], quantiles[..., right]
    return np.asarray((1 - share) * lower + share * upper)


def _extrapolate_quantile(quantiles: Floats, level: float) -> Floats:
    """Return the quantile [K, H] at a level beyond those of quantiles [K, H, Q]."""
    median = quantiles[..., _MEDIAN]
    outermost = quantiles[..., 0 if level < 0.5 else -1]
    # Distances from the median are proportional to those of a normal distribution.
    stretch = abs(STANDARD_NORMAL.inv_cdf(level)) / NORMAL_80_HALF_WIDTH
    return np.asarray(median + (outermost - median) * stretch)


def round_count_quantiles(quantiles: Floats, loss: Loss) -> Floats:
    """Round quantiles of counts to whole numbers; those of other losses stay as they are.

    The network's quantiles of counts are whole, but not their mix with classical forecasts.
    """
    return np.round(quantiles) if loss == "negative-binomial" else quantiles
