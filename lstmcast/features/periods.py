"""Which periods the values of a panel show: every length is looked for, and each has to be seen.

A series is folded at each length, without what moves more slowly than it. Values of the same phase
that are more alike than chance makes them are a season: the analysis of variance by phase
(Schwarzenberg-Czerny 1989, "On the advantage of using analysis of variance for period search").
Knows no calendar and no stamps.

Axes: N series, T steps, P periods looked at (the index is the period in steps), K lags.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np

from lstmcast.ragged import Bools, Floats, Ints

MAX_PERIOD = 2000
"""The longest period looked for in the steps themselves; longer ones in the means of cycles."""
MAX_PERIODS = 3
"""Periods that are returned at most."""
USUAL_PERIODS = (4, 5, 7, 12, 24, 48, 52, 96, 144, 168, 288, 336, 365, 1440)
"""Periods of clocks and calendars: they are likely before any value was seen."""
_MIN_CYCLES = 3.0
_MIN_CYCLES_IF_EXPECTED = 2.0
_MIN_SCORE = 4.5
"""Least normal score of a period, one of some thousands that are looked at."""
_MIN_SCORE_IF_USUAL = 3.0
_MIN_SCORE_IF_EXPECTED = 2.0
_MIN_SHARE = 0.06
"""Least share of the variance that the season explains, of a series without its slow movements."""
_MIN_SHARE_OF_MULTIPLE = 0.15
_MIN_SHARE_BESIDE_OTHERS = 0.25
"""The same of a multiple of a known period, and of any other: what is left of a season that changes
slowly looks like lengths nearby."""
_MIN_SERIES_OF_HALF = 10
_SERIES_SHARE = 0.2
"""Share of the series that have to show a period."""
_OUTLIER_DEVIATIONS = 4.0
_NEAR_CYCLES = 4
_WILD_RANGES = 3.0
"""How far outside of the range of nine in ten values one may be, in such ranges."""
_PROFILE_CYCLES = 14
"""Cycles whose mean is taken out: slow changes of a day go with it, its week stays."""
_BONUS_IF_LIKELY = 1.02
_BONUS_IF_SAME = 1.2
_SHARE_TOLERANCE = 0.05
"""How much less a neighbour of a usual period has to leave unexplained, in general and where it can
hardly be told from it, and what counts as noise of it."""
_MIN_EXCESS_OF_HALF = 0.8
_MIN_EXCESS = 0.5
"""What a period has to explain of a multiple of it, from nothing more than its share of the waves
(0) to all (1)."""


@dataclass(frozen=True, eq=False)
class PeriodStrengths:
    """How clearly a series shows each period up to a longest one, both [P].

    share: of the variance, what the mean of each phase explains of steps that it was not made of.
    score: the same as a normal score, which chance alone leaves below 1.64 in 95 %. NaN where the
    series does not hold the period twice.
    """

    share: Floats
    score: Floats


def find_periods(
    series: list[Floats], expected: Collection[int] = (), most: int = MAX_PERIODS
) -> tuple[int, ...]:
    """Find the periods that enough of the series [T] show, in steps, rising; NaN is missing.

    expected: periods that a calendar proposes, which need less evidence, as those of
    `USUAL_PERIODS` do. What one period explains is taken out before the next is looked for, so that
    its multiples are found for what they add alone.
    """
    rest = [y for y in map(_prepare_series, series) if len(y)]
    found: list[int] = []
    while rest and len(found) < most:
        period = _find_clearest_period(rest, frozenset(expected), found)
        if period is None:
            break
        found.append(period)
        rest = [_remove_profile(y, period) for y in rest]
    return tuple(sorted(found))


def measure_share(series: list[Floats], period: int) -> float:
    """Share of the variance that a period explains, as the median of the series [T] that hold it.

    Of a series without what moves more slowly than the period; 0 where no series holds it twice.
    """
    no_multiple = np.zeros(0, dtype=np.int64)
    shares = []
    for y in map(_prepare_series, series):
        if len(y) >= 2 * period:
            [share] = _measure_lengths(y, period, no_multiple)
            shares.append(share)
    return float(np.median(shares)) if shares else 0.0


def _prepare_series(y: Floats) -> Floats:
    """A series in logs where it is positive, brought near 1, without missing ends."""
    places = np.flatnonzero(~np.isnan(y))
    if not len(places):
        return np.zeros(0)
    inside = y[places[0] : places[-1] + 1]
    lowest = np.nanmin(inside)
    if lowest > 0:
        inside = np.log(inside)
    inside = _limit_wild_values(inside - np.nanmedian(inside))
    largest = np.nanmax(np.abs(inside))
    return np.asarray(inside / largest) if largest > 0 else np.zeros(0)


def _limit_wild_values(y: Floats) -> Floats:
    """A series whose values stay near the range of nine in ten of them."""
    low, high = np.nanquantile(y, (0.05, 0.95))
    reach = _WILD_RANGES * (high - low)
    return np.clip(y, low - reach, high + reach) if reach > 0 else y


def _find_clearest_period(
    series: list[Floats], expected: Collection[int], found: list[int]
) -> int | None:
    """The shortest period that is no part of a clearer one, None where none is clear enough."""
    measured = _measure_panel(series, expected)
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
            return int(period)
    return None


def _are_likely(count: int, expected: Collection[int], found: list[int]) -> Bools:
    """Which of the periods below a number are likely before any value was seen, [P].

    Those of clocks and calendars, and five or seven of a day that was found.
    """
    weeks = [factor * known for known in found for factor in (5, 7)]
    return np.isin(np.arange(count), [*USUAL_PERIODS, *expected, *weeks])


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
            by_series.append(_measure_lengths(y, period, multiples))
    if not by_series:
        return True
    explained = np.nanmean(np.array(by_series), 0)
    ratio = explained[0] / np.maximum(explained[1:], 1e-9)
    expected = period / multiples
    excess = (ratio - expected) / (1 - expected)
    least = np.where(expected == 0.5, _MIN_EXCESS_OF_HALF, _MIN_EXCESS)
    return bool((excess >= least).all())


def _measure_lengths(y: Floats, period: int, multiples: Ints) -> Floats:
    """Share of the variance explained by a period and by multiples of it, [1 + M]."""
    observed = ~np.isnan(y)
    octave = 1 << (period.bit_length() - 1)
    rest = _remove_slow_movements(y, observed, 2 * octave)
    products = _lagged_products(rest)
    overlaps = _count_overlaps(observed)
    found = []
    for length in (period, *multiples.tolist()):
        total = products[length::length].sum()
        pairs = overlaps[length::length].sum()
        seen = 2 * length <= len(y) and products[0] > 0
        share = total / max(pairs, 1.0) * overlaps[0] / products[0] if seen else np.nan
        found.append(share)
    return np.array(found)


def _measure_panel(series: list[Floats], expected: Collection[int]) -> PeriodStrengths:
    """Strengths of each period in each series, [N, P]; NaN where it is not seen often enough."""
    longest = min(MAX_PERIOD, max(len(y) for y in series) // 2)
    periods = np.arange(longest + 1)
    is_expected = np.isin(periods, list(expected))
    least_cycles = np.where(is_expected, _MIN_CYCLES_IF_EXPECTED, _MIN_CYCLES)
    shape = (len(series), longest + 1)
    share = np.full(shape, np.nan)
    score = np.full(shape, np.nan)
    for i, y in enumerate(series):
        strengths = measure_periods(y)
        n = len(strengths.score)
        is_seen = len(y) >= periods[:n] * least_cycles[:n]
        share[i, :n] = np.where(is_seen, strengths.share, np.nan)
        score[i, :n] = np.where(is_seen, strengths.score, np.nan)
    return PeriodStrengths(share, score)


def _remove_profile(y: Floats, period: int) -> Floats:
    """A series [T] less the mean of each phase over the cycles around."""
    n = len(y)
    if n < 2 * period:
        return y
    observed = ~np.isnan(y)
    profile = _estimate_profile(y, _average_over_cycle(y, observed, period), period)
    if not observed.all():
        # An average with gaps moves with the season: now that is known, it is taken without.
        average = _average_over_cycle(y - profile, observed, period)
        profile = _estimate_profile(y, average, period)
    return np.asarray(y - profile)


def _estimate_profile(y: Floats, average: Floats, period: int) -> Floats:
    """Mean of each phase over the cycles around each step, of what is above an average, [T]."""
    # Cycles as rows, the last one filled up with missing steps.
    n = len(y)
    n_cycles = -(-n // period)
    padded = np.full(n_cycles * period, np.nan)
    padded[:n] = y - average
    cycles = padded.reshape(n_cycles, period)
    has_value = ~np.isnan(cycles).all(0)
    of_phase = cycles[:, has_value]
    middle = np.nanmedian(of_phase, 0)

    # Outliers are cut at some deviations from the middle of their phase.
    distance = of_phase - middle
    deviation = 1.4826 * float(np.nanmedian(np.abs(distance)))
    if deviation > 0:
        limit = _OUTLIER_DEVIATIONS * deviation
        distance = np.clip(distance, -limit, limit)
    profile = np.zeros((n_cycles, period))
    profile[:, has_value] = _average_cycles(middle + distance)
    return profile.ravel()[:n]


def _average_cycles(cycles: Floats) -> Floats:
    """Mean of each phase over the cycles around each one, [cycles, phases]; NaN is missing."""
    n = len(cycles)
    observed = ~np.isnan(cycles)
    zero = np.zeros((1, cycles.shape[1]))
    total = np.concatenate([zero, np.cumsum(np.where(observed, cycles, 0.0), 0)])
    count = np.concatenate([zero, np.cumsum(observed, 0)])
    width = min(_PROFILE_CYCLES, n)
    begin = np.clip(np.arange(n) - width // 2, 0, n - width)
    sums = total[begin + width] - total[begin]
    counts = count[begin + width] - count[begin]
    return np.asarray(sums / np.maximum(counts, 1))


def _average_over_cycle(y: Floats, observed: Bools, period: int) -> Floats:
    """Centred moving average over one cycle, [T]; at the ends that of the first and the last one.

    Of an even number of steps, the first and the last of the window count half.
    """
    n = len(y)
    known = np.where(observed, y, 0.0)
    total = np.concatenate([[0.0], np.cumsum(known)])
    count = np.concatenate([[0], np.cumsum(observed)])
    half = period // 2
    begin = np.clip(np.arange(n) - half, 0, n - period)
    later = np.minimum(begin + 1 - period % 2, n - period)
    sums = total[begin + period] - total[begin] + total[later + period] - total[later]
    counts = count[begin + period] - count[begin] + count[later + period] - count[later]
    return np.asarray(sums / np.maximum(counts, 1))


def measure_periods(y: Floats, shortest: int = 2) -> PeriodStrengths:
    """Measure how clearly a series [T] shows the periods from `shortest` on; NaN is missing."""
    n = len(y)
    longest = min(MAX_PERIOD, n // 2)
    share = np.full(longest + 1, np.nan)
    score = np.full(longest + 1, np.nan)
    observed = ~np.isnan(y)
    if not observed.any():
        return PeriodStrengths(share, score)

    overlaps = _count_overlaps(observed)
    for first in _iter_octaves(shortest, longest):
        periods = np.arange(first, min(2 * first, longest + 1))
        rest = _remove_slow_movements(y, observed, 2 * first)
        products = _lagged_products(rest)
        variance = products[0] / overlaps[0]
        if not variance > 0:
            continue

        at_cycles = _sum_over_cycles(products, periods)
        pairs = _count_pairs(overlaps, periods, is_complete=bool(observed.all()))
        likeness = at_cycles / np.maximum(pairs, 1.0) / variance
        kept = np.clip(likeness, -0.999, 0.9999)
        share[periods] = kept

        spread = _count_dependent_steps(products / products[0], periods)
        cycles = overlaps[0] / periods
        score[periods] = _normal_score(kept, cycles, periods, spread)

    return PeriodStrengths(share, score)


def _iter_octaves(shortest: int, longest: int) -> Iterator[int]:
    """The first periods of the octaves 2-3, 4-7, 8-15, ... that hold some of those asked for."""
    first = 2
    while first <= longest:
        if 2 * first > shortest:
            yield first
        first *= 2


def _normal_score(
    share: Floats, cycles: Floats, periods: Ints, spread: Floats
) -> Floats:
    """Normal score of the ratio of variances between and within the phases, [P].

    Under chance the ratio follows an F distribution whose degrees of freedom are those of the steps
    that are independent of each other. Its score by Paulson (1942), from cube roots.
    """
    ratio = 1 + cycles * share / (1 - share)
    ratio = np.maximum(ratio, 0.0)
    between = np.maximum((periods - 1) / spread, 0.5)
    within = np.maximum(between * (cycles - 1), 0.5)

    root = np.cbrt(ratio)
    a = 2 / (9 * between)
    b = 2 / (9 * within)
    distance = (1 - b) * root - (1 - a)
    return np.asarray(distance / np.sqrt(b * root**2 + a))


def _count_dependent_steps(correlation: Floats, periods: Ints) -> Floats:
    """Steps that count as one, as they depend on each other: 1 + 2 sum of r_k^2, k < period, [P].

    The sum is weighted as in a cycle, in which fewer pairs are far apart (Bartlett 1946).
    """
    squares = correlation[: periods[-1]] ** 2
    lags = np.arange(len(squares))
    total = np.cumsum(squares)
    moment = np.cumsum(squares * lags)
    last = periods - 1
    # Lag 0 is 1 and counts once, the others on both sides.
    weighted = total[last] - moment[last] / periods
    return 2 * weighted - 1


def _sum_over_cycles(products: Floats, periods: Ints) -> Floats:
    """Sum of what stands at the multiples of each period, [P], of [K] lags from 0 on."""
    n_lags = len(products)
    first = int(periods[0])
    if first * first < n_lags:
        # Few periods, each with many multiples.
        return np.array([products[p::p].sum() for p in periods.tolist()])

    total = np.zeros(len(periods))
    for multiple in range(1, (n_lags - 1) // first + 1):
        lags = multiple * periods
        inside = int(np.searchsorted(lags, n_lags))
        total[:inside] += products[lags[:inside]]
    return total


def _count_pairs(overlaps: Floats, periods: Ints, *, is_complete: bool) -> Floats:
    """Pairs of steps that lie whole cycles apart, for each period, [P]."""
    if not is_complete:
        return _sum_over_cycles(overlaps, periods)
    # The sum of n - p, n - 2 p, ...
    n = len(overlaps)
    multiples = (n - 1) // periods
    return np.asarray(multiples * (n - periods * (multiples + 1) / 2))


def _lagged_products(rest: Floats) -> Floats:
    """Sums of products of the steps [T] with those of each lag, [T] (Wiener 1930)."""
    n = len(rest)
    # Padded with as many zeros, so that the end of the series does not meet its beginning.
    size = _fast_length(2 * n)
    spectrum = np.fft.rfft(rest, size)
    power = spectrum.real**2 + spectrum.imag**2
    products: Floats = np.fft.irfft(power, size)[:n]
    return products


def _fast_length(least: int) -> int:
    """The smallest 2^a, 3 x 2^a or 5 x 2^a from `least` on, which transform quickly."""
    found = [
        factor << max(0, (-(-least // factor) - 1).bit_length()) for factor in (1, 3, 5)
    ]
    return min(found)


def _count_overlaps(observed: Bools) -> Floats:
    """Pairs of observed steps at each lag, [T]."""
    n = len(observed)
    if observed.all():
        return np.arange(n, 0, -1, dtype=np.float64)
    counts = _lagged_products(observed.astype(np.float64))
    return np.asarray(np.round(counts))


def _remove_slow_movements(y: Floats, observed: Bools, window: int) -> Floats:
    """A series [T] less its centred moving average, outliers cut; 0 where it is missing.

    At the ends the average is that of the part of the window that lies inside.
    """
    n = len(y)
    half = window // 2
    known = np.where(observed, y, 0.0)
    total = np.concatenate([[0.0], np.cumsum(known)])
    count = np.concatenate([[0], np.cumsum(observed)])
    steps = np.arange(n)
    begin = np.maximum(steps - half, 0)
    end = np.minimum(steps + half + 1, n)
    in_window = np.maximum(count[end] - count[begin], 1)
    rest = known - (total[end] - total[begin]) / in_window
    return _cut_outliers(rest, observed)


def _cut_outliers(rest: Floats, observed: Bools) -> Floats:
    """Bring far values to some robust deviations and the mean to 0; 0 where it is missing."""
    of_observed = rest[observed]
    deviation = 1.4826 * float(np.median(np.abs(of_observed)))
    if not deviation > 0:
        # Most steps are the same: what is left is no outlier, it is all there is.
        deviation = float(np.std(of_observed))
    limit = _OUTLIER_DEVIATIONS * deviation
    cut = np.clip(of_observed, -limit, limit)
    whole = np.zeros(len(rest))
    whole[observed] = cut - cut.mean()
    return whole
