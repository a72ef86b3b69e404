"""Which seasons the values of a panel show, and the default horizon.

The frequency proposes (hourly: a day and a week), the values decide, and are searched for any
other. Knows no stamps.

Axes: N series, T steps, m season.
"""

from collections.abc import Collection

import numpy as np

from lstmcast.features.seasonal.periods import (
    ALL_APART,
    MAX_PERIOD,
    PeriodStrengths,
    average_blocks,
    measure_lengths,
    measure_likeness,
    measure_periods,
    measure_share,
    prepare_series,
    remove_profile,
)
from lstmcast.features.steps import Seasons
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Bools, Floats, Ints, choose_evenly

_MAX_SERIES = 100
_MIN_SERIES = 4
_MAX_STEPS = 40_000
"""Steps of all series that are searched."""
_MAX_STEPS_PER_SERIES = 40_000
"""Steps of one series: a year of half hours has to be seen twice."""
_MAX_STEPS_OF_CYCLE = 5000
"""Steps that are searched for an exact cycle."""
_MAX_UNSEEN_SEASON = 366
"""Steps of a season that no series holds twice and that is still believed."""
_MIN_HORIZONS = 3
"""Default horizons that the longest series holds at least, where they are long."""
_MAX_HORIZON_OF_SHORT_SERIES = 24
"""A default horizon up to this is taken however short the series are."""
_EXACT_TOLERANCE = 1e-9
"""Share of its range that a series may differ from itself one exact cycle before."""
_LONG_SEASON = 52
"""From so many steps on, a season that is the only one is the main one where it is strong."""
_CLEAR_SHARE = 0.3
_YEAR_OF_DAYS = 260
_CLEAR_SHARE_OF_YEAR = 0.8
"""Least share of the variance, as the median of the series, of a season that is strong, and of one
as long as a year of days."""
MAX_LONG_PERIOD = 20_000
"""The longest of those: a year of half hours has 17,520."""
MAX_PERIODS = 3
"""Periods that are returned at most."""
USUAL_PERIODS = (4, 5, 7, 12, 24, 48, 52, 96, 144, 168, 288, 336, 365, 1440)
"""Periods of clocks and calendars: they are likely before any value was seen."""
_MAX_STEPS_ONE_BY_ONE = 20_000
"""The newest steps of a series that are looked at one by one."""
_DAYS_OF_YEAR = 365
_YEARS_OF_WEEKS = {7: _DAYS_OF_YEAR, 5: 260}
"""Steps of a year by the steps of a week."""
_MIN_CYCLES = 3.0
_MIN_CYCLES_IF_EXPECTED = 2.0
_MIN_SCORE = 4.5
"""Least normal score of a period, one of some thousands that are looked at."""
_MIN_SCORE_IF_USUAL = 3.0
_MIN_SCORE_IF_EXPECTED = 2.0
_MIN_SCORE_OF_PART = 2.0
_MIN_SHARE_OF_PART = 0.7
_MIN_SHARE = 0.06
"""Least share of the variance that the season explains, of a series without its slow movements."""
_MIN_SHARE_OF_MULTIPLE = 0.15
_MIN_SHARE_BESIDE_OTHERS = 0.25
"""The same of a multiple of a known period, and of any other: what is left of a season that changes
slowly looks like lengths nearby."""
_MIN_SERIES_OF_HALF = 10
_MIN_LIKENESS = 0.25
_MIN_LIKENESS_OF_PANEL = 0.1
"""What `measure_likeness` has to exceed: in the mean of a few series, and of many."""
_SERIES_SHARE = 0.2
"""Share of the series that have to show a period."""
_NEAR_CYCLES = 4
_MAX_APART = 10
"""Cycles that are compared are at most so far from each other where a period is looked for beside
another: holidays shift a week, and a shape changes."""
_BONUS_IF_LIKELY = 1.02
_BONUS_IF_SAME = 1.2
_SHARE_TOLERANCE = 0.05
"""How much less a neighbour of a usual period has to leave unexplained, in general and where it can
hardly be told from it, and what counts as noise of it."""
_MIN_EXCESS_OF_HALF = 0.8
_MIN_EXCESS = 0.5
"""What a period has to explain of a multiple of it, from nothing more than its share of the waves
(0) to all (1)."""


def infer_seasons(panel: Panel, forced: int | None = None) -> Seasons:
    """Seasons of a panel in steps, as its values show them; its calendar makes some more likely.

    forced: the main season, where the user gives it.
    """
    axis = panel.axis
    proposed = Seasons(axis.season, axis.second_season)
    return confirm_seasons(panel.values, panel.offsets, proposed, forced)


def default_horizon(panel: Panel, main: int) -> int:
    """Steps to forecast where no horizon is given: the frequency's; without dates, one season.

    main: steps of the main season, 1 where there is none. A long horizon leaves most of a short
    series to learn from.
    """
    axis = panel.axis
    horizon = axis.horizon
    if axis.kind == "integer" and main > 1:
        horizon = main

    longest = int(panel.lengths.max())
    most = max(_MAX_HORIZON_OF_SHORT_SERIES, longest // _MIN_HORIZONS)
    return min(horizon, most)


def confirm_seasons(
    values: Floats, offsets: Ints, proposed: Seasons, forced: int | None = None
) -> Seasons:
    """Find the seasons, in steps, that the values show, with what a calendar proposes in mind.

    A proposed season needs less evidence, and is believed where no series is long enough to tell.
    `forced` is given by the user and not questioned. values: [sum T], NaN where missing; offsets:
    [N+1].
    """
    if forced == 1:
        return Seasons(1, 0)
    longest = int(np.diff(offsets).max())
    series = _sample_series(values, offsets)
    expected = [m for m in proposed if m > 1]
    if forced is not None:
        # A year beside a week that was given, and the like.
        longer = [m for m in find_periods(series, expected, (forced,)) if m > forced]
        filled = (forced, *longer, 0, 0)
        return Seasons(*filled[:3])

    found = find_periods(series, expected)
    found += _find_season_seen_once(series, proposed.second, found)
    cycle = find_exact_cycle(series)
    # What repeats itself exactly has no season but parts of that cycle.
    is_part = all(cycle % period == 0 for period in found)
    if found and (cycle == 1 or is_part):
        return _rank_seasons(series, found, proposed)

    # Nothing that is seen twice: an exact cycle, or what the calendar says of a short series.
    is_unseen = longest <= 2 * proposed.main
    if cycle == 1 and is_unseen and proposed.main <= _MAX_UNSEEN_SEASON:
        return Seasons(proposed.main, 0)
    return Seasons(cycle, 0)


def _find_season_seen_once(
    series: list[Floats], season: int, found: tuple[int, ...]
) -> tuple[int, ...]:
    """Return the long season of a calendar, if series that hold it less than twice still show it.

    Such are two years of weeks less a hold-out. The calendar makes the season likely, so little
    evidence is enough: that steps a season apart are more alike than others about as far apart.
    """
    is_known = any(one >= season for one in found)
    if season <= 1 or is_known or len(found) == MAX_PERIODS:
        return ()
    whole = [y for y in map(prepare_series, series) if len(y)]
    longest = max((len(y) for y in whole), default=0)
    if longest >= 2 * season:
        return ()
    for one in found:
        whole = [remove_profile(y, one) for y in whole]
    measured = np.array([measure_likeness(y, season) for y in whole])
    measured = measured[~np.isnan(measured)]
    is_panel = len(measured) >= _MIN_SERIES_OF_HALF
    least = _MIN_LIKENESS_OF_PANEL if is_panel else _MIN_LIKENESS
    is_shown = len(measured) > 0 and measured.mean() > least
    return (season,) if is_shown else ()


def _rank_seasons(
    series: list[Floats], found: tuple[int, ...], proposed: Seasons
) -> Seasons:
    """Seasons of rising periods that were found: the shortest is the main one.

    One of many steps, such as a year of weeks, is none unless it is strong or the calendar says so:
    a network that starts from it would know no shorter past.
    """
    shortest = found[0]
    is_main = shortest < _LONG_SEASON or shortest == proposed.main
    if not is_main:
        least = _CLEAR_SHARE_OF_YEAR if shortest >= _YEAR_OF_DAYS else _CLEAR_SHARE
        is_main = measure_share(series, shortest) > least
    ranked = found if is_main else (1, *found[:2])
    filled = (*ranked, 0, 0)
    return Seasons(*filled[:3])


def find_periods(
    series: list[Floats], expected: Collection[int] = (), known: Collection[int] = ()
) -> tuple[int, ...]:
    """Find the periods that enough of the series [T] show, in steps, rising; NaN is missing.

    expected: periods that a calendar proposes, which need less evidence, as those of
    `USUAL_PERIODS` do. known: periods that are found already. What one period explains is taken out
    before the next is looked for, so that its multiples are found for what they add alone.
    """
    whole = [y for y in map(prepare_series, series) if len(y)]
    rest = [y[-_MAX_STEPS_ONE_BY_ONE:] for y in whole]
    found = list(known)
    for one in known:
        rest = [remove_profile(y, one) for y in rest]
    while rest and len(found) < MAX_PERIODS:
        period = _find_clearest_period(rest, frozenset(expected), found)
        if period is None:
            break
        found.append(period)
        rest = [remove_profile(y, period) for y in rest]
    if found and len(found) < MAX_PERIODS:
        found += _find_long_period(whole, min(found))
    return tuple(sorted(found))


def _find_long_period(series: list[Floats], cycle: int) -> list[int]:
    """A period above `MAX_PERIOD` in the means of whole cycles of a short one: a year of hours."""
    means = [average_blocks(y, cycle) for y in series if len(y) > 2 * MAX_PERIOD]
    means = [y for y in means if len(y) and np.nanstd(y) > 0]
    shorter: list[int] = []
    while means and len(shorter) < MAX_PERIODS:
        blocks = _find_clearest_period(means, (_DAYS_OF_YEAR,), shorter)
        if blocks is None:
            break
        if MAX_PERIOD < blocks * cycle <= MAX_LONG_PERIOD:
            return [blocks * cycle]
        shorter.append(blocks)
        means = [remove_profile(y, blocks) for y in means]
    return []


def _find_clearest_period(
    series: list[Floats], expected: Collection[int], found: list[int]
) -> int | None:
    """The shortest period that is no part of a clearer one, None where none is clear enough."""
    apart = _MAX_APART if found else ALL_APART
    measured = _measure_panel(series, expected, apart)
    n_periods = measured.score.shape[1]
    is_likely = _are_likely(n_periods, expected, found)
    longest = max(len(y) for y in series)
    least = _least_strengths(is_likely, expected, found, longest)
    is_enough = measured.share > least.share
    by_series = is_enough & (measured.score > least.score)

    # A fifth of the series that hold it often enough show it, or half of them less clearly.
    n_series = (~np.isnan(measured.score)).sum(0)
    n_showing = by_series.sum(0)
    is_shown = n_showing >= np.maximum(_SERIES_SHARE * n_series, 1)
    by_half = is_enough & is_likely & (measured.score > _MIN_SCORE_IF_EXPECTED)
    is_of_half = (by_half.sum(0) > n_series / 2) & (n_series >= _MIN_SERIES_OF_HALF)
    is_shown |= is_of_half
    by_series = np.where(is_of_half, by_half, by_series)
    total = np.nansum(measured.share, 0)
    shares = total / np.maximum(n_series, 1)

    for period in np.flatnonzero(is_shown).tolist():
        showing = [series[i] for i in np.flatnonzero(by_series[:, period])]
        peak = _is_peak(shares * is_shown, period, longest, is_likely)
        if peak and _stands_alone(showing, period, is_shown):
            # Medians of the series that show it; NaN, where none holds a period, is not above.
            share = np.median(measured.share[by_series[:, period]], 0)
            score = np.median(measured.score[by_series[:, period]], 0)
            is_clear = score > _MIN_SCORE_OF_PART
            is_clear &= share > _MIN_SHARE_OF_PART * share[period]
            return _find_part(showing, period, is_clear, found)
    return None


def _find_part(
    series: list[Floats], period: int, is_likely: Bools, found: list[int]
) -> int:
    """The part of a period that all of it repeats, or the period itself.

    A period is sometimes clear only as a multiple: of a part of it fewer lengths are looked at.
    is_likely: [P], which periods are clear enough as a part.
    """
    is_whole = np.zeros(period + 1, dtype=np.bool_)
    is_whole[period] = True
    for part in np.flatnonzero(is_likely[:period]).tolist():
        is_known = any(known % part == 0 for known in found)
        divides = part > 1 and period % part == 0 and not is_known
        if divides and _stands_alone(series, part, is_whole):
            return int(part)
    return period


def _are_likely(count: int, expected: Collection[int], found: list[int]) -> Bools:
    """Which of the periods below a number are likely before any value was seen, [P].

    Those of clocks and calendars; where one was found five or seven of it, as of a day, and the
    year that goes with a week.
    """
    likely = {*expected} if found else {*USUAL_PERIODS, *expected}
    for known in found:
        likely |= {5 * known, 7 * known, _YEARS_OF_WEEKS.get(known, known)}
    return np.isin(np.arange(count), list(likely))


def _least_strengths(
    is_likely: Bools, expected: Collection[int], found: list[int], longest: int
) -> PeriodStrengths:
    """What each period has to reach, [P], where some are expected or found.

    longest: steps of the longest series.
    """
    periods = np.arange(len(is_likely))
    is_expected = np.isin(periods, list(expected))
    score = np.where(is_likely, _MIN_SCORE_IF_USUAL, _MIN_SCORE)
    score[is_expected] = _MIN_SCORE_IF_EXPECTED

    share = np.full(len(is_likely), _MIN_SHARE)
    for known in found:
        is_multiple = periods % known == 0
        least = np.where(is_multiple, _MIN_SHARE_OF_MULTIPLE, _MIN_SHARE_BESIDE_OTHERS)
        share = np.maximum(share, least)
    share[is_likely] = _MIN_SHARE

    # What divides a period that is known adds nothing to it.
    for known in found:
        is_part = known % np.maximum(periods, 1) == 0
        share[is_part] = np.inf
        # Next to few cycles of it the rest of it shows, as the series cannot tell them apart.
        cycles = np.rint(periods / known)
        distance = np.abs(periods - cycles * known)
        reach = periods**2 / longest
        is_beside = (distance > 0) & (distance <= reach) & (cycles <= _NEAR_CYCLES)
        share[is_beside] = np.inf
    return PeriodStrengths(share, score)


def _is_peak(shares: Floats, period: int, longest: int, is_likely: Bools) -> bool:
    """Whether no length nearby that the series cannot tell apart from a period explains more."""
    # Over all cycles, lengths that differ by this much drift by one cycle.
    reach = max(1, round(period * period / longest))
    begin = max(2, period - reach)
    near = np.arange(begin, min(period + reach + 1, len(shares)))
    unexplained = 1 - shares[near] + _SHARE_TOLERANCE
    # Where all cycles together drift by less than a tenth of one, the usual length is meant.
    is_same = 10 * np.abs(near - period) <= reach
    bonus = np.where(is_same, _BONUS_IF_SAME, _BONUS_IF_LIKELY)
    unexplained = np.where(is_likely[near], unexplained / bonus, unexplained)
    return int(near[unexplained.argmin()]) == period


def _stands_alone(series: list[Floats], period: int, is_shown: Bools) -> bool:
    """Whether a period is more than what a multiple of it, that is shown too, has at that length.

    A day holds two half days, but a week is hardly more than seven days: of a multiple m a
    period has 1 / m of the waves, and stands alone if it explains much more than that.
    """
    multiples = np.arange(2 * period, len(is_shown), period)
    multiples = multiples[is_shown[multiples]]
    if not len(multiples):
        return True
    by_series = []
    for y in series:
        if len(y) >= 2 * multiples[0]:
            by_series.append(measure_lengths(y, period, multiples))
    if not by_series:
        return True
    explained = np.nanmean(np.array(by_series), 0)
    ratio = explained[0] / np.maximum(explained[1:], 1e-9)
    expected = period / multiples
    excess = (ratio - expected) / (1 - expected)
    least = np.where(expected == 0.5, _MIN_EXCESS_OF_HALF, _MIN_EXCESS)
    return bool((excess >= least).all())


def _measure_panel(
    series: list[Floats], expected: Collection[int], apart: int
) -> PeriodStrengths:
    """Strengths of each period in each series, [N, P]; NaN where it is not seen often enough."""
    longest = min(MAX_PERIOD, max(len(y) for y in series) // 2)
    periods = np.arange(longest + 1)
    is_expected = np.isin(periods, list(expected))
    least_cycles = np.where(is_expected, _MIN_CYCLES_IF_EXPECTED, _MIN_CYCLES)
    shape = (len(series), longest + 1)
    share = np.full(shape, np.nan)
    score = np.full(shape, np.nan)
    for i, y in enumerate(series):
        strengths = measure_periods(y, apart)
        n = len(strengths.score)
        is_seen = len(y) >= periods[:n] * least_cycles[:n]
        share[i, :n] = np.where(is_seen, strengths.share, np.nan)
        score[i, :n] = np.where(is_seen, strengths.score, np.nan)
    return PeriodStrengths(share, score)


def find_exact_cycle(series: list[Floats]) -> int:
    """Steps after which most of the series [T] repeat themselves exactly; 1 where they do not."""
    cycles = [_exact_cycle(y) for y in series]
    if not cycles:
        return 1

    # What more than half of them have in common can only be their median.
    usual = int(np.median(cycles))
    is_of_most = cycles.count(usual) * 2 > len(cycles)
    return usual if is_of_most else 1


def _exact_cycle(y: Floats) -> int:
    """Steps after which a series repeats itself exactly, seen twice; 1 where it does not."""
    newest = y[-_MAX_STEPS_OF_CYCLE:]
    extent = np.ptp(newest) if len(newest) else 0.0
    # NaN is not above 0 either.
    if not extent > 0:
        return 1

    changes = np.diff(newest / extent)
    most = len(newest) // 2
    correlation = _autocorrelation(changes, most)

    # Few lags are likely, so that not each of them has to be compared in full. Of a cycle seen n
    # times, a share of 1 / n has no counterpart.
    lags = np.arange(1, most + 1)
    overlap = 1 - lags / len(newest)
    is_likely = correlation > 0.8 * overlap
    likely = lags[is_likely]

    tolerance = _EXACT_TOLERANCE * extent
    for lag in likely.tolist():
        difference = newest[lag:] - newest[:-lag]
        largest = np.abs(difference).max()
        if lag > 1 and largest <= tolerance:
            return int(lag)
    return 1


def _autocorrelation(differences: Floats, max_lag: int) -> Floats:
    """Autocorrelation at lags 1..max_lag, as the transform of the power spectrum (Wiener 1930)."""
    n = len(differences)
    # Padded with as many zeros, so that the end of the series does not meet its beginning.
    enough = 2 * n - 1
    size = 1 << enough.bit_length()

    # Brought near 1 first: squares of what is far from it overflow, or vanish.
    exponent = _binary_exponent(differences)
    scaled = np.ldexp(differences, -exponent)
    spectrum = np.fft.rfft(scaled, size)
    power = spectrum * spectrum.conj()
    covariance = np.fft.irfft(power, size)

    # A series that never changes has no autocorrelation.
    variance = covariance[0]
    if not variance > 0:
        return np.zeros(max_lag)
    at_lags = covariance[1 : max_lag + 1]
    correlation: Floats = at_lags / variance
    return correlation


def _binary_exponent(values: Floats) -> int:
    """Power of two nearest to the largest of the values: to divide by it changes no digit."""
    absolute = np.abs(values)
    largest = np.max(absolute, initial=0.0)
    _, exponent = np.frexp(largest)
    return int(exponent)


def _sample_series(values: Floats, offsets: Ints) -> list[Floats]:
    """Evenly chosen series, the newest steps of each."""
    lengths = np.minimum(np.diff(offsets), _MAX_STEPS_PER_SERIES)
    usual = max(float(np.median(lengths)), 1.0)
    most = int(np.clip(_MAX_STEPS / usual, _MIN_SERIES, _MAX_SERIES))
    found = []
    for i in choose_evenly(len(lengths), most):
        end = offsets[i + 1]
        begin = end - lengths[i]
        found.append(values[begin:end])
    return found
