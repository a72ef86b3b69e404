"""Steps that never occur: closed weekdays, hours and months, how they are written and found.

A shop that is closed on Sundays has no Sunday to forecast. Its steps are the open ones only, one
after the other, so that a window of them has no holes. Closed times are one text, like
"sun,0-9,17-24": weekdays, hours of all days, hours of some days ("sat 13-24") and months, each
alone or as a range. Knows no series and no values.

Axes: n steps, m slots of a cycle.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from lstmcast.errors import UsageError
from lstmcast.ragged import Bools, Ints
from lstmcast.timeaxis.calendar_fields import (
    DAY,
    EPOCH_WEEKDAY,
    SECOND,
    months_since_epoch,
)

_WEEKDAY_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONTH_NAMES = (
    *("jan", "feb", "mar", "apr", "may", "jun"),
    *("jul", "aug", "sep", "oct", "nov", "dec"),
)
_MINUTE = 60 * SECOND
_DAY_MINUTES = 1440
_WEEK_DAYS = 7
_GREGORIAN_CYCLE_DAYS = 146_097
"""Days after which weekdays and months repeat together: 400 years, a whole number of weeks."""
_MIN_CYCLES = 2
"""Cycles that a step is missing from before it is believed never to occur."""
_MAX_CHANCE = 0.05
"""Largest chance that a step is missing from every cycle by accident."""
_HOURS = re.compile(r"(\d{1,2})(?::(\d\d))?-(\d{1,2})(?::(\d\d))?")
_HINT = "write it like sun, sat-sun, 0-9, 17-24, 'sat 13-24' or nov-mar"


class ClosedTimes(NamedTuple):
    """Which minutes of the week [7, 1440] and months of the year [12] are closed."""

    week: Bools
    months: Bools


@dataclass(frozen=True, eq=False)
class OpenSlots:
    """The steps of a repeating cycle that are open.

    is_open: [m], of each slot of the cycle. places: the open slots. rank: [m], number of the open
    slot at or before each slot, -1 before the first.
    """

    is_open: Bools
    places: Ints
    rank: Ints

    @property
    def cycle(self) -> int:
        """Slots of a cycle."""
        return len(self.is_open)

    def to_open(self, steps: Ints) -> tuple[Ints, Bools]:
        """Number of the open step at or before each step [n], and whether that is the step."""
        cycles, slots = np.divmod(steps, self.cycle)
        open_a_cycle = len(self.places)
        numbers = cycles * open_a_cycle + self.rank[slots]
        return numbers, self.is_open[slots]

    def to_steps(self, numbers: Ints) -> Ints:
        """The step of each number of an open step [n]."""
        cycles, ranks = np.divmod(numbers, len(self.places))
        slots = self.places[ranks]
        return cycles * self.cycle + slots


def parse_closed(text: str) -> ClosedTimes:
    """Read closed times; raises UsageError where a part of the text is none."""
    week = np.zeros((_WEEK_DAYS, _DAY_MINUTES), dtype=bool)
    months = np.zeros(12, dtype=bool)

    for part in text.lower().split(","):
        closed_months = _parse_range(part.strip(), _MONTH_NAMES)
        if closed_months is not None:
            months[closed_months] = True
            continue

        words = part.split()
        days = _parse_range(words[0], _WEEKDAY_NAMES) if words else None
        if days is not None and len(words) == 1:
            week[days] = True
        elif days is not None and len(words) == 2:
            hours = _parse_hours(words[1], text)
            # Each of the days with each of the minutes.
            week[np.ix_(np.array(days), hours)] = True
        else:
            every_day = _parse_hours(part.strip(), text)
            week[:, every_day] = True

    return ClosedTimes(week, months)


def _parse_range(word: str, names: Sequence[str]) -> list[int] | None:
    """Places of a name, or of all from one name to another; None where it is no such word."""
    first, dash, last = word.partition("-")
    if not dash:
        last = first

    # Names may be written out: sunday, november.
    first_name = first[:3]
    last_name = last[:3]
    if first_name not in names or last_name not in names:
        return None

    # A range like nov-mar goes on past the end of the list.
    begin = names.index(first_name)
    end = names.index(last_name)
    count = (end - begin) % len(names) + 1
    return [(begin + i) % len(names) for i in range(count)]


def _parse_hours(word: str, text: str) -> Ints:
    """Minutes of the day from one hour up to another; 18-9 goes on past midnight."""
    match = _HOURS.fullmatch(word)
    if not match:
        raise UsageError(f"--closed {text!r}: {word!r} is not a time", _HINT)

    # Minutes may be left out, as in 9-17.
    numbers = [int(part or 0) for part in match.groups()]
    hour, minute, to_hour, to_minute = numbers
    begin = 60 * hour + minute
    end = 60 * to_hour + to_minute
    is_of_day = begin < _DAY_MINUTES and end <= _DAY_MINUTES
    if not is_of_day or begin == end:
        raise UsageError(f"--closed {text!r}: {word!r} is no part of a day", _HINT)

    if end < begin:
        end += _DAY_MINUTES
    return np.arange(begin, end) % _DAY_MINUTES


@lru_cache(maxsize=64)
def find_open_slots(unit: str, step: int, phase: int, closed: str) -> OpenSlots:
    """The open slots of a grid of microseconds ("us") or of months ("month").

    Raises UsageError where the closed times do not fit the step, or leave none open.
    """
    times = parse_closed(closed)
    if unit == "month":
        is_closed = _closed_months(step, phase, times, closed)
    else:
        is_closed = _closed_times_of_week(step, phase, times, closed)

    if is_closed.all():
        raise UsageError(f"--closed {closed!r} leaves no step open", "close less")
    is_open = ~is_closed
    rank = np.cumsum(is_open) - 1
    return OpenSlots(is_open, np.flatnonzero(is_open), rank)


def _closed_months(step: int, phase: int, times: ClosedTimes, closed: str) -> Bools:
    if times.week.any() or 12 % step:
        raise UsageError(
            f"--closed {closed!r} does not fit steps of months",
            "close whole months, like nov-mar",
        )
    months = (phase + step * np.arange(12 // step)) % 12
    return times.months[months]


def _closed_times_of_week(
    step: int, phase: int, times: ClosedTimes, closed: str
) -> Bools:
    if DAY % step or step < _MINUTE:
        raise UsageError(
            f"--closed {closed!r} needs steps from a minute to a day",
            "leave out --closed",
        )
    if times.months.any() and step < DAY:
        raise UsageError(
            f"--closed {closed!r} closes months, which needs steps of days or months",
            "close hours or weekdays",
        )

    closes_months = times.months.any()
    slots = _WEEK_DAYS * DAY // step
    if closes_months:
        slots = _GREGORIAN_CYCLE_DAYS
    stamps = phase + step * np.arange(slots)

    weekday, minute = _week_places(stamps)
    is_closed = times.week[weekday, minute]
    if closes_months:
        month = months_since_epoch(stamps) % 12
        is_closed |= times.months[month]
    return is_closed


def _week_places(stamps: Ints) -> tuple[Ints, Ints]:
    """Weekday [n], and minute of the day [n], of each stamp."""
    days, clock = np.divmod(stamps, DAY)
    weekday = (days + EPOCH_WEEKDAY) % _WEEK_DAYS
    minute = clock // _MINUTE
    return weekday, minute


def infer_closed(unit: str, step: int, phase: int, steps: Ints) -> str:
    """Find the closed times of a grid whose steps [n] hold values; empty where there are none.

    steps: numbers of the grid's steps, in any order. A time is closed where it is missing from
    every cycle, and is too regular to be missing by accident.
    """
    seen = np.unique(steps)
    if unit == "month":
        if 12 % step:
            return ""
        closed = _find_unused_slots(seen, 12 // step)
        return _format_months(closed, step, phase)

    if DAY % step or step < _MINUTE:
        return ""

    parts = []
    slots_a_day = DAY // step
    week = _find_unused_slots(seen, _WEEK_DAYS * slots_a_day)
    if not week.any() and step < DAY:
        # Too few weeks to know weekdays: the hours may be known from a few days.
        day = _find_unused_slots(seen, slots_a_day)
        week = np.tile(day, _WEEK_DAYS)
    if week.any():
        parts.append(_format_week(week, step, phase))

    if step == DAY:
        months = _find_unused_months(phase + step * seen)
        if months.any():
            parts.append(_format_months(months, 1, 0))
    return ",".join(parts)


def _find_unused_slots(seen: Ints, cycle: int) -> Bools:
    """Which slots [m] of a cycle no step falls on; none where that could be an accident."""
    none_unused = np.zeros(cycle, dtype=bool)
    span = int(seen[-1] - seen[0]) + 1
    cycles = span // cycle
    if cycles < _MIN_CYCLES:
        return none_unused

    counts = np.bincount(seen % cycle, minlength=cycle)
    unused = counts == 0
    if not unused.any():
        return none_unused

    # Any of the slots could be the one that is missing, so that the chance is that many times as
    # large as of one.
    open_share = 1 - unused.mean()
    possible = span * open_share
    chance = _chance_of_gap(len(seen), possible, cycles) * cycle
    return none_unused if chance >= _MAX_CHANCE else np.asarray(unused)


def _find_unused_months(stamps: Ints) -> Bools:
    """Which months of the year [12] no daily stamp falls on; none where that could be chance."""
    months = np.unique(months_since_epoch(stamps))
    return _find_unused_slots(months, 12)


def _chance_of_gap(seen: int, possible: float, cycles: int) -> float:
    """Chance that one open slot is missing from all cycles.

    By the share of open slots that are missing, with one more of each (Laplace's rule).
    """
    missing = max(possible - seen, 0.0)
    share = (missing + 1) / (possible + 2)
    chance = min(share, 1.0)  # of one cycle
    return float(chance**cycles)


def _format_months(closed: Bools, step: int, phase: int) -> str:
    # Steps of several months are named by their first; those between hold no step of their own.
    slots = np.flatnonzero(closed)
    months = (phase + step * slots) % 12
    return _format_names(months.tolist(), _MONTH_NAMES)


def _format_names(places: Iterable[int], names: Sequence[str]) -> str:
    """Names as ranges: sat-sun, or nov-mar, which goes on past the end."""
    left = set(places)
    if not left:
        return ""

    # Begin where a range begins, so that none is cut at the end of the list.
    count = len(names)
    begins = [place for place in sorted(left) if (place - 1) % count not in left]

    parts = []
    for begin in begins:
        # What stands before the range is not in it, so that it ends there at the latest.
        end = begin
        while (end + 1) % count in left:
            end += 1

        if end == begin:
            parts.append(names[begin])
        else:
            last = names[end % count]
            parts.append(f"{names[begin]}-{last}")

    return ",".join(parts)


def _format_week(closed: Bools, step: int, phase: int) -> str:
    """The closed slots [m] of a week as text that `parse_closed` reads back."""
    stamps = phase + step * np.arange(len(closed))
    weekday, minute = _week_places(stamps)

    # The minutes from each closed slot up to the next.
    week = np.zeros((_WEEK_DAYS, _DAY_MINUTES), dtype=bool)
    length = min(step // _MINUTE, _DAY_MINUTES)
    for day, begin in zip(weekday[closed], minute[closed], strict=True):
        first = 0 if step == DAY else begin
        week[day, first : begin + length] = True

    open_weekdays = weekday[~closed]
    has_step = np.zeros(_WEEK_DAYS, dtype=bool)
    has_step[open_weekdays] = True

    parts = []
    closed_days = np.flatnonzero(~has_step).tolist()
    if closed_days:
        parts.append(_format_names(closed_days, _WEEKDAY_NAMES))
    if step < DAY:
        open_days = np.flatnonzero(has_step).tolist()
        parts += _format_hours(week, open_days)
    return ",".join(parts)


def _format_hours(week: Bools, days: Sequence[int]) -> list[str]:
    """Closed hours of the open days: those of all of them first, then those of some."""
    open_days = week[list(days)]
    common = np.asarray(open_days.all(axis=0))
    parts = _format_ranges(common)
    for day in days:
        rest = week[day] & ~common
        name = _WEEKDAY_NAMES[day]
        parts += [f"{name} {hours}" for hours in _format_ranges(rest)]
    return parts


def _format_ranges(minutes: Bools) -> list[str]:
    # Open minutes before and after make an edge of a range that touches an end of the day.
    framed = np.r_[False, minutes, False]
    edges = np.flatnonzero(np.diff(framed))
    clocks = [_format_clock(minute) for minute in edges.tolist()]

    ranges = zip(clocks[::2], clocks[1::2], strict=True)
    return [f"{begin}-{end}" for begin, end in ranges]


def _format_clock(minute: int) -> str:
    hour, rest = divmod(minute, 60)
    if rest:
        return f"{hour}:{rest:02}"
    return str(hour)
