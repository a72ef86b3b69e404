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
from lstmcast.panel.gaps import fill_gaps
from lstmcast.panel.layout import (
    LayoutPart,
    PlacedPart,
    lay_out_parts,
    whole_panel_part,
)
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
    if known.fill == "none" and later.fill != "none":
        # Runs of older versions hold what was filled as values.
        later = replace(later, values=fill_gaps(later), fill="none")
    place = later.align(known)

    # Series of the run keep their numbers, new ones come after them.
    new_series = np.flatnonzero(place < 0)
    new_count = len(new_series)
    known_home = np.arange(len(known))
    later_home = place.copy()
    later_home[new_series] = len(known) + np.arange(new_count)

    known_part = whole_panel_part(known, known_home)
    later_part = whole_panel_part(later, later_home)
    parts = (known_part, later_part)

    spans = _measure_merged_spans(parts, len(known) + new_count)
    lengths = spans.end - spans.start
    future_lengths = spans.future_end - spans.start
    layout, places = lay_out_parts(parts, spans.start, lengths, future_lengths)

    new_keys = [later.keys[i] for i in new_series.tolist()]
    merged = replace(
        known,
        keys=(*known.keys, *new_keys),
        start=spans.start,
        static=_merge_statics(known, later, later_home, new_count),
        notes=(*later.notes, *_note_series_changes(known, later, place)),
        **layout._asdict(),
    )

    # Steps after the end that the run had; all steps of a series that it did not have.
    known_end = spans.start.copy()
    known_end[known_home] = known.start + known.lengths
    new_rows = int((spans.end - known_end).sum())

    no_number = np.full(new_count, -1)
    number = np.concatenate([known_home, no_number])
    changes = _count_changes(merged, known, *places)
    return MergedPanel(merged, number, new_rows, *changes)


class _MergedSpans(NamedTuple):
    """Of each merged series [N]: its first step, and where its values and its future end."""

    start: Ints
    end: Ints
    future_end: Ints


def _measure_merged_spans(parts: Sequence[LayoutPart], count: int) -> _MergedSpans:
    """Span from the earliest start of a series in any of the parts to its latest end."""
    far = np.iinfo(np.int64)
    start = np.full(count, far.max)
    end = np.full(count, far.min)
    future_end = np.full(count, far.min)

    for part in parts:
        panel = part.panel
        part_end = panel.start + panel.lengths
        part_future_end = panel.start + panel.future_lengths
        np.minimum.at(start, part.home, panel.start)
        np.maximum.at(end, part.home, part_end)
        np.maximum.at(future_end, part.home, part_future_end)

    future_end = np.maximum(future_end, end)
    return _MergedSpans(start, end, future_end)


def _merge_statics(known: Panel, later: Panel, later_home: Ints, new: int) -> Floats:
    """The static covariates [N, Cs], the later ones where both panels have a series."""
    width = known.static.shape[1]
    room = np.full((new, width), np.nan)
    static = np.concatenate([known.static, room])
    static[later_home] = later.static
    return static


def _count_changes(
    merged: Panel, known: Panel, known_rows: PlacedPart, later_rows: PlacedPart
) -> _Changes:
    """Count the values of the run that the later panel supplies or contradicts."""
    target = _Block(
        names=merged.columns.target,
        old=known.values[:, None],
        new=merged.values[:, None],
        rows=known_rows.rows,
        later_rows=later_rows.rows,
        offsets=merged.offsets,
    )
    past = target._replace(names=merged.past_names, old=known.past, new=merged.past)

    # Values known ahead may change until their day has come: only those up to the end count.
    until_end = concat_ranges(known.future_offsets[:-1], known.lengths)
    future = _Block(
        names=merged.future_names,
        old=known.future[until_end],
        new=merged.future,
        rows=known_rows.future_rows[until_end],
        later_rows=later_rows.future_rows,
        offsets=merged.future_offsets,
    )

    late = 0
    changed = 0
    first = ""
    for block in (target, past, future):
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
        name = block.names[column]
        new_row = int(rows[row])
        place = _describe_place(merged, block.offsets, new_row)
        before = _format_value(then[row, column])
        after = _format_value(now[row, column])
        first = f"{place}, {name}: {before} -> {after}"

    late = int(came.sum())
    changed = int(differs.sum())
    return _Changes(late, changed, first)


def _describe_place(merged: Panel, offsets: Ints, row: int) -> str:
    """The series and the stamp of a row."""
    series = int(np.searchsorted(offsets, row, "right")) - 1
    step = row - int(offsets[series])
    ordinal = int(merged.start[series]) + step
    stamp = merged.stamp_text(ordinal)
    if not merged.key_names:
        return stamp

    key = "/".join(merged.keys[series])
    return f"{key}, {stamp}"


def _find_changes(then: Floats, now: Floats) -> tuple[Bools, Bools]:
    """Which values [n, C] came late, and which are no longer what they were."""
    was_missing = np.isnan(then)
    is_missing = np.isnan(now)
    came = was_missing & ~is_missing
    gone = ~was_missing & is_missing

    # A comparison with a missing value is false: it is neither the same nor different.
    distance = np.abs(now - then)
    tolerance = RELATIVE_TOLERANCE * np.abs(then)
    return came, gone | (distance > tolerance)


def _format_value(value: float) -> str:
    return "missing" if np.isnan(value) else f"{value:.12g}"


def _note_series_changes(known: Panel, later: Panel, place: Ints) -> list[str]:
    """Note series that are new, missing or of other static covariates, and rows that are older."""
    notes = note_changed_statics(later, known, place)
    is_new = place < 0

    # Where a series is new, its place is -1 and what is taken from `known` means nothing.
    earlier_steps = known.start[place] - later.start
    older = np.where(is_new, 0, earlier_steps).clip(min=0)
    count = int(older.sum())
    if count:
        notes.append(
            f"{count:,} rows are older than those of the run, and cannot be compared"
        )

    missing = known.align(later) < 0
    if missing.any() and known.key_names:
        names = describe_some_series(known, missing)
        notes.append(
            f"series of the run that are missing here: {names}; they stay as they are"
        )

    if is_new.any() and known.key_names:
        names = describe_some_series(later, is_new)
        notes.append(f"new series: {names}")

    return notes
