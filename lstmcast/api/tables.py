"""Tables that are returned: forecasts in Nixtla's columns, sample paths, a frame of the future.

Axes: K windows, H horizon, S paths.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from lstmcast.api.arguments import interval_ends
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Floats, Ints

MODEL_NAME = "lstmcast"
"""Name of the forecast's column, as Nixtla's tables name columns by their models."""


def to_nixtla_columns(
    forecasts: pd.DataFrame, panel: Panel, percents: Sequence[float]
) -> pd.DataFrame:
    """Return a table of windows as Nixtla's `cross_validation` lays it out.

    Columns: the series, the time, `cutoff`, the target, `lstmcast`, and for each interval
    `lstmcast-lo-80` and `lstmcast-hi-80`. A 0/1 target has its probability as `lstmcast`.

    forecasts: as of `evaluation.backtest.Result`.
    """
    target = panel.columns.target[0] if len(panel.columns.target) == 1 else "y"
    point = "probability" if "probability" in forecasts else "forecast"
    names = {"actual": target, point: MODEL_NAME}
    for percent in percents:
        low, high = (f"q{round(100 * end, 6):g}" for end in interval_ends(percent))
        names[low] = f"{MODEL_NAME}-lo-{percent:g}"
        names[high] = f"{MODEL_NAME}-hi-{percent:g}"
    head = [*panel.key_names, panel.axis.name, "cutoff"]
    there = [name for name in names if name in forecasts]
    return forecasts[[*head, *there]].rename(columns=names)


def tabulate_paths(panel: Panel, paths: Floats) -> pd.DataFrame:
    """Tabulate sample paths [K, S, H] of all series from their ends, one row a path and step.

    Columns: the series, the time, `path` (from 0 on), and the target.
    """
    n_series, n_paths, horizon = paths.shape
    series = np.repeat(np.arange(n_series), n_paths * horizon)
    steps = np.tile(np.arange(horizon), n_series * n_paths)
    columns = panel.key_columns(series)
    ends = panel.start + panel.lengths
    columns[panel.axis.name] = panel.axis.stamps(ends[series] + steps)
    numbers = np.repeat(np.arange(n_paths), horizon)
    columns["path"] = np.tile(numbers, n_series)
    target = panel.columns.target[0] if len(panel.columns.target) == 1 else "value"
    columns[target] = paths.ravel()
    return pd.DataFrame(columns)


def make_future_frame(panel: Panel, horizon: int) -> pd.DataFrame:
    """Tabulate the steps to forecast: series, time, and covariates known ahead as far as known.

    Covariates that are numbers are filled where the panel knows them; others are missing.
    """
    ahead = np.arange(horizon)
    series = np.repeat(np.arange(len(panel)), horizon)
    steps = np.tile(ahead, len(panel)) + panel.lengths[series]
    columns: dict[str, Any] = _distinct_keys(panel, series)
    columns[panel.axis.name] = panel.axis.stamps(panel.start[series] + steps)

    is_known = steps < panel.future_lengths[series]
    rows = (panel.future_offsets[series] + steps)[is_known]
    for name in panel.columns.future:
        values = np.full(len(series), np.nan)
        if name in panel.future_names:
            place = panel.future_names.index(name)
            values[is_known] = panel.future[rows, place]
        columns[name] = values
    frame = pd.DataFrame(columns)
    # Several targets of one key share a row.
    return frame.drop_duplicates(list(columns)[: -len(panel.columns.future) or None])


def _distinct_keys(panel: Panel, series: Ints) -> dict[str, Any]:
    """The series columns of the caller's table, without the name of one of several targets."""
    columns = panel.key_columns(series)
    return {name: columns[name] for name in panel.columns.series}
