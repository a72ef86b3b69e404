"""Judge rows from stdin as they come: a line out for each line in, in a fixed amount of memory."""

import csv
import io
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import IO, TYPE_CHECKING, NamedTuple

from lstmcast.cli.options.detection import DetectionOptions
from lstmcast.cli.options.reading import RunDataOptions
from lstmcast.cli.show import output
from lstmcast.cli.show.console import Reporter
from lstmcast.errors import DataError, RunError

if TYPE_CHECKING:
    import pandas as pd

    from lstmcast.monitoring.detect import Detector
    from lstmcast.panel.panel import Panel

_BLOCK_BYTES = 1 << 16
MAX_LINE_BYTES = 1 << 20
"""Bytes of a line: a longer one is not a line of a table."""
LINE_ERRORS = (DataError, RunError)
"""Errors in one line. Text where the run has numbers is a RunError, which is right for a whole file
only."""
_DELIMITERS = ",;\t|"
_MAX_NOTES = 100
"""Different notes on the data that are shown, each once."""
_UTF8_BOM = b"\xef\xbb\xbf"
_BINARY_MAGIC = (
    b"\x1f\x8b",
    b"\x28\xb5\x2f\xfd",
    b"PAR1",
    b"ARRO",
    b"\xff\xff\xff\xff",
)
"""First bytes of gzip, Zstandard, Parquet, and Arrow files and streams."""


class NumberedLine(NamedTuple):
    """A line of stdin; the first one has the number 1."""

    number: int
    text: bytes


class Follower:
    """Reads lines from stdin, judges the rows in them, and writes the result at once."""

    def __init__(
        self,
        report: Reporter,
        detector: "Detector",
        form: str,
        reading: RunDataOptions = RunDataOptions(),  # noqa: B008 - frozen
        detection: DetectionOptions = DetectionOptions(),  # noqa: B008 - frozen
        *,
        safe: bool = False,
    ) -> None:
        config = reading.apply(detector.forecaster.config.data)
        self.report = report
        self.detector = detector
        self.form = form
        self.safe = safe
        self.detection = detection
        # Each line is parsed by itself: what is bad in it must raise an error to be skipped here.
        self.config = replace(config, bad_rows="error")
        self.skips_bad_rows = config.bad_rows == "skip"
        self.header = b""
        self.has_written = False
        self.shown_notes: set[str] = set()
        self.figures: Counter[str] = Counter()

    def run(self) -> dict[str, float]:
        """Judge rows until stdin ends; returns how many were judged, and how.

        Raises DataError for a line that is bad, unless bad rows are skipped.
        """
        self.report.say("reading stdin, row by row")
        for lines in read_line_blocks(sys.stdin.buffer):
            if not self.header and self.config.header is not False:
                lines = self._read_header(lines)
            if lines:
                self._judge_lines(lines)
        if not self.has_written:
            raise DataError(
                "stdin has no rows",
                "give a header and rows: tail -f -n +1 FILE | lstmcast detect RUN -",
            )
        judged = max(self.figures["judged"], 1)
        share = self.figures["anomalies"] / judged
        # An event of several lines is one.
        events = self.detector.count_events()
        return {**self.figures, "events": events, "share": share}

    def _read_header(self, lines: list[NumberedLine]) -> list[NumberedLine]:
        """Take the header off the first lines.

        Where `tail` left it behind, two columns (time, target) are known by their order.
        """
        columns = self.detector.known.columns
        targets = set(columns.target)
        first = lines[0].text.removeprefix(_UTF8_BOM)
        rows = {delimiter: _parse_cells(first, delimiter) for delimiter in _DELIMITERS}
        if any(targets.issubset(cells) for cells in rows.values()):
            self.header = first
            return lines[1:]
        names = (*columns.time, *columns.target)
        is_pair = len(columns.time) == len(columns.target) == 1
        is_plain = is_pair and not columns.series
        for delimiter, cells in rows.items():
            if is_plain and len(cells) == 2:
                self.report.say(
                    f"  the first line is no header: "
                    f"its columns are taken for {names[0]!r} and {names[1]!r}"
                )
                self.header = delimiter.join(names).encode()
                return lines
        raise DataError(
            f"stdin:1: no column {columns.target[0]!r} in the header, or no header",
            "let the header come first: tail -f -n +1 FILE | lstmcast detect RUN -",
        )

    def _judge_lines(self, lines: list[NumberedLine]) -> None:
        """Judge lines together where they are plain, else each by itself.

        By itself each line gets a line of output, or an error that names it.
        """
        rows = self._judge_together(lines) if len(lines) > 1 else None
        if rows is not None:
            # A panel is sorted by series, the lines that come are sorted by time.
            time = self.detector.known.axis.name
            self._write_rows(rows.sort_values(time, kind="stable"))
            return
        for line in lines:
            try:
                self._write_rows(self._judge_line(line))
            except DataError as error:
                if not self.skips_bad_rows:
                    raise
                self.report.say(f"skipped: {error.message}")

    def _judge_together(self, lines: list[NumberedLine]) -> "pd.DataFrame | None":
        """Judge lines of which each is one new row; None for any others."""
        try:
            panel = self._to_panel(lines)
            # More steps than lines would be gaps that were filled, fewer two lines of one time.
            targets = self.detector.known.columns.target
            expected = len(lines) * len(targets)
            if len(panel.values) != expected or not self.detector.is_new(panel):
                return None
            return self._judge_panel(panel)
        except LINE_ERRORS:
            return None

    def _judge_line(self, line: NumberedLine) -> "pd.DataFrame":
        """Judge one line; raises DataError that names it."""
        if self.header and self._is_target_missing(line.text):
            return self._missing_rows(line.text)
        try:
            panel = self._to_panel([line])
        except LINE_ERRORS as error:
            # The line was parsed as a file of its own: the number in the message is of that file.
            place = 2 if self.header else 1
            pattern = rf"^stdin(:{place})?:? |stdin:{place}: "
            message = re.sub(pattern, "", error.message)
            raise DataError(f"stdin:{line.number}: {message}", error.hint) from None
        # Rows of the training may come again, and are not judged: `tail -n +1` gives them.
        is_in_order = self.detector.is_new(panel) or self.detector.is_known(panel)
        if not is_in_order:
            stamp = panel.axis.texts(panel.start)[0]
            raise DataError(
                f"stdin:{line.number}: {stamp} is not newer than the row before it",
                "rows must be in order of time, each once; --bad-rows skip leaves others out",
            )
        return self._judge_panel(panel)

    def _to_panel(self, lines: list[NumberedLine]) -> "Panel":
        from lstmcast.panel.panel import Panel
        from lstmcast.tables.read import read_bytes

        known = self.detector.forecaster.panel
        texts = [line.text for line in lines]
        if self.header:
            texts.insert(0, self.header)
        data = b"\n".join(texts) + b"\n"
        table = read_bytes(data, "stdin", self.config)
        return Panel.from_table(table, known.columns, self.config, like=known)

    def _judge_panel(self, panel: "Panel") -> "pd.DataFrame":
        result = self.detector.judge(panel, every=True)
        notes = [
            note
            for note in panel.notes
            if note not in self.shown_notes and len(self.shown_notes) < _MAX_NOTES
        ]
        self.shown_notes.update(notes)
        self.report.found(notes)
        # The share is no count: it is computed at the end.
        for name, count in result.figures.items():
            if name != "share":
                self.figures[name] += int(count)
        return result.rows

    def _is_target_missing(self, text: bytes) -> bool:
        """Whether every target of a line is a text that means missing."""
        cells = self._cells_by_column(text)
        # A line that is cut short lacks cells: it is bad, not one with a missing value.
        for name in self.detector.known.columns.target:
            cell = cells.get(name)
            if cell is None or cell.strip() not in self.config.na:
                return False
        return True

    def _missing_rows(self, text: bytes) -> "pd.DataFrame":
        """Return the rows of a line without a value, with its keys and time as they stand there."""
        import pandas as pd

        from lstmcast.monitoring.detection import NUMERIC_COLUMNS

        known = self.detector.known
        cells = self._cells_by_column(text)
        time = " ".join(cells.get(name, "") for name in known.columns.time)
        no_numbers = dict.fromkeys(NUMERIC_COLUMNS)
        rows = []
        for target in known.columns.target:
            # A key that is no column of the file is the name of the target.
            keys = {name: cells.get(name, target) for name in known.key_names}
            row = {**keys, known.axis.name: time, **no_numbers}
            judged = {"anomaly": 0, "kind": "missing", "event": pd.NA, "reason": ""}
            rows.append({**row, **judged})
        return pd.DataFrame(rows)

    def _cells_by_column(self, text: bytes) -> dict[str, str]:
        """Return the cells of a line by column, split where the header is split."""
        targets = set(self.detector.known.columns.target)
        for delimiter in _DELIMITERS:
            names = _parse_cells(self.header, delimiter)
            if targets.issubset(names):
                cells = _parse_cells(text, delimiter)
                return dict(zip(names, cells, strict=False))
        return {}

    def _write_rows(self, rows: "pd.DataFrame") -> None:
        rows = self.detection.select_rows(rows)
        # What there is to say about formulas is said once.
        report = Reporter(quiet=True) if self.has_written else self.report
        escaped = output.with_escaped_formulas(rows, self.form, report, safe=self.safe)
        data = output.encode_table(escaped, self.form, header=not self.has_written)
        output.write_stdout(data)
        self.has_written = True


def is_text_stream(stream: IO[bytes]) -> bool:
    """Whether a stream begins as text does.

    Waits for its first bytes and leaves them where they are.
    """
    if not isinstance(stream, io.BufferedReader):
        return True
    start = stream.peek(4)[:4]
    return not start.startswith(_BINARY_MAGIC)


def read_line_blocks(stream: IO[bytes]) -> Iterator[list[NumberedLine]]:
    """Give whole lines as they arrive, all at once that are there; empty ones are left out.

    A quoted cell may span lines. Raises DataError for a line that is too long for a table.
    """
    rest = b""
    number = 1
    while block := stream.read1(_BLOCK_BYTES):  # type: ignore[attr-defined]
        rest += block
        lines, rest, number = _split_lines(rest, number)
        if len(rest) > MAX_LINE_BYTES:
            raise DataError(
                f"stdin:{number}: a line of more than {MAX_LINE_BYTES:,} bytes",
                "give a table of text, as CSV",
            )
        if lines:
            yield lines
    if rest.strip():
        yield [NumberedLine(number, rest.rstrip(b"\r\n"))]


def _split_lines(data: bytes, number: int) -> tuple[list[NumberedLine], bytes, int]:
    """Return the whole lines in `data`, of which the first has the `number`.

    Also returns the bytes after them, and the number of the line that begins there.
    """
    *parts, rest = data.split(b"\n")
    lines: list[NumberedLine] = []
    pending: list[bytes] = []
    for part in parts:
        pending.append(part)
        text = b"\n".join(pending)
        if text.count(b'"') % 2:
            continue  # a quotation is open: the line goes on in the next part
        text = text.rstrip(b"\r")
        if text.strip():
            lines.append(NumberedLine(number, text))
        number += len(pending)
        pending = []
    rest = b"\n".join([*pending, rest])
    return lines, rest, number


def _parse_cells(line: bytes, delimiter: str) -> list[str]:
    text = line.decode("utf-8", "replace")
    cells = next(csv.reader([text], delimiter=delimiter), [])
    return [cell.strip() for cell in cells]
