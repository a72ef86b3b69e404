"""The picture of a panel before a fit: series with gaps and outliers marked, and the season.

Axes: T steps, m season length.
"""

from typing import TYPE_CHECKING

import numpy as np

from lstmcast.inspection.findings import Inspection
from lstmcast.reporting.plots import (
    BASELINE_COLOUR,
    FIGURE_WIDTH_INCHES,
    Picture,
    picture_style,
)
from lstmcast.reporting.season_plot import compute_season_around_mean, draw_season
from lstmcast.reporting.series_axes import (
    INK_COLOUR,
    describe_shown_series,
    draw_series_line,
    label_series_axes,
    place_legend_beside_title,
    to_plot_times,
)
from lstmcast.scoring.wording import name_season

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_INSPECTED_SERIES = 3
"""Series that are drawn: the first ones."""
_ROW_HEIGHT_INCHES = 2.4


def plot_inspection(found: Inspection) -> Picture:
    """Draw the first series, with gaps shaded and outliers circled, and the season of the first."""
    from matplotlib.figure import Figure

    panel = found.panel
    m = found.seasons.main
    count = min(len(panel), MAX_INSPECTED_SERIES)
    # A single season would be drawn as its own median.
    has_season = m > 1 and panel.lengths[0] >= 2 * m
    n_rows = count + int(has_season)

    with picture_style():
        height = _ROW_HEIGHT_INCHES * n_rows + 0.4  # for the labels of the lowest axis
        figure = Figure(figsize=(FIGURE_WIDTH_INCHES, height), layout="constrained")
        for i in range(count):
            _draw_series(figure.add_subplot(n_rows, 1, i + 1), found, i)
        if has_season:
            _draw_season(figure.add_subplot(n_rows, 1, n_rows), found)

    caption = "Missing steps are shaded, values far from their neighbours circled."
    shown = describe_shown_series(panel, MAX_INSPECTED_SERIES)
    if shown:
        caption = f"{caption} {shown}"
    return Picture("inspect", "What was found", caption, figure)


def _draw_series(axes: "Axes", found: Inspection, i: int) -> None:
    panel = found.panel
    steps = np.arange(int(panel.lengths[i]))
    values = panel.series(i)
    draw_series_line(axes, panel, i, steps, values, INK_COLOUR, "values")
    _shade_gaps(axes, found, i)

    # Outliers are pairs of series and step.
    outliers = found.shape.outliers
    far = outliers[outliers[:, 0] == i, 1]
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
    labels = axes.get_legend_handles_labels()[1]
    if len(labels) > 1:
        place_legend_beside_title(axes, frameon=False)


def _shade_gaps(axes: "Axes", found: Inspection, i: int) -> None:
    """Shade each gap of series i from the last value before it to the first after it."""
    gaps = found.gaps[found.gaps[:, 0] == i]
    for number, (_, first, missing) in enumerate(gaps.tolist()):
        # From value to value, so that a gap of a single step is wide enough to be seen.
        edges = np.array([first - 1, first + missing])
        begin, end = to_plot_times(found.panel, i, edges)
        label = None if number else "missing"  # once in the legend
        axes.axvspan(
            begin, end, color=BASELINE_COLOUR, alpha=0.4, linewidth=1, label=label
        )


def _draw_season(axes: "Axes", found: Inspection) -> None:
    """Draw every whole season as a thin line around its own mean, their median as a thick one."""
    panel = found.panel
    m = found.seasons.main
    draw_season(axes, panel, m, compute_season_around_mean(panel.series(0), m))
    words = name_season(panel.axis.freq, m, panel.axis.stretch)
    title = f"the {words}" if words else f"season of {m} steps"
    axes.set_title(f"{title}, around its mean", loc="left", fontsize=10)
