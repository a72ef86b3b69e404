"""One series on the axes of a picture: what was observed, forecasts with their intervals, names.

Knows no figure as a whole and writes no file.
"""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lstmcast.panel.forecast_table import find_point_column, list_quantile_columns
from lstmcast.panel.panel import Panel
from lstmcast.scoring.wording import name_step

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK_COLOUR, MODEL_COLOUR = "#24292f", "#2f7ed8"
MAX_TITLE_CHARS = 60
"""Characters of a name in a picture; longer names are cut."""
FIRST_PLOT_TIME, LAST_PLOT_TIME = "0001-01-01", "9999-12-31"
"""What matplotlib has dates for; margins beside the values may reach beyond it."""
_WHOLE_MINUTE = re.compile(r"\d:\d\d:00$")
_BAND_OPACITY = 0.2
"""Of one interval; where intervals lie over one another they are darker."""


class Interval(NamedTuple):
    """An interval of a forecast: the columns of its bounds, and its width in percent."""

    low: str
    high: str
    percent: float


def find_intervals(forecasts: pd.DataFrame) -> list[Interval]:
    """Return the intervals of a table of forecasts, the widest first.

    The outermost quantiles are one, the next ones another, and so on to the middle.
    """
    columns = list_quantile_columns(forecasts)
    intervals = []
    for low, high in zip(columns, reversed(columns), strict=True):
        percent = round(float(high[1:]) - float(low[1:]), 6)  # of names such as q10
        # Past the middle the pairs come again, the other way around.
        if percent > 0:
            intervals.append(Interval(low, high, percent))
    return intervals


def describe_intervals(intervals: list[Interval]) -> str:
    """Return a sentence on what the bands mean, "" where there is none."""
    if not intervals:
        return ""
    shares = [f"{interval.percent:g}" for interval in intervals]
    if len(shares) == 1:
        return f"Of 100 values to come, {shares[0]} should fall inside the shaded band."
    first = ", ".join(shares[:-1])
    return (
        f"Of 100 values to come, {first} and {shares[-1]} should fall inside the shaded bands,"
        " the widest first."
    )


def format_steps(panel: Panel, count: int) -> str:
    """Return a number of steps in everyday words, as "14 days"."""
    plural = "s" if count != 1 else ""
    return f"{count} {name_step(panel.axis.freq) or 'step'}{plural}"


def draw_series_line(
    axes: "Axes",
    panel: Panel,
    i: int,
    steps: NDArray[Any],
    values: Any,
    colour: str,
    label: str,
) -> None:
    """Draw steps of series i as a line, with dots where there are few."""
    axes.plot(
        to_plot_times(panel, i, steps),
        values,
        color=colour,
        linewidth=1.2,
        label=label,
        marker=choose_marker(len(steps), 8),
    )


def draw_observed(axes: "Axes", panel: Panel, i: int, begin: int) -> None:
    """Draw what was observed of series i, from a step on."""
    end = int(panel.lengths[i])
    steps = np.arange(begin, end)
    values = panel.series(i)[begin:]
    draw_series_line(axes, panel, i, steps, values, INK_COLOUR, "observed")


def draw_forecast_window(
    axes: "Axes",
    panel: Panel,
    i: int,
    rows: pd.DataFrame,
    origin: int,
    intervals: list[Interval],
    *,
    labelled: bool = True,
) -> None:
    """Draw a forecast of series i with its intervals.

    Line and bands begin at the last observed value, so that there is no gap. rows: the forecast, a
    row a step. origin: the last step that it knew. labelled: whether the legend names it.
    """
    steps = np.arange(origin, origin + len(rows) + 1)
    times = to_plot_times(panel, i, steps)
    # Rows that come after a run's own may not have the value before them.
    last_value = [panel.series(i)[origin] if origin >= 0 else np.nan]

    def join(column: str) -> NDArray[Any]:
        return np.concatenate([last_value, rows[column].to_numpy(np.float64)])

    for interval in intervals:
        axes.fill_between(
            times,
            join(interval.low),
            join(interval.high),
            color=MODEL_COLOUR,
            alpha=_BAND_OPACITY,
            linewidth=0,
            label=f"{interval.percent:g} % interval" if labelled else None,
        )
    axes.plot(
        times,
        join(find_point_column(rows)),
        color=MODEL_COLOUR,
        label="forecast" if labelled else None,
        # The first point was observed: it has no dot of a forecast.
        marker=choose_marker(len(rows)),
        markevery=range(1, len(times)),
        markersize=3,
    )


def draw_legend(figure: "Figure", axes: "Axes") -> None:
    """Draw one legend below a figure, of the lines and bands of these axes."""
    from matplotlib.patches import Patch

    handles: list[Any] = []
    lines, labels = [], []
    depth = 0
    found = zip(*axes.get_legend_handles_labels(), strict=True)
    for handle, label in found:
        if label.endswith("interval"):
            # Inner bands lie over the outer ones, and are seen as dark as all of them together.
            depth += 1
            opacity = 1 - (1 - _BAND_OPACITY) ** depth
            handles.append(
                Patch(color=MODEL_COLOUR, alpha=opacity, linewidth=0, label=label)
            )
        else:
            lines.append(handle)
            labels.append(label)
    order = [*lines, *handles]
    names = [*labels, *(handle.get_label() for handle in handles)]
    figure.legend(order, names, loc="outside lower left", ncols=5, fontsize=8)


def to_plot_times(panel: Panel, i: int, steps: NDArray[Any]) -> NDArray[Any]:
    """Return steps of series i as local times that matplotlib knows, or as whole numbers."""
    offsets = np.asarray(steps, dtype=np.int64)
    ordinals = panel.start[i] + offsets
    instants = panel.axis.grid.instants(ordinals)
    if panel.axis.kind == "integer":
        return instants
    return panel.axis.form.local(instants).view("M8[us]")


def label_series_axes(axes: "Axes", panel: Panel, i: int) -> None:
    """Give the axes of series i its name, that of the values, and marks of time."""
    key = panel.keys[i]
    target = panel.columns.target[0]
    if key:
        # A single series has no key: the name of its values says all.
        axes.set_title(shorten_name(" / ".join(key)), loc="left", fontsize=10)
    if len(panel.columns.target) == 1:
        axes.set_ylabel(shorten_name(target, MAX_TITLE_CHARS // 2))
    axes.margins(x=0.01)
    if panel.axis.kind == "integer":
        axes.set_xlabel(shorten_name(panel.axis.name))
        return
    mark_times(axes)


def mark_times(axes: "Axes") -> None:
    """Give the horizontal axis marks of time, in as few words as tell them apart."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, datestr2num

    limits = [FIRST_PLOT_TIME, LAST_PLOT_TIME]
    first, last = datestr2num(limits)  # type: ignore[no-untyped-call]
    left, right = axes.get_xlim()
    if left < first or right > last:
        axes.set_xlim(max(left, first), min(right, last))
    locator = AutoDateLocator(maxticks=7)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]


def place_legend_beside_title(axes: "Axes", **style: Any) -> None:
    """Draw the legend above the picture at the right, where the title leaves room."""
    axes.legend(
        loc="lower right",
        bbox_to_anchor=(1, 1),
        borderaxespad=0.2,
        ncols=3,
        fontsize=8,
        **style,
    )


def describe_shown_series(panel: Panel, most: int) -> str:
    """Return a sentence that says which series are shown, or "" where all are."""
    if len(panel) <= most:
        return ""
    return f"Shown are the first {most} of {len(panel):,} series."


def shorten_name(name: str, limit: int = MAX_TITLE_CHARS) -> str:
    """Cut a name that is too long for a picture."""
    return name if len(name) <= limit else f"{name[: limit - 1]}…"


def shorten_stamps(texts: Iterable[object]) -> list[str]:
    """Leave out the seconds of stamps where all of them are zero: 2026-01-31 09:00."""
    whole = [str(text) for text in texts]
    if all(_WHOLE_MINUTE.search(text) for text in whole):
        return [text.removesuffix(":00") for text in whole]
    return whole


def choose_marker(n_points: int, few: int = 16) -> str:
    """Return a marker where there are so few points that a line without dots would hide them."""
    return "o" if n_points <= few else ""
