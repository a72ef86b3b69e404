"""A judge for each series of data that come as they come, and the table of what it found.

Axes: R rows, N series.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lstmcast.config import DEFAULT_FALSE_ALARM_RATE, Columns
from lstmcast.errors import UsageError, shorten_long_parts
from lstmcast.monitoring.detection import (
    Detection,
    build_judged_rows,
    describe_new_regimes,
)
from lstmcast.monitoring.evidence.stream import (
    EvidenceStream,
    JudgedRow,
    make_unjudged_row,
)
from lstmcast.monitoring.rates import Alarm, require_rate
from lstmcast.monitoring.watch.rows import OrderedRows
from lstmcast.monitoring.watch.shared import SharedMoment, find_shared_moments
from lstmcast.ragged import Ints
from lstmcast.timeaxis.timestamp_format import TimestampFormat

_KNOWN_ROW = make_unjudged_row("known")


@dataclass
class _WatchedSeries:
    """The judge of a series, and how far it has come.

    newest: the largest time that was judged, or the number of the row where there are no times.
    known_until: rows up to this time were judged before, and are not judged again.
    """

    stream: EvidenceStream
    newest: int | None = None
    known_until: int | None = None

    def is_known(self, stamp: int) -> bool:
        """Whether a row of this time was judged before."""
        return self.known_until is not None and stamp <= self.known_until

    def is_late(self, stamp: int) -> bool:
        """Whether a row is older than one that came before it."""
        return self.newest is not None and stamp < self.newest

    def move_to(self, stamp: int) -> None:
        """Go on to a row of this time."""
        self.newest = stamp if self.newest is None else max(self.newest, stamp)


class JudgedRows(NamedTuple):
    """Rows that were judged.

    detection: what was found, with a row for each, in the order of the file. shared: the times at
    which events opened in several series. target: name of the values. form: how times are written.
    """

    detection: Detection
    shared: tuple[SharedMoment, ...]
    target: str
    form: TimestampFormat


class RowWatcher:
    """Judges the rows of any number of series, each by its own past, without a run.

    rate: share of ordinary rows that may open an event. alarm: whether the row that opens an event
    is an anomaly, or each row that belongs to one. A watcher remembers what it has judged: rows
    that are not newer are known from then on. `late_rows` counts those that came after a newer one.

    Raises UsageError for a rate out of range.
    """

    def __init__(
        self, rate: float = DEFAULT_FALSE_ALARM_RATE, *, alarm: Alarm = "event"
    ) -> None:
        require_rate(rate)
        self.rate = rate
        self.alarm = alarm
        self.columns: Columns | None = None
        self.form: TimestampFormat | None = None
        self.late_rows = 0
        self._series: dict[tuple[str, ...], _WatchedSeries] = {}

    def judge(self, rows: OrderedRows) -> JudgedRows:
        """Judge the rows of a file, each series in the order of its times.

        Rows that are not newer than those of a file before are known, and not judged again.

        Raises UsageError where the columns are not those of the rows before.
        """
        self._require_same_columns(rows)
        for series in self._series.values():
            series.known_until = series.newest
        return self._judge_in_order(rows, rows.order_by_time(), numbers_begin_anew=True)

    def judge_arriving(self, rows: OrderedRows) -> JudgedRows:
        """Judge rows in the order in which they arrive, whatever their times; else as `judge`.

        Known are only rows that were judged before the watcher was saved. Rows without times are
        all taken as new.
        """
        self._require_same_columns(rows)
        if rows.stamps is None:
            for series in self._series.values():
                series.known_until = None
        order = np.arange(len(rows))
        return self._judge_in_order(rows, order, numbers_begin_anew=False)

    def _judge_in_order(
        self, rows: OrderedRows, order: Ints, *, numbers_begin_anew: bool
    ) -> JudgedRows:
        watched = [self._find_series(key) for key in rows.keys]
        codes = rows.codes.tolist()
        values = rows.values.tolist()
        # Without times the rows of a series are numbered from 1.
        numbers = [0] * len(watched)
        if not numbers_begin_anew:
            numbers = [series.newest or 0 for series in watched]
        stamps = np.zeros(len(rows), dtype=np.int64)
        if rows.stamps is not None:
            stamps = rows.stamps

        judged = [_KNOWN_ROW] * len(rows)
        for place in order.tolist():
            code = codes[place]
            series = watched[code]
            if rows.stamps is None:
                numbers[code] += 1
                stamps[place] = numbers[code]
            stamp = int(stamps[place])
            if series.is_known(stamp):
                continue

            # A row that came late says nothing about gaps.
            is_late = series.is_late(stamp)
            has_time = rows.stamps is not None and not is_late
            time = float(stamp) if has_time else None
            judged[place] = series.stream.judge_row(values[place], time)
            self.late_rows += is_late
            series.move_to(stamp)
        return self._gather_results(rows, stamps, judged)

    def _gather_results(
        self, rows: OrderedRows, stamps: Ints, judged: list[JudgedRow]
    ) -> JudgedRows:
        columns = {**rows.key_columns(), rows.time: pd.Index(rows.form.write(stamps))}
        table = build_judged_rows(columns, rows.values, judged, self.alarm)

        def name_row(place: int) -> tuple[str, str]:
            [stamp] = rows.form.texts(stamps[[place]])
            return "/".join(rows.keys[rows.codes[place]]), stamp

        regimes = describe_new_regimes(judged, name_row)
        detection = Detection(table, (*rows.notes, *regimes))
        opens = np.array([row.opens for row in judged], dtype=bool)
        shared = find_shared_moments(rows, stamps, opens)
        target = " and ".join(rows.columns.target)
        return JudgedRows(detection, shared, target, rows.form)

    def count_events(self) -> int:
        """How many events were opened so far, also before it was saved."""
        return sum(one.stream.n_events for one in self._series.values())

    def _find_series(self, key: tuple[str, ...]) -> _WatchedSeries:
        if key not in self._series:
            self._series[key] = _WatchedSeries(EvidenceStream(self.rate))
        return self._series[key]

    def _require_same_columns(self, rows: OrderedRows) -> None:
        """Raise UsageError where the columns or times of rows are not those of the rows before."""
        if self.columns is None or self.form is None:
            self.columns = rows.columns
            self.form = rows.form
            return
        for role in ("target", "series", "time"):
            before = getattr(self.columns, role)
            now = getattr(rows.columns, role)
            if before != now:
                raise _other_columns_error(role, before, now)
        if (self.form.kind == "step") != (rows.form.kind == "step"):
            raise UsageError(
                f"the times of {rows.time!r} were of another kind in the rows before",
                "give data of the same kind, or begin anew with another --state",
            )

    def to_state(self) -> dict[str, Any]:
        """All that is remembered, as JSON can hold it; `from_state` goes on from it."""
        columns = None if self.columns is None else asdict(self.columns)
        form = None if self.form is None else asdict(self.form)
        series = [
            {"key": key, "newest": one.newest, "stream": one.stream.to_state()}
            for key, one in self._series.items()
        ]
        return {"rate": self.rate, "columns": columns, "form": form, "series": series}

    @classmethod
    def from_state(
        cls, state: Mapping[str, Any], *, alarm: Alarm = "event"
    ) -> "RowWatcher":
        """Go on from what `to_state` gave, as if there had been no break."""
        watcher = cls(state["rate"], alarm=alarm)
        if state["columns"]:
            roles = {role: tuple(names) for role, names in state["columns"].items()}
            watcher.columns = Columns(**roles)
            watcher.form = TimestampFormat(**state["form"])
        for one in state["series"]:
            stream = EvidenceStream.from_state(one["stream"])
            newest = one["newest"]
            watched = _WatchedSeries(stream, newest, known_until=newest)
            watcher._series[tuple(one["key"])] = watched
        return watcher


def _other_columns_error(
    role: str, before: tuple[str, ...], now: tuple[str, ...]
) -> UsageError:
    shown = [
        shorten_long_parts(", ".join(names)) if names else "none"
        for names in (before, now)
    ]
    return UsageError(
        f"the rows before had --{role} {shown[0]}, these have --{role} {shown[1]}",
        "give the same columns, or begin anew with another --state",
    )
