"""A judge for each series of data that come as they come, and the table of what it found.

Axes: R rows, N series.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from lstmcast.config import DEFAULT_FALSE_ALARM_RATE, Columns
from lstmcast.errors import UsageError, shorten_long_parts
from lstmcast.monitoring.evidence.stream import EvidenceStream, JudgedRow
from lstmcast.monitoring.watch.rows import OrderedRows
from lstmcast.monitoring.watch.shared import SharedMoment, find_shared_moments
from lstmcast.ragged import Ints
from lstmcast.timeaxis.timestamp_format import TimestampFormat

Alarm = Literal["event", "row"]
"""What is an anomaly: the row that opens an event, or each row that belongs to one."""
POINT_REASONS = frozenset(("error", "level", "range"))
"""Reasons for which a row is unusual by itself, not together with those before it."""


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

    rows: one for each, in the order of the file: the columns of the series, the time, `actual`,
    `expected`, `low` and `high`, `score`, `anomaly`, `kind`, `event` and `reason`. shared: the
    times at which events opened in several series.
    """

    rows: pd.DataFrame
    shared: tuple[SharedMoment, ...]


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
        EvidenceStream(rate)  # refuses a rate that is out of range
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

        found = _JudgedTable(len(rows), self.alarm)
        for place in order.tolist():
            code = codes[place]
            series = watched[code]
            if rows.stamps is None:
                numbers[code] += 1
                stamps[place] = numbers[code]
            stamp = int(stamps[place])
            if series.is_known(stamp):
                found.kinds[place] = "known"
                continue

            # A row that came late says nothing about gaps.
            is_late = series.is_late(stamp)
            has_time = rows.stamps is not None and not is_late
            time = float(stamp) if has_time else None
            judged = series.stream.judge_row(values[place], time)
            self.late_rows += is_late
            series.move_to(stamp)
            found.add(place, judged)
        table = pd.DataFrame(
            {
                **rows.key_columns(),
                rows.time: pd.Index(rows.form.write(stamps)),
                "actual": rows.values,
                **found.columns(),
            }
        )
        return JudgedRows(table, find_shared_moments(rows, stamps, found.opens))

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


class _JudgedTable:
    """The columns of what was found of R rows, filled in place."""

    def __init__(self, size: int, alarm: Alarm) -> None:
        self.alarm = alarm
        self.kinds = ["" for _ in range(size)]
        self._reasons = ["" for _ in range(size)]
        self._numbers = np.full((size, 4), np.nan)
        self._events = np.zeros(size, dtype=np.int64)
        self.opens = np.zeros(size, dtype=bool)

    def add(self, place: int, judged: JudgedRow) -> None:
        """Fill in what was found of the row at this place."""
        self._numbers[place] = (
            judged.expected,
            judged.low,
            judged.high,
            judged.likelihood,
        )
        self._events[place] = judged.event
        self.opens[place] = judged.opens
        self.kinds[place] = name_kind(judged)
        self._reasons[place] = ", ".join(judged.reasons)

    def columns(self) -> dict[str, Any]:
        """The columns, in the order of the table."""
        expected, low, high, score = self._numbers.T
        events = pd.array(self._events, dtype="Int64")
        events[self._events == 0] = pd.NA
        is_anomaly = self._events > 0 if self.alarm == "row" else self.opens
        return {
            "expected": expected,
            "low": low,
            "high": high,
            "score": score,
            "anomaly": is_anomaly.astype(np.int64),
            "kind": pd.Series(self.kinds, dtype="str"),
            "event": events,
            "reason": pd.Series(self._reasons, dtype="str"),
        }


def name_kind(judged: JudgedRow) -> str:
    """The kind of a row in the table: point or run for a value that is unusual."""
    if judged.kind != "value":
        return judged.kind
    return "point" if judged.reasons[0] in POINT_REASONS else "run"


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
