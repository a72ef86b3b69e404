"""The frequency of a set of stamps: inferred or as requested, and series of different frequencies.

Axes: n stamps sorted by series, then time, without duplicates; N series of some of them.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from typing import NamedTuple

import numpy as np

from lstmcast.errors import DataError, format_names
from lstmcast.ragged import Bools, Ints
from lstmcast.timeaxis.calendar_fields import (
    DAY,
    EPOCH_WEEKDAY,
    HOUR,
    month_lengths,
    month_starts,
    months_since_epoch,
    weekdays,
)
from lstmcast.timeaxis.closed import infer_closed
from lstmcast.timeaxis.frequency import (
    LAST_DAY,
    MINUTE,
    FrequencySpec,
    Grid,
    nearest_working_days,
    parse_frequency,
)

_MIN_STEPS_OF_SERIES = 3
"""Fewer steps than this do not show a series' frequency."""
_MIN_MONTH = 26 * DAY
"""Steps below this are not of months: from 31 January to 28 February there are 28 days, and two
fewer where the last working day is meant."""
_STEP_TOLERANCE = 0.12
"""Steps that differ by no more than this from the usual one are of one frequency, as months are."""
_MIN_STEADY_SHARE = 0.75
"""Share of a series' steps that are of one frequency where it has one."""
_MAX_STEPS_COMPARED = 50
"""Different usual steps of series that are looked at to find groups of them."""
_MAX_GROUPS_SHOWN = 4
_WEEKEND = "sat-sun"
_MIN_PHASE_SHARE = 0.25
"""How often each minute of the hour holds a stamp, beside the mean of those that do."""
_MIN_OPEN_SHARE = 0.75
"""Share of the open steps that must have a value where only open times make the steps regular."""
_NO_STEP = np.iinfo(np.int64).max
"""Stands for the step after the last stamp of a series, which is none."""


class _MonthFields(NamedTuple):
    """Month of each stamp [n] since January 1970, its day of the month, and that month's days."""

    months: Ints
    days: Ints
    lengths: Ints


class _MonthDay(NamedTuple):
    """The day of the month that stamps lie on, as in `Grid`."""

    day: int
    working: bool


def is_slower_series(ordinals: Ints, codes: Ints) -> Bools:
    """Which series [N] step regularly by several periods, while others step by one.

    ordinals, codes: period and series of each row [n]; the series come in the order of their rows.
    """
    starts, ends = _series_bounds(codes)
    lengths = ends - starts
    none_is_slower = np.zeros(len(starts), dtype=bool)

    # As many steps as periods from the first to the last: the series steps by one.
    periods = ordinals[ends - 1] - ordinals[starts]
    if (periods == lengths - 1).all():
        return none_is_slower

    steps = np.diff(ordinals, append=ordinals[-1:])
    steps[ends - 1] = _NO_STEP
    shortest_steps = np.minimum.reduceat(steps, starts)
    candidates = np.asarray(shortest_steps > 1)
    candidates &= lengths > _MIN_STEPS_OF_SERIES

    if candidates.all() or not candidates.any():
        return none_is_slower
    return np.asarray(candidates & _is_steady(steps, codes, candidates))


def _is_steady(steps: Ints, codes: Ints, candidates: Bools) -> Bools:
    """Which of the candidates [N] take most of their steps [n] at about one length.

    steps: from each row to the next, _NO_STEP after the last one of a series.
    """
    count = len(candidates)
    place = _series_places(codes)
    rows = candidates[place] & (steps < _NO_STEP)

    usual = _median_steps(steps[rows], place[rows], count)
    usual_of_row = usual[place]
    near = np.abs(steps - usual_of_row) <= _STEP_TOLERANCE * usual_of_row

    near_count = np.bincount(place, rows & near, count)
    step_count = np.bincount(place, rows, count)
    return np.asarray(near_count >= _MIN_STEADY_SHARE * step_count)


def mixed_frequency_error(
    instants: Ints, codes: Ints, series: Sequence[str], *, integer: bool
) -> DataError | None:
    """The error that lists groups of series by their own frequency; None where there is one group.

    series: names of the codes.
    """
    groups = _group_by_frequency(instants, codes, integer=integer)
    if len(groups) < 2:
        return None

    shown = []
    for words, (_, members) in islice(groups.items(), _MAX_GROUPS_SHOWN):
        names = _format_series_names(sorted(members), series)
        shown.append(f"{words}: {names}")

    # Steps of the slowest: shorter ones would leave it with holes, longer ones average its rows.
    slowest = list(groups.values())[-1][0]
    rule = "D" if slowest.unit == "business" else slowest.alias
    return DataError(
        f"series have different frequencies: {'; '.join(shown)}",
        "forecast each group by itself, or make them one with --resample, "
        f"for example --resample {rule}:mean",
    )


def _group_by_frequency(
    instants: Ints, codes: Ints, *, integer: bool
) -> dict[str, tuple[Grid, list[int]]]:
    """The grid and the codes of the series of each frequency, by its words, the slowest last.

    Series of two stamps have none.
    """
    starts, ends = _series_bounds(codes)
    lengths = ends - starts

    has_step = ~_starts_series(codes)  # to it from the row before
    steps = np.diff(instants, prepend=instants[:1])[has_step]
    place_of_steps = _series_places(codes)[has_step]
    usual = _median_steps(steps, place_of_steps, len(starts))

    long_enough = np.flatnonzero(lengths > 2)  # a single step is no frequency
    usual = usual[long_enough]
    different_steps = np.unique(usual)

    groups: dict[str, tuple[Grid, list[int]]] = {}
    for step in different_steps[:_MAX_STEPS_COMPARED]:
        members = long_enough[usual == step]

        # One series of the group names its frequency.
        first = members[0]
        rows = slice(starts[first], ends[first])
        grid = infer_grid(instants[rows], codes[rows], integer=integer)

        member_codes = codes[starts[members]]
        _, codes_of_group = groups.setdefault(grid.words, (grid, []))
        codes_of_group.extend(member_codes.tolist())
    return groups


def _series_bounds(codes: Ints) -> tuple[Ints, Ints]:
    """First row of each series [N], and the row after its last [N]."""
    starts = np.flatnonzero(_starts_series(codes))
    ends = np.append(starts[1:], len(codes))
    return starts, ends


def _series_places(codes: Ints) -> Ints:
    """Place of each row's series [n] among the series, in the order of their rows."""
    return np.cumsum(_starts_series(codes)) - 1


def _starts_series(codes: Ints) -> Bools:
    """Which rows [n] are the first of their series."""
    changes = codes[1:] != codes[:-1]
    return np.append(True, changes)


def _median_steps(steps: Ints, place: Ints, count: int) -> Ints:
    """Lower median of the steps of each of `count` series; 0 where it has none."""
    if not len(steps):
        return np.zeros(count, np.int64)

    # Sorted by series, then by step, so that each series' median is in the middle of its part.
    order = np.lexsort((steps, place))
    ordered = steps[order]

    sizes = np.bincount(place, minlength=count)
    starts = np.cumsum(sizes) - sizes
    middle = starts + (sizes - 1) // 2

    # A series without steps may point behind the last one: its value is not used.
    middle = np.minimum(middle, len(steps) - 1)
    return np.where(sizes > 0, ordered[middle], 0)


def _format_series_names(codes: Sequence[int], series: Sequence[str]) -> str:
    names = []
    for code in codes[:4]:
        has_name = code < len(series)
        name = series[code] if has_name else str(code)
        names.append(name)
    return format_names(names, len(codes))


def steps_within_series(stamps: Ints, codes: Ints) -> Ints:
    """Differences between neighbouring stamps of one series, series after series."""
    steps = np.diff(stamps)
    same_series = codes[1:] == codes[:-1]
    return steps if same_series.all() else steps[same_series]


def most_frequent_value(values: Ints) -> int:
    """The most frequent value, the smallest of several; 0 where there are no values."""
    if not len(values):
        return 0

    first = values[0]
    if (values == first).all():  # the usual case, without sorting
        return int(first)

    unique, counts = np.unique(values, return_counts=True)
    return int(unique[counts.argmax()])


def infer_grid(stamps: Ints, codes: Ints, *, integer: bool) -> Grid:
    """The grid that most steps of all series follow; at least one series must have two stamps.

    Whether every stamp [n] lies on it is for the caller to check.
    """
    steps = steps_within_series(stamps, codes)
    usual = _infer_step(steps)

    if not integer:
        calendar_grid = _infer_month_grid(stamps, codes, steps)
        calendar_grid = calendar_grid or _infer_business_grid(stamps, steps, usual)
        if calendar_grid is not None:
            return calendar_grid

    phase = most_frequent_value(stamps % usual)
    return Grid("integer" if integer else "us", usual, phase)


def _infer_step(steps: Ints) -> int:
    """The most frequent step, or the smallest where only that explains every step with few gaps."""
    usual = most_frequent_value(steps)
    least = int(steps.min())

    if usual == least or not (steps % usual).any():
        return usual

    # Of the stamps that a grid of the smallest step would have, more than half must be there.
    stamps_on_grid = (steps // least).sum()
    if len(steps) > stamps_on_grid / 2 and not (steps % least).any():
        return least
    return usual


def _infer_month_grid(stamps: Ints, codes: Ints, steps: Ints) -> Grid | None:
    """A grid of months; None where stamps are closer, or share neither a time nor a day."""
    if steps.min() < _MIN_MONTH:
        return None

    days, clocks = np.divmod(stamps, DAY)
    clock = int(clocks[0])
    if (clocks != clock).any():
        return None

    fields = _month_fields(stamps)
    months = fields.months
    found = _find_common_day(fields) or _find_common_working_day(days, months)
    if found is None:
        return None

    step = _infer_step(steps_within_series(months, codes))
    phase = most_frequent_value(months % step)
    return Grid("month", step, phase, found.day, clock, found.working)


def _month_fields(stamps: Ints) -> _MonthFields:
    months = months_since_epoch(stamps)
    days = stamps // DAY
    days_of_month = days - month_starts(months) + 1
    return _MonthFields(months, days_of_month, month_lengths(months))


def _find_common_day(fields: _MonthFields) -> _MonthDay | None:
    """Day of the month that all stamps lie on; None where they lie on several."""
    days = fields.days
    lengths = fields.lengths

    if (days == lengths).all():
        return _MonthDay(LAST_DAY, working=False)

    day = int(days.max())
    # A day that a shorter month does not have, as the 30th, is there its last.
    on_day = days == np.minimum(day, lengths)
    return _MonthDay(day, working=False) if on_day.all() else None


def _find_common_working_day(days: Ints, months: Ints) -> _MonthDay | None:
    """The last or first Monday to Friday of the month where all stamps (in days) lie on that."""
    last_days = month_starts(months + 1) - 1
    last_working_days = nearest_working_days(last_days, last=True)
    if (days == last_working_days).all():
        return _MonthDay(LAST_DAY, working=True)

    first_working_days = nearest_working_days(month_starts(months), last=False)
    if (days == first_working_days).all():
        return _MonthDay(1, working=True)

    return None


def _infer_business_grid(stamps: Ints, steps: Ints, usual: int) -> Grid | None:
    """Monday to Friday: daily data that jump over weekends; decided over all rows."""
    if usual != DAY or not (steps == 3 * DAY).any():
        return None

    days, clocks = np.divmod(stamps, DAY)
    clock = int(clocks[0])
    is_weekend = weekdays(days) > 4
    if is_weekend.any() or (clocks != clock).any():
        return None
    return Grid("business", clock=clock)


def close_grid(grid: Grid, closed: str) -> Grid:
    """The grid without closed times; days without weekends are business days.

    Raises UsageError where the times do not fit the grid.
    """
    if grid.unit == "business":
        closed = f"{_WEEKEND},{closed}"
    base = grid.with_closed_periods
    closed_grid = replace(base, closed=closed)
    is_open = closed_grid.open_slots.is_open

    # The same days by another name: ordinals must not depend on how a grid is asked for.
    days = replace(base, closed=_WEEKEND)
    is_daily = base.unit == "us" and base.step == DAY
    if is_daily and np.array_equal(is_open, days.open_slots.is_open):
        return Grid("business", clock=base.phase)
    return closed_grid


def find_closed_grid(grid: Grid, instants: Ints) -> Grid:
    """The grid without the times at which no stamp [n] ever lies, where they are regular."""
    if grid.unit == "integer" or (grid.unit == "us" and grid.step > DAY):
        return grid
    base = grid.with_closed_periods
    periods, _ = base.all_ordinals(instants)
    closed = infer_closed(base.unit, base.step, base.phase, periods)
    return close_grid(base, closed) if closed else grid


def infer_grid_of_open_times(instants: Ints) -> Grid | None:
    """The grid of stamps that are regular at their open times only, as Mondays and Thursdays.

    None where there is no such grid.
    """
    seen = np.unique(instants)
    step = int(np.gcd.reduce(np.diff(seen))) if len(seen) > 1 else 0
    if step % DAY == 0:
        step = min(step, DAY)
    if step < MINUTE or DAY % step:
        return None

    # Where few stamps lie off the hours of the others, it is they that are irregular.
    _, in_hour = np.unique(seen % HOUR, return_counts=True)
    if in_hour.min() < _MIN_PHASE_SHARE * in_hour.mean():
        return None

    base = Grid("us", step, int(seen[0] % step))
    grid = find_closed_grid(base, seen)
    if grid == base:
        return None
    ordinals, _ = grid.ordinals(seen)
    span = int(ordinals[-1] - ordinals[0]) + 1
    return grid if len(seen) >= _MIN_OPEN_SHARE * span else None


def grid_from_frequency(freq: str, stamps: Ints) -> Grid:
    """The grid of a frequency that the user asks for, with what it leaves open from the stamps [n].

    Open are where periods start, the day of the month, and the time of day. Raises UsageError for
    an unknown frequency.
    """
    spec = parse_frequency(freq)
    step = spec.step

    if spec.unit == "integer":
        phase = most_frequent_value(stamps % step)
        return Grid("integer", step, phase)

    clock = most_frequent_value(stamps % DAY)
    if spec.unit == "month":
        return _requested_month_grid(spec, stamps, clock)
    if spec.unit == "business":
        return Grid("business", clock=clock)

    phase = most_frequent_value(stamps % step)
    if spec.anchor is not None:
        # The weekday that is requested, in the week where the stamps lie.
        weeks = (phase // DAY + EPOCH_WEEKDAY) // 7
        days = weeks * 7 + spec.anchor - EPOCH_WEEKDAY
        phase = (days * DAY + clock) % step

    return Grid("us", step, phase)


def _requested_month_grid(spec: FrequencySpec, stamps: Ints, clock: int) -> Grid:
    fields = _month_fields(stamps)
    step = spec.step
    phase = most_frequent_value(fields.months % step)

    if spec.anchor is not None:  # an anchor is a month of the year, or of the quarter
        cycle = 12 if step % 12 == 0 else 3
        phase += (spec.anchor - phase) % min(step, cycle)

    day = _requested_day(spec, fields)
    return Grid("month", step, phase % step, day, clock, spec.working)


def _requested_day(spec: FrequencySpec, fields: _MonthFields) -> int:
    """Day of the month of a frequency; where the edge leaves it open, that of the stamps."""
    if spec.edge == "E":
        return LAST_DAY
    if spec.working:
        return 1

    common = _find_common_day(fields)
    day = common.day if common else 1
    if spec.edge == "S" and day == LAST_DAY:
        return 1
    return day
