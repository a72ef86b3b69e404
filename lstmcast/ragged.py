"""Rows in groups: where the groups begin, and many numbers of a group made one, where some are missing.

Axes: n rows in order, G groups of neighbouring rows, K columns. NaN is missing.
"""

import numpy as np
from numpy.typing import NDArray

NAN = float("nan")

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Singles = NDArray[np.float32]


def aggregate_groups(values: Floats, starts: Ints, how: str) -> Floats:
    """One row [G, K] of each group of rows [n, K] that begins at `starts`; missing where all of its values are.

    how: one of config's AGGREGATES.
    """
    known = ~np.isnan(values)
    seen = np.add.reduceat(known, starts, axis=0, dtype=np.int64)
    if how in ("first", "last"):
        made = _first_or_last_by_group(values, known, starts, last=how == "last")
    elif how in ("min", "max"):
        edge = np.inf if how == "min" else -np.inf
        made = (np.minimum if how == "min" else np.maximum).reduceat(
            np.where(known, values, edge), starts, axis=0
        )
    elif how == "median":
        made = _medians_by_group(values, starts, seen)
    elif how == "count":
        made = seen.astype(np.float64)
    else:
        total = np.add.reduceat(np.where(known, values, 0.0), starts, axis=0)
        made = total / np.maximum(seen, 1) if how == "mean" else total
    return np.where(seen > 0, made, np.nan)


def _first_or_last_by_group(
    values: Floats, known: NDArray[np.bool_], starts: Ints, *, last: bool
) -> Floats:
    rows = np.arange(len(values))[:, None]
    if last:
        place = np.maximum.reduceat(np.where(known, rows, 0), starts, axis=0)
    else:
        place = np.minimum.reduceat(np.where(known, rows, len(values) - 1), starts, axis=0)
    return np.asarray(np.take_along_axis(values, place, axis=0))


def _medians_by_group(values: Floats, starts: Ints, seen: Ints) -> Floats:
    group = np.repeat(np.arange(len(starts)), np.diff(np.r_[starts, len(values)]))
    made = np.empty(seen.shape)
    for column in range(values.shape[1]):
        ordered = values[
            np.lexsort((values[:, column], group)), column
        ]  # the missing come last of each group
        many = np.maximum(seen[:, column], 1)
        made[:, column] = (ordered[starts + (many - 1) // 2] + ordered[starts + many // 2]) / 2
    return made


def fill_missing(values: Floats, how: str) -> Floats:
    """Series end to end, each beginning and ending with a value, without missing ones.

    how: "forward" repeats the value before, "linear" draws a line to the value after, "zero" is 0,
    "none" leaves them.
    """
    missing = np.isnan(values)
    if how == "none" or not missing.any():
        return values
    if how == "zero":
        return np.where(missing, 0.0, values)
    places = np.arange(len(values))
    if how == "forward":
        return np.asarray(values[np.maximum.accumulate(np.where(missing, 0, places))])
    known = ~missing
    return np.asarray(np.interp(places, places[known], values[known]))


def offsets_from_lengths(lengths: Ints) -> Ints:
    """Where each of several groups end to end begins, and where the last one ends: [N + 1] for lengths [N]."""
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def median_by_series(values: Floats, offsets: Ints) -> Floats:
    """Median of the observed values of each series, [N]; the upper one of an even number."""
    lengths = np.diff(offsets)
    owner = np.repeat(np.arange(len(lengths)), lengths)
    order = np.lexsort((values, owner))  # NaN sort last
    seen = np.add.reduceat(~np.isnan(values), offsets[:-1])
    return np.asarray(values[order[offsets[:-1] + seen // 2]])


def concat_ranges(starts: Ints, lengths: Ints) -> Ints:
    """The integers starts[i], ..., starts[i] + lengths[i] - 1 of every i, end to end."""
    ends = np.cumsum(lengths)
    return np.repeat(starts - (ends - lengths), lengths) + np.arange(ends[-1] if len(ends) else 0)


def choose_evenly(count: int, most: int, *, round_down: bool = False) -> Ints:
    """Return the places of at most `most` of `count` things, evenly chosen, the ends included.

    [count] where there are no more, else [most]. A place between two is rounded to the nearer one,
    or with `round_down` to the earlier one.
    """
    if count <= most:
        return np.arange(count)
    places = np.linspace(0, count - 1, most)
    return (places if round_down else places.round()).astype(np.int64)
