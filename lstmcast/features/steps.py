"""Causal scaling and step features of series, as arrays.

Every quantity at step t depends on steps up to t alone (on the whole first season for t inside it),
so features are computed once a series and serve every origin from the end of the first season on.
Knows no splits, frames or torch.

Axes: N series, n series of one block, T steps, F step features, m season, m2 second season; flat
arrays hold all series end to end.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.features.scaler import ScalerState, transform_values
from lstmcast.features.seasonal.long_memory import (
    LEVEL_NAMES,
    N_LONG_FEATURES,
    PATTERN_NAMES,
    fill_long_features,
    fill_patterns,
)
from lstmcast.features.smoothing import (
    average_by_phase,
    difference_at_lag,
    exponential_moving_average,
    fill_gaps_from_past,
    moving_average,
    shift_right,
)
from lstmcast.ragged import Bools, Floats, Ints, Singles

FEATURE_CLIP = 10.0
"""Features and relative candidates are clipped to this many scales: the network sees a shock, not
its size."""
N_FAST_FEATURES = 17
N_STEP_FEATURES = N_FAST_FEATURES + N_LONG_FEATURES
"""What the encoder reads of each step; see `_iter_step_features` and `long_memory`."""
TARGET_CLIP = 30.0
"""Targets and candidates lie at most this many scales from the base: a bound for series that were
constant so far."""
MIN_SCALE = 2e-5
"""Least scale: a share of the level, or an absolute difference in logs."""
_MAX_GROUP_CELLS = 4_000_000
_MAX_BLOCK_CELLS = 200_000
"""Steps whose features are computed at once: as many as a processor's caches hold, some 70 MB."""


class Seasons(NamedTuple):
    """Season lengths in steps: `main` is 1 without a season, `second` and `third` 0 without one."""

    main: int
    second: int
    third: int = 0


@dataclass(frozen=True, eq=False)
class StepArrays:
    """Per-step arrays of all series, flat [sum T], in transformed units.

    x: float32 [sum T, F], what the encoder reads. z: the series, gaps filled from the past.
    observed: False where the value was missing. scale: divisor known at the step. open: steps of
    gaps that were filled with what comes after them, from which nothing may be learnt; None where
    there are none. The others feed the candidates.
    """

    seasons: Seasons
    offsets: Ints
    state: ScalerState
    x: Singles
    z: Floats
    observed: Bools
    scale: Floats
    level: Floats
    slow_level: Floats
    trend: Floats
    slope: Floats
    index: Floats
    profile: Floats
    pattern: Floats
    pattern_2: Floats
    pattern_3: Floats
    pattern_level: Floats
    pattern_slow_level: Floats
    pattern_long_level: Floats
    pattern_season_level: Floats
    open: Bools | None = None


def compute_step_arrays(
    values: Floats,
    offsets: Ints,
    seasons: Seasons,
    state: ScalerState,
    explained: Floats | None = None,
) -> StepArrays:
    """Compute the per-step arrays of all series.

    values: [sum T] in the user's units, NaN where missing; offsets: [N+1]. explained: [sum T],
    taken out of the series in transformed units, for whoever forecasts to put back. Series of
    similar length are computed together as a matrix, so the cost is that of arrays, not of Python.
    """
    lengths = np.diff(offsets)
    n_steps = int(offsets[-1])
    flat = _allocate_arrays(n_steps)

    for rows, width in group_by_length(lengths, _MAX_BLOCK_CELLS):
        block_state = state.take(rows)
        block_lengths = lengths[rows]

        if len(rows) == 1:
            # In place: a long series is never copied.
            row = int(rows[0])
            begin = int(offsets[row])
            span = slice(begin, begin + width)
            z = transform_values(values[None, span], rows[:, None], state)
            if explained is not None:
                z -= explained[span]
            # What is written into these views is in the arrays of all series.
            views = {}
            for name, array in flat.items():
                views[name] = array[None, span]
            _fill_arrays(views, z, seasons, block_state, block_lengths)
            continue

        # The series as rows of a matrix, padded with NaN to the longest of them.
        columns = np.arange(width)
        inside = columns < block_lengths[:, None]
        place = offsets[rows, None] + columns
        place = np.where(inside, place, 0)
        padded = np.where(inside, values[place], np.nan)
        z = transform_values(padded, rows[:, None], state)
        if explained is not None:
            z -= np.where(inside, explained[place], 0.0)
        block = _allocate_arrays(len(rows), width)
        _fill_arrays(block, z, seasons, block_state, block_lengths)

        # Back to where the series lie end to end, without the padding.
        place = place[inside]
        for name, array in block.items():
            flat[name][place] = array[inside]

    return StepArrays(seasons=seasons, offsets=offsets, state=state, **flat)


def _allocate_arrays(*shape: int) -> dict[str, NDArray[Any]]:
    """Zeros for all per-step arrays of `StepArrays`; untouched zeros take no memory."""
    fast = ("z", "scale", "level", "slow_level", "trend", "slope", "index", "profile")
    names = (*fast, *PATTERN_NAMES, *LEVEL_NAMES)
    return {
        "x": np.zeros((*shape, N_STEP_FEATURES), np.float32),
        "observed": np.zeros(shape, np.bool_),
        **{name: np.zeros(shape) for name in names},
    }


def _fill_arrays(
    out: dict[str, NDArray[Any]],
    values: Floats,
    seasons: Seasons,
    state: ScalerState,
    lengths: Ints,
) -> None:
    """Fill the per-step arrays [n, T] of series of similar length.

    values: [n, T], transformed, NaN where missing or past the end. Each array is dropped as soon as
    no later one needs it: a series may be as long as memory has room for.
    """
    m, m2, _ = seasons
    observed = out["observed"]
    np.logical_not(np.isnan(values), out=observed)
    weight = observed.astype(np.float64)
    z = out["z"]
    z[...] = fill_gaps_from_past(values, m)

    # The seasonal patterns: deviations from a moving average over the season, averaged by phase.
    window = max(m, 4)
    if m2:
        out["profile"][...] = average_by_phase(
            z - moving_average(z, m2), z, weight, m2, lengths, 0.4
        )
    average = moving_average(z, window)
    if m > 1:
        out["index"][...] = average_by_phase(z - average, z, weight, m, lengths, 0.3)

    # The trend: the change of the moving average over its window, smoothed.
    trend = out["trend"]
    change = difference_at_lag(average, window)[:, window:]
    change /= window
    alpha = 1 / max(m, 5)
    trend[:, window:] = exponential_moving_average(change, weight[:, window:], alpha)
    del change

    _fill_levels(out, weight, m)
    fill_patterns(out, weight, seasons, lengths)

    # In logs every series has the size 1: differences are shares already.
    if state.log.all():
        size = np.ones_like(z)
    else:
        size = _running_magnitude(z, average)
        size[state.log] = 1.0

    scale = out["scale"]
    if state.spread is None:
        scale[...] = _causal_scale(z, weight, m)
        scale += MIN_SCALE * size
    else:
        scale[...] = state.spread[:, None]

    _fill_features(out, average, size, seasons, state)
    bound = state.bound(FEATURE_CLIP)
    fill_long_features(out, weight, seasons, N_FAST_FEATURES, bound)


def _fill_levels(out: dict[str, NDArray[Any]], weight: Floats, m: int) -> None:
    """Fill levels and slope of the series without its season, as the index a season ago has it."""
    z = out["z"]
    index = out["index"]

    # Inside the first season there is no index of a season ago: that of the step itself stands in.
    adjusted = z - index
    season_ago = index[:, :-m]
    after_first = z[:, m:]
    adjusted[:, m:] = after_first - season_ago

    out["level"][...] = exponential_moving_average(adjusted, weight, 0.5)
    out["slow_level"][...] = exponential_moving_average(adjusted, weight, 0.1)
    out["slope"][...] = _expanding_slope(adjusted, weight)


def _fill_features(
    out: dict[str, NDArray[Any]],
    average: Floats,
    size: Floats,
    seasons: Seasons,
    state: ScalerState,
) -> None:
    """Fill `x`, some steps at a time, so that their intermediate arrays fit into the caches."""
    bound = state.bound(FEATURE_CLIP)
    n, n_steps = size.shape
    width = max(1, _MAX_BLOCK_CELLS // n)
    for begin in range(0, n_steps, width):
        end = min(begin + width, n_steps)
        part = slice(begin, end)
        features = _iter_step_features(out, average, size, seasons, state, part)
        x = out["x"][:, part]
        for place, feature in enumerate(features):
            x[..., place] = np.clip(feature, -bound, bound)


def _iter_step_features(
    arrays: dict[str, NDArray[Any]],
    average: Floats,
    size: Floats,
    seasons: Seasons,
    state: ScalerState,
    part: slice,
) -> Iterator[Floats]:
    """Yield the F features of a part of the steps, [n, T] each, in the order of the encoder.

    average, size: [n, T] of all steps. Differences are in scales, so that series of any size look
    alike.
    """
    m, m2, _ = seasons
    window = max(m, 4)
    t = np.arange(part.start, part.stop)
    z = arrays["z"][:, part]
    scale = arrays["scale"][:, part]
    zeros = np.zeros_like(z)

    def earlier(name: str, steps: int) -> Floats:
        return shift_right(arrays[name], steps, part)

    def change(array: Floats, steps: int) -> Floats:
        before = shift_right(array, steps, part)
        difference = array[:, part] - before
        return np.where(t >= steps, difference, 0.0)

    def next_change(season: int) -> Floats:
        """Change to the next step as it was one season before; 0 without a season."""
        if season <= 1:
            return zeros
        back = season - 1
        following = earlier("z", back)
        change = np.where(t >= back, following - z, 0.0)
        return np.asarray(change / scale)

    centre = average[:, part]
    if state.centre is not None:
        centre = state.centre[:, None]
    expected = earlier("level", 1) + earlier("index", m)
    expected = np.where(t == 0, z, expected)

    # Distance from the centre, last change, and change over a season.
    yield (z - centre) / scale
    yield change(arrays["z"], 1) / scale
    yield change(arrays["z"], m) / scale

    # How volatile the series is for its size, and how old it is.
    relative_scale = scale / size[:, part]
    yield 0.2 * np.log(relative_scale + 1e-6)
    yield zeros + np.minimum(t, 200) / 100

    # Surprise: distance from level and season of the step before.
    yield (z - expected) / scale

    # Trend, and change of the average.
    trend = arrays["trend"][:, part]
    yield trend * window / scale
    yield change(average, 1) * m / scale

    # Change over the second season; change to the next step by either season.
    yield change(arrays["z"], m2) / scale if m2 else zeros
    yield next_change(m2)
    yield next_change(m)

    # Slope of all steps so far.
    slope = arrays["slope"][:, part]
    yield slope * window / scale

    # Seasons seen so far, length of the season, whether there is a second one.
    seasons_seen = t / m
    yield zeros + np.minimum(seasons_seen, 20) / 10
    yield zeros + np.log(m) / 4
    yield zeros + float(m2 > 0)

    # Whether the series is in logs, and whether the value is missing.
    yield zeros + state.log[:, None]
    observed = arrays["observed"][:, part]
    yield 1.0 - observed


def _running_magnitude(z: Floats, average: Floats) -> Floats:
    """Mean absolute value of each series so far, or its moving average where larger, [n, T]."""
    n_steps = z.shape[1]
    magnitude: Floats = np.cumsum(np.abs(z), 1)
    magnitude /= np.arange(1, n_steps + 1)
    np.maximum(np.abs(average), magnitude, out=magnitude)
    magnitude += 1e-9
    return magnitude


def _causal_scale(z: Floats, weight: Floats, m: int) -> Floats:
    """Mean absolute seasonal difference so far, at least a quarter of the one-step one, [n, T]."""
    alpha = 1 / max(2 * m, 10)
    change, counts = _changes_at_lag(z, weight, 1)
    scale = exponential_moving_average(change, counts, alpha)

    if m > 1 and z.shape[1] > m:
        change, counts = _changes_at_lag(z, weight, m)
        # Inside the first season the one-step difference alone is known.
        change = change[:, m:]
        counts = counts[:, m:]
        seasonal = exponential_moving_average(change, counts, alpha)
        least = 0.25 * scale[:, m:]
        scale[:, m:] = np.maximum(seasonal, least)
    return scale


def _changes_at_lag(z: Floats, weight: Floats, lag: int) -> tuple[Floats, Floats]:
    """Absolute differences, and 1 for those whose values were both observed; [n, T] each."""
    # The product of the weights of both values.
    counts = weight * shift_right(weight, lag)

    change = difference_at_lag(z, lag)
    np.abs(change, out=change)
    return change, counts


def _expanding_slope(z: Floats, weight: Floats) -> Floats:
    """Slope per step of the least-squares line over all steps so far; 0 for fewer than 4, [n, T].

    The textbook form from running sums: (n Sty - St Sy) / (n Stt - St^2), of distances from the
    first value, so that a high level costs no digits.
    """
    n_steps = z.shape[1]
    t = np.arange(n_steps, dtype=np.float64)
    first = z[:, :1]
    y = (z - first) * weight

    count = np.cumsum(weight, 1)
    sum_t = np.cumsum(weight * t, 1)
    sum_tt = np.cumsum(weight * t * t, 1)
    sum_y = np.cumsum(y, 1)
    sum_ty = np.cumsum(y * t, 1)

    spread = count * sum_tt - sum_t * sum_t
    moved = count * sum_ty - sum_t * sum_y
    usable = (count >= 4) & (spread > 0)

    slope = np.zeros_like(z)
    np.divide(moved, spread, out=slope, where=usable)
    return slope


def group_by_length(
    lengths: Ints, most: int = _MAX_GROUP_CELLS
) -> Iterator[tuple[Ints, int]]:
    """Yield groups of series of similar length, as rows and the greatest length among them.

    At most a quarter of a group, and four steps, is padding; its matrix has at most `most` cells
    (one series alone may have more).
    """
    order = np.argsort(lengths, kind="stable")
    ascending = lengths[order]

    start = 0
    while start < len(order):
        shortest = max(int(ascending[start]), 1)
        longest = int(shortest * 1.25) + 4
        similar = int(np.searchsorted(ascending, longest, side="right"))
        affordable = start + most // longest
        stop = min(similar, affordable)
        # One series at least, however long it is.
        stop = max(start + 1, stop)
        width = int(ascending[stop - 1])
        yield order[start:stop], width
        start = stop
