"""What the program tells people: messages and progress on stderr, tables.

The only file that imports rich, and only where there is a terminal to draw on. Every name that
comes from a user is shown with its control characters escaped, and never read as markup.
"""

import contextlib
import math
import os
import re
import shutil
import sys
import textwrap
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TextIO

from lstmcast.cli.show.pace import Pace, format_seconds_left

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions
    from rich.measure import Measurement
    from rich.progress import Progress, Task, TaskID
    from rich.text import Text

    from lstmcast.cli.options.results import ShowOptions
    from lstmcast.compute.progress import Event

TableCells = Sequence[Sequence[str]]
_PHASE_NAMES = {
    "train": "training",
    "member": "training",
    "backtest": "forecasting from past cutoffs",
    "tune": "searching",
    "compare": "comparing with the default settings",
    "explain": "taking inputs away",
}
"""What a phase is called in a line of its own."""
COLOURS = {"good": "\x1b[32m", "bad": "\x1b[33m"}
"""Colours of what a verdict says: green, and a yellow that is no alarm."""
SECONDS_BETWEEN_LINES = 60.0
"""Seconds from one line of progress to the next, where there is no bar."""
_BETWEEN_FIGURES = re.compile("(?<=, )|(?<=  )")
MAX_LINE_CHARS = 1200
"""Characters of a line that are shown."""
MIN_BAR_COLUMNS, MAX_BAR_COLUMNS = 6, 24
COLUMNS_BESIDE_BAR = 70
"""Columns of a terminal that phase, count, times and two losses take beside a bar."""


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
        for note in notes:
            self.say(*wrap_sentence(shorten_text(f"  {note}"), "    "))

    def sentences(self, *sentences: str, colour: str = "") -> None:
        """Write sentences, whose words and numbers a terminal does not break.

        colour: one of COLOURS, for a terminal that shows it.
        """
        for sentence in sentences:
            wrapped = wrap_sentence(shorten_text(sentence))
            lines = [escape_unprintable(line) for line in wrapped]
            if colour and is_coloured(sys.stderr):
                lines = [f"{COLOURS[colour]}{line}\x1b[0m" for line in lines]
            self.say_styled(*lines)

    def say_styled(self, *lines: str) -> None:
        """Write lines as they are: escaped already, and with colours of ours."""
        if not self.quiet:
            write_styled(lines)

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
    """Shows one plain line for each phase, and one a minute with the time while it lasts.

    When verbose, one for each validation too.
    """

    def __init__(self, verbose: bool) -> None:
        self.verbose = verbose
        self.shown_phases: set[str] = set()
        self.pace = Pace()
        self.last_line = time.monotonic()

    def show(self, event: "Event") -> None:
        if event.message and not event.total:
            write_message(f"  {event.message}")
            return
        phase = _PHASE_NAMES.get(event.phase, event.phase)
        if phase not in self.shown_phases:
            self.shown_phases.add(phase)
            write_message(phase)
        if self.verbose and not event.part:
            write_message(f"  {_format_progress(event)}")
        if event.total:
            self._show_time(event)

    def _show_time(self, event: "Event") -> None:
        """Write how far a phase is, once a minute."""
        now = time.monotonic()
        left = self.pace.estimate_seconds(event, now)
        if now - self.last_line < SECONDS_BETWEEN_LINES:
            return
        self.last_line = now
        clock = time.strftime("%H:%M:%S")
        percent = 100 * (event.step + event.part) / event.total
        share = f"{percent:.0f} % done"
        parts = _join_parts(_format_progress(event), share, format_seconds_left(left))
        write_message(f"  {clock}  {parts}")


class _BarProgress:
    """Shows a live bar for each phase; messages stay on the screen as lines."""

    def __init__(self, bar: "Progress", verbose: bool) -> None:
        self.bar = bar
        self.verbose = verbose
        self.tasks: dict[str, TaskID] = {}
        self.pace = Pace()

    def show(self, event: "Event") -> None:
        if not event.total:  # nothing to count: a message at most
            if event.message:
                self._print_line(f"  {event.message}")
            return
        if event.phase not in self.tasks:
            name = escape_unprintable(event.phase)
            self.tasks[event.phase] = self.bar.add_task(
                name, total=event.total, figures="", left=""
            )
        task = self.tasks[event.phase]
        seconds = self.pace.estimate_seconds(event, time.monotonic())
        self.bar.update(
            task,
            completed=event.step + event.part,
            total=event.total,
            figures=_join_parts(
                escape_unprintable(event.message), _format_losses(event)
            ),
            left=format_seconds_left(seconds),
        )
        if self.verbose and not event.part:
            self._print_line(f"  {_format_progress(event)}")

    def _print_line(self, text: str) -> None:
        # A name may have brackets in it, which rich would take for markup.
        escaped = escape_unprintable(text)
        self.bar.console.print(escaped, markup=False, highlight=False)


class _Figures:
    """What stands at the end of a bar, as far as there is room: no number is cut.

    It speaks to rich, whose protocol these two methods are.
    """

    def __init__(self, text: str) -> None:
        self.text = text

    def __rich_measure__(
        self, _: "Console", options: "ConsoleOptions"
    ) -> "Measurement":
        from rich.measure import Measurement

        return Measurement(0, min(measure_text(self.text), options.max_width))

    def __rich_console__(
        self, _: "Console", options: "ConsoleOptions"
    ) -> "Iterator[Text]":
        from rich.text import Text

        yield Text(cut_figures(self.text, options.max_width), no_wrap=True)


def cut_figures(text: str, width: int) -> str:
    """Leave out what has no room in so many columns: whole figures, from the end on."""
    shown = ""
    for figure in re.split(_BETWEEN_FIGURES, text):
        if measure_text(shown + figure) > width:
            break
        shown += figure
    return shown.rstrip(", ")


def _make_bar() -> "Progress":
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        TextColumn,
        TimeElapsedColumn,
    )
    from rich.table import Column

    class FiguresColumn(ProgressColumn):
        def render(self, task: "Task") -> Any:
            return _Figures(task.fields["figures"])

    # stdout is for results.
    console = Console(stderr=True)
    # On a narrow terminal a bar stays one line: it is short, and figures are left out at its end.
    room = console.width - COLUMNS_BESIDE_BAR
    bar_width = max(MIN_BAR_COLUMNS, min(room, MAX_BAR_COLUMNS))
    whole = Column(no_wrap=True)
    columns = (
        TextColumn("{task.description}", markup=False, table_column=whole),
        BarColumn(bar_width, table_column=whole),
        MofNCompleteColumn(table_column=whole),
        TimeElapsedColumn(table_column=whole),
        TextColumn("{task.fields[left]}", markup=False, table_column=whole),
        FiguresColumn(),
    )
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
    word = "error: "
    # Escaped first: a line break in a name is shown, not obeyed.
    whole = escape_unprintable(word + shorten_text(message))
    first, *rest = wrap_sentence(whole, "  ")
    for hint in filter(None, hints):
        rest += wrap_sentence(escape_unprintable(f"  {shorten_text(hint)}"), "    ")
    # Apart from the message, in which escape sequences are shown and not obeyed.
    if is_coloured(sys.stderr):
        first = first.replace(word, f"\x1b[1;31m{word.strip()}\x1b[0m ", 1)
    write_styled([first, *rest])


def write_message(*lines: str) -> None:
    """Write whole lines to stderr, escaped; that its reader is gone stops nothing."""
    write_styled(map(escape_unprintable, lines))


def write_styled(lines: Iterable[str]) -> None:
    """Write lines to stderr as they are: escaped already, and with colours of ours."""
    text = "".join(f"{line}\n" for line in lines)
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(text)
        sys.stderr.flush()


def wrap_sentence(
    text: str, indent: str = "", stream: TextIO | None = None
) -> list[str]:
    """Break a sentence between words where the terminal ends; off a terminal it stays one line.

    indent: what the lines after the first one begin with. A number stays with its percent sign.
    stream: where the sentence goes (default: stderr).
    """
    width = get_terminal_width() - 1
    if not is_live(stream or sys.stderr) or len(text) <= width:
        return [text]
    joined = text.replace(" %", "\xa0%")
    lines = textwrap.wrap(
        joined,
        width,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace("\xa0%", " %") for line in lines]


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
        lengths = list(map(measure_text, column))
        width = max(lengths)
        pads = [" " * (width - length) for length in lengths]
        pairs = zip(column, pads, strict=True)
        if number in left:
            padded.append([cell + pad for cell, pad in pairs])
        else:
            padded.append([pad + cell for cell, pad in pairs])
    return ["  ".join(row).rstrip() for row in zip(*padded, strict=True)]


def measure_text(text: str) -> int:
    """Return how many columns of a terminal a text takes: two a letter of Chinese or Japanese."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def format_number(value: float | None, digits: int = 4) -> str:
    """Write a figure with so many significant digits for a person to read."""
    if value is None or math.isnan(value):
        return "-"
    if not value:
        return "0"
    if not 1e-4 <= abs(value) < 1e7:
        return f"{value:.{digits - 1}e}"
    # A number with d digits before the point has floor(log10) = d - 1.
    exponent = math.floor(math.log10(abs(value)))
    decimals = max(0, digits - 1 - exponent)
    return f"{value:.{decimals}f}"
