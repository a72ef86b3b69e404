"""From a table to the flat, regular arrays of a panel: keys, time axis, values, covariates.

Nothing is filled silently: missing values and missing rows become NaN, and a note says how many.
Each step returns its notes beside its result; `assemble_panel` puts them in order.

Axes: n rows of the table, K targets, N series, T steps of a series, Cp past, Cf known-future, Cs
static covariates; arrays of series lie end to end.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from lstmcast.config import Columns, DataConfig, Fill
from lstmcast.ingest.duplicates import resolve_duplicates, resolve_shared_steps
from lstmcast.ingest.encoding import (
    EncodedRoles,
    encode_covariates,
    require_number_column,
)
from lstmcast.ingest.keys import SeriesKeys, factorize_keys
from lstmcast.ingest.regular import place_on_axis
from lstmcast.ingest.resample import resample_rows
from lstmcast.ingest.rows import Rows, melt_targets, sort_rows
from lstmcast.ingest.series import flatten_series, too_few_values_error
from lstmcast.ingest.time_column import read_time_column
from lstmcast.ingest.timestamps import TimeColumn
from lstmcast.ragged import Floats, Ints
from lstmcast.tables.table import Table
from lstmcast.timeaxis.axis import TimeAxis

MIN_OBSERVED_VALUES = 3
"""Fewer observed values than this are no series to learn from."""


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
    fill: Fill


class _PlacedRows(NamedTuple):
    """Rows on the time axis, one per series and step, with their covariates and notes."""

    axis: TimeAxis
    rows: Rows
    roles: EncodedRoles
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
    covariates = columns.past + columns.future + columns.static
    table.require(columns.target + columns.series + covariates)
    codes, keys = factorize_keys(table, columns.series)
    trained = axis is not None
    values = _read_targets(table, columns.target, trained=trained)
    roles = _encode_roles(table, columns, encodings, values)
    time_column = read_time_column(table, columns, config, codes, axis)
    min_values = 1 if trained else MIN_OBSERVED_VALUES

    rows, sort_notes = sort_rows(time_column, codes, values)
    placed = _place_rows(
        rows, time_column, table, keys, config, axis, roles, min_values
    )
    roles = placed.roles
    rows, keys = melt_targets(placed.rows, keys, columns.target)
    series = flatten_series(rows, roles, keys, placed.axis, config, min_values)

    all_encodings: dict[str, list[str]] = {}
    encoding_notes: list[str] = []
    for role in roles:
        all_encodings |= role.encodings
        encoding_notes += role.notes

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
        encodings=all_encodings,
        past_names=roles.past.names,
        future_names=roles.future.names,
        static_names=roles.static.names,
        key_types=keys.types,
        notes=(
            *table.notes,
            *time_column.notes,
            *note_unit_signs(table, columns.target),
            *sort_notes,
            *placed.notes,
            *series.notes,
            *encoding_notes,
        ),
        # No row means none, where that was asked for: a zero is a value like any other.
        fill="none" if config.fill == "zero" else config.fill,
    )


def _read_targets(table: Table, names: Sequence[str], *, trained: bool) -> Floats:
    """The values [n, K] of the targets."""
    targets = [require_number_column(table, name, trained=trained) for name in names]
    if len(targets) == 1:
        return targets[0][:, None]  # a view: one target is not copied
    return np.stack(targets, axis=1)


def _encode_roles(
    table: Table,
    columns: Columns,
    encodings: Mapping[str, list[str]] | None,
    values: Floats,
) -> EncodedRoles:
    # A past covariate is due where there is a target; rows of a known future need none.
    no_target = np.isnan(values).all(axis=1)
    has_target = np.asarray(~no_target)
    return EncodedRoles(
        past=encode_covariates(table, columns.past, encodings, has_target),
        future=encode_covariates(table, columns.future, encodings),
        static=encode_covariates(table, columns.static, encodings),
    )


def note_unit_signs(table: Table, targets: Sequence[str]) -> list[str]:
    """Note the signs, like a currency's, that were removed from the cells of the targets."""
    notes = []
    for name in targets:
        sign = table.unit_sign(name)
        if sign:
            notes.append(f"column {name!r}: {sign} removed")
    return notes


def _place_rows(
    rows: Rows,
    time_column: TimeColumn,
    table: Table,
    keys: SeriesKeys,
    config: DataConfig,
    axis: TimeAxis | None,
    roles: EncodedRoles,
    min_values: int,
) -> _PlacedRows:
    """Settle duplicate rows and lay the rest on the axis, resampled where that is requested."""
    notes: tuple[str, ...] = ()
    # Resampling aggregates rows of one stamp anyway; it refuses none of them.
    policy = config.duplicates
    if config.resample is None or policy != "error":
        rows, notes = resolve_duplicates(rows, policy, time_column, table, keys)

    # Too few values are reported before the frequency, which a single row does not show.
    _require_min_values(rows, min_values)
    if config.resample is None:
        placed = place_on_axis(rows, time_column, table, keys, config, axis)
        rows, shared_notes = resolve_shared_steps(
            placed.rows, policy, placed.axis, time_column, table, keys
        )
        notes = (*notes, *placed.notes, *shared_notes)
        return _PlacedRows(placed.axis, rows, roles, notes)

    aggregates = [
        (roles.past.values, "mean"),
        (roles.future.values, "mean"),
        (roles.static.values, "first"),
    ]
    resampled = resample_rows(rows, time_column, config, axis, aggregates)
    past, future, static = resampled.covariates
    resampled_roles = EncodedRoles(
        past=replace(roles.past, values=past),
        future=replace(roles.future, values=future),
        static=replace(roles.static, values=static),
    )

    notes += resampled.notes
    return _PlacedRows(resampled.axis, resampled.rows, resampled_roles, notes)


def _require_min_values(rows: Rows, min_values: int) -> None:
    """Raise DataError where no series has as many observed values as a forecast needs."""
    observed = ~np.isnan(rows.values)
    starts = rows.starts()
    if observed.all():
        counts = np.diff(starts, append=len(observed))
    else:
        counts = np.add.reduceat(observed, starts, axis=0, dtype=np.int64)

    most = int(counts.max())
    if most < min_values:
        raise too_few_values_error(most, min_values)
