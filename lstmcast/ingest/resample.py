"""Rows aggregated into periods of a regular step, as `--resample RULE:HOW` requests.

Starts (h, D, MS, QS...) name a period by its first moment, ends (W-SUN, ME, QE...) by its last day,
as in pandas.

Axes: n rows by series, then time; P periods; K columns.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from lstmcast.config import DataConfig
from lstmcast.errors import DataError
from lstmcast.ingest.rows import Rows
from lstmcast.ingest.timestamps import TimeColumn
from lstmcast.ragged import Bools, Floats, Ints, aggregate_groups
from lstmcast.timeaxis.axis import TimeAxis
from lstmcast.timeaxis.calendar_fields import DAY, EPOCH_WEEKDAY
from lstmcast.timeaxis.frequency import (
    WEEK,
    FrequencySpec,
    Grid,
    parse_frequency,
)
from lstmcast.timeaxis.timestamp_format import TimestampFormat

_SUNDAY = 6


class Periods(NamedTuple):
    """The axis of the periods, and the period of each row.

    ordinals: [n], of each row's period. by_end: a period is named by its last day.
    """

    axis: TimeAxis
    ordinals: Ints
    by_end: bool


def assign_periods(
    stamps: Ints,
    form: TimestampFormat,
    name: str,
    rule: str,
    like: TimeAxis | None = None,
) -> Periods:
    """Return the period of each stamp [n] under a frequency rule.

    Raises UsageError for an unknown rule, DataError for one that does not fit the time column.
    """
    frequency = parse_frequency(rule)
    _require_same_kind(frequency, form, rule)
    grid = like.grid if like else _to_period_grid(frequency, int(stamps.min()))
    if form.zone and not form.wall:
        local = form.local(stamps[:1])
        if grid.is_daily_or_longer:
            stamps, form = form.local(stamps), replace(form, wall=True)
        elif like is None:
            # Shorter periods are counted in UTC; shift them to begin on the zone's full hour.
            shift = grid.phase + stamps[0] - local[0]
            grid = replace(grid, phase=int(shift % grid.step))
    month_end = frequency.unit == "month" and frequency.edge == "E"
    whole_weeks = frequency.unit == "us" and frequency.step % WEEK == 0
    by_end = month_end or whole_weeks
    ordinals, exact = grid.ordinals(stamps // DAY * DAY if by_end else stamps)
    # A grid finds the stamp at or before; a period named by its end is the one at or after.
    return Periods(TimeAxis(name, grid, form), ordinals + (by_end & ~exact), by_end)


def _require_same_kind(
    frequency: FrequencySpec, form: TimestampFormat, rule: str
) -> None:
    """Raise DataError for a rule of dates on integer steps, or the reverse."""
    if (frequency.unit == "integer") == (form.kind == "step"):
        return
    kind, example = (
        ("integer steps", "10:sum") if form.kind == "step" else ("dates", "D:sum")
    )
    raise DataError(
        f"--resample {rule} does not fit a time column of {kind}",
        f"time is {kind}, as in --resample {example}",
    )


def _to_period_grid(frequency: FrequencySpec, first: int) -> Grid:
    """The grid of the periods of a rule; integer steps are counted from the first stamp."""
    unit, step, edge, anchor, working = frequency
    if unit == "integer":
        return Grid("integer", step, first % step)
    if unit == "us" and step % WEEK == 0:
        weekday = _SUNDAY if anchor is None else anchor
        return Grid("us", step, (weekday - EPOCH_WEEKDAY) * DAY % step)
    if unit != "month":
        return Grid(unit, step)
    # As in pandas, quarters and years named by their end close in December, those by their start
    # open in January.
    default_phase = step - 1 if edge == "E" and step in (3, 12) else 0
    phase = (default_phase if anchor is None else anchor) % step
    return Grid("month", step, phase, 31 if edge == "E" else 1, working=working)


class Aggregated(NamedTuple):
    """Periods of series: their first rows [P], values [P, K], and how many of them are not full."""

    starts: Ints
    values: Floats
    partial: int


def aggregate_periods(
    stamps: Ints, codes: Ints, values: Floats, periods: Periods, how: str
) -> Aggregated:
    """Aggregate the values [n, K] of each period of each series.

    The first and the last period of a series get no value where their rows begin later, or end
    earlier, within the period than in any other: the sum over a part of a period says nothing
    about the whole.
    """
    ordinals = periods.ordinals
    next_period = ordinals[1:] != ordinals[:-1]
    next_series = codes[1:] != codes[:-1]
    starts = np.flatnonzero(np.r_[True, next_period | next_series])
    aggregated = aggregate_groups(values, starts, how)
    observed = np.asarray(~np.isnan(values).all(axis=1))
    partial = _find_partial_periods(stamps, observed, starts, codes, periods)
    aggregated[partial] = np.nan
    return Aggregated(starts, aggregated, int(partial.sum()))


def _find_partial_periods(
    stamps: Ints, observed: Bools, starts: Ints, codes: Ints, periods: Periods
) -> Bools:
    """Which periods [P] are the first or the last of their series and not full.

    observed: [n], whether a row has any value.
    """
    grid = periods.axis.grid
    ordinals = periods.ordinals[starts]
    # A period named by its last day begins on the day after the stamp of the one before.
    shift = DAY if periods.by_end else 0
    begin = grid.instants(ordinals - periods.by_end) + shift
    end = grid.instants(ordinals + 1 - periods.by_end) + shift

    # First and last row with a value in each period.
    far = np.iinfo(np.int64).max
    first_stamps = np.where(observed, stamps, far)
    first = np.minimum.reduceat(first_stamps, starts)
    last_stamps = np.where(observed, stamps, -far)
    last = np.maximum.reduceat(last_stamps, starts)

    partial = np.zeros(len(starts), dtype=bool)
    with_values = np.flatnonzero(first < far)
    count = len(with_values)
    if not count:
        return partial
    length = (end - begin)[with_values]
    head = (first - begin)[with_values]  # time before the first row of a period
    tail = (end - last)[with_values]  # time after the last one

    # The first and the last period of each series.
    code = codes[starts[with_values]]
    next_series = code[1:] != code[:-1]
    first_periods = np.flatnonzero(np.r_[True, next_series])
    ends = np.r_[first_periods[1:], count]
    last_periods = ends - 1
    # Of one or two periods there is no other to compare with.
    comparable = ends - first_periods > 2
    for empty, edge in ((head, first_periods), (tail, last_periods)):
        # Months differ in length: the gap must be the longest as such and as a share.
        longest = _is_longest_in_series(empty, edge, first_periods)
        share = empty / length
        largest_share = _is_longest_in_series(share, edge, first_periods)
        periods_at_edge = with_values[edge]
        partial[periods_at_edge] |= comparable & longest & largest_share
    return partial


def _is_longest_in_series(
    empty: Ints | Floats, edge: Ints, first_periods: Ints
) -> Bools:
    """Whether the empty time at each of the periods `edge` is above all others of its series."""
    others = empty.astype(np.float64)
    others[edge] = -np.inf
    longest_other = np.maximum.reduceat(others, first_periods)
    return np.asarray(empty[edge] > longest_other)


class Resampled(NamedTuple):
    """The axis of the periods, one row per series and period, their covariates, and notes."""

    axis: TimeAxis
    rows: Rows
    covariates: list[Floats]
    notes: tuple[str, ...]


def resample_rows(
    rows: Rows,
    time_column: TimeColumn,
    config: DataConfig,
    like: TimeAxis | None,
    covariates: Sequence[tuple[Floats, str]],
) -> Resampled:
    """Aggregate rows and covariates into the periods of `--resample`.

    covariates: arrays [table rows, C], each with the aggregate that a period takes of it.
    """
    rule, how = config.resampling
    periods = assign_periods(
        rows.stamps, time_column.form, time_column.name, rule, like
    )
    starts, values, partial = aggregate_periods(
        rows.stamps, rows.codes, rows.values, periods, how
    )
    aggregated = [
        aggregate_groups(covariate[rows.rows], starts, aggregate)
        for covariate, aggregate in covariates
    ]
    words = periods.axis.grid.words
    notes = [
        f"{len(rows.codes)} rows gathered into {len(starts)} steps ({words}): their {how}"
    ]
    if partial:
        plural = "s" if partial > 1 else ""
        notes.append(f"{partial} step{plural} at the ends of series not full: left out")
    # Covariates are aggregated already: period number i has them in row i.
    index = np.arange(len(starts))
    resampled = Rows(rows.codes[starts], periods.ordinals[starts], index, values)
    return Resampled(periods.axis, resampled, aggregated, tuple(notes))
