"""Covariates as numbers: truth as 0 and 1, text as one 0/1 column per category.

Axes: n rows of a table, C columns after encoding.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lstmcast.errors import DataError, RunError, format_names
from lstmcast.ragged import Bools, Floats
from lstmcast.tables.number_columns import to_float_column
from lstmcast.tables.table import Table, to_text_array

MAX_CATEGORIES = 200


@dataclass(frozen=True)
class EncodedCovariates:
    """Covariates of one role: values [n, C], their names, the categories of text columns, what is worth saying."""

    values: Floats
    names: tuple[str, ...]
    encodings: dict[str, list[str]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def encode_covariates(
    table: Table,
    columns: Sequence[str],
    known: Mapping[str, list[str]] | None = None,
    due: Bools | None = None,
) -> EncodedCovariates:
    """Encode covariate columns. `known` are the categories of an earlier table: kept, and then no others arise.

    due: rows [n] that ought to have a value, by default all; missing ones are noted.

    Raises DataError for text among numbers and for more than MAX_CATEGORIES categories, RunError
    where a column of numbers has become one of text, or the reverse.
    """
    parts: list[Floats] = []
    names: list[str] = []
    encodings: dict[str, list[str]] = {}
    notes: list[str] = []
    for column in columns:
        categories = _find_categories(table, column, known)
        if categories is None:
            values = require_number_column(table, column, again=known is not None)[:, None]
            names.append(column)
            notes += _note_missing_or_constant(
                column, values if due is None else values[due], again=known is not None
            )
        else:
            values, unseen = _encode_one_hot(table.series(column), categories)
            names += [f"{column}={category}" for category in categories]
            encodings[column] = categories
            if unseen:
                shown = format_names([repr(text) for text in unseen])
                notes.append(f"covariate {column!r} has values not seen in training: {shown}")
            elif known is None and len(categories) == 1:
                notes.append(
                    f"covariate {column!r} is {categories[0]!r} in every row: it can explain nothing"
                )
        parts.append(values)
    whole = np.concatenate(parts, axis=1) if parts else np.empty((len(table), 0))
    return EncodedCovariates(whole, tuple(names), encodings, tuple(notes))


def _note_missing_or_constant(column: str, values: Floats, *, again: bool) -> list[str]:
    """What is worth saying of a covariate of numbers: where it is missing, and that it never changes."""
    seen = values[~np.isnan(values)]
    if not len(seen) and len(values):
        return [f"covariate {column!r} is missing in every row: it can explain nothing"]
    notes = []
    if len(seen) < len(values):
        notes.append(
            f"covariate {column!r} is missing in {len(values) - len(seen):,} of {len(values):,} rows"
        )
    if not again and len(seen) and seen.min() == seen.max():
        notes.append(f"covariate {column!r} is {seen[0]:g} in every row: it can explain nothing")
    return notes


def require_number_column(table: Table, column: str, *, again: bool) -> Floats:
    """Values [n] of a column of numbers. `again`: they were numbers in training, so a column of text is a RunError."""
    try:
        return to_float_column(table, column)
    except DataError:
        if again and _is_mostly_text(table.series(column)):
            raise _changed_kind_error(table, column, "text", "numbers") from None
        raise


def _find_categories(
    table: Table, column: str, known: Mapping[str, list[str]] | None
) -> list[str] | None:
    """The categories of a text column, sorted; None for a column of numbers."""
    if known is not None:
        kinds = known.get(column)
        if kinds and _has_become_numeric(table.series(column), kinds):
            raise _changed_kind_error(
                table, column, "numbers", f"categories ({format_names(kinds)})"
            )
        return kinds
    if table.stored_numbers(column) is not None:
        return None
    series = table.series(column)
    if pd.api.types.is_numeric_dtype(series.dtype) or pd.api.types.is_bool_dtype(series.dtype):
        return None
    try:
        to_float_column(table, column)
    except DataError:
        if not _is_mostly_text(series):
            raise
        unique = _unique_texts(series)
        if len(unique) > MAX_CATEGORIES:
            raise DataError(
                f"{table.name}: covariate {column!r} has {len(unique)} different texts, more than {MAX_CATEGORIES}",
                "leave it out, or group its values",
            ) from None
        return sorted(unique.to_pylist())
    return None


def _unique_texts(series: pd.Series) -> pa.Array:
    return pc.unique(pc.drop_null(pc.utf8_trim_whitespace(to_text_array(series))))


def _count_numeric(texts: pa.Array) -> int:
    """How many of the texts are numbers."""
    return int(pd.to_numeric(texts.to_pandas(), errors="coerce").notna().sum())


def _is_mostly_text(series: pd.Series) -> bool:
    unique = _unique_texts(series)
    return _count_numeric(unique) * 2 <= len(unique)


def _has_become_numeric(series: pd.Series, kinds: list[str]) -> bool:
    """Whether a column that held these categories now holds other things altogether: numbers."""
    unique = _unique_texts(series)
    strangers = pc.filter(
        unique, pc.invert(pc.is_in(unique, value_set=pa.array(kinds, unique.type)))
    )
    return 0 < len(unique) == len(strangers) == _count_numeric(unique) and not _count_numeric(
        pa.array(kinds)
    )


def _changed_kind_error(table: Table, column: str, now: str, then: str) -> RunError:
    return RunError(
        f"{table.name}: column {column!r} holds {now}, but held {then} when the run was fitted",
        "give data of the same kind, or fit a new run",
    )


def _encode_one_hot(series: pd.Series, categories: list[str]) -> tuple[Floats, list[str]]:
    """0/1 columns [n, categories], all 0 where a cell is empty or its category is unknown; and the unknown ones."""
    text = pc.utf8_trim_whitespace(to_text_array(series))
    place = pc.index_in(text, value_set=pa.array(categories, text.type))
    values = np.zeros((len(text), len(categories)))
    rows = np.flatnonzero(np.asarray(pc.is_valid(place)))
    values[rows, np.asarray(place.drop_null())] = 1
    unseen = pc.unique(pc.filter(text, pc.and_(pc.is_null(place), pc.is_valid(text))))
    return values, sorted(unseen.to_pylist())
