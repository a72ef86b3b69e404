"""The regular grid that stamps lie on: found from the stamps of all series, and its arithmetic.

A grid numbers its periods with consecutive integers (ordinals) that do not depend on where the data begins, so that two
files on one grid agree. Instants are int64 microseconds since 1970, or the steps of an integer axis.
"""

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np

from lstmcast.errors import UsageError
from lstmcast.layouts import DAY, SECOND, Bools, Ints, month_lengths, month_starts

MINUTE, HOUR, WEEK = 60 * SECOND, 3600 * SECOND, 7 * DAY
_WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_UNITS = ((WEEK, "W"), (DAY, "D"), (HOUR, "h"), (MINUTE, "min"), (SECOND, "s"), (1000, "ms"), (1, "us"))
_ALIASES = {"H": "h", "T": "min", "t": "min", "S": "s", "L": "ms", "U": "us", "d": "D", "w": "W", "b": "B"}
_MONTHLY = {"M": 1, "Q": 3, "Y": 12, "A": 12}
_YEAR_ZERO_MONDAY = 3
"""Days from Monday 29 December 1969 to 1 January 1970."""


@dataclass(frozen=True)
class Grid:
    """Regular periods of `step` units; `phase` (below `step`) is where they start.

    unit: "us" for fixed lengths, "month", "business" (Monday to Friday), "integer".
    day: day of the month that stamps lie on, the last day where a month is shorter (31: always the last).
    clock: time of day in microseconds, for months and business days.
    """

    unit: Literal["us", "month", "business", "integer"]
    step: int = 1
    phase: int = 0
    day: int = 1
    clock: int = 0

    def ordinals(self, instants: Ints) -> tuple[Ints, Bools]:
        """Ordinal of the period at or before each instant, and whether the instant is exactly its stamp."""
        count = self._count(instants)
        ordinals = (count - self.phase) // self.step
        late = self.instants(ordinals) > instants  # before this month's day, or before the clock
        ordinals = ordinals - late
        return ordinals, self.instants(ordinals) == instants

    def _count(self, instants: Ints) -> Ints:
        if self.unit == "month":
            return instants.view("M8[us]").astype("M8[M]").astype(np.int64)
        if self.unit == "business":
            weeks, days = np.divmod(instants // DAY + _YEAR_ZERO_MONDAY, 7)
            return weeks * 5 + np.minimum(days, 4)
        return instants

    def instants(self, ordinals: Ints) -> Ints:
        """Stamp of each period."""
        count = ordinals * self.step + self.phase
        if self.unit == "month":
            days = month_starts(count) + np.minimum(self.day, month_lengths(count)) - 1
            return days * DAY + self.clock
        if self.unit == "business":
            weeks, days = np.divmod(count, 5)
            return (weeks * 7 + days - _YEAR_ZERO_MONDAY) * DAY + self.clock
        return count

    @property
    def in_days(self) -> bool:
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
        size, name = next((size, name) for size, name in _UNITS if self.step % size == 0)
        many = str(self.step // size) if self.step > size else ""
        return many + (f"W-{_WEEKDAYS[(self.phase // DAY + _YEAR_ZERO_MONDAY) % 7]}" if size == WEEK else name)

    def _month_alias(self) -> str:
        edge = "E" if self.day == 31 else "S"
        if self.step % 12 == 0:
            many, name, usual, month = self.step // 12, "Y", 11 if edge == "E" else 0, self.phase % 12
        elif self.step == 3:
            many, name, usual, month = 1, "Q", 2 if edge == "E" else 0, self.phase % 3
        else:
            many, name, usual, month = self.step, "M", 0, 0
        return f"{many if many > 1 else ''}{name}{edge}" + (f"-{_MONTHS[month]}" if month != usual else "")

    @property
    def words(self) -> str:
        """The frequency in plain words."""
        if self.unit == "integer":
            return "integer steps" if self.step == 1 else f"integer steps of {self.step}"
        if self.unit == "business":
            return "business days"
        if self.unit == "month":
            named = {1: "monthly", 3: "quarterly", 12: "yearly"}
            return named.get(self.step, f"every {self.step} months") + (" (month end)" if self.day == 31 else "")
        named = {WEEK: "weekly", DAY: "daily", HOUR: "hourly", 30 * MINUTE: "half-hourly", MINUTE: "every minute"}
        return named.get(self.step, f"every {self.alias}")


def asked(freq: str) -> tuple[str, int, str]:
    """(unit, step, edge) of a pandas alias or an integer step; edge is "S", "E" or "". UsageError where unknown."""
    match = re.fullmatch(r"(\d*)([A-Za-z]*)(?:-[A-Za-z]{3})?", freq.strip())
    if not match or not freq.strip():
        raise UsageError(f"frequency {freq!r} is not known", "use one like D, B, h, 30min, W, MS, ME, QS, YS, or 1")
    many, name = int(match[1] or 1), match[2]
    name = _ALIASES.get(name, name)
    fixed = {unit: size for size, unit in _UNITS}
    if many >= 1 and not name:
        return "integer", many, ""
    if many >= 1 and name in fixed:
        return "us", many * fixed[name], ""
    if many == 1 and name == "B":
        return "business", 1, ""
    monthly = re.fullmatch(r"([MQYA])([SE]?)", name.upper())
    if many >= 1 and monthly:
        return "month", many * _MONTHLY[monthly[1]], monthly[2]
    raise UsageError(f"frequency {freq!r} is not known", "use one like D, B, h, 30min, W, MS, ME, QS, YS, or 1")


def steps_within(stamps: Ints, codes: Ints) -> Ints:
    """Differences between neighbours of one series; stamps are sorted by series, then time, without duplicates."""
    steps = stamps[1:] - stamps[:-1]
    return np.asarray(steps[codes[1:] == codes[:-1]], dtype=np.int64)


def mode(values: Ints) -> int:
    """The most frequent value; the smallest of several."""
    found, counts = np.unique(values, return_counts=True)
    return int(found[counts.argmax()]) if len(found) else 0


def find_grid(stamps: Ints, codes: Ints, *, integer: bool) -> Grid:
    """The grid that most steps of all series follow; whether every stamp lies on it is for the caller to see.

    stamps [n] sorted by series (codes [n]), then time, without duplicates; at least one series has two of them.
    """
    steps = steps_within(stamps, codes)
    usual = _usual_step(steps)
    if integer:
        return Grid("integer", usual, mode(stamps % usual))
    fixed = Grid("us", usual, mode(stamps % usual))
    return _month_grid(stamps, codes, steps) or _business_grid(stamps, steps, usual) or fixed


def _usual_step(steps: Ints) -> int:
    """The majority's step, or the smallest one where that alone explains every step without many gaps."""
    usual, least = mode(steps), int(steps.min())
    explains = not (steps % least).any() and len(steps) > (steps // least).sum() / 2
    return least if (steps % usual).any() and explains else usual


def _month_grid(stamps: Ints, codes: Ints, steps: Ints) -> Grid | None:
    if steps.min() < 28 * DAY:
        return None
    days, clocks = np.divmod(stamps, DAY)
    months = stamps.view("M8[us]").astype("M8[M]").astype(np.int64)
    in_month = days - month_starts(months) + 1
    lengths = month_lengths(months)
    day = 31 if (in_month == lengths).all() else int(in_month.max())
    if (clocks != clocks[0]).any() or (in_month != np.minimum(day, lengths)).any():
        return None
    step = _usual_step(steps_within(months, codes))
    return Grid("month", step, mode(months % step), day, int(clocks[0]))


def _business_grid(stamps: Ints, steps: Ints, usual: int) -> Grid | None:
    """Business days are daily data that jump over weekends: decided over all rows."""
    if usual != DAY or not (steps == 3 * DAY).any():
        return None
    days, clocks = np.divmod(stamps, DAY)
    if ((days + _YEAR_ZERO_MONDAY) % 7 > 4).any() or (clocks != clocks[0]).any():
        return None
    return Grid("business", clock=int(clocks[0]))


def asked_grid(freq: str, stamps: Ints) -> Grid:
    """The grid of the frequency that the user gave, its phase and anchor taken from the stamps."""
    unit, step, edge = asked(freq)
    if unit == "integer":
        return Grid("integer", step, mode(stamps % step))
    if unit == "us":
        return Grid("us", step, mode(stamps % step))
    clock = mode(stamps % DAY)
    if unit == "business":
        return Grid("business", clock=clock)
    months = stamps.view("M8[us]").astype("M8[M]").astype(np.int64)
    in_month = stamps // DAY - month_starts(months) + 1
    return Grid("month", step, mode(months % step), _month_day(in_month, month_lengths(months), edge), clock)


def _month_day(days: Ints, lengths: Ints, edge: str) -> int:
    """Day of the month that all stamps lie on; the asked-for edge where they lie on several days."""
    if edge == "E" or (not edge and (days == lengths).all()):
        return 31
    latest = int(days.max())
    return latest if (days == np.minimum(latest, lengths)).all() else 1
