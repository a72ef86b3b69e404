"""Rows laid on a regular time axis, and the traces that changing clocks leave in naive stamps.

Knows tables and time columns, but no values.

Axes: n rows by series, then time.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from lstmcast.config import DataConfig
from lstmcast.errors import DataError, format_more
from lstmcast.ingest.keys import SeriesKeys
from lstmcast.ingest.rows import Rows, repeats_before
from lstmcast.ingest.timestamps import TimeColumn
from lstmcast.ingest.timetext.clock_changes import (
    MAX_HOURS_CHECKED,
    days_of_zone_error,
    guess_zone_of_clocks,
    is_naive_time,
)
from lstmcast.ragged import Bools, Ints
from lstmcast.tables.table import Table
from lstmcast.timeaxis import zones
from lstmcast.timeaxis.axis import TimeAxis
from lstmcast.timeaxis.frequency import HOUR, parse_frequency
from lstmcast.timeaxis.place import infer_axis


def skipped_hour_error(
    time_column: TimeColumn,
    stamps: Ints,
    codes: Ints,
    step: int,
    locate: Callable[[int], str],
) -> DataError | None:
    """The error for naive stamps that leave out the hours that a zone's clocks skip; None if none.

    stamps [n] and their series codes [n]; step in microseconds; `locate` says where stamp number i
    stands.
    """
    if not is_naive_time(time_column) or HOUR % step:
        return None

    one_hour_missing = np.diff(stamps) == step + HOUR
    same_series = repeats_before(codes)
    jumps = np.flatnonzero(one_hour_missing & same_series)
    jumps = jumps[:MAX_HOURS_CHECKED]
    if not len(jumps):
        return None

    # Where exactly one hour is left out, its first stamp would have come here.
    missing = stamps[jumps] + step
    guess = guess_zone_of_clocks(stamps, codes)
    if guess is None:
        return None

    zone = guess.zone
    skipped = zones.is_skipped_time(missing, zone)
    # The last step of the missing hour must be skipped too, not only its first.
    last_missing = missing + HOUR - step
    skipped &= zones.is_skipped_time(last_missing, zone)
    if not skipped.any():
        return None

    example = int(skipped.argmax())
    row = int(jumps[example])
    before = time_column.form.texts(stamps[[row]])[0]
    hour = time_column.form.texts(missing[[example]])[0]
    more = format_more(int(skipped.sum()))
    return DataError(
        f"{locate(row)}: after {before} the hour of {hour} is left out,"
        f" as by clocks in {zone}{more}",
        f"give the zone of the times: {guess.words};"
        " or --tz UTC, if that hour is really missing",
    )


class PlacedRows(NamedTuple):
    """The time axis of rows, the rows with ordinals for stamps, and notes.

    Rows that were moved to a step may share it with others of their series.
    """

    axis: TimeAxis
    rows: Rows
    notes: tuple[str, ...]


def place_on_axis(
    rows: Rows,
    time_column: TimeColumn,
    table: Table,
    keys: SeriesKeys,
    config: DataConfig,
    like: TimeAxis | None,
) -> PlacedRows:
    """Lay rows on a time axis (`like`, if given); those at closed times are left out.

    Raises DataError where the rows do not lie on a regular axis.
    """

    def locate(i: int) -> str:
        return table.locate(int(rows.rows[i]))

    # Later rows go on as the axis before, whose stamps were found right.
    if like is None and not config.tz:
        error = days_of_zone_error(time_column, rows.stamps, locate(0))
        if error is not None:
            raise error

    observed = find_observed(rows)
    placed = infer_axis(
        rows.stamps,
        rows.codes,
        time_column.form,
        time_column.name,
        config,
        like=like,
        place=locate,
        series=keys.labels(),
        observed=observed,
        in_order=is_in_order(rows),
    )
    axis = placed.axis

    if like is None and axis.grid.unit == "us":
        error = skipped_hour_error(
            time_column, rows.stamps, rows.codes, axis.grid.step, locate
        )
        if error is not None:
            raise error

    # Rows at closed times have no step: they are told of, and left out.
    at_closed = ~placed.is_open
    notes = placed.notes
    if like is None and config.closed == "auto":
        notes += note_closed_times(axis, config.freq)
    notes += note_rows_at_closed_times(at_closed, observed, locate)
    on_axis = replace(rows, stamps=placed.ordinals)
    if at_closed.any():
        on_axis = on_axis.take(np.flatnonzero(placed.is_open))
    return PlacedRows(axis, on_axis, notes)


def find_observed(rows: Rows) -> Bools:
    """Which rows [n] have any value."""
    return np.asarray(~np.isnan(rows.values).all(axis=1))


def is_in_order(rows: Rows) -> bool:
    """Whether rows of each series stand in the table in order of time."""
    goes_back = np.diff(rows.rows) < 0
    return not (goes_back & rows.continues_series()).any()


def note_closed_times(axis: TimeAxis, freq: str | None) -> tuple[str, ...]:
    """Say which times never occur and are no steps; freq: the one that is requested."""
    grid = axis.grid
    closed = grid.closed
    # Business days are named as such, unless all days were asked for.
    if grid.unit == "business" and freq and parse_frequency(freq).unit != "business":
        closed = "sat-sun"
    if not closed:
        return ()
    clock = " (UTC)" if axis.form.zone and not axis.form.wall else ""
    return (
        f"no value ever falls on {closed}{clock}: closed, so these are no steps"
        " and not forecast; --closed none forecasts them",
    )


def note_rows_at_closed_times(
    at_closed: Bools, observed: Bools, locate: Callable[[int], str]
) -> tuple[str, ...]:
    """Say how many rows with values lie at closed times; DataError where all of them do."""
    lost = np.flatnonzero(at_closed & observed)
    count = len(lost)
    if not count:
        return ()
    where = locate(int(lost[0]))
    more = format_more(count)
    if count == observed.sum():
        raise DataError(
            f"{where}: all rows lie at times that are closed{more}",
            "give rows of open times",
        )
    return (f"{count} rows at closed times left out: {where}{more}",)
