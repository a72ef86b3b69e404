"""Judge rows from stdin without a run, as they come, and keep what is remembered in a file."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from lstmcast.cli.options.detection import DetectionOptions
from lstmcast.cli.show.console import Reporter
from lstmcast.cli.streaming.follower import (
    LINE_ERRORS,
    LineFollower,
    find_named_header,
)
from lstmcast.cli.streaming.lines import DELIMITERS, NumberedLine, parse_cells
from lstmcast.compute.interrupt import SignalDeferral
from lstmcast.config import Columns, DataConfig
from lstmcast.errors import DataError, LstmcastError, suggest_similar

if TYPE_CHECKING:
    import pandas as pd

    from lstmcast.monitoring.watch.rows import OrderedRows
    from lstmcast.monitoring.watch.watcher import RowWatcher
    from lstmcast.tables.table import Table

_USAGE = "tail -f -n +1 FILE | lstmcast detect -"
_ROWS_BETWEEN_SAVES = 10_000
"""Rows that are judged again, at most, where the process is killed."""
_DEFAULT_TIME_NAME = "time"
_LATE_ROW_NOTE = "a row came late, after a newer one: such rows are judged as they come"


class WatchFollower(LineFollower):
    """Judges the rows in lines from stdin, each series by its own past.

    requested: the roles of columns that are known, without a target where it is to be inferred.
    save: writes what the watcher remembers.
    """

    def __init__(
        self,
        report: Reporter,
        watcher: "RowWatcher",
        form: str,
        requested: Mapping[str, tuple[str, ...]],
        config: DataConfig,
        detection: DetectionOptions = DetectionOptions(),  # noqa: B008 - frozen
        *,
        save: Callable[[], None],
        safe: bool = False,
    ) -> None:
        super().__init__(report, config, form, _USAGE, detection, safe=safe)
        self.watcher = watcher
        self.save = save
        self.requested = dict(requested)
        self.columns: Columns | None = None
        self.unsaved_rows = 0
        self.events_before = watcher.count_events()

    def run(self) -> dict[str, float]:
        """Judge rows until stdin ends or a signal comes; what is remembered is saved then.

        Raises DataError for a line that is bad, unless bad rows are skipped.
        """
        try:
            figures = super().run()
        except BaseException as error:
            # What came out of a bug, or could not be written, is not to be remembered.
            if isinstance(error, LstmcastError) or not isinstance(error, Exception):
                self._save()
            raise
        self._save()
        return figures

    def judge_block(self, lines: list[NumberedLine]) -> None:
        """Judge lines that arrived together; a signal waits until their results are written."""
        with SignalDeferral(lambda: None):
            # Before they are judged: those ahead of a bad line are to be saved, too.
            self.unsaved_rows += len(lines)
            super().judge_block(lines)
            if self.unsaved_rows >= _ROWS_BETWEEN_SAVES:
                self._save()

    def _save(self) -> None:
        if self.unsaved_rows and self.watcher.columns is not None:
            self.save()
            self.unsaved_rows = 0

    def count_events(self) -> int:
        """How many events were opened since it began to read."""
        return self.watcher.count_events() - self.events_before

    def find_header(self, first: bytes) -> bytes:
        """Return the header; where `tail` left it behind, two columns are known by their order."""
        targets = self.requested.get("target", ())
        if not targets:
            return first
        found = find_named_header(first, targets, self._find_pair(first, targets))
        if found is None:
            cells = max((parse_cells(first, one) for one in DELIMITERS), key=len)
            raise DataError(
                f"stdin:1: no column {targets[0]!r} in the header, or no header",
                f"let the header come first: {_USAGE}; {suggest_similar(targets[0], cells)}",
            )
        header, note = found
        if note:
            self.report.say(f"  {note}")
        return header

    def _find_pair(
        self, first: bytes, targets: tuple[str, ...]
    ) -> tuple[str, str] | None:
        """Names of the columns of a line of a time and a number, where it is one."""
        time = self.requested.get("time", (_DEFAULT_TIME_NAME,))
        is_pair = len(time) == len(targets) == 1 and not self.requested.get("series")
        rows = [parse_cells(first, delimiter) for delimiter in DELIMITERS]
        has_number = any(len(cells) == 2 and _is_number(cells[1]) for cells in rows)
        return (time[0], targets[0]) if is_pair and has_number else None

    def judge_together(self, lines: list[NumberedLine]) -> "pd.DataFrame | None":
        """Judge lines; None where one of them is bad."""
        try:
            rows = self._to_rows(lines)
        except LINE_ERRORS:
            return None
        return self._judge_rows(rows)

    def judge_line(self, line: NumberedLine) -> "pd.DataFrame":
        """Judge one line; raises DataError that names it."""
        try:
            rows = self._to_rows([line])
        except LINE_ERRORS as error:
            raise self.name_line(error, line) from None
        return self._judge_rows(rows)

    def _to_rows(self, lines: list[NumberedLine]) -> "OrderedRows":
        from lstmcast.monitoring.watch.rows import read_ordered_rows

        table = self.to_table(lines)
        columns = self.columns or self._find_columns(table)
        rows = read_ordered_rows(table, columns, self.config, self.watcher.form)
        self.columns = rows.columns
        return rows

    def _find_columns(self, table: "Table") -> Columns:
        """The roles that are known, with the only column of numbers where the target is not."""
        if not self.requested.get("target"):
            from lstmcast.inspection.columns import infer_only_target

            target = infer_only_target(table, self.requested)
            self.requested["target"] = (target,)
            self.show_notes([f"target is {target!r}, the only column of numbers"])
        return Columns(**self.requested)

    def _judge_rows(self, rows: "OrderedRows") -> "pd.DataFrame":
        from lstmcast.monitoring.watch.shared import describe_shared_moments

        judged = self.watcher.judge_arriving(rows)
        detection = judged.detection
        # Of lines that came one by one, only the targets of one line can be compared.
        shared = describe_shared_moments(judged.shared)
        self.show_notes([*detection.notes, *shared])
        self.count(detection.figures)
        if self.watcher.late_rows:
            self.show_notes([_LATE_ROW_NOTE])
        return detection.rows


def _is_number(text: str) -> bool:
    """Whether a cell holds a number, with either mark of decimals."""
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True
