"""Columns of categorical covariates, kept to the categories that had been seen by some time.

A category that first appears later has no column in a fit of what came before, as it would not
have had then: it counts as unknown.

Axes: Cp past, Cf known-future, Cs static covariates.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from lstmcast.ragged import Bools, Floats, concat_ranges

if TYPE_CHECKING:
    from lstmcast.panel.panel import Panel


def drop_unseen_categories(panel: "Panel") -> "Panel":
    """Return the panel without the columns of categories that none of its steps has.

    What is known ahead of the last step does not count: it reaches as far as a file happens to.
    """
    if not panel.encodings:
        return panel

    starts = panel.future_offsets[:-1]
    at_steps = concat_ranges(starts, panel.lengths)
    future_values = panel.future[at_steps]

    # Of each role: the columns that stay; their encodings are cut down with them.
    columns = panel.columns
    encodings = dict(panel.encodings)
    past = _find_seen(panel.past, columns.past, encodings)
    future = _find_seen(future_values, columns.future, encodings)
    static = _find_seen(panel.static, columns.static, encodings)

    if past.all() and future.all() and static.all():
        return panel
    narrow = _take_columns(panel, past, future, static)
    return replace(narrow, encodings=encodings)


def with_columns_of(panel: "Panel", known: "Panel") -> "Panel":
    """Return the panel with only those columns of covariates that `known` has too."""
    past = _find_names(panel.past_names, known.past_names)
    future = _find_names(panel.future_names, known.future_names)
    static = _find_names(panel.static_names, known.static_names)

    if past.all() and future.all() and static.all():
        return panel
    narrow = _take_columns(panel, past, future, static)
    return replace(narrow, encodings=known.encodings)


def _find_seen(
    values: Floats, columns: Sequence[str], encodings: dict[str, list[str]]
) -> Bools:
    """Which columns of a role's values [n, C] are kept; the others leave `encodings` too."""
    keep = np.ones(values.shape[1], dtype=bool)
    begin = 0
    for column in columns:
        categories = encodings.get(column)
        if categories is None:  # a covariate of numbers
            begin += 1
            continue

        # A category has a column of its own, which is 1 where the covariate is of it.
        end = begin + len(categories)
        is_of_category = values[:, begin:end] == 1
        seen = is_of_category.any(axis=0)
        keep[begin:end] = seen
        encodings[column] = list(_take_names(categories, seen))
        begin = end

    return keep


def _find_names(names: Sequence[str], known: Sequence[str]) -> Bools:
    kept = set(known)
    is_known = [name in kept for name in names]
    return np.array(is_known, dtype=bool)


def _take_columns(panel: "Panel", past: Bools, future: Bools, static: Bools) -> "Panel":
    return replace(
        panel,
        past=panel.past[:, past],
        future=panel.future[:, future],
        static=panel.static[:, static],
        past_names=_take_names(panel.past_names, past),
        future_names=_take_names(panel.future_names, future),
        static_names=_take_names(panel.static_names, static),
    )


def _take_names(names: Sequence[str], kept: Bools) -> tuple[str, ...]:
    pairs = zip(names, kept.tolist(), strict=True)
    return tuple(name for name, keep in pairs if keep)
