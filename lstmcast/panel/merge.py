"""The panel that a run keeps merged with a later one, and the values in which the two differ.

Axes: N series of both together, those of the run first; T steps; C covariates.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from lstmcast.panel.extend import (
    describe_some_series,
    note_changed_statics,
    require_compatible_panels,
)
from lstmcast.panel.layout import PlacedPart, lay_out_parts, whole_panel_part
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Bools, Floats, Ints, concat_ranges

RELATIVE_TOLERANCE = 1e-9
"""Values that differ by no more than this share are the same number, read or added up in another
way."""


@dataclass(frozen=True, eq=False)
class MergedPanel:
    """Both panels as one.

    known: [N], the number of each series in the run, -1 where it is new. rows: steps that the run
    did not have.
    late: values that were missing and have come. changed: values that are not what they were, and
    `first` of them in words.
    """

    panel: Panel
    known: Ints
    rows: int
    late: int
    changed: int
    first: str


class _Changes(NamedTuple):
    """Values that came late, values that changed, and the first of those in words."""

    late: int
    changed: int
    first: str


class _Block(NamedTuple):
    """Values of one role in the run [k, C] and in the merged panel [n, C].

    rows, later_rows: the rows of the merged panel that are those of the run, and those of the later
    panel. offsets: where the series of the merged panel begin.
    """

    names: Sequence[str]
    old: Floats
    new: Floats
    rows: Ints
    later_rows: Ints
    offsets: Ints


def merge_panels(known: Panel, later: Panel) -> MergedPanel:
    """Merge a later panel into that of a run; of steps that both have, the later one counts.

    Series that are missing in the later one stay as they are. Rows older than those of `known`
    count as known: a run of very many rows keeps the newest. Raises DataError where frequency or
    covariates are not those of `known`.
    """
    require_compatible_panels(later, known)
    place = later.align(known)
    # Series of the run keep their numbers, new ones come after them.
    new_series = np.flatnonzero(place < 0)
    later_home = place.copy()
    later_home[new_series] = len(known) + np.arange(len(new_series))
    known_home = np.arange(len(known))
    number = np.concatenate([known_home, np.full(len(new_series), -1)])
    homes = ((known_home, known), (later_home, later))

    # A merged series goes from the earlier of the two starts to the later of the two ends.
    start = np.full(len(number), np.iinfo(np.int64).max)
    end = np.full(len(number), np.iinfo(np.int64).min)
    future_end = np.full(len(number), np.iinfo(np.int64).min)
    static = np.full((len(number), known.static.shape[1]), np.nan)
    for home, panel in homes:
        np.minimum.at(start, home, panel.start)
        np.maximum.at(end, home, panel.start + panel.lengths)
        np.maximum.at(future_end, home, panel.start + panel.future_lengths)
        static[home] = panel.static

    layout, places = lay_out_parts(
        [whole_panel_part(panel, home) for home, panel in homes],
        start,
        end - start,
        np.maximum(future_end, end) - start,
    )
    merged = replace(
        known,
        keys=(*known.keys, *(later.keys[i] for i in new_series.tolist())),
        start=start,
        static=static,
        notes=(*later.notes, *_note_series_changes(known, later, place)),
        **layout._asdict(),
    )
    # Steps after the end that the run had; all steps of a series that it did not have.
    known_end = np.where(number >= 0, (known.start + known.lengths)[number], start)
    new_rows = int((end - known_end).sum())
    changes = _count_changes(merged, known, *places)
    return MergedPanel(merged, number, new_rows, *changes)


def _count_changes(
    merged: Panel, known: Panel, known_rows: PlacedPart, later_rows: PlacedPart
) -> _Changes:
    """Count the values of the run that the later panel supplies or contradicts."""
    steps = (known_rows.rows, later_rows.rows, merged.offsets)
    # Values known ahead may change until their day has come: only those up to the end count.
    past = concat_ranges(known.future_offsets[:-1], known.lengths)
    future_rows = known_rows.future_rows[past]
    blocks = [
        _Block(
            merged.columns.target, known.values[:, None], merged.values[:, None], *steps
        ),
        _Block(merged.past_names, known.past, merged.past, *steps),
        _Block(
            merged.future_names,
            known.future[past],
            merged.future,
            future_rows,
            later_rows.future_rows,
            merged.future_offsets,
        ),
    ]
    late = changed = 0
    first = ""
    for block in blocks:
        changes = _count_block_changes(merged, block)
        late += changes.late
        changed += changes.changed
        first = first or changes.first
    return _Changes(late, changed, first)


def _count_block_changes(merged: Panel, block: _Block) -> _Changes:
    # Only steps that both panels have can differ.
    in_later = np.zeros(len(block.new), dtype=bool)
    in_later[block.later_rows] = True
    in_both = in_later[block.rows]
    rows = block.rows[in_both]
    then = block.old[in_both]
    now = block.new[rows]
    came, differs = _find_changes(then, now)
    first = ""
    if differs.any():
        row, column = np.argwhere(differs)[0].tolist()
        name = block.names[column] if column < len(block.names) else block.names[0]
        place = _describe_place(merged, block.offsets, int(rows[row]))
        before, after = (
            _format_value(then[row, column]),
            _format_value(now[row, column]),
        )
        first = f"{place}, {name}: {before} -> {after}"
    return _Changes(int(came.sum()), int(differs.sum()), first)


def _describe_place(merged: Panel, offsets: Ints, row: int) -> str:
    """The series and the stamp of a row."""
    series = int(np.searchsorted(offsets, row, "right")) - 1
    stamp = merged.axis.texts(
        merged.start[series : series + 1] + row - offsets[series]
    )[0]
    return f"{'/'.join(merged.keys[series])}, {stamp}" if merged.key_names else stamp


def _find_changes(then: Floats, now: Floats) -> tuple[Bools, Bools]:
    """Which values [n, C] came late, and which are no longer what they were."""
    # A comparison with a missing value is false: it is neither the same nor different.
    came = np.isnan(then) & ~np.isnan(now)
    gone = ~np.isnan(then) & np.isnan(now)
    return came, gone | (np.abs(now - then) > RELATIVE_TOLERANCE * np.abs(then))


def _format_value(value: float) -> str:
    return "missing" if np.isnan(value) else f"{value:.12g}"


def _note_series_changes(known: Panel, later: Panel, place: Ints) -> list[str]:
    """Note series that are new, missing or of other static covariates, and rows that are older."""
    notes = note_changed_statics(later, known, place)
    older = np.where(place >= 0, known.start[place] - later.start, 0).clip(min=0)
    if older.any():
        count = int(older.sum())
        notes.append(
            f"{count:,} rows are older than those of the run, and cannot be compared"
        )
    missing = known.align(later) < 0
    if missing.any() and known.key_names:
        names = describe_some_series(known, missing)
        notes.append(
            f"series of the run that are missing here: {names}; they stay as they are"
        )
    if (place < 0).any() and known.key_names:
        notes.append(f"new series: {describe_some_series(later, place < 0)}")
    return notes
