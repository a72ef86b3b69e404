"""What a forecast starts from: unlikely values left out, and a level that has shifted followed.

Each window is cleaned by what it may know alone. Knows no networks.

Axes: N series, K windows, T steps.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from lstmcast.features.steps import Seasons
from lstmcast.features.unlikely import Recent, find_unlikely
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Floats, Ints
from lstmcast.scoring.wording import format_figure

_MAX_NAMED = 3


class Part(NamedTuple):
    """Windows [k] that are forecast together: their numbers, and where they look back."""

    windows: Ints
    panel: Panel
    series: Ints
    origins: Ints


class UnlikelyValue(NamedTuple):
    """A value that the past of its series makes unlikely."""

    series: int
    step: int
    value: float
    expected: float


class LevelShift(NamedTuple):
    """The first step of a level that differs from the one before, by `change`.

    It is a factor where `is_factor`, else a sum.
    """

    series: int
    step: int
    change: float
    is_factor: bool


def split_windows(
    panel: Panel, series: Ints, origins: Ints, seasons: Seasons, *, joint: bool = False
) -> Iterator[Part]:
    """Split windows [K] into parts to forecast one after the other, later ones instead of earlier.

    Joint series read each other up to their ends: of them only ends are cleaned.
    """
    every = np.arange(len(series))
    first = panel.offsets[series]
    ends = first + origins + 1
    found = find_unlikely(panel.values, first, ends, seasons)
    if not found:
        yield Part(every, panel, series, origins)
        return

    cleaned = np.array(sorted(found), dtype=np.int64)
    last = panel.lengths[series] - 1
    is_end = origins == last
    own = np.unique(series)
    is_once = len(own) == len(series)
    if is_end.all() and is_once:
        # The windows need no panel of their own.
        values = panel.values.copy()
        for window in cleaned.tolist():
            stretch = slice(first[window], ends[window])
            values[stretch] = clean_values(values[stretch], found[window])

        clean_panel = replace(panel, values=values)
        yield Part(every, clean_panel, series, origins)
        return

    if joint:
        yield Part(every, panel, series, origins)
        return

    # All are forecast as they are, so that nothing about one window changes how others round; those
    # that were cleaned follow one by one, and take the place of what was forecast first.
    yield Part(every, panel, series, origins)
    for window in cleaned.tolist():
        place = np.array([window])
        origin = origins[place]
        whole = panel.select(series[place])
        past = whole.head(origin + 1)

        values = clean_values(past.values, found[window])
        clean_past = replace(past, values=values)
        only_series = np.zeros(1, np.int64)
        yield Part(place, clean_past, only_series, origin)


def clean_values(y: Floats, recent: Recent) -> Floats:
    """Return a series [T] whose unlikely values are missing, all of it at its newest level."""
    clean = y.copy()
    unlikely = len(y) - recent.steps
    clean[unlikely] = np.nan
    if not recent.shift:
        return clean

    # What lies before the shift follows it, so that all of the past is of use.
    begin = len(y) - recent.shift
    before = slice(0, begin)
    if recent.is_factor:
        clean[before] *= recent.change
        return clean

    clean[before] += recent.change
    is_negative = y < 0
    if not is_negative.any():
        # What was never negative is not made so.
        clean[before] = np.maximum(clean[before], 0.0)
    return clean


def find_unlikely_recent_values(
    panel: Panel, seasons: Seasons
) -> tuple[list[UnlikelyValue], list[LevelShift]]:
    """Find the newest values of series that their past makes unlikely, and levels that shifted."""
    starts = panel.offsets[:-1]
    ends = panel.offsets[1:]
    found = find_unlikely(panel.values, starts, ends, seasons)

    unlikely = []
    shifts = []
    for series, recent in found.items():
        length = int(panel.lengths[series])
        y = panel.series(series)

        # Steps are counted from the end there, and from the start here.
        steps = recent.steps.tolist()
        pairs = zip(steps, recent.expected.tolist(), strict=True)
        for back, expected in pairs:
            step = length - back
            value = float(y[step])
            unlikely.append(UnlikelyValue(series, step, value, expected))

        if recent.shift:
            step = length - recent.shift
            shift = LevelShift(series, step, recent.change, recent.is_factor)
            shifts.append(shift)

    return unlikely, shifts


def without_unlikely_values(panel: Panel, seasons: Seasons) -> Panel:
    """Return a panel in which the unlikely newest values are missing."""
    unlikely, _ = find_unlikely_recent_values(panel, seasons)
    if not unlikely:
        return panel
    values = panel.values.copy()
    for one in unlikely:
        begin = panel.offsets[one.series]
        values[begin + one.step] = np.nan

    return replace(panel, values=values)


def describe_recent(panel: Panel, seasons: Seasons) -> list[str]:
    """Say which of the newest values are unlikely, and where a level shifted."""
    unlikely, shifts = find_unlikely_recent_values(panel, seasons)
    notes = []
    if unlikely:
        # A panel may have thousands of them: the first ones stand for all.
        named = [_name_value(panel, value) for value in unlikely[:_MAX_NAMED]]
        values = "; ".join(named)
        rest = len(unlikely) - len(named)
        more = f" and {rest:,} more" if rest else ""

        count = "one of the newest values is"
        if len(unlikely) > 1:
            count = f"{len(unlikely):,} of the newest values are"

        notes.append(
            f"{count} unlikely and left out of the forecast: "
            f"{values}{more} (--last keep: take all as they are)"
        )

    if shifts:
        first = shifts[0]
        change = f"{first.change:+.4g}"
        if first.is_factor:
            change = f"{first.change:.4g} times"

        place = _name_step(panel, first.series, first.step)
        rest = len(shifts) - 1
        more = f", and {rest:,} more series" if rest else ""
        notes.append(
            f"the level shifted at {place} "
            f"({change}){more}: forecasts go on from the new one"
        )

    return notes


def _name_value(panel: Panel, value: UnlikelyValue) -> str:
    place = _name_step(panel, value.series, value.step)
    # No exponent, with which few people can compare numbers.
    # As the file writes it, and so without commas.
    seen = f"{value.value:.0f}" if abs(value.value) >= 1e6 else f"{value.value:.6g}"
    return f"{seen} at {place}, where {format_figure(value.expected)} was likely"


def _name_step(panel: Panel, series: int, step: int) -> str:
    # Stamps are numbered for all series alike, whatever their first one is.
    start = int(panel.start[series])
    stamp = panel.stamp_text(start + step)
    if not panel.key_names:
        return stamp
    key = "/".join(panel.keys[series])
    return f"{stamp} of {key}"
