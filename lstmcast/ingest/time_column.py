"""The time column of a table: the one that is named, or the only one that reads as time.

Knows tables and stamps, but no series values and no frequencies.

Axes: n rows of the table.
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
from lstmcast.ingest.number_stamps import is_number_or_bool_column
from lstmcast.ingest.timestamps import (
    TimeColumn,
    find_candidate_layouts,
    read_split_timestamps,
    read_timestamps,
    with_time_zone,
)
from lstmcast.ingest.typed_stamps import is_datetime_column
from lstmcast.ragged import Ints
from lstmcast.tables.numbers import parse_numbers
from lstmcast.tables.table import Table, to_text_array
from lstmcast.timeaxis.axis import TimeAxis
from lstmcast.timeaxis.formats import YEAR_NUMBER_FORMAT, parse_timestamps
from lstmcast.timeaxis.numeric import infer_number_format
from lstmcast.timeaxis.timestamp_format import TimestampFormat

NO_TIME_COLUMN = "none"
"""`--time none`: there is no time column and rows stand in order."""
_TIME_LIKE_NAME = re.compile(
    r"t|ds|dt|date.?|time.?|date.?time|time.?stamp|step|steps|year|yr|month|yearmonth"
    r"|quarter|week|day|hour|period|index|idx|tick",
    re.IGNORECASE,
)
_TIME_NAME = re.compile(
    r"t|ds|dt|date|time|date.?time|time.?stamp|steps?|year", re.IGNORECASE
)
"""Names that mean the time and nothing else: such a column is never ignored silently."""
_SPLIT_COLUMN_NAMES = (
    ("year", "month", "day", "hour", "minute", "second"),
    ("year", "quarter"),
    ("year", "week"),
)


def read_time_column(
    table: Table,
    columns: Columns,
    config: DataConfig,
    codes: Ints,
    like: TimeAxis | None,
) -> TimeColumn:
    """Read the time column that `columns` names, or the only one that parses as time.

    codes [n]: the series of each row. Raises DataError where there is no such column, there are
    several, a cell is empty or does not parse, or day and month are ambiguous.
    """
    names = columns.time
    notes: tuple[str, ...] = ()
    if not names:
        names, notes = find_time_columns(table, columns, codes, config.date_format)
    if names == (NO_TIME_COLUMN,):
        return TimeColumn(names, "step", TimestampFormat("step"), None, notes)

    table.require(names)
    if len(names) == 1:
        time_column = read_timestamps(table, names[0], config, like)
    else:
        time_column = read_split_timestamps(table, names, config, like)

    if config.tz:
        time_column = with_time_zone(time_column, codes, config.tz, table)

    all_notes = notes + time_column.notes
    return replace(time_column, columns=names, notes=all_notes)


def find_time_columns(
    table: Table, columns: Columns, codes: Ints, date_format: str | None = None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the name(s) of the time column(s) among those without a role, and notes.

    That is the only column of dates; else year, month...; else the only column of steps. With a
    `date_format`, a column that is named as the time need not read as such. Raises DataError where
    several columns could be the time.
    """
    covariates = columns.past + columns.future + columns.static
    with_role = {*columns.target, *columns.series, *covariates}
    free = [name for name in table.names if name not in with_role]
    kinds = {name: _infer_time_kind(table, name, codes) for name in free}
    split = _find_split_columns(free)

    for kind in ("date", "split", "step"):
        if kind == "split" and len(split) > 1:
            shown = ", ".join(split)
            return split, (f"time is split over {shown}",)

        candidates = [name for name in free if kinds[name] == kind]
        if len(candidates) > 1:
            raise _several_times_error(table, candidates)
        if candidates:
            return _only_time_column(candidates[0])

    for name in free:
        if _TIME_NAME.fullmatch(name):
            if date_format:
                return _only_time_column(name)
            raise _unreadable_time_error(table, name)

    return (NO_TIME_COLUMN,), ("no time column: rows are taken in order",)


def _only_time_column(name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """One time column, and the note that says so."""
    note = f"time is {name!r}"
    return (name,), (note,)


def _several_times_error(table: Table, candidates: list[str]) -> DataError:
    shown = ", ".join(repr(name) for name in candidates)
    example = shlex.quote(candidates[0])
    return DataError(
        f"{table.name}: several columns could be the time: {shown}",
        f"name one, as in --time {example}",
    )


def _unreadable_time_error(table: Table, name: str) -> DataError:
    cells = table.series(name).dropna()
    first = cells.iloc[:1].tolist()
    shown = f": {str(first[0])!r}" if first else ""
    return DataError(
        f"{table.name}: column {name!r} does not read as time{shown}",
        "say how it is written with --date-format '%d.%m.%Y',"
        " or take rows in order with --time none",
    )


def _find_split_columns(free: list[str]) -> tuple[str, ...]:
    """Columns year, month, day... without a break; else year and quarter, or year and week."""
    folded = {name.casefold(): name for name in reversed(free)}
    for parts in _SPLIT_COLUMN_NAMES:
        unbroken = takewhile(folded.__contains__, parts)
        found = [folded[part] for part in unbroken]
        if len(found) > 1:
            return tuple(found)
    return ()


def _infer_time_kind(table: Table, name: str, codes: Ints) -> str:
    """Whether a column reads as dates ("date"), could count steps ("step"), or neither ("")."""
    if table.is_temporal(name):
        return "date"

    stored = table.stored_numbers(name)
    if stored is not None:
        whole = table.stored_integers(name)
        numbers = pd.Series(stored if whole is None else whole)
        return _infer_number_kind(numbers, name, codes)

    series = table.series(name)
    if is_datetime_column(series):
        return "date"
    if is_number_or_bool_column(series):
        return _infer_number_kind(series, name, codes)
    return _infer_text_kind(series, name, codes)


def _infer_text_kind(series: pd.Series, name: str, codes: Ints) -> str:
    """The kind of a column of text, by its first cells; of digits alone by all of them."""
    # The first cells rule most columns out, without reading all of a long one.
    head = series.dropna().iloc[:1000]
    if not len(head) or not isinstance(head.iloc[0], str):
        return ""

    texts = pc.utf8_trim_whitespace(to_text_array(head))
    is_number = pc.match_substring_regex(texts, r"^-?\d+(\.\d+)?$")
    if np.asarray(is_number).all():
        numbers = _to_numbers(head)
        head_kind = _infer_number_kind(numbers, name, codes[: len(head)])
        if len(head) > 1 and not head_kind:
            return ""  # parsing the whole column would not change that
        numbers = _to_numbers(series)
        return _infer_number_kind(numbers, name, codes)

    layouts = find_candidate_layouts(pc.unique(texts))
    shares = [parse_timestamps(layout, texts).good.mean() for layout in layouts]
    if max(shares, default=0.0) < 0.5:
        return ""
    if layouts[0] != YEAR_NUMBER_FORMAT:
        return "date"

    # Four digits may be a year or just a number.
    if _is_unique_per_series(to_text_array(series), codes):
        return "step"
    return ""


def _to_numbers(series: pd.Series) -> pd.Series:
    """A column of text as numbers, NaN where a text is none; of any number of digits."""
    texts = pc.utf8_trim_whitespace(to_text_array(series))
    numbers, _ = parse_numbers(texts)
    return pd.Series(numbers.to_numpy(zero_copy_only=False))


def _infer_number_kind(series: pd.Series, name: str, codes: Ints) -> str:
    """The kind of a column of numbers, by their range and by the column's name."""
    is_bool = pd.api.types.is_bool_dtype(series.dtype)
    if is_bool or series.isna().any() or not len(series):
        return ""

    values = series.to_numpy(dtype=np.float64)
    if abs(values).max() > 2**62:
        return ""  # beyond what an ordinal can hold

    layout = infer_number_format(values, name)
    if layout.startswith("%Y%m%d"):
        return "date"
    if not layout and (values != np.floor(values)).any():
        return ""

    if _TIME_NAME.fullmatch(name):
        return "step"
    # A name like "index" may mean the time; then no value repeats within a series.
    named_like_time = _TIME_LIKE_NAME.fullmatch(name) is not None
    if named_like_time and _is_unique_per_series(pa.array(values), codes):
        return "step"
    return ""


def _is_unique_per_series(values: pa.Array, codes: Ints) -> bool:
    """Whether no value comes twice in one series, and none is missing."""
    encoded = pc.dictionary_encode(values)
    if pc.any(pc.is_null(values)).as_py():
        return False

    indices = encoded.indices.to_numpy(zero_copy_only=False)
    # One number for each pair of series and value.
    count = np.int64(len(encoded.dictionary))
    pairs = codes * count + indices
    return len(np.unique(pairs)) == len(pairs)
