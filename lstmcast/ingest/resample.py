"""Rows gathered into periods of a regular step, as `--resample RULE:HOW` asks.

Starts (h, D, MS, QS...) name a period by its first moment, ends (W-SUN, ME, QE...) by its last day,
as in pandas.

Axes: n rows by series, then time; P periods, K columns.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.config import DataConfig
from lstmcast.errors import DataError
from lstmcast.ingest.rows import Rows
from lstmcast.ingest.timestamps import TimeColumn
from lstmcast.ragged import Bools, Floats, Ints, aggregate_groups
from lstmcast.timeaxis.axis import TimeAxis
from lstmcast.timeaxis.calendar_fields import DAY
from lstmcast.timeaxis.frequency import WEEK, FrequencySpec, Grid, parse_frequency
from lstmcast.timeaxis.timestamp_format import TimestampFormat

_SUNDAY = 6


class Periods(NamedTuple):
    """The axis of the periods, the ordinal [n] of each row's, and whether a period is named by its last day."""

    axis: TimeAxis
    ordinals: Ints
    by_end: bool


def assign_periods(
    stamps: Ints, form: TimestampFormat, name: str, rule: str, like: TimeAxis | None = None
) -> Periods:
    """Which period each stamp is of. Raises UsageError for an unknown rule, DataError for one of the wrong kind."""
    wanted = parse_frequency(rule)
    if (wanted.unit == "integer") != (form.kind == "step"):
        kind = (
            "integer steps, as in --resample 10:sum"
            if form.kind == "step"
            else "dates, as in --resample D:sum"
        )
        raise DataError(
            f"--resample {rule} does not fit a time column of {kind.partition(',')[0]}",
            f"time is {kind}",
        )
    grid = like.grid if like else _to_period_grid(wanted, int(stamps.min()))
    if form.zone and not form.wall:
        local = form.local(stamps[:1])
        if grid.is_daily_or_longer:
            stamps, form = form.local(stamps), replace(form, wall=True)
        elif like is None:
            grid = replace(grid, phase=int((grid.phase + stamps[0] - local[0]) % grid.step))
    by_end = (
        wanted.unit == "month"
        and wanted.edge == "E"
        or wanted.unit == "us"
        and wanted.step % WEEK == 0
    )
    ordinals, exact = grid.ordinals(stamps // DAY * DAY if by_end else stamps)
    return Periods(TimeAxis(name, grid, form), ordinals + (by_end & ~exact), by_end)


def _to_period_grid(wanted: FrequencySpec, first: int) -> Grid:
    unit, step, edge, anchor, working = wanted
    if unit == "integer":
        return Grid("integer", step, first % step)
    if unit == "us" and step % WEEK == 0:
        return Grid(
            "us", step, ((_SUNDAY if anchor is None else anchor) - 3) * DAY % step
        )  # 1970 began on a Thursday
    if unit != "month":
        return Grid(unit, step)
    usual = step - 1 if edge == "E" and step in (3, 12) else 0
    phase = (usual if anchor is None else anchor) % step
    return Grid("month", step, phase, 31 if edge == "E" else 1, working=working)


def aggregate_periods(
    stamps: Ints, codes: Ints, values: Floats, found: Periods, how: str
) -> tuple[Ints, Floats, int]:
    """First row [P] of each period of each series, its values [P, K], and how many periods at the edges are not full.

    The first and the last period of a series have no value where their rows begin later, or end
    earlier, within the period than in any other: what a part of a period sums up to says nothing
    about it.
    """
    ordinals = found.ordinals
    starts = np.flatnonzero(
        np.r_[True, (ordinals[1:] != ordinals[:-1]) | (codes[1:] != codes[:-1])]
    )
    made = aggregate_groups(values, starts, how)
    partial = _find_partial_periods(
        stamps, np.asarray(~np.isnan(values).all(axis=1)), starts, codes, found
    )
    made[partial] = np.nan
    return starts, made, int(partial.sum())


def _find_partial_periods(
    stamps: Ints, known: Bools, starts: Ints, codes: Ints, found: Periods
) -> Bools:
    grid, ordinals = found.axis.grid, found.ordinals[starts]
    shift = DAY if found.by_end else 0
    begin, end = (grid.instants(ordinals + place - found.by_end) + shift for place in (0, 1))
    far = np.iinfo(np.int64).max
    first = np.minimum.reduceat(np.where(known, stamps, far), starts)
    last = np.maximum.reduceat(np.where(known, stamps, -far), starts)
    full = first < far  # periods with any value
    partial = np.zeros(len(starts), dtype=bool)
    index = np.flatnonzero(full)
    if not len(index):
        return partial
    code, length = codes[starts[index]], (end - begin)[index]
    heads, tails = (first - begin)[index], (end - last)[index]
    series = np.flatnonzero(np.r_[True, code[1:] != code[:-1]])
    edges = {"head": series, "tail": np.r_[series[1:], len(index)] - 1}
    many = np.diff(np.r_[series, len(index)]) > 2
    for empty, at in ((heads, edges["head"]), (tails, edges["tail"])):
        partial[index[at]] |= (
            many
            & _is_longest_in_series(empty, at, series)
            & _is_longest_in_series(empty / length, at, series)
        )
    return partial


def _is_longest_in_series(empty: NDArray[np.int64] | Floats, at: Ints, series: Ints) -> Bools:
    """Whether the value at each of `at` is above all others of its series."""
    others = empty.astype(np.float64)
    others[at] = -np.inf
    return np.asarray(empty[at] > np.maximum.reduceat(others, series))


def resample_rows(
    rows: Rows,
    reading: TimeColumn,
    config: DataConfig,
    like: TimeAxis | None,
    covariates: Sequence[tuple[Floats, str]],
    notes: list[str],
) -> tuple[TimeAxis, Rows, list[Floats]]:
    """The axis of the periods of `--resample`, one row a series and period, and the covariates of these rows.

    covariates: arrays [table rows, C], each with the aggregate that a period takes of it.
    """
    rule, how = config.resampling
    found = assign_periods(rows.stamps, reading.form, reading.name, rule, like)
    starts, values, partial = aggregate_periods(rows.stamps, rows.codes, rows.values, found, how)
    made = [aggregate_groups(one[rows.rows], starts, kind) for one, kind in covariates]
    notes.append(
        f"{len(rows.codes)} rows gathered into {len(starts)} steps ({found.axis.grid.words}): their {how}"
    )
    if partial:
        notes.append(
            f"{partial} step{'s' if partial > 1 else ''} at the ends of series not full: left out"
        )
    index = np.arange(len(starts))
    return found.axis, Rows(rows.codes[starts], found.ordinals[starts], index, values), made
