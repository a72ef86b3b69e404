"""Quantiles that networks do not make: around point forecasts, from their errors on unseen windows; at other levels.

Only arrays: knows no networks.

Axes: K windows, H horizon, Q quantiles at the levels QUANTILES. Errors and quantiles are in scales.
"""

from statistics import NormalDist

import numpy as np

from lstmcast.config import NETWORK_QUANTILES, Loss
from lstmcast.ragged import Floats, Ints

DEVIATION_PER_MEAN_ERROR = 1.2533
"""Standard deviation of a normal error whose mean size is 1."""
STANDARD_NORMAL = NormalDist()
NORMAL_80_HALF_WIDTH = 1.2815515655446004


def fit_error_quantiles(errors: Floats) -> Floats:
    """Quantiles of the errors around the forecast, [H, Q], from errors [K, H], NaN where unknown.

    Their form is that of all steps together, their size that of each step, never smaller for a
    later one. The median is 0: it is the point that the loss was asked for.
    """
    from scipy.optimize import (
        isotonic_regression,
    )  # slow to import, and most losses need none of it

    known = ~np.isnan(errors)
    if not known.any():
        return default_error_quantiles(errors.shape[1])
    count = known.sum(0)
    mean = np.where(known, np.abs(errors), 0.0).sum(0) / np.maximum(count, 1)
    size = np.asarray(isotonic_regression(mean, weights=count + 1e-9).x, dtype=np.float64)
    ratio = np.divide(errors, size, out=np.zeros_like(errors), where=size > 0)[known]
    form = np.quantile(ratio, NETWORK_QUANTILES)
    return np.asarray(size[:, None] * (form - form[NETWORK_QUANTILES.index(0.5)]))


def cross_fit_error_quantiles(errors: Floats, fold: Ints) -> Floats:
    """Quantiles for each window from the errors of the other folds, [K, H, Q]; errors [K, H], fold [K]."""
    out = np.empty((*errors.shape, len(NETWORK_QUANTILES)))
    for k in np.unique(fold):
        out[fold == k] = fit_error_quantiles(errors[fold != k])
    return out


def default_error_quantiles(horizon: int) -> Floats:
    """Quantiles where no error was seen, [H, Q]: normal errors as large as those of the seasonal-naive forecast."""
    return np.tile(
        [DEVIATION_PER_MEAN_ERROR * STANDARD_NORMAL.inv_cdf(level) for level in NETWORK_QUANTILES],
        (horizon, 1),
    )


def match_horizon(spread: Floats, horizon: int) -> Floats:
    """Quantiles [..., H, Q] for another horizon; steps beyond the known ones have those of the last."""
    return spread[..., np.minimum(np.arange(horizon), spread.shape[-2] - 1), :]


def interpolate_quantiles(quantiles: Floats, levels: Floats) -> Floats:
    """Quantiles [K, H, len(levels)] from those at QUANTILES: linear between them, the normal distribution's tails."""
    known = np.array(NETWORK_QUANTILES)
    out = np.empty((*quantiles.shape[:-1], len(levels)))
    middle = quantiles[..., NETWORK_QUANTILES.index(0.5)]
    for q, level in enumerate(levels):
        if known[0] <= level <= known[-1]:
            right = int(np.clip(np.searchsorted(known, level - 1e-12), 1, len(known) - 1))
            share = (level - known[right - 1]) / (known[right] - known[right - 1])
            out[..., q] = (1 - share) * quantiles[..., right - 1] + share * quantiles[..., right]
        else:
            edge = quantiles[..., 0 if level < 0.5 else -1]
            far = abs(STANDARD_NORMAL.inv_cdf(level)) / NORMAL_80_HALF_WIDTH
            out[..., q] = middle + (edge - middle) * far
    return out


def round_count_quantiles(quantiles: Floats, loss: Loss) -> Floats:
    """Quantiles of counts as whole numbers, which their mixture with classical forecasts is not."""
    return np.round(quantiles) if loss == "negative-binomial" else quantiles
