"""Lines judged together or each by itself, their results written at once, bad ones told of.

How rows are judged, by a run or by their own past, is what followers differ in.
"""

import re
import sys
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from lstmcast.cli.options.detection import DetectionOptions
from lstmcast.cli.show import output
from lstmcast.cli.show.console import Reporter
from lstmcast.cli.streaming.lines import (
    DELIMITERS,
    NumberedLine,
    parse_cells,
    read_line_blocks,
)
from lstmcast.config import DataConfig
from lstmcast.errors import DataError, LstmcastError, RunError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from lstmcast.tables.table import Table

LINE_ERRORS = (DataError, RunError)
"""Errors in one line. Text where the run has numbers is a RunError, which is right for a whole file
only."""
_MAX_NOTES = 100
"""Different notes on the data that are shown, each once."""
_UTF8_BOM = b"\xef\xbb\xbf"


class LineFollower:
    """Reads lines from stdin, judges the rows in them, and writes the result at once.

    config: how lines are read. usage: a command line that hints show. detection: which rows are
    shown.
    """

    def __init__(
        self,
        report: Reporter,
        config: DataConfig,
        form: str,
        usage: str,
        detection: DetectionOptions = DetectionOptions(),  # noqa: B008 - frozen
        *,
        safe: bool = False,
    ) -> None:
        self.report = report
        self.form = form
        self.usage = usage
        self.detection = detection
        self.safe = safe
        # Each line is parsed by itself: what is bad in it must raise an error to be skipped here.
        self.config = replace(config, bad_rows="error")
        self.skips_bad_rows = config.bad_rows == "skip"
        self.header = b""
        self.has_written = False
        self.shown_notes: set[str] = set()
        self.figures: Counter[str] = Counter()

    def judge_together(self, lines: list[NumberedLine]) -> "pd.DataFrame | None":
        """Judge lines that are plain rows, one each; None for any others."""
        raise NotImplementedError

    def judge_line(self, line: NumberedLine) -> "pd.DataFrame":
        """Judge one line; raises DataError that names it."""
        raise NotImplementedError

    def count_events(self) -> int:
        """How many events were opened so far."""
        raise NotImplementedError

    def find_header(self, first: bytes) -> bytes | None:
        """Return the header, which may be the first line or is known without; None for neither.

        Raises DataError where there has to be one.
        """
        raise NotImplementedError

    def run(self) -> dict[str, float]:
        """Judge rows until stdin ends; returns how many were judged, and how.

        Raises DataError for a line that is bad, unless bad rows are skipped.
        """
        self.report.say("reading stdin, row by row")
        for lines in read_line_blocks(sys.stdin.buffer):
            self.judge_block(lines)
        if not self.has_written:
            raise DataError(
                "stdin has no rows", f"give a header and rows: {self.usage}"
            )
        judged = max(self.figures["judged"], 1)
        share = self.figures["anomalies"] / judged
        # An event of several lines is one.
        return {**self.figures, "events": self.count_events(), "share": share}

    def judge_block(self, lines: list[NumberedLine]) -> None:
        """Judge lines that arrived together; the first ones of all begin with the header."""
        if not self.header and self.config.header is not False:
            first = lines[0].text.removeprefix(_UTF8_BOM)
            header = self.find_header(first)
            self.header = first if header is None else header
            if self.header == first:
                lines = lines[1:]
        if lines:
            self._judge_lines(lines)

    def _judge_lines(self, lines: list[NumberedLine]) -> None:
        """Judge lines together where they are plain, else each by itself.

        By itself each line gets a line of output, or an error that names it.
        """
        rows = self.judge_together(lines) if len(lines) > 1 else None
        if rows is not None:
            self._write_rows(rows)
            return
        for line in lines:
            try:
                self._write_rows(self.judge_line(line))
            except DataError as error:
                if not self.skips_bad_rows:
                    raise
                self.report.say(f"skipped: {error.message}")

    def to_table(self, lines: list[NumberedLine]) -> "Table":
        """Read lines, with the header before them, as the table that they are part of."""
        from lstmcast.tables.read import read_bytes

        texts = [line.text for line in lines]
        if self.header:
            texts.insert(0, self.header)
        data = b"\n".join(texts) + b"\n"
        return read_bytes(data, "stdin", self.config)

    def name_line(self, error: LstmcastError, line: NumberedLine) -> DataError:
        """Return the error of a line, parsed as a file of its own, with its number in stdin."""
        place = 2 if self.header else 1
        pattern = rf"^stdin(:{place})?:? |stdin:{place}: "
        message = re.sub(pattern, "", error.message)
        return DataError(f"stdin:{line.number}: {message}", error.hint)

    def show_notes(self, notes: "Sequence[str]") -> None:
        """Report notes that have not been shown yet."""
        new_notes = [
            note
            for note in notes
            if note not in self.shown_notes and len(self.shown_notes) < _MAX_NOTES
        ]
        self.shown_notes.update(new_notes)
        self.report.found(new_notes)

    def count(self, figures: dict[str, float]) -> None:
        """Add the figures of rows that were judged together."""
        # The share is no count: it is computed at the end.
        for name, count in figures.items():
            if name != "share":
                self.figures[name] += int(count)

    def _write_rows(self, rows: "pd.DataFrame") -> None:
        rows = self.detection.select_rows(rows)
        # What there is to say about formulas is said once.
        report = Reporter(quiet=True) if self.has_written else self.report
        escaped = output.with_escaped_formulas(rows, self.form, report, safe=self.safe)
        data = output.encode_table(escaped, self.form, header=not self.has_written)
        output.write_stdout(data)
        self.has_written = True


def find_named_header(
    first: bytes, targets: "Sequence[str]", pair: "tuple[str, str] | None" = None
) -> tuple[bytes, str] | None:
    """Return a header, and what is to say about it; None where `first` is none.

    It is the first line if that has all targets in it. Where `tail` left it behind, the columns of
    a `pair` (time, target) are known by their order.
    """
    rows = {delimiter: parse_cells(first, delimiter) for delimiter in DELIMITERS}
    if any(set(targets).issubset(cells) for cells in rows.values()):
        return first, ""
    for delimiter, cells in rows.items():
        if pair is not None and len(cells) == 2:
            note = (
                "the first line is no header: "
                f"its columns are taken for {pair[0]!r} and {pair[1]!r}"
            )
            return delimiter.join(pair).encode(), note
    return None
