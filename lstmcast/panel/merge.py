"""The panel that a run keeps and a later one made one, and where the later one says otherwise of steps that both have.

Axes: N series of both together, those of the run first; T steps; C covariates.
"""

from dataclasses import dataclass, replace

import numpy as np

from lstmcast.panel.extend import (
    describe_some_series,
    note_changed_statics,
    require_compatible_panels,
    scatter_rows,
)
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Bools, Floats, Ints, concat_ranges, offsets_from_lengths

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


def merge_panels(known: Panel, later: Panel) -> MergedPanel:
    """The panel of a run, with what a later one adds to it; of steps that both have, the later one counts.

    Series that are missing in the later one stay as they are. Rows older than those of `known`
    count as known: a run of very many rows keeps the newest. Raises DataError where frequency or
    covariates are not those of `known`.
    """
    require_compatible_panels(later, known)
    found = later.align(known)
    fresh = np.flatnonzero(found < 0)
    home = found.copy()
    home[fresh] = len(known) + np.arange(len(fresh))
    number = np.concatenate([np.arange(len(known)), np.full(len(fresh), -1)])
    parts = (np.arange(len(known)), known), (home, later)
    start = np.full(len(number), np.iinfo(np.int64).max)
    end, reach = (
        np.full(len(number), np.iinfo(np.int64).min),
        np.full(len(number), np.iinfo(np.int64).min),
    )
    for where, panel in parts:
        np.minimum.at(start, where, panel.start)
        np.maximum.at(end, where, panel.start + panel.lengths)
        np.maximum.at(reach, where, panel.start + np.diff(panel.future_offsets))
    offsets, ahead = (
        offsets_from_lengths(end - start),
        offsets_from_lengths(np.maximum(reach, end) - start),
    )
    rows = [concat_ranges(offsets[where] + p.start - start[where], p.lengths) for where, p in parts]
    plans = [
        concat_ranges(ahead[where] + p.start - start[where], np.diff(p.future_offsets))
        for where, p in parts
    ]
    static = np.full((len(number), known.static.shape[1]), np.nan)
    for where, panel in parts:
        static[where] = panel.static
    merged = replace(
        known,
        keys=(*known.keys, *(later.keys[i] for i in fresh.tolist())),
        values=scatter_rows(int(offsets[-1]), (rows[0], known.values), (rows[1], later.values)),
        offsets=offsets,
        start=start,
        past=scatter_rows(int(offsets[-1]), (rows[0], known.past), (rows[1], later.past)),
        future=scatter_rows(int(ahead[-1]), (plans[0], known.future), (plans[1], later.future)),
        future_offsets=ahead,
        static=static,
        notes=(*later.notes, *_note_series_changes(known, later, found)),
    )
    end_known = np.where(number >= 0, (known.start + known.lengths)[number], start)
    late, changed, first = _count_changes(merged, known, rows, plans, ahead)
    return MergedPanel(merged, number, int((end - end_known).sum()), late, changed, first)


def _count_changes(
    merged: Panel, known: Panel, rows: list[Ints], plans: list[Ints], ahead: Ints
) -> tuple[int, int, str]:
    """Values that have come late, values that have changed, and the first of those in words."""
    inside = concat_ranges(
        known.future_offsets[:-1], known.lengths
    )  # a plan may change until its day has come
    blocks = [
        (
            merged.columns.target,
            known.values[:, None],
            merged.values[:, None],
            rows[0],
            rows[1],
            merged.offsets,
        ),
        (merged.past_names, known.past, merged.past, rows[0], rows[1], merged.offsets),
        (
            merged.future_names,
            known.future[inside],
            merged.future,
            plans[0][inside],
            plans[1],
            ahead,
        ),
    ]
    late = changed = 0
    first = ""
    for names, old, new, where, given, offsets in blocks:
        both = np.zeros(len(new), dtype=bool)
        both[given] = True
        then, now = old[both[where]], new[where[both[where]]]
        came, differs = _find_changes(then, now)
        late, changed = late + int(came.sum()), changed + int(differs.sum())
        if differs.any() and not first:
            row, column = (int(place[0]) for place in np.nonzero(differs))
            at = int(where[both[where]][row])
            series = int(np.searchsorted(offsets, at, "right")) - 1
            stamp = merged.axis.texts(merged.start[series : series + 1] + at - offsets[series])[0]
            owner = f"{'/'.join(merged.keys[series])}, " if merged.key_names else ""
            name = names[column] if column < len(names) else names[0]
            first = f"{owner}{stamp}, {name}: {_format_value(then[row, column])} -> {_format_value(now[row, column])}"
    return late, changed, first


def _find_changes(then: Floats, now: Floats) -> tuple[Bools, Bools]:
    """Which values [n, C] have come that were missing, and which are no more what they were."""
    came = np.isnan(then) & ~np.isnan(now)
    gone = ~np.isnan(then) & np.isnan(now)
    return came, gone | (np.abs(now - then) > RELATIVE_TOLERANCE * np.abs(then))


def _format_value(value: float) -> str:
    return "missing" if np.isnan(value) else f"{value:.12g}"


def _note_series_changes(known: Panel, later: Panel, found: Ints) -> list[str]:
    """What there is to say about series that come, go or are not what they were."""
    notes = note_changed_statics(later, known, found)
    older = np.where(found >= 0, known.start[found] - later.start, 0).clip(min=0)
    if older.any():
        notes.append(
            f"{int(older.sum()):,} rows are older than those of the run, and cannot be compared"
        )
    missing = known.align(later) < 0
    if missing.any() and known.key_names:
        notes.append(
            f"series of the run that are missing here: {describe_some_series(known, missing)}; they stay as they are"
        )
    if (found < 0).any() and known.key_names:
        notes.append(f"new series: {describe_some_series(later, found < 0)}")
    return notes
