"""A small chart of judged rows for a terminal: values, band of the errors, events with numbers.

Each column holds the rows of an equal part of the time, from the least to the largest of their
values: a single spike is seen, however many rows there are.

Axes: T rows, W columns.
"""

import math
import sys
from typing import NamedTuple

import numpy as np

from lstmcast.cli.show import console, tables
from lstmcast.cli.show.canvas import (
    ASCII,
    BLOCKS,
    CHART_LINES,
    MIN_CHART_COLUMNS,
    Canvas,
    Cell,
    Characters,
    Scale,
    choose_characters,
    draw_levels,
    join_cells,
    join_rows,
    lay_out_dates,
    list_levels_between,
    make_canvas,
    measure_margin,
    shade_column,
)
from lstmcast.ragged import Ints
from lstmcast.reporting.judged_series import (
    JudgedChoice,
    JudgedSeries,
    SeriesEvent,
    describe_choice,
    describe_counts,
    describe_rarity,
)

MAX_LISTED_EVENTS = 10
"""Events below a chart: the strongest."""
_BAND_COLOUR = "\x1b[34m"


class _EventMark(NamedTuple):
    """The character below the columns of an event, and its colour."""

    character: str
    colour: str


_EVENT_MARKS = {
    "value": _EventMark("^", "\x1b[91m"),
    "stuck": _EventMark("=", "\x1b[93m"),
    "gap": _EventMark("/", "\x1b[35m"),
}


def show_detection_charts(choice: JudgedChoice, target: str) -> None:
    """Draw the chosen series on stderr, as wide as the terminal, each with its events."""
    title = f"{console.escape_unprintable(target)}: {describe_counts(choice)}"
    shown = describe_choice(choice)
    if shown:
        title += f"; {shown} shown"
    console.write_message(*console.wrap_sentence(title))
    characters = choose_characters(sys.stderr)
    for series in choice.series:
        if choice.n_series > 1:
            console.write_message(*console.wrap_sentence(series.name))
        lines = draw_detection_chart(
            series,
            console.get_terminal_width(),
            plain=characters == ASCII,
            coloured=console.is_coloured(sys.stderr),
        )
        console.write_styled(lines)
        _list_events(series)


def draw_detection_chart(
    series: JudgedSeries,
    n_columns: int,
    *,
    plain: bool = False,
    height: int = CHART_LINES,
    coloured: bool = False,
) -> list[str]:
    """Return the lines of the chart, none wider than `n_columns`; `plain` keeps to ASCII.

    Below the chart a line marks events (^), stuck values (=) and gaps (/) with their numbers, and
    another one has the stamps of the ends.
    """
    limits = series.find_limits()
    if limits is None:
        return []
    characters = ASCII if plain else BLOCKS
    scale = Scale(*limits, height)
    margin = measure_margin(scale) + 2
    width = max(MIN_CHART_COLUMNS, n_columns - margin)
    columns = _find_columns(series, width)
    cells = make_canvas(width, height)
    _shade_band(cells, scale, series, columns, characters)
    _draw_values(cells, scale, series, columns, characters)

    lines = join_rows(cells, scale, characters, coloured=coloured)
    indent = " " * margin
    if series.events:
        marks = _mark_events(series, columns, width)
        lines.append(indent + join_cells(marks, coloured=coloured))
    first, last = series.name_stamps([0, len(series) - 1])
    stamps = {0: first, int(columns[-1]): last}
    lines.append(indent + lay_out_dates(stamps, width))
    return lines


def _find_columns(series: JudgedSeries, width: int) -> Ints:
    """Find the column [T] of each row; few rows have a column each."""
    count = min(width, len(series))
    at = series.coordinates
    span = float(at[-1] - at[0])
    if span <= 0:
        return np.zeros(len(series), dtype=np.int64)
    shares = (at - at[0]) / span
    columns: Ints = np.minimum((shares * count).astype(np.int64), count - 1)
    return columns


def _shade_band(
    cells: Canvas,
    scale: Scale,
    series: JudgedSeries,
    columns: Ints,
    characters: Characters,
) -> None:
    """Shade the widest band of each column, as far as it is on the chart."""
    starts = np.flatnonzero(np.diff(columns, prepend=-1))
    lows = np.fmin.reduceat(series.low, starts).tolist()
    highs = np.fmax.reduceat(series.high, starts).tolist()
    shade = Cell(characters.shade, _BAND_COLOUR)
    for column, low, high in zip(columns[starts].tolist(), lows, highs, strict=True):
        if math.isfinite(low) and math.isfinite(high):
            shade_column(cells, scale, column, (low, high), shade)


def _draw_values(
    cells: Canvas,
    scale: Scale,
    series: JudgedSeries,
    columns: Ints,
    characters: Characters,
) -> None:
    """Draw a line through the values, in the colour of the event where there is one."""
    colours = [""] * len(series)
    for event in series.events:
        colour = _get_mark(event.kind).colour
        for row in range(event.first, event.last + 1):
            colours[row] = colour

    levels_of: dict[int, set[int]] = {}
    colour_of: dict[int, str] = {}
    before: int | None = None
    rows = zip(columns.tolist(), series.actual.tolist(), strict=True)
    for row, (column, value) in enumerate(rows):
        if not math.isfinite(value) or series.kind[row] == "gap":
            before = None
        if not math.isfinite(value):
            continue
        level = scale.level(value)
        stroke = list_levels_between(level if before is None else before, level)
        levels_of.setdefault(column, set()).update(stroke)
        # A row of an event gives its colour to the whole column.
        colour_of[column] = colours[row] or colour_of.get(column, "")
        before = level
    for column, levels in levels_of.items():
        draw_levels(cells, scale, column, levels, characters.marks, colour_of[column])


def _mark_events(series: JudgedSeries, columns: Ints, width: int) -> list[Cell]:
    """Return the line of marks below the columns of events, and their numbers."""
    cells = [Cell(" ")] * width
    for event in series.events:
        mark = _get_mark(event.kind)
        first = event.opened
        last = event.opened
        if event.kind == "gap":
            begin = series.find_gap_begin(event.first)
            first = last if begin is None else begin
        elif event.kind == "stuck":
            first, last = event.first, event.last
        for column in range(int(columns[first]), int(columns[last]) + 1):
            cells[column] = Cell(mark.character, mark.colour)
    _number_events(cells, series, columns)
    return cells


def _number_events(cells: list[Cell], series: JudgedSeries, columns: Ints) -> None:
    """Write the number of each event behind its mark, where nothing else stands."""
    for event in series.events:
        colour = _get_mark(event.kind).colour
        number = f"{event.number}"
        last = event.last if event.kind == "stuck" else event.opened
        begin = int(columns[last]) + 1
        # A blank behind it, so that two numbers are not read as one.
        room = cells[begin : begin + len(number) + 1]
        is_free = all(cell.mark == " " for cell in room)
        if is_free and begin + len(number) <= len(cells):
            cells[begin : begin + len(number)] = [
                Cell(digit, colour) for digit in number
            ]


def _list_events(series: JudgedSeries) -> None:
    """Write the strongest events as a table."""
    strongest = sorted(series.events, key=lambda event: -event.peak)
    listed = sorted(strongest[:MAX_LISTED_EVENTS])
    if not listed:
        return
    columns = tabulate_events(series, listed)
    width = console.get_terminal_width()
    table = tables.fit_table(columns, width, ("to", "rows", "kind"))
    console.write_styled(tables.decorate_table(table.lines, sys.stderr))
    more = len(series.events) - len(listed)
    if more:
        console.write_message(f"and {more:,} weaker events; --events lists all")


def tabulate_events(
    series: JudgedSeries, events: list[SeriesEvent]
) -> list[tables.Column]:
    """Return the columns of a table of events for people."""
    begins = series.name_stamps([event.first for event in events])
    ends = series.name_stamps([event.last for event in events])
    rarities = [
        describe_rarity(event.peak).removeprefix("once in ") for event in events
    ]
    return [
        tables.Column("event", ([f"{event.number}" for event in events],)),
        tables.Column("kind", ([event.kind for event in events],), is_number=False),
        tables.Column("from", (begins,), is_number=False),
        tables.Column("to", (ends,), is_number=False),
        tables.Column("rows", ([f"{event.rows:,}" for event in events],)),
        tables.Column("once in", (rarities,), is_number=False),
        tables.Column(
            "reason", ([event.describe() for event in events],), is_number=False
        ),
    ]


def _get_mark(kind: str) -> _EventMark:
    return _EVENT_MARKS.get(kind, _EVENT_MARKS["value"])
