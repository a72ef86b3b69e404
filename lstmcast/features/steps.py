"""Causal scaling, step features and classical candidates of series, as arrays.

Every quantity at step t depends on steps up to t alone (on the whole first season for t inside it),
so features are computed once a series and serve every origin from the end of the first season on.
Knows no splits, frames or torch.

Axes: N series, T steps, m season, m2 second season, H horizon, K windows; flat arrays hold all
series end to end.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.features.scaler import ScalerState, transform_values
from lstmcast.features.smoothing import (
    exponential_moving_average,
    fill_gaps_from_past,
    reshape_to_cycles,
)
from lstmcast.ragged import Bools, Floats, Ints

FEATURE_CLIP = 10.0
"""Features and relative candidates are clipped to this many scales: the network sees a shock, not
its size."""
N_STEP_FEATURES = 17
TARGET_CLIP = 30.0
"""Targets and candidates lie at most this many scales from the base: a bound for series that were
constant so far."""
MIN_SCALE = 2e-5
"""Least scale: a share of the level, or an absolute difference in logs."""
_MAX_GROUP_CELLS = 4_000_000
_MAX_BLOCK_CELLS = 200_000
"""Steps whose features are at work at once: as many as a processor's caches like, some 70 MB."""


class Seasons(NamedTuple):
    """Season lengths in steps: `main` is 1 where there is none, `second` is 0 where there is none."""

    main: int
    second: int


@dataclass(frozen=True, eq=False)
class StepArrays:
    """Per-step arrays of all series, flat [sum T], in transformed units.

    x: float32 [sum T, STEP_FEATURES], what the encoder reads. z: the series, gaps filled from the
    past.
    seen: False where the value was missing. scale: divisor known at the step. The others feed the
    candidates.
    """

    seasons: Seasons
    offsets: Ints
    state: ScalerState
    x: NDArray[np.float32]
    z: Floats
    seen: Bools
    scale: Floats
    level: Floats
    slow_level: Floats
    trend: Floats
    slope: Floats
    index: Floats
    profile: Floats


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
    flat = _allocate_arrays(int(offsets[-1]))
    for rows, width in group_by_length(lengths, _MAX_BLOCK_CELLS):
        if len(rows) == 1:  # in place: what is long is never copied
            own = slice(int(offsets[rows[0]]), int(offsets[rows[0] + 1]))
            z = transform_values(values[None, own], rows[:, None], state)
            if explained is not None:
                z -= explained[own]
            _fill_arrays(
                {name: array[own][None] for name, array in flat.items()},
                z,
                seasons,
                state.take(rows),
                lengths[rows],
            )
            continue
        cols = np.arange(width)
        inside = cols < lengths[rows, None]
        where = np.where(inside, offsets[rows, None] + cols, 0)
        z = transform_values(np.where(inside, values[where], np.nan), rows[:, None], state)
        if explained is not None:
            z -= np.where(inside, explained[where], 0.0)
        block = _allocate_arrays(len(rows), width)
        _fill_arrays(block, z, seasons, state.take(rows), lengths[rows])
        for name, array in block.items():
            flat[name][where[inside]] = array[inside]
    return StepArrays(seasons=seasons, offsets=offsets, state=state, **flat)


def _allocate_arrays(*shape: int) -> dict[str, NDArray[Any]]:
    """Zeros for all that `Steps` knows of steps of this shape; memory that is not written to is none."""
    floats = ("z", "scale", "level", "slow_level", "trend", "slope", "index", "profile")
    x, seen = np.zeros((*shape, N_STEP_FEATURES), np.float32), np.zeros(shape, np.bool_)
    return {"x": x, "seen": seen, **{name: np.zeros(shape) for name in floats}}


def _fill_arrays(
    out: dict[str, NDArray[Any]], given: Floats, seasons: Seasons, state: ScalerState, lengths: Ints
) -> None:
    """Fill the per-step arrays [n, T] of series of similar length; given: [n, T], NaN where missing or past the end.

    What a step needs no longer is let go before more is made: a series may be as long as memory has
    room for.
    """
    m, m2 = seasons
    np.logical_not(np.isnan(given), out=out["seen"])
    w = out["seen"].astype(np.float64)
    out["z"][...] = fill_gaps_from_past(given, m)
    del given
    z, k = out["z"], max(m, 4)
    if m2:
        out["profile"][...] = _seasonal_index(z - _moving_average(z, m2), z, w, m2, lengths, 0.4)
    average = _moving_average(z, k)
    if m > 1:
        out["index"][...] = _seasonal_index(z - average, z, w, m, lengths, 0.3)
    out["trend"][:, k:] = exponential_moving_average(
        (average[:, k:] - average[:, :-k]) / k, w[:, k:], 1 / max(m, 5)
    )
    adjusted = z - out["index"]
    adjusted[:, m:] = z[:, m:] - out["index"][:, :-m]
    out["level"][...] = exponential_moving_average(adjusted, w, 0.5)
    out["slow_level"][...] = exponential_moving_average(adjusted, w, 0.1)
    out["slope"][...] = _expanding_slope(adjusted, w)
    del adjusted
    size = _usual_size(z, average) if not state.log.all() else np.ones_like(z)
    size[state.log] = 1.0
    if state.spread is None:
        out["scale"][...] = _causal_scale(z, w, m) + MIN_SCALE * size
    else:
        out["scale"][...] = state.spread[:, None]
    del w
    width = max(1, _MAX_BLOCK_CELLS // len(z))
    for begin in range(0, z.shape[1], width):
        part = slice(begin, min(begin + width, z.shape[1]))
        columns = _iter_step_features(out, average, size, seasons, state, part)
        for place, column in enumerate(columns):
            out["x"][:, part, place] = np.clip(
                column, -state.bound(FEATURE_CLIP), state.bound(FEATURE_CLIP)
            )


def _iter_step_features(
    arrays: dict[str, NDArray[Any]],
    average: Floats,
    size: Floats,
    seasons: Seasons,
    state: ScalerState,
    part: slice,
) -> Iterator[Floats]:
    """What the encoder reads of a part of the steps: STEP_FEATURES times [n, T]; average, size: [n, T] of all."""
    (m, m2), log = seasons, state.log[:, None]
    t, k = np.arange(part.start, part.stop), max(m, 4)
    z, scale = arrays["z"][:, part], arrays["scale"][:, part]
    nothing = np.zeros_like(z)

    def before(name: str, steps: int) -> Floats:
        return _shift_right(arrays[name], steps, part)

    def moved(array: Floats, steps: int) -> Floats:
        return np.where(t >= steps, array[:, part] - _shift_right(array, steps, part), 0.0)

    centre = average[:, part] if state.centre is None else state.centre[:, None]
    expected = np.where(t == 0, z, before("level", 1) + before("index", m))
    yield (z - centre) / scale
    yield moved(arrays["z"], 1) / scale
    yield moved(arrays["z"], m) / scale
    yield 0.2 * np.log(scale / size[:, part] + 1e-6)
    yield nothing + np.minimum(t, 200) / 100
    yield (z - expected) / scale
    yield arrays["trend"][:, part] * k / scale
    yield moved(average, 1) * m / scale
    yield moved(arrays["z"], m2) / scale if m2 else nothing
    yield np.where(t >= m2 - 1, before("z", m2 - 1) - z, 0.0) / scale if m2 else nothing
    yield np.where(t >= m - 1, before("z", m - 1) - z, 0.0) / scale if m > 1 else nothing
    yield arrays["slope"][:, part] * k / scale
    yield nothing + np.minimum(t / m, 20) / 10
    yield nothing + np.log(m) / 4
    yield nothing + float(m2 > 0)
    yield nothing + log
    yield 1.0 - arrays["seen"][:, part]


def _usual_size(z: Floats, average: Floats) -> Floats:
    """How large a series usually is, as far as its past knows, [n, T]."""
    usual: Floats = np.cumsum(np.abs(z), 1)
    usual /= np.arange(1, z.shape[1] + 1)
    np.maximum(np.abs(average), usual, out=usual)
    usual += 1e-9
    return usual


def _causal_scale(z: Floats, w: Floats, m: int) -> Floats:
    """Average of the absolute seasonal difference, with a quarter of that of the one-step difference as its floor."""
    alpha = 1 / max(2 * m, 10)
    scale = exponential_moving_average(
        np.abs(_difference_at_lag(z, 1)), w * _shift_right(w, 1), alpha
    )
    if m > 1 and z.shape[1] > m:
        seasonal = exponential_moving_average(
            np.abs(z[:, m:] - z[:, :-m]), w[:, m:] * w[:, :-m], alpha
        )
        scale[:, m:] = np.maximum(seasonal, 0.25 * scale[:, m:])
    return scale


def _seasonal_index(
    rest: Floats, z: Floats, w: Floats, m: int, lengths: Ints, alpha: float
) -> Floats:
    """Average over the cycles, phase by phase, of what is left above the moving average.

    Inside the first cycle the moving average is not yet one of a whole season; the mean of that
    cycle stands in.
    """
    whole = min(m, z.shape[1])  # sums over these alone: in floats, zeros behind them would count
    first = w[:, :whole] * (np.arange(whole) < lengths[:, None])
    first_mean = (z[:, :whole] * first).sum(1, keepdims=True) / np.maximum(
        first.sum(1, keepdims=True), 1
    )
    rest = np.where(np.arange(z.shape[1]) < m, z - first_mean, rest)
    out = exponential_moving_average(
        reshape_to_cycles(rest, m, 0.0), reshape_to_cycles(w, m, 0.0), alpha, axis=1
    )
    return out.reshape(len(z), -1)[:, : z.shape[1]]


def _expanding_slope(z: Floats, w: Floats) -> Floats:
    """Slope per step of the least-squares line over all steps so far; 0 for fewer than 4."""
    t = np.arange(z.shape[1], dtype=np.float64)
    base = z[:, :1]
    y = (z - base) * w
    n, st, stt = np.cumsum(w, 1), np.cumsum(w * t, 1), np.cumsum(w * t * t, 1)
    sy, sty = np.cumsum(y, 1), np.cumsum(y * t, 1)
    spread = n * stt - st * st
    return np.divide(n * sty - st * sy, spread, out=np.zeros_like(z), where=(n >= 4) & (spread > 0))


def _moving_average(z: Floats, window: int) -> Floats:
    """Mean of the last `window` steps, of fewer at the start. Sums are taken around the first value."""
    base = z[:, :1]
    total = np.concatenate([np.zeros_like(base), np.cumsum(z - base, 1)], 1)
    i = np.arange(1, z.shape[1] + 1)
    j = np.maximum(0, i - window)
    return np.asarray(base + (total[:, i] - total[:, j]) / (i - j))


def _shift_right(z: Floats, k: int, part: slice = slice(0, None)) -> Floats:
    """A part of the steps, shifted right by k steps, 0 where there is nothing."""
    stop = z.shape[1] if part.stop is None else part.stop
    out = np.zeros((len(z), stop - part.start))
    first = max(part.start, k)
    if first < stop:
        out[:, first - part.start :] = z[:, first - k : stop - k]
    return out


def _difference_at_lag(z: Floats, k: int) -> Floats:
    """z[t] - z[t-k], 0 for the first k steps."""
    out = np.zeros_like(z)
    if k < z.shape[1]:
        out[:, k:] = z[:, k:] - z[:, : z.shape[1] - k]
    return out


def group_by_length(lengths: Ints, most: int = _MAX_GROUP_CELLS) -> Iterator[tuple[Ints, int]]:
    """Rows of similar length and their greatest length: a quarter of padding, matrices of `most` numbers at most."""
    order = np.argsort(lengths, kind="stable")
    start = 0
    while start < len(order):
        shortest = max(int(lengths[order[start]]), 1)
        stop = int(np.searchsorted(lengths[order], int(shortest * 1.25) + 4, side="right"))
        stop = max(start + 1, min(stop, start + most // (int(shortest * 1.25) + 4)))
        rows = order[start:stop]
        yield rows, int(lengths[rows].max())
        start = stop
