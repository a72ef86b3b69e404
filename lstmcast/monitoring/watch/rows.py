"""Rows of a table by series and in order, on no grid: none is filled in, merged or left out.

Axes: n rows of the table, K targets, R = n K rows to judge, N series.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from lstmcast.config import Columns, DataConfig
from lstmcast.ingest.assemble import note_unit_signs
from lstmcast.ingest.encoding import require_number_column
from lstmcast.ingest.keys import factorize_keys
from lstmcast.ingest.rows import TARGET_KEY
from lstmcast.ingest.time_column import read_time_column
from lstmcast.panel.frames.known_names import complete_columns
from lstmcast.ragged import Floats, Ints
from lstmcast.tables.table import Table
from lstmcast.timeaxis.axis import TimeAxis
from lstmcast.timeaxis.frequency import Grid
from lstmcast.timeaxis.timestamp_format import TimestampFormat


@dataclass(frozen=True, eq=False)
class OrderedRows:
    """Rows to judge, in the order of the file; those of several targets stand side by side.

    columns: the roles that were found. key_names, key_types, keys: what names the N series. time,
    form: name of the time column in the output, and how its stamps are written. codes: series of
    each row [R]. stamps: times [R], microseconds or steps; None where there is no time column, and
    rows stand in order. values: [R], NaN where missing. notes: what was found in the data.
    """

    columns: Columns
    key_names: tuple[str, ...]
    key_types: tuple[str, ...]
    keys: tuple[tuple[str, ...], ...]
    time: str
    form: TimestampFormat
    codes: Ints
    stamps: Ints | None
    values: Floats
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.values)

    def order_by_time(self) -> Ints:
        """Places of the rows [R] in order of time; of one time, in that of the file."""
        if self.stamps is None:
            return np.arange(len(self))
        return np.argsort(self.stamps, kind="stable")

    def key_columns(self) -> dict[str, Any]:
        """The columns that name the series of each row, of the type that they had in the data."""
        columns: dict[str, Any] = {}
        for part, (name, kind) in enumerate(
            zip(self.key_names, self.key_types, strict=True)
        ):
            parts = pd.Index([key[part] for key in self.keys], dtype="str")
            columns[name] = parts.astype(kind).take(self.codes)
        return columns


def read_ordered_rows(
    table: Table,
    columns: Columns,
    config: DataConfig = DataConfig(),  # noqa: B008
    like: TimestampFormat | None = None,
) -> OrderedRows:
    """Take the rows of a table as they stand; several targets are series of their own.

    like: how the times of earlier rows were written, which further ones go on with.

    Raises DataError for missing columns, unreadable cells and times that are missing or ambiguous.
    """
    columns = complete_columns(columns, table.names)
    table.require(columns.target + columns.series)
    line_codes, keys = factorize_keys(table, columns.series)
    targets = [
        require_number_column(table, name, trained=False) for name in columns.target
    ]
    axis = _make_axis(like) if like else None
    time = read_time_column(table, columns, config, line_codes, axis)

    # The targets of a row stand side by side: [n, K], row by row.
    count = len(targets)
    codes = line_codes[:, None] * count + np.arange(count)
    stamps = None if time.instants is None else np.repeat(time.instants, count)

    names, types = keys.names, keys.types
    all_keys = [tuple(key) for key in keys.keys]
    if count > 1:
        names, types = (*names, TARGET_KEY), (*types, "str")
        all_keys = [(*key, name) for key in all_keys for name in columns.target]
    return OrderedRows(
        columns=replace(columns, time=time.columns),
        key_names=names,
        key_types=types,
        keys=tuple(all_keys),
        time=time.name,
        form=time.form,
        codes=codes.ravel(),
        stamps=stamps,
        values=np.stack(targets, axis=1).ravel(),
        notes=(*table.notes, *time.notes, *note_unit_signs(table, columns.target)),
    )


def _make_axis(form: TimestampFormat) -> TimeAxis:
    """An axis of the finest steps, on which all times of this form lie."""
    grid = Grid("integer") if form.kind == "step" else Grid("us")
    return TimeAxis("time", grid, form)
