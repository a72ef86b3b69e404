"""Which past windows are forecast to score a forecaster, and what their forecasts may know.

Knows how to cut history, but neither forecasts nor scores.

Axes: N series, K windows. A window is a series and an origin, the index of the last step that its
forecast may know; a fold is the windows that are forecast together.
"""

from typing import NamedTuple

import numpy as np

from lstmcast.errors import DataError, UsageError, format_more
from lstmcast.forecasting.predictor import Predictor
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Bools, Ints

MIN_HISTORY_STEPS = 2
"""Steps of a series that a cutoff must leave to learn from."""


class NothingNewError(DataError):
    """There is no row after the end of the training: nothing to score a run by yet."""


class ForecastWindows(NamedTuple):
    """Windows sorted by series, then origin: series, origin and fold of each, [K]."""

    series: Ints
    origins: Ints
    fold: Ints

    def select(self, mask: Bools) -> "ForecastWindows":
        """Return only the windows of a mask [K]."""
        return ForecastWindows(*(column[mask] for column in self))


def choose_backtest_windows(
    panel: Panel, horizon: int, windows: int, step: int
) -> ForecastWindows:
    """Choose origins whose horizon ends at each series' end, and every `step` steps before it."""
    newest = panel.lengths - 1 - horizon
    oldest_first = np.arange(windows)[::-1]
    back = step * oldest_first
    origins = newest[:, None] - back  # (N, windows)
    # Too short a series has no window in the older folds; folds without any are not counted.
    long_enough = origins >= MIN_HISTORY_STEPS - 1
    series, fold = np.nonzero(long_enough)
    if not len(series):
        need = MIN_HISTORY_STEPS + horizon
        have = int(panel.lengths.max(initial=0))
        raise DataError(
            f"too short for a backtest of {horizon} steps ahead:"
            f" need {need} steps, the longest series has {have}",
            "give more rows or a shorter --horizon",
        )
    chosen = origins[series, fold]
    return ForecastWindows(series, chosen, fold - fold.min())


def find_training_ends(forecaster: Predictor, panel: Panel) -> Ints:
    """Return the index in each series of `panel` of the last step that was trained on, [N]."""
    trained = panel.align(forecaster.panel)
    is_trained = trained >= 0
    # Of new series everything before the end of the training counts as known.
    known = forecaster.cutoff
    cutoff = np.where(is_trained, known[trained], known.max())
    ends = cutoff - panel.start
    late = np.flatnonzero(is_trained & (ends < 0))
    if len(late):
        first = late[0]
        name = format_series_name(panel, first)
        # Together, so that both are dates or both have a time.
        ordinals = np.array([panel.start[first], cutoff[first]])
        begins, end = panel.axis.texts(ordinals)
        more = format_more(len(late), "series")
        raise DataError(
            f"{name} begins at {begins}, after the end of its training at {end}{more}",
            "give the history too: forecasts are made from it",
        )
    return np.maximum(ends, MIN_HISTORY_STEPS - 1)


def count_new_values(forecaster: Predictor, panel: Panel) -> int:
    """Return how many values of the target, in all series, are newer than the training."""
    steps_known = find_training_ends(forecaster, panel) + 1
    steps = np.arange(int(panel.offsets[-1]))
    place = steps - np.repeat(panel.offsets[:-1], panel.lengths)
    is_new = place >= np.repeat(steps_known, panel.lengths)
    return int((is_new & ~np.isnan(panel.values)).sum())


def choose_evaluation_windows(
    panel: Panel, cutoff: Ints, horizon: int, step: int
) -> ForecastWindows:
    """Choose origins from each series' cutoff on, while a whole horizon of rows is left.

    A series with only a part of a horizon has one window.
    """
    newer = panel.lengths - 1 - cutoff
    has_newer = newer > 0
    if not has_newer.any():
        last_steps = panel.start + panel.lengths - 1
        training_ends = panel.start + cutoff
        have = format_step(panel, last_steps.max())
        end = format_step(panel, training_ends.max())
        raise NothingNewError(
            "nothing newer than what the run was trained on:"
            f" need rows after {end}, the data ends at {have}",
            "give rows that were not there when the run was fitted",
        )
    whole = (newer - horizon) // step + 1
    count = np.where(newer >= horizon, whole, has_newer)
    series = np.repeat(np.arange(len(panel)), count)
    # A window's fold is its number within its series.
    first_window = np.cumsum(count) - count
    fold = np.arange(len(series)) - first_window[series]
    origins = cutoff[series] + step * fold
    return ForecastWindows(series, origins, fold)


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
    windows = chosen.select(chosen.fold == fold)
    ends[windows.series] = windows.origins + 1
    return ends


def format_step(panel: Panel, ordinal: int) -> str:
    """Return the timestamp of a step of the panel's axis as text."""
    ordinals = np.array([ordinal])
    (text,) = panel.axis.texts(ordinals)
    return text


def format_series_name(panel: Panel, series: int) -> str:
    """Return how a message names a series: by its key, where the panel has any."""
    if not panel.key_names:
        return "the series"
    key = ", ".join(panel.keys[series])
    return f"series {key!r}"


def require_whole_windows(
    panel: Panel, series: Ints, origins: Ints, ahead: Ints, horizon: int
) -> None:
    """Raise DataError unless the rows, sorted, are windows of the steps 1 ... horizon each."""
    rows = np.arange(len(ahead))
    expected = rows % horizon + 1
    first = rows // horizon * horizon  # row that its window begins at
    other_series = series != series[first]
    other_origin = origins != origins[first]
    wrong = (ahead != expected) | other_series | other_origin
    # A last window that is cut short shows in the number of rows only.
    if len(ahead) % horizon:
        wrong[-1] = True
    if wrong.any():
        row = int(np.argmax(wrong))
        number = series[row]
        name = format_series_name(panel, number)
        cutoff = format_step(panel, panel.start[number] + origins[row])
        raise DataError(
            f"the forecasts of {name} from {cutoff} are not the steps 1 to {horizon} after it",
            "give every step of a window once, and a column 'cutoff' where a series has several",
        )


def require_positive_option(name: str, value: int) -> int:
    """Return the value of an option; raises UsageError where it is below 1."""
    if value < 1:
        raise UsageError(f"--{name} {value} is out of range", "give 1 or more")
    return value
