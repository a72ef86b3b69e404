"""Forecasts beyond the trained horizon: forward on paths drawn from the network's own quantiles.

Paths are sampled as by Salinas et al. (2020), but a whole horizon at a time: each path goes on from
what was drawn of it so far. Knows no networks.

Axes: N series, K windows, S paths, H trained horizon, G requested steps, Q quantiles, V levels that
paths are drawn from, C covariates.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from lstmcast.panel.panel import Panel
from lstmcast.ragged import Floats, Ints, concat_ranges, offsets_from_lengths

ForecastFunction = Callable[[Panel, Ints, Ints, int, Floats], Floats]
"""Quantiles [K, H, Q] of a panel's windows: series [K], origins [K], horizon H, levels [Q]."""

PATHS_PER_WINDOW = 200
STEP_CORRELATION = 0.9
"""Correlation of the random numbers of a path from one step to the next."""
SAMPLED_LEVELS = (np.arange(20) + 0.5) / 20
"""Levels of the quantiles that paths are drawn from; together they stand for the whole
distribution."""
_MAX_CELLS = 500_000
"""Most steps of all paths that are followed at once, which bounds the memory."""


class ForecastLimits(NamedTuple):
    """What a forecaster can do at once.

    horizon: steps H that it forecasts. memory: steps of the past that matter to it. together:
    whether windows of one series may be in one panel; where they would be taken for each other's
    past, paths are followed one by one.
    """

    horizon: int
    memory: int
    together: bool = True


def forecast_recursively(
    forecast: ForecastFunction,
    limits: ForecastLimits,
    panel: Panel,
    series: Ints,
    origins: Ints,
    horizon: int,
    levels: Floats,
) -> Floats:
    """Forecast quantiles [K, G, Q] of windows for `horizon` G steps, more than the limits allow.

    The first H steps are those of `forecast` as they are. For later steps each path has quantiles
    of its own, and the result is the quantiles of all paths mixed. Past covariates are unknown
    there; covariates known ahead stay as they are.
    """
    longest = min(limits.memory, int(panel.lengths.max())) + horizon
    quantiles = np.empty((len(series), horizon, len(levels)))
    for part in _split_windows(series, longest, limits.together):
        quantiles[part] = _follow_paths(
            forecast, limits, panel, series[part], origins[part], horizon, levels
        )
    return quantiles


def _follow_paths(
    forecast: ForecastFunction,
    limits: ForecastLimits,
    panel: Panel,
    series: Ints,
    origins: Ints,
    horizon: int,
    levels: Floats,
) -> Floats:
    """Do what `forecast_recursively` does, for windows that fit into memory at once."""
    trained, n_levels = limits.horizon, len(levels)
    quantiles = np.empty((len(series), horizon, n_levels))
    requested = np.concatenate([levels, SAMPLED_LEVELS])
    first = forecast(panel, series, origins, trained, requested)
    quantiles[:, :trained] = first[..., :n_levels]

    # Every window becomes a series of its own that ends at the origin, and then S paths.
    past = panel.select(series).head(origins + 1).tail(limits.memory)
    targets = _index_targets(past)
    numbers = np.arange(len(past))
    paths = past.select(np.tile(numbers, PATHS_PER_WINDOW))
    sampled = np.tile(first[..., n_levels:], (PATHS_PER_WINDOW, 1, 1))  # (S * K, H, V)

    # A block is a trained horizon: values are drawn for the one before, which this one follows.
    for begin in range(trained, horizon, trained):
        drawn_levels = _draw_levels(begin // trained, trained, targets)
        values = _interpolate_at_levels(sampled, drawn_levels)
        paths = _append_steps(paths, values).tail(limits.memory)
        sampled = _forecast_paths(forecast, paths, trained, limits.together)
        later = _mix_paths(sampled, levels)
        end = min(begin + trained, horizon)
        quantiles[:, begin:end] = later[:, : end - begin]
    return quantiles


def _index_targets(panel: Panel) -> list[int]:
    """Return which target of the table each series is, [N]: targets have draws of their own."""
    targets = panel.columns.target
    if len(targets) == 1:
        return [0] * len(panel)
    return [targets.index(key[-1]) for key in panel.keys]


def _split_windows(series: Ints, steps: int, together: bool) -> Iterator[Ints]:
    """Split windows into parts that fit into memory at once.

    Where windows of one series must not be together, each part holds each series once.
    """
    if together:
        count = len(series)
        size = max(1, _MAX_CELLS // (PATHS_PER_WINDOW * steps))
        yield from np.split(np.arange(count), range(size, count, size))
        return
    rank = np.zeros(len(series), np.int64)
    for number in np.unique(series):
        windows = series == number
        rank[windows] = np.arange(windows.sum())
    for part in range(int(rank.max()) + 1):
        yield np.flatnonzero(rank == part)


def _forecast_paths(
    forecast: ForecastFunction, paths: Panel, horizon: int, together: bool
) -> Floats:
    """Forecast the quantiles of the next steps of each path, [S * K, H, V]."""
    every = np.arange(len(paths))
    groups = [every] if together else np.split(every, PATHS_PER_WINDOW)
    quantiles = []
    for group in groups:
        panel = paths.select(group)
        series, origins = np.arange(len(panel)), panel.lengths - 1
        quantiles.append(forecast(panel, series, origins, horizon, SAMPLED_LEVELS))
    return np.concatenate(quantiles)


def _mix_paths(sampled: Floats, levels: Floats) -> Floats:
    """Return the quantiles [K, H, Q] of all paths of a window mixed, from each one's [S * K, H, V].

    The quantiles of each path stand for its distribution, so together they are a sample of the
    mixture.
    """
    paths, horizon, n_levels = sampled.shape
    windows = paths // PATHS_PER_WINDOW
    by_path = sampled.reshape(PATHS_PER_WINDOW, windows, horizon, n_levels)
    sample = by_path.transpose(1, 2, 0, 3).reshape(
        windows, horizon, -1
    )  # (K, H, S * V)
    return np.moveaxis(np.quantile(sample, levels, axis=-1), 0, -1)


def _draw_levels(block: int, steps: int, targets: list[int]) -> Floats:
    """Draw the levels of all paths at the steps of a block, [S * K, H], by window targets [K]."""
    by_window = [_draw_antithetic_levels(block, steps, target) for target in targets]
    levels = np.stack(by_window, 1)  # (S, K, H)
    return levels.reshape(-1, steps)


def _draw_antithetic_levels(block: int, steps: int, target: int) -> Floats:
    """Draw the levels of the paths at the steps of a block, [S, H], for all windows of a target.

    They come in antithetic pairs (Hammersley & Morton 1956), and their ranks are spread evenly at
    every step, so that few paths do. From step to step they follow a Gaussian autoregression.
    """
    rng = np.random.default_rng([block, target])
    normal = rng.normal(size=(PATHS_PER_WINDOW // 2, steps))
    innovation = np.sqrt(
        1 - STEP_CORRELATION**2
    )  # keeps the variance of every step at 1
    for step in range(1, steps):
        before = STEP_CORRELATION * normal[:, step - 1]
        normal[:, step] = before + innovation * normal[:, step]
    pairs = np.concatenate([normal, -normal])
    rank = pairs.argsort(axis=0).argsort(axis=0)
    return np.asarray((rank + 0.5) / PATHS_PER_WINDOW)


def _interpolate_at_levels(quantiles: Floats, levels: Floats) -> Floats:
    """Return values [n, H] at levels [n, H], linear between quantiles [n, H, V].

    The quantiles are at SAMPLED_LEVELS; levels beyond the outermost of them get its value.
    """
    count = len(SAMPLED_LEVELS)
    # SAMPLED_LEVELS are (v + 0.5) / V: this turns a level into its place v.
    place = (levels * count - 0.5).clip(0, count - 1)
    left = np.minimum(place.astype(np.int64), count - 2)
    low = _take_last_axis(quantiles, left)
    high = _take_last_axis(quantiles, left + 1)
    return np.asarray(low + (high - low) * (place - left))


def _take_last_axis(values: Floats, places: Ints) -> Floats:
    """Take the value at a place [n, H] of the last axis of values [n, H, V]."""
    return np.asarray(np.take_along_axis(values, places[..., None], -1)[..., 0])


def _append_steps(panel: Panel, values: Floats) -> Panel:
    """Append steps `values` [N, H] to each series; past covariates are unknown there."""
    n_series, n_steps = values.shape
    lengths = panel.lengths + n_steps
    offsets = offsets_from_lengths(lengths)
    starts, total = offsets[:-1], int(offsets[-1])
    before = concat_ranges(starts, panel.lengths)
    after = concat_ranges(starts + panel.lengths, np.full(n_series, n_steps))
    longer = np.full(total, np.nan)
    longer[before] = panel.values
    longer[after] = values.ravel()
    past = np.full((total, panel.past.shape[1]), np.nan)
    past[before] = panel.past

    # Covariates known ahead may already reach beyond the new steps.
    known_steps = np.diff(panel.future_offsets)
    future_offsets = offsets_from_lengths(np.maximum(known_steps, lengths))
    known = concat_ranges(future_offsets[:-1], known_steps)
    future_total = int(future_offsets[-1])
    future = np.full((future_total, panel.future.shape[1]), np.nan)
    future[known] = panel.future
    return replace(
        panel,
        values=longer,
        offsets=offsets,
        past=past,
        future=future,
        future_offsets=future_offsets,
    )
