"""What the program tells people: messages and progress on stderr, tables.

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
    from rich.console import JustifyMethod
    from rich.progress import Progress, TaskID

    from lstmcast.cli.options.results import ShowOptions
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
    """The messages of one command: none when quiet, more when verbose, a live bar on a terminal."""

    def __init__(
        self, *, quiet: bool = False, verbose: bool = False, no_color: bool = False
    ) -> None:
        self.quiet = quiet
        self.verbose = verbose
        if no_color:
            os.environ["NO_COLOR"] = "1"

    @classmethod
    def of(cls, show: "ShowOptions") -> "Reporter":
        """Return a reporter that does what the options of a command say."""
        return cls(quiet=show.quiet, verbose=show.verbose, no_color=show.no_color)

    def say(self, *lines: str) -> None:
        """Write lines that a user wants to know, unless quiet."""
        if not self.quiet:
            write_message(*map(shorten_text, lines))

    def detail(self, *lines: str) -> None:
        """Write lines that only a curious user wants to know."""
        if self.verbose:
            write_message(*lines)

    def found(self, notes: Iterable[str]) -> None:
        """Write what was found or changed, indented under the message before."""
        indented = [f"  {note}" for note in notes]
        self.say(*indented)

    def table(self, header: Sequence[str], rows: TableCells) -> None:
        """Show a small table of figures."""
        self.say(*format_table(header, rows))

    @contextlib.contextmanager
    def progress(self) -> "Iterator[Callable[[Event], None]]":
        """Give a callback that shows events: a bar on a terminal, elsewhere one line per phase."""
        if self.quiet:
            yield lambda _: None
        elif is_live(sys.stderr):
            with _make_bar() as bar:
                yield _BarProgress(bar, self.verbose).show
        else:
            yield _LineProgress(self.verbose).show


class _LineProgress:
    """Shows one plain line for each phase; when verbose, one for each validation too."""

    def __init__(self, verbose: bool) -> None:
        self.verbose = verbose
        self.shown_phases: set[str] = set()

    def show(self, event: "Event") -> None:
        if event.message and not event.total:
            write_message(f"  {event.message}")
            return
        phase = _PHASE_NAMES.get(event.phase, event.phase)
        if phase not in self.shown_phases:
            self.shown_phases.add(phase)
            write_message(phase)
        if self.verbose:
            write_message(f"  {_format_progress(event)}")


class _BarProgress:
    """Shows a live bar for each phase; messages stay on the screen as lines."""

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
            name = escape_unprintable(event.phase)
            self.tasks[event.phase] = self.bar.add_task(
                name, total=event.total, figures=""
            )
        task = self.tasks[event.phase]
        text = _join_parts(event.message, _format_losses(event))
        self.bar.update(task, completed=event.step, total=event.total, figures=text)
        if self.verbose:
            self._print_line(f"  {_format_progress(event)}")

    def _print_line(self, text: str) -> None:
        # A name may have brackets in it, which rich would take for markup.
        escaped = escape_unprintable(text)
        self.bar.console.print(escaped, markup=False, highlight=False)


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
    # stdout is for results.
    console = Console(stderr=True)
    return Progress(*columns, console=console, transient=True)


def _format_progress(event: "Event") -> str:
    count = event.phase
    if event.total:
        count = f"{event.phase} {event.step}/{event.total}"
    return _join_parts(count, event.message, _format_losses(event))


def _format_losses(event: "Event") -> str:
    losses = {"loss": event.loss, "validation": event.validation}
    parts = [
        f"{name} {value:.4f}"
        for name, value in losses.items()
        if value is not None and math.isfinite(value)
    ]
    return _join_parts(*parts)


def _join_parts(*parts: str) -> str:
    return "  ".join(part for part in parts if part)


def is_live(stream: TextIO | None) -> bool:
    """Whether a stream is a terminal that can redraw a line."""
    if stream is None or not stream.isatty():
        return False
    # TERM is empty under cron, and "dumb" in editors that run programs in a window.
    return os.environ.get("TERM", "") not in ("", "dumb")


def is_coloured(stream: TextIO | None) -> bool:
    """Whether a stream gets colours: unless NO_COLOR, with FORCE_COLOR, or on a terminal."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return is_live(stream)


def format_heading(text: str) -> str:
    """Return a heading for stdout: bold, where stdout gets colours."""
    return f"\x1b[1m{text}\x1b[0m" if is_coloured(sys.stdout) else text


def get_terminal_width() -> int:
    """Return the columns of the terminal; 80 where there is none."""
    return shutil.get_terminal_size().columns


def write_error(message: str, *hints: str) -> None:
    """Write what went wrong and what to do about it; the word "error" is red where colours go."""
    # Apart from the message, in which escape sequences are shown and not obeyed.
    with contextlib.suppress(OSError, ValueError):
        word = "\x1b[1;31merror:\x1b[0m" if is_coloured(sys.stderr) else "error:"
        sys.stderr.write(f"{word} ")
    lines = [f"  {shorten_text(hint)}" for hint in hints if hint]
    write_message(shorten_text(message), *lines)


def write_message(*lines: str) -> None:
    """Write whole lines to stderr, escaped; that its reader is gone stops nothing."""
    text = "".join(f"{escape_unprintable(line)}\n" for line in lines)
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(text)
        sys.stderr.flush()


def shorten_text(text: str) -> str:
    """Leave out the middle of a text that is too long to read: a cell may hold megabytes."""
    if len(text) <= MAX_LINE_CHARS:
        return text
    start = MAX_LINE_CHARS * 2 // 3
    end = -MAX_LINE_CHARS // 4
    return f"{text[:start]} ... {text[end:]}"


def escape_unprintable(text: str) -> str:
    """Escape what a terminal would obey: control, bidirectional and unprintable characters."""
    if text.isprintable():
        return text
    return "".join(map(_escape_character, text))


def _escape_character(char: str) -> str:
    return char if char.isprintable() else char.encode("unicode_escape").decode("ascii")


def format_table(
    header: Sequence[str], rows: TableCells, left: Sequence[int] = (0,)
) -> list[str]:
    """Return the lines of an aligned table; `left` are the columns that align to the left."""
    cells = [list(map(escape_unprintable, row)) for row in (header, *rows)]
    # Column by column, since a column's width is that of its longest cell.
    padded = []
    for number, column in enumerate(zip(*cells, strict=True)):
        width = max(map(len, column))
        pad = str.ljust if number in left else str.rjust
        padded.append([pad(cell, width) for cell in column])
    return ["  ".join(row).rstrip() for row in zip(*padded, strict=True)]


def format_number(value: float | None) -> str:
    """Write a figure with four significant digits for a person to read."""
    if value is None or math.isnan(value):
        return "-"
    if not value:
        return "0"
    if not 1e-4 <= abs(value) < 1e7:
        return f"{value:.3e}"
    # A number with d digits before the point has floor(log10) = d - 1.
    exponent = math.floor(math.log10(abs(value)))
    decimals = max(0, 3 - exponent)
    return f"{value:.{decimals}f}"


def draw_table(
    header: Sequence[str], rows: TableCells, numeric: Sequence[bool]
) -> None:
    """Draw a table on stdout for a person; in full width where stdout is no terminal."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name, is_number in zip(header, numeric, strict=True):
        title = Text(escape_unprintable(name))
        side: JustifyMethod = "right" if is_number else "left"
        table.add_column(title, justify=side, overflow="fold")
    for row in rows:
        texts = [Text(escape_unprintable(cell)) for cell in row]
        table.add_row(*texts)
    console = Console()
    if not sys.stdout.isatty():
        # rich would fold lines at 80 columns.
        console = Console(width=100_000, color_system=None)
    console.print(table)
