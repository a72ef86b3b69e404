"""Results in the caller's own kind of frame, with stamps of the caller's own type."""

import warnings
from collections.abc import Mapping
from types import ModuleType
from typing import Any, NamedTuple

import narwhals as nw
import pandas as pd
import pyarrow as pa

PANDAS = "pandas"
_CUTOFF = "cutoff"
"""The column of a result that has stamps beside the time column."""


class FrameKind(NamedTuple):
    """What results are returned as: frames of which library, and with stamps of which type."""

    library: str | ModuleType = PANDAS
    """"pandas", or the module of another library's frames."""
    time: str = ""
    """The time column, where it holds periods of pandas."""
    period: str = ""
    """Their frequency, such as "M"; "" where stamps are points in time."""


def make_frame(rows: Mapping[str, Mapping[str, Any]], index_name: str) -> pd.DataFrame:
    """Return a frame of pandas with a row for each name and a column for each figure."""
    frame = pd.DataFrame.from_dict(dict(rows), orient="index")
    frame.index.name = index_name
    return frame


def to_native(frame: pd.DataFrame, kind: FrameKind) -> Any:
    """Return a frame of pandas as one of another library, such as polars or pyarrow.

    Missing numbers are null where the library has nulls.
    """
    frame = with_periods(frame, kind)
    if isinstance(kind.library, str):
        return frame
    table = pa.Table.from_pandas(frame, preserve_index=False)
    table = table.replace_schema_metadata(None)
    if kind.library is pa:
        return table
    return nw.from_arrow(table, backend=kind.library).to_native()


def with_periods(frame: pd.DataFrame, kind: FrameKind) -> pd.DataFrame:
    """Return a frame whose stamps are periods, where the caller has periods.

    Stamps that are no first moment of a period, as of steps finer than it, stay as they are.
    """
    if not kind.period:
        return frame
    columns = {}
    with warnings.catch_warnings():
        # pandas means to give up periods of working days.
        warnings.simplefilter("ignore", FutureWarning)
        for name in (kind.time, _CUTOFF):
            if name not in frame or frame[name].dtype.kind != "M":
                continue
            periods = frame[name].dt.to_period(kind.period)
            if (periods.dt.to_timestamp() == frame[name]).all():
                columns[name] = periods
    return frame.assign(**columns)


def from_periods(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with the first moment of each period in place of the periods."""
    columns = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        for name, dtype in frame.dtypes.items():
            if isinstance(dtype, pd.PeriodDtype):
                columns[str(name)] = frame[name].dt.to_timestamp()
    return frame.assign(**columns)
