"""Synthetic series for pretraining: level, trend, seasons, cycles, noise and outliers, at random.

No real data is read. Everything derives from the random generator that is handed in, so the order
of the draws is part of the result.

Axes: n series, T steps, m season length.
"""

from collections.abc import Mapping

import numpy as np
from scipy.signal import lfilter

from lstmcast.features.steps import Seasons
from lstmcast.ragged import Bools, Floats

Rng = np.random.Generator
FULL_TURN = 2 * np.pi
"""A full turn, in radians."""


def make_series(rng: Rng, n: int, length: int, seasons: Seasons) -> Floats:
    """Draw n series of `length` steps, [n, T]; NaN where a value is missing (never at the first).

    The components' probabilities and ranges are wide on purpose: the network must meet every kind
    of series that a user may bring, not an average one.
    """
    m, m2 = seasons
    period = max(m, 4)
    noise = _draw_log_uniform(rng, n, -1.3, 0.3)
    y = _draw_noise(rng, n, length, period) * noise
    y += _draw_level(rng, n, length) * noise
    y += _draw_trend(rng, n, length)
    y += _draw_cycle(rng, n, length, period)
    if m > 1:
        size = _draw_indicator(rng, n, 0.85)
        size *= _draw_log_uniform(rng, n, -0.5, 0.7)
        y += size * _draw_season(rng, n, length, m, 4)
    if m2:
        size = _draw_indicator(rng, n, 0.85)
        y += size * _draw_second_season(rng, n, length, m, m2)
    y += _draw_level_shifts(rng, n, length)
    y /= y.std(1, keepdims=True) + 1e-9
    y = _to_user_scale(rng, y, noise)
    return _with_missing(rng, y)


def _draw_noise(rng: Rng, n: int, length: int, period: int) -> Floats:
    """Draw unit noise: Gaussian or heavy-tailed, with outliers and autocorrelation."""
    shape = (n, length)
    gaussian = rng.normal(size=shape)
    # Student's t with 4 degrees of freedom has variance 2.
    heavy = rng.standard_t(4, size=shape)
    heavy /= np.sqrt(2)
    noise = _choose_for_each(rng, n, {0.15: heavy}, gaussian)
    noise *= _draw_deviation(rng, n, length, period)
    is_outlier = rng.random(shape) < 0.03
    is_outlier &= _draw_mask(rng, n, 0.2)
    outlier_size = _draw_uniform(rng, n, 3, 8)
    noise *= np.where(is_outlier, outlier_size, 1.0)
    # Half of the series are not autocorrelated, and a few alternate.
    phi = rng.uniform(0.2, 0.98, n)
    phi *= rng.random(n) < 0.5
    is_alternating = rng.random(n) < 0.06
    alternating = -rng.uniform(0.1, 0.7, n)
    phi = np.where(is_alternating, alternating, phi)
    # A first-order autoregression has 1 / (1 - phi^2) times the variance of its shocks.
    variance = 1 - phi**2
    unit = np.sqrt(variance)[:, None]
    return _filter_ar1(noise, phi) * unit


def _draw_deviation(rng: Rng, n: int, length: int, period: int) -> Floats:
    """Draw how the deviation of noise changes: slowly, with the season, at random or never."""
    t = np.arange(length)
    turns = _draw_uniform(rng, n, 0.5, 3)
    slow_angle = FULL_TURN * t / length * turns
    slow = np.exp(0.5 * np.sin(slow_angle))
    phase = rng.random((n, 1))
    seasonal_angle = FULL_TURN * (t / period + phase)
    seasonal = np.exp(0.6 * np.sin(seasonal_angle))
    shocks = _draw_normal(rng, n, length) * 0.15
    phi = np.full(n, 0.97)
    wandering = np.exp(_filter_ar1(shocks, phi))
    by_limit = {0.15: slow, 0.25: seasonal, 0.35: wandering}
    return _choose_for_each(rng, n, by_limit, 1.0)


def _draw_level(rng: Rng, n: int, length: int) -> Floats:
    """Draw a random-walk level; in one series of ten nothing else matters (prices)."""
    noise = _draw_noise(rng, n, length, 7)
    walk = np.cumsum(noise, 1)
    size = _draw_indicator(rng, n, 0.6)
    size *= _draw_log_uniform(rng, n, -1.5, 0.2)
    size = _choose_for_each(rng, n, {0.1: 8.0}, size)
    return walk * size


def _draw_trend(rng: Rng, n: int, length: int) -> Floats:
    """Draw trends: straight, damped, stochastic, broken or saturating."""
    slope = _draw_slope(rng, n, length)
    steps = _draw_trend_steps(rng, slope, length)
    trend = np.cumsum(steps, 1)
    saturating = _draw_saturation(rng, n, length)
    trend = _choose_for_each(rng, n, {0.07: saturating}, trend)
    has_trend = _draw_indicator(rng, n, 0.65)
    return has_trend * trend


def _draw_slope(rng: Rng, n: int, length: int) -> Floats:
    """Draw slopes, [n, 1]: half of them so much a step, the others so much over all steps."""
    per_step = _draw_normal(rng, n, 1)
    per_step *= _draw_log_uniform(rng, n, -2.5, -0.7)
    over_all = _draw_normal(rng, n, 1)
    over_all *= _draw_log_uniform(rng, n, -0.5, 1.2)
    over_all /= length
    return _choose_for_each(rng, n, {0.5: per_step}, over_all)


def _draw_trend_steps(rng: Rng, slope: Floats, length: int) -> Floats:
    """Draw what a trend of these slopes [n, 1] adds at each step, [n, T]."""
    n = len(slope)
    t = np.arange(length)
    damping = rng.choice([1.0, 1.0, 0.99, 0.97, 0.9], (n, 1))
    damped = slope * damping**t
    shocks = _draw_normal(rng, n, length)
    shocks *= np.abs(slope)
    shocks *= _draw_uniform(rng, n, 0, 0.4)
    shocks[:, 0] = slope[:, 0]
    memory = rng.choice([1.0, 0.995, 0.98, 0.9], n)
    stochastic = _filter_ar1(shocks, memory)
    break_at = length * _draw_uniform(rng, n, 0.2, 0.95)
    slope_after = slope * _draw_normal(rng, n, 1)
    broken = np.where(t < break_at, slope, slope_after)
    return _choose_for_each(rng, n, {0.35: damped, 0.8: stochastic}, broken)


def _draw_saturation(rng: Rng, n: int, length: int) -> Floats:
    """Draw logistic growth (Verhulst 1838) or decline; the middle may lie behind the end."""
    t = np.arange(length)
    middle = _draw_uniform(rng, n, 0.1, 1.1) * length
    speed = _draw_uniform(rng, n, 4, 15) / length
    growth = (t - middle) * speed
    exponent = -np.clip(growth, -40, 40)
    size = _draw_normal(rng, n, 1) * 4
    inverse_share = 1 + np.exp(exponent)
    return np.asarray(size / inverse_share)


def _draw_cycle(rng: Rng, n: int, length: int, period: int) -> Floats:
    """Draw a slow wave of a fixed length, an irregular one, or in most series none."""
    t = np.arange(length)
    spacing = _draw_uniform(rng, n, 2.5, 12) * period
    size = _draw_uniform(rng, n, 0.3, 2)
    phase = _draw_uniform(rng, n, 0, 6.3)
    angle = FULL_TURN * t / spacing + phase
    regular = size * np.sin(angle)

    radius = rng.uniform(0.93, 0.999, n)
    angle_per_step = FULL_TURN / spacing[:, 0]
    shocks = _draw_normal(rng, n, length)
    irregular = _filter_ar2(shocks, radius, angle_per_step)
    unit = irregular.std(1, keepdims=True) + 1e-9
    irregular *= _draw_uniform(rng, n, 0.3, 3) / unit
    return _choose_for_each(rng, n, {0.17: regular, 0.32: irregular}, 0.0)


def _draw_season(rng: Rng, n: int, length: int, m: int, harmonics: int) -> Floats:
    """Draw a periodic shape of unit size whose amplitude, and sometimes form, drifts."""
    first = _draw_season_shape(rng, n, m, harmonics)
    second = _draw_season_shape(rng, n, m, harmonics)
    phase = np.arange(length) % m
    # How much of the second shape is mixed in wanders from step to step.
    mix = _draw_walk(rng, n, length)
    mix /= np.sqrt(length)
    mix = np.clip(mix * 0.7 + 0.3, 0, 1)
    mix *= _draw_indicator(rng, n, 0.2)
    wave = first[:, phase] * (1 - mix)
    wave += second[:, phase] * mix
    # So does the logarithm of the amplitude, in half of the series.
    drift = _draw_walk(rng, n, length)
    drift *= _draw_uniform(rng, n, 0, 0.3)
    drift /= np.sqrt(m)
    drift = np.clip(drift, -3, 3)
    drift *= _draw_indicator(rng, n, 0.5)
    return np.asarray(wave * np.exp(drift))


def _draw_season_shape(rng: Rng, n: int, m: int, harmonics: int) -> Floats:
    """Draw one season, [n, m], of mean 0 and deviation 1: harmonics, noise, or some spikes."""
    shape = _draw_harmonics(rng, n, m, harmonics)
    noise = _draw_normal(rng, n, m) * 0.7
    shape += noise * _draw_indicator(rng, n, 0.35)
    heights = _draw_normal(rng, n, m)
    # However short the season is, it has one spike or more on average.
    spike_share = max(0.12, 1.2 / m)
    is_spike = rng.random((n, m)) < spike_share
    spikes = heights * is_spike * 2
    shape = _choose_for_each(rng, n, {0.15: spikes}, shape)
    centred = shape - shape.mean(1, keepdims=True)
    deviation = shape.std(1, keepdims=True) + 0.05
    return np.asarray(centred / deviation)


def _draw_harmonics(rng: Rng, n: int, m: int, harmonics: int) -> Floats:
    """Draw a sum of sines and cosines over one season, [n, m]: the faster, the smaller."""
    # Faster waves than m // 2 repeat slower ones.
    fastest = max(1, m // 2)
    k = np.arange(1, min(harmonics, fastest) + 1)
    steepness = _draw_uniform(rng, n, 0.3, 1.5)
    decay = k**-steepness
    step = np.arange(m)
    angle = FULL_TURN * k[:, None] * step / m
    sine_sizes = _draw_normal(rng, n, len(k)) * decay
    cosine_sizes = _draw_normal(rng, n, len(k)) * decay
    sines = sine_sizes @ np.sin(angle)
    cosines = cosine_sizes @ np.cos(angle)
    return np.asarray(sines + cosines)


def _draw_second_season(rng: Rng, n: int, length: int, m: int, m2: int) -> Floats:
    """Draw a smooth long season, or one whose blocks of m steps differ (the days of a week)."""
    size = _draw_log_uniform(rng, n, -0.5, 0.5)
    smooth = size * _draw_season(rng, n, length, m2, 6)
    phase = np.arange(length) % m2
    blocks_per_season = -(-m2 // m)
    levels = _draw_normal(rng, n, blocks_per_season)
    levels *= _draw_log_uniform(rng, n, -0.5, 0.4)
    blocks = np.repeat(levels, m, 1)[:, phase]
    days = _draw_working_week(rng, n)
    if m2 == 7 * m:
        week = np.repeat(days, m, 1)[:, phase]
        week *= _draw_log_uniform(rng, n, -0.3, 0.4)
        blocks = _choose_for_each(rng, n, {0.5: week}, blocks)
    return _choose_for_each(rng, n, {0.5: smooth}, blocks)


def _draw_working_week(rng: Rng, n: int) -> Floats:
    """Draw levels of the days of a week, [n, 7]: only those of the last two are not zero."""
    days = np.zeros((n, 7))
    single = _draw_normal(rng, n, 2) * 0.3
    common = _draw_normal(rng, n, 1)
    days[:, 5:] = single + common
    return days


def _draw_level_shifts(rng: Rng, n: int, length: int) -> Floats:
    """Draw level shifts at random steps."""
    shifts = np.zeros((n, length))
    count = rng.poisson(0.4, n)
    for series in np.repeat(np.arange(n), count):
        start = rng.integers(0, length)
        direction = rng.normal()
        size = 10 ** rng.uniform(-0.3, 0.7)
        shifts[series, start:] += direction * size
    return shifts


def _to_user_scale(rng: Rng, y: Floats, noise: Floats) -> Floats:
    """Give unit-size series a user's scale.

    They are exponentiated, on an offset, above zero, counts, or with many zeros.
    """
    n, _ = y.shape
    growth = y * _draw_log_uniform(rng, n, -1.3, 0.0)
    growth = np.clip(growth, -12, 12)
    exponential = np.exp(growth)
    exponential *= _draw_log_uniform(rng, n, 0, 4)
    linear = y * _draw_log_uniform(rng, n, -1, 3)
    linear += rng.choice([0.0, 20.0, 1000.0], (n, 1))
    above_zero = y - y.min(1, keepdims=True)
    above_zero += _draw_uniform(rng, n, 0.02, 4)
    above_zero *= _draw_log_uniform(rng, n, 0, 4)
    log_rate = y * 0.7
    log_rate += _draw_uniform(rng, n, -1.5, 3)
    rate = np.exp(np.clip(log_rate, -6, 8))
    counts = rng.poisson(rate).astype(np.float64)
    with_zeros = y - _draw_uniform(rng, n, -1.5, 0.7)
    with_zeros = np.maximum(with_zeros, 0)
    with_zeros *= _draw_log_uniform(rng, n, 0, 2)
    by_limit = {0.45: exponential, 0.7: linear, 0.9: above_zero, 0.96: counts}
    scaled = _choose_for_each(rng, n, by_limit, with_zeros)
    # Some people round; but a series that is constant then has nothing left to learn.
    rounded = np.round(scaled)
    is_rounded = _draw_mask(rng, n, 0.15)
    is_rounded &= rounded.std(1, keepdims=True) > 0
    is_rounded &= noise > 0
    return np.where(is_rounded, rounded, scaled)


def _with_missing(rng: Rng, y: Floats) -> Floats:
    """Hide single values or blocks in one series of eight."""
    n, length = y.shape
    share = _draw_uniform(rng, n, 0.01, 0.25)
    start = rng.random((n, 1)) * length
    end = start + share * length
    t = np.arange(length)
    in_block = (t >= start) & (t < end)
    is_single = rng.random((n, length)) < share
    kind = rng.random((n, 1))
    in_block &= kind > 0.96
    is_single &= kind < 0.08
    hidden: Bools = is_single | in_block
    hidden[:, 0] = False
    return np.where(hidden, np.nan, y)


def _filter_ar1(shocks: Floats, phi: Floats) -> Floats:
    """Return the first-order autoregression of each row of shocks, [n, T], by its `phi` [n]."""
    rows = []
    for p, row in zip(phi, shocks, strict=True):
        denominator = [1, -p]
        rows.append(lfilter([1], denominator, row))
    return np.stack(rows)


def _filter_ar2(shocks: Floats, radius: Floats, angle: Floats) -> Floats:
    """Return the second-order autoregression of each row of shocks, [n, T].

    Its roots have the row's radius and angle, [n] each. Just within the unit circle (Yule 1927) it
    swings by itself, and shocks keep it going.
    """
    rows = []
    for r, a, row in zip(radius, angle, shocks, strict=True):
        first = -2 * r * np.cos(a)
        second = r * r
        denominator = [1, first, second]
        rows.append(lfilter([1], denominator, row))
    return np.stack(rows)


def _choose_for_each(
    rng: Rng,
    n: int,
    by_limit: Mapping[float, Floats | float],
    otherwise: Floats | float,
) -> Floats:
    """Take from one of several arrays for each of the n series, at random.

    A uniform number is drawn for a series: the array of the first limit above it is taken.
    """
    kind = rng.random((n, 1))
    conditions = [kind < limit for limit in by_limit]
    choices = [np.asarray(choice) for choice in by_limit.values()]
    return np.select(conditions, choices, otherwise)


def _draw_mask(rng: Rng, n: int, share: float) -> Bools:
    """Draw True for about `share` of the series: [n, 1]."""
    return rng.random((n, 1)) < share


def _draw_indicator(rng: Rng, n: int, share: float) -> Floats:
    """Draw 1 for about `share` of the series, else 0: [n, 1]."""
    return _draw_mask(rng, n, share).astype(np.float64)


def _draw_normal(rng: Rng, n: int, columns: int) -> Floats:
    """Draw standard normal numbers: [n, columns]."""
    return rng.normal(size=(n, columns))


def _draw_walk(rng: Rng, n: int, length: int) -> Floats:
    """Draw random walks of standard normal steps: [n, T]."""
    steps = _draw_normal(rng, n, length)
    return np.cumsum(steps, 1)


def _draw_uniform(rng: Rng, n: int, low: float, high: float) -> Floats:
    """Draw a uniform number for each series: [n, 1]."""
    return rng.uniform(low, high, (n, 1))


def _draw_log_uniform(rng: Rng, n: int, low: float, high: float) -> Floats:
    """Draw 10 to a uniform power: [n, 1]."""
    exponent = _draw_uniform(rng, n, low, high)
    return np.asarray(10**exponent)
