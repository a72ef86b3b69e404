"""Columns of text as numbers."""

import re
import shlex

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lstmcast.errors import DataError
from lstmcast.ragged import Bools, Floats
from lstmcast.tables.numbers import find_unit_sign, parse_numbers, without_unit_sign
from lstmcast.tables.table import _MAX_ODD_CELLS, Table, to_text_array


def to_float_column(table: Table, column: str) -> Floats:
    """Values [rows] of a column as float64; missing is NaN, true/false and yes/no are 1 and 0.

    Raises DataError, with place, value and count, for text and infinite values.
    """
    values = table.stored_numbers(column)
    if values is None:
        series = table.series(column)
        if pd.api.types.is_datetime64_any_dtype(series.dtype):
            raise DataError(
                f"{table.name}: column {column!r} holds dates, not numbers",
                "name a column of numbers",
            )
        known = pd.api.types.is_bool_dtype(series.dtype) or pd.api.types.is_numeric_dtype(
            series.dtype
        )
        plain = known and not isinstance(table.given, pa.Table)
        values = (
            series.to_numpy(dtype=np.float64, na_value=np.nan)
            if plain
            else _parse_text_numbers(table, column, series)
        )
    infinite = np.isinf(values)
    if infinite.any():
        raise _not_a_number_error(table, column, infinite, "infinite or too large")
    return values


def _parse_text_numbers(table: Table, column: str, series: pd.Series) -> Floats:
    text = pc.utf8_trim_whitespace(to_text_array(series))
    numbers, good = parse_numbers(text, table.decimal, table.thousands)
    sign = "" if good.all() else find_unit_sign(text)
    if sign:
        numbers, good = parse_numbers(without_unit_sign(text, sign), table.decimal, table.thousands)
    if good.all():
        return np.asarray(numbers.to_numpy(zero_copy_only=False), dtype=np.float64)
    truth = _parse_booleans(text)
    if truth is None:
        raise _not_a_number_error(table, column, ~good, "not a number")
    return truth


def _parse_booleans(text: pa.Array) -> Floats | None:
    """1 and 0 for a column of true and false, or of yes and no; None for any other."""
    lower = pc.utf8_lower(text)
    found = (
        set(pc.unique(pc.drop_null(lower)).to_pylist())
        if pc.count_distinct(lower).as_py() <= 3
        else {""}
    )
    if not found <= {"true", "false"} and not found <= {"yes", "no"}:
        return None
    yes = pc.is_in(lower, value_set=pa.array(["true", "yes"])).to_numpy(zero_copy_only=False)
    return np.where(pc.is_null(text).to_numpy(zero_copy_only=False), np.nan, yes.astype(np.float64))


def _not_a_number_error(table: Table, column: str, bad: Bools, what: str) -> DataError:
    rows = np.flatnonzero(bad)
    values = table.series(column).iloc[rows].astype("str")
    first, counts = str(values.iloc[0]), values.value_counts()
    told = ", ".join(
        f"{text!r}" + f" {count} times" * (count > 1) for text, count in counts.iloc[:3].items()
    )
    more = (
        f" (and {len(rows) - 1} more: {told}{', ...' if len(counts) > 3 else ''})"
        if len(rows) > 1
        else ""
    )
    hint = _not_a_number_hint(table, first, bad, kinds=len(counts))
    return DataError(
        f"{table.locate(int(rows[0]))}: column {column!r}: {first!r} is {what}{more}", hint
    )


def _not_a_number_hint(table: Table, value: str, bad: Bools, kinds: int) -> str:
    """What to do about the first value that is no number, one of some kinds of `bad` rows [rows]."""
    value = value.strip()
    plain = re.sub(r"[$€£¥₹%‰\s]+$|^[$€£¥₹]\s*", "", value)
    if (
        table.text
        and re.fullmatch(r"[+-]?\d{1,3}(,\d{2,3})*,\d{3}(\.\d*)?", plain)
        and table.thousands != ","
    ):
        either = (
            ""
            if "." in plain or plain.count(",") > 1 or table.decimal == ","
            else "; if that is a decimal comma, --decimal ,"
        )
        return f"if the comma separates thousands, add --thousands ,{either}"
    if table.text and re.fullmatch(
        r"[+-]?\d{1,3}([. '\u2019\u00a0\u202f\u2009]\d{3})+([.,]\d*)?", plain
    ):
        mark = plain.lstrip("+-0123456789")[0]
        mark = "'" if mark == "\u2019" else " " if mark.isspace() else mark
        if mark != table.thousands:
            quoted = '"\'"' if mark == "'" else shlex.quote(mark)
            return f"if {quoted} separates thousands, add --thousands {quoted}" + " --decimal ," * (
                "," in plain
            )
    if table.text and re.fullmatch(r"[+-]?\d+,\d+", plain) and table.decimal == ".":
        return "if that is a decimal comma, add --decimal ,"
    if len(table.names) == 1 and re.search(r"\S\s+\S", value):
        return (
            f"if blanks separate columns: tr -s ' ' , < {shlex.quote(table.name)} | lstmcast ... -"
        )
    if re.fullmatch(r"\(.*\d.*\)", plain):
        return "if parentheses mean negative, write a minus sign instead"
    where = table.hint_on_edge_rows(bad) if re.search(r"[^\W\d_]|[°%]", value) else ""
    if where:
        return (
            where
            if kinds > 1
            else f"{where}; where it means missing, add --na {shlex.quote(value)}"
        )
    if bad.all() and kinds > 1 and not re.match(r"[+-]?\d", value):
        return "name a column of numbers; of categories, forecast a count or a 0/1 column instead"
    if kinds > _MAX_ODD_CELLS:
        return "write plain numbers, without units or other signs"
    return f"mend the file, or where that means missing add --na {shlex.quote(value)}"
