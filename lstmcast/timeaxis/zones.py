"""Wall-clock time of a zone and UTC, and the hours that clocks repeat or skip.

An instant is an int64 of microseconds since 1970. Knows no files.

Axes: n instants, R of them that come twice, N series.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import available_timezones

import numpy as np

from lstmcast.ragged import Bools, Ints
from lstmcast.timeaxis.calendar_fields import DAY, SECOND

if TYPE_CHECKING:
    import pandas as pd

COMMON_ZONES = (
    *("Europe/Berlin", "Europe/London", "Europe/Helsinki"),
    *("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles"),
    *("Australia/Sydney", "Pacific/Auckland", "America/Halifax", "America/St_Johns"),
    *(
        "America/Anchorage",
        "America/Santiago",
        "America/Sao_Paulo",
        "America/Mexico_City",
    ),
    *("America/Asuncion", "America/Havana", "Europe/Lisbon", "Europe/Istanbul"),
    *(
        "Europe/Moscow",
        "Europe/Chisinau",
        "Asia/Tehran",
        "Asia/Jerusalem",
        "Asia/Amman",
    ),
    *("Asia/Beirut", "Asia/Damascus", "Africa/Cairo", "Africa/Casablanca"),
    *(
        "Australia/Adelaide",
        "Australia/Lord_Howe",
        "Pacific/Chatham",
        "Atlantic/Azores",
    ),
    *("America/Nuuk",),
)
"""Zones whose clocks change, one well-known for each way in which they do; it is proposed first."""


class ZoneGuess(NamedTuple):
    """A zone whose clocks explain some traces, and other well-known ones that do so as well."""

    zone: str
    others: tuple[str, ...]
    explained: int

    @property
    def words(self) -> str:
        """The option that names the zone, and which other zones it could be."""
        option = f"--tz {self.zone}"
        if not self.others:
            return option
        return f"{option} (clocks in {', '.join(self.others)} change alike)"


_MAX_OTHERS = 3
_MAX_DAYS_COMPARED = 2000
"""Stamps that are compared with the days of a zone."""


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
    always_earlier = np.ones(len(wall), bool)
    earlier = always_earlier if later is None else ~later

    stamps = to_datetime_index(wall)
    zoned = stamps.tz_localize(zone, ambiguous=earlier, nonexistent="shift_forward")
    universal = zoned.tz_convert("UTC")
    return to_microseconds(universal.tz_localize(None))


def utc_offset_minutes(wall: Ints, zone: str) -> Ints:
    """Minutes by which a zone's clocks are ahead of UTC at wall-clock instants."""
    universal = to_utc(wall, zone)
    ahead = wall - universal
    return ahead // (60 * SECOND)


def has_changing_clocks(zone: str) -> bool:
    """Whether a zone's clocks may change, as those of a fixed offset like "+01:00" do not."""
    is_offset = zone.startswith(("+", "-"))
    return not is_offset


def is_repeated_time(wall: Ints, zone: str) -> Bools:
    """Which wall-clock instants come twice in a zone, as its clocks go back."""
    stamps = to_datetime_index(wall)
    # Only times that come twice are left without a meaning.
    zoned = stamps.tz_localize(zone, ambiguous="NaT", nonexistent="shift_forward")
    return np.asarray(zoned.isna())


def is_skipped_time(wall: Ints, zone: str) -> Bools:
    """Which wall-clock instants do not exist in a zone, as its clocks go forward."""
    stamps = to_datetime_index(wall)
    # Of an hour that comes twice either would do: it is not skipped.
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

    lone = rows[size == 1]
    is_second[lone] = _is_regular_if_second(wall, codes, lone, zone)
    return is_second


def _is_regular_if_second(wall: Ints, codes: Ints, rows: Ints, zone: str) -> Bools:
    """Which of these rows, alone at a time that comes twice, are regular only as the second one.

    Regular is as far from the row before as rows usually are. Hourly rows meet the second half hour
    alone where clocks go back by half an hour.
    """
    if not len(rows) or len(wall) < 2:
        return np.zeros(len(rows), dtype=bool)

    # The usual step between rows, whether they stand oldest or newest first.
    steps = np.abs(np.diff(wall))
    same_series = codes[1:] == codes[:-1]
    usual = np.median(steps[same_series])

    # The first row of all has none before it: its own place keeps the arrays alike.
    before = np.maximum(rows - 1, 0)
    is_same_series = codes[before] == codes[rows]
    has_before = (rows > 0) & is_same_series

    # The row before may itself be one that comes twice: then nothing is known by it.
    times = wall[rows]
    times_before = wall[before]
    is_doubtful = is_repeated_time(times_before, zone)
    known = has_before & ~is_doubtful

    is_later = np.ones(len(rows), dtype=bool)
    as_first = to_utc(times, zone)
    as_second = to_utc(times, zone, is_later)
    since = to_utc(times_before, zone)

    # Rows may stand newest first, and be farther from the row before by either sign.
    fits_first = np.abs(as_first - since) == usual
    fits_second = np.abs(as_second - since) == usual
    fits_second_only = fits_second & ~fits_first
    return np.asarray(known & fits_second_only)


def _places_among_equals(times: Ints, series: Ints) -> tuple[Ints, Ints]:
    """Place [R] of each row among those of its time and series, which are neighbours.

    Also returns how many these are [R].
    """
    is_new_time = times[1:] != times[:-1]
    is_new_series = series[1:] != series[:-1]
    is_first = np.append(True, is_new_time | is_new_series)

    # Rows of one time and series are a group; groups are numbered from 0.
    group = np.cumsum(is_first) - 1
    first_rows = np.flatnonzero(is_first)
    first_row = first_rows[group]

    # A place counts from the first row of the group.
    rows = np.arange(len(times))
    place = rows - first_row
    sizes = np.bincount(group)
    return place, sizes[group]


def _is_newest_first(wall: Ints, codes: Ints) -> Bools:
    """Whether the first row of each series [N] is newer than its last one."""
    # Rows of the same series become neighbours, in the order in which they stand.
    order = np.argsort(codes, kind="stable")
    sorted_codes = codes[order]
    last_before_change = np.flatnonzero(np.diff(sorted_codes))

    starts = np.append(0, last_before_change + 1)
    ends = np.append(last_before_change, len(codes) - 1)

    first = order[starts]
    last = order[ends]

    series_count = int(codes.max()) + 1
    newest_first = np.zeros(series_count, dtype=bool)
    # Series without rows stay False: none of their places is asked for.
    series_with_rows = codes[first]
    newest_first[series_with_rows] = wall[first] > wall[last]
    return newest_first


def guess_zone(skipped: Ints, repeated: Ints, present: Ints) -> ZoneGuess | None:
    """The zone whose clocks explain most hours that are left out and that come twice.

    skipped, repeated: wall-clock instants of such hours. present: all that the data have, none of
    which the clocks of the zone may skip. None where no zone explains any.
    """
    guess = _guess_zone_among(COMMON_ZONES, skipped, repeated, present)
    traces = len(skipped) + len(repeated)
    if guess is not None and guess.explained == traces:
        return guess

    # Zones of places only: others are copies of them, or offsets that never change.
    other_kinds = ("Etc/", "posix/", "right/")
    named = [zone for zone in sorted(available_timezones()) if "/" in zone]
    every = [zone for zone in named if not zone.startswith(other_kinds)]

    # A rarer zone must explain more than a common one to be believed.
    rarer = _guess_zone_among(every, skipped, repeated, present)
    explained = 0 if guess is None else guess.explained
    if rarer is not None and rarer.explained > explained:
        return rarer
    return guess


def _guess_zone_among(
    zones: Sequence[str], skipped: Ints, repeated: Ints, present: Ints
) -> ZoneGuess | None:
    counts: dict[str, int] = {}
    for zone in zones:
        explains_skipped = is_skipped_time(skipped, zone)
        explains_repeated = is_repeated_time(repeated, zone)
        hits = explains_skipped.sum() + explains_repeated.sum()
        counts[zone] = int(hits)

    some_explained = set(counts.values()) - {0}
    for count in sorted(some_explained, reverse=True):
        # Only zones that explain as much are compared with all stamps, which takes longest.
        possible = []
        for zone in zones:
            if counts[zone] != count:
                continue
            contradicts = is_skipped_time(present, zone)
            if not contradicts.any():
                possible.append(zone)

        if possible:
            first, *rest = possible
            return ZoneGuess(first, tuple(rest[:_MAX_OTHERS]), count)
    return None


def guess_zone_of_days(universal: Ints) -> ZoneGuess | None:
    """The zone in which UTC instants that move by an hour are all at one time of day.

    That is midnight, if a zone has it so. None where instants do not move, or no zone explains it.
    """
    clocks = np.unique(universal % DAY)
    # One for winter, one for summer, and at most one more where a zone has changed its offset.
    if not 2 <= len(clocks) <= 3:
        return None

    some = universal
    if len(some) > _MAX_DAYS_COMPARED:
        every = len(some) // _MAX_DAYS_COMPARED
        some = some[::every]

    steady: dict[str, int] = {}
    for zone in COMMON_ZONES:
        # A part of the stamps rules most zones out.
        if _is_at_one_clock(some, zone) and _is_at_one_clock(universal, zone):
            first = to_local(universal[:1], zone)
            steady[zone] = int(first[0] % DAY)
    if not steady:
        return None

    at_midnight = [zone for zone, clock in steady.items() if clock == 0]
    first_zone, *rest = at_midnight or list(steady)
    return ZoneGuess(first_zone, tuple(rest[:_MAX_OTHERS]), len(universal))


def _is_at_one_clock(universal: Ints, zone: str) -> bool:
    """Whether UTC instants are all at one time of day by the clocks of a zone."""
    local = to_local(universal, zone)
    clocks = local % DAY
    is_at_first = clocks == clocks[0]
    return bool(is_at_first.all())


def to_datetime_index(instants: Ints) -> "pd.DatetimeIndex":
    """Instants as pandas' stamps without a zone."""
    import pandas as pd  # slow to import, and stamps that are texts or numbers need none of it

    return pd.DatetimeIndex(instants.view("M8[us]"))
