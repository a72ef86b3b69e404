"""The shape of series in figures: strength of season and trend, outliers, zeros, constant series.

For looking at data before a fit; nothing of it enters a forecast. Knows no stamps.

Axes: N series, T steps, S series that are sampled, m season length.
"""

from dataclasses import dataclass

import numpy as np

from lstmcast.inspection.outliers import (
    MAD_TO_DEVIATION,
    Jump,
    Outlier,
    find_jump,
    find_outliers,
    rolling_mean,
    seasonal_profile,
)
from lstmcast.ragged import Bools, Floats, Ints, choose_evenly

MAX_SAMPLED_SERIES = 200
"""Series of a panel whose season, trend and outliers are measured, evenly chosen."""
MAX_SAMPLED_STEPS = 1_000_000
"""Newest steps that are measured of all these series together, but at least _MIN_STEPS of each."""
_MIN_STEPS = 5000
_MAX_TREND_PARTS = 10
_MIN_TREND_CORRELATION = 0.8
_CLEAR_CORRELATION, _CLEAR_CHANGE, _CLEAR_GROWTH = 0.6, 0.6, 1.5
"""With ups and downs on its way there is a trend where this much of it is left, and the level
changed by this share of its range, or by this factor."""
_LEAST_CHANGE = 0.5
"""Change of the level in robust deviations of the values, below which it is by chance."""
_MANIFOLD_CORRELATION, _MANIFOLD_GROWTH = 0.4, 3.0
"""A level that grows so many times has a trend with less."""


@dataclass(frozen=True)
class Characteristics:
    """What series look like.

    chosen: [S], the sampled series. season: [S], strength, NaN where a series is too short for it.
    trend: [S], 1 rising, -1 falling, 0 neither. change: [S], the level at the end over that at the
    beginning, NaN where either is not above 0. outliers: [n, 2], series and step of values far from
    their neighbours, the farthest first; expected: [n], what lies around them. jumps: by series,
    levels that changed at once. zeros: share of the values of all series. constant: series of one
    value.
    """

    chosen: Ints
    season: Floats
    trend: Ints
    change: Floats
    outliers: Ints
    expected: Floats
    jumps: dict[int, Jump]
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
    change = np.full(count, np.nan)
    outliers: list[tuple[Outlier, int]] = []
    jumps: dict[int, Jump] = {}
    most_steps = max(_MIN_STEPS, MAX_SAMPLED_STEPS // count)

    for place, i in enumerate(chosen.tolist()):
        first = offsets[i]
        end = offsets[i + 1]
        begin = max(first, end - most_steps)
        newest = values[begin:end]
        y, unit = _interpolate_gaps(newest)
        skipped = int(begin - first)

        season[place] = seasonal_strength(y, m)
        trend[place] = trend_direction(y, m)
        change[place] = _level_change(y, m)

        jump = find_jump(y, m)
        for outlier in find_outliers(y, m):
            # What stands in a gap was drawn there: no value of the series.
            is_missing = np.isnan(newest[outlier.step])
            if is_missing or _is_of_new_level(y, outlier, jump):
                continue
            step = skipped + outlier.step
            expected = outlier.expected * unit
            in_series = outlier._replace(step=step, expected=expected)
            outliers.append((in_series, i))

        if jump is not None:
            step = skipped + jump.step
            before = jump.before * unit
            after = jump.after * unit
            jumps[i] = Jump(step, before, after)

    outliers.sort(key=lambda pair: -pair[0].distance)  # the farthest first
    series_and_step = [(i, outlier.step) for outlier, i in outliers]
    outlier_places = np.array(series_and_step, dtype=np.int64)
    expected_values = [outlier.expected for outlier, _ in outliers]
    is_constant = _is_constant(values, offsets)
    return Characteristics(
        chosen=chosen,
        season=season,
        trend=trend,
        change=change,
        outliers=outlier_places.reshape(-1, 2),
        expected=np.array(expected_values),
        jumps=jumps,
        # Zeros and constant series are cheap to find: those of all series, sampled or not.
        zeros=_share_of_zeros(values),
        constant=np.flatnonzero(is_constant),
    )


def _is_of_new_level(y: Floats, outlier: Outlier, jump: Jump | None) -> bool:
    """Whether an unlikely value is one of those after a jump, which is told by itself."""
    if jump is None or outlier.step < jump.step:
        return False
    value = y[outlier.step]
    from_new = abs(value - jump.after)
    from_old = abs(value - jump.before)
    return bool(from_new < from_old)


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

    is_odd = m % 2 == 1
    window = m if is_odd else m + 1  # an odd window is centred on its step
    trend = rolling_mean(y, window)
    detrended = _clip_outliers(y - trend)
    profile = seasonal_profile(detrended, m)
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
    reach = 4 * MAD_TO_DEVIATION * np.median(distances)
    if not reach > 0:
        return y

    low = middle - reach
    high = middle + reach
    return np.clip(y, low, high)


def trend_direction(y: Floats, m: int) -> int:
    """Return 1 where a series [T] without gaps rises, -1 where it falls, 0 where it does neither.

    Spearman's rank correlation with time of the medians of up to ten parts, each of whole seasons
    where there are four. Less of it will do where the level at the end is far from that at the
    beginning: the eye sees growth though there are ups and downs on its way.
    """
    medians = _part_medians(y, m)
    count = len(medians)
    if count < 4 or np.ptp(medians) == 0:
        return 0

    # The rank of a value is its place in the order of size.
    by_size = medians.argsort()
    ranks = by_size.argsort()
    order = np.arange(count)
    correlations = np.corrcoef(ranks, order)
    correlation = float(correlations[0, 1])

    rise = float(medians[-1] - medians[0])
    share = rise / float(np.ptp(medians))
    # Where the ends say the opposite of all that is between them there is none.
    same_way = share * correlation > 0
    if same_way and _is_trend(y, m, abs(correlation), abs(share)):
        return int(np.sign(correlation))
    return 0


def _is_trend(y: Floats, m: int, correlation: float, share: float) -> bool:
    """Whether a series [T] has a trend.

    correlation: that of its parts with time. share: of their range, by which the last is off the
    first. Both without their signs.
    """
    if correlation >= _MIN_TREND_CORRELATION:
        return True

    # A fall to a third is as clear as a growth to three times.
    growth = 1.0
    if (y >= 0).all():
        change = np.nan_to_num(_level_change(y, m), nan=1.0)
        growth = max(change, 1 / change)

    # By chance the ends of a series without a trend are apart, but by little.
    distances = np.abs(y - np.median(y))
    spread = MAD_TO_DEVIATION * float(np.median(distances))
    medians = _part_medians(y, m)
    rise = abs(medians[-1] - medians[0])
    if rise < _LEAST_CHANGE * spread:
        return False

    if correlation >= _CLEAR_CORRELATION:
        return share >= _CLEAR_CHANGE or growth >= _CLEAR_GROWTH
    return correlation >= _MANIFOLD_CORRELATION and growth >= _MANIFOLD_GROWTH


def _part_medians(y: Floats, m: int) -> Floats:
    """Medians of up to ten parts of a series [T], each of whole seasons where there are four."""
    steps = len(y)
    if steps >= 4 * m:
        # A part of whole seasons has no season in its median; the oldest steps are left over.
        left_over = steps % m
        rows = y[left_over:].reshape(-1, m)
    else:
        rows = y

    count = min(_MAX_TREND_PARTS, len(rows))
    parts = np.array_split(rows, count)
    medians = [np.median(part) for part in parts]
    return np.array(medians)


def _level_change(y: Floats, m: int) -> float:
    """The level at the end over that at the beginning; NaN where either is not above 0."""
    medians = _part_medians(y, m)
    # A part of zeros at either end has no ratio; nor has a series that is too short for parts.
    if len(medians) < 4:
        return np.nan

    begin = medians[0]
    end = medians[-1]
    if not (begin > 0 and end > 0):
        return np.nan
    return float(end / begin)


def _interpolate_gaps(y: Floats) -> tuple[Floats, float]:
    """A series with straight lines over its gaps, scaled so that no square of it overflows.

    Returns the unit that it was divided by, too.
    """
    is_known = ~np.isnan(y)
    known = np.flatnonzero(is_known)
    values = y[known]
    largest = _largest_size(values)
    unit = largest or 1.0  # a series of zeros needs no scale
    scaled = values / unit

    every = np.arange(len(y))
    filled = np.interp(every, known, scaled)
    return filled, unit


def _is_constant(values: Floats, offsets: Ints) -> Bools:
    """Whether each series [N] has one value only, missing ones apart."""
    starts = offsets[:-1]
    low = np.fmin.reduceat(values, starts)
    high = np.fmax.reduceat(values, starts)
    return np.asarray(low == high)
