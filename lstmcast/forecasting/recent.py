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
    found = find_unlikely(panel.values, first, first + origins + 1, seasons)
    if not found:
        yield Part(every, panel, series, origins)
        return

    cleaned = np.array(sorted(found), dtype=np.int64)
    is_end = origins == panel.lengths[series] - 1
    is_once = len(np.unique(series)) == len(series)
    if is_end.all() and is_once:
        # The windows need no panel of their own.
        values = panel.values.copy()
        for window in cleaned.tolist():
            begin = first[window]
            end = begin + origins[window] + 1
            values[begin:end] = clean_values(values[begin:end], found[window])
        yield Part(every, replace(panel, values=values), series, origins)
        return

    if joint:
        yield Part(every, panel, series, origins)
        return

    # All are forecast as they are, so that nothing about one window changes how others round; those
    # that were cleaned follow one by one, and take the place of what was forecast first.
    yield Part(every, panel, series, origins)
    for window in cleaned.tolist():
        place = np.array([window])
        last = origins[place]
        past = panel.select(series[place]).head(last + 1)
        values = clean_values(past.values, found[window])
        yield Part(place, replace(past, values=values), np.zeros(1, np.int64), last)


def clean_values(y: Floats, recent: Recent) -> Floats:
    """Return a series [T] whose unlikely values are missing, all of it at its newest level."""
    clean = y.copy()
    clean[len(y) - recent.steps] = np.nan
    if not recent.shift:
        return clean
    before = slice(0, len(y) - recent.shift)
    if recent.is_factor:
        clean[before] *= recent.change
        return clean

    clean[before] += recent.change
    if not (y < 0).any():
        # What was never negative is not made so.
        clean[before] = np.maximum(clean[before], 0.0)
    return clean


def find_unlikely_recent_values(
    panel: Panel, seasons: Seasons
) -> tuple[list[UnlikelyValue], list[LevelShift]]:
    """Find the newest values of series that their past makes unlikely, and levels that shifted."""
    starts = panel.offsets[:-1]
    ends = panel.offsets[1:]
    unlikely = []
    shifts = []
    for series, recent in find_unlikely(panel.values, starts, ends, seasons).items():
        length = int(panel.lengths[series])
        y = panel.series(series)
        pairs = zip(recent.steps.tolist(), recent.expected.tolist(), strict=True)
        for back, expected in pairs:
            step = length - back
            unlikely.append(UnlikelyValue(series, step, float(y[step]), expected))
        if recent.shift:
            step = length - recent.shift
            change = (recent.change, recent.is_factor)
            shifts.append(LevelShift(series, step, *change))
    return unlikely, shifts


def without_unlikely_values(panel: Panel, seasons: Seasons) -> Panel:
    """Return a panel in which the unlikely newest values are missing."""
    unlikely, _ = find_unlikely_recent_values(panel, seasons)
    values = panel.values.copy()
    for one in unlikely:
        values[panel.offsets[one.series] + one.step] = np.nan
    return replace(panel, values=values)


def describe_recent(panel: Panel, seasons: Seasons) -> list[str]:
    """Say which of the newest values are unlikely, and where a level shifted."""
    unlikely, shifts = find_unlikely_recent_values(panel, seasons)
    notes = []
    if unlikely:
        named = [_name_value(panel, value) for value in unlikely[:_MAX_NAMED]]
        rest = len(unlikely) - len(named)
        more = f" and {rest:,} more" if rest else ""
        count = "one of the newest values is"
        if len(unlikely) > 1:
            count = f"{len(unlikely):,} of the newest values are"
        notes.append(
            f"{count} unlikely and left out of the forecast: "
            f"{'; '.join(named)}{more} (--last keep: take all as they are)"
        )
    if shifts:
        first = shifts[0]
        change = f"{first.change:+.4g}"
        if first.is_factor:
            change = f"{first.change:.4g} times"
        rest = len(shifts) - 1
        more = f", and {rest:,} more series" if rest else ""
        notes.append(
            f"the level shifted at {_name_step(panel, first.series, first.step)} "
            f"({change}){more}: forecasts go on from the new one"
        )
    return notes


def _name_value(panel: Panel, value: UnlikelyValue) -> str:
    place = _name_step(panel, value.series, value.step)
    return f"{value.value:.6g} at {place}, where {value.expected:.4g} was likely"


def _name_step(panel: Panel, series: int, step: int) -> str:
    stamp = panel.stamp_text(int(panel.start[series]) + step)
    if not panel.key_names:
        return stamp
    key = "/".join(panel.keys[series])
    return f"{stamp} of {key}"
