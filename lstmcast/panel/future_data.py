"""Known-future covariates from a table of their own: prices, holidays or weather that are planned.

Axes: N series, n rows of the plan, Cf known-future covariates.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from lstmcast.config import DataConfig
from lstmcast.errors import UsageError
from lstmcast.ingest.duplicates import resolve_duplicates, resolve_shared_steps
from lstmcast.ingest.encoding import encode_covariates
from lstmcast.ingest.keys import SeriesKeys, factorize_keys
from lstmcast.ingest.regular import place_on_axis
from lstmcast.ingest.resample import resample_rows
from lstmcast.ingest.rows import Rows, sort_rows
from lstmcast.ingest.time_column import read_time_column
from lstmcast.panel.layout import extend_future, match_keys
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Ints, concat_ranges
from lstmcast.tables.table import Table


def with_future_data(
    panel: Panel,
    table: Table,
    config: DataConfig = DataConfig(),  # noqa: B008 - frozen
) -> Panel:
    """Return the panel with the known future that `table` holds.

    The table has the panel's time, series and known-future columns; it needs no target. Its rows at
    or before the end of a series are left out. Raises UsageError where the panel has no covariates
    known ahead, DataError where the table cannot be read as the panel was.
    """
    if not panel.columns.future:
        raise UsageError(
            "no covariates are known ahead, so there is no use for a plan of them",
            "fit with --future COL",
        )

    plan = _read_plan(panel, table, config)
    rows = plan.rows
    ahead = _match_rows_ahead(panel, plan)
    reach = _note_future_reach(panel, len(rows.stamps), ahead)

    # A series' future reaches to the last of its rows, or as far as it did before.
    lengths = panel.future_lengths
    np.maximum.at(lengths, ahead.series, ahead.step + 1)
    future, offsets = extend_future(panel, lengths)
    places = offsets[ahead.series] + ahead.step
    future[places] = rows.values[ahead.row]

    return replace(
        panel,
        future=future,
        future_offsets=offsets,
        notes=(*panel.notes, *plan.notes, reach, *plan.encoding_notes),
    )


class _Plan(NamedTuple):
    """Rows of the table on the panel's axis, whose values [n, Cf] are the covariates; notes."""

    rows: Rows
    keys: SeriesKeys
    notes: tuple[str, ...]
    encoding_notes: tuple[str, ...]


def _read_plan(panel: Panel, table: Table, config: DataConfig) -> _Plan:
    """Read the table as the panel was read."""
    columns = panel.columns
    axis = panel.axis
    table = replace(table, na=config.na)
    table.require(columns.series + columns.future)

    codes, keys = factorize_keys(table, columns.series)
    encoded = encode_covariates(table, columns.future, panel.encodings)
    time_column = read_time_column(table, columns, config, codes, axis)
    rows, notes = sort_rows(time_column, codes, encoded.values)

    if config.resample is None:
        policy = config.duplicates
        rows, more_notes = resolve_duplicates(rows, policy, time_column, table, keys)
        placed = place_on_axis(rows, time_column, table, keys, config, axis)
        rows, shared_notes = resolve_shared_steps(
            placed.rows, policy, placed.axis, time_column, table, keys
        )
        more_notes += placed.notes + shared_notes
    else:
        # Covariates are averaged over a period, whatever a target would be.
        covariates = [(encoded.values, "mean")]
        resampled = resample_rows(rows, time_column, config, axis, covariates)
        more_notes = resampled.notes
        rows = replace(resampled.rows, values=resampled.covariates[0])

    return _Plan(rows, keys, notes + more_notes, encoded.notes)


class _RowsAhead(NamedTuple):
    """Rows of a plan, each with a series of the panel and the step within it."""

    row: Ints
    series: Ints
    step: Ints


def _match_rows_ahead(panel: Panel, plan: _Plan) -> _RowsAhead:
    """Match the rows of a plan that come after the end of a series to the series of a panel.

    Each series takes the rows of its key; several targets of one key share them.
    """
    rows = plan.rows

    # What follows the key of the table is the name of one of several targets.
    parts = len(panel.columns.series)
    table_keys = [key[:parts] for key in panel.keys]
    codes = match_keys(table_keys, plan.keys.keys)

    # The rows of a plan are sorted by series: those of a code lie together, those of -1 are none.
    begin = np.searchsorted(rows.codes, codes, "left")
    end = np.searchsorted(rows.codes, codes, "right")
    counts = end - begin

    row = concat_ranges(begin, counts)
    every = np.arange(len(panel))
    series = np.repeat(every, counts)

    step = rows.stamps[row] - panel.start[series]
    ahead = step >= panel.lengths[series]
    return _RowsAhead(row[ahead], series[ahead], step[ahead])


def _note_future_reach(panel: Panel, count: int, ahead: _RowsAhead) -> str:
    """Say how many of the plan's `count` rows lie ahead of the data, and when."""
    if not len(ahead.row):
        ends = panel.start + panel.lengths
        last = panel.stamp_text(ends.max() - 1)
        return (
            f"known ahead: none of {count:,} rows is of a known series and after its end;"
            f" the data end at {last}"
        )

    ordinals = panel.start[ahead.series] + ahead.step
    edges = np.array([ordinals.min(), ordinals.max()])
    first, last = panel.axis.texts(edges)

    used = len(np.unique(ahead.row))
    return f"known ahead: {used:,} of {count:,} rows come after the data, from {first} to {last}"
