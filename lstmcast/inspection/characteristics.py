"""The shape of series in figures a person can use: strength of season and trend, outliers, zeros, constant series.

For looking at data before a fit; nothing of it enters a forecast. Knows no stamps.

Axes: N series, T steps, S series looked at closely, m season.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter, uniform_filter1d

from lstmcast.ragged import Floats, Ints, choose_evenly

MAX_SAMPLED_SERIES = 200
"""Series of a panel that are looked at closely, evenly chosen."""
MAX_SAMPLED_STEPS = 1_000_000
"""Steps that are looked at closely: shared out among the series, but at least 5000 of each."""
_OUTLIER_DEVIATIONS = 8
"""Robust deviations from its neighbours at which a value is an outlier, if it is also far beyond
what is usual."""
_OUTLIER_QUANTILE_FACTOR = 2.5
_MAX_TREND_PARTS = 10
_MIN_TREND_CORRELATION = 0.8


@dataclass(frozen=True)
class Characteristics:
    """What series look like.

    chosen: [S], the series looked at closely. season: [S], strength, NaN where a series is too
    short for it. trend: [S], 1 rising, -1 falling, 0 neither. outliers: [n, 2], series and step of
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
    """The shape of series values [sum T], offsets [N+1], NaN where missing, with the season m (1: none)."""
    chosen = choose_evenly(len(offsets) - 1, MAX_SAMPLED_SERIES)
    season, trend = np.full(len(chosen), np.nan), np.zeros(len(chosen), np.int64)
    far: list[tuple[float, int, int]] = []
    newest = max(5000, MAX_SAMPLED_STEPS // len(chosen))
    for place, i in enumerate(chosen.tolist()):
        y = values[offsets[i] : offsets[i + 1]]
        skipped = max(0, len(y) - newest)
        y = _interpolate_gaps(y[skipped:])
        season[place] = seasonal_strength(y, m)
        trend[place] = trend_direction(y, m)
        far += [(distance, i, skipped + step) for distance, step in _find_outliers(y, m)]
    far.sort(reverse=True)
    observed = ~np.isnan(values)
    return Characteristics(
        chosen,
        season,
        trend,
        np.array([pair[1:] for pair in far], dtype=np.int64).reshape(-1, 2),
        float((values == 0).sum() / max(int(observed.sum()), 1)),
        np.flatnonzero(_is_constant(values, offsets)),
    )


def seasonal_strength(y: Floats, m: int) -> float:
    """Strength of the season m in one series [T] without gaps: 0 none, 1 nothing else; NaN where there are no 2 of it.

    The share of the variance without the trend that the season explains (Wang, Smith & Hyndman
    2006), corrected for the m means that it takes, so that noise has none.
    """
    n = len(y)
    if m < 2 or n < 2 * m + 1:
        return np.nan
    detrended = _clip_outliers(y - uniform_filter1d(y, m if m % 2 else m + 1, mode="nearest"))
    rest = detrended - _seasonal_profile(detrended, m)
    total = float(np.var(detrended))
    if total <= 1e-18 * float(np.max(np.abs(y))) ** 2:
        return 0.0
    return float(np.clip(1 - np.var(rest) / (n - m) * (n - 1) / total, 0, 1))


def _clip_outliers(y: Floats) -> Floats:
    """A series without what is far off, which would outweigh all else in a variance."""
    middle = np.median(y)
    spread = 4 * 1.4826 * np.median(np.abs(y - middle))
    return np.clip(y, middle - spread, middle + spread) if spread > 0 else y


def trend_direction(y: Floats, m: int) -> int:
    """1 where a series [T] without gaps rises, -1 where it falls, 0 where it does neither throughout.

    Spearman's rank correlation with time of the medians of up to ten parts, each of whole seasons
    where there are four.
    """
    seasons = len(y) // m if len(y) >= 4 * m else 0
    parts = np.array_split(
        y[len(y) - seasons * m :].reshape(-1, m) if seasons else y,
        min(_MAX_TREND_PARTS, seasons or len(y)),
    )
    medians = np.array([np.median(part) for part in parts])
    if len(medians) < 4 or np.ptp(medians) == 0:
        return 0
    ranks = medians.argsort().argsort()
    rho = float(np.corrcoef(ranks, np.arange(len(ranks)))[0, 1])
    return int(np.sign(rho)) if abs(rho) >= _MIN_TREND_CORRELATION else 0


def _find_outliers(y: Floats, m: int) -> list[tuple[float, int]]:
    """Distance, in robust deviations, and step of the values of a series that are far from their neighbours."""
    if len(y) < 12:
        return []
    level = (
        y - _seasonal_profile(y - median_filter(y, 2 * (m // 2) + 1, mode="nearest"), m)
        if len(y) > 3 * m
        else y
    )
    rest = np.abs(level - median_filter(level, 7, mode="nearest"))
    spread = 1.4826 * float(np.median(rest))
    if spread <= 1e-9 * float(np.max(np.abs(y))):  # mostly repeated values: nothing to measure by
        return []
    limit = max(
        _OUTLIER_DEVIATIONS * spread, _OUTLIER_QUANTILE_FACTOR * float(np.quantile(rest, 0.98))
    )
    return [(float(rest[step] / spread), int(step)) for step in np.flatnonzero(rest > limit)]


def _seasonal_profile(y: Floats, m: int) -> Floats:
    """The median of each phase of the season, at every step."""
    padded = np.full(-(-len(y) // m) * m, np.nan)
    padded[: len(y)] = y
    return np.resize(np.nanmedian(padded.reshape(-1, m), axis=0), len(y))


def _interpolate_gaps(y: Floats) -> Floats:
    """A series with straight lines over its gaps, and scaled so that no square of it overflows."""
    known = np.flatnonzero(~np.isnan(y))
    largest = float(np.max(np.abs(y[known]), initial=0))
    return np.interp(np.arange(len(y)), known, y[known] / largest if largest else y[known])


def _is_constant(values: Floats, offsets: Ints) -> NDArray[np.bool_]:
    low = np.fmin.reduceat(values, offsets[:-1])
    return np.asarray(low == np.fmax.reduceat(values, offsets[:-1]))
