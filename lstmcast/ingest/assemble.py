"""From a table to the flat, regular arrays of a panel: keys, time axis, values, covariates.

Nothing is filled silently: missing values and missing rows become NaN, and a note says how many.
Each step returns its notes beside its result; `assemble_panel` puts them in order.

Axes: n rows of the table, K targets, N series, T steps of a series, Cp past, Cf known-future, Cs
static covariates; arrays of series lie end to end.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from lstmcast.config import Columns, DataConfig, Fill
from lstmcast.errors import DataError, format_names
from lstmcast.ingest.duplicates import resolve_duplicates
from lstmcast.ingest.encoding import (
    EncodedCovariates,
    encode_covariates,
    require_number_column,
)
from lstmcast.ingest.keys import SeriesKeys, factorize_keys
from lstmcast.ingest.regular import place_on_axis
from lstmcast.ingest.resample import resample_rows
from lstmcast.ingest.rows import Rows, melt_targets, sort_rows
from lstmcast.ingest.time_column import read_time_column
from lstmcast.ingest.timestamps import TimeColumn
from lstmcast.ragged import Bools, Floats, Ints, fill_missing, offsets_from_lengths
from lstmcast.tables.table import Table
from lstmcast.timeaxis.axis import TimeAxis
from lstmcast.timeaxis.calendar_fields import DAY, SECOND
from lstmcast.timeaxis.frequency import HOUR, WEEK
from lstmcast.timeaxis.infer import mixed_frequency_error

IndexOrSlice = Ints | slice

MIN_OBSERVED_VALUES = 3
"""Fewer observed values than this are no series to learn from."""
_FAR_ORDINAL = np.int64(2**62)


class AssembledPanel(NamedTuple):
    """The fields of a `lstmcast.panel.panel.Panel`, which says what each of them holds."""

    columns: Columns
    axis: TimeAxis
    key_names: tuple[str, ...]
    keys: tuple[tuple[str, ...], ...]
    values: Floats
    offsets: Ints
    start: Ints
    past: Floats
    future: Floats
    future_offsets: Ints
    static: Floats
    encodings: dict[str, list[str]]
    past_names: tuple[str, ...]
    future_names: tuple[str, ...]
    static_names: tuple[str, ...]
    key_types: tuple[str, ...]
    notes: tuple[str, ...]


class _Roles(NamedTuple):
    """Covariates by role, each with values [n, C] of the rows of the table or of their periods."""

    past: EncodedCovariates
    future: EncodedCovariates
    static: EncodedCovariates


class _PlacedRows(NamedTuple):
    """Rows on the time axis, one per series and step, with their covariates and notes."""

    axis: TimeAxis
    rows: Rows
    roles: _Roles
    notes: tuple[str, ...]


class _SeriesSpans(NamedTuple):
    """Of each series [N]: observed values, first and last ordinal with one, steps between them."""

    observed: Ints
    first: Ints
    last: Ints
    steps: Ints


class _SeriesArrays(NamedTuple):
    """The usable series as flat arrays, and notes."""

    keys: tuple[tuple[str, ...], ...]
    values: Floats
    offsets: Ints
    start: Ints
    past: Floats
    future: Floats
    future_offsets: Ints
    static: Floats
    notes: tuple[str, ...]


def assemble_panel(
    table: Table,
    columns: Columns,
    config: DataConfig,
    axis: TimeAxis | None = None,
    encodings: Mapping[str, list[str]] | None = None,
) -> AssembledPanel:
    """Turn a table into the fields of a panel, and note what was done to it.

    axis, encodings: those of an earlier panel, to be kept.

    Raises DataError for missing columns, unreadable cells, duplicate or irregular stamps, and where
    no series is left; RunError where the type of a column has changed since the earlier panel.
    """
    table.require(
        (
            *columns.target,
            *columns.series,
            *columns.past,
            *columns.future,
            *columns.static,
        )
    )
    codes, keys = factorize_keys(table, columns.series)
    targets = [
        require_number_column(table, name, trained=axis is not None)
        for name in columns.target
    ]
    values = np.stack(targets, axis=1) if len(targets) > 1 else targets[0][:, None]
    has_target = np.asarray(~np.isnan(values).all(axis=1))
    roles = _Roles(
        # A past covariate is due where there is a target; rows of a known future need none.
        encode_covariates(table, columns.past, encodings, has_target),
        encode_covariates(table, columns.future, encodings),
        encode_covariates(table, columns.static, encodings),
    )
    time_column = read_time_column(table, columns, config, codes, axis)
    min_values = MIN_OBSERVED_VALUES if axis is None else 1
    rows, sort_notes = sort_rows(time_column, codes, values)
    placed = _place_rows(
        rows, time_column, table, keys, config, axis, roles, min_values
    )
    rows, keys = melt_targets(placed.rows, keys, columns.target)
    series = _flatten_series(rows, placed.roles, keys, placed.axis, config, min_values)
    return AssembledPanel(
        columns=replace(columns, time=time_column.columns),
        axis=placed.axis,
        key_names=keys.names,
        keys=series.keys,
        values=series.values,
        offsets=series.offsets,
        start=series.start,
        past=series.past,
        future=series.future,
        future_offsets=series.future_offsets,
        static=series.static,
        encodings={
            name: categories
            for role in placed.roles
            for name, categories in role.encodings.items()
        },
        past_names=placed.roles.past.names,
        future_names=placed.roles.future.names,
        static_names=placed.roles.static.names,
        key_types=keys.types,
        notes=(
            *table.notes,
            *time_column.notes,
            *_note_unit_signs(table, columns.target),
            *sort_notes,
            *placed.notes,
            *series.notes,
            *(note for role in placed.roles for note in role.notes),
        ),
    )


def _note_unit_signs(table: Table, targets: Sequence[str]) -> tuple[str, ...]:
    """Note the signs, like a currency's, that were removed from the cells of the targets."""
    signs = {name: table.unit_sign(name) for name in targets}
    return tuple(
        f"column {name!r}: {sign} removed" for name, sign in signs.items() if sign
    )


def _place_rows(
    rows: Rows,
    time_column: TimeColumn,
    table: Table,
    keys: SeriesKeys,
    config: DataConfig,
    axis: TimeAxis | None,
    roles: _Roles,
    min_values: int,
) -> _PlacedRows:
    """Settle duplicate rows and lay the rest on the axis, resampled where that is requested."""
    notes: tuple[str, ...] = ()
    # Resampling aggregates rows of one stamp anyway; it refuses none of them.
    if config.resample is None or config.duplicates != "error":
        rows, notes = resolve_duplicates(
            rows, config.duplicates, time_column, table, keys
        )
    # Too few values are reported before the frequency, which a single row does not show.
    _require_min_values(rows, min_values)
    if config.resample is None:
        axis, rows = place_on_axis(rows, time_column, table, keys, config, axis)
        return _PlacedRows(axis, rows, roles, notes)
    aggregates = [
        (roles.past.values, "mean"),
        (roles.future.values, "mean"),
        (roles.static.values, "first"),
    ]
    resampled = resample_rows(rows, time_column, config, axis, aggregates)
    resampled_roles = _Roles(
        *(
            replace(role, values=values)
            for role, values in zip(roles, resampled.covariates, strict=True)
        )
    )
    all_notes = notes + resampled.notes
    return _PlacedRows(resampled.axis, resampled.rows, resampled_roles, all_notes)


def _require_min_values(rows: Rows, min_values: int) -> None:
    """Raise DataError where no series has as many observed values as a forecast needs."""
    observed, starts = ~np.isnan(rows.values), rows.starts()
    if observed.all():
        most = int(np.diff(starts, append=len(observed)).max())
    else:
        most = int(np.add.reduceat(observed, starts, axis=0, dtype=np.int64).max())
    if most < min_values:
        raise _too_few_values_error(most, min_values)


def _measure_spans(rows: Rows) -> _SeriesSpans:
    """Measure where each series begins and ends; rows have one target."""
    is_observed = ~np.isnan(rows.values[:, 0])
    starts = rows.starts()
    if is_observed.all():  # the common case, several times faster
        ends = np.r_[starts[1:], len(is_observed)]
        observed = ends - starts
        first = rows.stamps[starts]
        last = rows.stamps[ends - 1]
    else:
        observed = np.add.reduceat(is_observed, starts, dtype=np.int64)
        first_stamps = np.where(is_observed, rows.stamps, _FAR_ORDINAL)
        first = np.minimum.reduceat(first_stamps, starts)
        last_stamps = np.where(is_observed, rows.stamps, -_FAR_ORDINAL)
        last = np.maximum.reduceat(last_stamps, starts)
    steps = np.where(observed > 0, last - first + 1, 0)
    return _SeriesSpans(observed, first, last, steps)


def _flatten_series(
    rows: Rows,
    roles: _Roles,
    keys: SeriesKeys,
    axis: TimeAxis,
    config: DataConfig,
    min_values: int,
) -> _SeriesArrays:
    """Lay each usable series end to end on the axis, from its first to its last observed value."""
    spans = _measure_spans(rows)
    usable, notes = _select_usable_series(spans, rows, keys, axis, config, min_values)
    past, future, static = (role.values for role in roles)

    # A series that is not usable has no steps here, so that none of its rows has a place.
    lengths = np.where(usable, spans.steps, 0)
    ahead = _count_steps_ahead(spans, rows, future)
    future_lengths = lengths + np.where(usable, ahead, 0)
    total, future_total = int(lengths.sum()), int(future_lengths.sum())

    # Values and past covariates, up to the last observed value.
    inside, places = _locate_rows(spans, rows, lengths)
    values = _scatter_values(rows.values[inside, 0], places, total)
    past = _scatter_values(past[rows.rows[inside]], places, total)
    notes += _note_future_dates(axis, int(spans.last[usable].max()))
    notes += _note_missing_values(axis, rows.take(inside), total, config.fill)

    # Known-future covariates go on beyond it, static ones are one row a series.
    inside, places = _locate_rows(spans, rows, future_lengths)
    future = _scatter_values(future[rows.rows[inside]], places, future_total)
    static = _reduce_static_values(static[rows.rows], roles.static.names, rows, keys)
    usable_codes = np.flatnonzero(usable).tolist()
    return _SeriesArrays(
        keys=tuple(keys.keys[code] for code in usable_codes),
        values=fill_missing(values, config.fill),
        offsets=offsets_from_lengths(lengths[usable]),
        start=spans.first[usable],
        past=past,
        future=future,
        future_offsets=offsets_from_lengths(future_lengths[usable]),
        static=static[usable],
        notes=notes,
    )


def _count_steps_ahead(spans: _SeriesSpans, rows: Rows, future: Floats) -> Ints:
    """Steps [N] after the last value up to the last row with any known-future covariate."""
    if not future.shape[1]:
        return np.zeros_like(spans.last)
    is_missing = np.isnan(future[rows.rows]).all(axis=1)
    stamps = np.where(is_missing, -_FAR_ORDINAL, rows.stamps)
    last_known = np.maximum.reduceat(stamps, rows.starts())
    return np.maximum(last_known - spans.last, 0)


def _locate_rows(
    spans: _SeriesSpans, rows: Rows, lengths: Ints
) -> tuple[IndexOrSlice, IndexOrSlice]:
    """Find the rows within the first `lengths` [N] steps of their series, and their places.

    A place is an index into all series end to end.
    """
    if len(rows.codes) == lengths.sum() and (spans.observed == lengths).all():
        return slice(None), slice(None)  # every step has its row: nothing to move
    # A row's step counts from the first observed value of its series.
    step = rows.stamps - spans.first[rows.codes]
    is_inside = (step >= 0) & (step < lengths[rows.codes])
    inside = np.flatnonzero(is_inside)
    offsets = offsets_from_lengths(lengths)
    begin = offsets[rows.codes[inside]]
    return inside, begin + step[inside]


def _scatter_values(values: Floats, places: IndexOrSlice, total: int) -> Floats:
    """Values at their places in an array of `total` rows, NaN elsewhere."""
    if isinstance(places, slice):
        return values
    scattered = np.full((total, *values.shape[1:]), np.nan)
    scattered[places] = values
    return scattered


def _select_usable_series(
    spans: _SeriesSpans,
    rows: Rows,
    keys: SeriesKeys,
    axis: TimeAxis,
    config: DataConfig,
    min_values: int,
) -> tuple[Bools, tuple[str, ...]]:
    """Whether each series [N] has enough values, and notes on the others; DataError if none has."""
    short = spans.observed < min_values
    half_missing = spans.observed * 2 < spans.steps
    sparse = ~short & half_missing & (config.fill == "none")
    usable = np.asarray(~short & ~sparse)
    if not usable.any():
        if sparse.any():
            raise _sparse_series_error(
                spans, rows, keys, axis, config.freq, int(sparse.argmax())
            )
        raise _too_few_values_error(int(spans.observed.max()), min_values)
    notes = []
    for skipped, reason in (
        (short, f"fewer than {min_values} values"),
        (sparse, "more than half of their steps missing"),
    ):
        count = int(skipped.sum())
        if count:
            labels = [keys.label(code) for code in np.flatnonzero(skipped)[:4].tolist()]
            names = format_names(labels, count)
            notes.append(
                f"skipped {count} of {len(usable)} series with {reason}: {names}"
            )
    return usable, tuple(notes)


def _too_few_values_error(have: int, need: int) -> DataError:
    """The error for a target with fewer values than any forecast needs."""
    return DataError(
        f"too few values in the target: need {need}, have {have}, so no context fits",
        "give more rows",
    )


def _sparse_series_error(
    spans: _SeriesSpans,
    rows: Rows,
    keys: SeriesKeys,
    axis: TimeAxis,
    freq: str | None,
    code: int,
) -> DataError:
    """The error for series most of whose steps are missing; `code` is the first of them."""
    instants = axis.grid.instants(rows.stamps)
    mixed = mixed_frequency_error(
        instants, rows.codes, keys.labels(), integer=axis.kind == "integer"
    )
    if mixed is not None and freq is None:
        return mixed
    steps = int(spans.steps[code])
    missing = steps - int(spans.observed[code])
    observed = (rows.codes == code) & ~np.isnan(rows.values[:, 0])
    rule = _suggest_wider_step(axis, instants[observed])
    other_freq = (
        "leave out --freq" if freq else "give the frequency of the data with --freq"
    )
    return DataError(
        f"more than half of {keys.label(code)} is missing:"
        f" {missing} of {steps} steps ({axis.grid.words})",
        f"{other_freq}, or --fill zero where no row means none;"
        f" or make wider steps: --resample {rule}",
    )


def _suggest_wider_step(axis: TimeAxis, stamps: Ints) -> str:
    """A rule for `--resample` with steps most of which hold one of these stamps."""
    if axis.grid.unit == "integer":
        return f"{10 * axis.grid.step}:mean"
    # The shortest step most of which would hold a value; 31 days stand for a month.
    for rule, size in (("h", HOUR), ("D", DAY), ("W", WEEK), ("MS", 31 * DAY)):
        steps = stamps // size
        if 2 * len(np.unique(steps)) > steps[-1] - steps[0] + 1:
            return f"{rule}:mean"
    return "YS:mean"


def _note_future_dates(axis: TimeAxis, last: int) -> tuple[str, ...]:
    """Note a last value that is dated in the future: a typing error more likely than a fact.

    A day of tolerance leaves room for time zones.
    """
    stamp = int(axis.grid.instants(np.array([last]))[0])
    if axis.kind != "datetime" or stamp <= time.time() * SECOND + DAY:
        return ()
    return (
        f"the last value is dated in the future: {axis.texts(np.array([last]))[0]}",
    )


def _note_missing_values(
    axis: TimeAxis, rows: Rows, total: int, fill: Fill
) -> tuple[str, ...]:
    """Note how many values and how many whole rows are missing, and what becomes of them."""
    treatment = "left missing" if fill == "none" else f"filled: {fill}"
    notes = []
    empty = int(np.isnan(rows.values).sum())
    if empty:
        notes.append(f"missing target values: {empty}, {treatment}")
    missing_rows = total - len(rows.stamps)
    if missing_rows:
        # Steps left out between a row and the next of the same series.
        between = rows.stamps[1:] - rows.stamps[:-1] - 1
        gaps = np.where(rows.continues_series(), between, 0)
        longest = int(gaps.argmax())
        begin, end = axis.texts(rows.stamps[longest : longest + 2])
        count = int((gaps > 0).sum())
        if count > 1:
            where = (
                f"{count:,} gaps, {treatment}; the longest is {int(gaps[longest]):,}"
            )
        else:
            where = f"one gap, {treatment}"
        notes.append(
            f"missing rows: {missing_rows:,} in {where}, between {begin} and {end}"
        )
    return tuple(notes)


def _reduce_static_values(
    values: Floats, names: Sequence[str], rows: Rows, keys: SeriesKeys
) -> Floats:
    """The one value [N, Cs] of each series; DataError where it changes within a series."""
    starts = rows.starts()
    if not values.shape[1]:
        return np.empty((len(starts), 0))
    is_missing = np.isnan(values)
    low = np.minimum.reduceat(np.where(is_missing, np.inf, values), starts)
    high = np.maximum.reduceat(np.where(is_missing, -np.inf, values), starts)
    # Where all values are missing, low is infinite and nothing has changed.
    changed = (low != high) & np.isfinite(low)
    if changed.any():
        code, column = np.argwhere(changed)[0].tolist()
        name = names[column].partition("=")[0]
        where = f"series {keys.label(code)!r}" if keys.keys[code] else "the series"
        raise DataError(
            f"static column {name!r} changes within {where}",
            "give it as --past or --future instead",
        )
    return np.where(np.isfinite(low), low, np.nan)
