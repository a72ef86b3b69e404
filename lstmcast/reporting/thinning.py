"""Long series thinned for a picture: as few rows as it can show, and no spike is lost.

Axes: T rows of a series.
"""

from dataclasses import replace

import numpy as np

from lstmcast.ragged import Bools, Floats, Ints
from lstmcast.reporting.judged_series import JudgedSeries

_ROWS_A_COLUMN = 4
"""Rows that are kept of a column at most: the first, the last, the least and the largest."""


def thin_series(
    series: JudgedSeries, n_columns: int, whole: Bools | None = None
) -> JudgedSeries:
    """Keep the first, last, least and largest value of each column of a picture.

    A line through these looks the same as one through all values (M4: Jugel, Jerzak, Hackenbroich &
    Markl 2014, "M4: a visualization-oriented time series data aggregation"). The first and the last
    row of each event are kept, too. The band becomes the widest one of the column, so that no value
    lies outside of it that was inside. A series that is short enough stays as it is.

    n_columns: columns of equal width. whole: rows [T] that are all kept, with their own bands.
    """
    if len(series) <= _ROWS_A_COLUMN * n_columns:
        return series
    columns = _number_columns(series.coordinates, n_columns, whole)
    starts = np.flatnonzero(np.diff(columns, prepend=-1))
    # Rows that end an event belong to no column's extremes, and are shown all the same.
    ends = [
        place
        for event in series.events
        for place in (event.first, event.opened, event.last)
    ]
    kept = np.unique(
        np.concatenate(
            [
                starts,
                np.append(starts[1:], len(series)) - 1,
                _find_extremes(series.actual, starts, columns),
                _find_extremes(-series.actual, starts, columns),
                np.array(ends, dtype=np.int64),
            ]
        )
    )
    low = np.fmin.reduceat(series.low, starts)[columns]
    high = np.fmax.reduceat(series.high, starts)[columns]
    return replace(series, low=low, high=high).select_rows(kept)


def _number_columns(at: Floats, n_columns: int, whole: Bools | None) -> Ints:
    """Number the columns [T] that rows fall into, without numbers that no row has."""
    span = float(at[-1] - at[0]) or 1.0
    shares = (at - at[0]) / span
    columns = np.minimum((shares * n_columns).astype(np.int64), n_columns - 1)
    begins = np.diff(columns, prepend=-1) != 0
    if whole is not None:
        # Each of these rows is a column of its own, and the row after them begins another.
        begins |= whole | np.append([False], whole[:-1])
    return np.cumsum(begins) - 1


def _find_extremes(values: Floats, starts: Ints, columns: Ints) -> Ints:
    """Places of the least value of each column that has one."""
    least = np.fmin.reduceat(values, starts)
    places = np.flatnonzero(values == least[columns])
    _, firsts = np.unique(columns[places], return_index=True)
    found: Ints = places[firsts]
    return found
