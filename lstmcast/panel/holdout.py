"""The hold-out of a panel: its newest windows, kept from training to choose, weigh and calibrate.

Axes: N series, K windows.
"""

from typing import NamedTuple

import numpy as np

from lstmcast.panel.gaps import settle_origins
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Bools, Ints, choose_evenly

MAX_HOLDOUT_STEPS = 500_000
"""Steps of the horizons of all windows together, at most: more say nothing new, and forecasts of
them take memory."""
MAX_UNTRAINED_HOLDOUT_STEPS = MAX_HOLDOUT_STEPS // 4
"""The same where nothing is trained: the verdict should not take longer than the forecast."""

MAX_WINDOWS = 24
"""Windows of a series at most."""
SPARE_SHARE = 10
"""A long series can spare one step in so many for its hold-out."""


class Holdout(NamedTuple):
    """Steps of each series to train on [N], and windows after them: series [K] and origins [K]."""

    ends: Ints
    series: Ints
    origins: Ints


def split_holdout(
    panel: Panel,
    horizon: int,
    season: int,
    requested: int | Ints | None,
    max_steps: int = MAX_HOLDOUT_STEPS,
) -> Holdout:
    """Split each series into steps to train on and validation windows after them.

    Up to four horizons or a season are held out, of a long series a tenth up to 24 horizons, a
    quarter of a series at most but one horizon at least; or the `requested` number of steps. They
    are forecast from 4 origins each, of few series from up to 24, of very many series from evenly
    chosen ones of these, so that the horizons are at most `max_steps` together. What is left must
    hold a season and a step; a series too short for that has no windows.
    """
    lengths = panel.lengths
    held = _count_held_steps(lengths, horizon, season, requested)
    ends = lengths - held
    every = np.arange(len(panel))
    # No training ends, and no forecast begins, in a gap whose filling knows what comes after it.
    ends = settle_origins(panel, every, ends - 1) + 1
    must_remain = max(season, 2) + 1
    ends = np.where(ends < must_remain, lengths, ends)
    held = lengths - ends

    # Origins lie evenly from the last training step to the last with a whole horizon after it.
    per_series = int(np.clip(200 // len(panel), 4, MAX_WINDOWS))
    shares = np.linspace(0, 1, per_series)
    room = np.maximum(held - horizon, 0)
    last_training_step = ends[:, None] - 1
    spread = np.round(room[:, None] * shares)
    origins = (last_training_step + spread).astype(np.int64)
    origins = settle_origins(panel, every[:, None], origins)

    distinct = _find_distinct(origins)
    has_windows = held > 0
    distinct &= has_windows[:, None]
    series, _ = np.nonzero(distinct)
    origins = origins[distinct]

    # Nothing can be held back where nothing was observed in it.
    if not _has_actual_value(panel, series, origins, horizon):
        return Holdout(lengths, series[:0], origins[:0])

    # Of too many windows for that number of steps, some are taken evenly.
    windows = max(max_steps // horizon, 1)
    chosen = choose_evenly(len(series), windows)
    return Holdout(ends, series[chosen], origins[chosen])


def _has_actual_value(panel: Panel, series: Ints, origins: Ints, horizon: int) -> bool:
    """Whether any value was observed in the horizon of any window [K]."""
    first = panel.offsets[series] + origins + 1
    last = np.minimum(first + horizon, panel.offsets[series + 1])
    observed = np.concatenate([[0], np.cumsum(~np.isnan(panel.values))])
    return bool((observed[last] > observed[first]).any())


def _find_distinct(origins: Ints) -> Bools:
    """Which of the ascending origins of each series [N, k] differ from the one before.

    Where there is less room than origins, some of them coincide: each counts once.
    """
    first = np.ones((len(origins), 1), bool)
    later = np.diff(origins, axis=1) > 0
    return np.concatenate([first, later], 1)


def _count_held_steps(
    lengths: Ints, horizon: int, season: int, requested: int | Ints | None
) -> Ints:
    """Steps of each series that are held out, [N]; 0 where what is left would be too short."""
    if requested is None:
        # A quarter of a series at most, but one horizon at least. A long one can spare more windows
        # that do not overlap: four of them say little of which method is better.
        usual = max(4 * horizon, season)
        spare = np.minimum(MAX_WINDOWS * horizon, lengths // SPARE_SHARE)
        most = np.maximum(horizon, lengths // 4)
        held = np.minimum(np.maximum(usual, spare), most)
    else:
        held = np.broadcast_to(requested, lengths.shape)

    must_remain = max(season, 2) + 1
    held = np.minimum(held, lengths - must_remain)

    # A single step says too little to choose and calibrate by, unless it is the whole horizon.
    fewest = min(horizon, 2)
    return np.where(held >= fewest, held, 0)
