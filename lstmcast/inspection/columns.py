"""What the columns of a table seem to be, and the likeliest roles of those that nobody has given one.

Axes: n rows of the table.
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import pyarrow.compute as pc

from lstmcast.config import Columns, DataConfig
from lstmcast.errors import DataError
from lstmcast.ingest.encoding import MAX_CATEGORIES
from lstmcast.ingest.keys import factorize_keys
from lstmcast.ingest.time_column import NO_TIME_COLUMN, find_time_columns, read_time_column
from lstmcast.ragged import Bools
from lstmcast.tables.number_columns import to_float_column
from lstmcast.tables.table import Table, to_text_array
from lstmcast.timeaxis.formats import match_formats

_MAX_CLASSES, _MAX_CLASSES_IN_LONG_TABLE = 20, 100
"""A column of no more values than the first, or in a long table than the second, is rather a class
than a target."""
_MAX_KEY_COLUMNS = 8
"""Columns tried as the name of the series, alone and together, where a stamp stands in several
rows."""
_USUAL_TARGET_NAMES = ("y", "target", "value")
"""Names that mean the target and nothing else."""
Roles = dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class ColumnProfile:
    """A column as it is seen: its kind (time, number, text or empty), the role it has, and those it could have."""

    name: str
    kind: str
    missing: int
    distinct: int
    first: str
    role: str = ""
    could: tuple[str, ...] = ()


def profile_columns(table: Table) -> list[ColumnProfile]:
    """Every column of the table as it is seen, none of them with a role yet."""
    times = set(_find_time_columns(table)[1])
    seen = []
    for name in map(str, table.frame.columns):
        values = table.frame[name]
        known = values.dropna()
        kind = (
            "empty"
            if not len(known)
            else "time"
            if name in times
            else "number"
            if _is_number_column(table, name)
            else "text"
        )
        first = str(known.iloc[0]) if len(known) else ""
        seen.append(
            ColumnProfile(name, kind, len(values) - len(known), int(known.nunique()), first)
        )
    return seen


def infer_roles(table: Table, seen: Sequence[ColumnProfile], given: Roles) -> Columns:
    """The roles that were `given`, and for time, series and target the likeliest columns where none was.

    Raises DataError where a given column is not there, or no column of numbers is left for the
    target.
    """
    table.require(
        tuple(name for names in given.values() for name in names if name != NO_TIME_COLUMN)
    )
    taken = {name for names in given.values() for name in names}
    times = (
        given.get("time")
        or _with_time_of_day(
            table,
            [name for name in _find_time_columns(table)[0] if name not in (*taken, NO_TIME_COLUMN)],
        )
        or (NO_TIME_COLUMN,)
    )
    if times == (NO_TIME_COLUMN,):
        _refuse_times_as_header(table)
    free = [one for one in seen if one.name not in (*taken, *times)]
    series = given.get("series") or (
        () if times == (NO_TIME_COLUMN,) else _infer_series_columns(table, free, times)
    )
    targets = (
        given.get("target")
        or _rank_targets(table, [one for one in free if one.name not in series])[:1]
    )
    if not targets:
        raise _no_number_column_error(table, free)
    return Columns(**{**given, "time": times, "series": series, "target": targets})


def _no_number_column_error(table: Table, free: Sequence[ColumnProfile]) -> DataError:
    """The error for a table without a column of numbers: what is wrong with the column most like one."""
    texts = [one.name for one in free if one.kind == "text"]
    empty = [one.name for one in free if one.kind == "empty"]
    digits = {
        name: pc.match_substring_regex(to_text_array(table.series(name)), r"\d") for name in texts
    }
    shares = {name: pc.mean(found).as_py() or 0.0 for name, found in digits.items()}
    likely = max(shares, key=lambda name: shares[name], default="")
    if shares.get(likely, 0.0) >= 0.5:
        try:
            to_float_column(table, likely)
        except DataError as error:
            return error
    because = f": {empty[0]!r} is empty" if empty else ""
    return DataError(
        f"{table.name} has no column of numbers{because}", "give a file with a column to forecast"
    )


def with_column_roles(
    table: Table, seen: Sequence[ColumnProfile], roles: Columns, config: DataConfig
) -> list[ColumnProfile]:
    """The columns with the roles that they have, or the others that they could have."""
    has = {
        name: role
        for role in ("target", "time", "series", "past", "future", "static")
        for name in getattr(roles, role)
    }
    targets = _rank_targets(table, [one for one in seen if one.name not in has])
    ahead = _is_after_target(table, roles, config)
    named = []
    for one in seen:
        free = (
            one.name not in has
            and one.distinct > 1
            and not (one.kind == "number" and _is_row_number(table, one))
        )
        could = _candidate_roles(table, one, roles, ahead) if free else ()
        if free and one.name in targets and one.distinct > _MAX_CLASSES:
            could = (*could, "target")
        named.append(replace(one, role=has.get(one.name, ""), could=could))
    return named


def _find_time_columns(table: Table) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The likeliest time column(s), and all columns that read as time."""
    nothing = np.zeros(len(table), dtype=np.int64)
    try:
        found, _ = find_time_columns(table, Columns(target=("",)), nothing)
    except DataError:
        names = [str(name) for name in table.frame.columns]
        alone = [
            name
            for name in names
            if _is_time_column(table, name, [other for other in names if other != name])
        ]
        return tuple(alone[:1]), tuple(alone)
    return found, found


def _with_time_of_day(table: Table, times: list[str]) -> tuple[str, ...]:
    """The time column, with that of the time of day where the days repeat and one stands beside them."""
    if len(times) == 1 and table.text and table.frame.duplicated(times).any():
        for name in table.names:
            with suppress(DataError):
                if name not in times and re.match(r"\d?\d:\d\d", str(table.frame[name].iloc[0])):
                    read_time_column(
                        table,
                        Columns(("",), (times[0], name)),
                        DataConfig(),
                        np.zeros(len(table), np.int64),
                        None,
                    )
                    return times[0], name
    return tuple(times)


def _refuse_times_as_header(table: Table) -> None:
    """Raise DataError where most columns are named by times: such a table lies on its side."""
    named = [name for name in table.names if len(name) > 4 and match_formats(name)]
    if len(named) > max(2, len(table.names) / 2):
        raise DataError(
            f"{table.name}: times stand in the header, as {named[0]!r}, and not in a column",
            "turn the table so that each row is one time, as with melt in pandas",
        )


def _is_time_column(table: Table, name: str, others: list[str]) -> bool:
    nothing = np.zeros(len(table), dtype=np.int64)
    try:
        return find_time_columns(table, Columns(target=tuple(others) or ("",)), nothing)[0] == (
            name,
        )
    except DataError:
        return False


def _is_number_column(table: Table, name: str) -> bool:
    """Whether a column is of numbers."""
    try:
        to_float_column(table, name)
    except DataError:
        return False
    return True


def _infer_series_columns(
    table: Table, free: Sequence[ColumnProfile], times: tuple[str, ...]
) -> tuple[str, ...]:
    """The fewest columns that tell rows of one time apart; none where there are none such.

    Numbers only where most times come more than once, and never all columns of numbers: one is the
    target.
    """
    again = table.frame.duplicated(list(times))
    if not again.any():
        return ()
    numbers = [one.name for one in free if one.kind == "number"]
    kinds = ("text", "number") if again.mean() >= 0.5 else ("text",)
    likely = [one for one in free if one.kind in kinds and 1 < one.distinct <= len(table) // 3]
    names = [one.name for one in sorted(likely, key=lambda one: one.kind != "text")][
        :_MAX_KEY_COLUMNS
    ]
    tried = (
        key
        for size in (1, 2, 3)
        for key in combinations(names, size)
        if not set(numbers) <= set(key)
    )
    return next((key for key in tried if not table.frame.duplicated([*times, *key]).any()), ())


def _rank_targets(table: Table, free: Sequence[ColumnProfile]) -> tuple[str, ...]:
    """Columns that could be the target, the likeliest first."""
    numbers = [one for one in free if one.kind == "number"]
    few = max(_MAX_CLASSES, min(_MAX_CLASSES_IN_LONG_TABLE, len(table) // 20))
    ranked = sorted(
        numbers,
        key=lambda one: (
            one.name.casefold() not in _USUAL_TARGET_NAMES,
            one.distinct <= few,
            _is_row_number(table, one),
        ),
    )
    return tuple(one.name for one in ranked)


def _is_row_number(table: Table, one: ColumnProfile) -> bool:
    """Whether a column only numbers the rows."""
    rows = len(table)
    return one.distinct == rows and bool(
        (np.abs(np.diff(to_float_column(table, one.name))) == 1).all()
    )


def _candidate_roles(
    table: Table, one: ColumnProfile, roles: Columns, ahead: Bools
) -> tuple[str, ...]:
    """The role that a column without one could have; none for a text of too many kinds."""
    if one.kind == "time":
        return ("time",)
    if one.kind == "text" and one.distinct > MAX_CATEGORIES:
        return ()
    if roles.series and one.distinct <= len(table) // 2:
        keys = len(table.frame[list(roles.series)].drop_duplicates())
        if len(table.frame[[*roles.series, one.name]].drop_duplicates()) == keys:
            return ("static",)
    if ahead.any() and table.frame[one.name].notna().to_numpy()[ahead].mean() > 0.9:
        return ("future",)
    return ("past",)


def _is_after_target(table: Table, roles: Columns, config: DataConfig) -> Bools:
    """Which rows [n] come after the last value of the target in their series."""
    known = np.zeros(len(table), dtype=bool)
    for name in roles.target:
        known |= table.frame[name].notna().to_numpy()
    if known.all():
        return ~known
    codes, keys = factorize_keys(table, roles.series)
    when = read_time_column(table, roles, config, codes, None).instants
    when = np.arange(len(known)) if when is None else when
    last = np.full(len(keys.keys), np.iinfo(np.int64).min)
    np.maximum.at(last, codes[known], when[known])
    return np.asarray(when > last[codes])
