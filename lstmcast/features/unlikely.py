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
    # Most stretches are cleared by little of their past; only the suspects are looked at in full.
    longest = max(_SCREENED_SEASONS * max(seasons), _SCREENED_STEPS)
    suspects = _screen(values, starts, ends, seasons, longest)

    found = {}
    history = _count_history(seasons)
    for number in suspects.tolist():
        end = ends[number]
        begin = max(starts[number], end - history)
        recent = judge_series(values[begin:end], seasons)
        if recent is not None:
            found[number] = recent
    return found


def _count_history(seasons: Seasons) -> int:
    longest_season = max(seasons)
    return max(MAX_HISTORY_STEPS, MAX_HISTORY_SEASONS * longest_season)


def _screen(
    values: Floats, starts: Ints, ends: Ints, seasons: Seasons, longest: int
) -> Ints:
    """Numbers of the stretches whose newest steps may be unlikely, by their newer past alone."""
    suspects = []
    lengths = np.minimum(ends - starts, longest)

    # From the shortest to the longest, so that neighbours are of similar length.
    order = np.argsort(lengths, kind="stable")
    ordered = lengths[order]
    first = 0
    while first < len(order):
        shortest = max(int(ordered[first]), 1)

        # Alike enough that little is padding, and few enough to fit into memory.
        most_steps = 1.25 * shortest + 4
        similar = int(np.searchsorted(ordered, most_steps, "right"))
        fitting = first + _MAX_CELLS // shortest
        last = max(first + 1, min(similar, fitting))
        part = order[first:last]
        first = last

        # Their newest steps as rows that end together, NaN before the first.
        width = int(lengths[part].max())
        back = np.arange(-width, 0)
        begin = starts[part, None]
        end = ends[part, None]
        place = end + back
        inside = place >= begin
        safe_place = np.where(inside, place, 0)
        y = np.where(inside, values[safe_place], np.nan)

        # A suspect by any view is judged in full later, by the best one.
        for season in _list_views(seasons, width):
            reach = _count_reach(seasons, width)
            z = _to_even_units(y)
            suspicious = _find_large_errors(z, season, reach)
            is_suspect = suspicious.any(1)
            suspects.append(part[is_suspect])

    if not suspects:
        return np.zeros(0, np.int64)
    numbers = np.concatenate(suspects)
    return np.unique(numbers)


def judge_series(y: Floats, seasons: Seasons) -> Recent | None:
    """Judge the newest steps of one series [T]; None where nothing is unlikely."""
    z = _to_even_units(y[None])
    reach = _count_reach(seasons, len(y))

    # What is likely by the seasonal view that forecasts the past best is likely.
    views = _list_views(seasons, len(y))
    if not views:
        return None
    sizes = [_usual_error(z, season, reach) for season in views]
    best = int(np.argmin(sizes))
    season = views[best]
    large = _find_large_errors(z, season, reach)
    large = large.ravel()
    if not large.any():
        return None

    # From the first of these values on, all are compared with what was before it.
    back = reach - int(large.argmax())
    error, expected_z = _errors_from_level_before(z[0], season, back)
    limit_up, limit_down = _limits(z, season, reach)
    is_above = error > limit_up[0]
    is_below = error < limit_down[0]
    is_off = is_above | is_below
    off_steps = np.flatnonzero(is_off)
    if not len(off_steps):
        return None

    # A level that lasts is no error: what was off before it still is one.
    lasting = _count_lasting(error, is_off)
    if lasting >= _count_enough_to_last(seasons):
        begins = len(error) - lasting
        off_before = off_steps[off_steps < begins]
        return _judge_shift(y, season, back, off_before, lasting)

    if len(off_steps) > max(2, reach // 3):
        # So many are no errors: the series has become restless.
        return None

    expected = _to_units(expected_z, y)
    steps = back - off_steps
    return Recent(steps, expected[off_steps])


def _count_enough_to_last(seasons: Seasons) -> int:
    """Steps on a new level from which on it is a shift: a quarter of a season, rounded up."""
    period = max(seasons.main, 1)
    fewest = MIN_LASTING_STEPS
    if period <= SHORT_SEASON:
        fewest = 2

    quarter = -(-period // 4)
    return int(np.clip(quarter, fewest, MAX_LASTING_STEPS))


def _list_views(seasons: Seasons, width: int) -> list[int]:
    """Seasons by which values can be expected, 1 for by their neighbours alone."""
    reach = _count_reach(seasons, width)

    views = []
    for season in {1, seasons.main, seasons.second}:
        # Errors begin where a step before is known, and one a season before where there is one.
        first_known = season + 1 if season > 1 else 1
        n_errors = width - reach - first_known
        # A season of 0 steps is none.
        if season and n_errors >= MIN_PAST_ERRORS:
            views.append(season)

    return sorted(views)


def _count_reach(seasons: Seasons, width: int) -> int:
    """Newest steps that are judged: the last season, a third of the series at most."""
    wanted = max(seasons.main, MIN_REACH)
    most = width // 3
    return max(1, min(wanted, most))


def _to_even_units(y: Floats) -> Floats:
    """Values [n, T] in units in which errors are about as large at each level.

    These are logarithms of series that are never negative, but linear near 0 (inverse hyperbolic
    sine: Johnson 1949).
    """
    unit, is_positive = _unit_of_logarithm(y)
    # A value beyond all others may overflow: it stays beyond them.
    with np.errstate(over="ignore"):
        ratio = y / unit
        return np.where(is_positive, np.arcsinh(ratio), y)


def _to_units(z: Floats, y: Floats) -> Floats:
    """Undo `_to_even_units` for values of the series y [T]."""
    unit, is_positive = _unit_of_logarithm(y[None])
    if not is_positive[0, 0]:
        return z

    ratio = np.sinh(z)
    return np.asarray(ratio * unit[0, 0])


def _unit_of_logarithm(y: Floats) -> tuple[Floats, Bools]:
    """Unit of each series [n, 1], and whether it is never negative."""
    above_zero = y > 0
    positive = np.where(above_zero, y, np.nan)
    has_positive = np.isfinite(positive).any(1)

    # The usual size of a series: zeros among its values would make it smaller.
    size = np.ones(len(y))
    known = positive[has_positive]
    size[has_positive] = np.nanmedian(known, 1)
    unit = _ROOT_SHARE * size

    below_zero = y < 0
    has_negative = below_zero.any(1)
    is_positive = np.asarray(~has_negative & has_positive)
    return unit[:, None], is_positive[:, None]


def _median_of(parts: list[Floats]) -> Floats:
    """Median of the known ones of a few arrays, the lower one of two; NaN for none."""
    stacked = np.stack(parts)
    # NaN is sorted behind all numbers.
    ordered = np.sort(stacked, 0)
    is_known = ~np.isnan(ordered)
    known = is_known.sum(0)

    last = np.maximum(known - 1, 0)
    middle = last // 2
    median = np.take_along_axis(ordered, middle[None], 0)
    return np.asarray(median[0])


def _earlier(z: Floats, steps: int) -> Floats:
    """Z [n, T], so many steps late."""
    late = np.full_like(z, np.nan)
    kept = z.shape[1] - steps
    if kept > 0:
        late[:, steps:] = z[:, :kept]
    return late


def _seasonal_pattern(z: Floats, season: int) -> Floats:
    """What the season says of each step: the middle of the last three of its phase, [n, T]."""
    if season <= 1:
        return np.zeros_like(z)
    # Three, so that one odd season is not taken for the pattern.
    seasons_before = [_earlier(z, back * season) for back in (1, 2, 3)]
    return _median_of(seasons_before)


def _one_step_errors(z: Floats, season: int) -> Floats:
    """Errors of a forecast from the step before that no single value can lead astray, [n, T]."""
    pattern = _seasonal_pattern(z, season)
    rest = z - pattern

    steps_before = [_earlier(rest, back) for back in (1, 2, 3)]
    level = _median_of(steps_before)
    return np.asarray(rest - level)


def _usual_error(z: Floats, season: int, reach: int) -> float:
    errors = _one_step_errors(z, season)
    past = np.abs(errors[0, :-reach])
    known = past[~np.isnan(past)]
    if len(known) < MIN_PAST_ERRORS:
        return np.inf

    # Mostly the usual error; the mean decides where more than half of the errors are 0.
    usual = np.median(known)
    return float(usual + 0.1 * known.mean())


def _limits(z: Floats, season: int, reach: int) -> tuple[Floats, Floats]:
    """Largest likely error of each series to either side, [n] each; NaN where unknown."""
    errors = _one_step_errors(z, season)
    past = errors[:, :-reach]
    known = ~np.isnan(past)
    n_known = known.sum(1)
    enough = n_known >= MIN_PAST_ERRORS

    # Zeros change none of the sums and extremes below.
    past = np.where(known, past, 0.0)

    # The robust deviation of the errors, beyond which none of them is usual.
    n_series = len(z)
    deviation = np.zeros(n_series)
    judged = np.flatnonzero(enough)
    for row in judged.tolist():
        own_errors = past[row, known[row]]
        size = np.abs(own_errors)
        deviation[row] = np.median(size)

    spread = DEVIATIONS * _DEVIATION_PER_MEDIAN * deviation

    # Of a steady series even the first change counts, if it is one that the eye sees.
    level = np.zeros(n_series)
    is_empty = np.isnan(z).all(1)
    size = np.abs(z[~is_empty])
    level[~is_empty] = np.nanmedian(size, 1)
    changes = past != 0
    n_changes = changes.sum(1)
    steady = n_changes < MIN_PAST_ERRORS // 2
    visible_change = LEVEL_SHARE * level
    least = np.where(steady, visible_change, spread)

    # A part of the range, too: what is less does not stand out among the values.
    before = z[:, :-reach]
    is_missing = np.isnan(before)
    from_below = np.where(is_missing, -np.inf, before)
    from_above = np.where(is_missing, np.inf, before)
    high = from_below.max(1, initial=-np.inf)
    low = from_above.min(1, initial=np.inf)
    extent = np.where(enough, high - low, 0.0)
    least = np.maximum(least, RANGE_SHARE * extent)

    # To either side it must also exceed by far what there was on that side.
    largest = past.max(1, initial=0.0)
    smallest = past.min(1, initial=0.0)
    far_up = LARGEST_ERROR_FACTOR * largest
    far_down = LARGEST_ERROR_FACTOR * smallest
    up = np.maximum(far_up, least)
    down = np.minimum(far_down, -least)

    # A steady series of zeros has no level that a change could be a share of.
    has_level = level > 0
    has_size = ~steady | has_level
    usable = enough & has_size
    up = np.where(usable, up, np.nan)
    down = np.where(usable, down, np.nan)
    return up, down


def _find_large_errors(z: Floats, season: int, reach: int) -> Bools:
    """Which of the newest steps are farther off than is likely, [n, reach]."""
    up, down = _limits(z, season, reach)
    up = up[:, None]
    down = down[:, None]
    errors = _one_step_errors(z, season)
    newest = errors[:, -reach:]

    is_above = newest > up
    is_below = newest < down
    return np.asarray(is_above | is_below)


def _errors_from_level_before(
    z: Floats, season: int, back: int
) -> tuple[Floats, Floats]:
    """Errors of the newest `back` steps from the level before, and what was expected, [back]."""
    patterns = _seasonal_pattern(z[None], season)
    pattern = patterns[0]
    rest = z - pattern

    # The last three values known before, so that no single one sets the level.
    before = rest[:-back]
    known = before[~np.isnan(before)]
    level = np.median(known[-3:]) if len(known) else 0.0

    newest = rest[-back:]
    error = newest - level
    expected = pattern[-back:] + level
    return np.nan_to_num(error), expected


def _count_lasting(error: Floats, is_off: Bools) -> int:
    """How many of the newest errors are off to one side, one after the other."""
    side = np.sign(error[-1])
    is_on_side = np.sign(error) == side
    same = is_off & is_on_side
    if same.all():
        return len(same)

    # The first from the end that is not.
    newest_first = same[::-1]
    return int(np.argmin(newest_first))


def _judge_shift(
    y: Floats, season: int, back: int, off_steps: Ints, lasting: int
) -> Recent | None:
    """Judge a level that shifted `lasting` steps ago; None where it has not settled."""
    error, expected = _errors_from_level_before(y, season, back)

    # As a sum: how far the steps of the new level are from one change, as a share of it.
    change = error[-lasting:]
    added = float(np.median(change))
    apart = np.abs(change - added)
    distance = float(np.median(apart))
    uneven = distance / max(abs(added), 1e-300)

    # As a factor, where there is one: of values that are never negative.
    factor = uneven_factor = np.inf
    known = y[~np.isnan(y)]
    is_never_negative = (known >= 0).all()
    lasting_expected = expected[-lasting:]
    is_positive = (lasting_expected > 0).all()
    if is_never_negative and is_positive:
        newest = y[-lasting:]
        ratio = newest / lasting_expected
        is_missing = np.isnan(ratio)
        ratio = ratio[~is_missing]
        factor = float(np.median(ratio))
        apart = np.abs(ratio - factor)
        distance = float(np.median(apart))
        uneven_factor = distance / max(abs(factor - 1), 1e-300)

    # Steps that lie apart by half of the change have no level in common.
    if min(uneven, uneven_factor) > 0.5:
        return None

    steps = back - off_steps
    # A sum unless a factor fits much better: few steps hardly tell them apart.
    is_factor = uneven_factor < 0.5 * uneven
    change_by = factor if is_factor else added
    return Recent(steps, expected[off_steps], lasting, change_by, is_factor)
