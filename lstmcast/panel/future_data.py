"""Known-future covariates from a table of their own: a plan of prices, holidays or weather laid on a panel.

Axes: N series, n rows of the plan, Cf known-future covariates.
"""

from dataclasses import replace

import numpy as np

from lstmcast.config import DataConfig
from lstmcast.errors import UsageError
from lstmcast.ingest.duplicates import resolve_duplicates
from lstmcast.ingest.encoding import encode_covariates
from lstmcast.ingest.keys import factorize_keys
from lstmcast.ingest.regular import place_on_axis
from lstmcast.ingest.resample import resample_rows
from lstmcast.ingest.rows import sort_rows
from lstmcast.ingest.time_column import read_time_column
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Ints, concat_ranges, offsets_from_lengths
from lstmcast.tables.table import Table


def with_future_data(panel: Panel, table: Table, config: DataConfig = DataConfig()) -> Panel:  # noqa: B008 - frozen
    """Return the panel with the known future that `table` holds; rows at or before the end of a series are left aside.

    The table has the panel's time, series and known-future columns; it needs no target. Raises
    UsageError where the panel has no covariates known ahead, DataError where the table cannot be
    read as the panel was.
    """
    columns = panel.columns
    if not columns.future:
        raise UsageError(
            "no covariates are known ahead, so there is no use for a plan of them",
            "fit with --future COL",
        )
    table.require((*columns.series, *columns.future))
    codes, keys = factorize_keys(table, columns.series)
    encoded = encode_covariates(table, columns.future, panel.encodings)
    reading = read_time_column(table, columns, config, codes, panel.axis)
    notes: list[str] = []
    rows = sort_rows(reading, codes, encoded.values, notes)
    if config.resample is None:
        rows = resolve_duplicates(rows, config.duplicates, reading, table, keys, notes)
        _, rows = place_on_axis(rows, reading, table, keys, config, panel.axis)
    else:
        _, rows, [values] = resample_rows(
            rows, reading, config, panel.axis, [(encoded.values, "mean")], notes
        )
        rows = replace(rows, values=values)

    # Each series takes the rows of its key; several targets of one key share them.
    place = {key: code for code, key in enumerate(keys.keys)}
    code = np.array(
        [place.get(key[: len(columns.series)], -1) for key in panel.keys], dtype=np.int64
    )
    begin, stop = (np.searchsorted(rows.codes, code, side) for side in ("left", "right"))
    taken, owner = (
        concat_ranges(begin, stop - begin),
        np.repeat(np.arange(len(panel)), stop - begin),
    )
    step = rows.stamps[taken] - panel.start[owner]
    ahead = step >= panel.lengths[owner]
    taken, owner, step = taken[ahead], owner[ahead], step[ahead]
    notes.append(
        _note_future_reach(panel, len(rows.stamps), np.unique(taken), panel.start[owner] + step)
    )

    before = np.diff(panel.future_offsets)
    total = before.copy()
    np.maximum.at(total, owner, step + 1)
    offsets = offsets_from_lengths(total)
    future = np.full((int(offsets[-1]), panel.future.shape[1]), np.nan)
    future[concat_ranges(offsets[:-1], before)] = panel.future
    future[offsets[owner] + step] = rows.values[taken]
    return replace(
        panel, future=future, future_offsets=offsets, notes=(*panel.notes, *notes, *encoded.notes)
    )


def _note_future_reach(panel: Panel, count: int, taken: Ints, stamps: Ints) -> str:
    """How many of the plan's rows lie ahead of the data, and when."""
    if not len(taken):
        last = panel.axis.texts(np.array([(panel.start + panel.lengths).max() - 1]))[0]
        return f"none of its {count:,} rows is of a known series and after its end; the data end at {last}"
    first, last = panel.axis.texts(np.array([stamps.min(), stamps.max()]))
    return f"{len(taken):,} of its {count:,} rows are ahead of the data, from {first} to {last}"
