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
from lstmcast.ingest.regular import find_observed, note_closed_times
from lstmcast.ingest.rows import Rows, find_group_starts, repeats_before
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
from lstmcast.timeaxis.place import with_closed_times
from lstmcast.timeaxis.timestamp_format import TimestampFormat

_SUNDAY = 6
_ZERO_OF_NOTHING = ("sum", "count")
"""Aggregates of no rows at all that are 0, and not missing."""


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

    if like:
        # Rows at closed times belong to no period, and not to the open one before.
        grid = like.grid
        if frequency.unit != "business":
            grid = grid.with_closed_periods
    else:
        first = int(stamps.min())
        grid = _to_period_grid(frequency, first)

    if form.zone and not form.wall:
        if grid.is_daily_or_longer:
            stamps = form.local(stamps)
            form = replace(form, wall=True)
        elif like is None:
            # Shorter periods are counted in UTC; shift them to begin on the zone's full hour.
            local = form.local(stamps[:1])
            shift = grid.phase + stamps[0] - local[0]
            phase = int(shift % grid.step)
            grid = replace(grid, phase=phase)

    by_end = _is_named_by_end(frequency)
    if by_end:
        stamps = stamps // DAY * DAY
    ordinals, exact = grid.ordinals(stamps)
    if by_end:
        # A grid finds the stamp at or before; a period named by its end is the one at or after.
        ordinals = ordinals + ~exact

    axis = TimeAxis(name, grid, form)
    return Periods(axis, ordinals, by_end)


def _is_named_by_end(frequency: FrequencySpec) -> bool:
    """Whether a period is named by its last day: months by their end, and weeks."""
    if frequency.unit == "month":
        return frequency.edge == "E"
    return frequency.unit == "us" and frequency.step % WEEK == 0


def _require_same_kind(
    frequency: FrequencySpec, form: TimestampFormat, rule: str
) -> None:
    """Raise DataError for a rule of dates on integer steps, or the reverse."""
    are_steps = form.kind == "step"
    if (frequency.unit == "integer") == are_steps:
        return
    kind = "integer steps" if are_steps else "dates"
    example = "10:sum" if are_steps else "D:sum"
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
        days_since_epoch = weekday - EPOCH_WEEKDAY
        return Grid("us", step, days_since_epoch * DAY % step)
    if unit != "month":
        return Grid(unit, step)

    by_end = edge == "E"
    if anchor is None:
        # As in pandas, quarters and years named by their end close in December, those by their
        # start open in January.
        anchor = step - 1 if by_end and step in (3, 12) else 0

    day = 31 if by_end else 1
    return Grid("month", step, anchor % step, day, working=working)


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
    same_period = repeats_before(periods.ordinals)
    same_series = repeats_before(codes)
    goes_on = same_period & same_series
    starts = find_group_starts(~goes_on)

    aggregated = aggregate_groups(values, starts, how)
    without_values = np.isnan(values).all(axis=1)
    observed = np.asarray(~without_values)
    partial = _find_partial_periods(stamps, observed, starts, codes, periods)
    aggregated[partial] = np.nan

    partial_count = int(partial.sum())
    return Aggregated(starts, aggregated, partial_count)


def _find_partial_periods(
    stamps: Ints, observed: Bools, starts: Ints, codes: Ints, periods: Periods
) -> Bools:
    """Which periods [P] are the first or the last of their series and not full.

    observed: [n], whether a row has any value.
    """
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

    begin, end = _bound_periods(periods, starts)
    length = (end - begin)[with_values]
    head = (first - begin)[with_values]  # time before the first row of a period
    tail = (end - last)[with_values]  # time after the last one

    # The first and the last period of each series.
    code = codes[starts[with_values]]
    same_series = repeats_before(code)
    first_periods = find_group_starts(~same_series)
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


def _bound_periods(periods: Periods, starts: Ints) -> tuple[Ints, Ints]:
    """The instants at which periods begin and end, each [P]; `starts` are their first rows."""
    grid = periods.axis.grid
    ordinals = periods.ordinals[starts]
    if not periods.by_end:
        return grid.instants(ordinals), grid.instants(ordinals + 1)

    # A period named by its last day begins on the day after the stamp of the one before.
    last_day_before = grid.instants(ordinals - 1)
    last_day = grid.instants(ordinals)
    return last_day_before + DAY, last_day + DAY


def _is_longest_in_series(
    empty: Ints | Floats, edge: Ints, first_periods: Ints
) -> Bools:
    """Whether the empty time at each of the periods `edge` is above all others of its series."""
    others = empty.astype(np.float64)
    others[edge] = -np.inf
    longest_other = np.maximum.reduceat(others, first_periods)
    at_edge = empty[edge]
    return np.asarray(at_edge > longest_other)


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
    form = time_column.form
    stamps = rows.stamps

    periods = assign_periods(stamps, form, time_column.name, rule, like)
    aggregated = aggregate_periods(stamps, rows.codes, rows.values, periods, how)
    starts = aggregated.starts

    covariates_by_period = []
    for values, aggregate in covariates:
        of_periods = aggregate_groups(values[rows.rows], starts, aggregate)
        covariates_by_period.append(of_periods)

    words = periods.axis.grid.words
    gathered = f"{len(stamps)} rows gathered into {len(starts)} steps ({words})"
    notes = [f"{gathered}: their {how}"]
    partial = aggregated.partial
    if partial:
        plural = "s" if partial > 1 else ""
        notes.append(f"{partial} step{plural} at the ends of series not full: left out")

    resampled = Rows(
        codes=rows.codes[starts],
        stamps=periods.ordinals[starts],
        # Covariates are aggregated already: period number i has them in row i.
        rows=np.arange(len(starts)),
        values=aggregated.values,
    )
    if how in _ZERO_OF_NOTHING:
        resampled, zeros = _with_empty_periods(resampled)
        if zeros:
            covariates_by_period = [_with_missing_row(c) for c in covariates_by_period]
            notes.append(f"{zeros} steps without rows: their {how} is 0")

    has_rows = resampled.rows < len(starts)
    axis, resampled, closed_notes = _leave_out_closed(
        periods.axis, resampled, has_rows, config, like
    )
    notes += closed_notes
    return Resampled(axis, resampled, covariates_by_period, tuple(notes))


def _with_empty_periods(rows: Rows) -> tuple[Rows, int]:
    """The rows, with a zero for each period of a series' span without any; their count too.

    Their covariates are missing: they are in the row after the last. A period whose rows have no
    value stays missing.
    """
    empty = rows.stamps[1:] - rows.stamps[:-1] - 1
    empty = np.where(rows.continues_series(), empty, 0)
    count = int(empty.sum())
    if not count:
        return rows, 0

    # The row before each gap, once for each period of it.
    before = np.flatnonzero(empty)
    sizes = empty[before]
    source = np.repeat(before, sizes)

    # Number of an empty period within its gap, from 0.
    begins = np.cumsum(sizes) - sizes
    place = np.arange(count) - np.repeat(begins, sizes)

    row_count, column_count = rows.values.shape
    added = Rows(
        codes=rows.codes[source],
        stamps=rows.stamps[source] + 1 + place,
        rows=np.full(count, row_count),
        values=np.zeros((count, column_count)),
    )
    joined = Rows(
        codes=np.concatenate([rows.codes, added.codes]),
        stamps=np.concatenate([rows.stamps, added.stamps]),
        rows=np.concatenate([rows.rows, added.rows]),
        values=np.concatenate([rows.values, added.values]),
    )
    in_order = np.lexsort((joined.stamps, joined.codes))
    return joined.take(in_order), count


def _with_missing_row(values: Floats) -> Floats:
    missing = np.full((1, values.shape[1]), np.nan)
    return np.concatenate([values, missing])


def _leave_out_closed(
    axis: TimeAxis,
    rows: Rows,
    has_rows: Bools,
    config: DataConfig,
    like: TimeAxis | None,
) -> tuple[TimeAxis, Rows, list[str]]:
    """The rows of open periods, numbered by them, on the axis of these; and notes.

    has_rows: [P], whether rows fell on a period: a zero for nothing shows no open time.
    """
    instants = axis.grid.instants(rows.stamps)
    observed = find_observed(rows) & has_rows
    if like is None:
        grid = with_closed_times(axis.grid, instants[observed], axis.form, config)
    else:
        grid = like.grid
    open_axis = replace(axis, grid=grid)

    notes: list[str] = []
    if like is None and config.closed == "auto":
        rule, _ = config.resampling
        notes += note_closed_times(open_axis, rule)

    ordinals, is_open = grid.ordinals(instants)
    at_closed = observed & ~is_open
    lost = int(at_closed.sum())
    if lost:
        notes.append(f"{lost} steps at closed times left out")

    all_rows = replace(rows, stamps=ordinals)
    open_rows = all_rows.take(np.flatnonzero(is_open))
    return open_axis, open_rows, notes
