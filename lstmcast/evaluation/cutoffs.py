"""Which past windows are forecast to score a forecaster, and what their forecasts may know.

Knows how to cut history, but neither forecasts nor scores.

Axes: N series, K windows. A window is a series and an origin, the index of the last step that its
forecast may know; a fold is the windows that are forecast together.
"""

from typing import NamedTuple

import numpy as np

from lstmcast.errors import DataError, format_more
from lstmcast.forecasting.predictor import Predictor
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Bools, Ints

MIN_HISTORY_STEPS = 2
"""Steps of a series that a cutoff must leave to learn from."""


class ForecastWindows(NamedTuple):
    """Windows sorted by series, then origin: series, origin and fold of each, [K]."""

    series: Ints
    origins: Ints
    fold: Ints

    def select(self, mask: Bools) -> "ForecastWindows":
        """Return only the windows of a mask [K]."""
        return ForecastWindows(self.series[mask], self.origins[mask], self.fold[mask])


def choose_backtest_windows(
    panel: Panel, horizon: int, windows: int, step: int
) -> ForecastWindows:
    """Choose origins whose horizon ends at each series' end, and every `step` steps before it."""
    newest = panel.lengths - 1 - horizon
    back = step * np.arange(windows)[::-1]
    origins = newest[:, None] - back  # (N, windows)
    # Too short a series has no window in the older folds; folds without any are not counted.
    series, fold = np.nonzero(origins >= MIN_HISTORY_STEPS - 1)
    if not len(series):
        need, have = MIN_HISTORY_STEPS + horizon, int(panel.lengths.max(initial=0))
        raise DataError(
            f"too short for a backtest of {horizon} steps ahead:"
            f" need {need} steps, the longest series has {have}",
            "give more rows or a shorter --horizon",
        )
    return ForecastWindows(series, origins[series, fold], fold - fold.min())


def find_training_ends(forecaster: Predictor, panel: Panel) -> Ints:
    """Return the index in each series of `panel` of the last step that was trained on, [N]."""
    trained = panel.align(forecaster.panel)
    is_trained = trained >= 0
    # Of new series everything before the end of the training counts as known.
    cutoff = np.where(is_trained, forecaster.cutoff[trained], forecaster.cutoff.max())
    ends = cutoff - panel.start
    late = np.flatnonzero(is_trained & (ends < 0))
    if len(late):
        first = late[0]
        ordinals = panel.start[first] + np.array([0, ends[first]])
        begins, end = panel.axis.texts(ordinals)
        raise DataError(
            f"{format_series_name(panel, first)} begins at {begins},"
            f" after the end of its training at {end}{format_more(len(late), 'series')}",
            "give the history too: forecasts are made from it",
        )
    return np.maximum(ends, MIN_HISTORY_STEPS - 1)


def choose_evaluation_windows(
    panel: Panel, cutoff: Ints, horizon: int, step: int
) -> ForecastWindows:
    """Choose origins from each series' cutoff on, while a whole horizon of rows is left.

    A series with only a part of a horizon has one window.
    """
    newer = panel.lengths - 1 - cutoff
    if not (newer > 0).any():
        have = format_step(panel, (panel.start + panel.lengths - 1).max())
        end = format_step(panel, (panel.start + cutoff).max())
        raise DataError(
            "nothing newer than what the run was trained on:"
            f" need rows after {end}, the data ends at {have}",
            "give rows that were not there when the run was fitted",
        )
    whole = (newer - horizon) // step + 1
    count = np.where(newer >= horizon, whole, newer > 0)
    series = np.repeat(np.arange(len(panel)), count)
    # A window's fold is its number within its series.
    first_window = np.cumsum(count) - count
    fold = np.arange(len(series)) - first_window[series]
    return ForecastWindows(series, cutoff[series] + step * fold, fold)


def keep_latest_windows(chosen: ForecastWindows, windows: int) -> ForecastWindows:
    """Keep the last `windows` windows of each series, numbered so that the newest are one fold."""
    count = np.bincount(chosen.series)[chosen.series]
    from_newest = count - chosen.fold  # 1 is the newest
    numbered = chosen._replace(fold=windows - from_newest)
    latest = numbered.select(from_newest <= windows)
    return latest._replace(fold=latest.fold - latest.fold.min())


def fold_ends(panel: Panel, chosen: ForecastWindows, fold: int) -> Ints:
    """Return how many steps of each series a fold may know, [N]; 0 where it has no window."""
    ends = np.zeros(len(panel), np.int64)
    in_fold = chosen.fold == fold
    ends[chosen.series[in_fold]] = chosen.origins[in_fold] + 1
    return ends


def format_step(panel: Panel, ordinal: int) -> str:
    """Return the timestamp of a step of the panel's axis as text."""
    return panel.axis.texts(np.array([ordinal]))[0]


def format_series_name(panel: Panel, series: int) -> str:
    """Return how a message names a series: by its key, where the panel has any."""
    return (
        f"series {', '.join(panel.keys[series])!r}" if panel.key_names else "the series"
    )
