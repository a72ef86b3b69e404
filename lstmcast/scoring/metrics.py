"""Errors of forecasts, from arrays alone: per point, then per series, then the mean over series.

Knows no models and no frames.

Axes: N series, T steps, K windows, H horizon, Q quantiles, m season length.

`actual` and `forecast` are [K, H]. `series` [K] says which series each window belongs to (None:
each window is one of its own). All observed points of a series weigh the same, and so do all
series. A missing actual (NaN) is left out; a missing forecast of an observed actual makes the
result NaN. Without any point the result is NaN.
Sources: Hyndman & Koehler (2006), Another look at measures of forecast accuracy, IJF 22 (MASE);
Makridakis, Spiliotis & Assimakopoulos (2020), The M4 competition, IJF 36 (sMAPE, OWA) and (2022),
M5, IJF 38 (RMSSE).
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.ragged import NAN, Bools, Floats, Ints


class SeriesMeans(NamedTuple):
    """Mean error of each series, NaN where nothing was usable, and of how many points."""

    mean: Floats
    points: Ints


def mae(actual: Floats, forecast: Floats, series: Ints | None = None) -> float:
    """Mean absolute error, in the unit of the data."""
    observed = ~np.isnan(actual)
    errors = np.abs(forecast - actual)
    return _mean_error(errors, observed, series)


def rmse(actual: Floats, forecast: Floats, series: Ints | None = None) -> float:
    """Root mean squared error of each series, then their mean; in the unit of the data."""
    observed = ~np.isnan(actual)
    errors = forecast - actual
    roots = _root_mean_square(errors, observed, series)
    return _mean_over_series(roots)


def smape(actual: Floats, forecast: Floats, series: Ints | None = None) -> float:
    """Symmetric error in percent, 200 |f - y| / (|f| + |y|), from 0 to 200; 0 for 0 and 0 (M4)."""
    observed = ~np.isnan(actual)
    errors = symmetric_errors(actual, forecast)
    return _mean_error(errors, observed, series)


def mape(actual: Floats, forecast: Floats, series: Ints | None = None) -> float:
    """Mean absolute error in percent of the actual; points whose actual is 0 are left out."""
    observed = ~np.isnan(actual)
    usable = observed & (actual != 0)

    errors = np.abs(forecast - actual)
    size = np.abs(actual)
    shares = np.zeros(actual.shape)
    np.divide(errors, size, out=shares, where=usable)
    percentages = 100 * shares
    return _mean_error(percentages, usable, series)


def mase(
    actual: Floats, forecast: Floats, scale: Floats, series: Ints | None = None
) -> float:
    """Absolute error as a multiple of `scale` [K], each window's in-sample `seasonal_scale`.

    Windows whose scale is 0 or NaN (a series that never changed) are left out.
    """
    usable = _scalable_points(actual, scale)
    errors = np.abs(forecast - actual)
    errors = _scale_errors(errors, scale)
    return _mean_error(errors, usable, series)


def rmsse(
    actual: Floats, forecast: Floats, scale: Floats, series: Ints | None = None
) -> float:
    """Root mean squared error as a multiple of `scale` [K] (M5).

    The scale is each window's `seasonal_scale` of power 2. Windows whose scale is 0 or NaN are left
    out.
    """
    usable = _scalable_points(actual, scale)
    errors = forecast - actual
    errors = _scale_errors(errors, scale)
    roots = _root_mean_square(errors, usable, series)
    return _mean_over_series(roots)


def wql(actual: Floats, quantiles: Floats, levels: Floats) -> float:
    """Weighted quantile loss: twice the pinball loss over the sum of |actual|, mean over levels.

    `quantiles` is [K, H, Q], `levels` [Q]. NaN where all actuals are 0. Source: Salinas et al.
    (2020), DeepAR, IJF 36.
    """
    observed = ~np.isnan(actual)
    y = actual[observed]
    # Losses are in shares of the size of the data.
    weight = np.abs(y).sum()
    if not weight > 0:
        return NAN

    # The pinball loss of the median is half the absolute error: twice it is comparable with mae.
    losses = []
    for k, level in enumerate(levels):
        quantile = quantiles[..., k][observed]
        loss = _pinball_loss(y, quantile, level)
        losses.append(loss.sum())

    mean_loss = float(np.mean(losses))
    double_loss = 2 * mean_loss
    return double_loss / float(weight)


def coverage(actual: Floats, lower: Floats, upper: Floats) -> float:
    """Share of the observed points within [lower, upper], both [K, H], counted alike."""
    observed = ~np.isnan(actual)
    if not observed.any():
        return NAN
    inside = (lower <= actual) & (actual <= upper)
    inside = inside[observed]
    return float(inside.mean())


def owa(
    smape: float, mase: float, reference_smape: float, reference_mase: float
) -> float:
    """Overall weighted average of M4: mean of both errors over those of the reference, Naive2."""
    relative_smape = smape / reference_smape
    relative_mase = mase / reference_mase
    return (relative_smape + relative_mase) / 2


def seasonal_scale(
    values: Floats, offsets: Ints, ends: Ints, season: int, power: int = 1
) -> Floats:
    """In-sample error of the seasonal naive forecast, [N]: (mean of |y_t - y_(t-m)| ^ p) ^ (1 / p).

    p is `power`. `values` [sum T] and `offsets` [N+1] are a panel's storage; of series i the first
    `ends[i]` steps are in-sample. Lag 1 takes the place of m where the history is not longer than
    m, or where no two values a season apart were observed. NaN where that leaves nothing.
    """
    scale = _lag_error(values, offsets, ends, season, power)
    # Series without a pair of values a season apart are measured by their steps instead.
    without = np.isnan(scale)
    if season > 1 and without.any():
        scale_of_steps = _lag_error(values, offsets, ends, 1, power)
        scale = np.where(without, scale_of_steps, scale)
    return scale


def count_independent_windows(series: Ints, origins: Ints, horizon: int) -> int:
    """Count what windows are worth as evidence: the stretches of one horizon that they cover."""
    order = np.lexsort((origins, series))
    same_series = np.diff(series[order], append=-1) == 0
    to_next = np.diff(origins[order], append=0)
    # The steps of each window that the next one of its series does not cover again.
    steps = np.where(same_series, np.minimum(to_next, horizon), horizon)
    return round(int(steps.sum()) / horizon)


def symmetric_errors(actual: Floats, forecast: Floats) -> Floats:
    """Per point 200 |f - y| / (|f| + |y|), and 0 where both are 0."""
    size = np.abs(forecast) + np.abs(actual)
    distance = 200 * np.abs(forecast - actual)

    # 0 over 0 is no error.
    errors = np.zeros(actual.shape)
    is_divisible = size != 0
    np.divide(distance, size, out=errors, where=is_divisible)
    return errors


def mean_by_series(
    points: Floats, usable: Bools, series: Ints | None = None
) -> SeriesMeans:
    """Mean and count of the usable points [K, H] of each series, both [max(series) + 1]."""
    codes = _series_codes(len(points), series)
    # Totals, not means of windows: all points of a series weigh the same.
    usable_points = np.where(usable, points, 0.0)
    total_of_window = usable_points.sum(axis=1)
    count_of_window = usable.sum(axis=1)

    total = np.bincount(codes, total_of_window)
    count = np.bincount(codes, count_of_window).astype(np.int64)
    mean = _divide_by_count(total, count)
    return SeriesMeans(mean, count)


def _series_codes(n_windows: int, series: Ints | None) -> Ints:
    """Number of the series of each window, [K]: each is one of its own where none are given."""
    if series is None:
        return np.arange(n_windows)
    return series


def _root_mean_square(
    points: Floats, usable: Bools, series: Ints | None
) -> SeriesMeans:
    """Root mean square of the usable points [K, H] of each series, both [max(series) + 1].

    Each series is divided by its largest point before squaring, so that nothing overflows.
    """
    codes = _series_codes(len(points), series)
    sizes = np.where(usable, np.abs(points), 0.0)
    largest_of_window = sizes.max(axis=1, initial=0.0)
    n = codes.max(initial=-1) + 1
    largest = np.zeros(n)
    np.fmax.at(largest, codes, largest_of_window)

    unit = np.where(largest == 0, 1.0, largest)
    relative = points / unit[codes, None]
    squares = relative**2
    mean, count = mean_by_series(squares, usable, codes)
    # Back from shares of the largest point into the unit of the points.
    root = unit * np.sqrt(mean)
    return SeriesMeans(root, count)


def _divide_by_count(total: NDArray[Any], count: Ints) -> Floats:
    """Means, of totals of so many; NaN for none."""
    mean = np.full(len(total), np.nan)
    is_known = count > 0
    np.divide(total, count, out=mean, where=is_known)
    return mean


def _mean_error(errors: Floats, usable: Bools, series: Ints | None) -> float:
    """Mean of the usable errors [K, H] of each series, then over the series."""
    of_series = mean_by_series(errors, usable, series)
    return _mean_over_series(of_series)


def _mean_over_series(series: SeriesMeans) -> float:
    """Mean of the series with a usable point; NaN without any."""
    usable = series.points > 0
    if not usable.any():
        return NAN
    means = series.mean[usable]
    return float(means.mean())


def _scalable_points(actual: Floats, scale: Floats) -> Bools:
    """Which points [K, H] were observed and are in a window with a scale."""
    observed = ~np.isnan(actual)
    has_scale = scale > 0
    return observed & has_scale[:, None]


def _scale_errors(errors: Floats, scale: Floats) -> Floats:
    """Errors [K, H] over the scale [K] of their windows; as they are where that is 0 or NaN."""
    divisor = np.where(scale > 0, scale, 1.0)
    return errors / divisor[:, None]


def _pinball_loss(actual: Floats, quantile: Floats, level: float) -> Floats:
    """Loss whose mean is least for the quantile of this level (Koenker & Bassett 1978)."""
    error = actual - quantile
    too_low = level * error
    too_high = (level - 1) * error
    # Of the two the one that is not negative holds.
    return np.maximum(too_low, too_high)


def _lag_error(
    values: Floats, offsets: Ints, ends: Ints, lag: int, power: int
) -> Floats:
    """The scale of `seasonal_scale` for one lag, [N]; NaN without an observed pair of values."""
    lengths = np.diff(offsets)
    n = len(lengths)
    owner = np.repeat(np.arange(n), lengths)
    position = np.arange(len(values))
    step = position - offsets[owner]
    in_sample = step < ends[owner]
    is_measured = (step >= lag) & in_sample

    # Pairs of values a lag apart, where both were observed.
    later = np.flatnonzero(is_measured)
    earlier = later - lag
    change = values[later] - values[earlier]
    change = np.abs(change)
    observed = ~np.isnan(change)
    change = change[observed]
    later = later[observed]
    owner = owner[later]
    count = np.bincount(owner, minlength=n)

    # Divided by the largest change before the power is taken, so that nothing overflows.
    largest = np.zeros(n)
    np.maximum.at(largest, owner, change)
    unit = np.where(largest == 0, 1.0, largest)
    relative = change / unit[owner]
    powers = relative**power
    total = np.bincount(owner, powers, minlength=n)
    mean = _divide_by_count(total, count)
    scale: Floats = unit * mean ** (1 / power)
    return scale
