"""Columns that hold dates, times or periods as such, of whatever type, as instants.

Axes: n rows of the table.
"""

import datetime
import warnings

import numpy as np
import pandas as pd
import pyarrow as pa

from lstmcast.errors import DataError, format_more
from lstmcast.ragged import Bools, Ints
from lstmcast.tables.table import Table
from lstmcast.timeaxis.calendar_fields import (
    YEAR_RANGE_WORDS,
    are_outside_years,
    format_count,
)
from lstmcast.timeaxis.timestamp_format import TimestampFormat
from lstmcast.timeaxis.zones import to_microseconds


def is_datetime_column(series: pd.Series) -> bool:
    """Whether a column holds dates or times as such, not as text or numbers."""
    if isinstance(series.dtype, pd.PeriodDtype):
        return True
    if pd.api.types.is_datetime64_any_dtype(series.dtype):
        return True
    if series.dtype != object:
        return False
    first = series.dropna().iloc[:1].tolist()
    return bool(first) and isinstance(first[0], datetime.date)


def _outside_years_error(
    table: Table, name: str, outside: Bools, counts: Ints, unit: str
) -> DataError:
    """The error for the rows `outside` [n] of instants [n] counted in a unit since 1970."""
    row = int(outside.argmax())
    text = format_count(int(counts[row]), unit)
    more = format_more(int(outside.sum()))
    return DataError(
        f"{table.locate(row)}: column {name!r}: {text} is outside {YEAR_RANGE_WORDS}{more}",
        "correct it, or leave the row out",
    )


def read_datetimes(
    table: Table, series: pd.Series, name: str
) -> tuple[TimestampFormat, Ints]:
    """Form and instants of a column of periods, dates or datetimes, with a zone or without."""
    if isinstance(series.dtype, pd.PeriodDtype):
        with warnings.catch_warnings():
            # pandas means to give up periods of working days.
            warnings.simplefilter("ignore", FutureWarning)
            series = series.dt.to_timestamp()
    is_object = series.dtype == object
    if is_object and not isinstance(series.iloc[0], datetime.datetime):
        # Objects that are dates without a time of day.
        days = pa.array(series, type=pa.date32())
        stamps = days.cast(pa.timestamp("us")).to_numpy(zero_copy_only=False)
        instants = np.asarray(stamps).astype(np.int64)
        return TimestampFormat("date"), instants

    index = pd.DatetimeIndex(series)
    zoned = str(index.tz) not in ("None", "UTC")
    outside = are_outside_years(index.asi8, index.unit, zoned=zoned)
    if outside.any():
        raise _outside_years_error(table, name, outside, index.asi8, index.unit)
    if index.tz is None:
        form = TimestampFormat("datetime", index.unit)
        return form, to_microseconds(index)
    universal = index.tz_convert("UTC").tz_localize(None)
    instants = to_microseconds(universal)
    zone = str(index.tz)
    form = TimestampFormat("datetime", index.unit, zone, wall=zone == "UTC")
    return form, instants


def with_index_as_column(frame: pd.DataFrame, time: tuple[str, ...]) -> pd.DataFrame:
    """The frame with a time index turned into a column, where that is the time.

    An index without a name takes that of the time column, which is "time" where it has none.
    """
    index = frame.index
    is_time_index = isinstance(index, pd.DatetimeIndex | pd.PeriodIndex)
    usual = time[0] if len(time) == 1 else "time"
    name = usual if index.name is None else str(index.name)
    other_time = time and time != (name,)
    if not is_time_index or other_time:
        return frame
    return frame if name in frame else frame.reset_index(names=name)
