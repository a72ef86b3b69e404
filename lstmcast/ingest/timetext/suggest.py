"""A layout that reads texts or numbers which no usual one fits, to be shown in a hint.

What is suggested reads every one of them: a hint that does not would send people astray.

Axes: n texts.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lstmcast.ragged import Ints
from lstmcast.timeaxis.formats import (
    ParsedTimestamps,
    parse_timestamps,
    without_spellings,
)
from lstmcast.timeaxis.language.names import find_languages_of_month

_MAX_TEXTS = 2000
_MAX_SUGGESTIONS = 2
_DATE_ORDERS = (
    *(("Y", "m", "d"), ("d", "m", "Y"), ("m", "d", "Y"), ("Y", "d", "m"), ("Y", "j")),
    *(
        ("y", "m", "d"),
        ("d", "m", "y"),
        ("m", "d", "y"),
        ("Y", "m"),
        ("m", "Y"),
        ("Y",),
    ),
)
_CLOCK_ORDERS = ((), ("H",), ("H", "M"), ("H", "M", "S"), ("H", "M", "S", "f"))
_WIDTHS = {"Y": (4,), "j": (3,), "y": (2,), "f": tuple(range(1, 10))}
"""Digits of a field; one or two where not named."""
_EARLIEST, _LATEST = 1800, 2200
"""Years of dates that are suggested."""
_NUMBER_LAYOUTS = {8: ("%d%m%Y", "%m%d%Y"), 6: ("%y%m%d", "%d%m%y", "%m%d%y", "%m%Y")}
"""Layouts of dates in digits that a number does not show by its range, by their length."""


def suggest_layouts(unique: pa.Array) -> list[str]:
    """Layouts that read all of some different texts [n]; two where they differ, else one or none.

    The texts must have digits in the same places.
    """
    texts = [text for text in unique[:_MAX_TEXTS].to_pylist() if text]
    if not texts:
        return []

    skeletons = {re.sub(r"\d+", "9", text) for text in texts}
    names = _find_month_name(texts) if len(skeletons) > 1 else None
    if len(skeletons) > 1 and not names:
        return []

    sample = pa.array(texts, pa.large_string())
    found: list[ParsedTimestamps] = []
    for layout in _iter_layouts(texts, names):
        # One field a group of digits is likelier than several that touch.
        if (
            found
            and _has_touching_fields(layout)
            and not _has_touching_fields(found[0].layout)
        ):
            break
        parsed = parse_timestamps(layout, sample)
        if not parsed.good.all() or not _are_likely_years(parsed.instants):
            continue
        if all(not np.array_equal(parsed.instants, one.instants) for one in found):
            found.append(parsed)
    if found and found[0].layout.find("%Y") == found[0].layout.find("%"):
        return [
            without_spellings(found[0].layout)
        ]  # months come before days where the year is first
    return [without_spellings(parsed.layout) for parsed in found[:_MAX_SUGGESTIONS]]


def _has_touching_fields(layout: str) -> bool:
    return re.search(r"%[-_]?[A-Za-z]%", layout) is not None


def _are_likely_years(instants: Ints) -> bool:
    years = instants.view("M8[us]").astype("M8[Y]").astype(np.int64) + 1970
    return bool(years.min() >= _EARLIEST and years.max() <= _LATEST)


def _find_month_name(texts: Sequence[str]) -> tuple[str, ...] | None:
    """Languages in which a word of the first text is a month; None where none is."""
    for word in re.findall(r"[^\W\d_]+", texts[0]):
        languages = find_languages_of_month(word)
        if languages:
            return tuple(languages)
    return None


def _iter_layouts(
    texts: Sequence[str], languages: tuple[str, ...] | None
) -> Iterator[str]:
    """Layouts whose fields have the widths of the digits of the first text, the likeliest first."""
    found = list(dict.fromkeys(_fill_layouts(texts[0], languages)))
    yield from sorted(found, key=_has_touching_fields)


def _fill_layouts(first: str, languages: tuple[str, ...] | None) -> Iterator[str]:
    if languages:
        words = [
            w for w in re.findall(r"[^\W\d_]+\.?", first) if find_languages_of_month(w)
        ]
        for language in languages:
            for layout in _fill_digits(first.replace(words[0], "\0", 1), has_name=True):
                yield f"{language}:{layout.replace(chr(0), '%b')}"
        return
    yield from _fill_digits(first, has_name=False)


def _fill_digits(text: str, *, has_name: bool) -> Iterator[str]:
    parts = re.split(r"(\d+)", text)
    widths = [len(digits) for digits in parts[1::2]]
    for date, clock in product(_DATE_ORDERS, _CLOCK_ORDERS):
        if clock and not {"d", "j"} & set(date):
            continue  # a time of day is of a day
        if has_name:
            date = tuple(code for code in date if code != "m")
        for codes in {(*date, *clock), (*clock, *date)}:
            fields = _spread_over_groups(codes, widths)
            if fields is None:
                continue
            literals = [literal.replace("%", "%%") for literal in parts[::2]]
            yield literals[0] + "".join(
                field + literal
                for field, literal in zip(fields, literals[1:], strict=True)
            )


def _spread_over_groups(
    codes: Sequence[str], widths: Sequence[int]
) -> list[str] | None:
    """Directives for each group of digits: one field a group, or several of two digits each."""
    fields: list[str] = []
    rest = list(codes)
    for width in widths:
        group = ""
        while width > 0:
            if not rest:
                return None
            code = rest.pop(0)
            sizes = _WIDTHS.get(code, (1, 2))
            # Fields that touch have all their digits.
            size = width if width in sizes else max(sizes)
            if size > width or (group and size < max(sizes) and code != "f"):
                return None
            group += f"%{code}"
            width -= size
        fields.append(group)
    return None if rest else fields


def suggest_number_layouts(values: Ints) -> list[str]:
    """Layouts of digits that read all numbers [n], whose leading zeros may be lost."""
    digits = len(str(int(values.max())))
    width = digits + digits % 2
    padded = pc.utf8_lpad(pa.array(values).cast(pa.large_string()), width, "0")
    found = []
    for layout in _NUMBER_LAYOUTS.get(width, ()):
        parsed = parse_timestamps(layout, padded)
        if parsed.good.all() and _are_likely_years(parsed.instants):
            found.append(layout)
    return found
