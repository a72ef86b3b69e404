"""Which column of a table is the time: named, or the only one that reads as time; and its stamps.

Knows tables and stamps, but no series values and no frequencies.
"""

import re
import shlex
from dataclasses import replace
from itertools import takewhile

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lstmcast.config import Columns, DataConfig
from lstmcast.errors import DataError
from lstmcast.ingest.timestamps import (
    TimeColumn,
    find_candidate_layouts,
    is_datetime_column,
    read_split_timestamps,
    read_timestamps,
    with_time_zone,
)
from lstmcast.ragged import Ints
from lstmcast.tables.table import Table, to_text_array
from lstmcast.timeaxis.axis import TimeAxis
from lstmcast.timeaxis.formats import YEAR_NUMBER_FORMAT, parse_timestamps
from lstmcast.timeaxis.numeric import infer_number_format
from lstmcast.timeaxis.timestamp_format import TimestampFormat

NO_TIME_COLUMN = "none"
"""`--time none`: there is no time column and rows stand in order."""
_TIME_LIKE_NAME = re.compile(
    r"t|ds|dt|date.?|time.?|date.?time|time.?stamp|step|steps|year|yr|month|yearmonth|quarter|week|day|hour|period|index|idx|tick",
    re.IGNORECASE,
)
_TIME_NAME = re.compile(r"t|ds|dt|date|time|date.?time|time.?stamp|steps?|year", re.IGNORECASE)
"""Names that mean the time and nothing else: such a column is never passed over in silence."""
_SPLIT_COLUMN_NAMES = (
    ("year", "month", "day", "hour", "minute", "second"),
    ("year", "quarter"),
    ("year", "week"),
)


def read_time_column(
    table: Table, columns: Columns, config: DataConfig, codes: Ints, like: TimeAxis | None
) -> TimeColumn:
    """Read the time column that `columns` names, or the only one that parses as time.

    codes [rows]: the series of each row. Raises DataError where there is no such column, there are
    several, a cell is empty or does not parse, or day and month cannot be told apart.
    """
    names = columns.time
    notes: tuple[str, ...] = ()
    if not names:
        names, notes = find_time_columns(table, columns, codes, config.date_format)
    if names == (NO_TIME_COLUMN,):
        return TimeColumn(names, "step", TimestampFormat("step"), None, notes)
    table.require(names)
    one = len(names) == 1
    reading = (
        read_timestamps(table, names[0], config, like)
        if one
        else read_split_timestamps(table, names, config, like)
    )
    if config.tz:
        reading = with_time_zone(reading, codes, config.tz, table)
    return replace(reading, columns=names, notes=notes + reading.notes)


def find_time_columns(
    table: Table, columns: Columns, codes: Ints, date_format: str | None = None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The time column(s) and a note: the only column of dates, else year, month..., else the only column of steps.

    Where `date_format` says how times are written, a column that is named as the time needs not
    read as such.
    """
    taken = {*columns.target, *columns.series, *columns.past, *columns.future, *columns.static}
    free = [name for name in table.names if name not in taken]
    kinds = {name: _infer_time_kind(table, name, codes) for name in free}
    split = _find_split_columns(free)
    for kind in ("date", "split", "step"):
        if kind == "split" and len(split) > 1:
            return split, (f"time is split over {', '.join(split)}",)
        found = [name for name in free if kinds[name] == kind]
        if len(found) > 1:
            shown = ", ".join(repr(name) for name in found)
            hint = f"name one, as in --time {shlex.quote(found[0])}"
            raise DataError(f"{table.name}: several columns could be the time: {shown}", hint)
        if found:
            return (found[0],), (f"time is {found[0]!r}",)
    for name in free:
        if _TIME_NAME.fullmatch(name):
            if date_format:
                return (name,), (f"time is {name!r}",)
            raise _unreadable_time_error(table, name)
    return (NO_TIME_COLUMN,), ("no time column: rows are taken in order",)


def _unreadable_time_error(table: Table, name: str) -> DataError:
    first = table.series(name).dropna().iloc[:1].tolist()
    shown = f": {str(first[0])!r}" if first else ""
    return DataError(
        f"{table.name}: column {name!r} does not read as time{shown}",
        "say how it is written with --date-format '%d.%m.%Y', or take rows in order with --time none",
    )


def _find_split_columns(free: list[str]) -> tuple[str, ...]:
    """Columns year, month, day... as far as they go without a break; else year and quarter, year and week."""
    folded = {name.casefold(): name for name in reversed(free)}
    for parts in _SPLIT_COLUMN_NAMES:
        found = [folded[part] for part in takewhile(folded.__contains__, parts)]
        if len(found) > 1:
            return tuple(found)
    return ()


def _infer_time_kind(table: Table, name: str, codes: Ints) -> str:
    """Whether a column reads as dates ("date"), could count steps ("step"), or neither ("")."""
    if table.stamps(name) is not None:
        return "date"
    stored = table.stored_numbers(name)
    if stored is not None:
        whole = table.whole(name)
        return _infer_number_kind(pd.Series(stored if whole is None else whole), name, codes)
    series = table.series(name)
    if is_datetime_column(series):
        return "date"
    if pd.api.types.is_numeric_dtype(series.dtype) or pd.api.types.is_bool_dtype(series.dtype):
        return _infer_number_kind(series, name, codes)
    head = series.dropna().iloc[:1000]
    if not len(head) or not isinstance(head.iloc[0], str):
        return ""
    texts = pc.utf8_trim_whitespace(to_text_array(head))
    if np.asarray(pc.match_substring_regex(texts, r"^-?\d+(\.\d+)?$")).all():
        promising = len(head) == 1 or _infer_number_kind(
            pd.to_numeric(head), name, codes[: len(head)]
        )
        return (
            _infer_number_kind(pd.to_numeric(series, errors="coerce"), name, codes)
            if promising
            else ""
        )
    layouts = find_candidate_layouts(pc.unique(texts))
    best = max((parse_timestamps(layout, texts).good.mean() for layout in layouts), default=0.0)
    if best < 0.5:
        return ""
    if layouts[0] == YEAR_NUMBER_FORMAT:
        return "step" if _is_unique_per_series(to_text_array(series), codes) else ""
    return "date"


def _infer_number_kind(series: pd.Series, name: str, codes: Ints) -> str:
    if pd.api.types.is_bool_dtype(series.dtype) or series.isna().any() or not len(series):
        return ""
    values = series.to_numpy(dtype=np.float64)
    if abs(values).max() > 2**62:
        return ""
    layout = infer_number_format(values, name)
    if layout.startswith("%Y%m%d"):
        return "date"
    if not layout and (values != np.floor(values)).any():
        return ""
    counts = _TIME_LIKE_NAME.fullmatch(name) and _is_unique_per_series(pa.array(values), codes)
    return "step" if counts or _TIME_NAME.fullmatch(name) else ""


def _is_unique_per_series(values: pa.Array, codes: Ints) -> bool:
    """Whether no value comes twice in one series."""
    encoded = pc.dictionary_encode(values)
    if pc.any(pc.is_null(values)).as_py():
        return False
    pairs = codes * np.int64(len(encoded.dictionary)) + encoded.indices.to_numpy(
        zero_copy_only=False
    )
    return len(np.unique(pairs)) == len(pairs)
