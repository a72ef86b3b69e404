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
    season = np.full(len(chosen), np.nan)
    trend = np.zeros(len(chosen), np.int64)
    outliers: list[tuple[float, int, int]] = []
    newest = max(_MIN_STEPS, MAX_SAMPLED_STEPS // len(chosen))
    for place, i in enumerate(chosen.tolist()):
        series = values[offsets[i] : offsets[i + 1]]
        skipped = max(0, len(series) - newest)
        y = _interpolate_gaps(series[skipped:])
        season[place] = seasonal_strength(y, m)
        trend[place] = trend_direction(y, m)
        for distance, step in _find_outliers(y, m):
            outliers.append((distance, i, skipped + step))
    outliers.sort(reverse=True)  # the farthest first
    series_and_step = [outlier[1:] for outlier in outliers]
    places = np.array(series_and_step, dtype=np.int64).reshape(-1, 2)
    # Zeros and constant series are cheap to find: those of all series, sampled or not.
    observed = int((~np.isnan(values)).sum())
    zeros = float((values == 0).sum() / max(observed, 1))
    constant = np.flatnonzero(_is_constant(values, offsets))
    return Characteristics(chosen, season, trend, places, zeros, constant)


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
    residuals = detrended - _seasonal_profile(detrended, m)
    variance = float(np.var(detrended))
    # What is left of a series without any variance is rounding.
    largest = float(np.max(np.abs(y)))
    if variance <= 1e-18 * largest**2:
        return 0.0
    # Unbiased variances: m means were taken out of the residuals, one out of the whole.
    unexplained = np.var(residuals) / (n - m) * (n - 1) / variance
    return float(np.clip(1 - unexplained, 0, 1))


def _clip_outliers(y: Floats) -> Floats:
    """A series without far outliers, which would outweigh everything else in a variance."""
    middle = np.median(y)
    reach = 4 * _MAD_TO_DEVIATION * np.median(np.abs(y - middle))
    return np.clip(y, middle - reach, middle + reach) if reach > 0 else y


def trend_direction(y: Floats, m: int) -> int:
    """Return 1 where a series [T] without gaps rises, -1 where it falls, 0 where it does neither.

    Spearman's rank correlation with time of the medians of up to ten parts, each of whole seasons
    where there are four.
    """
    steps = len(y)
    if steps >= 4 * m:
        # A part of whole seasons has no season in its median; the oldest steps are left over.
        seasons = steps // m
        rows = y[steps - seasons * m :].reshape(-1, m)
    else:
        rows = y
    parts = np.array_split(rows, min(_MAX_TREND_PARTS, len(rows)))
    medians = np.array([np.median(part) for part in parts])
    if len(medians) < 4 or np.ptp(medians) == 0:
        return 0
    ranks = medians.argsort().argsort()
    order = np.arange(len(ranks))
    correlation = float(np.corrcoef(ranks, order)[0, 1])
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
        level = y - _seasonal_profile(y - trend, m)
    neighbours = median_filter(level, 7, mode="nearest")
    distance = np.abs(level - neighbours)
    deviation = _MAD_TO_DEVIATION * float(np.median(distance))
    largest = float(np.max(np.abs(y)))
    if deviation <= 1e-9 * largest:
        return []  # mostly repeated values: nothing to measure by
    # In a series with heavy tails, values that far out are usual.
    usual = float(np.quantile(distance, 0.98))
    limit = max(_OUTLIER_DEVIATIONS * deviation, _OUTLIER_QUANTILE_FACTOR * usual)
    steps = np.flatnonzero(distance > limit)
    return [(float(distance[step] / deviation), int(step)) for step in steps]


def _seasonal_profile(y: Floats, m: int) -> Floats:
    """The median of each phase of the season, at every step."""
    seasons = -(-len(y) // m)  # the last one need not be whole
    padded = np.full(seasons * m, np.nan)
    padded[: len(y)] = y
    profile = np.nanmedian(padded.reshape(-1, m), axis=0)
    return np.resize(profile, len(y))


def _interpolate_gaps(y: Floats) -> Floats:
    """A series with straight lines over its gaps, scaled so that no square of it overflows."""
    known = np.flatnonzero(~np.isnan(y))
    largest = float(np.max(np.abs(y[known]), initial=0))
    scaled = y[known] / largest if largest else y[known]
    return np.interp(np.arange(len(y)), known, scaled)


def _is_constant(values: Floats, offsets: Ints) -> Bools:
    """Whether each series [N] has one value only, missing ones apart."""
    low = np.fmin.reduceat(values, offsets[:-1])
    return np.asarray(low == np.fmax.reduceat(values, offsets[:-1]))
