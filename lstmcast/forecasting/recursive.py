"""Beyond the horizon that a network was trained for: forward on paths drawn from its own quantiles.

Paths are sampled as by Salinas et al. (2020), but a whole horizon at a time: each path goes on from
what was drawn of it so far. Knows no networks.

Axes: K windows, S paths, H horizon of the training, G steps asked for, Q quantiles, V levels that
are drawn from.
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
"""Correlation of a path's luck from one step to the next."""
SAMPLED_LEVELS = (np.arange(20) + 0.5) / 20
"""Levels of the quantiles that paths are drawn from; together they stand for the whole
distribution."""
_MAX_CELLS = 500_000


class ForecastLimits(NamedTuple):
    """What a forecaster can do at once.

    horizon: steps H that it forecasts. memory: steps of the past that have a say. together: whether
    windows of one series may be in one panel; if not (they would be taken for one another's past),
    paths are followed one by one.
    """

    horizon: int
    memory: int
    together: bool = True


def forecast_recursively(
    forecast: ForecastFunction,
    reach: ForecastLimits,
    panel: Panel,
    series: Ints,
    origins: Ints,
    horizon: int,
    levels: Floats,
) -> Floats:
    """Quantiles [K, G, Q] of windows up to `horizon` G steps ahead, from forecasts within their reach.

    The first H steps are those of `forecast` as they are. Of later ones each path has quantiles of
    its own, and the answer is those of all paths mixed. Past covariates are unknown there,
    covariates known ahead stay as they are.
    """
    known, together = reach.horizon, reach.together
    out = np.empty((len(series), horizon, len(levels)))
    for part in _split_windows(
        series, min(reach.memory, int(panel.lengths.max())) + horizon, together
    ):
        made = forecast(
            panel, series[part], origins[part], known, np.concatenate([levels, SAMPLED_LEVELS])
        )
        out[part, :known], spread = np.split(made, [len(levels)], axis=-1)
        own = panel.select(series[part]).head(origins[part] + 1).tail(reach.memory)
        kind = _index_targets(own)
        paths = own.select(np.tile(np.arange(len(own)), PATHS_PER_WINDOW))
        spread = np.tile(spread, (PATHS_PER_WINDOW, 1, 1))  # (S * K, H, V)
        for done in range(known, horizon, known):
            luck = np.stack(
                [_draw_antithetic_levels(done // known, known, k) for k in kind], 1
            )  # (S, K, H)
            paths = _append_steps(
                paths, _interpolate_at_levels(spread, luck.reshape(-1, known))
            ).tail(reach.memory)
            spread = _forecast_paths(forecast, paths, known, together)
            mixed = (
                spread.reshape(PATHS_PER_WINDOW, len(own), known, -1)
                .transpose(1, 2, 0, 3)
                .reshape(len(own), known, -1)
            )
            later = np.moveaxis(np.quantile(mixed, levels, axis=-1), 0, -1)
            out[part, done : done + known] = later[:, : horizon - done]
    return out


def _index_targets(panel: Panel) -> list[int]:
    """Which target of the table each series is, [N]: they do not share their luck."""
    targets = panel.columns.target
    return [targets.index(key[-1]) if len(targets) > 1 else 0 for key in panel.keys]


def _split_windows(series: Ints, steps: int, together: bool) -> Iterator[Ints]:
    """Windows that fit into memory at once; where series must not meet themselves, each series once."""
    if not together:
        rank = np.zeros(len(series), np.int64)
        for one in np.unique(series):
            rank[series == one] = np.arange((series == one).sum())
        yield from (np.flatnonzero(rank == k) for k in range(int(rank.max()) + 1))
        return
    size = max(1, _MAX_CELLS // (PATHS_PER_WINDOW * steps))
    yield from np.split(np.arange(len(series)), range(size, len(series), size))


def _forecast_paths(forecast: ForecastFunction, paths: Panel, known: int, together: bool) -> Floats:
    """Quantiles of the next steps of each path, [S * K, H, V]."""
    every = np.arange(len(paths))
    groups = [every] if together else np.split(every, PATHS_PER_WINDOW)
    panels = [paths.select(group) for group in groups]
    return np.concatenate(
        [
            forecast(one, np.arange(len(one)), one.lengths - 1, known, SAMPLED_LEVELS)
            for one in panels
        ]
    )


def _draw_antithetic_levels(block: int, steps: int, kind: int) -> Floats:
    """Levels of the paths at the steps of a block, [S, H], the same for all windows of a target.

    They come in mirrored pairs and are spread evenly at every step, so that few paths do.
    """
    half = np.random.default_rng([block, kind]).normal(size=(PATHS_PER_WINDOW // 2, steps))
    for h in range(1, steps):
        half[:, h] = (
            STEP_CORRELATION * half[:, h - 1] + np.sqrt(1 - STEP_CORRELATION**2) * half[:, h]
        )
    rank = np.concatenate([half, -half]).argsort(axis=0).argsort(axis=0)
    return np.asarray((rank + 0.5) / PATHS_PER_WINDOW)


def _interpolate_at_levels(spread: Floats, luck: Floats) -> Floats:
    """Values [n, H] at the levels `luck` [n, H] of quantiles [n, H, V], linear between them."""
    place = (luck * len(SAMPLED_LEVELS) - 0.5).clip(0, len(SAMPLED_LEVELS) - 1)
    left = np.minimum(place.astype(np.int64), len(SAMPLED_LEVELS) - 2)
    low, high = (np.take_along_axis(spread, (left + k)[..., None], -1)[..., 0] for k in (0, 1))
    return np.asarray(low + (high - low) * (place - left))


def _append_steps(panel: Panel, values: Floats) -> Panel:
    """The panel with further steps `values` [N, H] of each series, past covariates unknown there."""
    lengths, steps = panel.lengths + values.shape[1], np.full(len(panel), values.shape[1])
    offsets = offsets_from_lengths(lengths)
    before, after = (
        concat_ranges(offsets[:-1], panel.lengths),
        concat_ranges(offsets[:-1] + panel.lengths, steps),
    )
    longer = np.full(int(offsets[-1]), np.nan)
    longer[before], longer[after] = panel.values, values.ravel()
    past = np.full((len(longer), panel.past.shape[1]), np.nan)
    past[before] = panel.past
    total = np.maximum(np.diff(panel.future_offsets), lengths)
    future_offsets = offsets_from_lengths(total)
    future = np.full((int(future_offsets[-1]), panel.future.shape[1]), np.nan)
    future[concat_ranges(future_offsets[:-1], np.diff(panel.future_offsets))] = panel.future
    return replace(
        panel,
        values=longer,
        offsets=offsets,
        past=past,
        future=future,
        future_offsets=future_offsets,
    )
