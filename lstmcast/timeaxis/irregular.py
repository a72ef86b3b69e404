"""Stamps that are off every regular grid: the nearest steps, or the option that is right for them.

A sensor that should report every quarter of an hour reports some seconds early or late: its rows
may be moved to the steps. Others are told what to do, by a hint that must not harm: rows that
should stand are neither averaged nor lost. Knows no tables and no values.

Axes: n stamps, sorted by series, then time.
"""

from typing import NamedTuple

import numpy as np

from lstmcast.ragged import Bools, Floats, Ints
from lstmcast.timeaxis.calendar_fields import (
    DAY,
    SECOND,
    month_starts,
    months_since_epoch,
)
from lstmcast.timeaxis.frequency import HOUR, LAST_DAY, MINUTE, WEEK, Grid

MAX_SILENT_SHARE = 0.1
"""Share of a step that a stamp may miss it by and be moved without being asked."""
MAX_SHARED_STEPS = 0.05
"""Share of stamps that may fall on the step of another: repeated readings, and no finer steps."""
_ROUNDING_SLACK = 1.0
"""Microseconds by which a phase may be rounded farther than the stamps scatter."""
_MAX_SHARE = 0.5
"""A stamp lies nearest to a step that is no farther than this share of it."""
_CIRCLE = 2 * np.pi
_USUAL_STEPS = (
    *(SECOND * count for count in (1, 2, 5, 10, 15, 20, 30)),
    *(MINUTE * count for count in (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30)),
    *(HOUR * count for count in (1, 2, 3, 4, 6, 8, 12)),
    *(DAY, WEEK, 2 * WEEK),
)
_ROUND_PHASES = (
    *(DAY, 12 * HOUR, 6 * HOUR, HOUR, 30 * MINUTE, 15 * MINUTE, 5 * MINUTE),
    *(MINUTE, 30 * SECOND, 10 * SECOND, SECOND),
)
_MONTH_STEPS = (1, 3, 12)
_MIN_MONTH, _MAX_MONTH = 25 * DAY, 36 * DAY
"""Lengths between two monthly stamps of which one may be some days early or late."""
_MAX_STEP_ERROR = 0.2
"""Share that a usual step may differ by from the median of the steps."""
_MAX_STEADY_RATIO = 1.5
"""Steps that differ by no more than this factor are periods of a calendar, not events."""
_YEAR = 365.25 * DAY
_USUAL_PERIODS_A_YEAR = (1, 2, 4, 12, 13, 26, 52)
_MAX_ASKED_SHARE = 0.3
"""Share of a step from which on calendar periods are better than the nearest step."""
_MIN_ON_GRID = 0.75
"""Share of stamps that lie on a grid which the others may be moved to."""
_MONTHS_OF_RULES = {"MS": 1, "QS": 3, "YS": 12}
_GATHER_RULES = (
    *(("min", MINUTE), ("5min", 5 * MINUTE), ("15min", 15 * MINUTE), ("h", HOUR)),
    *(("D", DAY), ("W", WEEK), ("MS", 31 * DAY), ("QS", 92 * DAY), ("YS", 366 * DAY)),
)
"""Steps that people gather rows into, and how long they are at most."""


class Snapped(NamedTuple):
    """Ordinals [n] of the nearest steps of a grid, and what that changes.

    share, distance: by how much of a step, and of time, the farthest stamp misses it. moved: stamps
    that miss one. shared: the share of stamps whose step has one of the same series before.
    """

    grid: Grid
    ordinals: Ints
    share: float
    distance: int
    moved: int
    shared: float


def snap_to_grid(grid: Grid, instants: Ints, same_series: Bools) -> Snapped:
    """Move each stamp [n] to the nearest step of a grid.

    same_series: [n - 1], whether a stamp is of the series of the one before it.
    """
    before, _ = grid.ordinals(instants)
    begin = grid.instants(before)
    end = grid.instants(before + 1)
    past = instants - begin
    ahead = end - instants

    is_nearer_to_next = ahead < past
    ordinals = before + is_nearer_to_next
    distance = np.minimum(past, ahead)
    # Beside a closed time the step is as long as elsewhere.
    length = np.minimum(end - begin, _step_length(grid))
    share = distance / length
    is_shared = (np.diff(ordinals) == 0) & same_series
    return Snapped(
        grid=grid,
        ordinals=ordinals,
        share=float(share.max(initial=0.0)),
        distance=int(distance.max(initial=0)),
        moved=int((distance > 0).sum()),
        shared=float(is_shared.mean()) if len(is_shared) else 0.0,
    )


def _step_length(grid: Grid) -> int:
    """A step of a grid in microseconds, of months the shortest."""
    match grid.unit:
        case "us":
            return grid.step
        case "month":
            return grid.step * 28 * DAY
        case _:
            return DAY


def infer_snapped(instants: Ints, same_series: Bools) -> Snapped | None:
    """The grid that the stamps miss by least; None where many would share a step with another.

    same_series: [n - 1], whether a stamp is of the series of the one before it.
    """
    steps = np.diff(instants)[same_series]
    steps = steps[steps > 0]
    if not len(steps):
        return None

    best = None
    for grid in _candidate_grids(instants, steps):
        snapped = snap_to_grid(grid, instants, same_series)
        if snapped.share >= _MAX_SHARE or snapped.shared > MAX_SHARED_STEPS:
            continue
        # A step that rows share is worse than one they are far from: a value would be lost.
        rank = (snapped.shared, snapped.share)
        if best is None or rank < (best.shared, best.share):
            best = snapped
    return best


def _candidate_grids(instants: Ints, steps: Ints) -> list[Grid]:
    """Grids of usual steps near to the median of the steps of stamps."""
    usual = float(np.median(steps))
    if are_fiscal_periods(steps):
        return []

    grids = []
    for months in _MONTH_STEPS:
        if months * _MIN_MONTH <= usual <= months * _MAX_MONTH:
            grids += _month_grids(instants, months)
    for step in _USUAL_STEPS:
        if abs(usual - step) <= _MAX_STEP_ERROR * step:
            grids.append(Grid("us", step, find_phase(instants, step)))
    return grids


def _month_grids(instants: Ints, months: int) -> list[Grid]:
    """Grids of months that begin or end on a day, or on a working day."""
    grids = []
    for day in (1, LAST_DAY):
        for working in (True, False):
            for phase in range(months):
                grids.append(Grid("month", months, phase, day, working=working))

    # Months may also begin on a day of their own, as those of an account.
    if months == 1:
        starts = month_starts(months_since_epoch(instants))
        days_since_start = instants // DAY - starts
        usual_day = int(np.median(days_since_start)) + 1
        grids.append(Grid("month", 1, 0, usual_day))
    return grids


def find_phase(instants: Ints, step: int) -> int:
    """Where in a step the stamps lie: their circular mean, as round as their scatter allows."""
    # A plain mean would put stamps just before and just after a step between two steps.
    offsets = instants % step
    angles = offsets * (_CIRCLE / step)
    mean_point = np.exp(1j * angles).mean()
    mean_angle = np.angle(mean_point) % _CIRCLE
    middle = mean_angle / _CIRCLE * step

    differences = _circular_difference(offsets, middle, step)
    scatter = float(np.abs(differences).max())
    for unit in _ROUND_PHASES:
        phase = round(middle / unit) * unit
        [difference] = _circular_difference(np.array([phase]), middle, step)
        error = abs(float(difference))
        if error <= scatter + _ROUNDING_SLACK and unit <= step:
            return int(phase % step)

    return int(middle)


def _circular_difference(offsets: Ints, middle: float, step: int) -> Floats:
    """How far offsets [n] in a step lie from its middle, the shorter way round."""
    half = step / 2
    difference = (offsets - middle + half) % step - half
    return np.asarray(difference, dtype=np.float64)


class Stamps(NamedTuple):
    """Stamps [n] on the clock of their zone, or without one, and what is known of their rows.

    same_series: [n - 1], whether a stamp is of the series of the one before it. universal: the
    same instants in UTC, None without a zone. in_order: whether the rows stand in order of time.
    may_snap: whether moving stamps has not been refused.
    """

    instants: Ints
    same_series: Bools
    universal: Ints | None
    in_order: bool
    may_snap: bool


def suggest_for_irregular(grid: Grid, stamps: Stamps) -> str:
    """The hint for stamps that are off the grid that most of their steps follow."""
    share = _share_to_nearest_step(grid, stamps) if stamps.may_snap else _MAX_SHARE
    rule = suggest_gathering(stamps.instants, stamps.same_series)

    # Far from every step, months of the calendar may still hold one row each.
    is_better_gathered = False
    if share > _MAX_ASKED_SHARE:
        is_better_gathered = holds_one_each(stamps.instants, stamps.same_series, rule)

    if share < _MAX_SHARE and not is_better_gathered:
        return (
            "move each row to the nearest step with --snap,"
            " or give the frequency with --freq"
        )

    steps = np.diff(stamps.instants)[stamps.same_series]
    if _are_periods_of_calendar(steps):
        return _suggest_numbered_periods(steps, in_order=stamps.in_order)

    return (
        "give the frequency with --freq, or gather rows into steps,"
        f" for example --resample {rule}:mean"
    )


def are_fiscal_periods(steps: Ints) -> bool:
    """Whether steps are whole weeks that differ, as months of 4 and 5: a calendar of their own."""
    if not len(steps) or (steps % WEEK).any():
        return False

    # Steps of one week with some of two are weeks that have holes.
    if steps.min() < 2 * WEEK:
        return False
    return _are_periods_of_calendar(steps)


def is_shifted_by_clocks(instants: Ints, grid: Grid) -> bool:
    """Whether days miss the steps by whole hours, as those of a zone do where clocks change."""
    if not grid.is_daily_or_longer:
        return False

    clocks = np.unique(instants % DAY)
    if len(clocks) < 2:
        return False
    parts_of_hours = np.diff(clocks) % HOUR
    return not parts_of_hours.any()


def _share_to_nearest_step(grid: Grid, stamps: Stamps) -> float:
    """By how much of a step `--snap` moves a row; half a step where rows would share one."""
    found = infer_snapped(stamps.instants, stamps.same_series)
    if found is not None:
        return _MAX_SHARE if found.shared else found.share

    # Only a few that miss a grid: the others hold it.
    _, on_grid = grid.ordinals(stamps.instants)
    if grid.unit == "integer" or on_grid.mean() < _MIN_ON_GRID:
        return _MAX_SHARE

    snapped = snap_to_grid(grid, stamps.instants, stamps.same_series)
    if snapped.shared:
        return _MAX_SHARE
    return min(snapped.share, _MAX_SHARE)


def _are_periods_of_calendar(steps: Ints) -> bool:
    """Whether steps are of nearly one length, as the months of a fiscal year of 4-4-5 weeks."""
    if len(steps) < 2:
        return False
    longest_allowed = _MAX_STEADY_RATIO * steps.min()
    return bool(steps.max() <= longest_allowed)


def _suggest_numbered_periods(steps: Ints, *, in_order: bool) -> str:
    """Rows as they stand, one after the other, with as many a year as there are."""
    a_year = _YEAR / float(steps.mean())
    periods = min(_USUAL_PERIODS_A_YEAR, key=lambda count: abs(count - a_year))

    # Shorter periods than weeks are more a year than any usual number.
    has_season = periods > 1 and steps.mean() >= WEEK
    season = f" --season {periods}" if has_season else ""
    option = f"--time none{season}"
    if in_order:
        return f"take the periods as they stand, one after the other: {option}"
    return f"sort the rows by time, then take the periods as they stand: {option}"


def suggest_gathering(instants: Ints, same_series: Bools) -> str:
    """The shortest usual rule for `--resample` most of whose steps would hold a row."""
    for rule, _ in _GATHER_RULES:
        with_row, spans = _count_gathered(instants, same_series, rule)
        if 2 * with_row > spans:
            return rule
    return "YS"


def holds_one_each(instants: Ints, same_series: Bools, rule: str) -> bool:
    """Whether each step of a rule for `--resample` would hold one row of a series, and no more."""
    with_row, spans = _count_gathered(instants, same_series, rule)
    return with_row == spans == len(instants)


def _count_gathered(instants: Ints, same_series: Bools, rule: str) -> tuple[int, int]:
    """Steps that hold a row, and all from the first to the last of each series."""
    if rule in _MONTHS_OF_RULES:
        months = months_since_epoch(instants)
        steps = months // _MONTHS_OF_RULES[rule]
    else:
        sizes = dict(_GATHER_RULES)
        steps = instants // sizes[rule]

    # The same step of two series counts twice.
    begins_series = ~same_series
    series = np.append(0, np.cumsum(begins_series))
    pairs = np.unique(np.stack([series, steps]), axis=1)
    _, with_row = pairs.shape

    first = steps[np.append(True, begins_series)]
    last = steps[np.append(begins_series, True)]
    spans = last - first + 1
    return with_row, int(spans.sum())
