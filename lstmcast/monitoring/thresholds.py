"""How large a score must be to be rare: conformal thresholds that learn as scores come in.

Knows only numbers.
"""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable

import numpy as np

MIN_SCORES = 20
"""Fewer scores than this say nothing about rare ones."""
MAX_SCORES = 10_000
"""So many scores are remembered, or more where the rate needs them."""
_TAIL_SHARE = 0.1
"""Share of the scores that the tail is fitted to, where they are too few for the rate."""
_MAX_ALARM_FACTOR = 10
"""So many times the rate may be alarms: where more are, it is the series that has changed."""
_MAX_TAIL_SHAPE = 0.5
"""Largest shape of a tail: from here on its variance is infinite, which few scores cannot show."""
_PLOTTING_POSITION = 0.35
"""Shift of the ranks that estimate probabilities in weighted moments (Hosking & Wallis 1987)."""
_ROUNDING = 1e-9
"""Slack that keeps a rate such as 0.01 from being rounded to the next count."""


class Threshold:
    """A limit that a new score exceeds with probability `rate` at most, if it is like the others.

    The conformal quantile (Vovk, Gammerman & Shafer 2005; Laxhammar & Falkman 2015): of n scores
    the k-th largest, with k the whole part of rate * (n + 1). Where that is 0, n is too small for
    the rate, and a generalised Pareto tail (Pickands 1975, fitted by probability-weighted moments:
    Hosking & Wallis 1987) reaches beyond the largest score.

    Scores that raised an alarm count as the false alarms that were to be expected, up to their
    number and no further: so anomalies do not lift the limit, and leaving them out does not lower
    it. But where alarms are more than ten times as many as the rate allows, and more than ten, the
    limit rises until they are not: this is how it learns a lasting change. Of more than
    `max_scores` scores the oldest are forgotten.
    """

    def __init__(
        self, rate: float, scores: Iterable[float] = (), max_scores: int = MAX_SCORES
    ) -> None:
        self.rate = rate
        self.max_scores = max(max_scores, 2 * self.scores_needed(rate))

        # The same scores twice: as they came, to forget the oldest; and sorted, to rank them.
        self._scores: deque[tuple[float, bool]] = deque()
        self._ordinary: list[float] = []
        self._alarms: list[float] = []
        self._limit: float | None = None
        for score in scores:
            self.add(score)

    @staticmethod
    def scores_needed(rate: float) -> int:
        """Fewest scores from which a limit of this rate follows without a tail."""
        scores_per_alarm = np.ceil(1 / rate - _ROUNDING)
        return int(scores_per_alarm) - 1

    def __len__(self) -> int:
        return len(self._scores)

    @property
    def is_extrapolated(self) -> bool:
        """Whether there are too few scores for the rate."""
        return len(self) < self.scores_needed(self.rate)

    def add(self, score: float, *, alarm: bool = False) -> None:
        """Add a score, and whether it raised an alarm."""
        self._scores.append((score, alarm))
        same_kind = self._alarms if alarm else self._ordinary
        insort(same_kind, score)

        # The oldest is forgotten, in both orders.
        if len(self._scores) > self.max_scores:
            oldest, was_alarm = self._scores.popleft()
            sorted_scores = self._alarms if was_alarm else self._ordinary
            place = bisect_left(sorted_scores, oldest)
            del sorted_scores[place]

        self._limit = None

    @property
    def limit(self) -> float:
        """The score above which a new one is rare; infinite while there are too few to say."""
        if self._limit is None:
            self._limit = self._compute_limit()
        return self._limit

    def _compute_limit(self) -> float:
        count = len(self)
        if len(self._ordinary) < MIN_SCORES:
            return float("inf")

        # So many alarms stay above the limit at most: it rises to the smallest of them.
        allowed = int(_MAX_ALARM_FACTOR * self.rate * count)
        most = max(_MAX_ALARM_FACTOR, allowed)
        floor = -np.inf
        if len(self._alarms) >= most:
            floor = self._alarms[-most]

        rank = int(self.rate * (count + 1) + _ROUNDING)
        if rank < 1:
            largest = self._ordinary[-1]
            tail = _pareto_quantile(self._ordinary, self.rate)
            return float(max(floor, largest, tail))

        # Alarms are taken for the largest scores, whatever their size.
        rank_among_ordinary = max(rank - len(self._alarms), 1)
        quantile = self._ordinary[-rank_among_ordinary]
        return float(max(floor, quantile))


def _pareto_quantile(scores: list[float], rate: float) -> float:
    """The level exceeded at `rate`, by a generalised Pareto tail of sorted scores."""
    n_scores = len(scores)
    share = int(n_scores * _TAIL_SHARE)
    size = max(share, MIN_SCORES // 2)
    base = scores[-size - 1]
    tail = np.array(scores[-size:])
    excess = tail - base

    # Hosking & Wallis 1987: with a0 the mean and a1 the mean weighted by the share of the tail
    # above each score, shape = 2 - a0 / (a0 - 2 a1) and scale = a0 (1 - shape), the sign of the
    # shape being that of extreme value theory, positive for heavy tails.
    mean = float(excess.mean())
    if mean <= 0:
        return base

    ranks = np.arange(1, size + 1)
    share_above = 1 - (ranks - _PLOTTING_POSITION) / size
    weighted_excess = excess * share_above
    weighted = float(weighted_excess.mean())
    difference = max(mean - 2 * weighted, 1e-12)
    estimate = 2 - mean / difference
    shape = float(np.clip(estimate, 0.0, _MAX_TAIL_SHAPE))
    scale = mean * (1 - shape)

    # The quantile function, whose limit for a shape of 0 is the exponential's.
    expected_beyond = n_scores * rate
    times_rarer = size / expected_beyond
    if shape < 1e-6:
        return float(base + scale * np.log(times_rarer))

    growth = times_rarer**shape - 1
    return float(base + scale / shape * growth)
