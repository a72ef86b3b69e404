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
DAY = 86_400 * SECOND
EPOCH_WEEKDAY = 3
"""Days from Monday 29 December 1969 to 1 January 1970."""
_FIRST_20TH_CENTURY_YEAR = 69
"""Years of two digits from here on are of the 20th century, those below of the 21st (POSIX)."""


def months_since_epoch(instants: Ints) -> Ints:
    """Months from January 1970 to the month of each instant."""
    return instants.view("M8[us]").astype("M8[M]").astype(np.int64)


def month_starts(months: Ints) -> Ints:
    """Days since 1970 of the first of each month; months count from January 1970."""
    return months.view("M8[M]").astype("M8[D]").astype(np.int64)


def month_lengths(months: Ints) -> Ints:
    """Days in each month; months count from January 1970."""
    return month_starts(months + 1) - month_starts(months)


def weekdays(days: Ints) -> Ints:
    """Weekday of each day since 1970; Monday is 0."""
    return (days + EPOCH_WEEKDAY) % 7


def calendar_field(code: str, instants: Ints) -> Ints:
    """One field [n] of each instant, by the code of its directive.

    Fields that are written as words count from 0: months "b" and "B", weekdays "a" and "A", and
    "p", which is 0 before noon.
    """
    if code in "HIpMSf":
        return _clock_field(code, instants % DAY)
    days = instants.view("M8[us]").astype("M8[D]").astype(np.int64)
    if code in "GV":
        return _iso_week_field(code, days)
    if code in "aAu":
        return weekdays(days) + (code == "u")
    return _month_or_day_field(code, months_since_epoch(instants), days)


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
    years = thursdays.view("M8[D]").astype("M8[Y]").astype(np.int64)
    if code == "G":
        return years + 1970
    return (thursdays - month_starts(years * 12)) // 7 + 1


def _month_or_day_field(code: str, months: Ints, days: Ints) -> Ints:
    match code:
        case "Y" | "N":
            return months // 12 + 1970
        case "y":
            return (months // 12 + 1970) % 100
        case "q":
            return months % 12 // 3 + 1
        case "m":
            return months % 12 + 1
        case "b" | "B":
            return months % 12
        case "d":
            return days - month_starts(months) + 1
        case _:  # the day of the year
            return days - month_starts(months // 12 * 12) + 1


def instants_from_fields(fields: dict[str, Ints]) -> tuple[Ints, Bools]:
    """Instants [n] of calendar fields [n], and whether such a day and hour exist [n].

    Fields are keyed by their directives' codes. Raises UsageError where no year is among them.
    """
    if "G" in fields:
        days, exists = _days_from_iso_weeks(fields["G"], fields["V"], fields.get("u"))
    elif "j" in fields:
        days, exists = _days_from_day_of_year(_years_from_fields(fields), fields["j"])
    else:
        days, exists = _days_from_months(_years_from_fields(fields), fields)
    hours = fields.get("H", np.zeros_like(days))
    if "I" in fields:
        exists &= (fields["I"] >= 1) & (fields["I"] <= 12)
        hours = fields["I"] % 12 + 12 * fields.get("p", 0)
    minutes = fields.get("M", np.zeros_like(days))
    seconds = fields.get("S", np.zeros_like(days))
    # 24:00:00 is the end of a day, the beginning of the next.
    midnight = (hours == 24) & (minutes == 0) & (seconds == 0)
    exists &= ((hours < 24) | midnight) & (minutes < 60) & (seconds < 60)
    clock_seconds = (hours * 60 + minutes) * 60 + seconds
    clock = clock_seconds * SECOND + fields.get("f", 0)
    return days * DAY + clock, exists


def _years_from_fields(fields: dict[str, Ints]) -> Ints:
    if "y" in fields:
        short = fields["y"]
        return short + np.where(short < _FIRST_20TH_CENTURY_YEAR, 2000, 1900)
    for code in ("Y", "N"):
        if code in fields:
            return fields[code]
    raise UsageError("the date format has no year", "add %Y or %y to --date-format")


def _days_from_months(years: Ints, fields: dict[str, Ints]) -> tuple[Ints, Bools]:
    if "q" in fields:  # a quarter begins with its first month
        months = fields["q"] * 3 - 2
    else:
        present = (fields[code] for code in ("m", "b", "B") if code in fields)
        months = next(present, np.ones_like(years))
    days = fields.get("d", np.ones_like(years))
    since_epoch = (years - 1970) * 12 + months - 1
    month_exists = (months >= 1) & (months <= 12)
    day_exists = (days >= 1) & (days <= month_lengths(since_epoch))
    return month_starts(since_epoch) + days - 1, month_exists & day_exists


def _days_from_iso_weeks(
    years: Ints, weeks: Ints, days: Ints | None
) -> tuple[Ints, Bools]:
    first, following = _first_iso_mondays(years), _first_iso_mondays(years + 1)
    mondays = first + (weeks - 1) * 7
    exists = (weeks >= 1) & (mondays < following)
    return mondays + (0 if days is None else days - 1), exists


def _first_iso_mondays(years: Ints) -> Ints:
    """Monday of each ISO year's first week: the week that holds 4 January."""
    fourth = month_starts((years - 1970) * 12) + 3
    return fourth - weekdays(fourth)


def _days_from_day_of_year(years: Ints, days: Ints) -> tuple[Ints, Bools]:
    first = month_starts((years - 1970) * 12)
    following = month_starts((years - 1969) * 12)
    since_epoch = first + days - 1
    return since_epoch, (days >= 1) & (since_epoch < following)
