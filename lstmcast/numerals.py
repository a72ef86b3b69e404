"""Numbers as people write them: texts to float64, strictly, with the decimal mark and thousands separator of a table.

Knows no tables and no files.
"""

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_SPACES = "[\u00a0\u202f\u2009]"
"""Blanks that typesetters put between thousands."""


def read_numbers(texts: pa.Array, decimal: str = ".", thousands: str = "") -> tuple[pa.Array, NDArray[np.bool_]]:
    """Numbers [n], null where text is null or no number, and which texts [n] were understood (null ones are).

    Texts carry no blanks around them. What is understood may be infinite, if it is too large for a float64.
    """
    if thousands:
        texts = _ungrouped(texts, decimal, thousands)
    if decimal != ".":
        mixed = pc.match_substring(texts, ".")  # a point is then no part of a number
        texts = pc.if_else(mixed, "x", pc.replace_substring(texts, decimal, "."))
    good = pc.fill_null(pc.match_substring_regex(texts, _NUMBER), True)
    if not pc.all(good).as_py():
        texts = pc.if_else(good, texts, pa.scalar(None, texts.type))
    return pc.cast(texts, pa.float64()), np.asarray(good.to_numpy(zero_copy_only=False), dtype=np.bool_)


def _ungrouped(texts: pa.Array, decimal: str, thousands: str) -> pa.Array:
    """The texts without separators where these stand before every third digit."""
    if thousands == " ":
        texts = pc.replace_substring_regex(texts, _SPACES, " ")
    mark, point = re.escape(thousands), re.escape(decimal)
    grouped = pc.match_substring_regex(texts, rf"^[+-]?\d{{1,3}}({mark}\d{{3}})+({point}\d*)?$")
    return pc.if_else(grouped, pc.replace_substring(texts, thousands, ""), texts)


def trimmed(texts: pa.Array, na: tuple[str, ...]) -> pa.Array:
    """The texts without blanks around them, null where nothing or one of the markers `na` is left."""
    texts = pc.utf8_trim_whitespace(texts)
    markers = pa.array(sorted({"", *na}), texts.type)
    return pc.if_else(pc.is_in(texts, value_set=markers), pa.scalar(None, texts.type), texts)
