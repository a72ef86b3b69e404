"""Numbers that are times: epochs, digits like YYYYMMDD, years, Excel's days; told by range, and back again.

An instant is an int64 of microseconds since 1970. Knows no tables.
"""

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstmcast.ragged import Bools, Ints
from lstmcast.timeaxis.formats import DAY, SECOND, instants_from_fields, month_starts

Numbers = NDArray[np.int64] | NDArray[np.float64]

EPOCH_UNITS_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
"""Counts a second of the units in which time since 1970 is counted."""
EXCEL_DAYS = "excel"
"""Days since 30 December 1899, their fractions included, as spreadsheets count."""
FRACTIONAL_YEARS = "years"
"""Years with their months as fractions, as R writes them."""
NUMBER_UNITS = (*EPOCH_UNITS_PER_SECOND, EXCEL_DAYS, FRACTIONAL_YEARS)
_EXCEL_DAYS_TO_1970 = 25_569
_MAX_MONTH_ROUNDING = 0.1
"""Share of a month by which fractions of years may be rounded."""
_MIN_EPOCH_SECONDS, _MAX_EPOCH_SECONDS = 1e8, 4.11e9
"""Seconds since 1970 that are taken for times: 1973 to 2100. Smaller numbers could be anything."""
_DIGIT_FORMATS = ("%Y%m%d%H%M%S", "%Y%m%d%H%M", "%Y%m%d%H", "%Y%m%d", "%Y%j", "%Y%m")
_STEP_COLUMN_NAMES = {"t", "step", "steps", "index", "idx", "tick", "n", "i", "k", "no", "row"}
_EXCEL_COLUMN_NAME = re.compile(r"date|datum|day|excel|serial|^(ds|dt)$", re.IGNORECASE)
"""Names of columns that may count a spreadsheet's days."""
NUMBER_FORMAT_WORDS = {
    "%Y%m%d": "days YYYYMMDD", "%Y%j": "years and days YYYYDDD", "%Y%m": "months YYYYMM", "%Y": "years",
    EXCEL_DAYS: "Excel's days", FRACTIONAL_YEARS: "years and their fractions",
    **{unit: f"epochs in {unit}" for unit in EPOCH_UNITS_PER_SECOND},
}  # fmt: skip


def infer_number_format(values: Numbers, name: str) -> str:
    """How a column of numbers writes times: a unit, a layout like "%Y%m%d", or "" for plain steps."""
    if not len(values):
        return ""
    low, high = float(values.min()), float(values.max())
    excel = (
        EXCEL_DAYS if low >= 18_000 and high <= 75_000 and _EXCEL_COLUMN_NAME.search(name) else ""
    )  # 1949 to 2105
    if (values != np.floor(values)).any():
        months = values * 12
        if (
            low >= 1600
            and high <= 2200
            and not is_step_name(name)
            and abs(months - np.rint(months)).max() < _MAX_MONTH_ROUNDING
        ):
            return FRACTIONAL_YEARS
        return "s" if low >= _MIN_EPOCH_SECONDS and high <= _MAX_EPOCH_SECONDS else excel
    for layout in _DIGIT_FORMATS:
        places, last = _year_weight(layout), 9999 if layout == "%Y%m%d" else 2200
        if (
            1600 * places <= low
            and high < (last + 1) * places
            and _instants_from_digits(values.astype(np.int64), layout)[1].all()
        ):
            return layout
    for unit, many in EPOCH_UNITS_PER_SECOND.items():
        if _MIN_EPOCH_SECONDS * many <= low and high <= _MAX_EPOCH_SECONDS * many:
            return unit
    if low >= 1600 and high <= 2200 and not is_step_name(name):
        return "%Y"
    return excel


def is_step_name(name: str) -> bool:
    """Whether a column of this name counts steps, so that 1990 in it is no year."""
    return name.casefold() in _STEP_COLUMN_NAMES


def numbers_to_instants(values: Numbers, layout: str) -> Ints:
    """Microseconds since 1970 of numbers in a layout that `layout_of` gave."""
    if layout == FRACTIONAL_YEARS:
        months = np.rint(values.astype(np.float64) * 12).astype(np.int64) - 1970 * 12
        return month_starts(months) * DAY
    if layout == EXCEL_DAYS:  # a sheet's fractions of a day are meant as whole seconds
        return (
            np.rint((values.astype(np.float64) - _EXCEL_DAYS_TO_1970) * (DAY // SECOND)).astype(
                np.int64
            )
            * SECOND
        )
    if layout in EPOCH_UNITS_PER_SECOND:
        if values.dtype.kind == "f":
            return np.rint(values * (SECOND / EPOCH_UNITS_PER_SECOND[layout])).astype(np.int64)
        whole = values.astype(np.int64)
        return (
            whole // 1000 if layout == "ns" else whole * (SECOND // EPOCH_UNITS_PER_SECOND[layout])
        )
    return _instants_from_digits(values.astype(np.int64), layout)[0]


def instants_to_numbers(instants: Ints, unit: str) -> Any:
    """Numbers that count `unit`: whole ones where that loses nothing."""
    if unit == "ns":
        return instants * 1000
    if unit == FRACTIONAL_YEARS:
        return instants.view("M8[us]").astype("M8[M]").astype(np.int64) / 12 + 1970
    if unit == EXCEL_DAYS:
        return (
            instants // DAY + _EXCEL_DAYS_TO_1970
            if not (instants % DAY).any()
            else instants / DAY + _EXCEL_DAYS_TO_1970
        )
    size = SECOND // EPOCH_UNITS_PER_SECOND[unit]
    return instants // size if not (instants % size).any() else instants / size


def _year_weight(layout: str) -> int:
    """What a year weighs in numbers of this layout."""
    return 1000 if layout == "%Y%j" else int(10 ** (2 * (layout.count("%") - 1)))


def _instants_from_digits(values: Ints, layout: str) -> tuple[Ints, Bools]:
    parts, rest = {}, values
    if layout == "%Y%j":
        years, days = np.divmod(values, 1000)
        return instants_from_fields({"Y": years, "j": days})
    for code in reversed(layout.split("%")[2:]):
        rest, parts[code] = np.divmod(rest, 100)
    return instants_from_fields({"Y": rest, **parts})
