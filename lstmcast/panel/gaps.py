"""Gaps of series, filled as the user asked: for the network to read, never to learn or to score.

A forecast must not know what comes after its origin, so a line over a gap is only drawn once the
value after the gap is there: up to then the last value stands. A step inside a gap that a line
crosses is called open: what is read there was drawn to a later value.

Axes: N series, T steps, K windows; flat arrays hold all series end to end.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lstmcast.ragged import Bools, Floats, Ints

if TYPE_CHECKING:
    from lstmcast.panel.panel import Panel


class _Neighbours(NamedTuple):
    """Of each step [sum T], the nearest rows with a value; -1 where the series has none there."""

    before: Ints
    after: Ints


def fill_gaps(panel: "Panel") -> Floats:
    """Values [sum T] as the network reads them; NaN where nothing was observed before.

    After the last value of a series it stands on, whichever way gaps are filled.
    """
    values = panel.values
    missing = np.isnan(values)
    if panel.fill == "none" or not missing.any():
        return values

    before, after = _find_neighbours(panel)
    has_before = before >= 0

    # The last value stands until the next one.
    carried = np.where(has_before, values[before], np.nan)
    if panel.fill == "forward":
        return carried

    # The line from the value before to the value after, where there is one.
    rows = np.arange(len(values))
    between = missing & has_before & (after >= 0)
    # Of an observed step both neighbours are the step itself: no division by zero.
    width = np.maximum(after - before, 1)
    share = (rows - before) / width

    rise = np.where(between, values[after] - carried, 0.0)
    part = np.where(between, share * rise, 0.0)
    return np.asarray(carried + part)


def find_open_steps(panel: "Panel") -> Bools | None:
    """Which steps [sum T] are read as a line to a later value; None where none are."""
    if panel.fill != "linear":
        return None

    missing = np.isnan(panel.values)
    before, after = _find_neighbours(panel)

    has_both = (before >= 0) & (after >= 0)
    is_open = missing & has_both
    if not is_open.any():
        return None
    return is_open


def find_gap_ends(panel: "Panel", series: Ints, origins: Ints) -> Ints:
    """Steps before the next value after each origin [K]: the end of the gap that it lies in."""
    _, after = _find_neighbours(panel)
    first = panel.offsets[series]
    rows = first + origins
    return np.asarray(after[rows] - first)


def settle_origins(panel: "Panel", series: Ints, origins: Ints) -> Ints:
    """The origins [...] of series [...], those in an open gap moved back to the value before it."""
    is_open = find_open_steps(panel)
    if is_open is None:
        return origins

    before, _ = _find_neighbours(panel)
    first = panel.offsets[series]
    # An origin before the first step of a series has no row: it stays as it is.
    inside = np.maximum(origins, 0)
    rows = first + inside
    settled_rows = np.where(is_open[rows], before[rows], rows)
    settled = settled_rows - first
    is_before_all = origins < 0
    return np.asarray(np.where(is_before_all, origins, settled))


def without_lines(panel: "Panel", *, joint: bool) -> "Panel":
    """Return the panel filled forward where series are read together.

    A line in one of them would show what comes next, in a gap of which another knows nothing.
    """
    if joint and panel.fill == "linear":
        return replace(panel, fill="forward")
    return panel


def _find_neighbours(panel: "Panel") -> _Neighbours:
    count = len(panel.values)
    rows = np.arange(count)
    observed = ~np.isnan(panel.values)

    # Of each row, where its series begins and ends.
    starts = np.repeat(panel.offsets[:-1], panel.lengths)
    ends = np.repeat(panel.offsets[1:], panel.lengths)

    earlier = np.where(observed, rows, -1)
    before = np.maximum.accumulate(earlier)
    later = np.where(observed, rows, count)
    backwards = later[::-1]
    after = np.minimum.accumulate(backwards)[::-1]

    # A neighbour in another series is none.
    has_before = before >= starts
    has_after = after < ends
    return _Neighbours(
        before=np.where(has_before, before, -1),
        after=np.where(has_after, after, -1),
    )
