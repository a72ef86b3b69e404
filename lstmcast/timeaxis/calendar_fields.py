"""Calendar fields of instants and back, array by array: year, month, week, day, time of day.

An instant is an int64 of microseconds since 1970; days and months count from 1970 too. The calendar
is the Gregorian one throughout, as in ISO 8601, and there are no leap seconds. Fields are named by
the directive that writes them: "Y", "m", "d", "H" ... Knows no texts and no zones.

Axes: n instants.
"""

import numpy as np

from lstmcast.errors import UsageError
from lstmcast.ragged import Bools, Ints

SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
EPOCH_WEEKDAY = 3
"""Days from Monday 29 December 1969 to 1 January 1970."""
_FIRST_20TH_CENTURY_YEAR = 69
"""Years of two digits from here on are of the 20th century, those below of the 21st (POSIX)."""
YEAR_RANGE_WORDS = "the years 1 to 9999"
"""Beyond these no calendar here counts: Python's dates, ISO 8601 and pandas end there too."""
_FIRST_DAY = np.datetime64("0001-01-01")
_END = np.datetime64("10000-01-01")
_ZONE_MARGIN = np.timedelta64(1, "D")
"""Clocks of a zone are at most a day away from UTC."""


# numpy's datetime64 counts from 1970 too, in whatever unit: its casts between units are those of
# the calendar.
def months_since_epoch(instants: Ints) -> Ints:
    """Months from January 1970 to the month of each instant."""
    months = instants.view("M8[us]").astype("M8[M]")
    return months.astype(np.int64)


def month_starts(months: Ints) -> Ints:
    """Days since 1970 of the first of each month; months count from January 1970."""
    days = months.view("M8[M]").astype("M8[D]")
    return days.astype(np.int64)


def _year_starts(years: Ints) -> Ints:
    """Days since 1970 of 1 January of each year."""
    return month_starts((years - 1970) * 12)


def month_lengths(months: Ints) -> Ints:
    """Days in each month; months count from January 1970."""
    return month_starts(months + 1) - month_starts(months)


def weekdays(days: Ints) -> Ints:
    """Weekday of each day since 1970; Monday is 0."""
    return (days + EPOCH_WEEKDAY) % 7


def calendar_field(code: str, instants: Ints) -> Ints:
    """One field [n] of each instant, by the code of its directive.

    Fields that are written as words count from 0: months "b" and "B", weekdays "a" and "A", and
    "p", which is 0 before noon. "E" and "U" are year and week as epidemiologists count them, "h"
    is a half-year, and "k" an hour from 1 to 24: that which ends then.
    """
    if code in "HIpMSf":
        return _clock_field(code, instants % DAY)

    days = instants // DAY
    if code in "GV":
        return _iso_week_field(code, days)
    if code in "EU":
        return _epidemic_week_field(code, days)
    if code == "k":
        return (instants % DAY // HOUR - 1) % 24 + 1
    if code in "aAu":
        return weekdays(days) + (code == "u")

    months = months_since_epoch(instants)
    return _month_or_day_field(code, months, days)


def _clock_field(code: str, clock: Ints) -> Ints:
    hours = clock // (3600 * SECOND)

    match code:
        case "H":
            return hours
        case "I":  # 12, 1, 2, ... 11, both before and after noon
            return (hours + 11) % 12 + 1
        case "p":
            return hours // 12
        case "M":
            return clock // (60 * SECOND) % 60
        case "S":
            return clock // SECOND % 60
        case _:
            return clock % SECOND


def _iso_week_field(code: str, days: Ints) -> Ints:
    # ISO 8601: a week belongs to the year that its Thursday is in.
    thursdays = days - weekdays(days) + 3
    years = thursdays.view("M8[D]").astype("M8[Y]").astype(np.int64) + 1970

    if code == "G":
        return years
    days_before = thursdays - _year_starts(years)
    return days_before // 7 + 1


def _epidemic_week_field(code: str, days: Ints) -> Ints:
    # Weeks of the CDC begin on Sunday and belong to the year that their Wednesday is in.
    sundays = days - (weekdays(days) + 1) % 7
    wednesdays = sundays + 3
    years = wednesdays.view("M8[D]").astype("M8[Y]").astype(np.int64) + 1970

    if code == "E":
        return years
    return (sundays - _first_epidemic_sundays(years)) // 7 + 1


def _month_or_day_field(code: str, months: Ints, days: Ints) -> Ints:
    years = months // 12 + 1970
    months_of_year = months % 12

    match code:
        case "Y" | "N":
            return years
        case "y":
            return years % 100
        case "q":
            return months_of_year // 3 + 1
        case "h":
            return months_of_year // 6 + 1
        case "m":
            return months_of_year + 1
        case "b" | "B":
            return months_of_year
        case "d":
            return days - month_starts(months) + 1
        case _:  # the day of the year
            return days - _year_starts(years) + 1


def instants_from_fields(fields: dict[str, Ints]) -> tuple[Ints, Bools]:
    """Instants [n] of calendar fields [n], and whether such a day and hour exist [n].

    Fields are keyed by their directives' codes. Raises UsageError where no year is among them.
    """
    if "V" in fields:
        days, day_exists = _days_from_iso_weeks(fields)
    elif "U" in fields:
        days, day_exists = _days_from_epidemic_weeks(fields)
    elif "j" in fields:
        days, day_exists = _days_from_day_of_year(fields)
    else:
        days, day_exists = _days_from_months(fields)

    zeros = np.zeros_like(days)
    clock, clock_exists = _clock_from_fields(fields, zeros)
    return days * DAY + clock, day_exists & clock_exists


def _clock_from_fields(fields: dict[str, Ints], zeros: Ints) -> tuple[Ints, Bools]:
    """Time of day [n] in microseconds, and whether it exists [n]; `zeros` for what is not named."""
    minutes = fields.get("M", zeros)
    seconds = fields.get("S", zeros)

    if "I" in fields:
        half_day_hours = fields["I"]
        hours = half_day_hours % 12 + 12 * fields.get("p", zeros)
        hour_exists = (half_day_hours >= 1) & (half_day_hours <= 12)
    elif "k" in fields:
        hours = fields["k"]
        hour_exists = (hours >= 1) & (hours <= 24)
    else:
        hours = fields.get("H", zeros)
        # 24:00:00 is the end of a day, the beginning of the next.
        is_midnight = (hours == 24) & (minutes == 0) & (seconds == 0)
        hour_exists = (hours < 24) | is_midnight

    exists = hour_exists & (minutes < 60) & (seconds < 60)
    clock_minutes = hours * 60 + minutes
    clock_seconds = clock_minutes * 60 + seconds
    clock = clock_seconds * SECOND + fields.get("f", zeros)
    return clock, exists


def _years_from_fields(fields: dict[str, Ints]) -> Ints:
    if "y" in fields:
        short = fields["y"]
        return short + np.where(short < _FIRST_20TH_CENTURY_YEAR, 2000, 1900)

    for code in ("Y", "N", "G", "E"):
        if code in fields:
            return fields[code]
    raise UsageError("the date format has no year", "add %Y or %y to --date-format")


def _months_from_fields(fields: dict[str, Ints], ones: Ints) -> Ints:
    """Month of the year [n], from 1; `ones` where none is named."""
    if "q" in fields:  # a quarter begins with its first month
        return fields["q"] * 3 - 2
    if "h" in fields:
        return fields["h"] * 6 - 5
    for code in ("m", "b", "B"):
        if code in fields:
            return fields[code]
    return ones


def _days_from_months(fields: dict[str, Ints]) -> tuple[Ints, Bools]:
    years = _years_from_fields(fields)
    ones = np.ones_like(years)
    months = _months_from_fields(fields, ones)
    days = fields.get("d", ones)

    since_epoch = (years - 1970) * 12 + months - 1
    month_exists = (months >= 1) & (months <= 12)
    day_exists = (days >= 1) & (days <= month_lengths(since_epoch))

    days_since_epoch = month_starts(since_epoch) + days - 1
    return days_since_epoch, month_exists & day_exists


def _days_from_iso_weeks(fields: dict[str, Ints]) -> tuple[Ints, Bools]:
    years = fields["G"] if "G" in fields else _years_from_fields(fields)
    weeks = fields["V"]
    mondays = _first_iso_mondays(years) + (weeks - 1) * 7

    # A year has 52 weeks or 53: the first Monday of the next one says which.
    exists = (weeks >= 1) & (mondays < _first_iso_mondays(years + 1))

    if "u" not in fields:
        return mondays, exists
    return mondays + fields["u"] - 1, exists


def _first_iso_mondays(years: Ints) -> Ints:
    """Monday of each ISO year's first week: the week that holds 4 January."""
    fourth = _year_starts(years) + 3
    return fourth - weekdays(fourth)


def _days_from_epidemic_weeks(fields: dict[str, Ints]) -> tuple[Ints, Bools]:
    years = fields["E"] if "E" in fields else _years_from_fields(fields)
    weeks = fields["U"]
    sundays = _first_epidemic_sundays(years) + (weeks - 1) * 7
    exists = (weeks >= 1) & (sundays < _first_epidemic_sundays(years + 1))
    return sundays, exists


def _first_epidemic_sundays(years: Ints) -> Ints:
    """Sunday of each year's first week of the CDC: the week that holds 4 January."""
    fourth = _year_starts(years) + 3
    return fourth - (weekdays(fourth) + 1) % 7


def _days_from_day_of_year(fields: dict[str, Ints]) -> tuple[Ints, Bools]:
    years = _years_from_fields(fields)
    days = fields["j"]
    since_epoch = _year_starts(years) + days - 1
    exists = (days >= 1) & (since_epoch < _year_starts(years + 1))
    return since_epoch, exists


def are_outside_years(counts: Ints, unit: str, *, zoned: bool = False) -> Bools:
    """Which instants [n] lie outside the years 1 to 9999.

    counts: units of numpy's datetimes ("D", "s", "ms", "us", "ns") since 1970. zoned: whether a
    zone moves them, so that a day at either end is not safe.
    """
    margin = _ZONE_MARGIN if zoned else np.timedelta64(0, "D")
    if unit == "ns":
        # All that int64 holds of these, from 1677 to 2262, lies inside.
        return np.zeros(len(counts), dtype=bool)
    first = (_FIRST_DAY + margin).astype(f"M8[{unit}]").astype(np.int64)
    end = (_END - margin).astype(f"M8[{unit}]").astype(np.int64)
    return np.asarray((counts < first) | (counts >= end))


def format_count(count: int, unit: str) -> str:
    """An instant as text, of whatever year."""
    [instant] = np.array([count]).astype(f"M8[{unit}]")
    return str(instant)
