"""What a series remembers of all its cycles: slow seasonal patterns, levels and track records.

The fast index and profile of `steps` follow the last few cycles; a pattern here is a mean of a
dozen, of up to three seasons, nested or not. Every quantity at step t depends on steps up to t
alone (on the whole first season for t inside it).

Axes: n series, T steps, m the main season, m2 and m3 the longer ones.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.features.smoothing import (
    average_by_phase,
    difference_at_lag,
    exponential_moving_average,
    moving_average,
    shift_right,
)
from lstmcast.ragged import Floats, Ints

PATTERN_NAMES = ("pattern", "pattern_2", "pattern_3")
"""Slow means of each phase of the main, the second and the third season."""
LEVEL_NAMES = (
    "pattern_level",
    "pattern_slow_level",
    "pattern_long_level",
    "pattern_season_level",
)
"""Levels of the series without its patterns: of a few steps, of some ten, of some seasons, and of
exactly one season, in which every phase counts alike."""
N_LONG_FEATURES = 14
PATTERN_ALPHA = 0.08
"""Share of the newest cycle in a pattern: it remembers about a dozen."""
_MAX_SHARP_RATIO = 14
"""A season of at most so many shorter ones is kept step by step, as the hours of a week are."""
_SMOOTH_SHARE = 1 / 24
"""The share of a longer season that its pattern is smoothed over: two weeks of a year."""
LEAST_ERROR = 0.02
"""Errors are told apart down to this share of the scale."""


class Pattern(NamedTuple):
    """A season that has a pattern; width: steps that it is smoothed over, an odd number."""

    name: str
    season: int
    width: int

    @property
    def back(self) -> int:
        """Steps from a step to where the pattern of the cycle before it is read.

        A moving average of some steps describes the one in their middle.
        """
        return self.season - self.width // 2


def list_patterns(seasons: tuple[int, ...]) -> list[Pattern]:
    """List the patterns of the seasons that there are, in their order."""
    patterns: list[Pattern] = []
    for name, season in zip(PATTERN_NAMES, seasons, strict=False):
        if season <= 1:
            continue
        width = 1
        shorter = patterns[-1].season if patterns else 1
        is_main = name == PATTERN_NAMES[0]
        if not is_main and season > _MAX_SHARP_RATIO * shorter:
            width = 2 * int(season * _SMOOTH_SHARE / 2) + 1
        patterns.append(Pattern(name, season, width))
    return patterns


def fill_patterns(
    out: dict[str, NDArray[Any]],
    weight: Floats,
    seasons: tuple[int, ...],
    lengths: Ints,
) -> None:
    """Fill the patterns and the levels without them, [n, T] each.

    The pattern of a longer season is that of what the shorter ones leave.
    """
    rest = out["z"]
    for pattern in list_patterns(seasons):
        season = pattern.season
        deviation = rest - moving_average(rest, season)
        mean = out[pattern.name]
        mean[...] = average_by_phase(
            deviation, rest, weight, season, lengths, PATTERN_ALPHA, pattern.width
        )
        if pattern.width == 1:
            rest = rest - mean

    adjusted = out["z"] - expected_pattern(out, seasons)[:, :-1]
    for name, alpha in zip(LEVEL_NAMES, level_alphas(seasons[0]), strict=False):
        out[name][...] = exponential_moving_average(adjusted, weight, alpha)
    out[LEVEL_NAMES[-1]][...] = moving_average(adjusted, season_window(seasons[0]))


def level_alphas(main: int) -> tuple[float, ...]:
    """Shares of the newest step in each level; the long one remembers 3 seasons, or 30 steps."""
    return (0.5, 0.1, 1 / (3 * max(main, 10)))


def season_window(main: int) -> int:
    """Steps whose mean is the level of one season, at least 4."""
    return max(main, 4)


def expected_pattern(
    arrays: dict[str, NDArray[Any]], seasons: tuple[int, ...]
) -> Floats:
    """Sum of the patterns of each step, and of the next after the last, from the cycles before.

    Returns [n, T + 1]. Inside the main season's first cycle the pattern of the step itself stands
    in, inside that of another season nothing.
    """
    n, n_steps = arrays["z"].shape
    total = np.zeros((n, n_steps + 1))
    for pattern in list_patterns(seasons):
        mean = arrays[pattern.name]
        season = pattern.season
        if season <= n_steps:
            start = season - pattern.back
            stop = n_steps + 1 - pattern.back
            total[:, season:] += mean[:, start:stop]
        if pattern.name == PATTERN_NAMES[0]:
            first = min(season, n_steps)
            total[:, :first] += mean[:, :first]
    return total


def fill_long_features(
    out: dict[str, NDArray[Any]],
    weight: Floats,
    seasons: tuple[int, ...],
    first: int,
    bound: float,
) -> None:
    """Fill the last features of `x`, from column `first` on, in scales.

    How far a step is from what patterns and levels made expect; how well each way to forecast a
    season ahead did, over some seasons; which seasons there are.
    """
    for place, feature in enumerate(_iter_long_features(out, weight, seasons), first):
        out["x"][..., place] = np.clip(feature, -bound, bound)


def _iter_long_features(
    arrays: dict[str, NDArray[Any]], weight: Floats, seasons: tuple[int, ...]
) -> Iterator[Floats]:
    """Yield the features, [n, T] each."""
    m, m2, m3 = seasons
    z = arrays["z"]
    scale = arrays["scale"]
    expected = expected_pattern(arrays, seasons)
    adjusted = z - expected[:, :-1]

    # Surprise by the slower levels, and the change to the next step.
    for name in LEVEL_NAMES[1:]:
        surprise = adjusted - shift_right(arrays[name], 1)
        surprise[:, :1] = 0
        yield surprise / scale
    yield np.diff(expected) / scale

    # The size of the errors made so far, each relative to the scale.
    yield _track_record(difference_at_lag(z, 1), weight, scale, seasons, 1)
    if m2:
        yield _track_record(difference_at_lag(z, m2), weight, scale, seasons, m2)
    else:
        yield np.zeros_like(z)
    expected_level = arrays["level"] + arrays["index"]
    error = z - shift_right(expected_level, m)
    yield _track_record(error, weight, scale, seasons, 2 * m)
    for name in LEVEL_NAMES:
        error = adjusted - shift_right(arrays[name], m)
        yield _track_record(error, weight, scale, seasons, 2 * m)

    # How much of the second season was seen, and how long the longer ones are.
    t = np.arange(z.shape[1])
    zeros = np.zeros_like(z)
    cycles = t / m2 if m2 else 0.0 * t
    yield zeros + np.minimum(cycles, 5) / 2.5
    yield zeros + np.log(max(m2, 1)) / 8
    yield zeros + np.log(max(m3, 1)) / 8


def _track_record(
    error: Floats, weight: Floats, scale: Floats, seasons: tuple[int, ...], start: int
) -> Floats:
    """Return the logarithm of the mean absolute error so far over the scale, [n, T].

    start: the first step whose error counts. Zero where nothing counted yet.
    """
    memory = track_record_memory(seasons)
    counts = weight.copy()
    counts[:, :start] = 0
    mean = exponential_moving_average(np.abs(error), counts, 1 / memory)
    ratio = mean / scale
    record = 0.5 * np.log(ratio + LEAST_ERROR)
    record[:, :start] = 0
    return np.asarray(record)


def track_record_memory(seasons: tuple[int, ...]) -> int:
    """Steps that a track record remembers: four main seasons, or one longer; at least 20."""
    main, second, _ = seasons
    return max(4 * main, min(second, 28 * main), 20)
