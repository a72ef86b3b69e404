"""Which of the calendar's seasons the values really show, and the default horizon.

The frequency proposes (hourly: a day and a week), the values decide. Knows no stamps.

Axes: N series, T steps, m season.
"""

import numpy as np

from lstmcast.features.steps import Seasons
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Floats, Ints, choose_evenly

_MAX_SERIES = 200
_MAX_STEPS_PER_SERIES = 5000
_CANDIDATE_SEASONS = (4, 7, 12, 24, 48, 52, 96, 144, 168, 288)
"""Seasons looked for where there is no calendar."""
_MAX_UNSEEN_SEASON = 366
"""Steps of a season that no series holds twice and that is still believed."""
_MIN_HORIZONS = 3
"""Default horizons that the longest series holds at least, where they are long."""
_MAX_HORIZON_OF_SHORT_SERIES = 24
"""A default horizon up to this is taken however short the series are."""
_FINE_SEASON = 48
"""From so many steps on, a season is looked for in means of neighbouring steps, too: from one step
to the next it changes less than noise does."""
_BLOCKS_PER_SEASON = (24, 8)
_MIN_BLOCK_AUTOCORRELATION = 0.2
_MAX_SEASONS_PER_SERIES = 8
_EXACT_TOLERANCE = 1e-9
"""Share of its range that a series may differ from itself one exact cycle before."""
_MIN_SERIES_SHARE = 0.2
"""Share of the series in which a proposed season must be significant."""
_CLEAR_AUTOCORRELATION = 0.3
"""Least autocorrelation, as the median of the series, of a season that shows clearly."""
_NEARLY_AS_STRONG = 0.8
"""A shorter season is preferred where it is at least this share as strong as the strongest."""
_OUTLIER_DEVIATIONS = 4
"""Differences are cut at this many robust deviations."""


def infer_seasons(panel: Panel, forced: int | None = None) -> Seasons:
    """Seasons of a panel in steps: of those that its calendar proposes, the ones its values show.

    Without a calendar the values are searched for one. forced: the main season, where the user
    gives it.
    """
    axis = panel.axis
    is_calendar = axis.kind != "integer"
    is_given = forced is not None or axis.season != 1
    if not is_calendar and not is_given:
        return search_seasons(panel.values, panel.offsets)
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
    """Those of the proposed seasons, in steps, that the values show.

    A proposed main season is kept where it is significant in one series of five, so that the
    network has it at hand. Without one, a yearly (weekly data) or unnamed (integer steps) season
    must show clearly in most series. `forced` is given by the user and not questioned. values:
    [sum T], NaN where missing; offsets: [N+1].
    """
    # Seen twice at least, or it cannot be told from anything else.
    longest = int(np.diff(offsets).max())
    second = proposed.second
    if longest < 2 * second:
        second = 0
    if forced is not None:
        # A longer season is of whole cycles of the shorter, as a week of days.
        is_multiple = second > forced and second % forced == 0
        return Seasons(forced, second if is_multiple else 0)

    # A fine season is sought in the values where they do not show the one of the calendar.
    series = _sample_series(values, offsets)
    is_fine = proposed.main >= _FINE_SEASON
    if is_fine and longest < 2 * proposed.main:
        # Less than two days by the minute: a day shows nothing, but there may be a shorter cycle.
        cycle = find_exact_cycle(series)
        is_believed = proposed.main <= _MAX_UNSEEN_SEASON
        if cycle == 1 and is_believed:
            return Seasons(proposed.main, 0)
        return Seasons(cycle, 0)

    if proposed.main > 1:
        if _is_shown_by_enough(series, proposed.main):
            return Seasons(proposed.main, second)
        main = find_exact_cycle(series) if is_fine else 1
        return Seasons(main, second)

    if not proposed.second:
        return Seasons(1, 0)

    # Only a long season is proposed: it becomes the main one where it is strong.
    strength = _significant_autocorrelation(series, proposed.second)
    if second and strength > _CLEAR_AUTOCORRELATION:
        return Seasons(proposed.second, 0)
    return Seasons(1, second)


def search_seasons(values: Floats, offsets: Ints) -> Seasons:
    """Search a panel without a calendar for seasons, in steps.

    The main one is the shortest usual season that shows clearly in most series. values: [sum T],
    NaN where missing; offsets: [N+1].
    """
    series = _sample_series(values, offsets)
    lengths = np.diff(offsets)
    longest = int(lengths.max())

    # Without a calendar to propose a season, it has to be seen three times.
    strengths = {
        m: _significant_autocorrelation(series, m)
        for m in _CANDIDATE_SEASONS
        if longest >= 3 * m
    }
    strongest = max(strengths.values(), default=0.0)
    if strongest <= _CLEAR_AUTOCORRELATION:
        return Seasons(find_exact_cycle(series), 0)

    least_strength = _NEARLY_AS_STRONG * strongest
    strong = [m for m, strength in strengths.items() if strength >= least_strength]
    main = min(strong)

    # Seven cycles of a day-like season may make a week.
    week = 7 * main
    if main < 24 or longest < 2 * week:
        return Seasons(main, 0)
    strength = _significant_autocorrelation(series, week)
    is_weekly = strength > _CLEAR_AUTOCORRELATION
    return Seasons(main, week if is_weekly else 0)


def season_significance(differences: Floats, m: int) -> float:
    """Autocorrelation of the differences at lag m over its 90 % bound; above 1 there is a season.

    The test of the M4 competition (Makridakis et al. 2020), on differences so that a trend is no
    season. The bound is Bartlett's: 1.645 sqrt((1 + 2 sum of r_k^2 for k < m) / n).
    """
    correlation = _autocorrelation(differences, m)
    bound = _bartlett_bound(correlation, len(differences))
    return float(correlation[-1] / bound)


def _bartlett_bound(correlation: Floats, n: int) -> float:
    """What chance alone leaves the last of the autocorrelations of n values below in 90 %."""
    shorter_lags = correlation[:-1]
    shorter = np.sum(shorter_lags**2)
    variance = (1 + 2 * shorter) / n
    return float(1.645 * np.sqrt(variance))


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
    newest = y[-_MAX_STEPS_PER_SERIES:]
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


def _is_shown_by_enough(series: list[Floats], m: int) -> bool:
    """Whether the season is significant in enough of the series that are long enough to tell."""
    significant = []
    for y in series:
        if len(y) <= 2 * m:
            continue
        newest = y[-_MAX_STEPS_PER_SERIES:]
        shown = False
        if len(newest) > 2 * m:
            differences = _robust_differences(newest)
            shown = season_significance(differences, m) > 1

        # Noise from step to step may hide what the means of a few steps show.
        if not shown:
            shown = _block_autocorrelation(y, m) > 0
        significant.append(shown)

    if not significant:
        # The calendar is believed, but not for a season that would fill the memory unseen.
        return m <= _MAX_UNSEEN_SEASON
    return bool(np.mean(significant) >= _MIN_SERIES_SHARE)


def _significant_autocorrelation(series: list[Floats], m: int) -> float:
    """Median over the series of their autocorrelation at lag m; 0 where it is not significant."""
    found = []
    for y in series:
        newest = y[-_MAX_STEPS_PER_SERIES:]
        if len(newest) > 2 * m:
            differences = _robust_differences(newest)
            at_lag = _autocorrelation_if_significant(differences, m)
            of_blocks = _block_autocorrelation(y, m)
            found.append(max(at_lag, of_blocks))

    if not found:
        return 0.0
    return float(np.median(found))


def _autocorrelation_if_significant(differences: Floats, m: int) -> float:
    """Autocorrelation of differences at lag m; 0 where chance alone could make it."""
    correlation = _autocorrelation(differences, m)
    at_lag = float(correlation[-1])
    bound = _bartlett_bound(correlation, len(differences))
    is_significant = at_lag / bound > 1
    return at_lag if is_significant else 0.0


def _block_autocorrelation(y: Floats, m: int) -> float:
    """The same of the means of neighbouring steps, where a season has many; 0 where none shows."""
    if m < _FINE_SEASON:
        return 0.0

    n_steps = _MAX_SEASONS_PER_SERIES * m
    newest = y[-n_steps:]
    found = [0.0]
    for blocks in _BLOCKS_PER_SEASON:
        # Whole blocks make a season.
        largest = m // blocks
        sizes = (size for size in range(largest, 1, -1) if m % size == 0)
        size = next(sizes, 1)

        means = _block_means(newest, size)
        differences = _robust_differences(means)
        at_lag = _autocorrelation_if_significant(differences, m // size)
        if at_lag > _MIN_BLOCK_AUTOCORRELATION:
            found.append(at_lag)

    return max(found)


def _block_means(newest: Floats, size: int) -> Floats:
    """Means of blocks of so many steps, of a series' newest part [T]; NaN where all are missing."""
    # What does not fill a block is left out, of the oldest.
    n_blocks = len(newest) // size
    begin = len(newest) - n_blocks * size
    blocks = newest[begin:].reshape(n_blocks, size)

    observed = ~np.isnan(blocks)
    count = observed.sum(1)
    known = np.where(observed, blocks, 0.0)
    total = known.sum(1)
    means = np.full(n_blocks, np.nan)
    np.divide(total, count, out=means, where=count > 0)
    return means


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
    """Evenly chosen series."""
    n_series = len(offsets) - 1
    chosen = choose_evenly(n_series, _MAX_SERIES)
    found = []
    for i in chosen:
        begin = offsets[i]
        end = offsets[i + 1]
        found.append(values[begin:end])
    return found


def _robust_differences(y: Floats) -> Floats:
    """Differences of a series [T], in logs if it is positive: median 0, outliers cut, [T-1]."""
    is_positive = not (y <= 0).any()
    if is_positive:
        y = np.log(y)
    differences = np.diff(y)

    observed = ~np.isnan(y)
    n_missing = np.isnan(differences).sum()
    if observed.any() and 2 * n_missing > len(differences):
        # Hardly two values in a row: straight lines between them stand in.
        steps = np.arange(len(y))
        filled = np.interp(steps, steps[observed], y[observed])
        differences = np.diff(filled)

    if not len(differences) or np.isnan(differences).all():
        return np.zeros(len(differences))

    # Without what it grows by from step to step.
    differences = differences - np.nanmedian(differences)

    # The median absolute deviation, in standard deviations of a normal distribution.
    absolute = np.abs(differences)
    deviation = 1.4826 * np.nanmedian(absolute)
    if deviation > 0:
        limit = _OUTLIER_DEVIATIONS * deviation
        differences = np.clip(differences, -limit, limit)
    return np.nan_to_num(differences)
