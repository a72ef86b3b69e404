"""The flat arrays of a panel laid out anew: series longer than they were, or of several panels.

Axes: N series of the new panel, n series of a part, T steps, Cp past, Cf known-future covariates.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lstmcast.ragged import Floats, Ints, concat_ranges, offsets_from_lengths

if TYPE_CHECKING:
    from lstmcast.panel.panel import Panel


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
    every = np.arange(len(panel))
    return LayoutPart(panel, every, home, panel.lengths, np.diff(panel.future_offsets))


def lay_out_parts(
    parts: Sequence[LayoutPart], start: Ints, lengths: Ints, future_lengths: Ints
) -> tuple[Layout, list[PlacedPart]]:
    """Lay parts of panels on one axis; where two have the same step, the later part counts.

    start, lengths: ordinal of the first step [N] and steps [N] of each new series.
    future_lengths: [N], its rows of known-future covariates.
    """
    offsets = offsets_from_lengths(lengths)
    future_offsets = offsets_from_lengths(future_lengths)
    places: list[PlacedPart] = []
    values: list[tuple[Ints, Floats]] = []
    past: list[tuple[Ints, Floats]] = []
    future: list[tuple[Ints, Floats]] = []
    for part in parts:
        source = part.panel
        shift = source.start[part.series] - start[part.home]
        rows = concat_ranges(offsets[part.home] + shift, part.steps)
        future_rows = concat_ranges(future_offsets[part.home] + shift, part.future_steps)
        places.append(PlacedPart(rows, future_rows))
        taken: Ints | slice = slice(None)
        future_taken: Ints | slice = slice(None)
        if not _is_whole(part):  # whole arrays are taken as they are, without a copy
            taken = concat_ranges(source.offsets[part.series], part.steps)
            future_taken = concat_ranges(source.future_offsets[part.series], part.future_steps)
        values.append((rows, source.values[taken]))
        past.append((rows, source.past[taken]))
        future.append((future_rows, source.future[future_taken]))
    total, future_total = int(offsets[-1]), int(future_offsets[-1])
    layout = Layout(
        values=_scatter_rows(total, values),
        offsets=offsets,
        past=_scatter_rows(total, past),
        future=_scatter_rows(future_total, future),
        future_offsets=future_offsets,
    )
    return layout, places


def _is_whole(part: LayoutPart) -> bool:
    panel = part.panel
    return (
        np.array_equal(part.series, np.arange(len(panel)))
        and np.array_equal(part.steps, panel.lengths)
        and np.array_equal(part.future_steps, np.diff(panel.future_offsets))
    )


def _scatter_rows(total: int, parts: Sequence[tuple[Ints, Floats]]) -> Floats:
    """Rows at their places in an array of `total` rows, NaN between; later parts lie on top."""
    scattered = np.full((total, *parts[0][1].shape[1:]), np.nan)
    for places, rows in parts:
        scattered[places] = rows
    return scattered


def extend_future(
    panel: "Panel", future_lengths: Ints, new_columns: int = 0
) -> tuple[Floats, Ints]:
    """Return known-future covariates with room for more rows and columns, and their offsets.

    future_lengths: [N], rows of each series, no fewer than it has. The room is NaN.
    """
    offsets = offsets_from_lengths(future_lengths)
    width = panel.future.shape[1]
    future = np.full((int(offsets[-1]), width + new_columns), np.nan)
    rows = concat_ranges(offsets[:-1], np.diff(panel.future_offsets))
    future[rows, :width] = panel.future
    return future, offsets
