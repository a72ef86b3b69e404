"""The flat arrays of a panel laid out anew: series longer than they were, or of several panels.

Axes: N series of the new panel, n series of a part, T steps, Cp past, Cf known-future covariates.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lstmcast.ragged import Floats, Ints, concat_ranges, offsets_from_lengths

if TYPE_CHECKING:
    from lstmcast.panel.panel import Panel

SeriesKey = tuple[str, ...]
"""The ids of a series, one for each series column."""


class LayoutPart(NamedTuple):
    """The first steps of some series of a panel, and which series of the new panel they go to.

    series, home: [n], numbers in `panel` and in the new panel. steps, future_steps: [n], how many
    rows of values and of known-future covariates are taken from the first step on.
    """

    panel: "Panel"
    series: Ints
    home: Ints
    steps: Ints
    future_steps: Ints


class PlacedPart(NamedTuple):
    """Where the rows of a part lie in the new arrays: of values and past, and of the future."""

    rows: Ints
    future_rows: Ints


class Layout(NamedTuple):
    """The stepped arrays of a new panel, NaN where no part has a value."""

    values: Floats
    offsets: Ints
    past: Floats
    future: Floats
    future_offsets: Ints


def whole_panel_part(panel: "Panel", home: Ints) -> LayoutPart:
    """All steps of all series of a panel, which go to the series `home` [N] of the new one."""
    return LayoutPart(
        panel=panel,
        series=np.arange(len(panel)),
        home=home,
        steps=panel.lengths,
        future_steps=panel.future_lengths,
    )


def lay_out_parts(
    parts: Sequence[LayoutPart], start: Ints, lengths: Ints, future_lengths: Ints
) -> tuple[Layout, list[PlacedPart]]:
    """Lay parts of panels on one axis; where two have the same step, the later part counts.

    start, lengths: ordinal of the first step [N] and steps [N] of each new series.
    future_lengths: [N], its rows of known-future covariates.
    """
    offsets = offsets_from_lengths(lengths)
    future_offsets = offsets_from_lengths(future_lengths)

    model = parts[0].panel
    total = offsets[-1]
    future_total = future_offsets[-1]
    values = np.full(total, np.nan)
    past = _missing_rows(total, model.past.shape[1])
    future = _missing_rows(future_total, model.future.shape[1])

    places = []
    for part in parts:
        panel = part.panel
        # How many steps a series of the part begins after its new home does.
        shift = panel.start[part.series] - start[part.home]
        first_rows = offsets[part.home] + shift
        first_future_rows = future_offsets[part.home] + shift
        rows = concat_ranges(first_rows, part.steps)
        future_rows = concat_ranges(first_future_rows, part.future_steps)
        places.append(PlacedPart(rows, future_rows))

        taken, future_taken = _find_rows_taken(part)
        values[rows] = panel.values[taken]
        past[rows] = panel.past[taken]
        future[future_rows] = panel.future[future_taken]

    layout = Layout(values, offsets, past, future, future_offsets)
    return layout, places


def _missing_rows(rows: int, width: int) -> Floats:
    return np.full((rows, width), np.nan)


def _find_rows_taken(part: LayoutPart) -> tuple[Ints | slice, Ints | slice]:
    """Rows of a part's panel that are taken: of values and past, and of the future."""
    panel = part.panel
    if _is_whole(part):  # whole arrays are taken as they are, without a copy
        return slice(None), slice(None)

    begin = panel.offsets[part.series]
    future_begin = panel.future_offsets[part.series]
    taken = concat_ranges(begin, part.steps)
    future_taken = concat_ranges(future_begin, part.future_steps)
    return taken, future_taken


def _is_whole(part: LayoutPart) -> bool:
    panel = part.panel
    every = np.arange(len(panel))
    # In any other order, or cut short, the rows of the part are not those of the panel.
    return (
        np.array_equal(part.series, every)
        and np.array_equal(part.steps, panel.lengths)
        and np.array_equal(part.future_steps, panel.future_lengths)
    )


def extend_future(
    panel: "Panel", future_lengths: Ints, new_columns: int = 0
) -> tuple[Floats, Ints]:
    """Return known-future covariates with room for more rows and columns, and their offsets.

    future_lengths: [N], rows of each series, no fewer than it has. The room is NaN.
    """
    offsets = offsets_from_lengths(future_lengths)
    width = panel.future.shape[1]
    total = offsets[-1]
    future = _missing_rows(total, width + new_columns)

    begin = offsets[:-1]
    rows = concat_ranges(begin, panel.future_lengths)
    future[rows, :width] = panel.future
    return future, offsets


def match_keys(keys: Iterable[SeriesKey], known: Iterable[SeriesKey]) -> Ints:
    """Return the place of each key in `known`, int64 [N]; -1 where it is absent."""
    place_by_key = {key: place for place, key in enumerate(known)}
    places = [place_by_key.get(key, -1) for key in keys]
    return np.array(places, dtype=np.int64)
