"""Values far from those around them, and jumps of the level that last, by robust statistics.

A value is compared with those before it and those after it, without itself: so the last one is
judged as any other, and a new level is no outlier. Knows no stamps.

Axes: T steps, m season length, W steps of a window.
"""

from typing import NamedTuple

import numpy as np
from scipy.ndimage import median_filter

from lstmcast.ragged import Bools, Floats

MAD_TO_DEVIATION = 1.4826
"""From a median absolute deviation to the standard deviation of normal values."""
_MIN_STEPS = 12
_NEIGHBOURS = 5
"""Steps before a value, and after it, that it is compared with."""
_MIN_NEIGHBOURS = 3
"""Fewer values after a step say nothing: two wrong ones would vouch for each other."""
_OUTLIER_DEVIATIONS = 8
"""Robust deviations from its neighbours at which a value is an outlier, if it is also far beyond
what is usual."""
_USUAL_QUANTILE, _USUAL_FACTOR = 0.9, 5.0
"""In a series with heavy tails, values that far out are usual; up to a tenth may be outliers."""
_LAST_DEVIATIONS, _LAST_FACTOR = 5.0, 1.5
"""The last value is only one, so that less is rare; and it must be beyond nearly all before it."""
_SMALL_SHARE = 0.2
"""Values above this share of the usual size are compared by their ratio."""
_LEVELS_APART = 4.0
"""Levels of a positive series so many times apart are compared by their logarithms."""
_JUMP_WINDOW, _MIN_STEPS_AFTER_JUMP, _JUMP_DEVIATIONS = 15, 3, 8.0
_RARE_JUMP_FACTOR = 2.0
"""How many times larger a jump is than nearly all changes elsewhere in the series."""


class Outlier(NamedTuple):
    """A value far from those around it: how many robust deviations, its step, what was expected."""

    distance: float
    step: int
    expected: float


class Jump(NamedTuple):
    """A level that changed at once, and stayed so: the first step of it, medians on either side."""

    step: int
    before: float
    after: float


class _Judgement(NamedTuple):
    """Values of a series [T] beside those around them: robust deviations, what was expected."""

    distance: Floats
    is_far: Bools
    expected: Floats


def find_outliers(y: Floats, m: int) -> list[Outlier]:
    """Find the values of a series [T] without gaps that are far from their neighbours."""
    if len(y) < _MIN_STEPS:
        return []

    in_logs = _needs_logarithm(y)
    found = _judge_values(np.log(y) if in_logs else y, m)
    expected = np.exp(found.expected) if in_logs else found.expected
    is_far = found.is_far
    distance = found.distance

    # A fall to a tenth is as unlikely as a rise to ten times, though it is not as far: the newest
    # steps, which count most, are judged by their size, too.
    unit = _SMALL_SHARE * float(np.median(y))
    if unit > 0 and (y >= 0).all():
        by_size = _judge_values(np.arcsinh(y / unit), m)
        newest = slice(-min(max(m, _MIN_NEIGHBOURS), len(y)), None)
        more = by_size.is_far[newest] & ~is_far[newest]
        is_far[newest] |= more
        distance[newest] = np.where(more, by_size.distance[newest], distance[newest])

    return [
        Outlier(float(distance[step]), step, float(expected[step]))
        for step in np.flatnonzero(is_far).tolist()
    ]


def _judge_values(z: Floats, m: int) -> _Judgement:
    """Judge the values of a series [T] in units in which its noise is even."""
    level, profile = _take_season_out(z, m)
    before = _median_of_neighbours(level)
    after = _median_of_neighbours(level[::-1])[::-1]
    distance_before = np.abs(level - before)
    distance = np.fmin(distance_before, np.abs(level - after))

    # What its nearer side was, with the season put back.
    is_before_nearer = distance_before <= np.abs(level - after)
    use_before = is_before_nearer | np.isnan(after)
    expected = np.where(use_before, before, after) + profile

    deviation = MAD_TO_DEVIATION * float(np.nanmedian(distance))
    if deviation <= 1e-9 * _largest_size(z):
        # Mostly repeated values: nothing to measure by.
        return _Judgement(distance, np.zeros(len(z), dtype=bool), expected)

    usual = float(np.nanquantile(distance, _USUAL_QUANTILE))
    limit = max(_OUTLIER_DEVIATIONS * deviation, _USUAL_FACTOR * usual)
    is_far = distance > limit
    is_far[-1] |= _is_last_far(distance_before)
    return _Judgement(distance / deviation, is_far, expected)


def _is_last_far(distance_before: Floats) -> bool:
    """Whether the last of these distances [T] is unlike nearly all others."""
    others = distance_before[:-1]
    deviation = MAD_TO_DEVIATION * float(np.nanmedian(others))
    rare = _LAST_FACTOR * float(np.nanquantile(others, 0.99))
    least = max(_LAST_DEVIATIONS * deviation, rare)
    return len(others) >= 2 * _MIN_STEPS and bool(distance_before[-1] > least > 0)


def find_jump(y: Floats, m: int) -> Jump | None:
    """Find the clearest jump of the level of a series [T] without gaps; None without any."""
    window = _JUMP_WINDOW
    if len(y) < 3 * window:
        return None
    z = np.log(y) if _needs_logarithm(y) else y
    level, _ = _take_season_out(z, m)

    before = _running_medians(level, window)
    after = _running_medians(level[::-1], window)[::-1]
    # At each step: the medians of the steps before it, and from it on.
    size = np.abs(after[1:] - before[:-1])
    steps = np.arange(1, len(level))
    around = np.abs(level - median_filter(level, window, mode="nearest"))
    noise = MAD_TO_DEVIATION * float(np.median(around))

    at_once = np.abs(np.diff(level)) > size / 2
    has_both = (steps >= window) & (steps <= len(level) - _MIN_STEPS_AFTER_JUMP)
    is_jump = at_once & has_both & (size > max(_JUMP_DEVIATIONS * noise, 0))
    if noise <= 1e-9 * _largest_size(z) or not is_jump.any():
        return None

    step = int(steps[np.where(is_jump, size, -1).argmax()])
    elsewhere = size[np.abs(steps - step) > window]
    is_usual = size[step - 1] < _RARE_JUMP_FACTOR * np.quantile(elsewhere, 0.99)
    if is_usual or _returns(level, step, before[step - 1], after[step]):
        return None
    earlier = y[max(step - max(window, m), 0) : step]
    return Jump(step, float(np.median(earlier)), float(np.median(y[step:])))


def _returns(level: Floats, step: int, before: float, after: float) -> bool:
    """Whether the steps from a jump on are nearer to the level before it after all."""
    newest = float(np.median(level[step:]))
    return abs(newest - before) < abs(newest - after)


def seasonal_profile(y: Floats, m: int) -> Floats:
    """The median of each phase of the season, at every step."""
    n = len(y)
    seasons = -(-n // m)  # the last one need not be whole
    padded = np.full(seasons * m, np.nan)
    padded[:n] = y

    rows = padded.reshape(-1, m)
    profile = np.nanmedian(rows, axis=0)
    return np.resize(profile, n)


def _take_season_out(y: Floats, m: int) -> tuple[Floats, Floats]:
    """A series without the profile of its season, and that profile, [T] each."""
    if m < 2 or len(y) <= 3 * m:
        return y, np.zeros(len(y))
    window = 2 * (m // 2) + 1
    trend = median_filter(y, window, mode="nearest")
    profile = seasonal_profile(y - trend, m)
    return y - profile, profile


def _needs_logarithm(y: Floats) -> bool:
    """Whether a series is positive, and of levels so far apart that its changes grow with them."""
    if not (y > 0).all():
        return False
    tenths = np.array_split(y, 10)
    levels = [float(np.median(part)) for part in tenths if len(part)]
    return max(levels) > _LEVELS_APART * min(levels)


def _median_of_neighbours(y: Floats) -> Floats:
    """The median of the few steps before each one, [T]; NaN where there are too few."""
    medians = np.full(len(y), np.nan)
    medians[1:] = _running_medians(y[:-1], _NEIGHBOURS)
    medians[:_MIN_NEIGHBOURS] = np.nan
    return medians


def _running_medians(y: Floats, window: int) -> Floats:
    """The median of each step and those before it, [T], of fewer at the start."""
    first = [np.median(y[:end]) for end in range(1, min(window, len(y) + 1))]
    if len(y) < window:
        return np.array(first)
    windows = np.lib.stride_tricks.sliding_window_view(y, window)
    medians = np.median(windows, axis=1)
    return np.concatenate([first, medians])


def _largest_size(y: Floats) -> float:
    """The largest absolute value of a series, 0 of one without any."""
    return float(np.max(np.abs(y), initial=0))
