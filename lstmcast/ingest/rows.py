"""Rows of a table in the order of series and time: keys, sorting, repeated stamps, several targets as series.

Axes: n rows, K targets.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lstmcast.ingest.keys import SeriesKeys
from lstmcast.ingest.timestamps import TimeColumn
from lstmcast.ragged import Floats, Ints

TARGET_KEY = "target"
"""Key column of a wide table: which of its value columns a series is."""


@dataclass(frozen=True)
class Rows:
    """Rows by series, then time: series code [n], stamp [n], row of the table [n], values [n, K].

    Stamps are instants until the axis is known, then ordinals.
    """

    codes: Ints
    stamps: Ints
    rows: Ints
    values: Floats

    def take(self, index: Ints | slice) -> "Rows":
        """The rows of these indices, in their order."""
        return Rows(self.codes[index], self.stamps[index], self.rows[index], self.values[index])

    def same(self) -> NDArray[np.bool_]:
        """Whether each row but the first is of the same series as the row before it, [n - 1]."""
        return np.asarray(self.codes[1:] == self.codes[:-1])

    def starts(self) -> Ints:
        """First row of each series."""
        return np.flatnonzero(np.r_[True, ~self.same()])


def sort_rows(reading: TimeColumn, codes: Ints, values: Floats, notes: list[str]) -> Rows:
    """Rows sorted by series and time; where there is no time column, rows of a series are numbered from 1."""
    rows = Rows(
        codes,
        codes if reading.instants is None else reading.instants,
        np.arange(len(codes)),
        values,
    )
    if (codes[1:] < codes[:-1]).any():
        rows = rows.take(np.argsort(codes, kind="stable"))
    if reading.instants is None:
        starts = rows.starts()
        before = np.repeat(starts, np.diff(np.r_[starts, len(codes)]))
        return replace(rows, stamps=np.arange(len(codes)) - before + 1)
    back, same = rows.stamps[1:] < rows.stamps[:-1], rows.same()
    if not (back & same).any():
        return rows
    notes.append(
        "rows stood newest first: sorted"
        if back[same].all()
        else "rows were not in order of time: sorted"
    )
    return rows.take(np.lexsort((rows.stamps, rows.codes)))


def melt_targets(rows: Rows, keys: SeriesKeys, targets: Sequence[str]) -> tuple[Rows, SeriesKeys]:
    """Several targets as series of their own: the value column's name becomes the last part of the key."""
    count = len(targets)
    if count == 1:
        return rows, keys
    codes = (rows.codes[:, None] * count + np.arange(count)).T.ravel()
    order = np.argsort(codes, kind="stable")
    base = order % len(rows.codes)
    long = Rows(
        codes[order], rows.stamps[base], rows.rows[base], rows.values.T.ravel()[order][:, None]
    )
    wide = [(*key, target) for key in keys.keys for target in targets]
    return long, SeriesKeys(wide, (*keys.names, TARGET_KEY), (*keys.types, "str"))
