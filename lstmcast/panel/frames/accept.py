"""Data of any kind that a Python user has at hand, as a table and the roles that it shows.

Frames of pandas, polars and Arrow, a Series or an array of one series. Knows no panel.
"""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa

from lstmcast.config import Columns
from lstmcast.errors import ArgumentError, DataError, UsageError, format_names
from lstmcast.ingest.typed_stamps import with_index_as_column
from lstmcast.panel.frames.known_names import find_known_target
from lstmcast.panel.frames.native import PANDAS, FrameKind
from lstmcast.tables.columnar import decode_periods, find_period_columns
from lstmcast.tables.table import Table

DEFAULT_TARGET = "y"
"""Name of the target of data that have no names."""
_ACCEPTED = (
    "a frame of pandas, polars or Arrow, a Series, an array of one series, or a Panel"
)


class AcceptedData(NamedTuple):
    """Data as a table."""

    table: Table
    library: str | ModuleType
    """Whose frames the data are: "pandas", or the module of another library."""
    target: str | None
    """The target that the data show; None where it must be named."""
    periods: Mapping[str, str]
    """Columns that hold periods of pandas, and their frequencies, such as "M"."""

    def find_kind(self, time: str) -> FrameKind:
        """Return what results for data with this time column are returned as."""
        period = self.periods.get(time, "")
        return FrameKind(self.library, time if period else "", period)


def accept_data(
    data: Any, time: tuple[str, ...] = (), target: tuple[str, ...] = ()
) -> AcceptedData:
    """Take data of any kind as a table; they are left unchanged.

    An index of times, or of ids and times, counts as columns. A Series or an array with one axis is
    one series, whose target is its name or `y`.

    time, target: the columns that are named as such. Raises ArgumentError for what is none of
    these, DataError where a column is there twice.
    """
    if isinstance(data, pd.DataFrame):
        return _accept_pandas(data, time)
    if isinstance(data, pd.Series):
        return _accept_series(data, time, *target[:1])
    if isinstance(data, Mapping):
        return _accept_pandas(pd.DataFrame(data), time)
    if isinstance(data, str | Path):
        raise ArgumentError(
            f"{str(data)!r} is a path, not data",
            "read it first, as with pandas.read_csv or pandas.read_parquet",
        )
    if isinstance(data, list | tuple | np.ndarray):
        return _accept_array(data)
    return _accept_other(data)


def _accept_pandas(
    frame: pd.DataFrame, time: tuple[str, ...], target: str | None = None
) -> AcceptedData:
    """A frame of pandas, whose index may hold the ids and the times."""
    if isinstance(frame.index, pd.MultiIndex):
        if len(frame.columns) == 1:
            target = target or str(frame.columns[0])
        frame = _with_index_levels_as_columns(frame)
    columns = with_index_as_column(frame, time).rename(columns=str)
    _require_distinct([str(name) for name in columns.columns])
    if target is None and len(frame.columns) == 1:
        target = str(frame.columns[0])
    target = target or find_known_target([str(name) for name in columns.columns])
    periods = {
        # The offset itself is spelt in another way: "ME" for months.
        str(name): dtype.name.removeprefix("period[").removesuffix("]")
        for name, dtype in columns.dtypes.items()
        if isinstance(dtype, pd.PeriodDtype)
    }
    return AcceptedData(Table(columns, "frame"), PANDAS, target, periods)


def _with_index_levels_as_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with ids and times of its index as columns, as in `(item_id, timestamp)`."""
    names = list(frame.index.names)
    for place, name in enumerate(names):
        if name is None:
            is_last = place == len(names) - 1
            names[place] = "ds" if is_last else "unique_id"
    if len(set(names)) < len(names):
        raise DataError(
            "the index has several levels without a name",
            "name them: frame.index.names = ['unique_id', 'ds']",
        )
    return frame.reset_index(names=names)


def _accept_series(
    series: pd.Series, time: tuple[str, ...], target: str | None = None
) -> AcceptedData:
    """One series, whose index holds its times; or several, by an index of ids and times."""
    name = target
    if name is None:
        name = DEFAULT_TARGET if series.name is None else str(series.name)
    frame = series.to_frame(name)
    return _accept_pandas(frame, time, name)


def _accept_array(data: Any) -> AcceptedData:
    """One series of numbers without times."""
    values = np.asarray(data)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1 or values.dtype.kind not in "iufb":
        raise ArgumentError(
            f"an array of {values.ndim} axes and type {values.dtype} is not one series",
            "give an array of numbers with one axis, or a frame with the columns"
            " unique_id, ds, y",
        )
    frame = pd.DataFrame({DEFAULT_TARGET: values})
    return AcceptedData(Table(frame, "array"), PANDAS, DEFAULT_TARGET, {})


def _accept_other(data: Any) -> AcceptedData:
    """A frame or series of another library."""
    try:
        frame = nw.from_native(data, allow_series=True)
    except TypeError:
        arrow, library = _to_arrow(data), pa
    else:
        if isinstance(frame, nw.LazyFrame):
            frame = frame.collect()
        if isinstance(frame, nw.Series):
            frame = frame.alias(frame.name or DEFAULT_TARGET).to_frame()
        library = frame.implementation.to_native_namespace()
        arrow = frame.to_arrow()
    return accept_arrow(arrow, library)


def accept_arrow(data: Any, library: ModuleType = pa) -> AcceptedData:
    """Take a pyarrow Table, or another source of Arrow's C stream, as a table."""
    arrow = _to_arrow(data)
    _require_distinct(arrow.column_names)
    periods = find_period_columns(arrow.schema)
    arrow = decode_periods(arrow, "table")
    names = arrow.column_names
    target = names[0] if len(names) == 1 else find_known_target(names)
    return AcceptedData(Table(arrow, "table"), library, target, periods)


def _to_arrow(data: Any) -> pa.Table:
    if isinstance(data, pa.Table):
        return data
    if not hasattr(data, "__arrow_c_stream__"):
        raise ArgumentError(
            f"data of type {type(data).__name__!r} cannot be used", f"give {_ACCEPTED}"
        )
    return pa.table(data)


def _require_distinct(names: list[str]) -> None:
    """Raise DataError where two columns have one name."""
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise DataError(
            f"table: column {repeated[0]!r} is there more than once",
            "rename one of them",
        )


def require_target(
    roles: Mapping[str, tuple[str, ...]], accepted: AcceptedData
) -> Columns:
    """Return the roles, with the target that the data show where none is named.

    Raises UsageError where there is no target.
    """
    target = roles["target"]
    if not target and accepted.target is not None:
        target = (accepted.target,)
    if not target:
        names = [repr(name) for name in accepted.table.names]
        raise UsageError(
            "no target column given, and no column is called 'y'",
            f"name the one to forecast with --target COL; there is {format_names(names, most=8)}",
        )
    return Columns(**{**roles, "target": target})
