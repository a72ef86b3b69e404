"""How rare a number is among those before it, as a power of ten. Knows only numbers."""

import math
from collections.abc import Iterable
from typing import NamedTuple

from lstmcast.monitoring.evidence.sorted_window import SortedWindow

WINDOW_ROWS = 10_000
"""Rows that a measure is compared with: older ones are forgotten."""
MIN_NUMBERS = 20
"""Fewer numbers than this say nothing about rare ones."""
_ANCHOR_RANK = 3
"""Rank from the top up to which the numbers themselves say how rare one is."""
_TAIL_SHARE, _MIN_TAIL_NUMBERS = 0.02, 10
"""Share and least number of the largest numbers, whose mean excess is the scale of the tail."""
_TAIL_SHAPE = 0.3
"""Shape of the generalised Pareto tail: heavy, as measures of real series are."""
_MIN_RELATIVE_SCALE = 1e-3
"""Smallest scale of the tail, relative to its beginning: rounding makes no rarity."""


class _Tail(NamedTuple):
    """The largest numbers: how many, the one that they begin after, and what lies beyond them.

    anchor: the number at the anchor's rank. scale: of the tail beyond it.
    """

    size: int
    begin: float
    anchor: float
    scale: float


class RarityScale:
    """Tells how rare a number is: 3 for one that is exceeded once in 1,000 rows.

    Up to the third largest number seen it is the observed share. Beyond it a generalised Pareto
    tail (Pickands 1975) goes on from there, whose scale is the mean excess of the largest 2 % of
    the numbers. The two largest do not widen it, however large they are. least_scale: smallest
    scale of the tail, where more is known of the numbers than they show at first.
    """

    def __init__(
        self, numbers: Iterable[float] = (), least_scale: float = 1e-12
    ) -> None:
        self._seen = SortedWindow(WINDOW_ROWS, numbers)
        self._least_scale = least_scale
        self._tail: _Tail | None = None

    @property
    def numbers(self) -> list[float]:
        """The numbers learnt, as they came."""
        return self._seen.arrived

    def learn(self, number: float) -> None:
        """Take a number into account for those after it."""
        oldest = self._seen.add(number)
        tail = self._tail
        # Most numbers are no part of the tail, and it is the same after them.
        if tail is not None and (
            number > tail.begin
            or (oldest is not None and oldest >= tail.begin)
            or tail.size != self._count_tail()
        ):
            self._tail = None

    def measure_rarity(self, number: float) -> float:
        """The negative decimal logarithm of the share of rows that are as large; 0 at first."""
        count = len(self._seen)
        if count < MIN_NUMBERS:
            return 0.0

        at_least = self._seen.count_from(number)
        if at_least >= _ANCHOR_RANK:
            return math.log10((count + 1) / at_least)

        tail = self._find_tail()
        excess = max(number - tail.anchor, 0.0) / tail.scale
        # The generalised Pareto's survival function is (1 + shape * excess) ** (-1 / shape).
        decay = math.log1p(_TAIL_SHAPE * excess) / _TAIL_SHAPE
        at_anchor = math.log10((count + 1) / _ANCHOR_RANK)
        return at_anchor + decay / math.log(10)

    def find_limit(self, rarity: float) -> float:
        """The number that is as rare as this, infinite while there are too few to say."""
        count = len(self._seen)
        if count < MIN_NUMBERS:
            return math.inf

        at_anchor = math.log10((count + 1) / _ANCHOR_RANK)
        if rarity <= at_anchor:
            rank = round((count + 1) / 10**rarity)
            return self._seen.at_rank(min(max(rank, 1), count))

        tail = self._find_tail()
        growth = 10 ** ((rarity - at_anchor) * _TAIL_SHAPE)
        return tail.anchor + tail.scale * (growth - 1) / _TAIL_SHAPE

    def _count_tail(self) -> int:
        return max(_MIN_TAIL_NUMBERS, int(_TAIL_SHARE * len(self._seen)))

    def _find_tail(self) -> _Tail:
        """The tail of the numbers so far."""
        if self._tail is None:
            self._tail = self._fit_tail()
        return self._tail

    def _fit_tail(self) -> _Tail:
        size = self._count_tail()
        begin, *tail = self._seen.largest(size + 1)
        anchor = tail[-_ANCHOR_RANK]
        # The numbers beyond the anchor may be anomalies: only their count is used (the maximum
        # likelihood of a censored exponential sample: Epstein & Sobel 1953).
        beyond = _ANCHOR_RANK - 1
        excess = math.fsum(tail[:-beyond]) + beyond * anchor - size * begin
        mean_excess = excess / (size - _ANCHOR_RANK + 1)
        scale = max(mean_excess, _MIN_RELATIVE_SCALE * abs(begin), self._least_scale)
        return _Tail(size, begin, anchor, scale)
