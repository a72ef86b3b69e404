"""Rows laid on a regular time axis, and the traces that changing clocks leave in naive stamps.

Knows tables and time columns, but no values.

Axes: n rows by series, then time.
"""

from collections.abc import Callable
from dataclasses import replace

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
from lstmcast.ragged import Ints
from lstmcast.tables.table import Table
from lstmcast.timeaxis import zones
from lstmcast.timeaxis.axis import TimeAxis, infer_axis
from lstmcast.timeaxis.frequency import HOUR


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


def place_on_axis(
    rows: Rows,
    time_column: TimeColumn,
    table: Table,
    keys: SeriesKeys,
    config: DataConfig,
    like: TimeAxis | None,
) -> tuple[TimeAxis, Rows]:
    """Return the time axis of the rows (`like`, if given), and the rows with ordinals for stamps.

    Raises DataError where the rows do not lie on a regular axis.
    """

    def locate(i: int) -> str:
        return table.locate(int(rows.rows[i]))

    if like is None and not config.tz:
        error = days_of_zone_error(time_column, rows.stamps, locate(0))
        if error is not None:
            raise error

    axis, ordinals = infer_axis(
        rows.stamps,
        rows.codes,
        time_column.form,
        time_column.name,
        config,
        like=like,
        place=locate,
        series=keys.labels(),
    )

    if like is None and axis.grid.unit == "us":
        error = skipped_hour_error(
            time_column, rows.stamps, rows.codes, axis.grid.step, locate
        )
        if error is not None:
            raise error
    return axis, replace(rows, stamps=ordinals)
