"""Stamps in the zone that the user names, and the traces of clocks that change in stamps without a zone.

Knows tables and readings of their time, but no frequencies and no values.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from lstmcast import clocks
from lstmcast.errors import DataError
from lstmcast.grid import HOUR
from lstmcast.layouts import DAY, Bools, Ints
from lstmcast.read import Table
from lstmcast.stamps import Reading

_LOOKED_AT = 1000
"""So many doubtful hours are enough to know a zone by."""


def in_zone(reading: Reading, codes: Ints, zone: str, table: Table) -> Reading:
    """The stamps in `zone`: naive ones are its wall clock, others are converted; codes [rows] are their series.

    Of an hour that clocks repeat, the first pass of a series is the earlier one. Raises DataError for integer steps,
    and for an hour that clocks skip.
    """
    form, instants = reading.form, reading.instants
    if instants is None or form.kind == "step":
        raise DataError(f"--tz {zone} does not fit a time of plain steps", "leave out --tz")
    if form.kind == "date":
        return reading
    if form.universal or form.zone:
        universal = form.to_universal(instants)
        return replace(reading, form=replace(form, zone=zone, wall=False), instants=universal)
    form = replace(form, zone=zone, stated=False)
    if (instants % DAY == instants[:1] % DAY).all():
        return replace(reading, form=form, instants=instants)
    absent = clocks.skipped(instants, zone)
    if absent.any():
        row, count = int(absent.argmax()), int(absent.sum())
        stamp = reading.form.texts(instants[row : row + 1])[0]
        more = f" (and {count - 1} more)" if count > 1 else ""
        raise DataError(
            f"{table.locate(row)}: column {reading.name!r}: clocks in {zone} skip {stamp!r}{more}",
            "if clocks do not change in the data, give --tz UTC or an offset, for example --tz +01:00",
        )
    universal = clocks.to_universal(instants, zone, clocks.second_pass(instants, codes, zone))
    return replace(reading, form=replace(form, wall=False), instants=universal)


def folded(reading: Reading, repeated: Ints) -> tuple[str, Bools] | None:
    """The zone whose clocks repeat hours in which most of these naive stamps lie, and which do; None where none is."""
    if reading.form.zone or reading.form.kind not in ("text", "number", "datetime") or not (repeated % DAY).any():
        return None
    zone, hit = clocks.zone_of_repeated(repeated[:_LOOKED_AT])
    return (zone, hit) if hit.any() else None


def skipped_hour(
    reading: Reading, stamps: Ints, codes: Ints, step: int, place: Callable[[int], str]
) -> DataError | None:
    """The error for naive stamps that leave out the hours that a zone's clocks skip, as wall-clock time does.

    stamps sorted by series (codes), then time; step in microseconds; `place` says where stamp number i stands.
    """
    if reading.form.zone or reading.form.kind not in ("text", "number", "datetime") or HOUR % step:
        return None
    jumps = np.flatnonzero((np.diff(stamps) == step + HOUR) & (codes[1:] == codes[:-1]))[:_LOOKED_AT]
    if not len(jumps):
        return None
    missing = stamps[jumps] + step
    zone, hit = clocks.zone_of_skipped(missing)
    hit &= clocks.skipped(missing + HOUR - step, zone)
    if not hit.any():
        return None
    first = int(jumps[hit.argmax()])
    before, hour = (reading.form.texts(stamp)[0] for stamp in (stamps[[first]], missing[[hit.argmax()]]))
    more = f" (and {int(hit.sum()) - 1} more)" if hit.sum() > 1 else ""
    return DataError(
        f"{place(first)}: after {before} the hour of {hour} is left out, as by clocks in {zone}{more}",
        f"give the zone of the times, for example --tz {zone}; or --tz UTC, if that hour is really missing",
    )
