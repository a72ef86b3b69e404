"""Windows for which a series has to be cut off, as its features would know what comes after them.

Axes: N series, K windows.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from lstmcast.panel.gaps import find_gap_ends, find_open_steps
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Bools, Ints


class CutWindows(NamedTuple):
    """Some windows [k] and a panel that ends where they may look, with their series in it [k]."""

    windows: Ints
    past: Panel
    series: Ints


def iter_cut_windows(
    panel: Panel, series: Ints, origins: Ints, season: int, *, joint: bool
) -> Iterator[CutWindows]:
    """Yield the windows [K] that begin in the first season of a series, or in a gap with a line.

    joint: whether series read one another.
    """
    # Before the end of its first season a series is cut off at the origin: its features would use
    # the rest of that season.
    is_early = origins < season - 1
    early = np.flatnonzero(is_early)
    if len(early):
        # Joint series read each other, which windows cut at different steps must not: each of
        # them goes alone.
        groups = early[:, None] if joint else [early]
        for windows in groups:
            whole = panel.select(series[windows])
            past = whole.head(origins[windows] + 1)
            own_series = np.arange(len(windows))
            yield CutWindows(windows, past, own_series)

    yield from _iter_gap_windows(panel, series, origins, ~is_early)


def _iter_gap_windows(
    panel: Panel, series: Ints, origins: Ints, among: Bools
) -> Iterator[CutWindows]:
    """Yield the windows of `among` [K] that begin in a gap which is read as a line.

    The line is not drawn before its end is known: of a series that ends with the gap, the last
    value stands on.
    """
    is_open = find_open_steps(panel)
    if is_open is None:
        return

    begin = panel.offsets[series]
    in_gap = among & is_open[begin + origins]

    # A gap is known by its series and where it ends: its windows share one panel.
    ends = find_gap_ends(panel, series, origins)
    gaps = np.stack([series, ends])
    distinct = np.unique(gaps[:, in_gap], axis=1)
    for gap in distinct.T:
        is_same = gaps == gap[:, None]
        is_of_gap = is_same.all(axis=0)
        windows = np.flatnonzero(in_gap & is_of_gap)

        # Slices of one keep the axis of the series.
        number = gap[:1]
        end = gap[1:]
        past = panel.select(number).head(end)
        only_series = np.zeros(len(windows), np.int64)
        yield CutWindows(windows, past, only_series)
