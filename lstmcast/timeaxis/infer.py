"""Series of different frequencies in one table: found, and listed in groups.

Axes: n stamps sorted by series, then time, without duplicates; S series of some of them.
"""

from collections.abc import Sequence

import numpy as np

from lstmcast.errors import DataError, format_names
from lstmcast.ragged import Bools, Ints
from lstmcast.timeaxis.formats import DAY, month_lengths, month_starts
from lstmcast.timeaxis.frequency import EPOCH_WEEKDAY, Grid, nearest_working_days, parse_frequency

_MIN_STEPS_OF_SERIES = 3
"""Fewer steps than this say nothing about a series' frequency."""
_STEP_TOLERANCE = 0.12
"""Steps that differ by no more than this from the usual one are of one frequency, as months are."""
_MAX_GROUPS_SHOWN = 4


def is_slower_series(ordinals: Ints, codes: Ints) -> Bools:
    """Which series [S], in the order of their rows, step regularly by several periods while others step by one."""
    starts = np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]])
    ends = np.r_[starts[1:], len(codes)]
    if (ordinals[ends - 1] - ordinals[starts] == ends - starts - 1).all():  # all step by one
        return np.zeros(len(starts), dtype=bool)
    steps = np.diff(ordinals, append=ordinals[-1:])
    steps[ends - 1] = np.iinfo(np.int64).max  # after its last stamp a series has no step
    candidates = np.asarray(np.minimum.reduceat(steps, starts) > 1)
    candidates &= ends - starts > _MIN_STEPS_OF_SERIES
    if candidates.all() or not candidates.any():
        return np.zeros(len(starts), dtype=bool)
    place = np.cumsum(np.r_[False, codes[1:] != codes[:-1]])
    rows = candidates[place] & (steps < np.iinfo(np.int64).max)
    usual = _median_steps(steps[rows], place[rows], len(starts))
    near = np.abs(steps - usual[place]) <= _STEP_TOLERANCE * usual[place]
    steady = np.bincount(place, rows & near, len(starts)) >= 0.75 * np.bincount(
        place, rows, len(starts)
    )
    return np.asarray(candidates & steady)


def mixed_frequency_error(
    instants: Ints, codes: Ints, series: Sequence[str], *, integer: bool
) -> DataError | None:
    """The error that lists the groups of series by their own frequency, where there are several."""
    place = np.cumsum(np.r_[False, codes[1:] != codes[:-1]])
    starts = np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]])
    ends = np.r_[starts[1:], len(codes)]
    inside = np.flatnonzero(place[1:] == place[:-1])
    usual = _median_steps((instants[1:] - instants[:-1])[inside], place[inside], len(starts))
    groups: dict[str, list[int]] = {}
    long = np.flatnonzero(ends - starts > 2)
    for step in np.unique(usual[long])[:50].tolist():
        members = long[usual[long] == step]
        part = slice(starts[members[0]], ends[members[0]])
        words = infer_grid(instants[part], codes[part], integer=integer).words
        groups.setdefault(words, []).extend(codes[starts[members]].tolist())
    if len(groups) < 2:
        return None
    shown = "; ".join(
        f"{words}: {_format_series_names(sorted(codes), series)}"
        for words, codes in list(groups.items())[:_MAX_GROUPS_SHOWN]
    )
    return DataError(
        f"series have different frequencies: {shown}",
        "forecast each group by itself, or make them one with --resample, for example --resample MS:mean",
    )


def _median_steps(steps: Ints, place: Ints, count: int) -> Ints:
    """Lower median of the steps of each series; 0 where it has none."""
    ordered = steps[np.lexsort((steps, place))]
    many = np.bincount(place, minlength=count)
    middle = np.cumsum(many) - many + (many - 1) // 2
    return np.where(many > 0, ordered[np.minimum(middle, len(steps) - 1)] if len(steps) else 0, 0)


def _format_series_names(codes: Sequence[int], series: Sequence[str]) -> str:
    return format_names(
        [series[code] if code < len(series) else str(code) for code in codes[:4]], len(codes)
    )


def steps_within_series(stamps: Ints, codes: Ints) -> Ints:
    """Differences between neighbours of one series; stamps are sorted by series, then time, without duplicates."""
    steps, same = stamps[1:] - stamps[:-1], codes[1:] == codes[:-1]
    return steps if same.all() else steps[same]


def most_frequent_value(values: Ints) -> int:
    """The most frequent value; the smallest of several."""
    if len(values) and (values == values[0]).all():
        return int(values[0])
    found, counts = np.unique(values, return_counts=True)
    return int(found[counts.argmax()]) if len(found) else 0


def infer_grid(stamps: Ints, codes: Ints, *, integer: bool) -> Grid:
    """The grid that most steps of all series follow; whether every stamp lies on it is for the caller to see.

    stamps [n] sorted by series (codes [n]), then time, without duplicates; at least one series has
    two of them.
    """
    steps = steps_within_series(stamps, codes)
    usual = _infer_step(steps)
    if integer:
        return Grid("integer", usual, most_frequent_value(stamps % usual))
    fixed = Grid("us", usual, most_frequent_value(stamps % usual))
    return (
        _infer_month_grid(stamps, codes, steps)
        or _infer_business_grid(stamps, steps, usual)
        or fixed
    )


def _infer_step(steps: Ints) -> int:
    """The majority's step, or the smallest one where that alone explains every step without many gaps."""
    usual, least = most_frequent_value(steps), int(steps.min())
    if usual == least:
        return usual
    explains = not (steps % least).any() and len(steps) > (steps // least).sum() / 2
    return least if (steps % usual).any() and explains else usual


def _infer_month_grid(stamps: Ints, codes: Ints, steps: Ints) -> Grid | None:
    if steps.min() < 26 * DAY:
        return None
    days, clocks = np.divmod(stamps, DAY)
    months, in_month, lengths = _month_fields(stamps)
    if (clocks != clocks[0]).any():
        return None
    found = _common_month_day(in_month, lengths) or _common_working_day(days, months)
    if found is None:
        return None
    step = _infer_step(steps_within_series(months, codes))
    return Grid(
        "month", step, most_frequent_value(months % step), found[0], int(clocks[0]), found[1]
    )


def _month_fields(stamps: Ints) -> tuple[Ints, Ints, Ints]:
    """Month of each stamp since January 1970, its day of the month, and that month's days."""
    months = stamps.view("M8[us]").astype("M8[M]").astype(np.int64)
    return months, stamps // DAY - month_starts(months) + 1, month_lengths(months)


def _common_month_day(days: Ints, lengths: Ints) -> tuple[int, bool] | None:
    """Day of the month that all stamps lie on, where they lie on one."""
    day = 31 if (days == lengths).all() else int(days.max())
    return (day, False) if (days == np.minimum(day, lengths)).all() else None


def _common_working_day(days: Ints, months: Ints) -> tuple[int, bool] | None:
    for day, edge in ((31, month_starts(months + 1) - 1), (1, month_starts(months))):
        if (days == nearest_working_days(edge, last=day == 31)).all():
            return day, True
    return None


def _infer_business_grid(stamps: Ints, steps: Ints, usual: int) -> Grid | None:
    """Business days are daily data that jump over weekends: decided over all rows."""
    if usual != DAY or not (steps == 3 * DAY).any():
        return None
    days, clocks = np.divmod(stamps, DAY)
    if ((days + EPOCH_WEEKDAY) % 7 > 4).any() or (clocks != clocks[0]).any():
        return None
    return Grid("business", clock=int(clocks[0]))


def grid_from_frequency(freq: str, stamps: Ints) -> Grid:
    """The grid of the frequency that the user gave; phase and day are taken from the stamps where it does not say."""
    unit, step, edge, anchor, working = parse_frequency(freq)
    if unit == "integer":
        return Grid("integer", step, most_frequent_value(stamps % step))
    clock = most_frequent_value(stamps % DAY)
    if unit == "us":
        phase = most_frequent_value(stamps % step)
        if anchor is not None:  # the day that was asked for, in the week where the stamps lie
            days = (phase // DAY + EPOCH_WEEKDAY) // 7 * 7 + anchor - EPOCH_WEEKDAY
            phase = (days * DAY + clock) % step
        return Grid("us", step, phase)
    if unit == "business":
        return Grid("business", clock=clock)
    months, in_month, lengths = _month_fields(stamps)
    phase = most_frequent_value(months % step)
    if anchor is not None:
        phase += (anchor - phase) % min(step, 12 if step % 12 == 0 else 3)
    if working:
        return Grid("month", step, phase % step, 31 if edge == "E" else 1, clock, working=True)
    day = (_common_month_day(in_month, lengths) or (1, False))[0]
    if edge:
        day = 31 if edge == "E" else day if day < 31 else 1
    return Grid("month", step, phase % step, day, clock)
