"""The time column of a table: the one that is named, or the only one that reads as time.

Knows tables and stamps, but no series values and no frequencies.

Axes: n rows of the table.
"""

import shlex
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lstmcast.config import Columns, DataConfig
from lstmcast.errors import DataError
from lstmcast.ingest.number_stamps import (
    hint_on_fractions,
    is_number_or_bool_column,
    parse_if_all_numbers,
)
from lstmcast.ingest.timestamps import (
    TimeColumn,
    hint_on_unread_times,
    named_zone,
    read_timestamps,
    with_time_zone,
)
from lstmcast.ingest.timetext.choice import find_candidate_layouts
from lstmcast.ingest.timetext.column_names import (
    is_likely_time_name,
    is_sure_time_name,
)
from lstmcast.ingest.timetext.split import (
    find_clock_columns,
    find_split_columns,
    read_split_timestamps,
)
from lstmcast.ingest.timetext.unread import could_be_times
from lstmcast.ingest.typed_stamps import is_datetime_column
from lstmcast.ragged import Ints
from lstmcast.tables.numbers import parse_numbers
from lstmcast.tables.table import Table, to_text_array
from lstmcast.timeaxis.axis import TimeAxis
from lstmcast.timeaxis.formats import parse_timestamps
from lstmcast.timeaxis.layouts import YEAR_NUMBER_FORMAT, is_short_period
from lstmcast.timeaxis.numeric import infer_number_format
from lstmcast.timeaxis.timestamp_format import TimestampFormat

NO_TIME_COLUMN = "none"
"""`--time none`: there is no time column and rows stand in order."""
_MIN_UNIQUE_SHARE = 0.9
"""Share of rows with a text of their own in a column that could be the time."""


class _Said(NamedTuple):
    """What was said about times: their format, and the zone of clocks that they name."""

    date_format: str | None
    zone: str | None


class UnreadTimeError(DataError):
    """A column that could be the time, but does not read as such."""


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
        names, notes = find_time_columns(
            table, columns, codes, config.date_format, named_zone(config.tz)
        )
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
    table: Table,
    columns: Columns,
    codes: Ints,
    date_format: str | None = None,
    zone: str | None = None,
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the name(s) of the time column(s) among those without a role, and notes.

    That is the only column of dates; else year, month...; else the only column of steps. With a
    `date_format`, a column that is named as the time need not read as such. Raises DataError where
    several columns could be the time.
    """
    covariates = columns.past + columns.future + columns.static
    with_role = {*columns.target, *columns.series, *covariates}
    free = [name for name in table.names if name not in with_role]
    said = _Said(date_format, zone)
    kinds = {name: _infer_time_kind(table, name, codes, said) for name in free}

    # A column of days may have its time of day beside it.
    dates = [name for name in free if kinds[name] == "date"]
    if len(dates) > 1:
        raise _several_times_error(table, dates)
    if dates:
        clocks = find_clock_columns(table, dates[0], free, codes)
        if clocks:
            return _split_time_columns((dates[0], *clocks))
        return _only_time_column(dates[0])

    split = find_split_columns(table, free)
    if len(split) > 1:
        return _split_time_columns(split)

    # A column that may be the time is never passed over: its rows may stand newest first.
    unread = [name for name in free if not kinds[name]]
    for name in unread:
        is_sure = is_sure_time_name(name)
        if is_sure and date_format:
            return _only_time_column(name)
        if is_sure or _could_be_time(table, name, codes, free):
            raise _unreadable_time_error(table, name, date_format)

    steps = [name for name in free if kinds[name] == "step"]
    if len(steps) > 1:
        raise _several_times_error(table, steps)
    if steps:
        return _only_time_column(steps[0])
    return (NO_TIME_COLUMN,), ("no time column: rows are taken in order",)


def _split_time_columns(
    names: tuple[str, ...],
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Columns that make one time together, and the note that says so."""
    shown = ", ".join(names)
    return names, (f"time is split over {shown}",)


def _could_be_time(table: Table, name: str, codes: Ints, free: list[str]) -> bool:
    """Whether a column of texts that do not read as time could be one all the same."""
    series = table.series(name)
    if is_number_or_bool_column(series) or is_datetime_column(series):
        return False
    known = series.dropna()
    if len(known) < _MIN_UNIQUE_SHARE * len(series) or not len(known):
        return False

    texts = pc.utf8_trim_whitespace(to_text_array(known))
    is_number = pc.match_substring_regex(texts, r"^-?\d+([.,]\d+)?$")
    if pc.mean(is_number).as_py() > 1 - _MIN_UNIQUE_SHARE:
        return False

    some = texts.slice(0, 2000).unique().to_pylist()
    if not could_be_times(name, some, unique=True):
        return False
    return _is_nearly_unique(table, name, codes, free)


def _is_nearly_unique(table: Table, name: str, codes: Ints, free: list[str]) -> bool:
    """Whether hardly a text comes twice in a series, which may be named by another column."""
    texts, _ = pd.factorize(table.series(name))
    frame = pd.DataFrame({"series": codes, "text": texts})
    if _share_of_different_rows(frame) >= _MIN_UNIQUE_SHARE:
        return True

    has_repeated_text = len(frame) > len(set(texts.tolist()))
    if has_repeated_text and frame["series"].nunique() > 1:
        return False

    # Series that are not known yet are named by another column, each of several rows.
    for other in free:
        if other == name:
            continue
        frame["series"], _ = pd.factorize(table.series(other))
        is_key = frame["series"].nunique() <= len(frame) // 3
        if is_key and _share_of_different_rows(frame) >= _MIN_UNIQUE_SHARE:
            return True
    return False


def _share_of_different_rows(frame: pd.DataFrame) -> float:
    return float(1 - frame.duplicated().mean())


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


def _unreadable_time_error(
    table: Table, name: str, date_format: str | None = None
) -> DataError:
    cells = table.series(name).dropna()
    message = f"{table.name}: column {name!r} does not read as time"
    if not len(cells):
        hint = "fill it, or take rows in order with --time none"
        return UnreadTimeError(message, hint)

    first = str(cells.iloc[:1].tolist()[0])
    texts = pc.utf8_trim_whitespace(to_text_array(cells))
    hint = hint_on_unread_times(texts.unique(), date_format)
    numbers = parse_if_all_numbers(texts)
    if numbers is not None:
        hint = hint_on_fractions(numbers)
    return UnreadTimeError(f"{message}: {first!r}", hint)


def _infer_time_kind(table: Table, name: str, codes: Ints, said: _Said) -> str:
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
    return _infer_text_kind(series, name, codes, said)


def _infer_text_kind(series: pd.Series, name: str, codes: Ints, said: _Said) -> str:
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

    # The share of texts that a layout reads: some may be odd, and are told of later.
    layouts = find_candidate_layouts(pc.unique(texts))
    if said.date_format and "%" in said.date_format:
        layouts = [said.date_format]
    attempts = [parse_timestamps(one, texts, said.zone) for one in layouts]
    shares = [parsed.good.mean() for parsed in attempts]
    if max(shares, default=0.0) < 0.5:
        return ""

    if layouts[0] == YEAR_NUMBER_FORMAT:
        # Four digits may be a year or just a number.
        is_time = _is_unique_per_series(to_text_array(series), codes)
        return "step" if is_time else ""

    best = layouts[int(np.argmax(shares))]
    if is_short_period(best):  # "K1-20" may be a quarter or just a name
        head_codes = codes[: len(head)]
        is_time = max(shares) == 1 and _is_unique_per_series(texts, head_codes)
        return "date" if is_time else ""
    return "date"


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
    named_like_time = is_likely_time_name(name)
    if not layout and (values != np.floor(values)).any():
        return ""

    if is_sure_time_name(name):
        return "step"
    # A name like "index" may mean the time; then no value repeats within a series.
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
