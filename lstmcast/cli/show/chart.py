"""A small chart for a terminal, of block characters: the last values and the forecast.

Each cell of the chart is two halves high. A level counts halves from the bottom: level 0 is the
lower half of the lowest line.
"""

import math
import sys
from collections.abc import Sequence
from typing import NamedTuple

from lstmcast.cli.show import console

CHART_LINES = 12
_BLOCK_MARKS, _BLOCK_SHADE, _BLOCK_AXIS = " ▄▀█", "░", "┤"
_ASCII_MARKS, _ASCII_SHADE, _ASCII_AXIS = " ..:", "-", "|"
"""Marks of a cell by its halves in use: none, the lower, the upper, both."""
_MIN_COLUMNS, _MIN_HISTORY = 10, 30


class ForecastCurve(NamedTuple):
    """A history (NaN where missing) and a forecast with its interval; all in the data's unit."""

    history: Sequence[float]
    low: Sequence[float]
    middle: Sequence[float]
    high: Sequence[float]


class _Scale(NamedTuple):
    """The values at the lower and upper edge of a chart of `height` lines."""

    bottom: float
    top: float
    height: int

    def level(self, value: float) -> int:
        """Return the half line in which a value lies."""
        span = self.top - self.bottom
        share = (value - self.bottom) / span if span > 0 else 0.5
        halves = 2 * self.height
        return min(halves - 1, int(share * halves))


def draw_chart(
    curve: ForecastCurve,
    columns: int,
    *,
    plain: bool = False,
    height: int = CHART_LINES,
) -> list[str]:
    """Return the lines of the chart, none wider than `columns`; `plain` keeps to ASCII."""
    values = [*curve.history, *curve.low, *curve.middle, *curve.high]
    known = [value for value in values if math.isfinite(value)]
    if not known:
        return []
    scale = _Scale(min(known), max(known), height)
    ticks = (scale.top, (scale.top + scale.bottom) / 2, scale.bottom)
    labels = [console.format_number(value) for value in ticks]
    margin = max(map(len, labels))

    # Each column of the chart is the mean of `stride` steps.
    horizon = len(curve.middle)
    history = curve.history[-max(3 * horizon, _MIN_HISTORY) :]
    width = max(_MIN_COLUMNS, columns - margin - 2)
    stride = math.ceil((len(history) + horizon) / width)
    past = _thin_values(history, stride)
    low, middle, high = (
        _thin_values(part, stride) for part in (curve.low, curve.middle, curve.high)
    )

    cells = [[" "] * (len(past) + len(middle)) for _ in range(height)]
    _shade_interval(
        cells, scale, low, high, len(past), _ASCII_SHADE if plain else _BLOCK_SHADE
    )
    _draw_line(cells, scale, [*past, *middle], _ASCII_MARKS if plain else _BLOCK_MARKS)

    axis = _ASCII_AXIS if plain else _BLOCK_AXIS
    tick_rows = {0: labels[0], height // 2: labels[1], height - 1: labels[2]}
    return [
        f"{tick_rows.get(row, ''):>{margin}} {axis}{''.join(line).rstrip()}"
        for row, line in enumerate(cells)
    ]


def _shade_interval(
    cells: list[list[str]],
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
        first_line, last_line = scale.level(lower) // 2, scale.level(upper) // 2
        for line in range(first_line, last_line + 1):
            cells[scale.height - 1 - line][column] = shade


def _draw_line(
    cells: list[list[str]], scale: _Scale, values: Sequence[float], marks: str
) -> None:
    """Draw a line through the values; it breaks where one is missing."""
    before = math.nan
    for column, value in enumerate(values):
        if math.isfinite(value):
            end = scale.level(value)
            start = scale.level(before) if math.isfinite(before) else end
            levels = _levels_between(start, end)
            for line in {level // 2 for level in levels}:
                lower, upper = 2 * line in levels, 2 * line + 1 in levels
                cells[scale.height - 1 - line][column] = marks[lower + 2 * upper]
        before = value


def _levels_between(start: int, end: int) -> set[int]:
    """Return the levels of a stroke that comes from `start` in the column before."""
    if start < end:
        return set(
            range(start + 1, end + 1)
        )  # `start` itself is drawn in the column before
    return set(range(end, start + 1))


def show_chart(title: str, curve: ForecastCurve, ends: tuple[str, str]) -> None:
    """Draw the chart on stderr, as wide as the terminal, with a line that says what it is."""
    try:
        "█░┤".encode(sys.stderr.encoding or "ascii")
        plain = False
    except UnicodeEncodeError:
        plain = True
    lines = draw_chart(curve, min(console.get_terminal_width(), 120), plain=plain)
    caption = f"{title}: the last values, then the forecast from {ends[0]} to {ends[1]}"
    console.write_message(caption, *lines)


def _thin_values(values: Sequence[float], stride: int) -> list[float]:
    """Return the mean of each `stride` values; NaN where all of them are missing."""
    means = []
    for first in range(0, len(values), stride):
        known = [
            value for value in values[first : first + stride] if math.isfinite(value)
        ]
        means.append(sum(known) / len(known) if known else math.nan)
    return means
