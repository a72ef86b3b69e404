"""Stamps in the zone that the user names, and the traces of clocks that change in stamps without a zone.

Knows tables and readings of their time, but no frequencies and no values.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from lstmcast.config import DataConfig
from lstmcast.errors import DataError, format_more
from lstmcast.ingest.keys import SeriesKeys
from lstmcast.ingest.rows import Rows
from lstmcast.ingest.timestamps import TimeColumn
from lstmcast.ragged import Ints
from lstmcast.tables.table import Table
from lstmcast.timeaxis import zones
from lstmcast.timeaxis.axis import TimeAxis, infer_axis
from lstmcast.timeaxis.frequency import HOUR

_MAX_HOURS_CHECKED = 1000
"""So many doubtful hours are enough to know a zone by."""


def skipped_hour_error(
    reading: TimeColumn, stamps: Ints, codes: Ints, step: int, place: Callable[[int], str]
) -> DataError | None:
    """The error for naive stamps that leave out the hours that a zone's clocks skip, as wall-clock time does.

    stamps sorted by series (codes), then time; step in microseconds; `place` says where stamp
    number i stands.
    """
    if reading.form.zone or reading.form.kind not in ("text", "number", "datetime") or HOUR % step:
        return None
    jumps = np.flatnonzero((np.diff(stamps) == step + HOUR) & (codes[1:] == codes[:-1]))[
        :_MAX_HOURS_CHECKED
    ]
    if not len(jumps):
        return None
    missing = stamps[jumps] + step
    zone, hit = zones.find_zone_of_skipped(missing)
    hit &= zones.is_skipped_time(missing + HOUR - step, zone)
    if not hit.any():
        return None
    first = int(jumps[hit.argmax()])
    before, hour = (
        reading.form.texts(stamp)[0] for stamp in (stamps[[first]], missing[[hit.argmax()]])
    )
    more = format_more(int(hit.sum()))
    return DataError(
        f"{place(first)}: after {before} the hour of {hour} is left out, as by clocks in {zone}{more}",
        f"give the zone of the times, for example --tz {zone}; or --tz UTC, if that hour is really missing",
    )


def place_on_axis(
    rows: Rows,
    reading: TimeColumn,
    table: Table,
    keys: SeriesKeys,
    config: DataConfig,
    like: TimeAxis | None,
) -> tuple[TimeAxis, Rows]:
    """The time axis of the rows, and the rows with ordinals for stamps."""

    def place(i: int) -> str:
        return table.locate(int(rows.rows[i]))

    axis, ordinals = infer_axis(
        rows.stamps,
        rows.codes,
        reading.form,
        reading.name,
        config,
        like=like,
        place=place,
        series=keys.labels(),
    )
    if like is None and axis.grid.unit == "us":
        left_out = skipped_hour_error(reading, rows.stamps, rows.codes, axis.grid.step, place)
        if left_out is not None:
            raise left_out
    return axis, replace(rows, stamps=ordinals)
