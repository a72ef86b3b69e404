"""Series of different frequencies in one table: found, and listed in groups.

Axes: n stamps sorted by series, then time, without duplicates; S series of some of them.
"""

from collections.abc import Sequence

import numpy as np

from lstmcast.errors import DataError, listed
from lstmcast.grid import find_grid
from lstmcast.layouts import Bools, Ints

_LEAST_STEPS = 3
"""Fewer steps than this say nothing about a series' frequency."""
_STEADY = 0.12
"""Steps that differ by no more than this from the usual one are of one frequency, as months are."""
_SHOWN = 4


def slower_series(ordinals: Ints, codes: Ints) -> Bools:
    """Which series [S], in the order of their rows, step regularly by several periods while others step by one."""
    starts = np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]])
    ends = np.r_[starts[1:], len(codes)]
    if (ordinals[ends - 1] - ordinals[starts] == ends - starts - 1).all():  # all step by one
        return np.zeros(len(starts), dtype=bool)
    steps = np.diff(ordinals, append=ordinals[-1:])
    steps[ends - 1] = np.iinfo(np.int64).max  # after its last stamp a series has no step
    candidates = np.asarray(np.minimum.reduceat(steps, starts) > 1)
    candidates &= ends - starts > _LEAST_STEPS
    if candidates.all() or not candidates.any():
        return np.zeros(len(starts), dtype=bool)
    place = np.cumsum(np.r_[False, codes[1:] != codes[:-1]])
    rows = candidates[place] & (steps < np.iinfo(np.int64).max)
    usual = _medians(steps[rows], place[rows], len(starts))
    near = np.abs(steps - usual[place]) <= _STEADY * usual[place]
    steady = np.bincount(place, rows & near, len(starts)) >= 0.75 * np.bincount(place, rows, len(starts))
    return np.asarray(candidates & steady)


def mixed_frequencies(instants: Ints, codes: Ints, series: Sequence[str], *, integer: bool) -> DataError | None:
    """The error that lists the groups of series by their own frequency, where there are several."""
    place = np.cumsum(np.r_[False, codes[1:] != codes[:-1]])
    starts = np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]])
    ends = np.r_[starts[1:], len(codes)]
    inside = np.flatnonzero(place[1:] == place[:-1])
    usual = _medians((instants[1:] - instants[:-1])[inside], place[inside], len(starts))
    groups: dict[str, list[int]] = {}
    long = np.flatnonzero(ends - starts > 2)
    for step in np.unique(usual[long])[:50].tolist():
        members = long[usual[long] == step]
        part = slice(starts[members[0]], ends[members[0]])
        words = find_grid(instants[part], codes[part], integer=integer).words
        groups.setdefault(words, []).extend(codes[starts[members]].tolist())
    if len(groups) < 2:
        return None
    shown = "; ".join(f"{words}: {_names(sorted(codes), series)}" for words, codes in list(groups.items())[:_SHOWN])
    return DataError(
        f"series have different frequencies: {shown}",
        "forecast each group by itself, or make them one with --resample, for example --resample MS:mean",
    )


def _medians(steps: Ints, place: Ints, count: int) -> Ints:
    """Lower median of the steps of each series; 0 where it has none."""
    ordered = steps[np.lexsort((steps, place))]
    many = np.bincount(place, minlength=count)
    middle = np.cumsum(many) - many + (many - 1) // 2
    return np.where(many > 0, ordered[np.minimum(middle, len(steps) - 1)] if len(steps) else 0, 0)


def _names(codes: Sequence[int], series: Sequence[str]) -> str:
    return listed([series[code] if code < len(series) else str(code) for code in codes[:4]], len(codes))
