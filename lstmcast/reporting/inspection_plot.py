"""The picture of a panel before a fit: series with gaps and outliers marked, and the season.

Axes: N series, T steps, m season.
"""

from typing import TYPE_CHECKING

import numpy as np

from lstmcast.inspection.findings import Inspection
from lstmcast.ragged import choose_evenly
from lstmcast.reporting.plots import (
    BASELINE_COLOUR,
    FIGURE_WIDTH_INCHES,
    INK_COLOUR,
    MODEL_COLOUR,
    Picture,
    draw_series_line,
    label_series_axes,
    picture_style,
    to_plot_times,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_INSPECTED_SERIES = 3
"""Series that are drawn: the first ones."""


def plot_inspection(found: Inspection) -> Picture:
    """The first series, their gaps shaded, their outliers circled; below, what the season of the first looks like."""
    from matplotlib.figure import Figure

    panel = found.panel
    count, seasonal = (
        min(len(panel), MAX_INSPECTED_SERIES),
        found.seasons.main > 1 and panel.lengths[0] >= 2 * found.seasons.main,
    )
    with picture_style():
        figure = Figure(
            figsize=(FIGURE_WIDTH_INCHES, 2.4 * (count + seasonal) + 0.4),
            layout="constrained",
        )
        for i in range(count):
            _draw_series(figure.add_subplot(count + seasonal, 1, i + 1), found, i)
        if seasonal:
            _draw_season(figure.add_subplot(count + seasonal, 1, count + 1), found)
    more = (
        f" Shown are the first {MAX_INSPECTED_SERIES} of {len(panel):,} series."
        if len(panel) > MAX_INSPECTED_SERIES
        else ""
    )
    caption = (
        f"Missing steps are shaded, values far from their neighbours circled.{more}"
    )
    return Picture("inspect", "What was found", caption, figure)


def _draw_series(axes: "Axes", found: Inspection, i: int) -> None:
    panel = found.panel
    steps, values = np.arange(int(panel.lengths[i])), panel.series(i)
    draw_series_line(axes, panel, i, steps, values, INK_COLOUR, "values")
    for number, (_, first, missing) in enumerate(
        found.gaps[found.gaps[:, 0] == i].tolist()
    ):
        begin, end = to_plot_times(panel, i, np.array([first - 1, first + missing]))
        axes.axvspan(
            begin,
            end,
            color=BASELINE_COLOUR,
            alpha=0.4,
            linewidth=1,
            label=None if number else "missing",
        )
    far = found.shape.outliers[found.shape.outliers[:, 0] == i, 1]
    if len(far):
        axes.plot(
            to_plot_times(panel, i, far),
            values[far],
            "o",
            color=BASELINE_COLOUR,
            fillstyle="none",
            label="far from neighbours",
        )
    label_series_axes(axes, panel, i)
    if len(axes.get_legend_handles_labels()[1]) > 1:
        axes.legend(
            loc="lower right",
            bbox_to_anchor=(1, 1),
            borderaxespad=0.2,
            ncols=3,
            fontsize=8,
            frameon=False,
        )


def _draw_season(axes: "Axes", found: Inspection) -> None:
    """Every whole season as a thin line around its own mean, and their median as a thick one."""
    m, values = found.seasons.main, found.panel.series(0)
    whole = values[len(values) % m :].reshape(-1, m)
    whole = whole[~np.isnan(whole).all(axis=1)]
    around = whole - np.nanmean(whole, axis=1, keepdims=True)
    shown = around[choose_evenly(len(around), 60)]
    axes.plot(np.arange(1, m + 1), shown.T, color=INK_COLOUR, alpha=0.15, linewidth=0.7)
    axes.plot(
        np.arange(1, m + 1),
        np.nanmedian(around, axis=0),
        color=MODEL_COLOUR,
        linewidth=2,
    )
    axes.set_title(f"season of {m} steps, around its mean", loc="left", fontsize=10)
    axes.set(
        xlabel="step of the season, the last one ends with the series",
        xlim=(0.5, m + 0.5),
    )
