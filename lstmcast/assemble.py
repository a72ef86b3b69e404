"""A table becomes the flat, regular arrays of a panel: keys, time axis, values, covariates.

Nothing is filled in silence: missing values and missing rows become NaN, and a note says how many.

Axes: n rows of the table, K targets, N series, T steps of a series; arrays of series lie end to end.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lstmcast.config import Columns, DataConfig
from lstmcast.covariates import Encoded, encode
from lstmcast.errors import DataError
from lstmcast.layouts import DAY, SECOND, Ints
from lstmcast.read import Table, to_number
from lstmcast.timeaxis import TimeAxis, infer_axis, mixed_frequencies
from lstmcast.timecolumn import Reading, read_time

Floats = NDArray[np.float64]

LEAST_STEPS = 3
"""Fewer observed values than this are no series to learn from."""
TARGET_KEY = "target"
"""Key column of a wide table: which of its value columns a series is."""
_FAR = np.int64(2**62)


@dataclass(frozen=True)
class _Rows:
    """Rows in the order of series and time: series code, ordinal and row of the table, one a series and stamp."""

    codes: Ints
    ordinals: Ints
    rows: Ints
    values: Floats  # [n, K]


def assemble(
    table: Table,
    columns: Columns,
    config: DataConfig,
    axis: TimeAxis | None = None,
    encodings: Mapping[str, list[str]] | None = None,
) -> dict[str, Any]:
    """The fields of a Panel. `axis` and `encodings` are those of an earlier panel to keep to.

    Raises DataError for missing columns, unreadable cells, duplicate or irregular stamps, and where no series is left.
    """
    table.require((*columns.target, *columns.series, *columns.past, *columns.future, *columns.static))
    codes, keys, types = series_keys(table, columns.series)
    values = np.stack([to_number(table, name) for name in columns.target], axis=1)
    roles = [encode(table, names, encodings) for names in (columns.past, columns.future, columns.static)]
    reading = read_time(table, columns, config, codes, axis)
    notes = [*table.notes, *reading.notes]
    axis, rows = _ordered(table, reading, codes, values, config, axis, keys, notes)
    key_names, keys, rows, types = _widened(columns, keys, types, rows)
    fields = _flat(table, rows, roles, keys, axis, least=1 if encodings is not None else LEAST_STEPS, notes=notes)
    for role in roles:
        notes.extend(role.notes)
    return {
        "columns": replace(columns, time=reading.columns),
        "axis": axis,
        "key_names": key_names,
        "key_types": types,
        "past_names": roles[0].names,
        "future_names": roles[1].names,
        "static_names": roles[2].names,
        "encodings": {name: kinds for role in roles for name, kinds in role.encodings.items()},
        "notes": tuple(notes),
        **fields,
    }


def series_keys(table: Table, names: Sequence[str]) -> tuple[Ints, list[tuple[str, ...]], tuple[str, ...]]:
    """Series code of each row, the keys in order of first appearance, and the type ("str", "int64") of each column."""
    if not names:
        return np.zeros(len(table.frame), dtype=np.int64), [()], ()
    parts, uniques, types = [], [], []
    for name in names:
        series = table.verbatim(name)
        _no_missing_key(table, series, name)
        codes, found = pd.factorize(series)
        parts.append(codes.astype(np.int64))
        uniques.append([str(value) for value in found])
        types.append("int64" if pd.api.types.is_integer_dtype(series.dtype) else "str")
    combined = parts[0]
    for codes, unique in zip(parts[1:], uniques[1:], strict=True):
        combined = pd.factorize(combined * np.int64(len(unique)) + codes)[0].astype(np.int64)
    _, first = np.unique(combined, return_index=True)
    columns = [[unique[code] for code in codes[first].tolist()] for codes, unique in zip(parts, uniques, strict=True)]
    return combined, list(zip(*columns, strict=True)), tuple(types)


def _no_missing_key(table: Table, series: pd.Series, name: str) -> None:
    missing = series.isna().to_numpy()
    if missing.any():
        row, count = int(missing.argmax()), int(missing.sum())
        more = f" (and {count - 1} more)" if count > 1 else ""
        raise DataError(f"{table.locate(row)}: column {name!r}: the series has no name{more}", "name every series")


def label(key: tuple[str, ...]) -> str:
    """A series' key as one text for messages."""
    return "/".join(key) if key else "the series"


def _ordered(
    table: Table,
    reading: Reading,
    codes: Ints,
    values: Floats,
    config: DataConfig,
    axis: TimeAxis | None,
    keys: Sequence[tuple[str, ...]],
    notes: list[str],
) -> tuple[TimeAxis, _Rows]:
    order = np.argsort(codes, kind="stable")
    codes = codes[order]
    if reading.instants is None:
        starts = np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]])
        instants = np.arange(len(codes)) - np.repeat(starts, np.diff(np.r_[starts, len(codes)])) + 1
    else:
        instants = reading.instants[order]
        same = codes[1:] == codes[:-1]
        back = same & (instants[1:] < instants[:-1])
        if back.any():
            newest = bool((instants[1:] < instants[:-1])[same].all())
            notes.append("rows stood newest first: sorted" if newest else "rows were not in order of time: sorted")
            again = np.lexsort((instants, codes))
            order, instants = order[again], instants[again]
    kept, values = _unique_stamps(table, reading, codes, instants, order, values[order], config, keys, notes)
    codes, instants, order = codes[kept], instants[kept], order[kept]
    labels = [label(key) for key in keys]
    place = lambda i: table.locate(int(order[i]))  # noqa: E731
    axis, ordinals = infer_axis(
        instants, codes, reading.form, reading.name, config, like=axis, place=place, series=labels
    )
    return axis, _Rows(codes, ordinals, order, values)


def _unique_stamps(
    table: Table,
    reading: Reading,
    codes: Ints,
    instants: Ints,
    rows: Ints,
    values: Floats,
    config: DataConfig,
    keys: Sequence[tuple[str, ...]],
    notes: list[str],
) -> tuple[Ints, Floats]:
    """Which rows to keep so that a series has one a stamp, and the values [kept, K] that go with them."""
    again = np.r_[False, (codes[1:] == codes[:-1]) & (instants[1:] == instants[:-1])]
    count = int(again.sum())
    if not count:
        return np.arange(len(codes)), values
    if config.duplicates == "error":
        shown = "; ".join(
            f"{reading.form.texts(instants[i : i + 1])[0]}{f' of {label(keys[codes[i]])}' if keys[0] else ''}"
            f" ({table.locate(int(rows[i - 1]))} and {table.locate(int(rows[i])).removeprefix(table.name).lstrip(':')})"
            for i in np.flatnonzero(again)[:2]
        )
        hint = "say what to do with --duplicates first, last, mean or sum, or name the series column with --series"
        raise DataError(f"{count} rows repeat a time stamp: {shown}", hint)
    notes.append(f"{count} rows repeated a time stamp: took the {config.duplicates}")
    starts = np.flatnonzero(~again)
    last = np.r_[starts[1:], len(codes)] - 1
    kept = last if config.duplicates == "last" else starts
    if config.duplicates in ("first", "last"):
        return kept, values[kept]
    seen = np.add.reduceat(~np.isnan(values), starts, axis=0)
    total = np.add.reduceat(np.nan_to_num(values), starts, axis=0)
    divisor = seen if config.duplicates == "mean" else np.ones_like(seen)
    return kept, np.where(seen > 0, total / np.maximum(divisor, 1), np.nan)


def _widened(
    columns: Columns, keys: Sequence[tuple[str, ...]], types: tuple[str, ...], rows: _Rows
) -> tuple[tuple[str, ...], list[tuple[str, ...]], _Rows, tuple[str, ...]]:
    """Several targets as series of their own: the value column's name becomes the last part of the key."""
    count = len(columns.target)
    if count == 1:
        return columns.series, list(keys), rows, types
    wide = [(*key, target) for key in keys for target in columns.target]
    codes = (rows.codes[:, None] * count + np.arange(count)).T.ravel()
    order = np.argsort(codes, kind="stable")
    base = order % len(rows.codes)
    long = _Rows(codes[order], rows.ordinals[base], rows.rows[base], rows.values.T.ravel()[order][:, None])
    return (*columns.series, TARGET_KEY), wide, long, (*types, "str")


def _flat(
    table: Table,
    rows: _Rows,
    roles: Sequence[Encoded],
    keys: Sequence[tuple[str, ...]],
    axis: TimeAxis,
    *,
    least: int,
    notes: list[str],
) -> dict[str, Any]:
    """Lay the rows of each series end to end on the axis, from its first to its last observed value."""
    codes, ordinals, values = rows.codes, rows.ordinals, rows.values[:, 0]
    starts = np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]])
    seen = ~np.isnan(values)
    observed = np.add.reduceat(seen.astype(np.int64), starts)
    first = np.minimum.reduceat(np.where(seen, ordinals, _FAR), starts)
    last = np.maximum.reduceat(np.where(seen, ordinals, -_FAR), starts)
    span = np.where(observed > 0, last - first + 1, 0)
    keep = _usable(table, rows, keys, axis, observed, span, least, notes)
    past, future, static = (role.values for role in roles)
    known = np.where(~np.isnan(future[rows.rows]).all(axis=1), ordinals, -_FAR) if future.shape[1] else None
    ahead = (
        np.maximum(np.maximum.reduceat(known, starts) - last, 0)[keep] if known is not None else np.zeros(keep.sum())
    )
    lengths = span[keep]
    offsets, future_offsets = _offsets(lengths), _offsets(lengths + ahead.astype(np.int64))
    step = ordinals - first[codes]
    new = (np.cumsum(keep) - 1)[codes]
    inside = keep[codes] & (step >= 0) & (step < span[codes])
    place = offsets[new[inside]] + step[inside]
    _say_future(axis, int(last[keep].max()), notes)
    _say_missing(axis, seen[inside], codes[inside], ordinals[inside], int(offsets[-1]), notes)
    in_future = keep[codes] & (step >= 0) & (step < np.diff(future_offsets)[np.maximum(new, 0)])
    future_place = future_offsets[new[in_future]] + step[in_future]
    return {
        "keys": tuple(key for key, kept in zip(keys, keep.tolist(), strict=True) if kept),
        "values": _spread(values[inside], place, int(offsets[-1])),
        "offsets": offsets,
        "start": first[keep],
        "past": _spread(past[rows.rows[inside]], place, int(offsets[-1])),
        "future": _spread(future[rows.rows[in_future]], future_place, int(future_offsets[-1])),
        "future_offsets": future_offsets,
        "static": _static(table, static[rows.rows], roles[2].names, starts, keys)[keep],
    }


def _offsets(lengths: Ints) -> Ints:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def _spread(values: Floats, place: Ints, total: int) -> Floats:
    """Values at their places in an array of `total` rows, NaN elsewhere."""
    out = np.full((total, *values.shape[1:]), np.nan)
    out[place] = values
    return out


def _usable(
    table: Table,
    rows: _Rows,
    keys: Sequence[tuple[str, ...]],
    axis: TimeAxis,
    observed: Ints,
    span: Ints,
    least: int,
    notes: list[str],
) -> NDArray[np.bool_]:
    """Which series have enough values; says which have not. DataError where none has."""
    short = observed < least
    sparse = ~short & (observed * 2 < span)
    keep = ~short & ~sparse
    if not keep.any():
        if sparse.any():
            raise _sparse(table, rows, keys, axis, observed, span, int(sparse.argmax()))
        have = int(observed.max())
        raise DataError(f"{table.name}: too few values: {have}, at least {least} are needed", "give more rows")
    for bad, why in ((short, f"fewer than {least} values"), (sparse, "more than half of their steps missing")):
        if bad.any():
            names = [label(keys[i]) for i in np.flatnonzero(bad)[:3]]
            notes.append(f"skipped {int(bad.sum())} of {len(keys)} series with {why}: {', '.join(names)}")
    return keep


def _sparse(
    table: Table,
    rows: _Rows,
    keys: Sequence[tuple[str, ...]],
    axis: TimeAxis,
    observed: Ints,
    span: Ints,
    series: int,
) -> DataError:
    labels = [label(key) for key in keys]
    mixed = mixed_frequencies(axis.grid.instants(rows.ordinals), rows.codes, labels, integer=axis.kind == "integer")
    if mixed is not None:
        return mixed
    missing = int(span[series] - observed[series])
    return DataError(
        f"{table.name}: more than half of {labels[series]} is missing: {missing} of {span[series]} steps"
        f" ({axis.grid.words})",
        "give the frequency of the data with --freq, or fill the gaps first",
    )


def _say_future(axis: TimeAxis, last: int, notes: list[str]) -> None:
    """Values of a day after tomorrow are a wrong date rather than a time zone."""
    stamp = int(axis.grid.instants(np.array([last]))[0])
    if axis.kind == "datetime" and stamp > time.time() * SECOND + DAY:
        notes.append(f"the last value is dated in the future: {axis.texts(np.array([last]))[0]}")


def _say_missing(
    axis: TimeAxis, seen: NDArray[np.bool_], codes: Ints, ordinals: Ints, total: int, notes: list[str]
) -> None:
    empty = int((~seen).sum())
    if empty:
        notes.append(f"{empty} missing target values: left missing")
    gaps = total - len(seen)
    if gaps:
        same = codes[1:] == codes[:-1]
        holes = np.where(same, ordinals[1:] - ordinals[:-1] - 1, 0)
        widest = int(holes.argmax())
        begin, end = axis.texts(ordinals[widest : widest + 2])
        notes.append(
            f"{gaps} missing rows in {int((holes > 0).sum())} gaps: left missing;"
            f" the longest is {int(holes[widest])}, between {begin} and {end}"
        )


def _static(
    table: Table, values: Floats, names: Sequence[str], starts: Ints, keys: Sequence[tuple[str, ...]]
) -> Floats:
    """The one value [N, Cs] of each series; DataError where it changes within a series."""
    if not values.shape[1]:
        return np.empty((len(starts), 0))
    low = np.minimum.reduceat(np.where(np.isnan(values), np.inf, values), starts)
    high = np.maximum.reduceat(np.where(np.isnan(values), -np.inf, values), starts)
    changed = (low != high) & np.isfinite(low)
    if changed.any():
        series, column = np.argwhere(changed)[0]
        name = names[int(column)].partition("=")[0]
        raise DataError(
            f"{table.name}: static column {name!r} changes within {label(keys[int(series)])}",
            "give it as --past or --future",
        )
    return np.where(np.isfinite(low), low, np.nan)
