"""How clearly a series shows the periods of any length, and what is left of it without one.

A series is folded at each length, without what moves more slowly than it. Values of the same phase
that are more alike than chance makes them are a season: the analysis of variance by phase
(Schwarzenberg-Czerny 1989, "On the advantage of using analysis of variance for period search").
Knows no calendar and no stamps.

Axes: N series, T steps, P periods looked at (the index is the period in steps), K lags.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lstmcast.ragged import Bools, Floats, Ints

MAX_PERIOD = 2000
"""The longest period looked for in the steps themselves; longer ones in the means of cycles."""
_OUTLIER_DEVIATIONS = 4.0
ALL_APART = 1 << 30
_WILD_RANGES = 3.0
"""How far outside of the range of nine in ten values one may be, in such ranges."""
_MIN_CYCLES_OF_LIKENESS = 1.4
_PROFILE_CYCLES = 14
"""Cycles whose mean is taken out: slow changes of a day go with it, its week stays."""


@dataclass(frozen=True, eq=False)
class PeriodStrengths:
    """How clearly a series shows each period up to a longest one, both [P].

    share: of the variance, what the mean of each phase explains of steps that it was not made of.
    score: the same as a normal score, which chance alone leaves below 1.64 in 95 %. NaN where the
    series does not hold the period twice.
    """

    share: Floats
    score: Floats


def average_blocks(y: Floats, size: int) -> Floats:
    """Means of blocks of steps of a series' newest part; NaN where most of them are missing."""
    n_blocks = len(y) // size
    blocks = y[len(y) - n_blocks * size :].reshape(n_blocks, size)
    observed = ~np.isnan(blocks)
    count = observed.sum(1)
    total = np.where(observed, blocks, 0.0).sum(1)
    return np.where(2 * count > size, total / np.maximum(count, 1), np.nan)


def measure_share(series: list[Floats], period: int) -> float:
    """Share of the variance that a period explains, as the median of the series [T] that hold it.

    Of a series without what moves more slowly than the period; 0 where no series holds it twice.
    """
    no_multiple = np.zeros(0, dtype=np.int64)
    shares = []
    for y in map(prepare_series, series):
        if len(y) >= 2 * period:
            [share] = measure_lengths(y, period, no_multiple)
            shares.append(share)
    return float(np.median(shares)) if shares else 0.0


def prepare_series(y: Floats) -> Floats:
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


def measure_lengths(y: Floats, period: int, multiples: Ints) -> Floats:
    """Share of the variance explained by a period and by multiples of it, [1 + M]."""
    products, overlaps = _multiply_lags(y, period)
    found = []
    for length in (period, *multiples.tolist()):
        total = products[length::length].sum()
        pairs = overlaps[length::length].sum()
        seen = 2 * length <= len(y) and products[0] > 0
        share = total / max(pairs, 1.0) * overlaps[0] / products[0] if seen else np.nan
        found.append(share)
    return np.array(found)


def measure_likeness(y: Floats, period: int) -> float:
    """Autocorrelation at a period, less the mean of that at lags around it.

    For a period that a series [T] holds once and a part of it again, which is too little for a
    test. NaN where that part is small, or where the series does not change.
    """
    if len(y) < _MIN_CYCLES_OF_LIKENESS * period:
        return np.nan
    products, overlaps = _multiply_lags(y, period)
    if not products[0] > 0:
        return np.nan
    covariance = products / np.maximum(overlaps, 1.0)
    correlation = covariance / covariance[0]

    # A moving average was taken away, which leaves all steps this far apart less alike than they
    # are. Lags around the period suffer as much as it does, so the difference tells.
    reach = max(period // 4, 2)
    last = min(period + reach, len(y) - max(period // 8, 4))
    lags = np.arange(max(period - reach, 2), last + 1)
    others = lags[np.abs(lags - period) > max(period // 20, 2)]
    if not len(others):
        return np.nan
    return float(correlation[period] - correlation[others].mean())


def _multiply_lags(y: Floats, period: int) -> tuple[Floats, Floats]:
    """Sums of products, and numbers of pairs, of the steps of each lag, both [T].

    Of a series without what moves more slowly than the octave of a period.
    """
    observed = ~np.isnan(y)
    octave = 1 << (period.bit_length() - 1)
    rest = _remove_slow_movements(y, observed, 2 * octave)
    return _lagged_products(rest), _count_overlaps(observed)


def remove_profile(y: Floats, period: int) -> Floats:
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


def measure_periods(y: Floats, apart: int = ALL_APART) -> PeriodStrengths:
    """Measure how clearly a series [T] shows the periods from 2 on; NaN is missing.

    apart: cycles that are compared are at most so many from each other.
    """
    n = len(y)
    longest = min(MAX_PERIOD, n // 2)
    share = np.full(longest + 1, np.nan)
    score = np.full(longest + 1, np.nan)
    observed = ~np.isnan(y)
    if not observed.any():
        return PeriodStrengths(share, score)

    overlaps = _count_overlaps(observed)
    for first in _iter_octaves(longest):
        periods = np.arange(first, min(2 * first, longest + 1))
        rest = _remove_slow_movements(y, observed, 2 * first)
        products = _lagged_products(rest)
        variance = products[0] / overlaps[0]
        if not variance > 0:
            continue

        at_cycles = _sum_over_cycles(products, periods, apart)
        pairs = _count_pairs(overlaps, periods, apart)
        likeness = at_cycles / np.maximum(pairs, 1.0) / variance
        kept = np.clip(likeness, -0.999, 0.9999)
        share[periods] = kept

        spread = _count_dependent_steps(products / products[0], periods)
        cycles = overlaps[0] / periods
        # Fewer pairs than all of so many cycles have: as many as fewer cycles would.
        cycles = np.minimum(cycles, np.sqrt(2 * apart * cycles))
        score[periods] = _normal_score(kept, cycles, periods, spread)

    return PeriodStrengths(share, score)


def _iter_octaves(longest: int) -> Iterator[int]:
    """The first periods of the octaves 2-3, 4-7, 8-15, ... up to a longest one."""
    first = 2
    while first <= longest:
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
    between = np.maximum((periods - 1) / spread, 1.0)
    within = np.maximum(between * (cycles - 1), 1.0)

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


def _sum_over_cycles(products: Floats, periods: Ints, apart: int) -> Floats:
    """Sum of what stands at the multiples of each period, [P], of [K] lags from 0 on."""
    n_lags = len(products)
    first = int(periods[0])
    if first * first < n_lags:
        # Few periods, each with many multiples.
        ends = (apart * periods + 1).tolist()
        pairs = zip(periods.tolist(), ends, strict=True)
        return np.array([products[p:end:p].sum() for p, end in pairs])

    total = np.zeros(len(periods))
    most = min((n_lags - 1) // first, apart)
    for multiple in range(1, most + 1):
        lags = multiple * periods
        inside = int(np.searchsorted(lags, n_lags))
        total[:inside] += products[lags[:inside]]
    return total


def _count_pairs(overlaps: Floats, periods: Ints, apart: int) -> Floats:
    """Pairs of steps that lie whole cycles apart, for each period, [P]."""
    n = len(overlaps)
    if overlaps[0] < n:
        return _sum_over_cycles(overlaps, periods, apart)
    # The sum of n - p, n - 2 p, ...
    multiples = np.minimum((n - 1) // periods, apart)
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
