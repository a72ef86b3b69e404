"""A small chart for a terminal, of block characters: the last values and the forecast.

Each cell of the chart is two halves high. A level counts halves from the bottom: level 0 is the
lower half of the lowest line.
"""

import itertools
import math
import sys
from collections.abc import Sequence
from typing import NamedTuple

from lstmcast.cli.show import console

CHART_LINES = 12
MAX_COLUMNS = 120
_MIN_COLUMNS = 10
_MIN_HISTORY = 30


class _Characters(NamedTuple):
    """What a chart is drawn with.

    marks: a cell by its halves in use: none, the lower, the upper, both.
    """

    marks: str
    shade: str
    axis: str


_BLOCKS = _Characters(" ▄▀█", "░", "┤")
_ASCII = _Characters(" ..:", "-", "|")


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
) -> list[str]:
    """Return the lines of the chart, none wider than `columns`; `plain` keeps to ASCII."""
    characters = _ASCII if plain else _BLOCKS
    known = list(filter(math.isfinite, itertools.chain(*curve)))
    if not known:
        return []
    scale = _Scale(min(known), max(known), height)
    labels = _label_rows(scale)
    margin = max(map(len, labels.values()))

    # Each column of the chart is the mean of `stride` steps.
    horizon = len(curve.middle)
    shown_history = max(3 * horizon, _MIN_HISTORY)
    history = curve.history[-shown_history:]
    width = max(_MIN_COLUMNS, columns - margin - 2)
    steps = len(history) + horizon
    stride = math.ceil(steps / width)
    past = _thin_values(history, stride)
    low = _thin_values(curve.low, stride)
    middle = _thin_values(curve.middle, stride)
    high = _thin_values(curve.high, stride)

    # The line goes over the interval: where they meet, the line is what is seen.
    line = past + middle
    cells = [[" "] * len(line) for _ in range(height)]
    _shade_interval(cells, scale, low, high, len(past), characters.shade)
    _draw_line(cells, scale, line, characters.marks)

    lines = []
    for row, row_cells in enumerate(cells):
        label = labels.get(row, "").rjust(margin)
        drawn = "".join(row_cells).rstrip()
        lines.append(f"{label} {characters.axis}{drawn}")
    return lines


def _label_rows(scale: _Scale) -> dict[int, str]:
    """Return the labels of the axis by their rows: at the top, in the middle, at the bottom."""
    middle = (scale.top + scale.bottom) / 2
    return {
        0: console.format_number(scale.top),
        scale.height // 2: console.format_number(middle),
        scale.height - 1: console.format_number(scale.bottom),
    }


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
        first_line = scale.level(lower) // 2
        last_line = scale.level(upper) // 2
        for line in range(first_line, last_line + 1):
            cells[scale.row(line)][column] = shade


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
                lower = 2 * line
                upper = lower + 1
                mark = (lower in levels) + 2 * (upper in levels)
                cells[scale.row(line)][column] = marks[mark]
        before = value


def _levels_between(start: int, end: int) -> set[int]:
    """Return the levels of a stroke that comes from `start` in the column before."""
    if start < end:
        # The level `start` itself is drawn in the column before.
        return set(range(start + 1, end + 1))
    return set(range(end, start + 1))


def show_chart(title: str, curve: ForecastCurve, ends: tuple[str, str]) -> None:
    """Draw the chart on stderr, as wide as the terminal, with a line that says what it is."""
    try:
        "".join(_BLOCKS).encode(sys.stderr.encoding or "ascii")
        plain = False
    except UnicodeEncodeError:
        plain = True
    columns = min(console.get_terminal_width(), MAX_COLUMNS)
    lines = draw_chart(curve, columns, plain=plain)
    first, last = ends
    caption = f"{title}: the last values, then the forecast from {first} to {last}"
    console.write_message(caption, *lines)


def _thin_values(values: Sequence[float], stride: int) -> list[float]:
    """Return the mean of each `stride` values; NaN where all of them are missing."""
    means = []
    for first in range(0, len(values), stride):
        column = values[first : first + stride]
        known = [value for value in column if math.isfinite(value)]
        mean = sum(known) / len(known) if known else math.nan
        means.append(mean)
    return means
