"""Columns of a table as numbers, or the error that says which cell is none and what to do.

Axes: n rows.
"""

import re
import shlex

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lstmcast.errors import DataError
from lstmcast.ragged import Bools, Floats
from lstmcast.tables.numbers import (
    find_unit_sign,
    parse_numbers,
    trim_and_mask_missing,
    without_unit_sign,
)
from lstmcast.tables.table import MAX_ODD_CELLS, Table, to_text_array

_GROUPED_BY_COMMA = re.compile(r"[+-]?\d{1,3}(,\d{2,3})*,\d{3}(\.\d*)?")
_GROUPED_BY_OTHER = re.compile(
    r"[+-]?\d{1,3}([. '\u2019\u00a0\u202f\u2009]\d{3})+([.,]\d*)?"
)
_COMMA_DECIMAL = re.compile(r"[+-]?\d+,\d+")
_IN_PARENTHESES = re.compile(r"\(.*\d.*\)")
_UNIT_AT_AN_END = re.compile(r"[$€£¥₹%‰\s]+$|^[$€£¥₹]\s*")
_WORD_OR_UNIT = re.compile(r"[^\W\d_]|[°%]")
_MAX_CELLS_SHOWN = 3
"""Different cells that an error shows, the most frequent first."""


def to_float_column(table: Table, column: str) -> Floats:
    """Values [n] of a column as float64; missing is NaN, true/false and yes/no are 1 and 0.

    Raises DataError, with place, value and count, for text, dates and infinite values.
    """
    values = table.stored_numbers(column)
    if values is None:
        values = _convert_series(table, column)

    infinite = np.isinf(values)
    if infinite.any():
        raise _not_a_number_error(table, column, infinite, "infinite or too large")
    return values


def _convert_series(table: Table, column: str) -> Floats:
    series = table.series(column)
    dtype = series.dtype
    types = pd.api.types

    if types.is_datetime64_any_dtype(dtype):
        message = f"{table.name}: column {column!r} holds dates, not numbers"
        raise DataError(message, "name a column of numbers")

    is_bool = types.is_bool_dtype(dtype)
    is_numeric = is_bool or types.is_numeric_dtype(dtype)
    if is_numeric and isinstance(table.data, pd.DataFrame):
        values = series.to_numpy(dtype=np.float64, na_value=np.nan)
        if is_bool:
            return values
        return table.mask_missing_numbers(values, single=dtype == np.float32)
    return _parse_text_numbers(table, column, series)


def _parse_text_numbers(table: Table, column: str, series: pd.Series) -> Floats:
    decimal = table.decimal
    thousands = table.thousands
    texts = trim_and_mask_missing(to_text_array(series), table.na)
    numbers, good = parse_numbers(texts, decimal, thousands)

    # A sign that stands in every cell is the column's unit.
    sign = "" if good.all() else find_unit_sign(texts)
    if sign:
        without_sign = without_unit_sign(texts, sign)
        numbers, good = parse_numbers(without_sign, decimal, thousands)

    if good.all():
        values = np.asarray(numbers.to_numpy(zero_copy_only=False), dtype=np.float64)
        return table.mask_missing_numbers(values)

    booleans = _parse_booleans(texts)
    if booleans is None:
        raise _not_a_number_error(table, column, ~good, "not a number")
    return booleans


def _parse_booleans(texts: pa.Array) -> Floats | None:
    """1 and 0 [n] for a column of true and false, or of yes and no; None for any other."""
    lower = pc.utf8_lower(texts)
    if pc.count_distinct(lower).as_py() > 3:  # far from two words: do not list them all
        return None

    present = pc.drop_null(lower)
    words = set(pc.unique(present).to_pylist())
    if not words <= {"true", "false"} and not words <= {"yes", "no"}:
        return None

    words_for_one = pa.array(["true", "yes"])
    is_true = _to_bools(pc.is_in(lower, value_set=words_for_one))
    is_missing = _to_bools(pc.is_null(texts))
    return np.where(is_missing, np.nan, is_true.astype(np.float64))


def _to_bools(values: pa.Array) -> Bools:
    return np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.bool_)


def _not_a_number_error(table: Table, column: str, bad: Bools, what: str) -> DataError:
    """The error for the `bad` rows [n] of a column, with the first cell and the most frequent."""
    rows = np.flatnonzero(bad)
    cells = table.series(column).iloc[rows]
    try:
        cells = cells.astype("str")
    except UnicodeDecodeError:  # bytes that are no text
        cells = cells.map(repr)
    first = str(cells.iloc[0])
    counts = cells.value_counts()

    more = ""
    if len(rows) > 1:
        others = len(rows) - 1
        more = f" (and {others} more: {_list_cells(counts)})"

    where = table.locate(int(rows[0]))
    hint = _not_a_number_hint(table, first.strip(), bad, kinds=len(counts))
    problem = f"{first!r} is {what}{more}"
    return DataError(f"{where}: column {column!r}: {problem}", hint)


def _list_cells(counts: pd.Series) -> str:
    """The most frequent cells, and how often each is there."""
    shown = []
    for text, count in counts.iloc[:_MAX_CELLS_SHOWN].items():
        cell = repr(text)
        if count > 1:
            cell += f" {count} times"
        shown.append(cell)

    if len(counts) > _MAX_CELLS_SHOWN:
        shown.append("...")
    return ", ".join(shown)


def _not_a_number_hint(table: Table, cell: str, bad: Bools, kinds: int) -> str:
    """What to do about a cell that is no number, the first of the `bad` rows [n] of some kinds."""
    plain = _UNIT_AT_AN_END.sub("", cell)
    hint = _other_marks_hint(table, plain) if table.is_text else ""
    if hint:
        return hint

    if len(table.names) == 1 and re.search(r"\S\s+\S", cell):
        file = shlex.quote(table.name)
        return f"if blanks separate columns: tr -s ' ' , < {file} | lstmcast ... -"
    if _IN_PARENTHESES.fullmatch(plain):
        return "if parentheses mean negative, write a minus sign instead"

    # A word may be a unit, a total, or how the file writes a missing value.
    as_missing = f"add --na {shlex.quote(cell)}"
    edge = ""
    if _WORD_OR_UNIT.search(cell):
        edge = table.hint_on_edge_rows(bad)

    if edge and kinds == 1:
        return f"{edge}; where it means missing, {as_missing}"
    if edge:
        return edge

    if bad.all() and kinds > 1 and not re.match(r"[+-]?\d", cell):
        return "name a column of numbers; of categories, forecast a count or a 0/1 column instead"
    if kinds > MAX_ODD_CELLS:
        return "write plain numbers, without units or other signs"
    return f"mend the file, or where that means missing {as_missing}"


def _other_marks_hint(table: Table, plain: str) -> str:
    """What to do where other marks would make a cell, its unit taken away, a number."""
    if _GROUPED_BY_COMMA.fullmatch(plain) and table.thousands != ",":
        hint = "if the comma separates thousands, add --thousands ,"
        # Next to a point, or one of several, a comma is no decimal mark.
        is_grouping = "." in plain or plain.count(",") > 1
        if is_grouping or table.decimal == ",":
            return hint
        return f"{hint}; if that is a decimal comma, --decimal ,"

    if _GROUPED_BY_OTHER.fullmatch(plain):
        mark = _usual_thousands_mark(plain)
        if mark != table.thousands:
            quoted = '"\'"' if mark == "'" else shlex.quote(mark)
            hint = f"if {quoted} separates thousands, add --thousands {quoted}"
            if "," in plain:
                hint += " --decimal ,"
            return hint

    if _COMMA_DECIMAL.fullmatch(plain) and table.decimal == ".":
        return "if that is a decimal comma, add --decimal ,"
    return ""


def _usual_thousands_mark(number: str) -> str:
    """The first mark in a number, as people type it rather than as typesetters do."""
    mark = number.lstrip("+-0123456789")[0]
    if mark == "\u2019":
        return "'"
    return " " if mark.isspace() else mark
