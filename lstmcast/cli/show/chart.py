"""A small chart for a terminal, of block characters: the last values and the forecast."""

import itertools
import math
import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple

from lstmcast.cli.show import console
from lstmcast.cli.show.canvas import (
    ASCII,
    BLOCKS,
    CHART_LINES,
    MIN_CHART_COLUMNS,
    Canvas,
    Cell,
    Scale,
    choose_characters,
    draw_levels,
    join_rows,
    lay_out_dates,
    list_levels_between,
    make_canvas,
    measure_margin,
    shade_column,
)

_MIN_HISTORY = 20
_LINE_COLOUR, _BAND_COLOUR = "\x1b[94m", "\x1b[34m"
"""Colours of the forecast and of its interval: bright blue and blue."""


StepName = Callable[[int], str]


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
    characters = ASCII if plain else BLOCKS
    horizon = len(curve.middle)
    least_history = max(horizon, _MIN_HISTORY)
    usual_history = max(least_history, columns - horizon)
    shown = curve._replace(history=curve.history[-(n_history or usual_history) :])
    known = list(filter(math.isfinite, itertools.chain(*shown)))
    if not known:
        return []
    scale = Scale(min(known), max(known), height)
    margin = measure_margin(scale)

    width = max(MIN_CHART_COLUMNS, columns - margin - 2)
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
    cells = make_canvas(n_columns, height)
    shade = Cell(characters.shade, _BAND_COLOUR)
    for column, bounds in enumerate(zip(low, high, strict=True), len(past)):
        if all(map(math.isfinite, bounds)):
            shade_column(cells, scale, column, bounds, shade)
    _draw_line(cells, scale, past + actual, characters.marks, _Stroke())
    last_known = past[-1] if past else math.nan
    forecast = _Stroke(len(past), last_known, _LINE_COLOUR)
    _draw_line(cells, scale, middle, characters.marks, forecast)

    lines = join_rows(cells, scale, characters, coloured=coloured)
    if name_step is not None:
        stamps = {
            0: name_step(-len(shown.history)),
            len(past): name_step(0),
            n_columns - 1: name_step(horizon - 1),
        }
        dates = lay_out_dates(stamps, width)
        lines.append(" " * (margin + 2) + dates)
    return lines


def _draw_line(
    cells: Canvas,
    scale: Scale,
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
            levels = list_levels_between(start, end)
            draw_levels(cells, scale, column, levels, marks, stroke.colour)
        before = value


def show_chart(
    title: str,
    curve: ForecastCurve,
    name_step: StepName,
    n_history: int | None = None,
) -> None:
    """Draw the chart on stderr, as wide as the terminal, with a line that says what it is.

    name_step, n_history: as of `draw_chart`.
    """
    lines = draw_chart(
        curve,
        console.get_terminal_width(),
        plain=choose_characters(sys.stderr) == ASCII,
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
