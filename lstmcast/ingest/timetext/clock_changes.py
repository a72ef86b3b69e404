"""Traces that changing clocks leave in naive stamps, and the zone that explains them.

Axes: n stamps.
"""

import numpy as np

from lstmcast.errors import DataError
from lstmcast.ingest.timestamps import TimeColumn
from lstmcast.ragged import Ints
from lstmcast.timeaxis import zones
from lstmcast.timeaxis.calendar_fields import DAY, HOUR, SECOND

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

    # Where clocks go back, sorted stamps of one series stand still.
    stands_still = same_series & (steps == 0)
    repeated = np.unique(stamps[1:][stands_still])

    goes_on = same_series & (steps > 0)
    forward = steps[goes_on]
    if not len(forward):
        return None

    lengths, counts = np.unique(forward, return_counts=True)
    step = int(lengths[counts.argmax()])

    # Where clocks go forward, a step is an hour longer. Longer usual steps, as of days, show no
    # hour that is left out.
    skipped = repeated[:0]
    if step <= HOUR:
        is_longer = steps == step + HOUR
        before = stamps[:-1][same_series & is_longer]
        skipped = np.unique(before + step)

    present = np.unique(stamps)
    some_skipped = skipped[:MAX_HOURS_CHECKED]
    some_repeated = repeated[:MAX_HOURS_CHECKED]
    return zones.guess_zone(some_skipped, some_repeated, present)


def days_of_zone_error(
    time_column: TimeColumn, stamps: Ints, place: str
) -> DataError | None:
    """The error for days of a zone that are written in UTC, where they move by an hour.

    None where that is not what the stamps [n] show. place: of the first row.
    """
    # Stamps that name another zone say what they mean: nothing is left to guess.
    form = time_column.form
    says_utc = form.zone in ("UTC", "+00:00") or form.universal
    if not says_utc and not is_naive_time(time_column):
        return None

    universal = form.to_utc(stamps)
    guess = zones.guess_zone_of_days(universal)
    if guess is None:
        return None

    # Two times of day show the change, as 22:00 and 23:00 do for Berlin.
    clocks = []
    times_of_day = np.unique(universal % DAY)
    for clock in times_of_day[:2].tolist():
        minute_of_day = clock // (60 * SECOND)
        hours, minutes = divmod(minute_of_day, 60)
        clocks.append(f"{hours:02d}:{minutes:02d}")
    both_clocks = " and ".join(clocks)

    # Stamps that do not say they are UTC must be told so beside their zone.
    prefix = "" if says_utc else "UTC:"
    proposed = guess._replace(zone=prefix + guess.zone)
    return DataError(
        f"{place}: column {time_column.name!r}: times of day are {both_clocks},"
        f" as days of {guess.zone} begin by UTC",
        f"say so: {proposed.words}",
    )
