"""Runs of one and the same value: how long they may be before a sensor counts as stuck.

A stuck sensor is forecast well, since the forecast follows it: its errors say nothing. What gives
it away is a run of equal values longer than the history ever had, and longer than chance makes one.
A missing row neither ends such a run nor counts in it: a drop-out is no stuck sensor. Knows neither
forecasts nor tables.

Axes: T rows of a series, R runs of equal values.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from lstmcast.monitoring.conformal import find_conformal_limit
from lstmcast.monitoring.evidence.rarity import MIN_NUMBERS
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Floats, Ints

MIN_FLAT_ROWS = 4
"""Equal values that are never too many: rounding repeats as many in any series."""
_LONGER_FACTOR = 1.5
"""How many times longer than the longest run of the history an ordinary run may be: nights, closed
days and holidays differ a little from year to year."""
_HABITUAL_EVENTS = 3
"""So many runs beyond its limit make a habit of a value: the series has changed."""
_FREQUENT_COUNT, _FREQUENT_SHARE = 20, 0.02
"""A value that comes at least so often, in number and share, is judged by its own runs."""
_MANY_FREQUENT = 3
"""So many frequent values say how long any value stays."""
_MAX_RUNS = 10_000
"""Newest runs that limits follow from."""
_ENDLESS = 2**62

_SeriesKey = tuple[str, ...]


class FlatRuns(NamedTuple):
    """Runs of equal values: the value of each, and how many rows it has, [R] each."""

    values: Floats
    lengths: Ints


def find_flat_runs(y: Floats) -> FlatRuns:
    """Find the runs of equal values of a series [T]; missing rows are left out."""
    is_observed = ~np.isnan(y)
    observed = y[is_observed]
    if not len(observed):
        none = np.zeros(0, np.int64)
        return FlatRuns(observed, none)

    rises = np.diff(observed)
    changes = np.flatnonzero(rises) + 1
    starts = np.r_[0, changes]
    lengths = np.diff(starts, append=len(observed))
    return FlatRuns(observed[starts], lengths.astype(np.int64))


@dataclass(frozen=True)
class FlatRunLimits:
    """The most rows that an ordinary run of equal values has.

    own: of the values that are frequent, such as the zeros of a shop that is often closed. other:
    of all others together.
    """

    own: dict[float, int] = field(default_factory=dict)
    other: int = MIN_FLAT_ROWS

    @classmethod
    def from_runs(cls, runs: FlatRuns, rate: float) -> "FlatRunLimits":
        """Limits that an ordinary run exceeds with a probability of about `rate`."""
        values, place = np.unique(runs.values, return_inverse=True)
        if len(values) == 1:
            # What never changed may go on so.
            only = float(values[0])
            return cls({only: _ENDLESS}, MIN_FLAT_ROWS)

        # Counted in rows: a value of few but long runs is frequent, too.
        counts = np.bincount(place, weights=runs.lengths, minlength=len(values))
        share_of_all = _FREQUENT_SHARE * counts.sum()
        least = max(_FREQUENT_COUNT, share_of_all)
        is_frequent = counts >= least

        own = {}
        for number in np.flatnonzero(is_frequent).tolist():
            lengths = runs.lengths[place == number]
            value = float(values[number])
            own[value] = _longest_ordinary_run(lengths, rate)

        is_rare = ~is_frequent[place]
        rare = runs.lengths[is_rare]
        other = _longest_ordinary_run(rare, rate)
        if len(own) >= _MANY_FREQUENT:
            # Coarse readings: a new one repeats as those that are known.
            typical = np.median(list(own.values()))
            other = max(other, int(typical))
        return cls(own, other)

    def of(self, value: float) -> int:
        """The most rows that an ordinary run of this value has."""
        return self.own.get(value, self.other)


def _longest_ordinary_run(lengths: Ints, rate: float) -> int:
    """Rows [R] of runs seen so far -> the most rows that a further one has, but for the rate."""
    longest = int(lengths.max(initial=0))
    beyond_longest = _LONGER_FACTOR * longest

    if len(lengths) >= MIN_NUMBERS:
        newest = lengths[-_MAX_RUNS:].tolist()
        by_chance = find_conformal_limit(newest, rate)
    else:
        # Few runs: as if each row repeated the one before it with the share seen (Laplace's rule
        # of succession, so that a share of 0 or 1 is never certain).
        rows = int(lengths.sum())
        repeats = rows - len(lengths)
        share = (repeats + 1) / (rows + 2)
        # A run goes on for n more rows with the probability share ** n: n where that is the rate.
        more_rows = np.log(rate) / np.log(share)
        by_chance = 1 + more_rows

    limit = max(beyond_longest, by_chance, MIN_FLAT_ROWS)
    return int(np.ceil(limit))


@dataclass
class _OpenRun:
    """The run of equal values that a series is in, and the ordinal of its last row."""

    value: float
    length: int
    last: int


class FlatRunCounter:
    """Counts equal values in a row, series by series, as rows come, and knows how many are usual.

    history: a panel whose runs say what is usual; the next rows go on from its last ones. A series
    that is not in it is judged by the runs of all of them. adapt: whether a value that is beyond
    its limit time and again gets a higher one.
    """

    def __init__(self, history: Panel, rate: float, *, adapt: bool) -> None:
        self._rate = rate
        self._adapt = adapt
        self._beyond: dict[tuple[_SeriesKey, float], list[int]] = {}
        # Limits follow from the runs when a row needs them: most never do.
        self._runs: dict[_SeriesKey, FlatRuns] = {}
        self._limits: dict[_SeriesKey | None, FlatRunLimits] = {}
        self._open: dict[_SeriesKey, _OpenRun] = {}

        for number, key in enumerate(history.keys):
            y = history.series(number)
            runs = find_flat_runs(y)
            self._runs[key] = runs
            if not len(runs.values):
                continue

            # The next rows go on from the last run, after the last row with a value.
            observed = np.flatnonzero(~np.isnan(y))
            last = int(history.start[number] + observed[-1])
            value = float(runs.values[-1])
            length = int(runs.lengths[-1])
            self._open[key] = _OpenRun(value, length, last)

    def measure_excess(self, key: _SeriesKey, ordinal: int, value: float) -> float:
        """Take the next row of a series: rows of its run over the most that are ordinary.

        Above 1 the value has not changed for too long. A missing value changes nothing and is 0.
        """
        if np.isnan(value):
            return 0.0

        run = self._open.get(key)
        # A row that is not newer begins anew: it is judged a second time.
        goes_on = run is not None and value == run.value and ordinal > run.last
        if run is None or not goes_on:
            if run is not None and self._adapt:
                self._learn(key, run)
            run = _OpenRun(value, 0, ordinal)
            self._open[key] = run

        run.length += 1
        run.last = ordinal
        # So short a run is ordinary in any series: most never need a limit of their own.
        if run.length <= MIN_FLAT_ROWS:
            return run.length / MIN_FLAT_ROWS
        limit = self._limit(key, value)
        return run.length / limit

    def _limit(self, key: _SeriesKey, value: float) -> int:
        """The most rows of an ordinary run of a value in a series."""
        limit = self._series_limits(key).of(value)
        beyond = self._beyond.get((key, value), [])
        if len(beyond) < _HABITUAL_EVENTS:
            return limit

        higher = _LONGER_FACTOR * max(beyond)
        return int(np.ceil(higher))

    def _series_limits(self, key: _SeriesKey) -> FlatRunLimits:
        """Limits by the runs of a series; of a new one, by those of all."""
        known = key if key in self._runs else None
        if known not in self._limits:
            seen = list(self._runs.values())
            if known is not None:
                seen = [self._runs[known]]
            runs = _concatenate_runs(seen)
            self._limits[known] = FlatRunLimits.from_runs(runs, self._rate)
        return self._limits[known]

    def _learn(self, key: _SeriesKey, ended: _OpenRun) -> None:
        """Remember a run that was longer than is ordinary."""
        if ended.length <= MIN_FLAT_ROWS:
            return
        limit = self._limit(key, ended.value)
        if ended.length > limit:
            beyond = self._beyond.setdefault((key, ended.value), [])
            beyond.append(ended.length)


def _concatenate_runs(found: Iterable[FlatRuns]) -> FlatRuns:
    runs = list(found)
    values = np.concatenate([one.values for one in runs])
    lengths = np.concatenate([one.lengths for one in runs])
    return FlatRuns(values, lengths)
