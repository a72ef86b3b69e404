"""Which seasons the values of a panel show, and the default horizon.

The frequency proposes (hourly: a day and a week), the values decide, and are searched for any
other. Knows no stamps.

Axes: N series, T steps, m season.
"""

import numpy as np

from lstmcast.features.periods import find_periods, measure_share
from lstmcast.features.steps import Seasons
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Floats, Ints, choose_evenly

_MAX_SERIES = 100
_MIN_SERIES = 6
_MAX_STEPS = 40_000
"""Steps of all series that are searched."""
_MAX_STEPS_PER_SERIES = 20_000
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
"""Least share of the variance, as the median of the series, of a season that is strong."""


def infer_seasons(panel: Panel, forced: int | None = None) -> Seasons:
    """Seasons of a panel in steps, as its values show them; its calendar makes some more likely.

    forced: the main season, where the user
    gives it.
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
    longest = int(np.diff(offsets).max())
    if forced is not None:
        # A longer season is of whole cycles of the shorter, as a week of days. Seen twice at
        # least, or it cannot be told from anything else.
        second = proposed.second
        is_multiple = second > forced and second % forced == 0
        is_seen = longest >= 2 * second
        is_second = is_multiple and is_seen
        return Seasons(forced, second if is_second else 0)

    series = _sample_series(values, offsets)
    expected = [m for m in proposed if m > 1]
    found = find_periods(series, expected)
    if found:
        return _rank_seasons(series, found, proposed)

    # Nothing that is seen twice: an exact cycle, or what the calendar says of a short series.
    cycle = find_exact_cycle(series)
    is_unseen = longest <= 2 * proposed.main
    if cycle == 1 and is_unseen and proposed.main <= _MAX_UNSEEN_SEASON:
        return Seasons(proposed.main, 0)
    return Seasons(cycle, 0)


def search_seasons(values: Floats, offsets: Ints) -> Seasons:
    """Search a panel without a calendar for seasons, in steps.

    values: [sum T], NaN where missing; offsets: [N+1].
    """
    return confirm_seasons(values, offsets, Seasons(1, 0))


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
        is_main = measure_share(series, shortest) > _CLEAR_SHARE
    ranked = found if is_main else (1, *found[:2])
    filled = (*ranked, 0, 0)
    return Seasons(*filled[:3])


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
