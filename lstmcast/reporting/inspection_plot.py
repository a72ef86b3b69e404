"""The picture of a panel before a fit: series with gaps and outliers marked, and the season.

Axes: N series, T steps, m season.
"""

from typing import TYPE_CHECKING

import numpy as np

from lstmcast.inspection.findings import Inspection
from lstmcast.reporting.plots import INK, MODEL, RIVAL, WIDTH, Picture, drawing, line, named, times_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHOWN = 3
"""Series that are drawn: the first ones."""


def overview(found: Inspection) -> Picture:
    """The first series, their gaps shaded, their outliers circled; below, what the season of the first looks like."""
    from matplotlib.figure import Figure

    panel = found.panel
    count, seasonal = min(len(panel), SHOWN), found.seasons.main > 1 and panel.lengths[0] >= 2 * found.seasons.main
    with drawing():
        figure = Figure(figsize=(WIDTH, 2.4 * (count + seasonal) + 0.4), layout="constrained")
        for i in range(count):
            _series(figure.add_subplot(count + seasonal, 1, i + 1), found, i)
        if seasonal:
            _season(figure.add_subplot(count + seasonal, 1, count + 1), found)
    more = f" Shown are the first {SHOWN} of {len(panel):,} series." if len(panel) > SHOWN else ""
    caption = f"Missing steps are shaded, values far from their neighbours circled.{more}"
    return Picture("inspect", "What was found", caption, figure)


def _series(axes: "Axes", found: Inspection, i: int) -> None:
    panel = found.panel
    steps, values = np.arange(int(panel.lengths[i])), panel.series(i)
    line(axes, panel, i, steps, values, INK, "values")
    for number, (_, first, missing) in enumerate(found.gaps[found.gaps[:, 0] == i].tolist()):
        begin, end = times_of(panel, i, np.array([first - 1, first + missing]))
        axes.axvspan(begin, end, color=RIVAL, alpha=0.4, linewidth=1, label=None if number else "missing")
    far = found.shape.outliers[found.shape.outliers[:, 0] == i, 1]
    if len(far):
        axes.plot(times_of(panel, i, far), values[far], "o", color=RIVAL, fillstyle="none", label="far from neighbours")
    named(axes, panel, i)
    if len(axes.get_legend_handles_labels()[1]) > 1:
        axes.legend(loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0.2, ncols=3, fontsize=8, frameon=False)


def _season(axes: "Axes", found: Inspection) -> None:
    """Every whole season as a thin line around its own mean, and their median as a thick one."""
    m, values = found.seasons.main, found.panel.series(0)
    whole = values[len(values) % m :].reshape(-1, m)
    whole = whole[~np.isnan(whole).all(axis=1)]
    around = whole - np.nanmean(whole, axis=1, keepdims=True)
    shown = around[np.unique(np.linspace(0, len(around) - 1, 60).round().astype(int))]
    axes.plot(np.arange(1, m + 1), shown.T, color=INK, alpha=0.15, linewidth=0.7)
    axes.plot(np.arange(1, m + 1), np.nanmedian(around, axis=0), color=MODEL, linewidth=2)
    axes.set_title(f"season of {m} steps, around its mean", loc="left", fontsize=10)
    axes.set(xlabel="step of the season, the last one ends with the series", xlim=(0.5, m + 0.5))
