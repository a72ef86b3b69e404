"""Errors of forecasts, from arrays alone: per point, then per series, then the mean over series.

Axes: `N` series, `T` steps, `K` windows, `H` horizon, `Q` quantiles, `m` season length. Knows no
models and no frames.

`actual` and `forecast` are [K, H]. `series` [K] says which series each window belongs to (none
given: each window is one of its own). All observed points of a series weigh the same, and so do all
series. A missing actual (NaN) is left out; a missing forecast of an observed actual makes the
result NaN. Without any point the result is NaN.
Sources: Hyndman & Koehler (2006), Another look at measures of forecast accuracy, IJF 22 (MASE);
Makridakis, Spiliotis & Assimakopoulos (2020), The M4 competition, IJF 36 (sMAPE, OWA) and (2022),
M5, IJF 38 (RMSSE).
"""

import numpy as np

from lstmcast.ragged import Bools, Floats, Ints


def mae(actual: Floats, forecast: Floats, series: Ints | None = None) -> float:
    """Mean absolute error, in the unit of the data."""
    return _mean_over_series(mean_by_series(np.abs(forecast - actual), ~np.isnan(actual), series))


def rmse(actual: Floats, forecast: Floats, series: Ints | None = None) -> float:
    """Root mean squared error within each series, then the mean over series; in the unit of the data."""
    return _mean_over_series(_root_mean_square(forecast - actual, ~np.isnan(actual), series))


def smape(actual: Floats, forecast: Floats, series: Ints | None = None) -> float:
    """Symmetric error in percent, 200 |f - y| / (|f| + |y|), from 0 to 200; 0 where both are 0 (M4)."""
    return _mean_over_series(
        mean_by_series(symmetric_errors(actual, forecast), ~np.isnan(actual), series)
    )


def mape(actual: Floats, forecast: Floats, series: Ints | None = None) -> float:
    """Mean absolute error in percent of the actual; points whose actual is 0 are left out."""
    usable = ~np.isnan(actual) & (actual != 0)
    points = np.divide(
        np.abs(forecast - actual), np.abs(actual), out=np.zeros(actual.shape), where=usable
    )
    return _mean_over_series(mean_by_series(100 * points, usable, series))


def mase(actual: Floats, forecast: Floats, scale: Floats, series: Ints | None = None) -> float:
    """Absolute error as a multiple of `scale` [K], each window's in-sample `seasonal_scale`.

    Windows whose scale is 0 or NaN (a series that never changed) are left out.
    """
    usable = ~np.isnan(actual) & (scale > 0)[:, None]
    return _mean_over_series(
        mean_by_series(_scale_errors(np.abs(forecast - actual), scale), usable, series)
    )


def rmsse(actual: Floats, forecast: Floats, scale: Floats, series: Ints | None = None) -> float:
    """Root mean squared error as a multiple of `scale` [K], each window's `seasonal_scale` of power 2 (M5).

    Windows whose scale is 0 or NaN are left out.
    """
    usable = ~np.isnan(actual) & (scale > 0)[:, None]
    return _mean_over_series(
        _root_mean_square(_scale_errors(forecast - actual, scale), usable, series)
    )


def wql(actual: Floats, quantiles: Floats, levels: Floats) -> float:
    """Weighted quantile loss: 2 x pinball over all points / sum of |actual|, then the mean over levels.

    `quantiles` is [K, H, Q], `levels` [Q]. NaN where all actuals are 0. Source: Salinas et al.
    (2020), DeepAR, IJF 36.
    """
    seen = ~np.isnan(actual)
    weight = np.abs(actual[seen]).sum()
    loss = [
        _pinball_loss(actual[seen], quantiles[..., k][seen], level).sum()
        for k, level in enumerate(levels)
    ]
    return 2 * float(np.mean(loss)) / float(weight) if weight > 0 else float("nan")


def coverage(actual: Floats, lower: Floats, upper: Floats) -> float:
    """Share of the observed points within [lower, upper], both [K, H]; every point weighs the same."""
    seen = ~np.isnan(actual)
    return (
        float(((lower <= actual) & (actual <= upper))[seen].mean()) if seen.any() else float("nan")
    )


def owa(smape: float, mase: float, reference_smape: float, reference_mase: float) -> float:
    """Overall weighted average of M4: the mean of both errors, each over that of the reference (there Naive2)."""
    return (smape / reference_smape + mase / reference_mase) / 2


def seasonal_scale(
    values: Floats, offsets: Ints, ends: Ints, season: int, power: int = 1
) -> Floats:
    """In-sample error of the seasonal naive forecast, [N]: the mean over t of |y_t - y_(t-m)| ^ power, its root taken.

    `values` [sum T] and `offsets` [N+1] are a panel's storage; of series i the first `ends[i]`
    steps are in-sample. Lag 1 takes the place of m where the history is not longer than m, or where
    no two values a season apart were observed. NaN where that leaves nothing.
    """
    scale = _lag_error(values, offsets, ends, season, power)
    if season > 1 and np.isnan(scale).any():
        scale = np.where(np.isnan(scale), _lag_error(values, offsets, ends, 1, power), scale)
    return scale


def symmetric_errors(actual: Floats, forecast: Floats) -> Floats:
    """Per point 200 |f - y| / (|f| + |y|), and 0 where both are 0."""
    size = np.abs(forecast) + np.abs(actual)
    errors: Floats = np.divide(
        200 * np.abs(forecast - actual), size, out=np.zeros(actual.shape), where=size != 0
    )
    return errors


def mean_by_series(
    points: Floats, usable: Bools, series: Ints | None = None
) -> tuple[Floats, Ints]:
    """Mean and count of the usable points [K, H] of each series number, both [max(series) + 1]; NaN with none."""
    codes = np.arange(len(points)) if series is None else series
    total = np.bincount(codes, np.where(usable, points, 0.0).sum(axis=1))
    count = np.bincount(codes, usable.sum(axis=1)).astype(np.int64)
    return np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0), count


def _root_mean_square(points: Floats, usable: Bools, series: Ints | None) -> tuple[Floats, Ints]:
    """Root and count by series, each series divided by its largest point before squaring, so nothing overflows."""
    codes = np.arange(len(points)) if series is None else series
    size = np.where(usable, np.abs(points), 0.0).max(axis=1, initial=0.0)
    top = np.zeros(codes.max(initial=-1) + 1)
    np.fmax.at(top, codes, size)
    unit = np.where(top == 0, 1.0, top)
    mean, count = mean_by_series((points / unit[codes][:, None]) ** 2, usable, codes)
    return unit * np.sqrt(mean), count


def _mean_over_series(per_series: tuple[Floats, Ints]) -> float:
    means, counts = per_series
    return float(means[counts > 0].mean()) if (counts > 0).any() else float("nan")


def _scale_errors(errors: Floats, scale: Floats) -> Floats:
    return errors / np.where(scale > 0, scale, 1.0)[:, None]


def _pinball_loss(actual: Floats, quantile: Floats, level: float) -> Floats:
    error = actual - quantile
    return np.maximum(level * error, (level - 1) * error)


def _lag_error(values: Floats, offsets: Ints, ends: Ints, lag: int, power: int) -> Floats:
    """Mean |y_t - y_(t-lag)| ^ power of each series, its root taken, [N]; NaN without an observed pair."""
    lengths = np.diff(offsets)
    code = np.repeat(np.arange(len(lengths)), lengths)
    step = np.arange(len(values)) - np.repeat(offsets[:-1], lengths)
    here = np.flatnonzero((step >= lag) & (step < ends[code]))
    change = np.abs(values[here] - values[here - lag])
    seen = ~np.isnan(change)
    code, change = code[here][seen], change[seen]
    count = np.bincount(code, minlength=len(lengths))
    top = np.zeros(len(lengths))
    np.maximum.at(top, code, change)
    unit = np.where(top == 0, 1.0, top)
    total = np.bincount(code, (change / unit[code]) ** power, minlength=len(lengths))
    mean = np.divide(total, count, out=np.full(len(lengths), np.nan), where=count > 0)
    scale: Floats = unit * mean ** (1 / power)
    return scale
