"""The shape of series in figures: strength of season and trend, outliers, zeros, constant series.

For looking at data before a fit; nothing of it enters a forecast. Knows no stamps.

Axes: N series, T steps, S series that are sampled, m season length.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import median_filter, uniform_filter1d

from lstmcast.ragged import Bools, Floats, Ints, choose_evenly

MAX_SAMPLED_SERIES = 200
"""Series of a panel whose season, trend and outliers are measured, evenly chosen."""
MAX_SAMPLED_STEPS = 1_000_000
"""Newest steps that are measured of all these series together, but at least _MIN_STEPS of each."""
_MIN_STEPS = 5000
_OUTLIER_DEVIATIONS = 8
"""Robust deviations from its neighbours at which a value is an outlier, if it is also far beyond
what is usual."""
_OUTLIER_QUANTILE_FACTOR = 2.5
_MAX_TREND_PARTS = 10
_MIN_TREND_CORRELATION = 0.8
_MAD_TO_DEVIATION = 1.4826
"""From a median absolute deviation to the standard deviation of normal values."""


@dataclass(frozen=True)
class Characteristics:
    """What series look like.

    chosen: [S], the sampled series. season: [S], strength, NaN where a series is too short for it.
    trend: [S], 1 rising, -1 falling, 0 neither. outliers: [n, 2], series and step of
    values far from their neighbours, the farthest first. zeros: share of the values of all series.
    constant: series of one value.
    """

    chosen: Ints
    season: Floats
    trend: Ints
    outliers: Ints
    zeros: float
    constant: Ints


def measure_characteristics(values: Floats, offsets: Ints, m: int) -> Characteristics:
    """Measure the shape of series with the season m (1: none).

    values: [sum T], series end to end, NaN where missing. offsets: [N+1].
    """
    chosen = choose_evenly(len(offsets) - 1, MAX_SAMPLED_SERIES)
    count = len(chosen)
    season = np.full(count, np.nan)
    trend = np.zeros(count, np.int64)
    outliers: list[tuple[float, int, int]] = []
    most_steps = max(_MIN_STEPS, MAX_SAMPLED_STEPS // count)

    for place, i in enumerate(chosen.tolist()):
        first = offsets[i]
        end = offsets[i + 1]
        begin = max(first, end - most_steps)
        y = _interpolate_gaps(values[begin:end])
        skipped = int(begin - first)

        season[place] = seasonal_strength(y, m)
        trend[place] = trend_direction(y, m)
        for distance, step in _find_outliers(y, m):
            outliers.append((distance, i, skipped + step))

    outliers.sort(reverse=True)  # the farthest first
    series_and_step = [(i, step) for _, i, step in outliers]
    outlier_places = np.array(series_and_step, dtype=np.int64)
    is_constant = _is_constant(values, offsets)
    return Characteristics(
        chosen=chosen,
        season=season,
        trend=trend,
        outliers=outlier_places.reshape(-1, 2),
        # Zeros and constant series are cheap to find: those of all series, sampled or not.
        zeros=_share_of_zeros(values),
        constant=np.flatnonzero(is_constant),
    )


def _share_of_zeros(values: Floats) -> float:
    is_observed = ~np.isnan(values)
    observed = int(is_observed.sum())
    zeros = (values == 0).sum()
    return float(zeros / max(observed, 1))


def seasonal_strength(y: Floats, m: int) -> float:
    """Measure how strong the season m is in one series [T] without gaps: 0 none, 1 nothing else.

    NaN where there are no two whole seasons.

    The share of the variance without the trend that the season explains (Wang, Smith & Hyndman
    2006, "Characteristic-based clustering for time series data"), corrected for the m means that it
    takes, so that noise has none.
    """
    n = len(y)
    if m < 2 or n < 2 * m + 1:
        return np.nan

    window = m if m % 2 else m + 1  # an odd window is centred on its step
    trend = uniform_filter1d(y, window, mode="nearest")
    detrended = _clip_outliers(y - trend)
    profile = _seasonal_profile(detrended, m)
    residuals = detrended - profile

    variance = float(np.var(detrended))
    # What is left of a series without any variance is rounding.
    largest = _largest_size(y)
    rounding = 1e-18 * largest**2
    if variance <= rounding:
        return 0.0

    # Unbiased variances: m means were taken out of the residuals, one out of the whole.
    unexplained_variance = np.var(residuals) / (n - m)
    unexplained = unexplained_variance * (n - 1) / variance
    explained = 1 - unexplained
    return float(np.clip(explained, 0, 1))


def _largest_size(y: Floats) -> float:
    """The largest absolute value of a series, 0 of one without any."""
    sizes = np.abs(y)
    return float(np.max(sizes, initial=0))


def _clip_outliers(y: Floats) -> Floats:
    """A series without far outliers, which would outweigh everything else in a variance."""
    middle = np.median(y)
    distances = np.abs(y - middle)
    reach = 4 * _MAD_TO_DEVIATION * np.median(distances)
    if not reach > 0:
        return y

    low = middle - reach
    high = middle + reach
    return np.clip(y, low, high)


def trend_direction(y: Floats, m: int) -> int:
    """Return 1 where a series [T] without gaps rises, -1 where it falls, 0 where it does neither.

    Spearman's rank correlation with time of the medians of up to ten parts, each of whole seasons
    where there are four.
    """
    steps = len(y)
    if steps >= 4 * m:
        # A part of whole seasons has no season in its median; the oldest steps are left over.
        left_over = steps % m
        rows = y[left_over:].reshape(-1, m)
    else:
        rows = y

    count = min(_MAX_TREND_PARTS, len(rows))
    parts = np.array_split(rows, count)
    medians = np.array([np.median(part) for part in parts])
    if count < 4 or np.ptp(medians) == 0:
        return 0

    # The rank of a value is its place in the order of size.
    by_size = medians.argsort()
    ranks = by_size.argsort()
    order = np.arange(count)
    correlations = np.corrcoef(ranks, order)
    correlation = float(correlations[0, 1])

    if abs(correlation) < _MIN_TREND_CORRELATION:
        return 0
    return int(np.sign(correlation))


def _find_outliers(y: Floats, m: int) -> list[tuple[float, int]]:
    """Find the values of a series that are far from their neighbours.

    Each with its distance, in robust deviations, and its step.
    """
    if len(y) < 12:
        return []

    level = y
    if len(y) > 3 * m:
        # The season is no outlier: take its profile out of the series first.
        window = 2 * (m // 2) + 1
        trend = median_filter(y, window, mode="nearest")
        detrended = y - trend
        profile = _seasonal_profile(detrended, m)
        level = y - profile

    neighbours = median_filter(level, 7, mode="nearest")
    distance = np.abs(level - neighbours)
    deviation = _MAD_TO_DEVIATION * float(np.median(distance))
    if deviation <= 1e-9 * _largest_size(y):
        return []  # mostly repeated values: nothing to measure by

    far = _OUTLIER_DEVIATIONS * deviation
    # In a series with heavy tails, values that far out are usual.
    usual = float(np.quantile(distance, 0.98))
    limit = max(far, _OUTLIER_QUANTILE_FACTOR * usual)

    steps = np.flatnonzero(distance > limit)
    deviations = distance[steps] / deviation
    return list(zip(deviations.tolist(), steps.tolist(), strict=True))


def _seasonal_profile(y: Floats, m: int) -> Floats:
    """The median of each phase of the season, at every step."""
    n = len(y)
    seasons = -(-n // m)  # the last one need not be whole
    padded = np.full(seasons * m, np.nan)
    padded[:n] = y

    rows = padded.reshape(-1, m)
    profile = np.nanmedian(rows, axis=0)
    return np.resize(profile, n)


def _interpolate_gaps(y: Floats) -> Floats:
    """A series with straight lines over its gaps, scaled so that no square of it overflows."""
    known = np.flatnonzero(~np.isnan(y))
    values = y[known]
    largest = _largest_size(values)
    if largest:
        values = values / largest
    every = np.arange(len(y))
    return np.interp(every, known, values)


def _is_constant(values: Floats, offsets: Ints) -> Bools:
    """Whether each series [N] has one value only, missing ones apart."""
    starts = offsets[:-1]
    low = np.fmin.reduceat(values, starts)
    high = np.fmax.reduceat(values, starts)
    return np.asarray(low == high)
