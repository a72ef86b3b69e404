"""What the columns of a table seem to be, and the likeliest roles of those without one.

Axes: n rows of the table.
"""

import re
import shlex
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pyarrow.compute as pc

from lstmcast.config import Columns, DataConfig
from lstmcast.errors import DataError, UsageError, format_names
from lstmcast.ingest.encoding import MAX_CATEGORIES
from lstmcast.ingest.keys import factorize_keys
from lstmcast.ingest.time_column import (
    NO_TIME_COLUMN,
    UnreadTimeError,
    find_time_columns,
    read_time_column,
)
from lstmcast.panel.panel import COLUMN_ROLES
from lstmcast.ragged import Bools
from lstmcast.tables.number_columns import to_float_column
from lstmcast.tables.table import Table, to_text_array
from lstmcast.timeaxis.layouts import match_formats

_MAX_CLASSES, _MAX_CLASSES_IN_LONG_TABLE = 20, 100
"""A column of no more values than the first, or in a long table than the second, is rather a class
than a target."""
_MAX_KEY_COLUMNS = 8
"""Columns tried as the name of the series, alone and together, where a stamp stands in several
rows."""
_MAX_LISTED_TARGETS = 12
"""Columns of numbers that are listed where one of them has to be chosen."""
USUAL_TARGET_NAMES = ("y", "target", "value")
"""Names that mean the target and nothing else."""
_PLACEHOLDER_TARGET = ("",)
"""Stands for a target that is not known yet where `Columns` requires one."""
Roles = dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class ColumnProfile:
    """A column: its kind (time, number, text or empty), its role, and the roles it could have."""

    name: str
    kind: str
    missing: int
    distinct: int
    first: str
    role: str = ""
    could: tuple[str, ...] = ()


class _TimeCandidates(NamedTuple):
    """The likeliest time column(s), and all columns that read as time."""

    likeliest: tuple[str, ...]
    every: tuple[str, ...]


def profile_columns(table: Table) -> list[ColumnProfile]:
    """Profile every column of the table, none of them with a role yet."""
    times = _find_time_columns(table).every
    profiles = []
    for name in map(str, table.frame.columns):
        values = table.frame[name]
        known = values.dropna()
        count = len(known)
        profile = ColumnProfile(
            name=name,
            kind=_infer_column_kind(table, name, times, empty=not count),
            missing=len(values) - count,
            distinct=int(known.nunique()),
            first=str(known.iloc[0]) if count else "",
        )
        profiles.append(profile)

    return profiles


def _infer_column_kind(
    table: Table, name: str, times: Sequence[str], *, empty: bool
) -> str:
    if empty:
        return "empty"
    if name in times:
        return "time"
    return "number" if _is_number_column(table, name) else "text"


def infer_roles(
    table: Table, profiles: Sequence[ColumnProfile], requested: Roles
) -> Columns:
    """Infer the likeliest columns for time, series and target where they are not requested.

    Raises DataError where a requested column is not there, or no column of numbers is left for the
    target.
    """
    with_role: list[str] = []
    for names in requested.values():
        with_role += names
    needed = [name for name in with_role if name != NO_TIME_COLUMN]
    table.require(tuple(needed))

    # The time first: without one there is nothing that several series could share.
    times = requested.get("time") or _infer_time(table, with_role)
    has_times = times != (NO_TIME_COLUMN,)
    if not has_times:
        _refuse_times_as_header(table)

    taken = {*with_role, *times}
    free = [profile for profile in profiles if profile.name not in taken]
    series = requested.get("series", ())
    if not series and has_times:
        series = _infer_series_columns(table, free, times)

    targets = requested.get("target", ())
    if not targets:
        candidates = [profile for profile in free if profile.name not in series]
        targets = _rank_targets(table, candidates)[:1]

    if not targets:
        raise _no_number_column_error(table, free)

    found: Roles = {"time": times, "series": series, "target": targets}
    return Columns(**{**requested, **found})


def infer_only_target(table: Table, requested: Roles) -> str:
    """Return the only column of numbers that has no other role.

    requested: the roles that are known, without a target. Raises UsageError that lists them where
    there are several, DataError where there is none.
    """
    profiles = profile_columns(table)
    roles = infer_roles(table, profiles, requested)
    taken: set[str] = set()
    for role in COLUMN_ROLES:
        if role != "target":
            taken.update(getattr(roles, role))

    free = [profile for profile in profiles if profile.name not in taken]
    ranked = _rank_targets(table, free)
    profile_by_name = {profile.name: profile for profile in profiles}
    # Beside a column of values, one that numbers the rows is no candidate.
    values = [
        name for name in ranked if not is_row_number(table, profile_by_name[name])
    ]
    candidates = values or ranked
    if len(candidates) == 1:
        return candidates[0]

    quoted = [repr(name) for name in candidates]
    raise UsageError(
        f"{table.name} has {len(candidates):,} columns of numbers: "
        f"{format_names(quoted, most=_MAX_LISTED_TARGETS)}",
        "name the one to forecast with --target, such as "
        f"--target {shlex.quote(candidates[0])}",
    )


def propose_series_columns(table: Table, roles: Columns) -> tuple[str, ...]:
    """Return columns that, beside those of `roles`, tell apart rows that share a time.

    Empty where no few columns do.
    """
    taken: list[str] = []
    for role in COLUMN_ROLES:
        taken += getattr(roles, role)
    times = roles.time or _infer_time(table, taken)
    if times == (NO_TIME_COLUMN,):
        return ()
    profiles = profile_columns(table)
    free = [profile for profile in profiles if profile.name not in (*taken, *times)]
    given = (*times, *roles.series)
    return _infer_series_columns(table, free, given, has_target=True)


def _infer_time(table: Table, with_role: Sequence[str]) -> tuple[str, ...]:
    """The likeliest time column(s) among those without a role."""
    taken = {*with_role, NO_TIME_COLUMN}
    candidates = _find_time_columns(table).likeliest
    free = [name for name in candidates if name not in taken]
    return _with_time_of_day(table, free) or (NO_TIME_COLUMN,)


def _no_number_column_error(table: Table, free: Sequence[ColumnProfile]) -> DataError:
    """The error for a table without a column of numbers.

    It says what is wrong with the column that is most like one.
    """
    shares: dict[str, float] = {}
    for profile in free:
        if profile.kind == "text":
            texts = to_text_array(table.series(profile.name))
            has_digit = pc.match_substring_regex(texts, r"\d")
            share = pc.mean(has_digit).as_py()
            shares[profile.name] = share or 0.0

    # A column half of whose cells have digits was meant to be of numbers: say what is wrong there.
    likely = max(shares, key=lambda name: shares[name], default="")
    if shares.get(likely, 0.0) >= 0.5:
        try:
            to_float_column(table, likely)
        except DataError as error:
            return error

    empty = [profile.name for profile in free if profile.kind == "empty"]
    reason = f": {empty[0]!r} is empty" if empty else ""
    return DataError(
        f"{table.name} has no column of numbers{reason}",
        "give a file with a column to forecast",
    )


def with_column_roles(
    table: Table, profiles: Sequence[ColumnProfile], roles: Columns, config: DataConfig
) -> list[ColumnProfile]:
    """Return the columns with the roles that they have, or the others that they could have."""
    role_by_name: dict[str, str] = {}
    for role in COLUMN_ROLES:
        names = getattr(roles, role)
        role_by_name |= dict.fromkeys(names, role)

    free = [profile for profile in profiles if profile.name not in role_by_name]
    targets = _rank_targets(table, free)
    ahead = _is_after_target(table, roles, config)

    with_roles = []
    for profile in profiles:
        role = role_by_name.get(profile.name, "")
        could: tuple[str, ...] = ()
        if not role and _is_informative(table, profile):
            could = _candidate_roles(table, profile, roles, ahead)
            if profile.name in targets and profile.distinct > _MAX_CLASSES:
                could = (*could, "target")
        with_roles.append(replace(profile, role=role, could=could))

    return with_roles


def _is_informative(table: Table, profile: ColumnProfile) -> bool:
    """Whether a column changes, and does more than number the rows."""
    if profile.distinct <= 1:
        return False
    return profile.kind != "number" or not is_row_number(table, profile)


def _find_time_columns(table: Table) -> _TimeCandidates:
    """The time column(s) that a fit would take; of several, each that would do by itself."""
    one_series = np.zeros(len(table), dtype=np.int64)
    no_roles = Columns(target=_PLACEHOLDER_TARGET)

    try:
        found, _ = find_time_columns(table, no_roles, one_series)
    except UnreadTimeError:
        raise
    except DataError:
        names = [str(name) for name in table.frame.columns]
        times = tuple(name for name in names if _is_time_column(table, name, names))
        return _TimeCandidates(times[:1], times)
    return _TimeCandidates(found, found)


def _with_time_of_day(table: Table, times: list[str]) -> tuple[str, ...]:
    """The time column, with that of the time of day where days repeat and one stands beside it."""
    if len(times) != 1 or not table.is_text or not table.frame.duplicated(times).any():
        return tuple(times)

    one_series = np.zeros(len(table), np.int64)
    for name in table.names:
        first = str(table.frame[name].iloc[0])
        if name in times or not re.match(r"\d?\d:\d\d", first):
            continue
        both = (times[0], name)
        # A column that only looks like times of day does not read with the days as one stamp.
        with suppress(DataError):
            columns = Columns(_PLACEHOLDER_TARGET, both)
            read_time_column(table, columns, DataConfig(), one_series, None)
            return both

    return tuple(times)


def _refuse_times_as_header(table: Table) -> None:
    """Raise DataError for a table in wide format, whose columns are times and rows are series."""
    long_names = [name for name in table.names if len(name) > 4]
    times = [name for name in long_names if match_formats(name)]

    half = len(table.names) / 2
    if len(times) > max(2, half):
        raise DataError(
            f"{table.name}: times stand in the header, as {times[0]!r}, and not in a column",
            "turn the table so that each row is one time, as with melt in pandas",
        )


def _is_time_column(table: Table, name: str, names: list[str]) -> bool:
    """Whether a column is the time if no other of the columns `names` is."""
    one_series = np.zeros(len(table), dtype=np.int64)
    others = [other for other in names if other != name]
    columns = Columns(target=tuple(others) or _PLACEHOLDER_TARGET)

    try:
        found, _ = find_time_columns(table, columns, one_series)
    except DataError:
        return False
    return found == (name,)


def _is_number_column(table: Table, name: str) -> bool:
    try:
        to_float_column(table, name)
    except DataError:
        return False
    return True


def _infer_series_columns(
    table: Table,
    free: Sequence[ColumnProfile],
    times: tuple[str, ...],
    *,
    has_target: bool = False,
) -> tuple[str, ...]:
    """The fewest columns that separate rows of one time; none where no three of them do.

    Numbers only where most times come more than once, and never all columns of numbers unless there
    is a target already: one of them is that.
    """
    repeated = table.frame.duplicated(list(times))
    if not repeated.any():
        return ()

    # Where few times repeat, that is a mistake in the data rather than several series of numbers.
    kinds: tuple[str, ...] = ("text",)
    if repeated.mean() >= 0.5:
        kinds = ("text", "number")

    most = len(table) // 3
    several = [profile for profile in free if 1 < profile.distinct <= most]
    likely = [profile for profile in several if profile.kind in kinds]
    likely.sort(key=lambda profile: profile.kind != "text")  # texts first
    names = [profile.name for profile in likely[:_MAX_KEY_COLUMNS]]

    numbers = {profile.name for profile in free if profile.kind == "number"}
    # Where one column does, more of them would do as well: the fewest come first.
    for size in (1, 2, 3):
        for key in combinations(names, size):
            has_target_left = has_target or not numbers <= set(key)
            if has_target_left and not table.frame.duplicated([*times, *key]).any():
                return key
    return ()


def _rank_targets(table: Table, free: Sequence[ColumnProfile]) -> tuple[str, ...]:
    """Columns that could be the target, the likeliest first."""
    classes_by_length = min(_MAX_CLASSES_IN_LONG_TABLE, len(table) // 20)
    max_classes = max(_MAX_CLASSES, classes_by_length)

    # False sorts before True: a usual name, then many values, then no row number.
    def rank(profile: ColumnProfile) -> tuple[bool, bool, bool]:
        return (
            profile.name.casefold() not in USUAL_TARGET_NAMES,
            profile.distinct <= max_classes,
            is_row_number(table, profile),
        )

    numbers = [profile for profile in free if profile.kind == "number"]
    numbers.sort(key=rank)
    return tuple(profile.name for profile in numbers)


def is_row_number(table: Table, profile: ColumnProfile) -> bool:
    """Whether a column only numbers the rows."""
    if profile.distinct != len(table):
        return False
    steps = np.diff(to_float_column(table, profile.name))
    return bool((np.abs(steps) == 1).all())


def _candidate_roles(
    table: Table, profile: ColumnProfile, roles: Columns, ahead: Bools
) -> tuple[str, ...]:
    """The role that a column without one could have; none for a text of too many kinds.

    ahead: rows [n] after the last value of the target.
    """
    if profile.kind == "time":
        return ("time",)
    if profile.kind == "text" and profile.distinct > MAX_CATEGORIES:
        return ()

    # What has more values is no property of a series, which has several rows.
    if roles.series and profile.distinct <= len(table) // 2:
        keys = list(roles.series)
        series = table.frame[keys].drop_duplicates()
        with_value = table.frame[[*keys, profile.name]].drop_duplicates()
        if len(with_value) == len(series):
            return ("static",)  # one value in each series

    if ahead.any():
        known = _find_known(table, profile.name)
        if known[ahead].mean() > 0.9:
            return ("future",)

    return ("past",)


def _find_known(table: Table, name: str) -> Bools:
    """Which cells [n] of a column hold anything."""
    known = table.frame[name].notna()
    return np.asarray(known.to_numpy())


def _is_after_target(table: Table, roles: Columns, config: DataConfig) -> Bools:
    """Which rows [n] come after the last value of the target in their series."""
    known = np.zeros(len(table), dtype=bool)
    for name in roles.target:
        known |= _find_known(table, name)
    if known.all():
        return ~known

    codes, keys = factorize_keys(table, roles.series)
    instants = read_time_column(table, roles, config, codes, None).instants
    if instants is None:  # no time column: rows stand in order
        instants = np.arange(len(known))

    # A series without any value has no last one: all of its rows come after it.
    never = np.iinfo(np.int64).min
    last = np.full(len(keys.keys), never)
    known_codes = codes[known]
    known_instants = instants[known]
    np.maximum.at(last, known_codes, known_instants)
    return np.asarray(instants > last[codes])
