"""A later panel beside the one that a run was trained on: what is new about it, and history that it lacks.

Axes: N series of the later panel, T steps.
"""

from dataclasses import replace

import numpy as np

from lstmcast.errors import DataError, format_names
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Bools, Floats, Ints, concat_ranges, offsets_from_lengths


def with_training_history(
    panel: Panel, known: Panel, context: int, *, since: bool = False
) -> Panel:
    """The later panel with the history of `known` before series too short to look back `context` steps.

    They look back from their own end; `since` the end of `known`, from that. Its notes say what
    differs: series that are new, missing, ended, short, or whose static covariates changed. A
    series that begins more than `context` steps after its history stays as it is. Raises DataError
    where frequency or covariates are not those of `known`.
    """
    require_compatible_panels(panel, known)
    place = panel.align(known)
    gap = panel.start - (known.start + known.lengths)[place]
    have = np.where(place >= 0, -gap, context) if since else panel.lengths
    lacks = (place >= 0) & (have < context) & (panel.start > known.start[place]) & (gap <= context)
    joined = _prepend_history(panel, known, place, lacks) if lacks.any() else panel
    notes = _note_differences(panel, known, place)
    if lacks.any():
        notes.append(
            f"too short to look back {context} steps: {describe_some_series(panel, lacks)}; the run's own past goes before"
        )
    short = (joined.lengths < context) & ((place < 0) | (joined.lengths < known.lengths[place]))
    if short.any():
        notes.append(
            f"too short to look back {context} steps: {describe_some_series(panel, short)}; forecast from what there is"
        )
    return replace(joined, notes=(*panel.notes, *notes))


def require_compatible_panels(panel: Panel, known: Panel) -> None:
    """Raise DataError where frequency or covariates of a panel are not those of `known`."""
    if panel.axis.grid != known.axis.grid:
        raise DataError(
            f"the data are {panel.axis.grid.words} ({panel.axis.freq}), those of the training"
            f" {known.axis.grid.words} ({known.axis.freq})",
            "give data of the frequency that was trained on",
        )
    for role in ("past_names", "future_names", "static_names"):
        if getattr(panel, role) != getattr(known, role):
            raise DataError(
                f"the covariates are {format_names(getattr(panel, role)) or 'none'},"
                f" those of the training {format_names(getattr(known, role)) or 'none'}",
                "read the data as they were read for the training: Panel.from_frame(frame, like=forecaster.panel)",
            )


def _note_differences(panel: Panel, known: Panel, place: Ints) -> list[str]:
    notes = []
    if (place < 0).any() and known.key_names:
        notes.append(
            f"not seen in training: {describe_some_series(panel, place < 0)}; forecast from their own history"
        )
    missing = known.align(panel) < 0
    if missing.any() and known.key_names:
        notes.append(
            f"series of the training that are missing here: {describe_some_series(known, missing)}"
        )
    ends = panel.start + panel.lengths
    early = ends < ends.max()
    if early.any():
        first = int(early.argmax())
        newest, own = panel.axis.texts(np.array([ends.max() - 1, ends[first] - 1]))
        notes.append(
            f"end before {newest}: {describe_some_series(panel, early)}; each is forecast from its own end, as from {own}"
        )
    return notes + note_changed_statics(panel, known, place)


def note_changed_statics(panel: Panel, known: Panel, place: Ints) -> list[str]:
    """What there is to say about static covariates that are not what they were."""
    seen = np.flatnonzero(place >= 0)
    now, then = panel.static[seen], known.static[place[seen]]
    differs = (now != then) & ~(np.isnan(now) & np.isnan(then))
    changed: dict[str, Bools] = {}
    for number, name in enumerate(panel.static_names):
        column, which = name.partition("=")[0], np.zeros(len(panel), dtype=bool)
        which[seen] = differs[:, number]
        changed[column] = changed.get(column, which) | which
    return [
        f"static covariate {column!r} changed since training: {describe_some_series(panel, which)}"
        for column, which in changed.items()
        if which.any()
    ]


def _prepend_history(panel: Panel, known: Panel, place: Ints, lacks: Bools) -> Panel:
    """The panel with the steps of `known` before the first step of each series that `lacks` [N] them."""
    before = np.where(lacks, panel.start - known.start[place], 0)
    lengths, total = panel.lengths + before, np.diff(panel.future_offsets) + before
    offsets, future_offsets = (offsets_from_lengths(n) for n in (lengths, total))
    own = concat_ranges(offsets[:-1] + before, panel.lengths)
    there = np.minimum(before, np.where(lacks, known.lengths[place], 0))
    taken, put = concat_ranges(known.offsets[place], there), concat_ranges(offsets[:-1], there)
    ahead = np.minimum(before, np.where(lacks, np.diff(known.future_offsets)[place], 0))
    planned, plan_put = (
        concat_ranges(known.future_offsets[place], ahead),
        concat_ranges(future_offsets[:-1], ahead),
    )
    own_future = concat_ranges(future_offsets[:-1] + before, np.diff(panel.future_offsets))
    return replace(
        panel,
        values=scatter_rows(int(offsets[-1]), (own, panel.values), (put, known.values[taken])),
        offsets=offsets,
        start=panel.start - before,
        past=scatter_rows(int(offsets[-1]), (own, panel.past), (put, known.past[taken])),
        future=scatter_rows(
            int(future_offsets[-1]), (own_future, panel.future), (plan_put, known.future[planned])
        ),
        future_offsets=future_offsets,
    )


def scatter_rows(total: int, *parts: tuple[Ints, Floats]) -> Floats:
    """Rows at their places in an array of `total` rows, NaN between them; later parts lie over earlier ones."""
    out = np.full((total, *parts[0][1].shape[1:]), np.nan)
    for place, rows in parts:
        out[place] = rows
    return out


def describe_some_series(panel: Panel, which: Bools) -> str:
    """How many of the series, and a few of their names."""
    if not panel.key_names:
        return "the series"
    names = ["/".join(panel.keys[i]) for i in np.flatnonzero(which).tolist()[:4]]
    return f"{int(which.sum())} of {len(panel)} series ({format_names(names, int(which.sum()))})"


def append_new_series(panel: Panel, other: Panel) -> Panel:
    """The panel, and behind its series those of `other` that it lacks."""
    rest = other.select(np.flatnonzero(other.align(panel) < 0))
    if not len(rest):
        return panel
    return replace(
        panel,
        keys=panel.keys + rest.keys,
        values=np.concatenate([panel.values, rest.values]),
        offsets=np.concatenate([panel.offsets, panel.offsets[-1] + rest.offsets[1:]]),
        start=np.concatenate([panel.start, rest.start]),
        past=np.concatenate([panel.past, rest.past]),
        future=np.concatenate([panel.future, rest.future]),
        future_offsets=np.concatenate(
            [panel.future_offsets, panel.future_offsets[-1] + rest.future_offsets[1:]]
        ),
        static=np.concatenate([panel.static, rest.static]),
    )
