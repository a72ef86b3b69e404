"""Rows that come on stdin, judged as they come: a line out for each line in, and no more memory for more lines."""

import csv
import io
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import IO, TYPE_CHECKING

from lstmcast.cli.show import output
from lstmcast.cli.show.console import Reporter
from lstmcast.config import BadRows
from lstmcast.errors import DataError, RunError

if TYPE_CHECKING:
    import pandas as pd

    from lstmcast.monitoring.detect import Detector
    from lstmcast.panel.panel import Panel

_BLOCK_BYTES = 1 << 16
MAX_LINE_BYTES = 1 << 20
"""Bytes of a line: more is no line of a table."""
LINE_ERRORS = (DataError, RunError)
"""What a line can be wrong with; text where there were numbers is an error about the run only for a
whole file."""
_DELIMITERS = ",;\t|"
_MAX_NOTES = 100
"""So many different remarks on the data are said, each once."""
NumberedLine = tuple[int, bytes]
"""Its number, counted from 1, and what stands in it."""


class Follower:
    """Reads lines, has the rows in them judged, and writes what comes of it at once."""

    def __init__(
        self,
        report: Reporter,
        detector: "Detector",
        form: str,
        bad_rows: BadRows | None = None,
        *,
        safe: bool = False,
    ) -> None:
        config = detector.forecaster.config.data
        self.report, self.detector, self.form, self.safe = report, detector, form, safe
        self.config = replace(config, bad_rows="error")
        self.skips = (bad_rows or config.bad_rows) == "skip"
        self.header = b""
        self.begun = False
        self.said: set[str] = set()
        self.figures: Counter[str] = Counter(anomalies=0, points=0, runs=0, judged=0, share=0)

    def run(self) -> dict[str, float]:
        """Judge until stdin ends; returns how many rows were judged, and how. DataError for a line that is bad."""
        self.report.say("reading stdin, row by row")
        for lines in read_line_blocks(sys.stdin.buffer):
            if not self.header and self.config.header is not False:
                lines = self._read_header(lines)
            if lines:
                self._judge_lines(lines)
        if not self.begun:
            raise DataError(
                "stdin has no rows",
                "give a header and rows: tail -f -n +1 FILE | lstmcast detect RUN -",
            )
        share = self.figures["anomalies"] / max(self.figures["judged"], 1)
        return {**self.figures, "share": share}

    def _read_header(self, lines: list[NumberedLine]) -> list[NumberedLine]:
        """Take the header off the first lines; where `tail` left it behind, two columns are known by their order."""
        columns = self.detector.known.columns
        first = lines[0][1].removeprefix(b"\xef\xbb\xbf")
        cells = [_parse_cells(first, mark) for mark in _DELIMITERS]
        if any(set(columns.target) <= set(names) for names in cells):
            self.header = first
            return lines[1:]
        two = (*columns.time, *columns.target)
        for mark, names in zip(_DELIMITERS, cells, strict=True):
            if len(two) == len(names) == 2 and len(columns.time) == 1 and not columns.series:
                self.report.say(
                    f"  the first line is no header: its columns are taken for {two[0]!r} and {two[1]!r}"
                )
                self.header = mark.join(two).encode()
                return lines
        raise DataError(
            f"stdin:1: no column {columns.target[0]!r} in the header, or no header",
            "let the header come first: tail -f -n +1 FILE | lstmcast detect RUN -",
        )

    def _judge_lines(self, lines: list[NumberedLine]) -> None:
        """Judge lines at once where they are plain; else one by one, so that each has its line, or its error."""
        rows = None
        if len(lines) > 1:
            try:
                panel = self._to_panel(lines)
                plain = len(panel.values) == len(lines) * len(self.detector.known.columns.target)
                rows = self._judge_panel(panel) if plain and self.detector.is_new(panel) else None
            except LINE_ERRORS:
                rows = None
        if rows is not None:
            self._write_rows(rows.sort_values(self.detector.known.axis.name, kind="stable"))
            return
        for line in lines:
            try:
                self._write_rows(self._judge_line(line))
            except DataError as error:
                if not self.skips:
                    raise
                self.report.say(f"skipped: {error.message}")

    def _judge_line(self, line: NumberedLine) -> "pd.DataFrame":
        number = line[0]
        if self.header and self._is_target_missing(line[1]):
            return self._missing_rows(line[1])
        try:
            panel = self._to_panel([line])
        except LINE_ERRORS as error:
            place = 2 if self.header else 1
            said = re.sub(rf"^stdin(:{place})?:? |stdin:{place}: ", "", error.message)
            raise DataError(f"stdin:{number}: {said}", error.hint) from None
        if not self.detector.is_new(panel) and not self.detector.is_known(panel):
            last = panel.axis.texts(panel.start)[0]
            raise DataError(
                f"stdin:{number}: {last} is not newer than the row before it",
                "rows must come in the order of time, each once; --bad-rows skip leaves others out",
            )
        return self._judge_panel(panel)

    def _to_panel(self, lines: list[NumberedLine]) -> "Panel":
        from lstmcast.panel.panel import Panel
        from lstmcast.tables.read import read_bytes

        known = self.detector.forecaster.panel
        data = b"\n".join(
            [self.header, *(text for _, text in lines)]
            if self.header
            else [text for _, text in lines]
        )
        table = read_bytes(data + b"\n", "stdin", self.config)
        return Panel.from_table(table, known.columns, self.config, like=known)

    def _judge_panel(self, panel: "Panel") -> "pd.DataFrame":
        found = self.detector.judge(panel, every=True)
        new = [
            note for note in panel.notes if note not in self.said and len(self.said) < _MAX_NOTES
        ]
        self.said.update(new)
        self.report.found(new)
        self.figures.update(
            {name: int(value) for name, value in found.figures.items() if name != "share"}
        )
        return found.rows

    def _is_target_missing(self, text: bytes) -> bool:
        """Whether every target of a line is a mark of missing values."""
        cells = self._cells_by_column(text)
        targets = [cells.get(name) for name in self.detector.known.columns.target]
        return all(cell is not None and cell.strip() in self.config.na for cell in targets)

    def _missing_rows(self, text: bytes) -> "pd.DataFrame":
        """The rows of a line without a value: what it is named by, as it stands there."""
        import pandas as pd

        from lstmcast.monitoring.detect import NUMERIC_COLUMNS

        known, cells = self.detector.known, self._cells_by_column(text)
        columns = known.columns
        rows = []
        for target in columns.target:
            named = {name: cells.get(name, target) for name in known.key_names}
            time = " ".join(cells.get(name, "") for name in columns.time)
            rows.append(
                {
                    **named,
                    known.axis.name: time,
                    **dict.fromkeys(NUMERIC_COLUMNS),
                    "anomaly": 0,
                    "kind": "missing",
                }
            )
        return pd.DataFrame(rows)

    def _cells_by_column(self, text: bytes) -> dict[str, str]:
        for mark in _DELIMITERS:
            names = _parse_cells(self.header, mark)
            if set(self.detector.known.columns.target) <= set(names):
                return dict(zip(names, _parse_cells(text, mark), strict=False))
        return {}

    def _write_rows(self, rows: "pd.DataFrame") -> None:
        quiet = Reporter(quiet=True) if self.begun else self.report
        safe = output.with_escaped_formulas(rows, self.form, quiet, safe=self.safe)
        output.write_stdout(output.encode_table(safe, self.form, header=not self.begun))
        self.begun = True


def is_text_stream(stream: IO[bytes]) -> bool:
    """Whether a stream begins as text does; waits for its first bytes and leaves them where they are."""
    start = stream.peek(4)[:4] if isinstance(stream, io.BufferedReader) else b""
    return not start.startswith(
        (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PAR1", b"ARRO", b"\xff\xff\xff\xff")
    )


def read_line_blocks(stream: IO[bytes]) -> Iterator[list[NumberedLine]]:
    """Whole lines as they arrive, all that are there at once; empty ones are left out. A quoted cell may span lines."""
    rest, number = b"", 1
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
        yield [(number, rest.rstrip(b"\r\n"))]


def _split_lines(data: bytes, number: int) -> tuple[list[NumberedLine], bytes, int]:
    """The whole lines of some bytes, what is left of them, and the number of the line that begins there."""
    *whole, rest = data.split(b"\n")
    lines: list[NumberedLine] = []
    held: list[bytes] = []
    for part in whole:
        held.append(part)
        if b"\n".join(held).count(b'"') % 2 == 0:
            text = b"\n".join(held).rstrip(b"\r")
            if text.strip():
                lines.append((number, text))
            number += len(held)
            held = []
    return lines, b"\n".join([*held, rest]), number


def _parse_cells(line: bytes, mark: str) -> list[str]:
    text = line.decode("utf-8", "replace")
    return [cell.strip() for cell in next(csv.reader([text], delimiter=mark), [])]
