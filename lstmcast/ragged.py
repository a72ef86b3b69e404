"""Many series or groups of rows end to end in one array: array types, ranges, medians and fills.

Series of different lengths lie one behind the other, without padding; offsets say where each begins
and where the last one ends. NaN is missing.

Axes: n rows of all series or groups, N series, G groups of neighbouring rows, K columns.
"""

import numpy as np
from numpy.typing import NDArray

NAN = float("nan")

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Singles = NDArray[np.float32]


def offsets_from_lengths(lengths: Ints) -> Ints:
    """Where each series begins and where the last one ends, [N + 1], of lengths [N]."""
    ends = np.cumsum(lengths)
    return np.concatenate([[0], ends]).astype(np.int64)


def concat_ranges(starts: Ints, lengths: Ints) -> Ints:
    """The integers starts[i], ..., starts[i] + lengths[i] - 1 of every i, end to end."""
    ends = np.cumsum(lengths)
    total = ends[-1] if len(ends) else 0
    # Counting on from the end of the range before, each range is off by a constant of its own.
    shifts = starts - (ends - lengths)
    return np.repeat(shifts, lengths) + np.arange(total)


def median_by_series(values: Floats, offsets: Ints) -> Floats:
    """Median of the observed values of each series, [N]; the upper one of an even number."""
    lengths = np.diff(offsets)
    starts = offsets[:-1]
    series = np.repeat(np.arange(len(lengths)), lengths)
    order = np.lexsort((values, series))
    # Missing values come last in each series: the middle is counted among those before them.
    observed = ~np.isnan(values)
    count = np.add.reduceat(observed, starts)
    middle = order[starts + count // 2]
    return np.asarray(values[middle])


def carry_forward(values: Floats, axis: int = 0) -> Floats:
    """Replace each missing value by the last one before it along an axis; leading ones stay."""
    shape = [1] * values.ndim
    shape[axis] = -1
    steps = np.arange(values.shape[axis]).reshape(shape)
    # The place of the last observed value: places only grow, and missing ones count as the first.
    newest = np.maximum.accumulate(np.where(np.isnan(values), 0, steps), axis=axis)
    return np.asarray(np.take_along_axis(values, newest, axis))


def aggregate_groups(values: Floats, starts: Ints, how: str) -> Floats:
    """Aggregate groups of rows [n, K] that begin at `starts` [G] into one row each, [G, K].

    how: one of config's AGGREGATES. An aggregate is missing where all values of its group are.
    """
    observed = ~np.isnan(values)
    count = np.add.reduceat(observed, starts, axis=0, dtype=np.int64)
    # Of each aggregate, missing values are replaced by what does not change it.
    if how in ("first", "last"):
        result = _first_or_last_by_group(values, observed, starts, last=how == "last")
    elif how == "min":
        filled = np.where(observed, values, np.inf)
        result = np.minimum.reduceat(filled, starts, axis=0)
    elif how == "max":
        filled = np.where(observed, values, -np.inf)
        result = np.maximum.reduceat(filled, starts, axis=0)
    elif how == "median":
        result = _median_by_group(values, starts, count)
    elif how == "count":
        result = count.astype(np.float64)
    else:
        filled = np.where(observed, values, 0.0)
        result = np.add.reduceat(filled, starts, axis=0)
        if how == "mean":
            result = result / np.maximum(count, 1)
    return np.where(count > 0, result, np.nan)


def _first_or_last_by_group(
    values: Floats, observed: Bools, starts: Ints, *, last: bool
) -> Floats:
    rows = np.arange(len(values))[:, None]
    if last:
        candidates = np.where(observed, rows, 0)
        places = np.maximum.reduceat(candidates, starts, axis=0)
    else:
        last_row = len(values) - 1
        candidates = np.where(observed, rows, last_row)
        places = np.minimum.reduceat(candidates, starts, axis=0)
    return np.asarray(np.take_along_axis(values, places, axis=0))


def _median_by_group(values: Floats, starts: Ints, count: Ints) -> Floats:
    """Medians [G, K]; the mean of the middle two of an even number."""
    ends = np.append(starts[1:], len(values))
    group = np.repeat(np.arange(len(starts)), ends - starts)
    medians = np.empty(count.shape)
    for k in range(values.shape[1]):
        column = values[:, k]
        # Missing values come last in each group.
        order = np.lexsort((column, group))
        ordered = column[order]
        number = np.maximum(count[:, k], 1)
        lower = ordered[starts + (number - 1) // 2]
        upper = ordered[starts + number // 2]
        medians[:, k] = (lower + upper) / 2
    return medians


def choose_evenly(count: int, most: int, *, round_down: bool = False) -> Ints:
    """Return the places of at most `most` of `count` things, evenly chosen, the ends included.

    [count] where there are no more, else [most]. A place between two is rounded to the nearer one,
    or with `round_down` to the earlier one.
    """
    if count <= most:
        return np.arange(count)
    places = np.linspace(0, count - 1, most)
    if not round_down:
        places = places.round()
    return places.astype(np.int64)
