"""The regular grid that stamps lie on: its arithmetic, its names, and how users ask for one.

A grid numbers its periods with consecutive integers (ordinals) that do not depend on where the data
begins, so that two files on one grid agree. Instants are int64 microseconds since 1970, or the
steps of an integer axis.

Axes: n stamps or periods.
"""

import re
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np

from lstmcast.errors import UsageError
from lstmcast.ragged import Bools, Ints
from lstmcast.timeaxis.calendar_fields import (
    DAY,
    EPOCH_WEEKDAY,
    SECOND,
    month_lengths,
    month_starts,
    months_since_epoch,
    weekdays,
)
from lstmcast.timeaxis.closed import OpenSlots, find_open_slots

MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
WEEK = 7 * DAY
_WEEKDAY_ALIASES = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
_MONTH_ALIASES = (
    *("JAN", "FEB", "MAR", "APR", "MAY", "JUN"),
    *("JUL", "AUG", "SEP", "OCT", "NOV", "DEC"),
)
_FIXED_UNITS = {
    "W": WEEK,
    "D": DAY,
    "h": HOUR,
    "min": MINUTE,
    "s": SECOND,
    "ms": SECOND // 1000,
    "us": 1,
}
"""Units of a fixed length, the longest first."""
_OLD_ALIASES = {
    **{"H": "h", "T": "min", "t": "min", "S": "s", "L": "ms", "U": "us"},
    **{"d": "D", "w": "W", "b": "B"},
}
"""What older versions of pandas called units."""
_FIXED_WORDS = {
    WEEK: "weekly",
    DAY: "daily",
    HOUR: "hourly",
    30 * MINUTE: "half-hourly",
    MINUTE: "every minute",
}
_MONTH_WORDS = {1: "monthly", 3: "quarterly", 12: "yearly"}
_MONTHS_PER_UNIT = {"M": 1, "Q": 3, "Y": 12, "A": 12}
LAST_DAY = 31
"""Stands for the last day of every month, however long it is."""


@dataclass(frozen=True)
class Grid:
    """Regular periods of `step` units that start at `phase`, which is below `step`.

    unit: "us" (microseconds) for fixed lengths, "month", "business" (Monday to Friday), "integer".
    day: day of the month that stamps lie on, or the last day where a month is shorter; LAST_DAY is
    the last of every month.
    clock: time of day in microseconds, for months and business days.
    working: the first (day 1) or last (LAST_DAY) Monday to Friday of the month instead.
    closed: times that never occur and have no ordinals, as in `timeaxis.closed`: "sun,0-9".
    """

    unit: Literal["us", "month", "business", "integer"]
    step: int = 1
    phase: int = 0
    day: int = 1
    clock: int = 0
    working: bool = False
    closed: str = ""

    def ordinals(self, instants: Ints) -> tuple[Ints, Bools]:
        """Ordinal [n] of the period at or before each instant [n], and whether it is its stamp."""
        periods, is_stamp = self.all_ordinals(instants)
        if not self.closed:
            return periods, is_stamp
        ordinals, is_open = self.open_slots.to_open(periods)
        return ordinals, is_stamp & is_open

    def all_ordinals(self, instants: Ints) -> tuple[Ints, Bools]:
        """The same as `ordinals`, where closed periods are counted too."""
        units = self._units_since_epoch(instants)
        ordinals = (units - self.phase) // self.step

        if units is not instants:
            # An instant before its month's day, or before the time of day, is of the period before.
            is_before_stamp = self._all_instants(ordinals) > instants
            ordinals = ordinals - is_before_stamp
        return ordinals, self._all_instants(ordinals) == instants

    @property
    def open_slots(self) -> OpenSlots:
        """The periods of a cycle that are open."""
        return find_open_slots(self.unit, self.step, self.phase, self.closed)

    @property
    def with_closed_periods(self) -> "Grid":
        """The same grid with nothing closed: all days of business days."""
        if self.unit == "business":
            return Grid("us", DAY, self.clock)
        return replace(self, closed="")

    def _units_since_epoch(self, instants: Ints) -> Ints:
        """Whole units from the epoch to each instant; the instants themselves for fixed lengths."""
        if self.unit == "month":
            return months_since_epoch(instants)
        if self.unit == "business":
            days = instants // DAY
            weeks, weekday = np.divmod(days + EPOCH_WEEKDAY, 7)
            return weeks * 5 + np.minimum(weekday, 4)  # weekends count as their Friday
        return instants

    def instants(self, ordinals: Ints) -> Ints:
        """Stamp [n] of each period [n]."""
        if self.closed:
            ordinals = self.open_slots.to_steps(ordinals)
        return self._all_instants(ordinals)

    def _all_instants(self, ordinals: Ints) -> Ints:
        units = ordinals * self.step + self.phase

        if self.unit == "month":
            # The 30th of February is its last day, as for pandas' month offsets.
            days_of_month = np.minimum(self.day, month_lengths(units))
            days = month_starts(units) + days_of_month - 1
            if self.working:
                days = nearest_working_days(days, last=self.day == LAST_DAY)
            return days * DAY + self.clock

        if self.unit == "business":
            weeks, weekday = np.divmod(units, 5)
            days = weeks * 7 + weekday - EPOCH_WEEKDAY
            return days * DAY + self.clock

        return units

    @property
    def is_daily_or_longer(self) -> bool:
        """Whether periods are whole days or longer, so that they follow the wall clock."""
        if self.unit == "us":
            return self.step % DAY == 0
        return self.unit in ("month", "business")

    @property
    def alias(self) -> str:
        """The pandas alias nearest to this grid; for integers the step as text."""
        if self.unit == "integer":
            return str(self.step)
        if self.unit == "business":
            return "B"
        if self.unit == "month":
            return self._month_alias()

        # The longest unit that the step is a multiple of.
        name = next(
            unit for unit in _FIXED_UNITS if self.step % _FIXED_UNITS[unit] == 0
        )

        many = _multiple(self.step // _FIXED_UNITS[name])
        if name == "W":
            # Weeks are named by the weekday that their stamps lie on.
            weekday = (self.phase // DAY + EPOCH_WEEKDAY) % 7
            return f"{many}W-{_WEEKDAY_ALIASES[weekday]}"
        return many + name

    def _month_alias(self) -> str:
        """An alias like "MS", "BQE-NOV" or "2YS", with the month if that is not the usual one."""
        ends = self.day == LAST_DAY

        # Years begin in January and end in December, unless an anchor names another month.
        if self.step % 12 == 0:
            name, size = "Y", 12
        elif self.step == 3:
            name, size = "Q", 3
        else:
            name, size = "M", 1

        many = _multiple(self.step // size)
        working = "B" if self.working else ""
        edge = "E" if ends else "S"

        month = self.phase % size
        usual_month = size - 1 if ends else 0
        anchor = "" if month == usual_month else f"-{_MONTH_ALIASES[month]}"

        return f"{many}{working}{name}{edge}{anchor}"

    @property
    def words(self) -> str:
        """The frequency in plain words."""
        words = self._step_words()
        return f"{words}, closed {self.closed}" if self.closed else words

    def _step_words(self) -> str:
        step = self.step
        if self.unit == "integer":
            return "integer steps" if step == 1 else f"integer steps of {step}"
        if self.unit == "business":
            return "business days"
        if self.unit == "us":
            return _FIXED_WORDS.get(step, f"every {self.alias}")

        words = _MONTH_WORDS.get(step, f"every {step} months")
        if self.working:
            edges = {1: " (first business day)", LAST_DAY: " (last business day)"}
        else:
            edges = {LAST_DAY: " (month end)"}
        return words + edges.get(self.day, "")


def _multiple(count: int) -> str:
    """The number before a unit; one is not written."""
    return str(count) if count > 1 else ""


class FrequencySpec(NamedTuple):
    """A frequency as the user wrote it.

    edge: "S" for the start of the month, "E" for its end, "" where it is open. anchor: a weekday or
    a month, counted from 0, or None. working: whether the edge is a day from Monday to Friday.
    """

    unit: Literal["us", "month", "business", "integer"]
    step: int
    edge: str = ""
    anchor: int | None = None
    working: bool = False


_MAX_STEPS = {"us": 1000 * 366 * DAY, "month": 12_000, "integer": 10**15}
"""The largest steps: a thousand years, by which no arithmetic of instants overflows."""


def parse_frequency(freq: str) -> FrequencySpec:
    """Read a pandas alias or an integer step. Raises UsageError where it is unknown."""
    alias = freq.strip()
    match = re.fullmatch(r"(\d{0,15})([A-Za-z]*)(?:-([A-Za-z]{3}))?", alias)

    spec = None
    if match and alias:
        many, name, anchor = match.groups()
        spec = _parse_alias(int(many or 1), name, anchor or "")

    if spec is None or not 1 <= spec.step <= _MAX_STEPS.get(spec.unit, 1):
        message = f"frequency {freq!r} is not known"
        hint = "use one like D, B, h, 30min, W, MS, ME, QS, YS, or 1"
        raise UsageError(message, hint)
    return spec


def _parse_alias(many: int, name: str, anchor: str) -> FrequencySpec | None:
    """`many` units of a name, with the weekday or month after its dash; None where unknown."""
    name = _OLD_ALIASES.get(name, name)
    anchor = anchor.upper()

    if name == "W" and anchor in ("", *_WEEKDAY_ALIASES):
        weekday = _WEEKDAY_ALIASES.index(anchor) if anchor else None
        return FrequencySpec("us", many * WEEK, anchor=weekday)

    monthly = re.fullmatch(r"(B?)([MQYA])([SE]?)", name.upper())
    if monthly:
        business, unit, edge = monthly.groups()
        return _monthly_spec(many, unit, edge, anchor, working=bool(business))

    if anchor:
        return None
    if not name:
        return FrequencySpec("integer", many)
    if name in _FIXED_UNITS:
        return FrequencySpec("us", many * _FIXED_UNITS[name])
    if name == "B" and many == 1:
        return FrequencySpec("business", 1)
    return None


def _monthly_spec(
    many: int, unit: str, edge: str, anchor: str, *, working: bool
) -> FrequencySpec | None:
    """Months, quarters or years; None where the anchor is no month, or does not fit."""
    month = None
    if anchor:
        if unit == "M" or anchor not in _MONTH_ALIASES:
            return None
        month = _MONTH_ALIASES.index(anchor)

    if working and not edge:
        edge = "E"  # "BM" has always been the end of a month

    months = many * _MONTHS_PER_UNIT[unit]
    return FrequencySpec("month", months, edge, month, working)


def nearest_working_days(days: Ints, *, last: bool) -> Ints:
    """The Monday to Friday at or before (`last`), or at or after, each of the days since 1970."""
    # 1 on Saturdays, 2 on Sundays.
    into_weekend: Ints = np.maximum(weekdays(days) - 4, 0)

    if last:
        return days - into_weekend

    # Two days from a Saturday, one from a Sunday.
    days_to_monday = (3 - into_weekend) * (into_weekend > 0)
    return days + days_to_monday
