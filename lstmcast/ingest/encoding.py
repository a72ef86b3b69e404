"""Covariates as numbers: booleans as 0 and 1, text as one 0/1 column per category.

Axes: n rows of a table, C columns after encoding.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lstmcast.errors import DataError, RunError, format_names
from lstmcast.ingest.number_stamps import is_number_or_bool_column
from lstmcast.ragged import Bools, Floats
from lstmcast.tables.number_columns import to_float_column
from lstmcast.tables.numbers import parse_numbers
from lstmcast.tables.table import Table, to_text_array

MAX_CATEGORIES = 200


@dataclass(frozen=True)
class EncodedCovariates:
    """Covariates of one role: values [n, C], their names, the categories of text columns, notes."""

    values: Floats
    names: tuple[str, ...]
    encodings: dict[str, list[str]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class EncodedRoles(NamedTuple):
    """Covariates by role, each with values [n, C] of the rows of the table or of their periods."""

    past: EncodedCovariates
    future: EncodedCovariates
    static: EncodedCovariates


def encode_covariates(
    table: Table,
    columns: Sequence[str],
    known: Mapping[str, list[str]] | None = None,
    due: Bools | None = None,
) -> EncodedCovariates:
    """Encode covariate columns as numbers.

    known: the categories of an earlier table; they are kept, and no others are added.
    due: rows [n] that ought to have a value, by default all; missing ones are noted.

    Raises DataError for text among numbers and for more than MAX_CATEGORIES categories, RunError
    where a column of numbers has become one of text, or the reverse.
    """
    trained = known is not None
    parts: list[Floats] = []
    names: list[str] = []
    encodings: dict[str, list[str]] = {}
    notes: list[str] = []

    for column in columns:
        categories = _find_categories(table, column, known)
        if categories is None:
            values = require_number_column(table, column, trained=trained)
            names.append(column)
            due_values = values if due is None else values[due]
            notes += _note_missing_or_constant(column, due_values, trained=trained)
            parts.append(values[:, None])
        else:
            indicators, unseen = _encode_one_hot(table.series(column), categories)
            names += [f"{column}={category}" for category in categories]
            encodings[column] = categories
            notes += _note_categories(column, categories, unseen, trained=trained)
            parts.append(indicators)

    no_columns = np.empty((len(table), 0))
    return EncodedCovariates(
        values=np.concatenate(parts, axis=1) if parts else no_columns,
        names=tuple(names),
        encodings=encodings,
        notes=tuple(notes),
    )


def _note_categories(
    column: str, categories: list[str], unseen: list[str], *, trained: bool
) -> list[str]:
    """Note categories that are new since training, and a column that has only one."""
    if unseen:
        quoted = [repr(text) for text in unseen]
        shown = format_names(quoted)
        return [f"covariate {column!r} has values not seen in training: {shown}"]

    if not trained and len(categories) == 1:
        return [
            f"covariate {column!r} is {categories[0]!r} in every row: it can explain nothing"
        ]
    return []


def _note_missing_or_constant(
    column: str, values: Floats, *, trained: bool
) -> list[str]:
    """Note where a covariate of numbers is missing, and that it never changes."""
    observed = values[~np.isnan(values)]
    if not len(observed) and len(values):
        return [f"covariate {column!r} is missing in every row: it can explain nothing"]

    notes = []
    missing = len(values) - len(observed)
    if missing:
        notes.append(
            f"covariate {column!r} is missing in {missing:,} of {len(values):,} rows"
        )

    if not trained and len(observed) and observed.min() == observed.max():
        value = observed[0]
        notes.append(
            f"covariate {column!r} is {value:g} in every row: it can explain nothing"
        )
    return notes


def require_number_column(table: Table, column: str, *, trained: bool) -> Floats:
    """Return the values [n] of a column of numbers; DataError where it is not one.

    trained: a run was trained on numbers in this column, so a column of text is a RunError.
    """
    try:
        return to_float_column(table, column)
    except DataError:
        if trained and _is_mostly_text(table.series(column)):
            raise _changed_kind_error(table, column, "text", "numbers") from None
        raise


def _find_categories(
    table: Table, column: str, known: Mapping[str, list[str]] | None
) -> list[str] | None:
    """The categories of a text column, sorted; None for a column of numbers."""
    if known is not None:
        return _known_categories(table, column, known.get(column))
    if table.stored_numbers(column) is not None:
        return None

    series = table.series(column)
    if is_number_or_bool_column(series):
        return None
    try:
        to_float_column(table, column)
    except DataError:
        # Numbers with a few texts among them are a mistake, not categories.
        if not _is_mostly_text(series):
            raise
    else:
        return None

    unique = _unique_texts(series)
    if len(unique) > MAX_CATEGORIES:
        raise DataError(
            f"{table.name}: covariate {column!r} has {len(unique)} different texts,"
            f" more than {MAX_CATEGORIES}",
            "leave it out, or group its values",
        )
    return sorted(unique.to_pylist())


def _known_categories(
    table: Table, column: str, categories: list[str] | None
) -> list[str] | None:
    """The categories of training; RunError where the column holds numbers instead of them."""
    if categories and _has_become_numeric(table.series(column), categories):
        held = f"categories ({format_names(categories)})"
        raise _changed_kind_error(table, column, "numbers", held)
    return categories


def _unique_texts(series: pd.Series) -> pa.Array:
    texts = pc.utf8_trim_whitespace(to_text_array(series))
    return pc.unique(pc.drop_null(texts))


def _count_numeric(texts: pa.Array) -> int:
    """How many of the texts are numbers, infinite ones included: they are refused as such."""
    numbers, _ = parse_numbers(texts)
    finite = pc.is_valid(numbers)
    infinite = pc.match_substring_regex(texts, r"(?i)^[+-]?inf(inity)?$")
    return int(pc.sum(pc.or_(finite, infinite)).as_py() or 0)


def _is_mostly_text(series: pd.Series) -> bool:
    unique = _unique_texts(series)
    return _count_numeric(unique) * 2 <= len(unique)


def _has_become_numeric(series: pd.Series, categories: list[str]) -> bool:
    """Whether a column that held these categories now holds only numbers and none of them."""
    unique = _unique_texts(series)
    known = pa.array(categories, unique.type)
    is_known = pc.is_in(unique, value_set=known)
    is_unknown = pc.invert(is_known)
    unknown = pc.filter(unique, is_unknown)
    all_unknown = 0 < len(unique) == len(unknown)
    if not all_unknown or _count_numeric(unique) < len(unique):
        return False

    # Categories that look like numbers themselves (shop 1, shop 2) are no change of kind.
    return not _count_numeric(pa.array(categories))


def _changed_kind_error(table: Table, column: str, now: str, then: str) -> RunError:
    return RunError(
        f"{table.name}: column {column!r} holds {now}, but held {then} when the run was fitted",
        "give data of the same kind, or fit a new run",
    )


def _encode_one_hot(
    series: pd.Series, categories: list[str]
) -> tuple[Floats, list[str]]:
    """Return 0/1 columns [n, categories] and the unknown categories, sorted.

    A row is all 0 where its cell is empty or its category is unknown.
    """
    texts = pc.utf8_trim_whitespace(to_text_array(series))
    value_set = pa.array(categories, texts.type)
    category = pc.index_in(texts, value_set=value_set)  # null for any other text
    is_known = np.asarray(pc.is_valid(category))

    rows = np.flatnonzero(is_known)
    columns = np.asarray(category.drop_null())
    shape = (len(texts), len(categories))
    indicators = np.zeros(shape)
    indicators[rows, columns] = 1

    # What is neither empty nor known was not there in training.
    is_other = pc.is_null(category)
    has_text = pc.is_valid(texts)
    is_unseen = pc.and_(is_other, has_text)
    unseen_texts = pc.filter(texts, is_unseen)
    unseen = pc.unique(unseen_texts).to_pylist()
    return indicators, sorted(unseen)
