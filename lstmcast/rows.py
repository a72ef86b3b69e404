"""Rows of a table in the order of series and time: keys, sorting, repeated stamps, several targets as series.

Axes: n rows, K targets.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lstmcast.config import DataConfig
from lstmcast.errors import DataError
from lstmcast.groups import aggregate
from lstmcast.layouts import Ints
from lstmcast.read import Table
from lstmcast.resample import gather, periods
from lstmcast.stamps import Reading
from lstmcast.timeaxis import TimeAxis, infer_axis
from lstmcast.zones import folded, skipped_hour

Floats = NDArray[np.float64]

_CLOCK = r"hour|hr|hours?|time|clock|minute"
"""Names of columns that may hold the time of day beside a column of days."""
TARGET_KEY = "target"
"""Key column of a wide table: which of its value columns a series is."""


@dataclass(frozen=True)
class Keys:
    """Key of each series in the order of first appearance, with the names and types ("str", "int64") of its columns."""

    keys: list[tuple[str, ...]]
    names: tuple[str, ...] = ()
    types: tuple[str, ...] = ()

    def label(self, code: int) -> str:
        """A series' key as one text for messages."""
        return "/".join(self.keys[code]) if self.keys[code] else "the series"

    def labels(self) -> Sequence[str]:
        """The label of every series, made when it is asked for."""
        return _Labels(self)


@dataclass(frozen=True)
class _Labels(Sequence[str]):
    keys: Keys

    def __len__(self) -> int:
        return len(self.keys.keys)

    def __getitem__(self, code: Any) -> Any:
        return self.keys.label(code)


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


def series_keys(table: Table, names: Sequence[str]) -> tuple[Ints, Keys]:
    """Series code of each row [n], and the keys; DataError where a key is missing."""
    if not names:
        return np.broadcast_to(np.int64(0), len(table)), Keys([()])
    parts, uniques, types = zip(*(table.codes(name) for name in names), strict=True)
    for name, codes in zip(names, parts, strict=True):
        _no_missing_key(table, codes < 0, name)
    if len(names) == 1:
        return parts[0], Keys([(text,) for text in uniques[0]], tuple(names), types)
    combined = parts[0]
    for codes, unique in zip(parts[1:], uniques[1:], strict=True):
        combined = pd.factorize(combined * np.int64(len(unique)) + codes)[0].astype(np.int64)
    _, first = np.unique(combined, return_index=True)
    columns = [[unique[code] for code in codes[first].tolist()] for codes, unique in zip(parts, uniques, strict=True)]
    return combined, Keys(list(zip(*columns, strict=True)), tuple(names), types)


def _no_missing_key(table: Table, missing: NDArray[np.bool_], name: str) -> None:
    if missing.any():
        row, count = int(missing.argmax()), int(missing.sum())
        more = f" (and {count - 1} more)" if count > 1 else ""
        raise DataError(f"{table.locate(row)}: column {name!r}: the series has no name{more}", "name every series")


def in_order(reading: Reading, codes: Ints, values: Floats, notes: list[str]) -> Rows:
    """Rows sorted by series and time; where there is no time column, rows of a series are numbered from 1."""
    rows = Rows(codes, codes if reading.instants is None else reading.instants, np.arange(len(codes)), values)
    if (codes[1:] < codes[:-1]).any():
        rows = rows.take(np.argsort(codes, kind="stable"))
    if reading.instants is None:
        starts = rows.starts()
        before = np.repeat(starts, np.diff(np.r_[starts, len(codes)]))
        return replace(rows, stamps=np.arange(len(codes)) - before + 1)
    back, same = rows.stamps[1:] < rows.stamps[:-1], rows.same()
    if not (back & same).any():
        return rows
    notes.append("rows stood newest first: sorted" if back[same].all() else "rows were not in order of time: sorted")
    return rows.take(np.lexsort((rows.stamps, rows.codes)))


def once(rows: Rows, how: str, reading: Reading, table: Table, keys: Keys, notes: list[str]) -> Rows:
    """One row a series and stamp: repeated ones are settled as DataConfig.duplicates says, by default a DataError."""
    again = np.r_[False, rows.same() & (rows.stamps[1:] == rows.stamps[:-1])]
    count = int(again.sum())
    if not count:
        return rows
    if how == "error":
        raise _repeated(rows, again, reading, table, keys)
    notes.append(f"{count} rows repeated a time stamp: took the {how}" + _of_the_clock(rows, again, reading))
    starts = np.flatnonzero(~again)
    if how == "last":
        return rows.take(np.r_[starts[1:], len(again)] - 1)
    kept = rows.take(starts)
    return kept if how == "first" else replace(kept, values=aggregate(rows.values, starts, how))


def _of_the_clock(rows: Rows, again: NDArray[np.bool_], reading: Reading) -> str:
    """What to say of repeated stamps in hours that come twice as clocks go back."""
    found = folded(reading, np.unique(rows.stamps[again]))
    return f" ({int(found[1].sum())} in an hour that clocks in {found[0]} repeat: see --tz)" if found else ""


def _repeated(rows: Rows, again: NDArray[np.bool_], reading: Reading, table: Table, keys: Keys) -> DataError:
    shown: list[str] = []
    fresh = again & ~np.r_[False, again[:-1]]
    for i in np.flatnonzero(fresh)[:2].tolist():
        stamp = reading.form.texts(rows.stamps[i : i + 1])[0]
        of = f" of {keys.label(int(rows.codes[i]))}" if keys.names else ""
        first, second = (table.locate(int(row)) for row in rows.rows[i - 1 : i + 1])
        first = _without_name(first, table) if shown else first  # a path is said once
        shown.append(f"{stamp}{of} ({first} and {_without_name(second, table)})")
    message = f"{int(again.sum())} rows repeat a time stamp: {'; '.join(shown)}"
    found = folded(reading, np.unique(rows.stamps[again]))
    if found and found[1].all():
        return DataError(
            f"{message}: as clocks in {found[0]} repeat that hour",
            f"give the zone of the times, for example --tz {found[0]}, or say what to do with --duplicates first",
        )
    clock = [name for name in table.names if re.fullmatch(_CLOCK, name, re.IGNORECASE)]
    hint = "say what to do with --duplicates first, last, mean or sum, or name the series column with --series"
    if clock and "%H" not in reading.form.layout and reading.columns == (reading.name,):
        hint = f"if the time of day stands beside it: --time {reading.name},{clock[0]}; or {hint}"
    return DataError(message, hint)


def _without_name(place: str, table: Table) -> str:
    return place.removeprefix(table.name).lstrip(": ")


def on_axis(
    rows: Rows, reading: Reading, table: Table, keys: Keys, config: DataConfig, like: TimeAxis | None
) -> tuple[TimeAxis, Rows]:
    """The time axis of the rows, and the rows with ordinals for stamps."""

    def place(i: int) -> str:
        return table.locate(int(rows.rows[i]))

    axis, ordinals = infer_axis(
        rows.stamps, rows.codes, reading.form, reading.name, config, like=like, place=place, series=keys.labels()
    )
    if like is None and axis.grid.unit == "us":
        left_out = skipped_hour(reading, rows.stamps, rows.codes, axis.grid.step, place)
        if left_out is not None:
            raise left_out
    return axis, replace(rows, stamps=ordinals)


def gathered(
    rows: Rows,
    reading: Reading,
    config: DataConfig,
    like: TimeAxis | None,
    covariates: Sequence[tuple[Floats, str]],
    notes: list[str],
) -> tuple[TimeAxis, Rows, list[Floats]]:
    """The axis of the periods of `--resample`, one row a series and period, and the covariates of these rows.

    covariates: arrays [table rows, C], each with the aggregate that a period takes of it.
    """
    rule, how = config.resampling
    found = periods(rows.stamps, reading.form, reading.name, rule, like)
    starts, values, partial = gather(rows.stamps, rows.codes, rows.values, found, how)
    made = [aggregate(one[rows.rows], starts, kind) for one, kind in covariates]
    notes.append(f"{len(rows.codes)} rows gathered into {len(starts)} steps ({found.axis.grid.words}): their {how}")
    if partial:
        notes.append(f"{partial} step{'s' if partial > 1 else ''} at the ends of series not full: left out")
    index = np.arange(len(starts))
    return found.axis, Rows(rows.codes[starts], found.ordinals[starts], index, values), made


def widened(rows: Rows, keys: Keys, targets: Sequence[str]) -> tuple[Rows, Keys]:
    """Several targets as series of their own: the value column's name becomes the last part of the key."""
    count = len(targets)
    if count == 1:
        return rows, keys
    codes = (rows.codes[:, None] * count + np.arange(count)).T.ravel()
    order = np.argsort(codes, kind="stable")
    base = order % len(rows.codes)
    long = Rows(codes[order], rows.stamps[base], rows.rows[base], rows.values.T.ravel()[order][:, None])
    wide = [(*key, target) for key in keys.keys for target in targets]
    return long, Keys(wide, (*keys.names, TARGET_KEY), (*keys.types, "str"))
