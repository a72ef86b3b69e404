"""The regular grid that stamps lie on: found from the stamps of all series, and its arithmetic.

A grid numbers its periods with consecutive integers (ordinals) that do not depend on where the data
begins, so that two files on one grid agree. Instants are int64 microseconds since 1970, or the
steps of an integer axis.
"""

import re
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from lstmcast.errors import UsageError
from lstmcast.ragged import Bools, Ints
from lstmcast.timeaxis.formats import DAY, SECOND, month_lengths, month_starts

MINUTE, HOUR, WEEK = 60 * SECOND, 3600 * SECOND, 7 * DAY
_WEEKDAY_ALIASES = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
_MONTH_ALIASES = (
    "JAN",
    "FEB",
    "MAR",
    "APR",
    "MAY",
    "JUN",
    "JUL",
    "AUG",
    "SEP",
    "OCT",
    "NOV",
    "DEC",
)
_FIXED_UNITS = (
    (WEEK, "W"),
    (DAY, "D"),
    (HOUR, "h"),
    (MINUTE, "min"),
    (SECOND, "s"),
    (1000, "ms"),
    (1, "us"),
)
_OLD_ALIASES = {
    "H": "h",
    "T": "min",
    "t": "min",
    "S": "s",
    "L": "ms",
    "U": "us",
    "d": "D",
    "w": "W",
    "b": "B",
}
_MONTHS_PER_UNIT = {"M": 1, "Q": 3, "Y": 12, "A": 12}
EPOCH_WEEKDAY = 3
"""Days from Monday 29 December 1969 to 1 January 1970."""


@dataclass(frozen=True)
class Grid:
    """Regular periods of `step` units; `phase` (below `step`) is where they start.

    unit: "us" for fixed lengths, "month", "business" (Monday to Friday), "integer".
    day: day of the month that stamps lie on, the last day where a month is shorter (31: always the
    last).
    clock: time of day in microseconds, for months and business days.
    working: the first (day 1) or last (day 31) Monday to Friday of the month instead.
    """

    unit: Literal["us", "month", "business", "integer"]
    step: int = 1
    phase: int = 0
    day: int = 1
    clock: int = 0
    working: bool = False

    def ordinals(self, instants: Ints) -> tuple[Ints, Bools]:
        """Ordinal of the period at or before each instant, and whether the instant is exactly its stamp."""
        count = self._units_since_epoch(instants)
        if count is instants:  # fixed lengths: no stamp lies later than where its period begins
            ordinals = (count - self.phase) // self.step
            return ordinals, self.instants(ordinals) == instants
        ordinals = (count - self.phase) // self.step
        late = self.instants(ordinals) > instants  # before this month's day, or before the clock
        ordinals = ordinals - late
        return ordinals, self.instants(ordinals) == instants

    def _units_since_epoch(self, instants: Ints) -> Ints:
        if self.unit == "month":
            return instants.view("M8[us]").astype("M8[M]").astype(np.int64)
        if self.unit == "business":
            weeks, days = np.divmod(instants // DAY + EPOCH_WEEKDAY, 7)
            return weeks * 5 + np.minimum(days, 4)
        return instants

    def instants(self, ordinals: Ints) -> Ints:
        """Stamp of each period."""
        count = ordinals * self.step + self.phase
        if self.unit == "month":
            days = month_starts(count) + np.minimum(self.day, month_lengths(count)) - 1
            return (
                nearest_working_days(days, last=self.day == 31) if self.working else days
            ) * DAY + self.clock
        if self.unit == "business":
            weeks, days = np.divmod(count, 5)
            return (weeks * 7 + days - EPOCH_WEEKDAY) * DAY + self.clock
        return count

    @property
    def is_daily_or_longer(self) -> bool:
        """Whether periods are whole days or longer, so that they follow the wall clock."""
        return self.unit in ("month", "business") or (self.unit == "us" and self.step % DAY == 0)

    @property
    def alias(self) -> str:
        """The pandas alias nearest to this grid; for integers the step as text."""
        if self.unit == "integer":
            return str(self.step)
        if self.unit == "business":
            return "B"
        if self.unit == "month":
            return self._month_alias()
        size, name = next((size, name) for size, name in _FIXED_UNITS if self.step % size == 0)
        many = str(self.step // size) if self.step > size else ""
        return many + (
            f"W-{_WEEKDAY_ALIASES[(self.phase // DAY + EPOCH_WEEKDAY) % 7]}"
            if size == WEEK
            else name
        )

    def _month_alias(self) -> str:
        edge, before = "E" if self.day == 31 else "S", "B" if self.working else ""
        if self.step % 12 == 0:
            many, name, usual, month = (
                self.step // 12,
                "Y",
                11 if edge == "E" else 0,
                self.phase % 12,
            )
        elif self.step == 3:
            many, name, usual, month = 1, "Q", 2 if edge == "E" else 0, self.phase % 3
        else:
            many, name, usual, month = self.step, "M", 0, 0
        return f"{many if many > 1 else ''}{before}{name}{edge}" + (
            f"-{_MONTH_ALIASES[month]}" if month != usual else ""
        )

    @property
    def words(self) -> str:
        """The frequency in plain words."""
        if self.unit == "integer":
            return "integer steps" if self.step == 1 else f"integer steps of {self.step}"
        if self.unit == "business":
            return "business days"
        if self.unit == "month":
            named = {1: "monthly", 3: "quarterly", 12: "yearly"}
            edges = (
                {1: " (first business day)", 31: " (last business day)"}
                if self.working
                else {31: " (month end)"}
            )
            return named.get(self.step, f"every {self.step} months") + edges.get(self.day, "")
        named = {
            WEEK: "weekly",
            DAY: "daily",
            HOUR: "hourly",
            30 * MINUTE: "half-hourly",
            MINUTE: "every minute",
        }
        return named.get(self.step, f"every {self.alias}")


class FrequencySpec(NamedTuple):
    """A frequency as asked for; edge is "S", "E" or "", anchor a weekday or a month counted from 0, or None."""

    unit: Literal["us", "month", "business", "integer"]
    step: int
    edge: str = ""
    anchor: int | None = None
    working: bool = False


def parse_frequency(freq: str) -> FrequencySpec:
    """Read a pandas alias or an integer step; UsageError where it is unknown."""
    match = re.fullmatch(r"(\d*)([A-Za-z]*)(?:-([A-Za-z]{3}))?", freq.strip())
    found = _parse_alias(int(match[1] or 1), match[2], match[3]) if match and freq.strip() else None
    if found is None or found.step < 1:
        raise UsageError(
            f"frequency {freq!r} is not known",
            "use one like D, B, h, 30min, W, MS, ME, QS, YS, or 1",
        )
    return found


def _parse_alias(many: int, name: str, anchor: str | None) -> FrequencySpec | None:
    name, at = _OLD_ALIASES.get(name, name), (anchor or "").upper()
    fixed = {unit: size for size, unit in _FIXED_UNITS}
    if name == "W" and (not at or at in _WEEKDAY_ALIASES):
        return FrequencySpec("us", many * WEEK, anchor=_WEEKDAY_ALIASES.index(at) if at else None)
    monthly = re.fullmatch(r"(B?)([MQYA])([SE]?)", name.upper())
    if monthly and (not at or (monthly[2] != "M" and at in _MONTH_ALIASES)):
        edge = monthly[3] or "E" * bool(monthly[1])  # "BM" has always been the end of a month
        place = _MONTH_ALIASES.index(at) if at else None
        return FrequencySpec(
            "month", many * _MONTHS_PER_UNIT[monthly[2]], edge, place, bool(monthly[1])
        )
    if at:
        return None
    if not name:
        return FrequencySpec("integer", many)
    if name in fixed:
        return FrequencySpec("us", many * fixed[name])
    return FrequencySpec("business", 1) if many == 1 and name == "B" else None


def nearest_working_days(days: Ints, *, last: bool) -> Ints:
    """The working day at or before (`last`) or at or after each of the days since 1970."""
    weekend = np.maximum((days + EPOCH_WEEKDAY) % 7 - 4, 0)
    return days - weekend if last else days + (3 - weekend) * (weekend > 0)
