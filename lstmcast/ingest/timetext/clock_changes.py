"""Traces that changing clocks leave in naive stamps, and the zone that explains them.

Axes: n stamps.
"""

import numpy as np

from lstmcast.errors import DataError
from lstmcast.ingest.timestamps import TimeColumn
from lstmcast.ragged import Ints
from lstmcast.timeaxis import zones
from lstmcast.timeaxis.calendar_fields import DAY, HOUR

MAX_HOURS_CHECKED = 1000
"""Doubtful hours that are compared with the clocks of a zone: more would not change the answer."""


def is_naive_time(time_column: TimeColumn) -> bool:
    """Whether stamps are wall-clock times without a zone, which changing clocks may disturb."""
    form = time_column.form
    return not form.zone and form.kind in ("text", "number", "datetime")


def guess_zone_of_clocks(stamps: Ints, codes: Ints) -> zones.ZoneGuess | None:
    """The zone whose clocks skip and repeat the hours that these naive stamps do.

    stamps [n]: sorted by series, then time. codes [n]: their series.
    """
    same_series = codes[1:] == codes[:-1]
    steps = np.diff(stamps)
    repeated = np.unique(stamps[1:][same_series & (steps == 0)])
    forward = steps[same_series & (steps > 0)]
    if not len(forward):
        return None

    lengths, counts = np.unique(forward, return_counts=True)
    step = int(lengths[counts.argmax()])
    jumps = same_series & (steps == step + HOUR) if step <= HOUR else np.zeros(0, bool)
    skipped = np.unique(stamps[:-1][jumps] + step) if len(jumps) else repeated[:0]

    present = np.unique(stamps)
    return zones.guess_zone(
        skipped[:MAX_HOURS_CHECKED], repeated[:MAX_HOURS_CHECKED], present
    )


def days_of_zone_error(
    time_column: TimeColumn, stamps: Ints, place: str
) -> DataError | None:
    """The error for days of a zone that are written in UTC, where they move by an hour.

    None where that is not what the stamps [n] show. place: of the first row.
    """
    form = time_column.form
    says_utc = form.zone in ("UTC", "+00:00") or form.universal
    if not says_utc and not is_naive_time(time_column):
        return None

    universal = form.to_utc(stamps)
    guess = zones.guess_zone_of_days(universal)
    if guess is None:
        return None

    clocks = []
    for clock in np.unique(universal % DAY)[:2].tolist():
        hours, minutes = divmod(clock // (60 * 1_000_000), 60)
        clocks.append(f"{hours:02d}:{minutes:02d}")
    prefix = "" if says_utc else "UTC:"
    option = guess._replace(zone=prefix + guess.zone).words
    return DataError(
        f"{place}: column {time_column.name!r}: times of day are {' and '.join(clocks)},"
        f" as days of {guess.zone} begin by UTC",
        f"say so: {option}",
    )
