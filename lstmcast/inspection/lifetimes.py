"""Gaps, series of a panel that ended before the others, and series that were away for long.

Axes: N series, T steps.
"""

from typing import NamedTuple

import numpy as np

from lstmcast.errors import format_names
from lstmcast.inspection.finding import Finding
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Ints

_MIN_ABSENT_SEASONS = 2
"""Seasons without a value after which a series counts as ended, or as away; or a horizon."""


class Endings(NamedTuple):
    """Series that ended early: their places [n], the farthest first, and by how many steps [n]."""

    series: Ints
    steps: Ints


def find_gaps(panel: Panel) -> Ints:
    """Runs of missing steps: series, first step, number of steps, [n, 3]."""
    missing = np.flatnonzero(np.isnan(panel.values))
    every = np.arange(len(panel))
    owners = np.repeat(every, panel.lengths)
    series = owners[missing]

    # A gap begins where the step before is observed, or is of another series.
    after_observed = np.diff(missing) > 1
    next_series = np.diff(series) > 0
    begins = np.r_[True, after_observed | next_series]

    count = len(missing)  # none at all has no first one either
    first = np.flatnonzero(begins[:count])
    # Only missing steps are counted here: a gap ends where the next one begins.
    steps = np.diff(first, append=count)

    owner = series[first]
    step_in_series = missing[first] - panel.offsets[owner]
    gaps = np.stack([owner, step_in_series, steps], axis=1)
    return gaps.astype(np.int64)


def find_ended_series(panel: Panel, least: int) -> Endings:
    """Find the series whose last value is at least so many steps before that of the newest one."""
    last = _last_observed(panel)
    behind = last.max() - last
    ended = np.flatnonzero(behind >= least)
    steps = behind[ended]

    farthest_first = np.argsort(-steps, kind="stable")
    return Endings(ended[farthest_first], steps[farthest_first])


def _last_observed(panel: Panel) -> Ints:
    """Ordinal of the last value of each series, [N]; the one before its first where it has none."""
    places = np.arange(len(panel.values))
    is_missing = np.isnan(panel.values)
    observed = np.where(is_missing, -1, places)

    begins = panel.offsets[:-1]
    last = np.maximum.reduceat(observed, begins)
    step = np.maximum(last - begins, -1)
    return np.asarray(panel.start + step)


def count_steps_of_absence(horizon: int, season: int) -> int:
    """Steps without a value that are more than a pause."""
    return max(horizon, _MIN_ABSENT_SEASONS * season)


def describe_ended_series(panel: Panel, least: int) -> Finding | None:
    """The finding on series that ended early; None where all go on."""
    if len(panel) < 2:
        return None
    series, steps = find_ended_series(panel, least)
    count = len(series)
    if not count:
        return None

    farthest = series[:4].tolist()
    names = ["/".join(panel.keys[i]) for i in farthest]
    shown = format_names(names, count)

    last = _last_observed(panel)
    ends = last[series]
    edges = np.array([ends.min(), last.max()])
    first, newest = panel.axis.texts(edges)

    longest = int(steps[0])
    figures = {"count": count, "series": names, "longest": longest}
    found = (
        f"{count:,} of {len(panel):,} series ended early ({shown}),"
        f" the first at {first}, {longest:,} steps before the last one at {newest}"
    )
    done = (
        "each is forecast from its own end: leave out of the file those that are over"
    )
    late = "rows that are still to come"
    return Finding("ended", found, done, figures, "likely", (late,))


def describe_absent_series(panel: Panel, gaps: Ints, least: int) -> Finding | None:
    """The finding on series with gaps of at least so many steps; None without any.

    gaps: [n, 3], series, first step and number of steps of each.
    """
    is_long = gaps[:, 2] >= least
    if len(panel) < 2 or not is_long.any():
        return None

    # A series may have been away more than once.
    away = gaps[is_long]
    away_series = np.unique(away[:, 0])
    count = len(away_series)

    away_steps = away[:, 2]
    longest = away_steps.argmax()
    series, first, steps = away[longest].tolist()

    last = first + steps - 1
    inside = np.array([first, last])
    edges = panel.start[series] + inside
    begin, end = panel.axis.texts(edges)
    name = "/".join(panel.keys[series])
    figures = {
        "count": count,
        "series": name,
        "longest": steps,
        "from": begin,
        "to": end,
    }
    found = (
        f"{count:,} of {len(panel):,} series were away for long,"
        f" {name} the longest: {begin} to {end} ({steps:,} steps)"
    )
    done = "left missing: if nothing was sold or counted then, say --fill zero"
    return Finding("away", found, done, figures, "guess", ("rows that were lost",))
