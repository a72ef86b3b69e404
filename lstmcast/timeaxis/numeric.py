"""Numbers that are times, known by their range: epochs, digits like YYYYMMDD, years, Excel's days.

An instant is an int64 of microseconds since 1970. Knows no tables.

Axes: n numbers.
"""

import re
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lstmcast.ragged import Bools, Ints
from lstmcast.timeaxis.calendar_fields import (
    DAY,
    SECOND,
    are_outside_years,
    instants_from_fields,
    month_starts,
    months_since_epoch,
)
from lstmcast.timeaxis.formats import format_timestamps, parse_timestamps

Numbers = NDArray[np.int64] | NDArray[np.float64]

EPOCH_UNITS_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
"""How many of each unit make a second, of the units in which time since 1970 is counted."""
EXCEL_DAYS = "excel"
"""Days since 30 December 1899, their fractions included, as spreadsheets count."""
FRACTIONAL_YEARS = "years"
"""Years with their months as fractions, as R writes them."""
NUMBER_UNITS = (*EPOCH_UNITS_PER_SECOND, EXCEL_DAYS, FRACTIONAL_YEARS)
_EXCEL_DAYS_TO_1970 = 25_569
_DAY_MINUTES = 24 * 60
_MIN_MINUTE_ROUNDING = 1e-4
"""Share of a minute that a number of days may miss it by, as float64 can."""
MIN_EXCEL_DAY, MAX_EXCEL_DAY = 18_000, 75_000
"""Days that are taken for a spreadsheet's: 1949 to 2105."""
_MIN_YEAR, _MAX_YEAR = 1600, 2200
"""Numbers that are taken for years."""
_MAX_MONTH_ROUNDING = 0.1
"""Share of a month by which fractions of years may be rounded."""
_MAX_DIGITS = 10**14
"""More than the largest date and time in digits, of the year 9999."""
_MAX_DAYS = 4_000_000
"""More than the days from 1970 to the year 9999, or back to the year 1."""
_MIN_EPOCH_SECONDS, _MAX_EPOCH_SECONDS = 1e8, 4.11e9
"""Seconds since 1970 that are taken for times: 1973 to 2100. Smaller numbers could be anything."""
_DIGIT_FORMATS = (
    *("%Y%m%d%H%M%S", "%Y%m%d%H%M", "%Y%m%d%H", "%Y%m%d", "%Y%j", "%Y%m"),
    *("%G%V", "%E%U"),
)
"""Layouts of dates as whole numbers, the longest first; months before weeks."""
_WEEK_NAME = re.compile(
    r"w|wk|ww|kw|cw|woche|sem|semana|semaine|settimana|uke|vecka|hafta|.*week.*"
    r"|(?:year|yr|yyyy).?(?:wk|ww|kw)",
    re.IGNORECASE,
)
_EPIDEMIC_WEEK_NAME = re.compile(r"ew|se|.*(?:epi|mmwr|cdc).*", re.IGNORECASE)
_QUARTER_NAME = re.compile(r".*(?:quarter|qtr|quartal|trimestre).*|q", re.IGNORECASE)
"""Names of columns of periods that are written in digits: the same digits may be months."""
_STEP_COLUMN_NAMES = {
    *("t", "n", "i", "k", "no", "row"),
    *("step", "steps", "index", "idx", "tick"),
}
_EXCEL_COLUMN_NAME = re.compile(r"date|datum|day|excel|serial|^(ds|dt)$", re.IGNORECASE)
"""Names of columns that may count a spreadsheet's days."""
_TIME_COLUMN_NAME = re.compile(
    r"^t$|time|stamp|zeit|hora|heure|fecha|hour|tijd|tid|index", re.IGNORECASE
)
"""Names of columns whose fractions of days may be a spreadsheet's times of day."""
NUMBER_FORMAT_WORDS = {
    "%Y%m%d": "days YYYYMMDD",
    "%Y%j": "years and days YYYYDDD",
    "%Y%m": "months YYYYMM",
    "%Y%q": "quarters YYYYQ",
    "%G%V": "ISO weeks YYYYWW, which begin on Monday",
    "%E%U": "weeks YYYYWW of the CDC (epidemiological weeks), which begin on Sunday",
    "%Y": "years",
    EXCEL_DAYS: "Excel's days",
    FRACTIONAL_YEARS: "years and their fractions",
    **{unit: f"epochs in {unit}" for unit in EPOCH_UNITS_PER_SECOND},
}
"""What numbers of a format are called in messages."""


def infer_number_format(values: Numbers, name: str) -> str:
    """How a column of numbers [n] writes times: a unit, a layout of digits, or "" for plain steps.

    name: of the column, which decides where the numbers could be anything.
    """
    if not len(values):
        return ""

    low = float(values.min())
    high = float(values.max())

    # Days of a spreadsheet and years could be anything else, unless the name says what they are.
    may_be_days = low >= MIN_EXCEL_DAY and high <= MAX_EXCEL_DAY
    excel = EXCEL_DAYS if may_be_days and _EXCEL_COLUMN_NAME.search(name) else ""
    in_year_range = low >= _MIN_YEAR and high <= _MAX_YEAR
    may_be_years = in_year_range and not is_step_name(name)

    has_fractions = (values != np.floor(values)).any()
    if has_fractions:
        if may_be_years and _are_whole_months(values):
            return FRACTIONAL_YEARS
        # Of the units of epochs only seconds are written with fractions.
        if _are_epochs(low, high, "s"):
            return "s"
        named_as_time = _TIME_COLUMN_NAME.search(name) is not None
        may_be_clocks = may_be_days and named_as_time and _are_whole_minutes(values)
        return EXCEL_DAYS if may_be_clocks else excel

    for layout in _digit_formats_by_name(name):
        if _are_dates_in_digits(values, low, high, layout):
            return layout

    for unit in EPOCH_UNITS_PER_SECOND:
        if _are_epochs(low, high, unit):
            return unit
    return "%Y" if may_be_years else excel


def _digit_formats_by_name(name: str) -> tuple[str, ...]:
    """Layouts of digits in the order in which they are meant in a column of this name."""
    if _EPIDEMIC_WEEK_NAME.fullmatch(name):
        return ("%E%U", "%G%V", *_DIGIT_FORMATS)
    if _WEEK_NAME.fullmatch(name):
        return ("%G%V", "%E%U", *_DIGIT_FORMATS)
    if _QUARTER_NAME.fullmatch(name):
        return ("%Y%q", *_DIGIT_FORMATS)
    return _DIGIT_FORMATS


def _are_whole_minutes(days: Numbers) -> bool:
    """Whether numbers of days are whole minutes, as far as their digits say."""
    minutes = np.asarray(days, dtype=np.float64) * _DAY_MINUTES
    deviations = abs(minutes - np.rint(minutes))

    # Days that are written with a few digits miss the minute by their rounding.
    rounding = _digit_rounding(days) * _DAY_MINUTES
    tolerance = max(rounding, _MIN_MINUTE_ROUNDING)
    return bool(deviations.max() <= tolerance)


def _digit_rounding(days: Numbers) -> float:
    """Half of the last digit to which numbers of days are written; at most that of 5 seconds."""
    for digits in range(4, 12):
        is_written_so = np.round(days, digits) == days
        if is_written_so.all():
            return float(0.5 * 10.0**-digits)
    return 0.0


def _are_epochs(low: float, high: float, unit: str) -> bool:
    """Whether numbers between `low` and `high` may count a unit of time since 1970."""
    per_second = EPOCH_UNITS_PER_SECOND[unit]
    earliest = _MIN_EPOCH_SECONDS * per_second
    latest = _MAX_EPOCH_SECONDS * per_second
    return low >= earliest and high <= latest


def _are_whole_months(years: Numbers) -> bool:
    """Whether years with fractions are all near the beginning of a month."""
    months = years * 12
    nearest = np.rint(months)
    deviations = abs(months - nearest)
    return bool(deviations.max() < _MAX_MONTH_ROUNDING)


def _are_dates_in_digits(values: Numbers, low: float, high: float, layout: str) -> bool:
    """Whether whole numbers between `low` and `high` are all dates in a layout of digits."""
    weight = _year_weight(layout)
    # Eight digits are hardly anything but a date; shorter numbers could be anything.
    last_year = 9999 if layout == "%Y%m%d" else _MAX_YEAR
    begin = _MIN_YEAR * weight
    end = (last_year + 1) * weight
    if low < begin or high >= end:
        return False

    _, exists = _instants_from_digits(values.astype(np.int64), layout)
    return bool(exists.all())


def is_step_name(name: str) -> bool:
    """Whether a column of this name counts steps, so that 1990 in it is no year."""
    return name.casefold() in _STEP_COLUMN_NAMES


def numbers_to_instants(values: Numbers, layout: str) -> Ints:
    """Microseconds since 1970 [n] of numbers [n] in a format that `infer_number_format` found."""
    if layout == FRACTIONAL_YEARS:
        months = _round_to_ints(values.astype(np.float64) * 12)
        return month_starts(months - 1970 * 12) * DAY

    if layout == EXCEL_DAYS:
        days = values.astype(np.float64) - _EXCEL_DAYS_TO_1970
        if _are_whole_minutes(values):
            minutes = _round_to_ints(days * _DAY_MINUTES)
            return minutes * (60 * SECOND)

        # A sheet's fractions of a day are meant as whole seconds.
        seconds = _round_to_ints(days * (DAY // SECOND))
        return seconds * SECOND

    if layout not in EPOCH_UNITS_PER_SECOND:
        instants, _ = _instants_from_digits(values.astype(np.int64), layout)
        return instants

    per_second = EPOCH_UNITS_PER_SECOND[layout]
    if values.dtype.kind == "f":
        return _round_to_ints(values * (SECOND / per_second))

    whole = values.astype(np.int64)
    if layout == "ns":  # the only unit that is shorter than a microsecond
        return whole // 1000
    return whole * (SECOND // per_second)


def is_layout_of_digits(layout: str) -> bool:
    """Whether a layout puts numbers side by side, as "%d%m%Y" does, so that they are one number."""
    return re.fullmatch("(%[YymdHMSjGVEUq]){2,}", layout) is not None


def are_times(values: Numbers, layout: str) -> Bools:
    """Which numbers [n] are times of the years 1 to 9999 in a format of `numbers_to_instants`."""
    numbers = np.asarray(values, dtype=np.float64)
    if layout == FRACTIONAL_YEARS:
        since_year_1 = numbers >= 1
        before_10000 = numbers < 10_000
        return np.asarray(since_year_1 & before_10000)

    if layout == EXCEL_DAYS:
        days = numbers - _EXCEL_DAYS_TO_1970
    elif layout in EPOCH_UNITS_PER_SECOND:
        seconds = numbers / EPOCH_UNITS_PER_SECOND[layout]
        days = seconds / (DAY // SECOND)
    else:
        return _are_times_in_digits(numbers, layout)

    # Days that are too far for any date might not fit an integer.
    near = np.abs(days) < _MAX_DAYS
    near_days = np.where(near, days, 0)
    whole_days = np.floor(near_days).astype(np.int64)
    outside = are_outside_years(whole_days, "D")
    return np.asarray(near & ~outside)


def _are_times_in_digits(numbers: NDArray[np.float64], layout: str) -> Bools:
    # Of numbers too large for any date the fields are not looked at.
    in_range = (numbers >= 0) & (numbers < _MAX_DIGITS)
    is_whole = numbers % 1 == 0
    inside = in_range & is_whole

    whole = np.where(inside, numbers, 0).astype(np.int64)
    instants, exists = _instants_from_digits(whole, layout)
    outside = are_outside_years(instants, "us")
    return np.asarray(inside & exists & ~outside)


def _round_to_ints(values: NDArray[np.floating[Any]]) -> Ints:
    rounded: NDArray[np.float64] = np.rint(values)
    return rounded.astype(np.int64)


def instants_to_numbers(instants: Ints, unit: str) -> Any:
    """Numbers [n] that count instants [n] in a unit of NUMBER_UNITS: whole where that is exact."""
    if unit == "ns":
        return instants * 1000
    if unit == FRACTIONAL_YEARS:
        return months_since_epoch(instants) / 12 + 1970
    if unit == EXCEL_DAYS:
        return _divide(instants, DAY) + _EXCEL_DAYS_TO_1970

    size = SECOND // EPOCH_UNITS_PER_SECOND[unit]
    return _divide(instants, size)


def _divide(instants: Ints, size: int) -> Any:
    """Instants in units of some size: whole numbers, unless one of them is a fraction."""
    is_whole = not (instants % size).any()
    return instants // size if is_whole else instants / size


def _year_weight(layout: str) -> int:
    """What one year adds to a number in a layout of digits: 10,000 in "%Y%m%d"."""
    if layout in ("%Y%j", "%Y%q"):
        return 1000 if layout == "%Y%j" else 10
    two_digit_fields = layout.count("%") - 1
    return int(100**two_digit_fields)


def _instants_from_digits(values: Ints, layout: str) -> tuple[Ints, Bools]:
    _, *parts = layout.split("%")
    first, *others = [part[-1] for part in parts]
    has_other_fields = bool(set(layout) - set("%YGEmdHMSjqVU"))
    if first not in "YGE" or has_other_fields:
        return _instants_from_padded_digits(values, layout)

    # A day of the year has three digits, and a quarter one.
    if others in (["j"], ["q"]):
        [code] = others
        years, rest = np.divmod(values, _year_weight(layout))
        return instants_from_fields({"Y": years, code: rest})

    # Fields are split off from the right, two digits each; what is left is the year.
    fields: dict[str, Ints] = {}
    rest = values
    for code in reversed(others):
        rest, fields[code] = np.divmod(rest, 100)

    all_fields = {first: rest, **fields}
    return instants_from_fields(all_fields)


def _instants_from_padded_digits(values: Ints, layout: str) -> tuple[Ints, Bools]:
    """Instants of numbers in any layout of digits; zeros in front may be lost, as in 1022024."""
    # A layout of digits writes every date with as many of them.
    some_instant = np.zeros(1, np.int64)
    [example] = format_timestamps(layout, some_instant)

    texts = pa.array(values).cast(pa.large_string())
    padded = pc.utf8_lpad(texts, len(example), "0")
    parsed = parse_timestamps(layout, padded)
    return parsed.instants, parsed.good
