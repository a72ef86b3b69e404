"""Columns that follow from the calendar, and columns that hold the target itself.

Both are told by their values, checked on every row: a column is a calendar column where each hour
(weekday, month ...) has one value of it only, whatever it is called and however it is written.

Axes: n rows of the table.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd

from lstmcast.config import DataConfig
from lstmcast.errors import format_names
from lstmcast.ingest.keys import factorize_keys
from lstmcast.ingest.time_column import read_time_column
from lstmcast.inspection.columns import ColumnProfile
from lstmcast.inspection.finding import Certainty, Finding
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Bools, Floats, Ints
from lstmcast.tables.number_columns import to_float_column
from lstmcast.tables.table import Table
from lstmcast.timeaxis.calendar_fields import DAY, calendar_field

_FIELDS = {
    "u": "weekday",
    "H": "hour",
    "q": "quarter",
    "m": "month",
    "d": "day of the month",
    "V": "week of the year",
    "uH": "hour of the week",
    "md": "date in the year",
    "j": "day of the year",
}
_IN_CALENDAR = ("weekday", "hour", "month", "day of the month", "hour of the week")
"""Fields that the calendar of a fit has, too."""
_MIN_REPEATS, _CERTAIN_REPEATS = 2, 3
"""So many times each value of a calendar field comes at least, in the mean, and so many make it
sure."""
_KNOWN_AHEAD_NAME = re.compile(
    r"holiday|feiertag|ferien|festiv|feriado|f[eé]ri[eé]|vacation|school|bank.?hol|event"
    r"|promo|campaign|aktion|discount|closed|open|work(ing)?.?day|business.?day|weekend",
    re.IGNORECASE,
)
_MAX_FLAG_SHARE = 0.3
_MIN_PAIRS = 10
_MAX_LAG = 14
_MAX_SUM_COLUMNS = 10
_ROUNDING = 1e-9


@dataclass(frozen=True)
class CalendarColumn:
    """A column that follows from the time, and from what of it."""

    name: str
    field: str
    certainty: Certainty


class Leak(NamedTuple):
    """Columns that hold the target, and in what way; `ahead`: also values that are yet to come."""

    names: tuple[str, ...]
    how: str


class _Rows(NamedTuple):
    """The rows of a table in order: of the series, then of time.

    order: places of the rows [n]. instants, codes: as the table has them, [n].
    """

    order: Ints
    instants: Ints
    codes: Ints
    is_dated: bool


def find_covariates(
    table: Table, panel: Panel, profiles: Sequence[ColumnProfile], config: DataConfig
) -> tuple[list[CalendarColumn], list[Leak]]:
    """Find the columns without a role that follow from the calendar, and those that leak."""
    free = [
        profile for profile in profiles if not profile.role and profile.distinct > 1
    ]
    if not free:
        return [], []

    rows = _order_rows(table, panel, config)
    calendar: list[CalendarColumn] = []
    if rows.is_dated:
        calendar = _find_calendar_columns(table, free, rows)

    # A column that follows from the calendar is told as such only.
    told = {column.name for column in calendar}
    numbers = {
        profile.name: to_float_column(table, profile.name)
        for profile in free
        if profile.kind == "number" and profile.name not in told
    }
    y = to_float_column(table, panel.columns.target[0])
    # What overflows is no longer equal to anything.
    with np.errstate(over="ignore", invalid="ignore"):
        leaks = _find_leaks(numbers, y, rows)
    return calendar, leaks


def _order_rows(table: Table, panel: Panel, config: DataConfig) -> _Rows:
    codes, _ = factorize_keys(table, panel.columns.series)
    read = read_time_column(table, panel.columns, config, codes, None).instants
    instants = np.arange(len(table)) if read is None else read
    is_dated = read is not None and panel.axis.kind == "datetime"
    order = np.lexsort((instants, codes))
    return _Rows(order, instants, codes, is_dated)


def _find_calendar_columns(
    table: Table, free: Sequence[ColumnProfile], rows: _Rows
) -> list[CalendarColumn]:
    fields = _calendar_fields(rows.instants)
    stamps = len(np.unique(rows.instants))

    found = []
    for profile in free:
        # An empty cell is a value like others: a calendar column may have some.
        column = table.series(profile.name)
        cells, _ = pd.factorize(column, use_na_sentinel=False)

        matched = _match_field(profile.name, cells, fields, stamps)
        if matched is not None:
            found.append(matched)
        elif _is_flag_known_ahead(profile, cells, rows):
            flag = CalendarColumn(profile.name, "", "likely")
            found.append(flag)
    return found


def _calendar_fields(instants: Ints) -> dict[str, Ints]:
    """Calendar fields [n] that take more than one value, by their codes."""
    fields = {}
    for code in _FIELDS:
        values = np.zeros(len(instants), np.int64)
        for part in code:
            # No part takes 400 values, so that different ones never meet.
            values = 400 * values + calendar_field(part, instants)
        if values.min() < values.max():
            fields[code] = values
    return fields


def _match_field(
    name: str, cells: Ints, fields: dict[str, Ints], stamps: int
) -> CalendarColumn | None:
    """The first calendar field that the cells [n] of a column are a function of."""
    for code, field in fields.items():
        values, place = np.unique(field, return_inverse=True)
        repeats = stamps / len(values)
        if repeats < _MIN_REPEATS:
            continue

        # A function has one cell for each value: that of the row that is written last.
        cell_of = np.zeros(len(values), np.int64)
        cell_of[place] = cells
        is_function = (cell_of[place] == cells).all()
        if not is_function:
            continue

        certainty: Certainty = "likely"
        if repeats >= _CERTAIN_REPEATS:
            certainty = "fact"
        return CalendarColumn(name, _FIELDS[code], certainty)
    return None


def _is_flag_known_ahead(profile: ColumnProfile, cells: Ints, rows: _Rows) -> bool:
    """Whether a column marks some days for all series, as holidays and promotions do."""
    counts = np.bincount(cells)
    usual = counts.argmax()
    usual_share = counts[usual] / len(cells)
    share = 1 - usual_share

    is_number = profile.kind == "number"
    if is_number and profile.distinct > 2:
        return False
    if _KNOWN_AHEAD_NAME.search(profile.name):
        return True
    if share > _MAX_FLAG_SHARE:
        return False

    # Without a name that says it: the same days of several years, whole ones, in all series.
    days = rows.instants // DAY
    is_marked = cells != usual
    if not _is_function_of(days, cells) or profile.distinct > 2:
        return False
    marked = np.unique(days[is_marked])
    return _recurs_by_year(marked, days)


def _is_function_of(keys: Ints, cells: Ints) -> bool:
    """Whether each key [n] has one cell [n] only."""
    values, place = np.unique(keys, return_inverse=True)
    cell_of = np.zeros(len(values), np.int64)
    cell_of[place] = cells
    return bool((cell_of[place] == cells).all())


def _recurs_by_year(marked: Ints, days: Ints) -> bool:
    """Whether at least half of the marked days are marked a year earlier or later, too."""
    years = (days.max() - days.min()) / 365.25
    if years < 2 or len(marked) < 4:
        return False
    is_there = np.zeros(len(marked), dtype=bool)
    for year in (365, 366):
        is_there |= np.isin(marked + year, marked)
        is_there |= np.isin(marked - year, marked)

    # Each marked day had four tries to meet another one.
    all_days = np.unique(days)
    chance = 4 * len(marked) / len(all_days)
    least = max(0.5, 2 * chance)
    return bool(is_there.mean() >= least)


def _find_leaks(numbers: dict[str, Floats], y: Floats, rows: _Rows) -> list[Leak]:
    order = rows.order
    y = y[order]
    series = rows.codes[order]

    # Nothing can be told of a target of few values, or of a single one.
    is_known = ~np.isnan(y)
    known = y[is_known]
    if len(known) < _MIN_PAIRS or np.ptp(known) == 0:
        return []

    leaks = []
    instants = rows.instants[order]
    ordered = {name: values[order] for name, values in numbers.items()}
    for name, x in ordered.items():
        how = _describe_leak(x, y, series, instants)
        if how:
            leaks.append(Leak((name,), how))

    # A target that is the sum of others, or a part of one.
    told = {name for leak in leaks for name in leak.names}
    left = [name for name in ordered if name not in told]
    few = left[:_MAX_SUM_COLUMNS]  # each is compared with all others
    for one, other in combinations(few, 2):
        a = ordered[one]
        b = ordered[other]
        if _are_equal(a + b, y):
            leaks.append(Leak((one, other), "add up to the target"))
        elif _are_equal(a - b, y):
            leaks.append(Leak((one, other), "give the target as their difference"))
        elif _are_equal(b - a, y):
            leaks.append(Leak((other, one), "give the target as their difference"))
    return leaks


def _describe_leak(x: Floats, y: Floats, series: Ints, instants: Ints) -> str:
    """In what way a column [n] holds the target [n]; empty where it does not."""
    if _are_equal(x, y):
        return "is a copy of the target"
    if _is_linear(x, y):
        return "is the target in other units"
    most = min(_MAX_LAG, len(y) - 1)
    for lag in range(1, most + 1):
        # Rows are compared within a series only.
        same = series[lag:] == series[:-lag]
        earlier = x[:-lag][same]
        later = y[lag:][same]
        if _are_equal(earlier, later):
            when = "next row" if lag == 1 else f"row {lag} later"
            return f"holds the target of the {when}"

    same = series[1:] == series[:-1]
    rises = np.diff(x)[same]
    if _are_equal(rises, y[1:][same]):
        return "is the running total of the target"

    _, place, counts = np.unique(instants, return_inverse=True, return_counts=True)
    if counts.max() > 1:
        known = np.nan_to_num(y)
        totals = np.bincount(place, weights=known).astype(np.float64)
        if _are_equal(x, totals[place]):
            return "is the total of the target over all series"
    return ""


def _are_equal(x: Floats, y: Floats) -> bool:
    """Whether two columns agree wherever both have a value, but for rounding; and change."""
    is_missing = np.isnan(x) | np.isnan(y)
    both: Bools = ~is_missing
    if both.sum() < _MIN_PAIRS:
        return False
    a = x[both]
    b = y[both]
    # What is mostly 0, or of few values, agrees by chance.
    if len(np.unique(b)) < 4:
        return False

    largest_a = np.abs(a).max()
    largest_b = np.abs(b).max()
    largest = max(largest_a, largest_b)
    tolerance = _ROUNDING * largest
    difference = np.abs(a - b)
    return bool((difference <= tolerance).all())


def _is_linear(x: Floats, y: Floats) -> bool:
    """Whether the target is a line of the column, but for rounding."""
    is_missing = np.isnan(x) | np.isnan(y)
    both = ~is_missing
    a = x[both]
    b = y[both]
    if len(a) < _MIN_PAIRS or np.ptp(a) == 0:
        return False
    if len(np.unique(b)) < 4:
        return False

    # On a range of 1 the least squares are exact enough, whatever the units are.
    a = (a - a.mean()) / np.ptp(a)
    b = (b - b.mean()) / np.ptp(b)
    slope = (a @ b) / (a @ a)
    line = slope * a
    residuals = np.abs(b - line)
    return bool(residuals.max() < 1e-6)


def describe_calendar(columns: Sequence[CalendarColumn]) -> Finding | None:
    """The finding on columns that follow from the time; None where there are none."""
    if not columns:
        return None

    facts = [f"{column.name} (by {column.field})" for column in columns if column.field]
    flags = [column.name for column in columns if not column.field]
    parts = []
    if facts:
        names = format_names(facts, len(facts))
        verb = "follows" if len(facts) == 1 else "follow"
        parts.append(f"{names} {verb} from the time")
    if flags:
        names = format_names(flags, len(flags))
        verb = "marks" if len(flags) == 1 else "mark"
        parts.append(f"{names} {verb} some days")

    done = "known ahead: add as --future"
    if any(column.field in _IN_CALENDAR for column in columns):
        done += "; or say --calendar, which needs no rows ahead"

    certain = all(column.certainty == "fact" for column in columns)
    certainty: Certainty = "fact" if certain else "likely"
    later = () if certain else ("columns that are known only afterwards: --past",)
    figures = {
        "columns": [
            {"name": one.name, "by": one.field, "certainty": one.certainty}
            for one in columns
        ]
    }
    return Finding("calendar", "; ".join(parts), done, figures, certainty, later)


def describe_leaks(leaks: Sequence[Leak]) -> Finding | None:
    """The finding on columns that hold the target; None where there are none."""
    if not leaks:
        return None
    names: list[str] = []
    parts: list[str] = []
    for leak in leaks:
        names += leak.names
        shown = " and ".join(map(repr, leak.names))
        parts.append(f"{shown} {leak.how}")
    # A column may be in several sums.
    names = list(dict.fromkeys(names))

    found = "; ".join(parts[:3])
    if len(parts) > 3:
        found += f"; and {len(parts) - 3} more"
    return Finding(
        "suspicious",
        found,
        "in every row: as inputs they would tell the answer, so leave them out",
        {"columns": names},
    )
