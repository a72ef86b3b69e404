"""Rows of the same series and time, made one."""

import re
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lstmcast.errors import DataError
from lstmcast.ingest.keys import SeriesKeys
from lstmcast.ingest.regular import _MAX_HOURS_CHECKED
from lstmcast.ingest.rows import Rows
from lstmcast.ingest.timestamps import TimeColumn
from lstmcast.ragged import Bools, Ints, aggregate_groups
from lstmcast.tables.table import Table
from lstmcast.timeaxis import zones
from lstmcast.timeaxis.calendar_fields import DAY

_CLOCK_COLUMN_NAME = r"hour|hr|hours?|time|clock|minute"
"""Names of columns that may hold the time of day beside a column of days."""


def infer_zone_from_repeats(reading: TimeColumn, repeated: Ints) -> tuple[str, Bools] | None:
    """The zone whose clocks repeat hours in which most of these naive stamps lie, and which do; None where none is."""
    if (
        reading.form.zone
        or reading.form.kind not in ("text", "number", "datetime")
        or not (repeated % DAY).any()
    ):
        return None
    zone, hit = zones.find_zone_of_repeated(repeated[:_MAX_HOURS_CHECKED])
    return (zone, hit) if hit.any() else None


def resolve_duplicates(
    rows: Rows, how: str, reading: TimeColumn, table: Table, keys: SeriesKeys, notes: list[str]
) -> Rows:
    """One row a series and stamp: repeated ones are settled as DataConfig.duplicates says, by default a DataError."""
    again = np.r_[False, rows.same() & (rows.stamps[1:] == rows.stamps[:-1])]
    count = int(again.sum())
    if not count:
        return rows
    if how == "error":
        raise _duplicates_error(rows, again, reading, table, keys)
    notes.append(
        f"{count} rows repeated a time stamp: took the {how}"
        + _note_repeated_hours(rows, again, reading)
    )
    starts = np.flatnonzero(~again)
    if how == "last":
        return rows.take(np.r_[starts[1:], len(again)] - 1)
    kept = rows.take(starts)
    return (
        kept if how == "first" else replace(kept, values=aggregate_groups(rows.values, starts, how))
    )


def _note_repeated_hours(rows: Rows, again: NDArray[np.bool_], reading: TimeColumn) -> str:
    """What to say of repeated stamps in hours that come twice as clocks go back."""
    found = infer_zone_from_repeats(reading, np.unique(rows.stamps[again]))
    return (
        f" ({int(found[1].sum())} in an hour that clocks in {found[0]} repeat: see --tz)"
        if found
        else ""
    )


def _duplicates_error(
    rows: Rows, again: NDArray[np.bool_], reading: TimeColumn, table: Table, keys: SeriesKeys
) -> DataError:
    shown: list[str] = []
    fresh = again & ~np.r_[False, again[:-1]]
    for i in np.flatnonzero(fresh)[:2].tolist():
        stamp = reading.form.texts(rows.stamps[i : i + 1])[0]
        of = f" of {keys.label(int(rows.codes[i]))}" if keys.names else ""
        first, second = (table.locate(int(row)) for row in rows.rows[i - 1 : i + 1])
        first = _without_table_name(first, table) if shown else first  # a path is said once
        shown.append(f"{stamp}{of} ({first} and {_without_table_name(second, table)})")
    message = f"{int(again.sum())} rows repeat a time stamp: {'; '.join(shown)}"
    found = infer_zone_from_repeats(reading, np.unique(rows.stamps[again]))
    if found and found[1].all():
        return DataError(
            f"{message}: as clocks in {found[0]} repeat that hour",
            f"give the zone of the times, for example --tz {found[0]}, or say what to do with --duplicates first",
        )
    clock = [name for name in table.names if re.fullmatch(_CLOCK_COLUMN_NAME, name, re.IGNORECASE)]
    hint = "say what to do with --duplicates first, last, mean or sum, or name the series column with --series"
    if clock and "%H" not in reading.form.layout and reading.columns == (reading.name,):
        hint = f"if the time of day stands beside it: --time {reading.name},{clock[0]}; or {hint}"
    return DataError(message, hint)


def _without_table_name(place: str, table: Table) -> str:
    return place.removeprefix(table.name).lstrip(": ")
