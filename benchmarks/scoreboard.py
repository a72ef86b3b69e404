"""Two detectors of the public scoreboard, written anew to check the scoring of it here.

The Numenta Anomaly Benchmark (Lavin & Ahmad 2015) publishes the score of each detector with one
threshold for all of its files. With these thresholds the detectors here have the same scores.
"""

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from benchmarks.detection import Case, measure, summary
from lstmcast.ragged import Floats

GAUSSIAN_ROWS, GAUSSIAN_STRIDE = 6400, 100
"""Rows that the windowed Gaussian looks back on, and how many it moves on at a time."""
PUBLISHED_DIGITS = 12
"""Digits behind the point that the published numbers have: 1 is what is rounded to it."""
ENTROPY_ROWS, ENTROPY_BINS = 52, 5
"""Rows of a window whose values are counted, and how many bins these are counted in."""
ENTROPY_LIMIT = 13.2767
"""What the chi-squared statistic of four degrees of freedom exceeds once in 100 windows."""


class Published(NamedTuple):
    """A detector: its name, the threshold of the scoreboard, and its scores there by group."""

    name: str
    judge: Callable[[Floats], Floats]
    threshold: float
    scores: dict[str, float]


def judge_windowed_gaussian(values: Floats) -> Floats:
    """Return how sure a Gaussian of the rows before is that each row is unusual, [T] in 0 to 1.

    The window grows to `GAUSSIAN_ROWS` and then moves on by `GAUSSIAN_STRIDE`.
    """
    n_rows = len(values)
    scores = np.zeros(n_rows)
    mean, deviation = 0.0, 1.0
    for row in range(1, n_rows):
        beyond = max(row - GAUSSIAN_ROWS, 0)
        moved = beyond // GAUSSIAN_STRIDE * GAUSSIAN_STRIDE
        # A full window stays as it is until as many rows have come as it moves on by.
        if row <= GAUSSIAN_ROWS or beyond % GAUSSIAN_STRIDE == 0:
            window = values[moved:row]
            mean = float(window.mean())
            deviation = float(window.std()) or 1e-6
        distance = abs(float(values[row]) - mean) / deviation
        scores[row] = 1 - math.erfc(distance / math.sqrt(2)) / 2
    return scores.round(PUBLISHED_DIGITS)


def judge_relative_entropy(values: Floats) -> Floats:
    """Return 1 for each row whose window has values in other shares than any before it, [T].

    The shares of a window are tested against those of each kind of window seen so far (Wang et al.
    2011). The range of the bins is that of the whole file.
    """
    lowest = values.min()
    width = (values.max() - lowest) / ENTROPY_BINS
    scores = np.zeros(len(values))
    if width == 0:
        return scores

    bins = np.ceil((values - lowest) / width)
    known: list[Floats] = []
    for row in range(ENTROPY_ROWS - 1, len(values)):
        window = bins[row - ENTROPY_ROWS + 1 : row + 1]
        counted, _ = np.histogram(window, bins=ENTROPY_BINS, range=(0, ENTROPY_BINS))
        shares = counted / counted.sum()
        statistics = [_measure_divergence(shares, other) for other in known]
        if min(statistics, default=math.inf) >= ENTROPY_LIMIT:
            scores[row] = float(bool(known))  # there is none before the first
            known.append(shares)
    return scores


def _measure_divergence(shares: Floats, other: Floats) -> float:
    """Twice the rows of a window times the relative entropy of its shares."""
    held = shares > 0
    if (other[held] == 0).any():
        return math.inf
    terms = shares[held] * np.log(shares[held] / other[held])
    return float(2 * ENTROPY_ROWS * terms.sum())


PUBLISHED = (
    Published(
        "windowed Gaussian",
        judge_windowed_gaussian,
        1.0,
        {"realAWSCloudwatch": 31.24, "realKnownCause": 13.36},
    ),
    Published(
        "relative entropy",
        judge_relative_entropy,
        0.5,
        {"realAWSCloudwatch": 50.02, "realKnownCause": 49.93},
    ),
)
"""Their published results by file, summed over the groups (NAB 1.1, standard profile)."""


def score_as_published(
    detector: Published, cases: Iterable[tuple[Case, Floats]]
) -> float:
    """Return the score of a detector on files and their values, with its published threshold."""
    measured = []
    for case, values in cases:
        alarms = detector.judge(values) >= detector.threshold
        measured.append(measure(case, alarms))
    return summary(measured)["score"]
