"""What the program says: messages and progress on stderr, tables for people.

The only file that imports rich, and only where there is a terminal to draw on. Every name that
comes from a user is shown with its control characters escaped, and never read as markup.
"""

import contextlib
import math
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

    from lstmcast.cli.options import ShowOptions
    from lstmcast.compute.progress import Event

TableCells = Sequence[Sequence[str]]
_PHASE_NAMES = {
    "train": "training",
    "member": "training",
    "backtest": "forecasting from past cutoffs",
    "tune": "searching",
}
"""What a phase is called in a line of its own."""
MAX_LINE_CHARS = 1200
"""Characters of a line that are shown."""


class Reporter:
    """Messages of one command: silent when quiet, in more detail when verbose, a live bar only on a terminal."""

    def __init__(
        self, *, quiet: bool = False, verbose: bool = False, no_color: bool = False
    ) -> None:
        self.quiet = quiet
        self.verbose = verbose
        if no_color:
            os.environ["NO_COLOR"] = "1"

    @classmethod
    def of(cls, show: "ShowOptions") -> "Reporter":
        """Speak as the options of a command ask."""
        return cls(quiet=show.quiet, verbose=show.verbose, no_color=show.no_color)

    def say(self, *lines: str) -> None:
        """Say what a user wants to know."""
        if not self.quiet:
            write_message(*map(shorten_text, lines))

    def detail(self, *lines: str) -> None:
        """Say what only a curious user wants to know."""
        if self.verbose:
            write_message(*lines)

    def found(self, notes: Iterable[str]) -> None:
        """Say what was found out or changed, indented under what was said before."""
        self.say(*(f"  {note}" for note in notes))

    def table(self, header: Sequence[str], rows: TableCells) -> None:
        """Show a small table of figures."""
        self.say(*format_table(header, rows))

    @contextlib.contextmanager
    def progress(self) -> "Iterator[Callable[[Event], None]]":
        """Give a callback that shows the events of a long work: a bar on a terminal, else one line a phase."""
        if self.quiet:
            yield lambda _: None
        elif is_live(sys.stderr):
            with _make_bar() as bar:
                yield _BarProgress(bar, self.verbose).show
        else:
            yield _LineProgress(self.verbose).show


class _LineProgress:
    """One plain line for each phase; with `verbose` one for each validation too."""

    def __init__(self, verbose: bool) -> None:
        self.verbose = verbose
        self.said: set[str] = set()

    def show(self, event: "Event") -> None:
        if event.message and not event.total:
            write_message(f"  {event.message}")
            return
        phase = _PHASE_NAMES.get(event.phase, event.phase)
        if phase not in self.said:
            self.said.add(phase)
            write_message(phase)
        if self.verbose:
            write_message(f"  {_format_progress(event)}")


class _BarProgress:
    """A live bar for each phase at work; what is no progress stays on the screen as a line."""

    def __init__(self, bar: "Progress", verbose: bool) -> None:
        self.bar = bar
        self.verbose = verbose
        self.tasks: dict[str, TaskID] = {}

    def show(self, event: "Event") -> None:
        if not event.total:  # nothing to count: a message at most
            if event.message:
                self._print_line(f"  {event.message}")
            return
        if event.phase not in self.tasks:
            self.tasks[event.phase] = self.bar.add_task(
                escape_unprintable(event.phase), total=event.total, figures=""
            )
        self.bar.update(
            self.tasks[event.phase],
            completed=event.step,
            total=event.total,
            figures=_format_bar_text(event),
        )
        if self.verbose:
            self._print_line(f"  {_format_progress(event)}")

    def _print_line(self, text: str) -> None:
        self.bar.console.print(escape_unprintable(text), markup=False, highlight=False)


def _make_bar() -> "Progress":
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("{task.fields[figures]}", markup=False),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
    )
    return Progress(*columns, console=Console(stderr=True), transient=True)


def _format_progress(event: "Event") -> str:
    counted = f"{event.phase} {event.step}/{event.total}" if event.total else event.phase
    parts = (counted, event.message, _format_losses(event))
    return "  ".join(part for part in parts if part)


def _format_bar_text(event: "Event") -> str:
    return "  ".join(part for part in (event.message, _format_losses(event)) if part)


def _format_losses(event: "Event") -> str:
    known = (("loss", event.loss), ("validation", event.validation))
    return "  ".join(
        f"{name} {value:.4f}" for name, value in known if value is not None and math.isfinite(value)
    )


def is_live(stream: TextIO | None) -> bool:
    """Whether a stream is a terminal that can redraw a line."""
    return stream is not None and stream.isatty() and os.environ.get("TERM", "") not in ("", "dumb")


def is_coloured(stream: TextIO | None) -> bool:
    """Whether a stream gets colours: NO_COLOR forbids them, FORCE_COLOR asks for them, else where it is a terminal."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or is_live(stream)


def format_heading(text: str) -> str:
    """Return a heading as stdout is to show it: bold, where stdout gets colours."""
    return f"\x1b[1m{text}\x1b[0m" if is_coloured(sys.stdout) else text


def get_terminal_width() -> int:
    """Columns of the terminal; 80 where there is none."""
    return shutil.get_terminal_size().columns


def write_error(message: str, *hints: str) -> None:
    """Write what went wrong and what to do about it, the first word in red where stderr gets colours."""
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write("\x1b[1;31merror:\x1b[0m " if is_coloured(sys.stderr) else "error: ")
    write_message(shorten_text(message), *(f"  {shorten_text(hint)}" for hint in hints if hint))


def write_message(*lines: str) -> None:
    """Write whole lines to stderr, escaped; a reader of stderr that went away stops nothing."""
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write("".join(f"{escape_unprintable(line)}\n" for line in lines))
        sys.stderr.flush()


def shorten_text(text: str) -> str:
    """Leave the middle out of what no person would read: a cell may hold millions of characters."""
    return (
        text
        if len(text) <= MAX_LINE_CHARS
        else f"{text[: MAX_LINE_CHARS * 2 // 3]} ... {text[-MAX_LINE_CHARS // 4 :]}"
    )


def escape_unprintable(text: str) -> str:
    """Show what a terminal would obey (control, bidirectional and unprintable characters) as escapes."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text
    )


def format_table(header: Sequence[str], rows: TableCells, left: Sequence[int] = (0,)) -> list[str]:
    """Lines of an aligned table: the columns `left` to the left, the others to the right."""
    cells = [[escape_unprintable(cell) for cell in row] for row in (header, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(
            _pad_cell(cell, width, i in left)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]


def _pad_cell(cell: str, width: int, left: bool) -> str:
    return cell.ljust(width) if left else cell.rjust(width)


def format_number(value: float | None) -> str:
    """Write a figure in four digits for a person to read."""
    if value is None or math.isnan(value):
        return "-"
    if value and not 1e-4 <= abs(value) < 1e7:
        return f"{value:.3e}"
    return f"{value:.{max(0, 3 - math.floor(math.log10(abs(value))))}f}" if value else "0"


def draw_table(header: Sequence[str], rows: TableCells, numeric: Sequence[bool]) -> None:
    """Draw a table on stdout for a person; in full width where stdout is no terminal."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name, right in zip(header, numeric, strict=True):
        table.add_column(
            Text(escape_unprintable(name)), justify="right" if right else "left", overflow="fold"
        )
    for row in rows:
        table.add_row(*(Text(escape_unprintable(cell)) for cell in row))
    _stdout_console().print(table)


def _stdout_console() -> "Console":
    from rich.console import Console

    return Console() if sys.stdout.isatty() else Console(width=100_000, color_system=None)
