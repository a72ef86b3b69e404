"""Rows of a table in the order of series and time, and several targets as series of their own.

Axes: n rows, K targets.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lstmcast.ingest.keys import SeriesKeys
from lstmcast.ingest.timestamps import TimeColumn
from lstmcast.ragged import Bools, Floats, Ints

TARGET_KEY = "target"
"""Key column of a wide table: which of its value columns a series is."""


@dataclass(frozen=True)
class Rows:
    """Rows by series, then time: codes [n], stamps [n], rows of the table [n], values [n, K].

    Stamps are instants until the axis is known, then ordinals.
    """

    codes: Ints
    stamps: Ints
    rows: Ints
    values: Floats

    def take(self, index: Ints | slice) -> "Rows":
        """The rows of these indices, in their order."""
        return Rows(
            codes=self.codes[index],
            stamps=self.stamps[index],
            rows=self.rows[index],
            values=self.values[index],
        )

    def continues_series(self) -> Bools:
        """Whether each row but the first is of the same series as the row before it, [n - 1]."""
        return repeats_before(self.codes)

    def starts(self) -> Ints:
        """First row of each series."""
        return find_group_starts(~self.continues_series())


def repeats_before(values: Ints) -> Bools:
    """Whether each value [n] but the first is the same as the one before it, [n - 1]."""
    before = values[:-1]
    return np.asarray(values[1:] == before)


def find_group_starts(begins_group: Bools) -> Ints:
    """Find the first row of each group; begins_group: [n - 1], of each row but the first."""
    return np.flatnonzero(np.r_[True, begins_group])


def sort_rows(
    time_column: TimeColumn, codes: Ints, values: Floats
) -> tuple[Rows, tuple[str, ...]]:
    """Sort rows by series and time, and note where that moved any.

    Where there is no time column, the rows of a series are numbered from 1 instead.
    """
    instants = time_column.instants
    # Without instants the codes stand in for them until the rows of each series are numbered.
    stamps = codes if instants is None else instants
    every = np.arange(len(codes))
    rows = Rows(codes, stamps, every, values)

    if (codes[1:] < codes[:-1]).any():
        rows = rows.take(np.argsort(codes, kind="stable"))

    if instants is None:
        return _number_rows(rows), ()

    same_series = rows.continues_series()
    backwards = rows.stamps[1:] < rows.stamps[:-1]
    if not (backwards & same_series).any():
        return rows, ()
    if backwards[same_series].all():
        note = "rows stood newest first: sorted"
    else:
        note = "rows were not in order of time: sorted"

    by_series_then_time = np.lexsort((rows.stamps, rows.codes))
    return rows.take(by_series_then_time), (note,)


def _number_rows(rows: Rows) -> Rows:
    """Number the rows of each series from 1, in the order in which they stand."""
    count = len(rows.codes)
    starts = rows.starts()
    lengths = np.diff(starts, append=count)
    first_row = np.repeat(starts, lengths)
    numbers = np.arange(count) - first_row + 1
    return replace(rows, stamps=numbers)


def melt_targets(
    rows: Rows, keys: SeriesKeys, targets: Sequence[str]
) -> tuple[Rows, SeriesKeys]:
    """Make each target a series of its own, its column name the last part of the key."""
    count = len(targets)
    if count == 1:
        return rows, keys

    # All rows of the first target, then all of the second, and so on: [K * n].
    first_codes = rows.codes[:, None] * count
    new_codes = first_codes + np.arange(count)
    codes = new_codes.T.ravel()
    values = rows.values.T.ravel()

    order = np.argsort(codes, kind="stable")
    # The row that each came from is its place modulo the number of rows.
    source = order % len(rows.codes)

    long = Rows(
        codes=codes[order],
        stamps=rows.stamps[source],
        rows=rows.rows[source],
        values=values[order][:, None],
    )
    long_keys = SeriesKeys(
        keys=[(*key, target) for key in keys.keys for target in targets],
        names=(*keys.names, TARGET_KEY),
        types=(*keys.types, "str"),
    )
    return long, long_keys
