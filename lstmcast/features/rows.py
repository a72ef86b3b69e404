"""Rows of series that lie end to end: whose they are, and which are among the first of a series.

Axes: N series, T steps; flat arrays hold all series end to end.
"""

import numpy as np

from lstmcast.ragged import Bools, Ints, concat_ranges


def series_of_rows(offsets: Ints) -> Ints:
    """Number of the series that each row belongs to, [sum T]; offsets: [N+1]."""
    lengths = np.diff(offsets)
    return np.repeat(np.arange(len(lengths)), lengths)


def are_first_steps(offsets: Ints, counts: Ints) -> Bools:
    """Which rows are among the first `counts` [N] of their series, [sum T]; offsets: [N+1]."""
    lengths = np.diff(offsets)
    step = concat_ranges(np.zeros_like(lengths), lengths)
    return np.asarray(step < np.repeat(counts, lengths))
