"""Values at the end of a series that its own past makes unlikely, and shifts of level that last.

A value is unlikely where it lies far beyond all that the series did before, as a day that ended
early or a typing error does. Where the values after it stay where it went, the level has shifted.
Knows only arrays.

Axes: n series, T steps, the newest last; m season. NaN is missing.
"""

from typing import NamedTuple

import numpy as np

from lstmcast.features.steps import Seasons
from lstmcast.ragged import Bools, Floats, Ints

MIN_PAST_ERRORS = 12
"""Fewest errors of the past that can show what is usual."""
MIN_REACH = 3
"""Newest steps that are looked at where there is no longer season."""
LARGEST_ERROR_FACTOR = 1.5
"""How many times the largest error of the past an unlikely value is off, to the same side."""
DEVIATIONS = 7.0
"""How many robust deviations it is off at least."""
LEVEL_SHARE = 0.3
"""How far it is off from a series that hardly ever changed, as a share of the level."""
RANGE_SHARE = 0.5
"""How far it is off at least, as a share of the range of the past: what the eye sees."""
MIN_LASTING_STEPS, MAX_LASTING_STEPS = 3, 48
"""A shift lasts for a quarter of a season, within these steps; fewer may be errors."""
SHORT_SEASON = 4
"""Up to this season two steps are enough: those of quarters and years are hardly wrong twice."""
MAX_HISTORY_STEPS = 5000
"""Newest steps of a series that are looked at, or so many seasons if that is more:"""
MAX_HISTORY_SEASONS = 10
_SCREENED_SEASONS, _SCREENED_STEPS = 6, 150
"""Seasons and steps by which most series are cleared at once."""
_MAX_CELLS = 1_000_000
_ROOT_SHARE = 0.2
"""Values of a series that is never negative count in logarithms above this share of their size."""
_DEVIATION_PER_MEDIAN = 1.4826


class Recent(NamedTuple):
    """What is unlikely in the newest steps of one series.

    steps: which of them are unlikely, counted from the end: 1 is the last. expected: what was to be
    expected instead. shift: steps since the level shifted, 0 where it did not. change: what the
    shift added, or what it multiplied by where `is_factor`.
    """

    steps: Ints
    expected: Floats
    shift: int = 0
    change: float = 0.0
    is_factor: bool = False


def find_unlikely(
    values: Floats, starts: Ints, ends: Ints, seasons: Seasons
) -> dict[int, Recent]:
    """Find what is unlikely at the end of each stretch of values, by the number of the stretch.

    starts, ends: [n], where the stretches begin in `values`, and end. Stretches with nothing
    unlikely are left out.
    """
    longest = max(_SCREENED_SEASONS * max(seasons), _SCREENED_STEPS)
    found = {}
    for number in _screen(values, starts, ends, seasons, longest).tolist():
        begin = max(starts[number], ends[number] - _count_history(seasons))
        recent = judge_series(values[begin : ends[number]], seasons)
        if recent is not None:
            found[number] = recent
    return found


def _count_history(seasons: Seasons) -> int:
    return max(MAX_HISTORY_STEPS, MAX_HISTORY_SEASONS * max(seasons))


def _screen(
    values: Floats, starts: Ints, ends: Ints, seasons: Seasons, longest: int
) -> Ints:
    """Numbers of the stretches whose newest steps may be unlikely, by their newer past alone."""
    suspects = []
    lengths = np.minimum(ends - starts, longest)
    order = np.argsort(lengths, kind="stable")
    first = 0
    while first < len(order):
        shortest = max(int(lengths[order[first]]), 1)
        # Of similar length, so that little is padding.
        similar = int(np.searchsorted(lengths[order], 1.25 * shortest + 4, "right"))
        last = max(first + 1, min(similar, first + _MAX_CELLS // shortest))
        part = order[first:last]
        first = last

        width = int(lengths[part].max())
        place = ends[part, None] + np.arange(-width, 0)
        inside = place >= starts[part, None]
        y = np.where(inside, values[np.where(inside, place, 0)], np.nan)
        for season in _list_views(seasons, width):
            reach = _count_reach(seasons, width)
            suspicious = _find_large_errors(_to_even_units(y), season, reach)
            suspects.append(part[suspicious.any(1)])
    if not suspects:
        return np.zeros(0, np.int64)
    return np.unique(np.concatenate(suspects))


def judge_series(y: Floats, seasons: Seasons) -> Recent | None:
    """Judge the newest steps of one series [T]; None where nothing is unlikely."""
    z = _to_even_units(y[None])
    reach = _count_reach(seasons, len(y))

    # What is likely by the seasonal view that forecasts the past best is likely.
    views = _list_views(seasons, len(y))
    if not views:
        return None
    sizes = [_usual_error(z, season, reach) for season in views]
    season = views[int(np.argmin(sizes))]
    large = _find_large_errors(z, season, reach).ravel()
    if not large.any():
        return None

    # From the first of these values on, all are compared with what was before it.
    back = reach - int(large.argmax())
    error, expected_z = _errors_from_level_before(z[0], season, back)
    limit_up, limit_down = _limits(z, season, reach)
    is_off = (error > limit_up[0]) | (error < limit_down[0])
    off_steps = np.flatnonzero(is_off)
    if not len(off_steps):
        return None

    lasting = _count_lasting(error, is_off)
    period = max(seasons.main, 1)
    fewest = 2 if period <= SHORT_SEASON else MIN_LASTING_STEPS
    enough = int(np.clip(-(-period // 4), fewest, MAX_LASTING_STEPS))
    begins = len(error) - lasting
    if lasting >= enough:
        return _judge_shift(y, season, back, off_steps[off_steps < begins], lasting)
    if len(off_steps) > max(2, reach // 3):
        # So many are no errors: the series has become restless.
        return None
    expected = _to_units(expected_z, y)
    return Recent(back - off_steps, expected[off_steps])


def _list_views(seasons: Seasons, width: int) -> list[int]:
    """Seasons by which values can be expected, 1 for by their neighbours alone."""
    reach = _count_reach(seasons, width)
    views = []
    for season in {1, seasons.main, seasons.second}:
        first_known = season + 1 if season > 1 else 1
        if season and width - reach - first_known >= MIN_PAST_ERRORS:
            views.append(season)
    return sorted(views)


def _count_reach(seasons: Seasons, width: int) -> int:
    """Newest steps that are judged: the last season, a third of the series at most."""
    return max(1, min(max(seasons.main, MIN_REACH), width // 3))


def _to_even_units(y: Floats) -> Floats:
    """Values [n, T] in units in which errors are about as large at each level.

    These are logarithms of series that are never negative, but linear near 0 (inverse hyperbolic
    sine: Johnson 1949).
    """
    unit, is_positive = _unit_of_logarithm(y)
    with np.errstate(over="ignore"):
        return np.where(is_positive, np.arcsinh(y / unit), y)


def _to_units(z: Floats, y: Floats) -> Floats:
    """Undo `_to_even_units` for values of the series y [T]."""
    unit, is_positive = _unit_of_logarithm(y[None])
    if not is_positive[0, 0]:
        return z
    return np.asarray(np.sinh(z) * unit[0, 0])


def _unit_of_logarithm(y: Floats) -> tuple[Floats, Bools]:
    """Unit of each series [n, 1], and whether it is never negative."""
    positive = np.where(y > 0, y, np.nan)
    has_positive = np.isfinite(positive).any(1)
    size = np.ones(len(y))
    size[has_positive] = np.nanmedian(positive[has_positive], 1)
    has_negative = (y < 0).any(1)
    is_positive = np.asarray(~has_negative & has_positive)
    return (_ROOT_SHARE * size)[:, None], is_positive[:, None]


def _median_of(parts: list[Floats]) -> Floats:
    """Median of the known ones of a few arrays, the lower one of two; NaN for none."""
    ordered = np.sort(np.stack(parts), 0)
    known = (~np.isnan(ordered)).sum(0)
    middle = np.maximum(known - 1, 0) // 2
    return np.asarray(np.take_along_axis(ordered, middle[None], 0)[0])


def _earlier(z: Floats, steps: int) -> Floats:
    """Z [n, T], so many steps late."""
    late = np.full_like(z, np.nan)
    if steps < z.shape[1]:
        late[:, steps:] = z[:, : z.shape[1] - steps]
    return late


def _seasonal_pattern(z: Floats, season: int) -> Floats:
    """What the season says of each step: the middle of the last three of its phase, [n, T]."""
    if season <= 1:
        return np.zeros_like(z)
    return _median_of([_earlier(z, back * season) for back in (1, 2, 3)])


def _one_step_errors(z: Floats, season: int) -> Floats:
    """Errors of a forecast from the step before that no single value can lead astray, [n, T]."""
    rest = z - _seasonal_pattern(z, season)
    level = _median_of([_earlier(rest, back) for back in (1, 2, 3)])
    return np.asarray(rest - level)


def _usual_error(z: Floats, season: int, reach: int) -> float:
    past = np.abs(_one_step_errors(z, season)[0, :-reach])
    known = past[~np.isnan(past)]
    if len(known) < MIN_PAST_ERRORS:
        return np.inf
    return float(np.median(known) + 0.1 * known.mean())


def _limits(z: Floats, season: int, reach: int) -> tuple[Floats, Floats]:
    """Largest likely error of each series to either side, [n] each; NaN where unknown."""
    past = _one_step_errors(z, season)[:, :-reach]
    known = ~np.isnan(past)
    enough = known.sum(1) >= MIN_PAST_ERRORS
    past = np.where(known, past, 0.0)

    deviation = np.zeros(len(z))
    for row in np.flatnonzero(enough).tolist():
        deviation[row] = np.median(np.abs(past[row, known[row]]))
    spread = DEVIATIONS * _DEVIATION_PER_MEDIAN * deviation
    level = np.zeros(len(z))
    observed = ~np.isnan(z).all(1)
    level[observed] = np.nanmedian(np.abs(z[observed]), 1)
    # Of a steady series even the first change counts, if it is one that the eye sees.
    steady = (past != 0).sum(1) < MIN_PAST_ERRORS // 2
    least = np.where(steady, LEVEL_SHARE * level, spread)
    before = z[:, :-reach]
    high = np.where(np.isnan(before), -np.inf, before).max(1, initial=-np.inf)
    low = np.where(np.isnan(before), np.inf, before).min(1, initial=np.inf)
    least = np.maximum(least, RANGE_SHARE * np.where(enough, high - low, 0.0))
    up = np.maximum(LARGEST_ERROR_FACTOR * past.max(1, initial=0.0), least)
    down = np.minimum(LARGEST_ERROR_FACTOR * past.min(1, initial=0.0), -least)
    usable = enough & (~steady | (level > 0))
    return np.where(usable, up, np.nan), np.where(usable, down, np.nan)


def _find_large_errors(z: Floats, season: int, reach: int) -> Bools:
    """Which of the newest steps are farther off than is likely, [n, reach]."""
    up, down = _limits(z, season, reach)
    newest = _one_step_errors(z, season)[:, -reach:]
    return np.asarray((newest > up[:, None]) | (newest < down[:, None]))


def _errors_from_level_before(
    z: Floats, season: int, back: int
) -> tuple[Floats, Floats]:
    """Errors of the newest `back` steps from the level before, and what was expected, [back]."""
    pattern = _seasonal_pattern(z[None], season)[0]
    rest = z - pattern
    before = rest[:-back]
    known = before[~np.isnan(before)]
    level = np.median(known[-3:]) if len(known) else 0.0
    error = rest[-back:] - level
    return np.nan_to_num(error), pattern[-back:] + level


def _count_lasting(error: Floats, is_off: Bools) -> int:
    """How many of the newest errors are off to one side, one after the other."""
    side = np.sign(error[-1])
    same = is_off & (np.sign(error) == side)
    if same.all():
        return len(same)
    return int(np.argmin(same[::-1]))


def _judge_shift(
    y: Floats, season: int, back: int, off_steps: Ints, lasting: int
) -> Recent | None:
    """Judge a level that shifted `lasting` steps ago; None where it has not settled."""
    error, expected = _errors_from_level_before(y, season, back)
    change = error[-lasting:]
    added = float(np.median(change))
    uneven = float(np.median(np.abs(change - added))) / max(abs(added), 1e-300)

    factor = uneven_factor = np.inf
    if (y[~np.isnan(y)] >= 0).all() and (expected[-lasting:] > 0).all():
        ratio = y[-lasting:] / expected[-lasting:]
        ratio = ratio[~np.isnan(ratio)]
        factor = float(np.median(ratio))
        distance = float(np.median(np.abs(ratio - factor)))
        uneven_factor = distance / max(abs(factor - 1), 1e-300)
    if min(uneven, uneven_factor) > 0.5:
        return None

    steps = back - off_steps
    # A sum unless a factor fits much better: few steps hardly tell them apart.
    is_factor = uneven_factor < 0.5 * uneven
    change_by = factor if is_factor else added
    return Recent(steps, expected[off_steps], lasting, change_by, is_factor)
