"""Numbers as people write them: texts to float64, strictly, with the decimal mark and thousands separator of a table.

Knows no tables and no files.
"""

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_SEPARATOR_VARIANTS = {" ": "[\u00a0\u202f\u2009]", "'": "\u2019"}
"""What typesetters put between thousands instead."""
_UNIT_SIGN = re.compile(r"[$€£¥₹%‰]")


def parse_numbers(
    texts: pa.Array, decimal: str = ".", thousands: str = ""
) -> tuple[pa.Array, NDArray[np.bool_]]:
    """Numbers [n], null where text is null or no number, and which texts [n] were understood (null ones are).

    Texts carry no blanks around them. What is understood may be infinite, if it is too large for a
    float64.
    """
    if thousands:
        texts = _without_thousands(texts, decimal, thousands)
    if decimal != ".":
        mixed = pc.match_substring(texts, ".")  # a point is then no part of a number
        texts = pc.if_else(mixed, "x", pc.replace_substring(texts, decimal, "."))
    good = pc.fill_null(pc.match_substring_regex(texts, _NUMBER), True)
    if not pc.all(good).as_py():
        texts = pc.if_else(good, texts, pa.scalar(None, texts.type))
    return pc.cast(texts, pa.float64()), np.asarray(
        good.to_numpy(zero_copy_only=False), dtype=np.bool_
    )


def _without_thousands(texts: pa.Array, decimal: str, thousands: str) -> pa.Array:
    """The texts without separators where these stand before every third digit."""
    if thousands in _SEPARATOR_VARIANTS:
        texts = pc.replace_substring_regex(texts, _SEPARATOR_VARIANTS[thousands], thousands)
    mark, point = re.escape(thousands), re.escape(decimal)
    groups = rf"\d{{1,3}}({mark}\d{{3}})+|\d{{1,2}}({mark}\d{{2}})+{mark}\d{{3}}"  # the second as in India
    grouped = pc.match_substring_regex(texts, rf"^[+-]?({groups})({point}\d*)?$")
    return pc.if_else(grouped, pc.replace_substring(texts, thousands, ""), texts)


def find_unit_sign(texts: pa.Array) -> str:
    """The sign of a currency or of percent that each of the texts [n] begins or ends with; "" where there is none."""
    known = pc.drop_null(texts)
    first = _UNIT_SIGN.search(known[0].as_py()) if len(known) else None
    if first is None:
        return ""
    sign = first[0]
    every = pc.match_substring_regex(known, rf"^[+-]?{re.escape(sign)}|{re.escape(sign)}$")
    return sign if pc.all(every).as_py() else ""


def without_unit_sign(texts: pa.Array, sign: str) -> pa.Array:
    """The texts without the `sign` that `sign_of` found in them."""
    return pc.utf8_trim_whitespace(pc.replace_substring(texts, sign, "", max_replacements=1))


def trim_and_mask_missing(texts: pa.Array, na: tuple[str, ...]) -> pa.Array:
    """The texts without blanks around them, null where nothing or one of the markers `na` is left."""
    texts = pc.utf8_trim_whitespace(texts)
    markers = pa.array(sorted({"", *na}), texts.type)
    return pc.if_else(pc.is_in(texts, value_set=markers), pa.scalar(None, texts.type), texts)
