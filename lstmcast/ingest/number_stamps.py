"""Numbers as stamps: what they count, and whether they are steps.

Axes: n rows of the table.
"""

import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lstmcast.config import DataConfig
from lstmcast.errors import DataError, format_more
from lstmcast.ingest.timetext.suggest import suggest_number_layouts
from lstmcast.ragged import Ints
from lstmcast.tables.table import Table
from lstmcast.timeaxis.axis import TimeAxis
from lstmcast.timeaxis.calendar_fields import YEAR_RANGE_WORDS
from lstmcast.timeaxis.numeric import (
    MAX_EXCEL_DAY,
    MIN_EXCEL_DAY,
    NUMBER_FORMAT_WORDS,
    NUMBER_UNITS,
    Numbers,
    are_times,
    infer_number_format,
)

_MAX_STEP = 2.0**62
"""Largest step that an ordinal can hold."""


def is_number_or_bool_column(series: pd.Series) -> bool:
    """Whether a column is stored as numbers or as booleans, not as text."""
    dtype = series.dtype
    is_number = pd.api.types.is_numeric_dtype(dtype)
    return is_number or pd.api.types.is_bool_dtype(dtype)


def parse_if_all_numbers(texts: pa.Array) -> Numbers | None:
    """Texts that are all numbers, as numbers, integers if possible; None for other texts.

    A leading zero, as in 0130, makes them texts: a number would lose it.
    """
    if not len(texts):
        return None
    # The first text tells most columns of other texts apart at once.
    first = texts[0].as_py()
    if not re.match(r"\s*-?\d+(\.\d*)?\s*$", first):
        return None

    for kind in (pa.int64(), pa.float64()):
        try:
            cast = pc.cast(texts, kind)
            numbers = np.asarray(cast.to_numpy(zero_copy_only=False))
        except pa.ArrowInvalid:
            texts = pc.utf8_trim_whitespace(texts)
            continue

        has_leading_zero = pc.match_substring_regex(texts, r"^\s*0\d")
        return None if pc.any(has_leading_zero).as_py() else numbers

    return None


def infer_number_layout(
    values: Numbers, name: str, config: DataConfig, like: TimeAxis | None
) -> str:
    """What the numbers count: as requested, as their range says, or as in the panel before."""
    if config.date_format:
        return config.date_format
    inferred = infer_number_format(values, name)
    if inferred or not like or like.form.kind != "number":
        return inferred
    return like.form.layout if like.form.layout in NUMBER_UNITS else ""


def require_times(table: Table, values: Numbers, name: str, layout: str) -> None:
    """Raise DataError for a number that is no time in the layout, or of no year from 1 to 9999."""
    bad = ~are_times(values, layout)
    if not bad.any():
        return
    row = int(bad.argmax())
    like = NUMBER_FORMAT_WORDS.get(layout, layout)
    more = format_more(int(bad.sum()))
    raise DataError(
        f"{table.locate(row)}: column {name!r}: {values[row]} is no time in"
        f" {YEAR_RANGE_WORDS}, read as {like}{more}",
        "correct it, or say what the numbers are with --date-format",
    )


def require_integer_steps(table: Table, values: Numbers, name: str) -> Ints:
    """The numbers as steps; DataError for fractions, and for times whose unit is not known."""
    too_large = ~(np.abs(values) <= _MAX_STEP)
    if too_large.any():
        row = int(too_large.argmax())
        raise DataError(
            f"{table.locate(row)}: column {name!r}: {values[row]} is too large for a step",
            "name another column with --time",
        )

    fractional = values != np.floor(values)
    if fractional.any():
        row = int(fractional.argmax())
        raise DataError(
            f"{table.locate(row)}: column {name!r}: {values[row]} is no whole step",
            hint_on_fractions(values),
        )

    named_as_date = re.search("date", name, re.IGNORECASE)
    named_as_time = re.search(r"date|time", name, re.IGNORECASE)
    # Larger numbers are rather seconds or digits of a date, of a kind that is not recognised.
    max_step = 10**5 if named_as_date else 10**8
    if len(values) and named_as_time and values.max() > max_step:
        example = f"{int(values.min())} to {int(values.max())}"
        raise DataError(
            f"{table.locate(0)}: column {name!r}: {example} are no times"
            " that can be recognised by their range",
            _hint_on_large_numbers(values.astype(np.int64)),
        )

    return values.astype(np.int64)


def hint_on_fractions(values: Numbers) -> str:
    """What numbers with fractions may count: a spreadsheet's days, or seconds since some start."""
    otherwise = "or take the rows in order with --time none"
    if values.min() >= MIN_EXCEL_DAY and values.max() <= MAX_EXCEL_DAY:
        return f"if they are a spreadsheet's days, say --date-format excel, {otherwise}"
    return f"if they are seconds, say --date-format s, {otherwise}"


def _hint_on_large_numbers(values: Ints) -> str:
    """The layouts of digits that read all of the numbers, else the units that they may count."""
    layouts = suggest_number_layouts(values)
    if layouts:
        shown = " or ".join(f"--date-format {layout}" for layout in layouts)
        return f"say how they are written: {shown}"
    return (
        "say what they count with --date-format s, ms, us or ns (since 1970) or excel,"
        " or take the rows in order with --time none"
    )
