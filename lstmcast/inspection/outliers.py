"""Values far from those around them, and jumps of the level that last, by robust statistics.

A value is compared with those before it and those after it, without itself: so the last one is
judged as any other, and a new level is no outlier. Knows no stamps.

Axes: T steps, m season length, W steps of a window.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

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

    if _needs_logarithm(y):
        found = _judge_values(np.log(y), m)
        expected = np.exp(found.expected)
    else:
        found = _judge_values(y, m)
        expected = found.expected
    is_far = found.is_far
    distance = found.distance

    # A fall to a tenth is as unlikely as a rise to ten times, though it is not as far: the newest
    # steps, which count most, are judged by their size, too.
    usual_size = float(np.median(y))
    unit = _SMALL_SHARE * usual_size
    if unit > 0 and (y >= 0).all():
        # The inverse hyperbolic sine is a logarithm of large values, and allows for zeros.
        sizes = np.arcsinh(y / unit)
        by_size = _judge_values(sizes, m)

        count = max(m, _MIN_NEIGHBOURS)
        newest = slice(-min(count, len(y)), None)
        more = by_size.is_far[newest] & ~is_far[newest]
        is_far[newest] |= more
        distance_by_size = by_size.distance[newest]
        distance[newest] = np.where(more, distance_by_size, distance[newest])

    outliers = []
    for step in np.flatnonzero(is_far).tolist():
        far = float(distance[step])
        usual = float(expected[step])
        outliers.append(Outlier(far, step, usual))
    return outliers


def _judge_values(z: Floats, m: int) -> _Judgement:
    """Judge the values of a series [T] in units in which its noise is even."""
    level, profile = _take_season_out(z, m)
    before = _median_of_neighbours(level)
    backwards = level[::-1]
    after = _median_of_neighbours(backwards)[::-1]

    # The nearer side counts: the first value of a new level is far from those before it only.
    distance_before = np.abs(level - before)
    distance_after = np.abs(level - after)
    distance = np.fmin(distance_before, distance_after)

    # What its nearer side was, with the season put back.
    is_before_nearer = distance_before <= distance_after
    use_before = is_before_nearer | np.isnan(after)
    nearer = np.where(use_before, before, after)
    expected = nearer + profile

    typical = float(np.nanmedian(distance))
    deviation = MAD_TO_DEVIATION * typical
    rounding = 1e-9 * _largest_size(z)
    if deviation <= rounding:
        # Mostly repeated values: nothing to measure by.
        none_far = np.zeros(len(z), dtype=bool)
        return _Judgement(distance, none_far, expected)

    usual = float(np.nanquantile(distance, _USUAL_QUANTILE))
    unlikely = _OUTLIER_DEVIATIONS * deviation
    unusual = _USUAL_FACTOR * usual
    is_far = distance > max(unlikely, unusual)

    # It has no values after it, which could be nearer.
    is_far[-1] |= _is_last_far(distance_before)
    return _Judgement(distance / deviation, is_far, expected)


def _is_last_far(distance_before: Floats) -> bool:
    """Whether the last of these distances [T] is unlike nearly all others."""
    others = distance_before[:-1]
    last = distance_before[-1]

    typical = float(np.nanmedian(others))
    unlikely = _LAST_DEVIATIONS * (MAD_TO_DEVIATION * typical)
    nearly_all = float(np.nanquantile(others, 0.99))
    rare = _LAST_FACTOR * nearly_all

    least = max(unlikely, rare)
    are_enough = len(others) >= 2 * _MIN_STEPS
    return are_enough and bool(last > least > 0)


def find_jump(y: Floats, m: int) -> Jump | None:
    """Find the clearest jump of the level of a series [T] without gaps; None without any."""
    window = _JUMP_WINDOW
    if len(y) < 3 * window:
        return None
    z = np.log(y) if _needs_logarithm(y) else y
    level, _ = _take_season_out(z, m)

    # At each step: the medians of the steps before it, and from it on.
    before = _running_medians(level, window)
    backwards = level[::-1]
    after = _running_medians(backwards, window)[::-1]
    size = np.abs(after[1:] - before[:-1])

    smooth = rolling_median(level, window)
    around = np.abs(level - smooth)
    noise = MAD_TO_DEVIATION * float(np.median(around))
    rounding = 1e-9 * _largest_size(z)
    if noise <= rounding:
        return None

    # A slope has a large size, too, but no step of it makes half of the whole.
    change = np.abs(np.diff(level))
    at_once = change > size / 2
    is_large = size > max(_JUMP_DEVIATIONS * noise, 0)

    steps = np.arange(1, len(level))
    newest = len(level) - _MIN_STEPS_AFTER_JUMP
    has_both = (steps >= window) & (steps <= newest)
    is_jump = at_once & has_both & is_large
    if not is_jump.any():
        return None

    clearest = np.where(is_jump, size, -1).argmax()
    step = int(steps[clearest])
    is_elsewhere = np.abs(steps - step) > window
    nearly_all = np.quantile(size[is_elsewhere], 0.99)
    is_usual = size[step - 1] < _RARE_JUMP_FACTOR * nearly_all
    if is_usual or _returns(level, step, before[step - 1], after[step]):
        return None

    # A whole season at least: part of one has another level.
    begin = step - max(window, m)
    earlier = y[max(begin, 0) : step]
    later = y[step:]
    return Jump(step, float(np.median(earlier)), float(np.median(later)))


def _returns(level: Floats, step: int, before: float, after: float) -> bool:
    """Whether the steps from a jump on are nearer to the level before it after all."""
    newest = float(np.median(level[step:]))
    from_before = abs(newest - before)
    from_after = abs(newest - after)
    return from_before < from_after


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

    window = 2 * (m // 2) + 1  # an odd window is centred on its step
    trend = rolling_median(y, window)
    detrended = y - trend
    profile = seasonal_profile(detrended, m)
    return y - profile, profile


def rolling_median(y: Floats, window: int) -> Floats:
    """The median of the odd window around each step, [T]; the ends are repeated beyond it."""
    half = window // 2
    padded = pd.Series(np.pad(y, half, mode="edge"))
    medians = padded.rolling(window, center=True).median()
    return medians.to_numpy()[half : half + len(y)]


def rolling_mean(y: Floats, window: int) -> Floats:
    """The mean of the odd window around each step, [T]; the ends are repeated beyond it."""
    half = window // 2
    padded = pd.Series(np.pad(y, half, mode="edge"))
    means = padded.rolling(window, center=True).mean()
    return means.to_numpy()[half : half + len(y)]


def _needs_logarithm(y: Floats) -> bool:
    """Whether a series is positive, and of levels so far apart that its changes grow with them."""
    if not (y > 0).all():
        return False

    # The level changes slowly where growth is by a share: a tenth is long enough for a median.
    tenths = np.array_split(y, 10)
    levels = [float(np.median(part)) for part in tenths if len(part)]
    lowest = min(levels)
    return max(levels) > _LEVELS_APART * lowest


def _median_of_neighbours(y: Floats) -> Floats:
    """The median of the few steps before each one, [T]; NaN where there are too few."""
    medians = np.full(len(y), np.nan)
    earlier = y[:-1]
    medians[1:] = _running_medians(earlier, _NEIGHBOURS)
    medians[:_MIN_NEIGHBOURS] = np.nan
    return medians


def _running_medians(y: Floats, window: int) -> Floats:
    """The median of each step and those before it, [T], of fewer at the start."""
    steps = len(y)
    short_ends = range(1, min(window, steps + 1))
    first = [np.median(y[:end]) for end in short_ends]
    if steps < window:
        return np.array(first)

    windows = np.lib.stride_tricks.sliding_window_view(y, window)
    medians = np.median(windows, axis=1)
    return np.concatenate([first, medians])


def _largest_size(y: Floats) -> float:
    """The largest absolute value of a series, 0 of one without any."""
    sizes = np.abs(y)
    return float(np.max(sizes, initial=0))
