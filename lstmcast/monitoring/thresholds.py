"""How large a score must be to be called rare: conformal thresholds that learn as scores pass. Knows only numbers."""

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
"""So many times the rate may be alarms for long: more than that are no anomalies, but a world that
has changed."""
_MAX_TAIL_SHAPE = 0.5
"""Largest shape of a tail: from here on its variance is infinite, and a few scores cannot tell."""


class Threshold:
    """A limit that a new score exceeds with probability `rate` at most, if it is one more of the scores seen.

    The conformal quantile (Vovk, Gammerman & Shafer 2005; Laxhammar & Falkman 2015): of n scores
    the k-th largest, with k the whole part of rate * (n + 1). Where that is 0, n is too small for
    the rate, and a generalised Pareto tail (Pickands 1975, fitted by probability-weighted moments:
    Hosking & Wallis 1987) reaches beyond what was seen.

    Scores that raised an alarm count as the false alarms that were to be expected, up to their
    number and no further: so anomalies do not lift the limit, and leaving them out does not lower
    it. But where alarms are more than ten times as many as the rate allows, and more than ten, the
    limit rises until they are not: this is how it learns a change that lasts. Of more than `kept`
    scores the oldest are forgotten.
    """

    def __init__(self, rate: float, scores: Iterable[float] = (), kept: int = MAX_SCORES) -> None:
        self.rate = rate
        self.kept = max(kept, 2 * self.scores_needed(rate))
        self._passed: deque[tuple[float, bool]] = deque()
        self._calm: list[float] = []
        self._alarms: list[float] = []
        self._limit: float | None = None
        for score in scores:
            self.add(score)

    @staticmethod
    def scores_needed(rate: float) -> int:
        """Fewest scores from which a limit of this rate follows without a tail."""
        return int(np.ceil(1 / rate - 1e-9)) - 1

    def __len__(self) -> int:
        return len(self._passed)

    @property
    def is_extrapolated(self) -> bool:
        """Whether there are too few scores for the rate."""
        return len(self) < self.scores_needed(self.rate)

    def add(self, score: float, *, alarm: bool = False) -> None:
        """One more score, and whether it raised an alarm."""
        self._passed.append((score, alarm))
        insort(self._alarms if alarm else self._calm, score)
        if len(self._passed) > self.kept:
            old, alarmed = self._passed.popleft()
            among = self._alarms if alarmed else self._calm
            del among[bisect_left(among, old)]
        self._limit = None

    @property
    def limit(self) -> float:
        """The score above which a new one is rare; infinite while too few were seen to say."""
        if self._limit is None:
            self._limit = self._compute_limit()
        return self._limit

    def _compute_limit(self) -> float:
        count = len(self)
        if len(self._calm) < MIN_SCORES:
            return float("inf")
        most = max(_MAX_ALARM_FACTOR, int(_MAX_ALARM_FACTOR * self.rate * count))
        least = self._alarms[-most] if len(self._alarms) >= most else -np.inf
        rank = int(self.rate * (count + 1) + 1e-9)
        if rank < 1:
            return float(max(least, self._calm[-1], _pareto_quantile(self._calm, self.rate)))
        return float(max(least, self._calm[-max(rank - len(self._alarms), 1)]))


def _pareto_quantile(calm: list[float], rate: float) -> float:
    """The level exceeded at `rate`, by the tail of sorted scores."""
    size = max(int(len(calm) * _TAIL_SHARE), MIN_SCORES // 2)
    base = calm[-size - 1]
    excess = np.array(calm[-size:]) - base
    mean = float(excess.mean())
    if mean <= 0:
        return base
    weighted = float((excess * (1 - (np.arange(1, size + 1) - 0.35) / size)).mean())
    shape = float(np.clip(2 - mean / max(mean - 2 * weighted, 1e-12), 0.0, _MAX_TAIL_SHAPE))
    scale = mean * (1 - shape)
    beyond = size / (len(calm) * rate)
    return float(
        base + (scale * np.log(beyond) if shape < 1e-6 else scale / shape * (beyond**shape - 1))
    )
