"""What charts on a terminal are drawn with: cells of block characters, a scale, stamps below.

Each cell is two halves high. A level counts halves from the bottom: level 0 is the lower half of
the lowest line.
"""

import itertools
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TextIO

from lstmcast.cli.show import console

CHART_LINES = 12
MIN_CHART_COLUMNS = 10


class Characters(NamedTuple):
    """What a chart is drawn with.

    marks: a cell by its halves in use: none, the lower, the upper, both.
    """

    marks: str
    shade: str
    axis: str


BLOCKS = Characters(" ▄▀█", "░", "┤")
ASCII = Characters(" ..:", "-", "|")


class Cell(NamedTuple):
    """A character of the chart, and the sequence that sets its colour ("" for none)."""

    mark: str
    colour: str = ""


class Scale(NamedTuple):
    """The values at the lower and upper edge of a chart of `height` lines."""

    bottom: float
    top: float
    height: int

    def level(self, value: float) -> int:
        """Return the half line in which a value lies, or the nearest one."""
        span = self.top - self.bottom
        share = 0.5  # a constant series is a line in the middle
        if span > 0:
            share = (value - self.bottom) / span
        halves = 2 * self.height
        level = int(share * halves)
        return max(0, min(halves - 1, level))

    def row(self, line: int) -> int:
        """Return the place, from the top, of a line that is counted from the bottom."""
        return self.height - 1 - line

    def label_rows(self) -> dict[int, str]:
        """Return the labels of the axis by their rows: at the top, in the middle, at the bottom."""
        middle = (self.top + self.bottom) / 2
        if abs(middle) < (self.top - self.bottom) / 1000:
            middle = 0.0
        return {
            0: console.format_number(self.top),
            self.height // 2: console.format_number(middle),
            self.height - 1: console.format_number(self.bottom),
        }


Canvas = list[list[Cell]]
"""Lines of cells, the highest first."""


def make_canvas(n_columns: int, height: int) -> Canvas:
    """Return a canvas without anything on it."""
    return [[Cell(" ")] * n_columns for _ in range(height)]


def choose_characters(stream: TextIO) -> Characters:
    """Return the characters that a stream can show."""
    try:
        "".join(BLOCKS).encode(stream.encoding or "ascii")
    except UnicodeEncodeError:
        return ASCII
    return BLOCKS


def shade_column(
    cells: Canvas, scale: Scale, column: int, bounds: tuple[float, float], cell: Cell
) -> None:
    """Fill the cells of a column between two values."""
    low, high = bounds
    first_line = scale.level(low) // 2
    last_line = scale.level(high) // 2
    for line in range(first_line, last_line + 1):
        cells[scale.row(line)][column] = cell


def draw_levels(
    cells: Canvas, scale: Scale, column: int, levels: set[int], marks: str, colour: str
) -> None:
    """Draw these levels of a column; marks: as of `Characters`."""
    for line in {level // 2 for level in levels}:
        lower = 2 * line
        upper = lower + 1
        mark = (lower in levels) + 2 * (upper in levels)
        cells[scale.row(line)][column] = Cell(marks[mark], colour)


def list_levels_between(start: int, end: int) -> set[int]:
    """Return the levels of a stroke that comes from `start` in the column before."""
    if start < end:
        # The level `start` itself is drawn in the column before.
        return set(range(start + 1, end + 1))
    return set(range(end, start + 1))


def join_rows(
    cells: Canvas, scale: Scale, characters: Characters, *, coloured: bool
) -> list[str]:
    """Return the lines of a chart with its axis; none ends in blanks."""
    labels = scale.label_rows()
    margin = measure_margin(scale)
    lines = []
    for row, row_cells in enumerate(cells):
        label = labels.get(row, "").rjust(margin)
        drawn = join_cells(row_cells, coloured=coloured)
        line_text = f"{label} {characters.axis}{drawn}"
        lines.append(line_text.rstrip())
    return lines


def measure_margin(scale: Scale) -> int:
    """Return how wide the labels of the axis are; it takes two columns more."""
    return max(map(len, scale.label_rows().values()))


def join_cells(cells: Sequence[Cell], *, coloured: bool) -> str:
    """Return a row as text, without blanks at its end."""
    parts = []
    for colour, run in itertools.groupby(cells, key=lambda cell: cell.colour):
        text = "".join(cell.mark for cell in run)
        if coloured and colour:
            text = f"{colour}{text}\x1b[0m"
        parts.append(text)
    return "".join(parts).rstrip()


def lay_out_dates(stamps: Mapping[int, str], width: int) -> str:
    """Return a line with stamps at their columns; one that has no room is left out."""
    # The ends say most, then what is between them.
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
