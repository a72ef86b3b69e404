"""Numbers as people write them: texts to float64, strictly, by the marks of a table.

The marks are a decimal mark and a thousands separator. Knows no tables and no files.

Axes: n texts.
"""

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_NUMBER_PATTERN = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_SEPARATOR_VARIANTS = {" ": "[\u00a0\u202f\u2009]", "'": "\u2019"}
"""What typesetters put between thousands instead."""
_UNIT_SIGN = re.compile(r"[$€£¥₹%‰]")


def parse_numbers(
    texts: pa.Array, decimal: str = ".", thousands: str = ""
) -> tuple[pa.Array, NDArray[np.bool_]]:
    """Read texts [n] as numbers [n]; also returns which texts [n] were understood.

    Nulls stay null and count as understood; numbers are null where a text is no number. Texts carry
    no blanks around them. A number too large for a float64 is understood as infinite.
    """
    if thousands:
        texts = _without_thousands(texts, decimal, thousands)

    if decimal != ".":
        # A point is then no part of a number.
        has_point = pc.match_substring(texts, ".")
        with_point = pc.replace_substring(texts, decimal, ".")
        texts = pc.if_else(has_point, "x", with_point)

    matches = pc.match_substring_regex(texts, _NUMBER_PATTERN)
    good = pc.fill_null(matches, True)
    if not pc.all(good).as_py():
        texts = pc.if_else(good, texts, pa.scalar(None, texts.type))

    numbers = pc.cast(texts, pa.float64())
    understood = good.to_numpy(zero_copy_only=False)
    return numbers, np.asarray(understood, dtype=np.bool_)


def parse_missing_numbers(
    na: tuple[str, ...], decimal: str = ".", thousands: str = ""
) -> NDArray[np.float64]:
    """The markers of missing values that are numbers, by the marks of a table or as plain ones.

    Such a marker means its number, however a cell writes that: -999 is -999.0 and -9.99e2.
    """
    texts = pa.array([marker.strip() for marker in na], pa.string())
    by_marks, _ = parse_numbers(texts, decimal, thousands)
    plain, _ = parse_numbers(texts)
    numbers = pc.drop_null(pc.coalesce(by_marks, plain))
    return np.unique(numbers.to_numpy())


def _without_thousands(texts: pa.Array, decimal: str, thousands: str) -> pa.Array:
    """Texts [n] without thousands separators, where these stand before every third digit."""
    if thousands in _SEPARATOR_VARIANTS:
        variants = _SEPARATOR_VARIANTS[thousands]
        texts = pc.replace_substring_regex(texts, variants, thousands)

    mark = re.escape(thousands)
    point = re.escape(decimal)
    thousands_pattern = rf"\d{{1,3}}({mark}\d{{3}})+"
    # In India digits are grouped by two above the thousand: 12,34,567.
    indian_pattern = rf"\d{{1,2}}({mark}\d{{2}})+{mark}\d{{3}}"
    pattern = rf"^[+-]?({thousands_pattern}|{indian_pattern})({point}\d*)?$"

    grouped = pc.match_substring_regex(texts, pattern)
    without_marks = pc.replace_substring(texts, thousands, "")
    return pc.if_else(grouped, without_marks, texts)


def find_unit_sign(texts: pa.Array) -> str:
    """The sign of a currency or of percent at an end of every text [n]; "" where there is none."""
    present = pc.drop_null(texts)
    if not len(present):
        return ""

    # The first text has the sign of all, if there is one.
    found = _UNIT_SIGN.search(present[0].as_py())
    if found is None:
        return ""

    sign = found[0]
    escaped = re.escape(sign)
    has_sign = pc.match_substring_regex(present, rf"^[+-]?{escaped}|{escaped}$")
    return sign if pc.all(has_sign).as_py() else ""


def without_unit_sign(texts: pa.Array, sign: str) -> pa.Array:
    """Texts [n] without the sign that `find_unit_sign` found in them."""
    without_sign = pc.replace_substring(texts, sign, "", max_replacements=1)
    return pc.utf8_trim_whitespace(without_sign)


def trim_and_mask_missing(texts: pa.Array, na: tuple[str, ...]) -> pa.Array:
    """Texts [n] without blanks around them, null where nothing or a marker of `na` is left."""
    texts = pc.utf8_trim_whitespace(texts)
    kind = texts.type
    markers = pa.array(sorted({"", *na}), kind)
    missing = pc.is_in(texts, value_set=markers)
    return pc.if_else(missing, pa.scalar(None, kind), texts)
