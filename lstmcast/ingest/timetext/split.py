"""Stamps that are split over several columns: parts of a date, or a date and its time of day.

Axes: n rows of the table.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lstmcast.config import DataConfig
from lstmcast.ingest.number_stamps import parse_if_all_numbers
from lstmcast.ingest.timestamps import (
    TimeColumn,
    not_a_date_error,
    read_texts,
    require_complete_column,
)
from lstmcast.ingest.timetext.choice import WEEK_NOTES, find_candidate_layouts
from lstmcast.ingest.timetext.column_names import (
    directive_of_part,
    is_clock_name,
    is_hour_ending_name,
)
from lstmcast.ingest.typed_stamps import is_datetime_column
from lstmcast.ragged import Ints
from lstmcast.tables.table import Table, to_text_array
from lstmcast.timeaxis.axis import TimeAxis
from lstmcast.timeaxis.calendar_fields import are_outside_years, instants_from_fields
from lstmcast.timeaxis.timestamp_format import TimestampFormat

_PART_ORDER = "YqUVmjdHkMS"
_SPLIT_LAYOUTS = {
    "Y": "%Y",
    "Yq": "%YQ%q",
    "YU": "%E-W%U",
    "YV": "%G-W%V",
    "Ym": "%Y-%m",
    "Yj": "%Y-%j",
    "YjH": "%Y-%j %H:%M",
    "Ymd": "%Y-%m-%d",
    "YmdH": "%Y-%m-%d %H:%M",
    "Ymdk": "%Y-%m-%d %k",
    "YmdHM": "%Y-%m-%d %H:%M",
    "YmdHMS": "%Y-%m-%d %H:%M:%S",
}
"""Layouts in which dates that were split are written, by the parts that there are."""
_CLOCK_TEXT = r"^\d{1,2}([:h]|[.]\d\d[.])\d{2}([:.]\d{2}([.,]\d+)?)?( ?[AaPp][Mm])?$"
_DOTTED_CLOCK = r"^([01]?\d|2[0-4])\.[0-5]\d$"
"""Times of day like 18.00, which may be numbers: they count where the column's name says so."""
_MAX_DATE_PART = 10**5
"""Larger numbers are no year, and no smaller part of a date."""
_MAX_HEAD = 1000
_MIN_FILLED_SHARE = 0.8
"""Share of the pairs of a day and a time of day that must be there where series are not known."""


def find_date_parts(names: Sequence[str]) -> dict[str, str]:
    """Map each column that a date is split over to its directive, the largest part first.

    Empty where a name is unknown or the parts make no date.
    """
    found = {name: directive_of_part(name) for name in names}
    in_order = sorted(found, key=lambda name: _PART_ORDER.find(found[name]))
    directives = {name: found[name] for name in in_order}
    if not all(found.values()):
        return {}

    # Year and day are a date too, where the day is that of the year.
    parts = "".join(directives.values())
    is_date = parts in _SPLIT_LAYOUTS or parts == "Yd"
    return directives if is_date else {}


def read_split_timestamps(
    table: Table, names: tuple[str, ...], config: DataConfig, like: TimeAxis | None
) -> TimeColumn:
    """Read stamps that are split over several columns.

    These are year, month, day... in any order, or texts that make one stamp when joined by blanks.
    """
    directives = find_date_parts(names)
    texts = {name: _read_part(table, name) for name in names}
    parts = _parse_date_parts(texts, directives)
    in_order = [texts[name] for name in directives or names]

    # A run may have joined the texts of its parts: it goes on so.
    was_joined = like is not None and like.form.layout not in _SPLIT_LAYOUTS.values()
    if parts and not was_joined:
        joined = _join_texts(in_order, " ")
        return _combine_parts(table, parts, directives, joined)

    # A time of day in several columns is put together first, to be read as one.
    clock, is_hour_ending = _join_clock(names[1:], texts)
    if clock is not None:
        day = texts[names[0]]
        joined = _join_texts([day, clock], " ")
    else:
        joined = _join_texts(in_order, " ")

    layouts = _layouts_of_joined(joined, config, hour_ending=is_hour_ending)
    return read_texts(table, joined, "time", config, like, layouts)


def _read_part(table: Table, name: str) -> pa.Array:
    """The cells of a column as texts, a day without its midnight and 5.0 as 5."""
    series = require_complete_column(table, name)
    texts = pc.utf8_trim_whitespace(to_text_array(series))
    if is_datetime_column(series):
        return pc.replace_substring_regex(texts, " 00:00:00$", "")
    return pc.replace_substring_regex(texts, r"^(\d+)\.0+$", r"\1")


def _combine_parts(
    table: Table, parts: dict[str, Ints], directives: dict[str, str], joined: pa.Array
) -> TimeColumn:
    names = tuple(directives)
    if "d" in parts and "m" not in parts:
        parts["j"] = parts.pop("d")  # days beyond 31 are those of the year

    n_moved = 0
    if "V" in parts:
        years, n_moved = _find_iso_years(parts["Y"], parts["V"])
        parts = {**parts, "Y": years}
    instants, good = instants_from_fields(parts)
    if "V" in parts and not good.all():
        # A week that ISO years do not have may be one of the other way to count.
        others = {"Y": parts["Y"], "U": parts["V"]}
        instants_by_cdc, good_by_cdc = instants_from_fields(others)
        if good_by_cdc.all():
            parts = others
            instants = instants_by_cdc
            good = good_by_cdc

    good &= ~are_outside_years(instants, "us")
    if not good.all():
        all_names = ",".join(names)
        raise not_a_date_error(table, all_names, joined, joined.unique(), good)

    notes: tuple[str, ...] = ()
    for code in ("U", "V"):
        if code in parts:
            notes = (WEEK_NOTES[code],)
    if n_moved:
        weeks = "week is" if n_moved == 1 else "weeks are"
        why = "as 31 December 2018 lies in week 1 of 2019"
        notes += (f"{n_moved} {weeks} of the year beside the one that is given, {why}",)

    codes = [code for code in _PART_ORDER if code in parts]
    layout = _SPLIT_LAYOUTS["".join(codes)]
    form = TimestampFormat("text", layout)
    return TimeColumn(names, "time", form, instants, notes)


def _find_iso_years(years: Ints, weeks: Ints) -> tuple[Ints, int]:
    """The years [n] that weeks of ISO belong to, where years of the calendar stand beside them.

    Also returns how many were others. Rows in order, oldest or newest first, show it: of the last
    days of a year in its week 1 the row stands between week 52 and week 2 of the next year, and of
    the first days of a year in week 52 or 53 between the week before and week 1.
    """
    # Rows of several series may stand side by side in each week: weeks are looked at once.
    changes = (np.diff(years) != 0) | (np.diff(weeks) != 0)
    block = np.concatenate([[0], np.cumsum(changes)])
    firsts = np.flatnonzero(np.concatenate([[True], changes]))
    moved = np.zeros(len(firsts), dtype=np.int64)
    for order in (slice(None), slice(None, None, -1)):
        in_order = moved[order]
        year, week = years[firsts][order], weeks[firsts][order]
        in_order[1:-1] += _find_moved_years(year, week)
        # The rows may end there: after week 52 of a year its week 1 would be a year ago.
        is_end = len(week) > 1 and week[-1] == 1 and week[-2] >= 52
        if is_end and year[-1] == year[-2]:
            in_order[-1] = 1
    by_row = moved[block]
    return years + by_row, int((by_row != 0).sum())


def _find_moved_years(years: Ints, weeks: Ints) -> Ints:
    """By how many years the weeks [n] but the first and the last are off, oldest first, [n-2]."""
    before, here, after = slice(None, -2), slice(1, -1), slice(2, None)
    is_december = (years[before] == years[here]) & (years[after] == years[here] + 1)
    is_december &= (weeks[before] >= 52) & (weeks[here] == 1) & (weeks[after] == 2)
    is_january = (years[before] == years[here] - 1) & (years[after] == years[here])
    is_january &= (weeks[here] == weeks[before] + 1) & (weeks[here] >= 52)
    is_january &= weeks[after] == 1
    moved: Ints = is_december.astype(np.int64) - is_january.astype(np.int64)
    return moved


def _parse_date_parts(
    texts: dict[str, pa.Array], directives: dict[str, str]
) -> dict[str, Ints]:
    """The columns of a split date as whole numbers, by directive; empty where one is not."""
    parts: dict[str, Ints] = {}
    for name, directive in directives.items():
        bare = _without_leading_zeros(texts[name])
        numbers = parse_if_all_numbers(bare)
        if numbers is None:
            return {}

        is_fraction = numbers != np.floor(numbers)
        if is_fraction.any():
            return {}
        if (np.abs(numbers) > _MAX_DATE_PART).any():
            return {}
        parts[directive] = np.asarray(numbers).astype(np.int64)
    return parts


def _without_leading_zeros(texts: pa.Array) -> pa.Array:
    """Texts like "05" as "5": beside a year they can be nothing but numbers."""
    return pc.replace_substring_regex(texts, r"^0+(\d)", r"\1")


def _join_texts(parts: Sequence[pa.Array], mark: str) -> pa.Array:
    if len(parts) == 1:
        return parts[0]
    separator = pa.scalar(mark, parts[0].type)
    return pc.binary_join_element_wise(*parts, separator)


def _join_clock(
    names: Sequence[str], texts: dict[str, pa.Array]
) -> tuple[pa.Array | None, bool]:
    """The time of day of some columns as one text [n], and whether it is an hour that ends."""
    codes = {name: directive_of_part(name) for name in names}
    if len(names) > 1 and set(codes.values()) <= set("HMS"):
        # By the letters of their directives, hours come before minutes and seconds.
        in_order = sorted(names, key=lambda name: codes[name])
        padded = [pc.utf8_lpad(texts[name], 2, "0") for name in in_order]
        return _join_texts(padded, ":"), False

    if len(names) != 1:
        return None, False

    clock = texts[names[0]]
    numbers = parse_if_all_numbers(_without_leading_zeros(clock))
    if numbers is None:
        return clock, False
    if numbers.max() > 24:  # hours and minutes, as 930
        return pc.utf8_lpad(clock, 4, "0"), False

    # A first hour is 0 where hours begin then, and a last one 24 where they end then.
    counts_from_one = bool(numbers.min() >= 1 and numbers.max() == 24)
    return clock, counts_from_one or is_hour_ending_name(names[0])


def _layouts_of_joined(
    joined: pa.Array, config: DataConfig, *, hour_ending: bool
) -> list[str]:
    """Layouts of a day and a time of day that no text of one column has; else none."""
    if config.date_format:
        return []

    if hour_ending:
        found = find_candidate_layouts(joined.unique())
        in_hours = [layout for layout in found if "%M" not in layout]
        return [layout.replace("%H", "%k") for layout in in_hours]

    # Four digits behind a blank, as of 0930, would be read as a year.
    last_word = joined[0].as_py().split(" ")[-1]
    if len(last_word) == 4 and last_word.isdigit():
        days = pc.replace_substring_regex(joined.unique(), r" \d{4}$", "")
        day_layouts = find_candidate_layouts(days.unique())
        return [f"{layout} %H%M" for layout in day_layouts]
    return []


def find_clock_columns(
    table: Table, day: str, free: Sequence[str], codes: Ints
) -> tuple[str, ...]:
    """The column(s) with the time of day beside a column of days; none where days do not repeat.

    codes [n]: the series of each row.
    """
    clocks = [name for name in free if name != day and _holds_clock(table, name)]
    if not clocks:
        return ()

    day_codes, _ = pd.factorize(table.series(day))
    frame = pd.DataFrame({"series": codes, "day": pd.Series(day_codes)})
    if not frame.duplicated().any():
        return ()

    # Hours, minutes and seconds together come first: the hours alone may seem enough.
    choices = [[name] for name in clocks]
    parts = [name for name in clocks if directive_of_part(name) in ("H", "M", "S")]
    is_split = len(parts) > 1 and directive_of_part(parts[0]) == "H"
    if is_split:
        choices.insert(0, parts)

    for names in choices:
        for name in names:
            frame[name], _ = pd.factorize(table.series(name))
        columns = ["series", "day", *names]
        if _completes_days(frame[columns], names):
            return tuple(names)
    return ()


def _holds_clock(table: Table, name: str) -> bool:
    """Whether a column holds times of day, by its first cells and, for numbers, by its name."""
    head = table.series(name).iloc[:_MAX_HEAD]
    if head.isna().any() or not len(head):
        return False

    texts = pc.utf8_trim_whitespace(to_text_array(head))
    if _are_all_like(texts, _CLOCK_TEXT):
        return True

    # Numbers could be anything, unless the name of the column says what they are.
    directive = directive_of_part(name)
    if not is_clock_name(name) and directive not in ("H", "k", "M", "S"):
        return False
    if _are_all_like(texts, _DOTTED_CLOCK):
        return True

    whole = pc.replace_substring_regex(texts, r"\.0+$", "")
    numbers = parse_if_all_numbers(_without_leading_zeros(whole))
    if numbers is None or numbers.min() < 0:
        return False

    largest = numbers.max()
    most = 59 if directive in ("M", "S") else 24
    if largest <= most:
        return True
    # Hours and minutes, as 930: three or four digits, of which the last two are minutes.
    return bool(99 < largest <= 2400 and (numbers % 100 < 60).all())


def _are_all_like(texts: pa.Array, pattern: str) -> bool:
    is_like = pc.match_substring_regex(texts, pattern)
    return bool(pc.all(is_like).as_py())


def _completes_days(frame: pd.DataFrame, names: Sequence[str]) -> bool:
    """Whether a row is one time of day of one day of a series, as most rows must be."""
    repeated = frame.duplicated()
    if repeated.mean() < 0.01:
        return True
    if frame["series"].nunique() > 1:
        return False

    # Where series are not known yet, each time of day must come on nearly every day.
    pairs = len(frame) - int(repeated.sum())
    clocks = len(frame[list(names)].drop_duplicates())
    possible = clocks * frame["day"].nunique()
    return clocks > 1 and pairs >= _MIN_FILLED_SHARE * possible


def find_split_columns(table: Table, free: Sequence[str]) -> tuple[str, ...]:
    """Columns year, month, day... without a break; else year and quarter, week, or day of year."""
    by_directive: dict[str, str] = {}
    for name in free:
        directive = directive_of_part(name)
        if directive and directive not in by_directive:
            by_directive[directive] = name

    # A column of whole dates may be called "year" as well.
    year = by_directive.get("Y")
    if year is None or not _is_number_or_text(table, year):
        return ()

    # Of each order as many parts as come without a break, and not the year alone.
    for order in ("YmdHMS", "Ymdk", "Yq", "YU", "YV", "YjH", "Yj"):
        found = []
        for directive in order:
            if directive not in by_directive:
                break
            found.append(by_directive[directive])
        if len(found) > 1:
            return tuple(found)
    return _find_year_and_day(table, year, by_directive)


def _is_number_or_text(table: Table, name: str) -> bool:
    return not is_datetime_column(table.series(name))


def _find_year_and_day(
    table: Table, year: str, by_directive: dict[str, str]
) -> tuple[str, ...]:
    """Year and day of the year where days go beyond those of a month."""
    day = by_directive.get("d")
    if day is None:
        return ()

    numbers = pd.to_numeric(table.series(day), errors="coerce")
    is_of_year = numbers.notna().all() and numbers.max() > 31
    return (year, day) if is_of_year else ()
