"""Wall-clock time of a zone and UTC, and the hours that clocks repeat or skip.

An instant is an int64 of microseconds since 1970. Knows no files.

Axes: n instants, R of them that come twice, N series.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from lstmcast.ragged import Bools, Ints
from lstmcast.timeaxis.calendar_fields import SECOND

if TYPE_CHECKING:
    import pandas as pd

COMMON_ZONES = (
    *("Europe/Berlin", "Europe/London", "Europe/Helsinki"),
    *("America/New_York", "America/Santiago", "America/Sao_Paulo"),
    *("Australia/Sydney", "Pacific/Auckland", "Asia/Tehran"),
    *("Asia/Jerusalem", "Africa/Cairo"),
)
"""Zones whose clocks change as those of many others do: enough to recognise such an hour."""


def to_microseconds(stamps: "pd.DatetimeIndex") -> Ints:
    """Microseconds since 1970 of stamps without a zone."""
    return np.asarray(stamps, dtype="M8[us]").astype(np.int64)


def to_local(instants: Ints, zone: str) -> Ints:
    """Wall-clock time in a zone, of UTC instants."""
    universal = to_datetime_index(instants).tz_localize("UTC")
    zoned = universal.tz_convert(zone)
    return to_microseconds(zoned.tz_localize(None))


def to_utc(wall: Ints, zone: str, later: Bools | None = None) -> Ints:
    """UTC of wall-clock instants in a zone.

    Of an hour that comes twice the earlier is meant, or the later one where `later` [n] is true. An
    instant that is skipped becomes the next that exists.
    """
    # pandas takes True for summer time, which is the earlier of two equal hours.
    earlier = np.ones(len(wall), bool) if later is None else ~later
    stamps = to_datetime_index(wall)
    zoned = stamps.tz_localize(zone, ambiguous=earlier, nonexistent="shift_forward")
    universal = zoned.tz_convert("UTC")
    return to_microseconds(universal.tz_localize(None))


def utc_offset_minutes(wall: Ints, zone: str) -> Ints:
    """Minutes by which a zone's clocks are ahead of UTC at wall-clock instants."""
    ahead = wall - to_utc(wall, zone)
    return ahead // (60 * SECOND)


def has_changing_clocks(zone: str) -> bool:
    """Whether a zone's clocks may change, as those of a fixed offset like "+01:00" do not."""
    return zone[:1] not in ("+", "-")


def is_repeated_time(wall: Ints, zone: str) -> Bools:
    """Which wall-clock instants come twice in a zone, as its clocks go back."""
    stamps = to_datetime_index(wall)
    zoned = stamps.tz_localize(zone, ambiguous="NaT", nonexistent="shift_forward")
    return np.asarray(zoned.isna())


def is_skipped_time(wall: Ints, zone: str) -> Bools:
    """Which wall-clock instants do not exist in a zone, as its clocks go forward."""
    stamps = to_datetime_index(wall)
    earlier = np.ones(len(wall), bool)
    zoned = stamps.tz_localize(zone, ambiguous=earlier, nonexistent="NaT")
    return np.asarray(zoned.isna())


def is_second_occurrence(wall: Ints, codes: Ints, zone: str) -> Bools:
    """Which wall-clock instants [n] are in the second of two equal hours, by the order of the rows.

    codes: [n], of the series. Where rows of a series stand newest first, the second hour comes
    first.
    """
    is_second = np.zeros(len(wall), dtype=bool)
    rows = np.flatnonzero(is_repeated_time(wall, zone))
    if not len(rows):
        return is_second

    times = wall[rows]
    series = codes[rows]

    # Rows of the same series and time become neighbours, in the order in which they stand.
    order = np.lexsort((rows, times, series))
    rows = rows[order]
    series = series[order]
    place, size = _places_among_equals(times[order], series)

    # Of the rows at one time the first is of the first hour; where newest come first, the last.
    newest_first = _is_newest_first(wall, codes)[series]
    is_last = place == size - 1
    is_second[rows] = np.where(newest_first, ~is_last, place > 0)
    return is_second


def _places_among_equals(times: Ints, series: Ints) -> tuple[Ints, Ints]:
    """Place [R] of each row among those of its time and series, which are neighbours.

    Also returns how many these are [R].
    """
    is_new_time = times[1:] != times[:-1]
    is_new_series = series[1:] != series[:-1]
    is_first = np.append(True, is_new_time | is_new_series)

    group = np.cumsum(is_first) - 1
    first_rows = np.flatnonzero(is_first)

    place = np.arange(len(times)) - first_rows[group]
    sizes = np.bincount(group)
    return place, sizes[group]


def _is_newest_first(wall: Ints, codes: Ints) -> Bools:
    """Whether the first row of each series [N] is newer than its last one."""
    # Rows of the same series become neighbours, in the order in which they stand.
    order = np.argsort(codes, kind="stable")
    last_before_change = np.flatnonzero(np.diff(codes[order]))
    starts = np.append(0, last_before_change + 1)
    ends = np.append(last_before_change, len(codes) - 1)

    first = order[starts]
    last = order[ends]

    series_count = int(codes.max()) + 1
    newest_first = np.zeros(series_count, dtype=bool)
    # Series without rows stay False: none of their places is asked for.
    newest_first[codes[first]] = wall[first] > wall[last]
    return newest_first


def find_zone_of_repeated(wall: Ints) -> tuple[str, Bools]:
    """The common zone in which most of the instants come twice, and which of them do [n]."""
    return _find_best_zone(wall, is_repeated_time)


def find_zone_of_skipped(wall: Ints) -> tuple[str, Bools]:
    """The common zone in which most of the instants do not exist, and which of them do not [n]."""
    return _find_best_zone(wall, is_skipped_time)


def _find_best_zone(
    wall: Ints, test: Callable[[Ints, str], Bools]
) -> tuple[str, Bools]:
    hits = {zone: test(wall, zone) for zone in COMMON_ZONES}

    def count_hits(zone: str) -> int:
        return int(hits[zone].sum())

    best = max(hits, key=count_hits)  # the first of equals
    return best, hits[best]


def to_datetime_index(instants: Ints) -> "pd.DatetimeIndex":
    """Instants as pandas' stamps without a zone."""
    import pandas as pd  # slow to import, and stamps that are texts or numbers need none of it

    return pd.DatetimeIndex(instants.view("M8[us]"))
