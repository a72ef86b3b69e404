"""What is measured of a row against the rows before it: large numbers are unusual.

Each measure is in units of the series, or without one; how rare its numbers are is found
elsewhere. All of them take the values as they come, whatever the time between them.

Axes: T newest rows, K shapes, S rows of a shape.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from lstmcast.monitoring.evidence.sorted_window import SortedWindow
from lstmcast.ragged import Floats

MEASURES = ("change", "level", "mean", "spread", "range", "shape")
"""Names of the measures, in the order of their numbers."""
LEVEL_ROWS = 500
"""Rows whose median is the level of the recent past."""
_MEAN_ROWS, _PAST_MEAN_ROWS = 10, 300
"""Rows of a mean, and rows before them whose mean it is compared with."""
_SPREAD_ROWS = 20
"""Rows whose mean change is the spread."""
_USUAL_SPREAD_ROWS = 2_000
"""Spreads whose median is the usual one."""
_SPREAD_FLOOR = 0.01
"""Share of the mean change that is added to spreads: near to none, the logarithm says nothing."""
_SHAPE_ROWS, _SHAPES = 12, 1_000
"""Rows of a shape, and how many shapes before it it is compared with."""
_MIN_SHAPES = 20
_MIN_PAST_ROWS = 20
ROWS_MEASURED = {"mean": _MEAN_ROWS, "spread": _SPREAD_ROWS, "shape": _SHAPE_ROWS}
"""Rows up to this one that measures look at; the others look at one."""
_MEMORY_ROWS = _SHAPES + 2 * _SHAPE_ROWS
"""Newest rows that any of the measures looks at."""


class Reference(NamedTuple):
    """What a measure is measured from: how far a value lies below `low`, or above `high`.

    below, above: units of these distances.
    """

    low: float
    high: float
    below: float = 1.0
    above: float = 1.0


class RecentRows:
    """The newest values of a series, side by side in memory."""

    def __init__(self, values: Floats) -> None:
        self._buffer = np.zeros(4 * _MEMORY_ROWS)
        self._end = len(values)
        self._buffer[: self._end] = values
        # The same memory as shapes [.., S], one beginning at each row.
        self._shapes = sliding_window_view(self._buffer, _SHAPE_ROWS)

    def add(self, value: float) -> None:
        """Append a value; those that no measure needs any more are forgotten."""
        if self._end == len(self._buffer):
            newest = self._buffer[-_MEMORY_ROWS:].copy()
            self._buffer[:_MEMORY_ROWS] = newest
            self._end = _MEMORY_ROWS
        self._buffer[self._end] = value
        self._end += 1

    def newest(self, count: int = _MEMORY_ROWS) -> Floats:
        """The newest `count` values, or as many as there are, oldest first."""
        return self._buffer[max(self._end - count, 0) : self._end]

    def past_shapes(self) -> Floats:
        """The shapes that end before the newest one begins, [K, S]."""
        first = max(self._end - _MEMORY_ROWS, 0)
        newest_begins = self._end - _SHAPE_ROWS
        return self._shapes[first : newest_begins - _SHAPE_ROWS + 1]


class RowMeasures:
    """Measures the rows of one series as they come.

    change: distance to the value before, the forecast of a random walk. level: distance to the
    median of the last 500 rows. mean: distance of the mean of ten rows to that of the 300 before
    them. spread: how many times larger or smaller the changes of the last 20 rows are than usual,
    as a logarithm. range: how far the value lies outside of all that was ever seen, relative to
    that range. shape: distance of the last 12 rows to the nearest of the 1,000 shapes before them
    (a discord: Keogh, Lin & Fu 2005).
    """

    def __init__(self) -> None:
        self._rows = RecentRows(np.zeros(0))
        self._level = SortedWindow(LEVEL_ROWS)
        self._spreads = SortedWindow(_USUAL_SPREAD_ROWS)
        self._low = math.inf
        self._high = -math.inf
        self._count = 0
        self._change_sum = 0.0

    @property
    def last(self) -> float:
        """The value of the newest row, NaN before the first."""
        newest = self._rows.newest(1)
        return float(newest[0]) if len(newest) else math.nan

    def measure_row(self, value: float) -> dict[str, float]:
        """Measure the next row, and remember it; measures that need more rows are left out."""
        found: dict[str, float] = {}
        if self._count >= 1:
            change = abs(value - self.last)
            found["change"] = change
            self._change_sum += change
        if self._count >= _MIN_PAST_ROWS:
            found["level"] = abs(value - self._level.median())
            found["range"] = self._measure_range(value)
        self._remember(value)

        if self._count >= _MEAN_ROWS + _MIN_PAST_ROWS:
            found["mean"] = self._measure_mean()
        if self._count > _SPREAD_ROWS:
            self._measure_spread(found)
        if self._count >= 2 * _SHAPE_ROWS + _MIN_SHAPES:
            found["shape"] = self._measure_shape()
        return found

    def find_references(self) -> dict[str, Reference]:
        """What change, level and range of the next row are measured from, where they are known."""
        found = {}
        if self._count >= 1:
            last = self.last
            found["change"] = Reference(last, last)
        if self._count >= _MIN_PAST_ROWS:
            level, width = self._level.median(), self._range_width
            found["level"] = Reference(level, level)
            found["range"] = Reference(self._low, self._high, width, width)
        return found

    def _remember(self, value: float) -> None:
        self._rows.add(value)
        self._level.add(value)
        self._low = min(self._low, value)
        self._high = max(self._high, value)
        self._count += 1

    def _measure_range(self, value: float) -> float:
        beyond = max(value - self._high, self._low - value, 0.0)
        return beyond / self._range_width

    @property
    def _range_width(self) -> float:
        """Width of all that was seen; of what never changed, rounding stands in."""
        rounding = 1e-9 * (1 + abs(self._high))
        return max(self._high - self._low, rounding)

    def _measure_mean(self) -> float:
        rows = self._rows.newest(_PAST_MEAN_ROWS + _MEAN_ROWS)
        newest = rows[-_MEAN_ROWS:].mean()
        before = rows[:-_MEAN_ROWS].mean()
        return float(abs(newest - before))

    def _measure_spread(self, found: dict[str, float]) -> None:
        """Add the spread to what was found, where it is known what is usual."""
        rows = self._rows.newest(_SPREAD_ROWS + 1)
        mean_change = float(np.abs(rows[1:] - rows[:-1]).mean())
        usual_change = self._change_sum / (self._count - 1)
        rounding = 1e-12 * (1 + abs(self._high))
        spread = math.log(mean_change + _SPREAD_FLOOR * usual_change + rounding)
        if len(self._spreads) >= _MIN_PAST_ROWS:
            found["spread"] = abs(spread - self._spreads.median())
        self._spreads.add(spread)

    def _measure_shape(self) -> float:
        shape = self._rows.newest(_SHAPE_ROWS)
        past = self._rows.past_shapes()
        # Rows of a shape come first, so that sums go along memory.
        differences = np.abs(past.T - shape[:, None])
        distances = differences.sum(axis=0)
        return float(distances.min()) / _SHAPE_ROWS

    def to_state(self) -> dict[str, Any]:
        """What is remembered, as plain numbers and lists."""
        return {
            "rows": self._rows.newest().tolist(),
            "spreads": self._spreads.arrived,
            "low": self._low,
            "high": self._high,
            "count": self._count,
            "change_sum": self._change_sum,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "RowMeasures":
        """Go on from what `to_state` gave."""
        measures = cls()
        rows = state["rows"]
        measures._rows = RecentRows(np.array(rows, dtype=np.float64))
        measures._level = SortedWindow(LEVEL_ROWS, rows[-LEVEL_ROWS:])
        measures._spreads = SortedWindow(_USUAL_SPREAD_ROWS, state["spreads"])
        measures._low = state["low"]
        measures._high = state["high"]
        measures._count = state["count"]
        measures._change_sum = state["change_sum"]
        return measures
