"""A table becomes the flat, regular arrays of a panel: keys, time axis, values, covariates.

Nothing is filled in silence: missing values and missing rows become NaN, and a note says how many.

Axes: n rows of the table, K targets, N series, T steps of a series; arrays of series lie end to
end.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lstmcast.config import Columns, DataConfig, Fill
from lstmcast.errors import DataError, format_names
from lstmcast.ingest.duplicates import resolve_duplicates
from lstmcast.ingest.encoding import EncodedCovariates, encode_covariates, require_number_column
from lstmcast.ingest.keys import SeriesKeys, factorize_keys
from lstmcast.ingest.regular import place_on_axis
from lstmcast.ingest.resample import resample_rows
from lstmcast.ingest.rows import Rows, melt_targets, sort_rows
from lstmcast.ingest.time_column import read_time_column
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


def assemble_panel_fields(
    table: Table,
    columns: Columns,
    config: DataConfig,
    axis: TimeAxis | None = None,
    encodings: Mapping[str, list[str]] | None = None,
) -> dict[str, Any]:
    """The fields of a Panel. `axis` and `encodings` are those of an earlier panel to keep to.

    Raises DataError for missing columns, unreadable cells, duplicate or irregular stamps, and where
    no series is left.
    """
    table.require(
        (*columns.target, *columns.series, *columns.past, *columns.future, *columns.static)
    )
    codes, keys = factorize_keys(table, columns.series)
    targets = [
        require_number_column(table, name, again=axis is not None) for name in columns.target
    ]
    values = np.stack(targets, axis=1) if len(targets) > 1 else targets[0][:, None]
    past = encode_covariates(
        table, columns.past, encodings, np.asarray(~np.isnan(values).all(axis=1))
    )
    roles = [
        past,
        *(encode_covariates(table, names, encodings) for names in (columns.future, columns.static)),
    ]
    reading = read_time_column(table, columns, config, codes, axis)
    signs = {name: table.sign(name) for name in columns.target}
    notes = [
        *table.notes,
        *reading.notes,
        *(f"column {name!r}: {sign} taken off" for name, sign in signs.items() if sign),
    ]
    rows = sort_rows(reading, codes, values, notes)
    if config.resample is None or config.duplicates != "error":
        rows = resolve_duplicates(rows, config.duplicates, reading, table, keys, notes)
    least = MIN_OBSERVED_VALUES if axis is None else 1
    _require_min_values(rows, least)
    if config.resample is None:
        axis, rows = place_on_axis(rows, reading, table, keys, config, axis)
    else:
        wanted = [
            (role.values, how) for role, how in zip(roles, ("mean", "mean", "first"), strict=True)
        ]
        axis, rows, made = resample_rows(rows, reading, config, axis, wanted, notes)
        roles = [replace(role, values=one) for role, one in zip(roles, made, strict=True)]
    rows, keys = melt_targets(rows, keys, columns.target)
    fields = _flatten_series(_measure_spans(rows), rows, roles, keys, axis, config, least, notes)
    return {
        "columns": replace(columns, time=reading.columns),
        "axis": axis,
        "key_names": keys.names,
        "key_types": keys.types,
        "past_names": roles[0].names,
        "future_names": roles[1].names,
        "static_names": roles[2].names,
        "encodings": {name: kinds for role in roles for name, kinds in role.encodings.items()},
        "notes": (*notes, *(note for role in roles for note in role.notes)),
        **fields,
    }


def _require_min_values(rows: Rows, least: int) -> None:
    """Before the frequency, which a row alone does not show, ask for as many values as a forecast needs."""
    seen, starts = ~np.isnan(rows.values), rows.starts()
    if seen.all():
        have = int(np.diff(starts, append=len(seen)).max())
    else:
        have = int(np.add.reduceat(seen, starts, axis=0, dtype=np.int64).max())
    if have < least:
        raise _too_few_values_error(have, least)


@dataclass(frozen=True)
class _SeriesSpans:
    """Of each series [N]: observed values, first and last ordinal with one, and the steps between them."""

    observed: Ints
    first: Ints
    last: Ints
    steps: Ints


def _measure_spans(rows: Rows) -> _SeriesSpans:
    seen, starts = ~np.isnan(rows.values[:, 0]), rows.starts()
    if seen.all():
        ends = np.r_[starts[1:], len(seen)]
        first, last, observed = rows.stamps[starts], rows.stamps[ends - 1], ends - starts
    else:
        observed = np.add.reduceat(seen, starts, dtype=np.int64)
        first = np.minimum.reduceat(np.where(seen, rows.stamps, _FAR_ORDINAL), starts)
        last = np.maximum.reduceat(np.where(seen, rows.stamps, -_FAR_ORDINAL), starts)
    return _SeriesSpans(observed, first, last, np.where(observed > 0, last - first + 1, 0))


def _flatten_series(
    spans: _SeriesSpans,
    rows: Rows,
    roles: Sequence[EncodedCovariates],
    keys: SeriesKeys,
    axis: TimeAxis,
    config: DataConfig,
    least: int,
    notes: list[str],
) -> dict[str, Any]:
    """Lay the rows of each series end to end on the axis, from its first to its last observed value."""
    keep = _select_usable_series(spans, rows, keys, axis, config, least, notes)
    past, future, static = (role.values for role in roles)
    lengths = np.where(keep, spans.steps, 0)
    ahead = np.where(keep, _count_steps_ahead(spans, rows, future), 0)
    inside, place = _locate_rows(spans, rows, lengths)
    in_future, future_place = _locate_rows(spans, rows, lengths + ahead)
    _note_future_dates(axis, int(spans.last[keep].max()), notes)
    _note_missing_values(axis, rows.take(inside), int(lengths.sum()), config.fill, notes)
    return {
        "keys": tuple(keys.keys[code] for code in np.flatnonzero(keep).tolist()),
        "values": fill_missing(
            _scatter_values(rows.values[inside, 0], place, int(lengths.sum())), config.fill
        ),
        "offsets": offsets_from_lengths(lengths[keep]),
        "start": spans.first[keep],
        "past": _scatter_values(past[rows.rows[inside]], place, int(lengths.sum())),
        "future": _scatter_values(
            future[rows.rows[in_future]], future_place, int((lengths + ahead).sum())
        ),
        "future_offsets": offsets_from_lengths((lengths + ahead)[keep]),
        "static": _reduce_static_values(static[rows.rows], roles[2].names, rows, keys)[keep],
    }


def _count_steps_ahead(spans: _SeriesSpans, rows: Rows, future: Floats) -> Ints:
    """Steps [N] after the last value up to the last row with any known-future covariate."""
    if not future.shape[1]:
        return np.zeros_like(spans.last)
    known = np.where(np.isnan(future[rows.rows]).all(axis=1), -_FAR_ORDINAL, rows.stamps)
    return np.maximum(np.maximum.reduceat(known, rows.starts()) - spans.last, 0)


def _locate_rows(
    spans: _SeriesSpans, rows: Rows, lengths: Ints
) -> tuple[IndexOrSlice, IndexOrSlice]:
    """Rows within the first `lengths` [N] steps of their series, and where they lie when series stand end to end."""
    if len(rows.codes) == lengths.sum() and (spans.observed == lengths).all():
        return slice(None), slice(None)  # every step has its row: nothing to move
    step = rows.stamps - spans.first[rows.codes]
    inside = np.flatnonzero((step >= 0) & (step < lengths[rows.codes]))
    return inside, offsets_from_lengths(lengths)[rows.codes[inside]] + step[inside]


def _scatter_values(values: Floats, place: IndexOrSlice, total: int) -> Floats:
    """Values at their places in an array of `total` rows, NaN elsewhere."""
    if isinstance(place, slice):
        return values
    out = np.full((total, *values.shape[1:]), np.nan)
    out[place] = values
    return out


def _select_usable_series(
    spans: _SeriesSpans,
    rows: Rows,
    keys: SeriesKeys,
    axis: TimeAxis,
    config: DataConfig,
    least: int,
    notes: list[str],
) -> Bools:
    """Which series have enough values; says which have not. DataError where none has."""
    short = spans.observed < least
    sparse = ~short & (spans.observed * 2 < spans.steps) & (config.fill == "none")
    keep = np.asarray(~short & ~sparse)
    if not keep.any():
        if sparse.any():
            raise _sparse_series_error(spans, rows, keys, axis, config.freq, int(sparse.argmax()))
        have = int(spans.observed.max())
        raise _too_few_values_error(have, least)
    for bad, why in (
        (short, f"fewer than {least} values"),
        (sparse, "more than half of their steps missing"),
    ):
        if bad.any():
            names = [keys.label(code) for code in np.flatnonzero(bad)[:4].tolist()]
            notes.append(
                f"skipped {int(bad.sum())} of {len(keep)} series with {why}: {format_names(names, int(bad.sum()))}"
            )
    return keep


def _too_few_values_error(have: int, least: int) -> DataError:
    """The error for a target with fewer values than any forecast needs."""
    return DataError(
        f"too few values in the target: need {least}, have {have}, so no context fits",
        "give more rows",
    )


def _sparse_series_error(
    spans: _SeriesSpans, rows: Rows, keys: SeriesKeys, axis: TimeAxis, freq: str | None, code: int
) -> DataError:
    instants = axis.grid.instants(rows.stamps)
    mixed = mixed_frequency_error(
        instants, rows.codes, keys.labels(), integer=axis.kind == "integer"
    )
    if mixed is not None and freq is None:
        return mixed
    steps = int(spans.steps[code])
    missing = steps - int(spans.observed[code])
    seen = (rows.codes == code) & ~np.isnan(rows.values[:, 0])
    hint = "leave out --freq, or " if freq else "give the frequency of the data with --freq, or "
    return DataError(
        f"more than half of {keys.label(code)} is missing: {missing} of {steps} steps ({axis.grid.words})",
        f"{hint}--fill zero where no row means none; or make wider steps: --resample {_suggest_wider_step(axis, instants[seen])}",
    )


def _suggest_wider_step(axis: TimeAxis, stamps: Ints) -> str:
    """A rule for `--resample` of steps most of which have one of the stamps of a series."""
    if axis.grid.unit == "integer":
        return f"{10 * axis.grid.step}:mean"
    for rule, size in (("h", HOUR), ("D", DAY), ("W", WEEK), ("MS", 31 * DAY)):
        steps = stamps // size
        if 2 * len(np.unique(steps)) > steps[-1] - steps[0] + 1:
            return f"{rule}:mean"
    return "YS:mean"


def _note_future_dates(axis: TimeAxis, last: int, notes: list[str]) -> None:
    """Values of a day after tomorrow are a wrong date rather than a time zone."""
    stamp = int(axis.grid.instants(np.array([last]))[0])
    if axis.kind == "datetime" and stamp > time.time() * SECOND + DAY:
        notes.append(f"the last value is dated in the future: {axis.texts(np.array([last]))[0]}")


def _note_missing_values(
    axis: TimeAxis, rows: Rows, total: int, policy: Fill, notes: list[str]
) -> None:
    empty, gaps = int(np.isnan(rows.values).sum()), total - len(rows.stamps)
    made = "left missing" if policy == "none" else f"filled: {policy}"
    if empty:
        notes.append(f"missing target values: {empty}, {made}")
    if gaps:
        holes = np.where(rows.same(), rows.stamps[1:] - rows.stamps[:-1] - 1, 0)
        widest = int(holes.argmax())
        begin, end = axis.texts(rows.stamps[widest : widest + 2])
        count = int((holes > 0).sum())
        several, longest = (
            f"{count:,} gaps, {made}; the longest is {int(holes[widest]):,}",
            f"one gap, {made}",
        )
        notes.append(
            f"missing rows: {gaps:,} in {several if count > 1 else longest}, between {begin} and {end}"
        )


def _reduce_static_values(
    values: Floats, names: Sequence[str], rows: Rows, keys: SeriesKeys
) -> Floats:
    """The one value [N, Cs] of each series; DataError where it changes within a series."""
    starts = rows.starts()
    if not values.shape[1]:
        return np.empty((len(starts), 0))
    low = np.minimum.reduceat(np.where(np.isnan(values), np.inf, values), starts)
    high = np.maximum.reduceat(np.where(np.isnan(values), -np.inf, values), starts)
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
