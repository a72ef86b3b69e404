"""What clocks do: wall-clock time of a zone and UTC, the hours that clocks repeat and those that they skip.

An instant is an int64 of microseconds since 1970. Knows no files.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from lstmcast.ragged import Bools, Ints
from lstmcast.timeaxis.formats import SECOND

if TYPE_CHECKING:
    import pandas as pd

COMMON_ZONES = (
    *("Europe/Berlin", "Europe/London", "Europe/Helsinki", "America/New_York", "America/Santiago"),
    *(
        "America/Sao_Paulo",
        "Australia/Sydney",
        "Pacific/Auckland",
        "Asia/Tehran",
        "Asia/Jerusalem",
        "Africa/Cairo",
    ),
)
"""Zones whose clocks change as those of many others do: enough to know such an hour by."""


def to_microseconds(stamps: "pd.DatetimeIndex") -> Ints:
    """Microseconds since 1970 of naive stamps."""
    return np.asarray(stamps, dtype="M8[us]").astype(np.int64)


def to_local(instants: Ints, zone: str) -> Ints:
    """Wall-clock time in the zone of UTC instants."""
    return to_microseconds(
        _to_datetime_index(instants).tz_localize("UTC").tz_convert(zone).tz_localize(None)
    )


def to_utc(wall: Ints, zone: str, later: Bools | None = None) -> Ints:
    """UTC of wall-clock instants; of two the earlier, or where `later` the later; where skipped, the next there is."""
    earlier = np.ones(len(wall), bool) if later is None else ~later
    zoned = _to_datetime_index(wall).tz_localize(
        zone, ambiguous=earlier, nonexistent="shift_forward"
    )
    return to_microseconds(zoned.tz_convert("UTC").tz_localize(None))


def utc_offset_minutes(wall: Ints, zone: str) -> Ints:
    """Minutes by which the zone's clocks are ahead of UTC."""
    return (wall - to_utc(wall, zone)) // (60 * SECOND)


def is_repeated_time(wall: Ints, zone: str) -> Bools:
    """Which wall-clock instants come twice in the zone, as its clocks go back."""
    stamps = _to_datetime_index(wall).tz_localize(
        zone, ambiguous="NaT", nonexistent="shift_forward"
    )
    return np.asarray(stamps.isna())


def is_skipped_time(wall: Ints, zone: str) -> Bools:
    """Which wall-clock instants there are not in the zone, as its clocks go forward."""
    stamps = _to_datetime_index(wall).tz_localize(
        zone, ambiguous=np.ones(len(wall), bool), nonexistent="NaT"
    )
    return np.asarray(stamps.isna())


def is_second_occurrence(wall: Ints, codes: Ints, zone: str) -> Bools:
    """Which instants, in the order of the rows of their series (codes), are of the later of two equal hours.

    Rows that stand newest first come to the later hour first.
    """
    later = np.zeros(len(wall), dtype=bool)
    rows = np.flatnonzero(is_repeated_time(wall, zone))
    if not len(rows):
        return later
    rows = rows[np.lexsort((rows, wall[rows], codes[rows]))]
    fresh = np.r_[True, (wall[rows][1:] != wall[rows][:-1]) | (codes[rows][1:] != codes[rows][:-1])]
    group = np.cumsum(fresh) - 1
    place = np.arange(len(rows)) - np.flatnonzero(fresh)[group]
    many = np.bincount(group)[group]
    falling = _is_newest_first(wall, codes)[codes[rows]]
    later[rows] = np.where(falling, place < many - 1, place > 0)
    return later


def _is_newest_first(wall: Ints, codes: Ints) -> Bools:
    """Whether the first row of each series is newer than its last one."""
    order = np.argsort(codes, kind="stable")
    ends = np.r_[np.flatnonzero(np.diff(codes[order])), len(codes) - 1]
    starts = np.r_[0, ends[:-1] + 1]
    falling = np.zeros(int(codes.max()) + 1, dtype=bool)
    falling[codes[order[starts]]] = wall[order[starts]] > wall[order[ends]]
    return falling


def find_zone_of_repeated(wall: Ints) -> tuple[str, Bools]:
    """The usual zone in which most of the instants come twice, and which of them do."""
    return _find_best_zone(wall, is_repeated_time)


def find_zone_of_skipped(wall: Ints) -> tuple[str, Bools]:
    """The usual zone in which most of the instants do not exist, and which of them do not."""
    return _find_best_zone(wall, is_skipped_time)


def _find_best_zone(wall: Ints, test: Callable[[Ints, str], Bools]) -> tuple[str, Bools]:
    found = [(zone, test(wall, zone)) for zone in COMMON_ZONES]
    return max(found, key=lambda one: int(one[1].sum()))


def _to_datetime_index(instants: Ints) -> "pd.DatetimeIndex":
    import pandas as pd  # slow to import, and steps without a zone need none of it

    return pd.DatetimeIndex(instants.view("M8[us]"))
