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
_NAME_MARK = "\0"
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
        is_less_likely = _has_touching_fields(layout)
        if found and is_less_likely and not _has_touching_fields(found[0].layout):
            break

        parsed = parse_timestamps(layout, sample)
        if not parsed.good.all() or not _are_likely_years(parsed.instants):
            continue

        same = [np.array_equal(parsed.instants, one.instants) for one in found]
        if not any(same):
            found.append(parsed)

    suggestions = [without_spellings(parsed.layout) for parsed in found]
    if found and _begins_with_year(found[0].layout):
        # Months come before days where the year is first: the others are not meant.
        return suggestions[:1]
    return suggestions[:_MAX_SUGGESTIONS]


def _begins_with_year(layout: str) -> bool:
    return layout.find("%Y") == layout.find("%")


def _has_touching_fields(layout: str) -> bool:
    return re.search(r"%[-_]?[A-Za-z]%", layout) is not None


def _are_likely_years(instants: Ints) -> bool:
    since_1970 = instants.view("M8[us]").astype("M8[Y]").astype(np.int64)
    years = since_1970 + 1970
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
    if not languages:
        yield from _fill_digits(first, has_name=False)
        return

    words = re.findall(r"[^\W\d_]+\.?", first)
    months = [word for word in words if find_languages_of_month(word)]
    # A mark that no text holds keeps the place of the month's name.
    without_name = first.replace(months[0], _NAME_MARK, 1)
    for language in languages:
        for layout in _fill_digits(without_name, has_name=True):
            yield f"{language}:{layout.replace(_NAME_MARK, '%b')}"


def _fill_digits(text: str, *, has_name: bool) -> Iterator[str]:
    parts = re.split(r"(\d+)", text)
    widths = [len(digits) for digits in parts[1::2]]
    literals = [literal.replace("%", "%%") for literal in parts[::2]]

    for date, clock in product(_DATE_ORDERS, _CLOCK_ORDERS):
        if clock and not {"d", "j"} & set(date):
            continue  # a time of day is of a day
        if has_name:
            date = tuple(code for code in date if code != "m")
        for codes in {(*date, *clock), (*clock, *date)}:
            fields = _spread_over_groups(codes, widths)
            if fields is None:
                continue

            layout = literals[0]
            for field, literal in zip(fields, literals[1:], strict=True):
                layout += field + literal
            yield layout


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
            widest = max(sizes)
            size = width if width in sizes else widest
            if size > width:
                return None

            # Fields that touch have all their digits, but parts of a second, which come last.
            is_cut = size < widest and code != "f"
            if group and is_cut:
                return None

            group += f"%{code}"
            width -= size
        fields.append(group)
    return None if rest else fields


def suggest_number_layouts(values: Ints) -> list[str]:
    """Layouts of digits that read all numbers [n], whose leading zeros may be lost."""
    largest = int(values.max())
    digits = len(str(largest))
    width = digits + digits % 2  # fields of dates have two digits, or four
    texts = pa.array(values).cast(pa.large_string())
    padded = pc.utf8_lpad(texts, width, "0")

    found = []
    for layout in _NUMBER_LAYOUTS.get(width, ()):
        parsed = parse_timestamps(layout, padded)
        if parsed.good.all() and _are_likely_years(parsed.instants):
            found.append(layout)
    return found
