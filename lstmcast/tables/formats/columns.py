"""Values of Python as typed Arrow columns: numbers, days, stamps, booleans or text.

Axes: n rows.
"""

import math
from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any

import pyarrow as pa

_MAX_EXACT_INTEGER = 2**53
"""Integers up to this are exact as floats, as spreadsheets keep them."""


def make_column(values: Sequence[Any]) -> pa.Array:
    """Return values [n] as one Arrow column; None, nothing and NaN are missing.

    Numbers become integers where all are whole, days become stamps where one has a time of day, and
    values of several kinds become text.
    """
    plain = [None if _is_missing(value) else value for value in values]
    kinds = {type(value) for value in plain if value is not None}
    if kinds and kinds <= {bool}:
        return pa.array(plain, pa.bool_())
    if kinds and kinds <= {int, float}:
        return _make_number_column(plain)
    if kinds and kinds <= {date}:
        return pa.array(plain, pa.date32())
    if kinds and kinds <= {date, datetime} and not any(map(_has_zone, plain)):
        stamps = [_to_datetime(value) for value in plain]
        return pa.array(stamps, pa.timestamp("us"))
    texts = [None if value is None else format_value(value) for value in plain]
    return pa.array(texts, pa.string())


def _is_missing(value: Any) -> bool:
    if isinstance(value, float):
        return math.isnan(value)
    return value is None or value == ""


def _make_number_column(values: Sequence[Any]) -> pa.Array:
    known = [value for value in values if value is not None]
    if all(isinstance(value, int) for value in known):
        try:
            return pa.array(values, pa.int64())
        except OverflowError:
            texts = [None if value is None else str(value) for value in values]
            return pa.array(texts, pa.string())
    if all(abs(value) <= _MAX_EXACT_INTEGER and value == int(value) for value in known):
        whole = [None if value is None else int(value) for value in values]
        return pa.array(whole, pa.int64())
    floats = [None if value is None else float(value) for value in values]
    return pa.array(floats, pa.float64())


def _has_zone(value: Any) -> bool:
    return isinstance(value, datetime) and value.tzinfo is not None


def _to_datetime(value: date | datetime | None) -> datetime | None:
    if value is None or isinstance(value, datetime):
        return value
    return datetime.combine(value, time())


def format_value(value: Any) -> str:
    """Return a value as text; whole numbers without the fraction that a spreadsheet adds."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value)
