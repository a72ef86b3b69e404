"""Rows of series that lie end to end: whose they are, and which are among the first of a series.

Axes: N series, T steps; flat arrays hold all series end to end.
"""

import numpy as np

from lstmcast.ragged import Bools, Ints, concat_ranges


def series_of_rows(offsets: Ints) -> Ints:
    """Number of the series that each row belongs to, [sum T]; offsets: [N+1]."""
    lengths = np.diff(offsets)
    n_series = len(lengths)
    series = np.arange(n_series)
    return np.repeat(series, lengths)


def are_first_steps(offsets: Ints, counts: Ints) -> Bools:
    """Which rows are among the first `counts` [N] of their series, [sum T]; offsets: [N+1]."""
    lengths = np.diff(offsets)

    # The number of each row within its series.
    zeros = np.zeros_like(lengths)
    step = concat_ranges(zeros, lengths)

    count = np.repeat(counts, lengths)
    return np.asarray(step < count)
