"""The years 1 to 9999, beyond which no calendar here can count: which instants lie outside.

Knows no tables; Python's dates, the texts of ISO 8601 and pandas end there too.

Axes: n instants.
"""

import numpy as np

from lstmcast.ragged import Bools, Ints

YEAR_RANGE_WORDS = "the years 1 to 9999"
_FIRST_DAY = np.datetime64("0001-01-01")
_END = np.datetime64("10000-01-01")
_ZONE_MARGIN = np.timedelta64(1, "D")
"""Clocks of a zone are at most a day away from UTC."""


def are_outside_years(counts: Ints, unit: str, *, zoned: bool = False) -> Bools:
    """Which instants [n] lie outside the years 1 to 9999.

    counts: units of numpy's datetimes ("D", "s", "ms", "us", "ns") since 1970. zoned: whether a
    zone moves them, so that a day at either end is not safe.
    """
    margin = _ZONE_MARGIN if zoned else np.timedelta64(0, "D")
    if unit == "ns":
        # All that int64 holds of these, from 1677 to 2262, lies inside.
        return np.zeros(len(counts), dtype=bool)
    first = (_FIRST_DAY + margin).astype(f"M8[{unit}]").astype(np.int64)
    end = (_END - margin).astype(f"M8[{unit}]").astype(np.int64)
    return np.asarray((counts < first) | (counts >= end))


def format_count(count: int, unit: str) -> str:
    """An instant as text, of whatever year."""
    [instant] = np.array([count]).astype(f"M8[{unit}]")
    return str(instant)
