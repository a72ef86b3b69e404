"""Components and season of series as data of a page: what is drawn below the chart of a report.

Axes: N series, T steps, H horizon, m season.
"""

import json
import warnings
from typing import Any

import numpy as np
import pandas as pd

from lstmcast.panel.forecast_table import find_series_numbers
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Ints
from lstmcast.reporting.component_plot import list_components, name_component
from lstmcast.reporting.pages.report_chart import round_values
from lstmcast.reporting.season_plot import compute_season_around_mean, name_phases

SEASON_QUANTILES = (0.1, 0.5, 0.9)
"""Of the cycles at each step of a season: the band, and the line in it."""
_SIGNIFICANT_DIGITS = 4
"""Digits of a number: these charts are small."""


def add_components(
    chart: dict[str, Any],
    panel: Panel,
    components: pd.DataFrame | None,
    season: int,
    room: int,
) -> int:
    """Add components and seasons to the series of a chart, as far as there is room.

    Args:
        chart: of `make_chart_data`; gets `parts`, the names of components, and `phases`, those of
            the steps of a season. Its first series get `parts`, a list of values for each
            component over the steps of the series, and `season`, quantiles of the cycles [3, m]
            around their means.
        panel: whose forecast is in the chart, a series for each of the chart.
        components: of `decompose_series` for the panel; None where there are none.
        season: steps of the season.
        room: characters that may be added.

    Returns:
        How many series got them.
    """
    names = [] if components is None else list_components(components)
    chart["parts"] = [name_component(name, panel) for name in names]
    chart["phases"] = _name_sorted_phases(panel, season) if season > 1 else []
    last_rows = np.zeros(len(panel), np.int64)
    if components is not None:
        last_rows = _find_last_rows(components, panel)
    shown = 0
    for i, entry in enumerate(chart["series"]):
        added: dict[str, Any] = {}
        if components is not None and last_rows[i]:
            own = components.iloc[: last_rows[i]]
            added["parts"] = _list_parts(own[names], entry)
        if season > 1:
            added["season"] = _summarize_season(panel, i, season)
        room -= len(json.dumps(added, separators=(",", ":")))
        # At least one: a page without any would not show what they are.
        if not added or (room < 0 and shown):
            break
        entry |= added
        shown += 1
    return shown


def _list_parts(
    components: pd.DataFrame, entry: dict[str, Any]
) -> list[list[float | None]]:
    """Return the values of each component at the steps of a series of the chart.

    components: of one series, or of those before it too; its last rows are its newest steps.
    """
    (window,) = entry["windows"]
    steps = window["at"] + len(window["forecast"]) - entry["at"]
    newest = components.tail(steps).to_numpy(np.float64)
    return [round_values(part, _SIGNIFICANT_DIGITS) for part in newest.T]


def _find_last_rows(components: pd.DataFrame, panel: Panel) -> Ints:
    """Return the row after the last one of each series, [N]; a series without rows has none."""
    owners = find_series_numbers(components, panel)
    counts = np.bincount(owners, minlength=len(panel))
    return np.where(counts > 0, counts.cumsum(), 0)


def _name_sorted_phases(panel: Panel, season: int) -> list[str]:
    phases = name_phases(panel, season)
    order = np.argsort(phases.rank, kind="stable")
    return [phases.names[place] for place in order]


def _summarize_season(panel: Panel, i: int, season: int) -> list[list[float | None]]:
    """Return quantiles of the cycles of series i at each step of the season, [3, m]."""
    one = panel.select(np.array([i]))
    around = compute_season_around_mean(one.series(0), season)
    if len(around) < 2:
        return []
    order = np.argsort(name_phases(one, season).rank, kind="stable")
    with warnings.catch_warnings():
        # A day on which the shop is always closed has no quantiles: the line breaks there.
        warnings.simplefilter("ignore", RuntimeWarning)
        quantiles = np.nanquantile(around[:, order], SEASON_QUANTILES, axis=0)
    return [round_values(line, _SIGNIFICANT_DIGITS) for line in quantiles]
