"""Values that are stuck, and gaps between rows: what a series' own past never had.

A sensor that hangs, or that no longer reports, gives no unusual value: it is the time that goes by
that is unusual.
"""

from collections import deque
from typing import Any

import numpy as np

from lstmcast.monitoring.flat_runs import MIN_FLAT_ROWS, FlatRunLimits, FlatRuns

_RUNS_KEPT = 2_000
"""Runs of equal values that are remembered."""
_MIN_RUNS = 10
"""Fewer runs than this say nothing about how long a further one may be."""
_ROWS_BETWEEN_LIMITS = 500
"""Rows after which limits are found anew from the runs since."""
_GAP_FACTOR = 3.0
"""How many times longer than any interval before it a gap is."""
_MIN_INTERVALS = 20
"""Fewer intervals than this say nothing about gaps."""


class StuckCounter:
    """Counts equal values in a row, as rows come, and says when they are too many.

    Limits are those of `flat_runs.FlatRunLimits`, by the runs of the series so far.
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._runs: deque[tuple[float, int]] = deque(maxlen=_RUNS_KEPT)
        self._value = float("nan")
        self._length = 0
        self._is_over = False
        self._rows_until_limits = 0
        self._limits = FlatRunLimits()

    def is_stuck(self, value: float) -> bool:
        """Take the next value; whether it has stayed the same for too long."""
        if value != self._value:
            if self._length:
                self._runs.append((self._value, self._length))
            self._value = value
            self._length = 0
            self._is_over = False
        self._length += 1
        self._rows_until_limits -= 1

        # So short a run is ordinary in any series, and what hardly ever changed may go on so.
        if self._length <= MIN_FLAT_ROWS or len(self._runs) < _MIN_RUNS:
            return False
        if self._rows_until_limits <= 0:
            self._find_limits()
        # What is stuck stays so until it moves, also where a limit has grown since.
        self._is_over = self._is_over or self._length > self._limits.of(value)
        return self._is_over

    def _find_limits(self) -> None:
        values, lengths = zip(*self._runs, strict=True)
        lengths_seen = np.array(lengths, dtype=np.int64)
        runs = FlatRuns(np.array(values, dtype=np.float64), lengths_seen)
        self._limits = FlatRunLimits.from_runs(runs, self._rate)
        self._rows_until_limits = _ROWS_BETWEEN_LIMITS

    def to_state(self) -> dict[str, Any]:
        """What is remembered, as plain numbers and lists."""
        runs = [list(run) for run in self._runs]
        has_value = self._length > 0
        value = self._value if has_value else None
        length, is_over = self._length, self._is_over
        return {"runs": runs, "value": value, "length": length, "is_over": is_over}

    @classmethod
    def from_state(cls, state: dict[str, Any], rate: float) -> "StuckCounter":
        """Go on from what `to_state` gave."""
        counter = cls(rate)
        counter._runs.extend((value, length) for value, length in state["runs"])
        counter._length = state["length"]
        counter._is_over = state["is_over"]
        if counter._length:
            counter._value = state["value"]
        return counter


class GapFinder:
    """Says when the time since the row before is longer than it ever was, by far.

    A gap that has come once is no surprise any more: the longest interval includes it.
    """

    def __init__(self) -> None:
        self._last: float | None = None
        self._longest = 0.0
        self._count = 0

    def is_after_gap(self, time: float) -> bool:
        """Take the time of the next row, in any unit; whether there is a gap before it."""
        if self._last is None:
            self._last = time
            return False

        interval = time - self._last
        self._last = time
        is_known = self._count >= _MIN_INTERVALS and self._longest > 0
        is_gap = is_known and interval > _GAP_FACTOR * self._longest
        self._longest = max(self._longest, interval)
        self._count += 1
        return is_gap

    def to_state(self) -> dict[str, Any]:
        """What is remembered, as plain numbers."""
        return {"last": self._last, "longest": self._longest, "count": self._count}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "GapFinder":
        """Go on from what `to_state` gave."""
        finder = cls()
        finder._last = state["last"]
        finder._longest = state["longest"]
        finder._count = state["count"]
        return finder
