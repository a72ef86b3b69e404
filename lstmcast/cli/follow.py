"""Judge rows from stdin by the forecasts of a run, as they come."""

from typing import TYPE_CHECKING

from lstmcast.cli.options.detection import DetectionOptions
from lstmcast.cli.options.reading import RunDataOptions
from lstmcast.cli.show.console import Reporter
from lstmcast.cli.streaming.follower import (
    LINE_ERRORS,
    LineFollower,
    find_named_header,
)
from lstmcast.cli.streaming.lines import DELIMITERS, NumberedLine, parse_cells
from lstmcast.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

    from lstmcast.monitoring.detect import Detector
    from lstmcast.panel.panel import Panel

_USAGE = "tail -f -n +1 FILE | lstmcast detect RUN -"


class Follower(LineFollower):
    """Judges the rows in lines from stdin by the forecasts of a run."""

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
        super().__init__(report, config, form, _USAGE, detection, safe=safe)
        self.detector = detector

    def count_events(self) -> int:
        """How many events were opened so far."""
        return self.detector.count_events()

    def find_header(self, first: bytes) -> bytes:
        """Return the header; where `tail` left it behind, two columns are known by their order."""
        columns = self.detector.known.columns
        names = (*columns.time, *columns.target)
        is_pair = len(columns.time) == len(columns.target) == 1
        pair = (names[0], names[1]) if is_pair and not columns.series else None
        found = find_named_header(first, columns.target, pair)
        if found is None:
            raise DataError(
                f"stdin:1: no column {columns.target[0]!r} in the header, or no header",
                f"let the header come first: {_USAGE}",
            )
        header, note = found
        if note:
            self.report.say(f"  {note}")
        return header

    def judge_together(self, lines: list[NumberedLine]) -> "pd.DataFrame | None":
        """Judge lines of which each is one new row; None for any others."""
        try:
            panel = self._to_panel(lines)
            # More steps than lines would be gaps that were filled, fewer two lines of one time.
            targets = self.detector.known.columns.target
            expected = len(lines) * len(targets)
            if len(panel.values) != expected or not self.detector.is_new(panel):
                return None
            rows = self._judge_panel(panel)
        except LINE_ERRORS:
            return None
        # A panel is sorted by series, the lines that come are sorted by time.
        return rows.sort_values(self.detector.known.axis.name, kind="stable")

    def judge_line(self, line: NumberedLine) -> "pd.DataFrame":
        """Judge one line; raises DataError that names it."""
        if self.header and self._is_target_missing(line.text):
            return self._missing_rows(line.text)
        try:
            panel = self._to_panel([line])
        except LINE_ERRORS as error:
            raise self.name_line(error, line) from None
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

        known = self.detector.forecaster.panel
        table = self.to_table(lines)
        return Panel.from_table(table, known.columns, self.config, like=known)

    def _judge_panel(self, panel: "Panel") -> "pd.DataFrame":
        result = self.detector.judge(panel, every=True)
        self.show_notes(panel.notes)
        self.count(result.figures)
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
        for delimiter in DELIMITERS:
            names = parse_cells(self.header, delimiter)
            if targets.issubset(names):
                cells = parse_cells(text, delimiter)
                return dict(zip(names, cells, strict=False))
        return {}
