"""A later panel beside the one that a run was trained on: what is new, and history that it lacks.

Axes: N series of the later panel, T steps, L context.
"""

from dataclasses import replace

import numpy as np

from lstmcast.errors import DataError, format_names
from lstmcast.panel.layout import LayoutPart, lay_out_parts, whole_panel_part
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Bools, Ints

MAX_GAP_STEPS = 5_000_000
"""Most missing steps, of all series together, that are laid between history and later rows."""


def with_training_history(
    panel: Panel, known: Panel, context: int, *, since: bool = False
) -> Panel:
    """Return the later panel with the history of `known` before series shorter than the context.

    known: the panel a run was trained on. A series needs `context` steps before its own end; with
    `since`, before the end of `known`. Steps between the history and a series that begins later are
    missing, however many they are, up to `MAX_GAP_STEPS` in all; with `since` they are `context` at
    most, or the series stays as it is. The notes say what differs: series
    that are new, missing, ended, short, or whose static covariates changed. Raises DataError where
    frequency or covariates are not those of `known`.
    """
    require_compatible_panels(panel, known)
    place = panel.align(known)  # -1 where a series is new
    in_training = place >= 0

    extended = _find_series_to_extend(panel, known, place, context, since=since)
    joined = panel
    if extended.any():
        joined = _prepend_history(panel, known, place, extended)

    notes = _note_differences(panel, known, place)
    too_short = f"too short to look back {context} steps: "
    if extended.any():
        names = describe_some_series(panel, extended)
        notes.append(f"{too_short}{names}; the run's own past goes before")

    # A series that is as long as it was in training has all the history that there is.
    as_long = joined.lengths >= known.lengths[place]
    all_known = in_training & as_long
    short = (joined.lengths < context) & ~all_known
    if short.any():
        names = describe_some_series(panel, short)
        notes.append(f"{too_short}{names}; forecast from what there is")

    return replace(joined, notes=(*panel.notes, *notes))


def _find_series_to_extend(
    panel: Panel, known: Panel, place: Ints, context: int, *, since: bool
) -> Bools:
    """Which series [N] get history: those that lack it, unless the gaps would take the memory."""
    in_training = place >= 0

    # Where a series is new, its place is -1 and what is taken from `known` means nothing.
    known_start = known.start[place]
    known_end = known_start + known.lengths[place]
    gap = panel.start - known_end

    available = panel.lengths
    if since:
        available = np.where(in_training, -gap, context)

    is_short = available < context
    begins_later = panel.start > known_start
    extended = in_training & is_short & begins_later
    gaps = np.where(extended, np.maximum(gap, 0), 0)
    if gaps.sum() <= MAX_GAP_STEPS and not since:
        return extended
    # What is judged from the end of the training on must not begin long after it.
    return extended & (gaps <= context)


def require_compatible_panels(panel: Panel, known: Panel) -> None:
    """Raise DataError where frequency or covariates of a panel are not those of `known`."""
    axis = panel.axis
    known_axis = known.axis
    if axis.grid != known_axis.grid:
        raise DataError(
            f"the data are {axis.grid.words} ({axis.freq}), those of the training"
            f" {known_axis.grid.words} ({known_axis.freq})",
            "give data of the frequency that was trained on",
        )

    # In the same order, too: the network knows covariates by their places only.
    for role in ("past_names", "future_names", "static_names"):
        names = getattr(panel, role)
        known_names = getattr(known, role)
        if names != known_names:
            raise DataError(
                f"the covariates are {format_names(names) or 'none'},"
                f" those of the training {format_names(known_names) or 'none'}",
                "read the data as they were read for the training:"
                " Panel.from_frame(frame, like=forecaster.panel)",
            )


def _note_differences(panel: Panel, known: Panel, place: Ints) -> list[str]:
    """Note series that are new, missing, ended early or of other static covariates."""
    notes = []

    new = place < 0
    if new.any() and known.key_names:
        names = describe_some_series(panel, new)
        notes.append(f"not seen in training: {names}; forecast from their own history")

    missing = known.align(panel) < 0
    if missing.any() and known.key_names:
        names = describe_some_series(known, missing)
        notes.append(f"series of the training that are missing here: {names}")

    notes += note_ended_series(panel)
    return notes + note_changed_statics(panel, known, place)


def note_ended_series(panel: Panel) -> list[str]:
    """Note series that end before the newest: each is forecast from its own end."""
    ends = panel.start + panel.lengths
    early = ends < ends.max()
    if not early.any():
        return []

    # The first of them stands for all; an end is the step after the last one.
    example = int(early.argmax())
    newest_and_example = np.array([ends.max(), ends[example]])
    newest, end = panel.axis.texts(newest_and_example - 1)
    names = describe_some_series(panel, early)
    return [
        f"end before {newest}: {names}; each is forecast from its own end, as from {end}"
    ]


def note_changed_statics(panel: Panel, known: Panel, place: Ints) -> list[str]:
    """Note static covariates whose values changed since training.

    place: [N], number of each series in `known`, -1 where it is new.
    """
    in_both = np.flatnonzero(place >= 0)
    now = panel.static[in_both]
    then = known.static[place[in_both]]
    both_missing = np.isnan(now) & np.isnan(then)
    differs = (now != then) & ~both_missing

    # A text covariate is several encoded columns: it changed where any of them did.
    changed: dict[str, Bools] = {}
    for number, name in enumerate(panel.static_names):
        column = name.partition("=")[0]
        series = np.zeros(len(panel), dtype=bool)
        series[in_both] = differs[:, number]
        changed[column] = changed.get(column, series) | series

    notes = []
    for column, series in changed.items():
        if series.any():
            names = describe_some_series(panel, series)
            notes.append(f"static covariate {column!r} changed since training: {names}")
    return notes


def _prepend_history(panel: Panel, known: Panel, place: Ints, extended: Bools) -> Panel:
    """Prepend the steps of `known` to the series that are `extended` [N]."""
    earlier_steps = panel.start - known.start[place]
    before = np.where(extended, earlier_steps, 0)
    series = np.flatnonzero(extended)
    source = place[series]
    missing_steps = before[series]

    # Only what lies before the panel's own first step, which may be missing on purpose.
    history = LayoutPart(
        panel=known,
        series=source,
        home=series,
        steps=np.minimum(missing_steps, known.lengths[source]),
        future_steps=np.minimum(missing_steps, known.future_lengths[source]),
    )

    own = whole_panel_part(panel, np.arange(len(panel)))
    start = panel.start - before
    layout, _ = lay_out_parts(
        [own, history],
        start=start,
        lengths=panel.lengths + before,
        future_lengths=panel.future_lengths + before,
    )

    return replace(panel, start=start, **layout._asdict())


def describe_some_series(panel: Panel, chosen: Bools) -> str:
    """Say how many of the series [N] are chosen, and a few of their names."""
    if not panel.key_names:
        return "the series"

    some = np.flatnonzero(chosen)[:4]
    names = ["/".join(panel.keys[i]) for i in some.tolist()]
    count = int(chosen.sum())
    shown = format_names(names, count)
    return f"{count} of {len(panel)} series ({shown})"


def append_new_series(panel: Panel, other: Panel) -> Panel:
    """Return the panel, and after its series those of `other` that it lacks."""
    is_new = other.align(panel) < 0
    rest = other.select(np.flatnonzero(is_new))
    if not len(rest):
        return panel

    count = len(panel)
    home = np.arange(count)
    rest_home = count + np.arange(len(rest))
    parts = [whole_panel_part(panel, home), whole_panel_part(rest, rest_home)]
    start = np.concatenate([panel.start, rest.start])
    layout, _ = lay_out_parts(
        parts,
        start=start,
        lengths=np.concatenate([panel.lengths, rest.lengths]),
        future_lengths=np.concatenate([panel.future_lengths, rest.future_lengths]),
    )

    return replace(
        panel,
        keys=panel.keys + rest.keys,
        start=start,
        static=np.concatenate([panel.static, rest.static]),
        **layout._asdict(),
    )
