"""What the program says: messages and progress on stderr, tables for people.

The only file that imports rich, and only where there is a terminal to draw on. Every name that comes from a user is
shown with its control characters escaped, and never read as markup.
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

Cells = Sequence[Sequence[str]]
_PHASES = {"train": "training", "member": "training", "backtest": "forecasting from past cutoffs", "tune": "searching"}
"""What a phase is called in a line of its own."""
LONGEST = 1200
"""Characters of a line that are shown."""


class Report:
    """Messages of one command: silent when quiet, in more detail when verbose, a live bar only on a terminal."""

    def __init__(self, *, quiet: bool = False, verbose: bool = False, no_color: bool = False) -> None:
        self.quiet = quiet
        self.verbose = verbose
        if no_color:
            os.environ["NO_COLOR"] = "1"

    @classmethod
    def of(cls, show: "ShowOptions") -> "Report":
        """Speak as the options of a command ask."""
        return cls(quiet=show.quiet, verbose=show.verbose, no_color=show.no_color)

    def say(self, *lines: str) -> None:
        """Say what a user wants to know."""
        if not self.quiet:
            write_message(*map(shortened, lines))

    def detail(self, *lines: str) -> None:
        """Say what only a curious user wants to know."""
        if self.verbose:
            write_message(*lines)

    def found(self, notes: Iterable[str]) -> None:
        """Say what was found out or changed, indented under what was said before."""
        self.say(*(f"  {note}" for note in notes))

    def table(self, header: Sequence[str], rows: Cells) -> None:
        """Show a small table of figures."""
        self.say(*plain_table(header, rows))

    @contextlib.contextmanager
    def progress(self) -> "Iterator[Callable[[Event], None]]":
        """Give a callback that shows the events of a long work: a bar on a terminal, else one line a phase."""
        if self.quiet:
            yield lambda _: None
        elif is_live(sys.stderr):
            with _bar() as bar:
                yield _Bars(bar, self.verbose).show
        else:
            yield _Lines(self.verbose).show


class _Lines:
    """One plain line for each phase; with `verbose` one for each validation too."""

    def __init__(self, verbose: bool) -> None:
        self.verbose = verbose
        self.said: set[str] = set()

    def show(self, event: "Event") -> None:
        if event.message and not event.total:
            write_message(f"  {event.message}")
            return
        phase = _PHASES.get(event.phase, event.phase)
        if phase not in self.said:
            self.said.add(phase)
            write_message(phase)
        if self.verbose:
            write_message(f"  {_progress(event)}")


class _Bars:
    """A live bar for each phase at work; what is no progress stays on the screen as a line."""

    def __init__(self, bar: "Progress", verbose: bool) -> None:
        self.bar = bar
        self.verbose = verbose
        self.tasks: dict[str, TaskID] = {}

    def show(self, event: "Event") -> None:
        if not event.total:  # nothing to count: a message at most
            if event.message:
                self._line(f"  {event.message}")
            return
        if event.phase not in self.tasks:
            self.tasks[event.phase] = self.bar.add_task(escape(event.phase), total=event.total, figures="")
        self.bar.update(self.tasks[event.phase], completed=event.step, total=event.total, figures=_said(event))
        if self.verbose:
            self._line(f"  {_progress(event)}")

    def _line(self, text: str) -> None:
        self.bar.console.print(escape(text), markup=False, highlight=False)


def _bar() -> "Progress":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("{task.fields[figures]}", markup=False),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
    )
    return Progress(*columns, console=Console(stderr=True), transient=True)


def _progress(event: "Event") -> str:
    counted = f"{event.phase} {event.step}/{event.total}" if event.total else event.phase
    parts = (counted, event.message, _figures(event))
    return "  ".join(part for part in parts if part)


def _said(event: "Event") -> str:
    return "  ".join(part for part in (event.message, _figures(event)) if part)


def _figures(event: "Event") -> str:
    known = (("loss", event.loss), ("validation", event.validation))
    return "  ".join(f"{name} {value:.4f}" for name, value in known if value is not None and math.isfinite(value))


def is_live(stream: TextIO | None) -> bool:
    """Whether a stream is a terminal that can redraw a line."""
    return stream is not None and stream.isatty() and os.environ.get("TERM", "") not in ("", "dumb")


def is_coloured(stream: TextIO | None) -> bool:
    """Whether a stream gets colours: NO_COLOR forbids them, FORCE_COLOR asks for them, else where it is a terminal."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or is_live(stream)


def strong(text: str) -> str:
    """Return a heading as stdout is to show it: bold, where stdout gets colours."""
    return f"\x1b[1m{text}\x1b[0m" if is_coloured(sys.stdout) else text


def width() -> int:
    """Columns of the terminal; 80 where there is none."""
    return shutil.get_terminal_size().columns


def write_error(message: str, *hints: str) -> None:
    """Write what went wrong and what to do about it, the first word in red where stderr gets colours."""
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write("\x1b[1;31merror:\x1b[0m " if is_coloured(sys.stderr) else "error: ")
    write_message(shortened(message), *(f"  {shortened(hint)}" for hint in hints if hint))


def write_message(*lines: str) -> None:
    """Write whole lines to stderr, escaped; a reader of stderr that went away stops nothing."""
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write("".join(f"{escape(line)}\n" for line in lines))
        sys.stderr.flush()


def shortened(text: str) -> str:
    """Leave the middle out of what no person would read: a cell may hold millions of characters."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST * 2 // 3]} ... {text[-LONGEST // 4 :]}"


def escape(text: str) -> str:
    """Show what a terminal would obey (control, bidirectional and unprintable characters) as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def plain_table(header: Sequence[str], rows: Cells, left: Sequence[int] = (0,)) -> list[str]:
    """Lines of an aligned table: the columns `left` to the left, the others to the right."""
    cells = [[escape(cell) for cell in row] for row in (header, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(
            _pad(cell, width, i in left) for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]


def _pad(cell: str, width: int, left: bool) -> str:
    return cell.ljust(width) if left else cell.rjust(width)


def figure(value: float | None) -> str:
    """Write a figure in four digits for a person to read."""
    if value is None or math.isnan(value):
        return "-"
    if value and not 1e-4 <= abs(value) < 1e7:
        return f"{value:.3e}"
    return f"{value:.{max(0, 3 - math.floor(math.log10(abs(value))))}f}" if value else "0"


def draw_table(header: Sequence[str], rows: Cells, numeric: Sequence[bool]) -> None:
    """Draw a table on stdout for a person; in full width where stdout is no terminal."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name, right in zip(header, numeric, strict=True):
        table.add_column(Text(escape(name)), justify="right" if right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(escape(cell)) for cell in row))
    _stdout_console().print(table)


def _stdout_console() -> "Console":
    from rich.console import Console

    return Console() if sys.stdout.isatty() else Console(width=100_000, color_system=None)
