"""A small chart for a terminal, of block characters: the last values and the forecast.

Each cell of the chart is two halves high. A level counts halves from the bottom: level 0 is the
lower half of the lowest line.
"""

import itertools
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from lstmcast.cli.show import console

CHART_LINES = 12
_MIN_COLUMNS = 10
_MIN_HISTORY = 20


class _Characters(NamedTuple):
    """What a chart is drawn with.

    marks: a cell by its halves in use: none, the lower, the upper, both.
    """

    marks: str
    shade: str
    axis: str


_LINE_COLOUR, _BAND_COLOUR = "\x1b[94m", "\x1b[34m"
"""Colours of the forecast and of its interval: bright blue and blue."""
_BLOCKS = _Characters(" ▄▀█", "░", "┤")
_ASCII = _Characters(" ..:", "-", "|")


StepName = Callable[[int], str]


class _Cell(NamedTuple):
    """A character of the chart, and the sequence that sets its colour ("" for none)."""

    mark: str
    colour: str = ""


class _Stroke(NamedTuple):
    """How a line begins: its first column, the value before that, and its colour."""

    column: int = 0
    before: float = math.nan
    colour: str = ""


class ForecastCurve(NamedTuple):
    """A history (NaN where missing) and a forecast with its interval; all in the data's unit.

    actual: what came in the steps of the forecast, where that is known.
    """

    history: Sequence[float]
    low: Sequence[float]
    middle: Sequence[float]
    high: Sequence[float]
    actual: Sequence[float] = ()


class _Scale(NamedTuple):
    """The values at the lower and upper edge of a chart of `height` lines."""

    bottom: float
    top: float
    height: int

    def level(self, value: float) -> int:
        """Return the half line in which a value lies."""
        span = self.top - self.bottom
        share = 0.5  # a constant series is a line in the middle
        if span > 0:
            share = (value - self.bottom) / span
        halves = 2 * self.height
        level = int(share * halves)
        return min(halves - 1, level)

    def row(self, line: int) -> int:
        """Return the place, from the top, of a line that is counted from the bottom."""
        return self.height - 1 - line


def draw_chart(
    curve: ForecastCurve,
    columns: int,
    *,
    plain: bool = False,
    height: int = CHART_LINES,
    n_history: int | None = None,
    name_step: StepName | None = None,
    coloured: bool = False,
) -> list[str]:
    """Return the lines of the chart, none wider than `columns`; `plain` keeps to ASCII.

    n_history: past steps to show (default: as many as fit, a horizon at least). name_step:
    gives the stamp of a step, counted from the first of the forecast, for a line of dates below.
    """
    characters = _ASCII if plain else _BLOCKS
    horizon = len(curve.middle)
    least_history = max(horizon, _MIN_HISTORY)
    usual_history = max(least_history, columns - horizon)
    shown = curve._replace(history=curve.history[-(n_history or usual_history) :])
    known = list(filter(math.isfinite, itertools.chain(*shown)))
    if not known:
        return []
    scale = _Scale(min(known), max(known), height)
    labels = _label_rows(scale)
    margin = max(map(len, labels.values()))

    width = max(_MIN_COLUMNS, columns - margin - 2)
    if not n_history:
        # Only now it is known how much room the labels take.
        room = max(least_history, width - horizon)
        shown = shown._replace(history=shown.history[-room:])

    # Each column of the chart is the mean of `stride` steps.
    steps = len(shown.history) + horizon
    stride = math.ceil(steps / width)
    past, low, middle, high, actual = (_thin_values(part, stride) for part in shown)
    n_columns = len(past) + len(middle)

    # The lines go over the interval, and the forecast over what came: it is what is looked for.
    cells = [[_Cell(" ")] * n_columns for _ in range(height)]
    _shade_interval(cells, scale, low, high, len(past), characters.shade)
    _draw_line(cells, scale, past + actual, characters.marks, _Stroke())
    last_known = past[-1] if past else math.nan
    forecast = _Stroke(len(past), last_known, _LINE_COLOUR)
    _draw_line(cells, scale, middle, characters.marks, forecast)

    lines = []
    for row, row_cells in enumerate(cells):
        label = labels.get(row, "").rjust(margin)
        drawn = _join_cells(row_cells, coloured=coloured)
        line_text = f"{label} {characters.axis}{drawn}"
        lines.append(line_text.rstrip())
    if name_step is not None:
        stamps = {
            0: name_step(-len(shown.history)),
            len(past): name_step(0),
            n_columns - 1: name_step(horizon - 1),
        }
        dates = _lay_out_dates(stamps, width)
        lines.append(" " * (margin + 2) + dates)
    return lines


def _join_cells(cells: Sequence[_Cell], *, coloured: bool) -> str:
    """Return a row as text, without blanks at its end."""
    parts = []
    for colour, run in itertools.groupby(cells, key=lambda cell: cell.colour):
        text = "".join(cell.mark for cell in run)
        if coloured and colour:
            text = f"{colour}{text}\x1b[0m"
        parts.append(text)
    return "".join(parts).rstrip()


def _lay_out_dates(stamps: Mapping[int, str], width: int) -> str:
    """Return a line with stamps at their columns; one that has no room is left out."""
    # The ends say most, then where the forecast begins.
    first, middle, last = sorted(stamps) if len(stamps) == 3 else (0, 0, max(stamps))
    cells = [" "] * width
    for column in (first, last, middle):
        text = stamps[column]
        start = column if column != last else min(column, width - 1) - len(text) + 1
        taken = cells[max(start - 1, 0) : start + len(text) + 1]
        fits = start >= 0 and start + len(text) <= width
        if fits and not "".join(taken).strip():
            cells[start : start + len(text)] = text
    return "".join(cells).rstrip()


def _label_rows(scale: _Scale) -> dict[int, str]:
    """Return the labels of the axis by their rows: at the top, in the middle, at the bottom."""
    middle = (scale.top + scale.bottom) / 2
    if abs(middle) < (scale.top - scale.bottom) / 1000:
        middle = 0.0
    return {
        0: console.format_number(scale.top),
        scale.height // 2: console.format_number(middle),
        scale.height - 1: console.format_number(scale.bottom),
    }


def _shade_interval(
    cells: list[list[_Cell]],
    scale: _Scale,
    low: Sequence[float],
    high: Sequence[float],
    first: int,
    shade: str,
) -> None:
    """Shade the cells between `low` and `high`, from the column `first` on."""
    for column, (lower, upper) in enumerate(zip(low, high, strict=True), first):
        if not (math.isfinite(lower) and math.isfinite(upper)):
            continue
        first_line = scale.level(lower) // 2
        last_line = scale.level(upper) // 2
        for line in range(first_line, last_line + 1):
            cells[scale.row(line)][column] = _Cell(shade, _BAND_COLOUR)


def _draw_line(
    cells: list[list[_Cell]],
    scale: _Scale,
    values: Sequence[float],
    marks: str,
    stroke: _Stroke,
) -> None:
    """Draw a line through the values, which breaks where one is missing."""
    before = stroke.before
    for column, value in enumerate(values, stroke.column):
        if math.isfinite(value):
            end = scale.level(value)
            start = scale.level(before) if math.isfinite(before) else end
            levels = _levels_between(start, end)
            for line in {level // 2 for level in levels}:
                lower = 2 * line
                upper = lower + 1
                mark = (lower in levels) + 2 * (upper in levels)
                cells[scale.row(line)][column] = _Cell(marks[mark], stroke.colour)
        before = value


def _levels_between(start: int, end: int) -> set[int]:
    """Return the levels of a stroke that comes from `start` in the column before."""
    if start < end:
        # The level `start` itself is drawn in the column before.
        return set(range(start + 1, end + 1))
    return set(range(end, start + 1))


def show_chart(
    title: str,
    curve: ForecastCurve,
    name_step: StepName,
    n_history: int | None = None,
) -> None:
    """Draw the chart on stderr, as wide as the terminal, with a line that says what it is.

    name_step, n_history: as of `draw_chart`.
    """
    try:
        "".join(_BLOCKS).encode(sys.stderr.encoding or "ascii")
        plain = False
    except UnicodeEncodeError:
        plain = True
    lines = draw_chart(
        curve,
        console.get_terminal_width(),
        plain=plain,
        n_history=n_history,
        name_step=name_step,
        coloured=console.is_coloured(sys.stderr),
    )
    first, last = name_step(0), name_step(len(curve.middle) - 1)
    sentence = f"{title}: the last values, then the forecast from {first} to {last}"
    console.write_message(*console.wrap_sentence(sentence))
    # Numbers and stamps of ours only: no name of the user is in them.
    console.write_styled(lines)


def _thin_values(values: Sequence[float], stride: int) -> list[float]:
    """Return the mean of each `stride` values; NaN where all of them are missing."""
    means = []
    for first in range(0, len(values), stride):
        column = values[first : first + stride]
        known = [value for value in column if math.isfinite(value)]
        mean = sum(known) / len(known) if known else math.nan
        means.append(mean)
    return means
