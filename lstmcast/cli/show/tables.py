"""Tables for people: aligned, and never wider than the terminal that they are for.

No number is ever broken over two lines. A table that is too wide gets fewer digits, then fewer
columns, and last shorter texts. Columns that are left out are named, so that nobody misses them
unknowingly.
"""

import re
import sys
from collections.abc import Sequence
from typing import NamedTuple, TextIO

from lstmcast.cli.show import console

Cells = list[str]
_GAP = "  "
_MIN_TEXT_WIDTH = 8
"""Characters of a text that are shown however narrow the terminal is."""
_QUANTILE_NAME = re.compile(r"q(\d+(?:\.\d+)?)")


class Column(NamedTuple):
    """A column of a table.

    cells: its cells as texts, in one or several forms: the one with most digits first.
    """

    name: str
    cells: tuple[Cells, ...]
    is_number: bool = True

    def with_digits(self, form: int) -> Cells:
        """Return the cells in a form, or in the shortest one where there are not so many."""
        last = len(self.cells) - 1
        return self.cells[min(form, last)]


class FittedTable(NamedTuple):
    """The lines of a table, header first, and the names of the columns that had no room."""

    lines: list[str]
    left_out: list[str]


def fit_table(
    columns: Sequence[Column], width: int, expendable: Sequence[str] = ()
) -> FittedTable:
    """Lay a table out in lines of at most `width` columns of a terminal.

    expendable: names of the columns that may be left out, those that go first before the others; by
    default inner quantiles, then the numbers from the last one to the second.
    """
    columns = [_escape_column(column) for column in columns]
    forms = max(len(column.cells) for column in columns)
    left_out: list[str] = []
    candidates = list(expendable or list_expendable_columns(columns))
    shown = columns
    form = 0
    while _measure_table(shown, form) > width:
        if form + 1 < forms:
            form += 1
        elif candidates:
            name = candidates.pop(0)
            shown = [column for column in shown if column.name != name]
            left_out.append(name)
        else:
            shown = _shorten_texts(shown, form, width)
            break

    header = [column.name for column in shown]
    cells = [column.with_digits(form) for column in shown]
    rows = list(zip(*cells, strict=True))
    left = [place for place, column in enumerate(shown) if not column.is_number]
    in_order = [column.name for column in columns if column.name in left_out]
    return FittedTable(console.format_table(header, rows, left), in_order)


def list_expendable_columns(columns: Sequence[Column]) -> list[str]:
    """Name the columns that a table can do without, those that are missed least first.

    Of quantiles the inner ones go first, in pairs, so that an interval stays one; then other
    numbers, from the last one back to the second. Texts say what a row is of, and stay.
    """
    numbers = [column.name for column in columns if column.is_number]
    quantiles = [name for name in numbers if _QUANTILE_NAME.fullmatch(name)]
    # The outermost pair is the interval.
    inner = quantiles[1:-1]
    inner.sort(key=_distance_from_median)
    others = [name for name in numbers[1:] if name not in quantiles]
    outermost = [name for name in quantiles if name not in inner]
    return [*inner, *reversed(others), *reversed(outermost)]


def draw_table(columns: Sequence[Column], expendable: Sequence[str] = ()) -> list[str]:
    """Return the lines of a table for stdout, as wide as it must be where that is no terminal.

    What a terminal has no room for is said on stderr.
    """
    table = fit_table(columns, _find_width(sys.stdout), expendable)
    if table.left_out:
        names = ", ".join(table.left_out)
        lines = console.wrap_sentence(
            f"too wide for this terminal, left out: {names}; --format csv gives all"
        )
        console.write_message(*lines)
    return decorate_table(table.lines, sys.stdout)


def report_table(
    report: console.Reporter, columns: Sequence[Column], expendable: Sequence[str] = ()
) -> None:
    """Show a small table of figures among the messages."""
    table = fit_table(columns, _find_width(sys.stderr), expendable)
    if console.is_live(sys.stderr):
        head, rule, *rows = decorate_table(table.lines, sys.stderr)
        report.say_styled(head, rule, *rows)
    else:
        report.say(*table.lines)


def decorate_table(lines: Sequence[str], stream: TextIO) -> list[str]:
    """Return the lines of a table with a rule under the header, which is bold in colours."""
    header, *rows = lines
    width = max(map(console.measure_text, lines))
    rule = "─" * width
    try:
        rule.encode(stream.encoding or "ascii")
    except UnicodeEncodeError:
        rule = "-" * width
    if console.is_coloured(stream):
        header = f"\x1b[1m{header}\x1b[0m"
        rule = f"\x1b[2m{rule}\x1b[0m"
    return [header, rule, *rows]


def _find_width(stream: TextIO) -> int:
    return console.get_terminal_width() if stream.isatty() else sys.maxsize


def _distance_from_median(name: str) -> float:
    found = _QUANTILE_NAME.fullmatch(name)
    return abs(float(found[1]) - 50) if found else 0.0


def _escape_column(column: Column) -> Column:
    forms = [list(map(console.escape_unprintable, cells)) for cells in column.cells]
    name = console.escape_unprintable(column.name)
    return column._replace(name=name, cells=tuple(forms))


def _measure_column(column: Column, form: int) -> int:
    texts = [column.name, *column.with_digits(form)]
    return max(map(console.measure_text, texts))


def _measure_table(columns: Sequence[Column], form: int) -> int:
    widths = [_measure_column(column, form) for column in columns]
    gaps = len(_GAP) * (len(columns) - 1)
    return sum(widths) + gaps


def _shorten_texts(columns: Sequence[Column], form: int, width: int) -> list[Column]:
    """Cut the longest texts until the table fits, or no text is left to cut."""
    limits = [_measure_column(column, form) for column in columns]
    gaps = len(_GAP) * (len(columns) - 1)
    texts = [place for place, column in enumerate(columns) if not column.is_number]
    excess = sum(limits) + gaps - width
    while excess > 0 and texts:
        longest = max(texts, key=lambda place: limits[place])
        if limits[longest] <= _MIN_TEXT_WIDTH:
            break
        limits[longest] -= 1
        excess -= 1

    shortened = list(columns)
    for place in texts:
        column = columns[place]
        limit = limits[place]
        cells = [_cut_text(cell, limit) for cell in column.with_digits(form)]
        name = _cut_text(column.name, limit)
        shortened[place] = column._replace(name=name, cells=(cells,))
    return shortened


def _cut_text(text: str, limit: int) -> str:
    """Cut a text to so many columns of a terminal; three dots say that there was more."""
    if console.measure_text(text) <= limit:
        return text
    while console.measure_text(text) > limit - 3:
        text = text[:-1]
    return f"{text}..."
