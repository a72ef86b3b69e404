"""The picture of judged rows: series, bands of their errors, events with number and reason.

Draws with matplotlib (the extra `plot`). Looks at each event by its kind: what is stuck and where
rows are missing has a look of its own.
"""

import itertools
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.reporting.judged_series import (
    JudgedChoice,
    JudgedSeries,
    SeriesEvent,
    describe_choice,
    describe_counts,
)
from lstmcast.reporting.plots import Picture, make_stacked_figure, picture_style
from lstmcast.reporting.series_axes import (
    INK_COLOUR,
    MAX_TITLE_CHARS,
    MODEL_COLOUR,
    choose_marker,
    mark_times,
    shorten_name,
)
from lstmcast.reporting.thinning import thin_series

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PICTURE_COLUMNS = 600
"""Columns of a series in a picture."""
_LETTER_SHARE = 0.0105
"""Width of a small letter, as a share of that of the axes."""
_LABEL_LINES = 2
"""Lines of labels above the axes."""
_LABEL_LINE_POINTS = 9
"""Height of such a line in points."""


class EventLook(NamedTuple):
    """How events of a kind look: colour, mark of the row that opens them, words of the legend."""

    colour: str
    marker: str
    hatch: str
    label: str


EVENT_LOOKS = {
    "value": EventLook("#c62f2f", "o", "", "event"),
    "stuck": EventLook("#a86500", "s", "", "stuck"),
    "gap": EventLook("#6b7480", "D", "////", "gap"),
}


def plot_detection(choice: JudgedChoice, target: str) -> Picture:
    """Draw judged series one below the other, with their events.

    choice: of `choose_judged_series`. target: name of the values.
    """
    with picture_style():
        figure, series_axes = make_stacked_figure(len(choice.series))
        for axes, series in zip(series_axes, choice.series, strict=True):
            thinned = thin_series(series, PICTURE_COLUMNS)
            _draw_band(axes, thinned)
            _draw_values(axes, thinned)
            for event in thinned.events:
                _draw_event(axes, thinned, event)
            _label_axes(axes, thinned, target, is_panel=choice.n_series > 1)
        _draw_legend(figure, series_axes)
        title = f"Anomalies in {shorten_name(target)}: {describe_counts(choice)}"
        shown = describe_choice(choice)
        figure.suptitle(
            title + (f" ({shown})" if shown else ""), x=0.01, ha="left", fontsize=11
        )
    caption = (
        "Shaded from the first to the last row of each event, with its number and reason; a mark is"
        " the row that opened it. Outside of the band a value is unusual by itself; one inside may"
        " be so together with the rows before it, by its mean or its shape."
    )
    return Picture("anomalies", title, caption, figure)


def get_look_name(kind: str) -> str:
    """Return which of EVENT_LOOKS an event of a kind has."""
    return kind if kind in EVENT_LOOKS else "value"


def _get_look(kind: str) -> EventLook:
    return EVENT_LOOKS[get_look_name(kind)]


def _draw_band(axes: "Axes", series: JudgedSeries) -> None:
    """Draw the band pale and without an edge, so that its edges are not taken for data."""
    at = _break_at_gaps(series, series.at, series.at)
    axes.fill_between(
        at,
        _break_at_gaps(series, series.low, np.nan),
        _break_at_gaps(series, series.high, np.nan),
        color=MODEL_COLOUR,
        alpha=0.15,
        linewidth=0,
        label="ordinary values",
    )
    expected = _break_at_gaps(series, series.expected, np.nan)
    axes.plot(
        at, expected, color=MODEL_COLOUR, linewidth=0.8, alpha=0.7, label="expected"
    )


def _draw_values(axes: "Axes", series: JudgedSeries) -> None:
    """Draw the values; the line breaks where one is missing, and in a gap."""
    at = _break_at_gaps(series, series.at, series.at)
    values = _break_at_gaps(series, series.actual, np.nan)
    axes.plot(
        at,
        values,
        color=INK_COLOUR,
        linewidth=1,
        label="observed",
        marker=choose_marker(len(series), 8),
    )
    # A value between two missing ones is no line.
    is_known = np.isfinite(np.concatenate([[np.nan], values, [np.nan]]))
    is_alone = is_known[1:-1] & ~is_known[:-2] & ~is_known[2:]
    axes.plot(at[is_alone], values[is_alone], ".", color=INK_COLOUR, markersize=3)


def _break_at_gaps(
    series: JudgedSeries, values: NDArray[Any], between: Any
) -> NDArray[Any]:
    """Put a value into each gap: the missing one that breaks a line, or its place."""
    gaps = np.flatnonzero(series.kind == "gap")
    broken: NDArray[Any] = np.insert(
        values, gaps, between[gaps] if np.ndim(between) else between
    )
    return broken


def _draw_event(axes: "Axes", series: JudgedSeries, event: SeriesEvent) -> None:
    """Shade an event, and mark the row that opened it; thick where the series was stuck."""
    look = _get_look(event.kind)
    first, last = series.at[event.first], series.at[event.last]
    axes.axvspan(first, last, color=look.colour, alpha=0.14, linewidth=0, zorder=0.5)
    # A single row has no width: a line makes it seen.
    opened = series.at[event.opened]
    axes.axvline(opened, color=look.colour, alpha=0.35, linewidth=1, zorder=0.6)
    rows = slice(event.first, event.last + 1)
    is_stuck = series.actual[rows] == event.value
    if is_stuck.any():
        stuck = np.where(is_stuck, event.value, np.nan)
        colour = EVENT_LOOKS["stuck"].colour
        axes.plot(series.at[rows], stuck, color=colour, linewidth=3)
    for place in event.first + np.flatnonzero(series.kind[rows] == "gap"):
        _draw_gap(axes, series, int(place))
    value = series.actual[event.opened]
    if np.isfinite(value):
        axes.plot(
            [opened],
            [value],
            look.marker,
            color=look.colour,
            markersize=4.5,
            markeredgecolor="white",
            markeredgewidth=0.5,
            zorder=3,
            label=look.label,
        )


def _draw_gap(axes: "Axes", series: JudgedSeries, place: int) -> None:
    """Hatch the time without rows before a row."""
    begin = series.find_gap_begin(place)
    if begin is None:
        return
    look = EVENT_LOOKS["gap"]
    axes.axvspan(
        series.at[begin],
        series.at[place],
        facecolor="none",
        edgecolor=look.colour,
        hatch=look.hatch,
        alpha=0.6,
        linewidth=0,
        zorder=0.5,
    )


class EventLabel(NamedTuple):
    """A label above the axes.

    share: where its event opens, as a share of the width. line: counted from the lowest. is_before:
    whether it ends at its event instead of beginning there.
    """

    share: float
    line: int
    text: str
    colour: str
    is_before: bool


def place_labels(series: JudgedSeries) -> list[EventLabel]:
    """Find room for the labels of events, number and reason; the strongest come first.

    A label stands behind the begin of its event, or before it where there is no room. Without room
    on either side it has only the strongest reason, then the number alone, and is left out where
    that has no room, either.
    """
    at = series.coordinates
    span = float(at[-1] - at[0]) or 1.0
    taken: list[list[tuple[float, float]]] = [[] for _ in range(_LABEL_LINES)]
    placed = []
    for event in sorted(series.events, key=lambda event: -event.peak):
        share = float(at[event.opened] - at[0]) / span
        number = f"{event.number}"
        reasons = event.describe()
        strongest = reasons.partition(", ")[0]
        texts = (f"{number} {reasons}", f"{number} {strongest}", number)
        for text, is_before in itertools.product(texts, (False, True)):
            width = _LETTER_SHARE * (len(text) + 1)
            begin = share - width if is_before else share
            line = _find_free_line(taken, begin, begin + width)
            if line is not None:
                taken[line].append((begin, begin + width))
                colour = _get_look(event.kind).colour
                label = EventLabel(share, line, text, colour, is_before)
                placed.append(label)
                break
    return sorted(placed)


def _find_free_line(
    taken: list[list[tuple[float, float]]], begin: float, end: float
) -> int | None:
    """Return the lowest line without another label between two places; None for none."""
    if begin < 0 or end > 1:
        return None
    for line, spans in enumerate(taken):
        if all(end <= first or begin >= last for first, last in spans):
            return line
    return None


def _label_axes(
    axes: "Axes", series: JudgedSeries, target: str, *, is_panel: bool
) -> None:
    """Name the series, its values, its places, and above them its events where there is room."""
    labels = place_labels(series)
    for label in labels:
        axes.annotate(
            label.text,
            (label.share, 1),
            xycoords="axes fraction",
            xytext=(0, 2 + _LABEL_LINE_POINTS * label.line),
            textcoords="offset points",
            ha="right" if label.is_before else "left",
            color=label.colour,
            fontsize=7,
        )
    if is_panel:
        n_lines = 1 + max((label.line for label in labels), default=-1)
        pad = 4 + _LABEL_LINE_POINTS * n_lines
        axes.set_title(shorten_name(series.name), loc="left", fontsize=10, pad=pad)
    axes.set_ylabel(shorten_name(target, MAX_TITLE_CHARS // 2))
    axes.set_xlim(series.at[0], series.at[-1])
    axes.set_ylim(series.find_limits())
    match series.positions:
        case "time":
            mark_times(axes)
        case "number":
            axes.set_xlabel(shorten_name(str(series.stamps.name)))
        case "row":
            axes.set_xlabel("row")


def _draw_legend(figure: "Figure", series_axes: "list[Axes]") -> None:
    """Draw one legend below, with each line, band and mark of any series once."""
    handles: dict[str, Artist] = {}
    for axes in series_axes:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    figure.legend(
        handles.values(),
        handles,
        loc="outside lower left",
        ncols=6,
        fontsize=8,
    )
