"""Rows of the same series and time, combined into one.

Axes: n rows by series, then time.
"""

import re
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from lstmcast.errors import DataError
from lstmcast.ingest.keys import SeriesKeys
from lstmcast.ingest.rows import Rows, repeats_before
from lstmcast.ingest.timestamps import TimeColumn
from lstmcast.ingest.timetext.clock_changes import (
    MAX_HOURS_CHECKED,
    guess_zone_of_clocks,
    is_naive_time,
)
from lstmcast.ragged import Bools, Ints, aggregate_groups
from lstmcast.tables.table import Table
from lstmcast.timeaxis import zones
from lstmcast.timeaxis.axis import TimeAxis
from lstmcast.timeaxis.calendar_fields import DAY

SERIES_HINT = ", or name the series column with --series"
"""The part of a hint that a proposal of the very column takes the place of."""
_CLOCK_COLUMN_NAME = r"hour|hr|hours?|time|clock|minute"
"""Names of columns that may hold the time of day beside a column of days."""


class RepeatedTimesError(DataError):
    """Rows of one series that share a time, where nothing says what to do with them."""


class RepeatedHours(NamedTuple):
    """A zone whose clocks repeat an hour, and which of some stamps [n] lie in such an hour."""

    guess: zones.ZoneGuess
    explained: Bools


def infer_zone_from_repeats(
    time_column: TimeColumn, rows: Rows, repeated: Ints
) -> RepeatedHours | None:
    """Find the zone whose changing clocks explain most of these naive stamps; None if none does.

    repeated: instants [n] that come more than once in a series.
    """
    if not is_naive_time(time_column):
        return None
    # Clocks repeat an hour, never a whole day.
    time_of_day = repeated % DAY
    if not time_of_day.any():
        return None

    guess = guess_zone_of_clocks(rows.stamps, rows.codes)
    if guess is None:
        return None
    some = repeated[:MAX_HOURS_CHECKED]
    explained = zones.is_repeated_time(some, guess.zone)
    return RepeatedHours(guess, explained) if explained.any() else None


def resolve_duplicates(
    rows: Rows, policy: str, time_column: TimeColumn, table: Table, keys: SeriesKeys
) -> tuple[Rows, tuple[str, ...]]:
    """Leave one row per series and stamp, combined by DataConfig.duplicates, and note how many.

    Raises DataError for the policy "error", which is the default.
    """
    same_stamp = repeats_before(rows.stamps)
    same_series = rows.continues_series()
    repeats = np.r_[False, same_series & same_stamp]
    count = int(repeats.sum())
    if not count:
        return rows, ()
    if policy == "error":
        raise _duplicates_error(rows, repeats, time_column, table, keys)

    reason = _describe_repeated_hours(rows, repeats, time_column)
    affected = "1 row" if count == 1 else f"{count} rows"
    note = f"{affected} repeated a time stamp: took the {policy}{reason}"

    # Sorting was stable: of rows with one stamp, the first is the first of the table.
    starts = np.flatnonzero(~repeats)
    if policy == "last":
        ends = np.r_[starts[1:], len(repeats)]
        return rows.take(ends - 1), (note,)

    first_rows = rows.take(starts)
    if policy == "first":
        return first_rows, (note,)
    combined = aggregate_groups(rows.values, starts, policy)
    return replace(first_rows, values=combined), (note,)


def resolve_shared_steps(
    rows: Rows,
    policy: str,
    axis: TimeAxis,
    time_column: TimeColumn,
    table: Table,
    keys: SeriesKeys,
) -> tuple[Rows, tuple[str, ...]]:
    """The same as `resolve_duplicates` for rows on an axis, which were moved to one step.

    Raises DataError for the policy "error".
    """
    if not (repeats_before(rows.stamps) & rows.continues_series()).any():
        return rows, ()
    on_steps = replace(rows, stamps=axis.grid.instants(rows.stamps))
    moved = replace(time_column, form=axis.form)
    settled, notes = resolve_duplicates(on_steps, policy, moved, table, keys)
    ordinals, _ = axis.grid.ordinals(settled.stamps)
    return replace(settled, stamps=ordinals), notes


def _describe_repeated_hours(
    rows: Rows, repeats: Bools, time_column: TimeColumn
) -> str:
    """Describe repeated stamps in hours that come twice as clocks go back."""
    repeated = np.unique(rows.stamps[repeats])
    found = infer_zone_from_repeats(time_column, rows, repeated)
    if found is None:
        return ""
    count = int(found.explained.sum())
    return f" ({count} in an hour that clocks in {found.guess.zone} repeat: see --tz)"


def _duplicates_error(
    rows: Rows, repeats: Bools, time_column: TimeColumn, table: Table, keys: SeriesKeys
) -> DataError:
    examples = _format_examples(rows, repeats, time_column, table, keys)
    count = int(repeats.sum())
    repeat = "1 row repeats" if count == 1 else f"{count} rows repeat"
    message = f"{repeat} a time stamp: {'; '.join(examples)}"

    repeated = np.unique(rows.stamps[repeats])
    found = infer_zone_from_repeats(time_column, rows, repeated)
    if found and found.explained.all():
        return DataError(
            f"{message}: as clocks in {found.guess.zone} repeat that hour",
            f"give the zone of the times: {found.guess.words},"
            " or say what to do with --duplicates first",
        )

    hint = f"say what to do with --duplicates first, last, mean or sum{SERIES_HINT}"

    clocks = []
    for name in table.names:
        if re.fullmatch(_CLOCK_COLUMN_NAME, name, re.IGNORECASE):
            clocks.append(name)
    # Days repeat where the hour stands in a column of its own, which is not part of the time yet.
    one_column = time_column.columns == (time_column.name,)
    if clocks and "%H" not in time_column.form.layout and one_column:
        both = f"--time {time_column.name},{clocks[0]}"
        hint = f"if the time of day stands beside it: {both}; or {hint}"

    return RepeatedTimesError(message, hint)


def _format_examples(
    rows: Rows, repeats: Bools, time_column: TimeColumn, table: Table, keys: SeriesKeys
) -> list[str]:
    """The first two repeated stamps, each with its series and the places of its two rows."""
    examples: list[str] = []
    # Of a stamp that comes three times or more, only the first repetition is shown.
    after_repeat = np.r_[False, repeats[:-1]]
    first_repeats = np.flatnonzero(repeats & ~after_repeat)

    for i in first_repeats[:2].tolist():
        stamps = time_column.form.texts(rows.stamps[[i]])
        code = int(rows.codes[i])
        label = keys.label(code)
        series = f" of {label}" if keys.names else ""
        row_before, row = rows.rows[[i - 1, i]].tolist()
        first = table.locate(row_before)
        second = table.locate(row)

        # The path of the table is written once, before the first place.
        if examples:
            first = _without_table_name(first, table)
        second = _without_table_name(second, table)
        examples.append(f"{stamps[0]}{series} ({first} and {second})")

    return examples


def _without_table_name(place: str, table: Table) -> str:
    return place.removeprefix(table.name).lstrip(": ")
