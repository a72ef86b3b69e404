"""Synthetic series for pretraining: level, trend, seasons, cycles, noise and outliers, at random.

No real data is read. Everything derives from the random generator that is handed in, so the order
of the draws is part of the result.

Axes: n series, T steps, m season length.
"""

import numpy as np
from scipy.signal import lfilter

from lstmcast.features.steps import Seasons
from lstmcast.ragged import Bools, Floats

Rng = np.random.Generator


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
        size = _draw_indicator(rng, n, 0.85) * _draw_log_uniform(rng, n, -0.5, 0.7)
        y += size * _draw_season(rng, n, length, m, 4)
    if m2:
        y += _draw_indicator(rng, n, 0.85) * _draw_second_season(rng, n, length, m, m2)
    y += _draw_level_shifts(rng, n, length)
    y /= y.std(1, keepdims=True) + 1e-9
    y = _to_user_scale(rng, y, noise)
    return _with_missing(rng, y)


def _draw_noise(rng: Rng, n: int, length: int, period: int) -> Floats:
    """Draw unit noise: Gaussian or heavy-tailed, with outliers and autocorrelation."""
    shape = n, length
    gaussian = rng.normal(size=shape)
    # Student's t with 4 degrees of freedom has variance 2.
    heavy = rng.standard_t(4, size=shape) / np.sqrt(2)
    is_heavy = _draw_indicator(rng, n, 0.15) > 0
    noise = np.where(is_heavy, heavy, gaussian)
    noise *= _draw_deviation(rng, n, length, period)
    is_outlier = rng.random(shape) < 0.03
    is_outlier &= _draw_indicator(rng, n, 0.2) > 0
    noise *= np.where(is_outlier, _draw_uniform(rng, n, 3, 8), 1.0)
    # Half of the series are not autocorrelated, and a few alternate.
    phi = rng.uniform(0.2, 0.98, n) * (rng.random(n) < 0.5)
    is_alternating = rng.random(n) < 0.06
    phi = np.where(is_alternating, -rng.uniform(0.1, 0.7, n), phi)
    # A first-order autoregression has 1 / (1 - phi^2) times the variance of its shocks.
    unit = np.sqrt(1 - phi**2)[:, None]
    return _filter_ar1(noise, phi) * unit


def _draw_deviation(rng: Rng, n: int, length: int, period: int) -> Floats:
    """Draw how the deviation of noise changes: slowly, with the season, at random or never."""
    t = np.arange(length)
    turns = _draw_uniform(rng, n, 0.5, 3)
    slow = np.exp(0.5 * np.sin(2 * np.pi * t / length * turns))
    phase = rng.random((n, 1))
    seasonal = np.exp(0.6 * np.sin(2 * np.pi * (t / period + phase)))
    shocks = rng.normal(size=(n, length)) * 0.15
    wandering = np.exp(_filter_ar1(shocks, np.full(n, 0.97)))
    kind = rng.random((n, 1))
    return np.select(
        [kind < 0.15, kind < 0.25, kind < 0.35], [slow, seasonal, wandering], 1.0
    )


def _draw_level(rng: Rng, n: int, length: int) -> Floats:
    """Draw a random-walk level; in one series of ten nothing else matters (prices)."""
    walk = np.cumsum(_draw_noise(rng, n, length, 7), 1)
    size = _draw_indicator(rng, n, 0.6) * _draw_log_uniform(rng, n, -1.5, 0.2)
    return walk * np.where(rng.random((n, 1)) < 0.1, 8.0, size)


def _draw_trend(rng: Rng, n: int, length: int) -> Floats:
    """Draw trends: straight, damped, stochastic, broken or saturating."""
    slope = _draw_slope(rng, n, length)
    steps = _draw_trend_steps(rng, slope, length)
    trend = np.cumsum(steps, 1)
    saturating = _draw_saturation(rng, n, length)
    is_saturating = rng.random((n, 1)) < 0.07
    trend = np.where(is_saturating, saturating, trend)
    return np.asarray(_draw_indicator(rng, n, 0.65) * trend)


def _draw_slope(rng: Rng, n: int, length: int) -> Floats:
    """Draw slopes, [n, 1]: half of them so much a step, the others so much over all steps."""
    per_step = rng.normal(size=(n, 1))
    per_step = per_step * _draw_log_uniform(rng, n, -2.5, -0.7)
    over_all = rng.normal(size=(n, 1))
    over_all = over_all * _draw_log_uniform(rng, n, -0.5, 1.2) / length
    is_per_step = rng.random((n, 1)) < 0.5
    return np.where(is_per_step, per_step, over_all)


def _draw_trend_steps(rng: Rng, slope: Floats, length: int) -> Floats:
    """Draw what a trend of these slopes [n, 1] adds at each step, [n, T]."""
    n, t = len(slope), np.arange(length)
    damping = rng.choice([1.0, 1.0, 0.99, 0.97, 0.9], (n, 1))
    damped = slope * damping**t
    shocks = rng.normal(size=(n, length)) * np.abs(slope)
    shocks = shocks * _draw_uniform(rng, n, 0, 0.4)
    shocks[:, 0] = slope[:, 0]
    memory = rng.choice([1.0, 0.995, 0.98, 0.9], n)
    stochastic = _filter_ar1(shocks, memory)
    is_before_break = t < length * _draw_uniform(rng, n, 0.2, 0.95)
    slope_after = slope * rng.normal(0, 1, (n, 1))
    broken = np.where(is_before_break, slope, slope_after)
    kind = rng.random((n, 1))
    return np.select([kind < 0.35, kind < 0.8], [damped, stochastic], broken)


def _draw_saturation(rng: Rng, n: int, length: int) -> Floats:
    """Draw logistic growth (Verhulst 1838) or decline; the middle may lie behind the end."""
    t = np.arange(length)
    middle = _draw_uniform(rng, n, 0.1, 1.1) * length
    speed = _draw_uniform(rng, n, 4, 15) / length
    exponent = -np.clip((t - middle) * speed, -40, 40)
    size = rng.normal(size=(n, 1)) * 4
    return np.asarray(size / (1 + np.exp(exponent)))


def _draw_cycle(rng: Rng, n: int, length: int, period: int) -> Floats:
    """Draw a slow wave of a fixed length, an irregular one, or in most series none.

    The irregular one is a second-order autoregression whose roots lie just within the unit circle
    (Yule 1927): it swings by itself, and shocks keep it going.
    """
    t = np.arange(length)
    spacing = _draw_uniform(rng, n, 2.5, 12) * period
    size = _draw_uniform(rng, n, 0.3, 2)
    phase = _draw_uniform(rng, n, 0, 6.3)
    regular = size * np.sin(2 * np.pi * t / spacing + phase)

    radius = rng.uniform(0.93, 0.999, n)
    angle = 2 * np.pi / spacing[:, 0]
    shocks = rng.normal(size=(n, length))
    waves = []
    for r, a, row in zip(radius, angle, shocks, strict=True):
        coefficients = [1, -2 * r * np.cos(a), r * r]
        waves.append(lfilter([1], coefficients, row))
    irregular = np.stack(waves)
    unit = irregular.std(1, keepdims=True) + 1e-9
    irregular *= _draw_uniform(rng, n, 0.3, 3) / unit
    kind = rng.random((n, 1))
    return np.select([kind < 0.17, kind < 0.32], [regular, irregular], 0.0)


def _draw_season(rng: Rng, n: int, length: int, m: int, harmonics: int) -> Floats:
    """Draw a periodic shape of unit size whose amplitude, and sometimes form, drifts."""
    first = _draw_season_shape(rng, n, m, harmonics)
    second = _draw_season_shape(rng, n, m, harmonics)
    phase = np.arange(length) % m
    # How much of the second shape is mixed in wanders from step to step.
    walk = np.cumsum(rng.normal(size=(n, length)), 1)
    mix = np.clip(walk / np.sqrt(length) * 0.7 + 0.3, 0, 1)
    mix *= _draw_indicator(rng, n, 0.2)
    wave = first[:, phase] * (1 - mix) + second[:, phase] * mix
    # So does the logarithm of the amplitude, in half of the series.
    walk = np.cumsum(rng.normal(size=(n, length)), 1)
    drift = walk * _draw_uniform(rng, n, 0, 0.3) / np.sqrt(m)
    drift = np.clip(drift, -3, 3) * _draw_indicator(rng, n, 0.5)
    return np.asarray(wave * np.exp(drift))


def _draw_season_shape(rng: Rng, n: int, m: int, harmonics: int) -> Floats:
    """Draw one season, [n, m], of mean 0 and deviation 1: harmonics, noise, or some spikes."""
    count = min(
        harmonics, max(1, m // 2)
    )  # faster waves than m // 2 repeat slower ones
    k = np.arange(1, count + 1)
    decay = k ** -_draw_uniform(rng, n, 0.3, 1.5)
    angle = 2 * np.pi * k[:, None] * np.arange(m) / m
    sines = rng.normal(size=(n, count)) * decay
    cosines = rng.normal(size=(n, count)) * decay
    shape = sines @ np.sin(angle) + cosines @ np.cos(angle)
    noise = rng.normal(size=(n, m)) * 0.7
    shape += noise * _draw_indicator(rng, n, 0.35)
    heights = rng.normal(size=(n, m))
    is_spike = rng.random((n, m)) < np.maximum(0.12, 1.2 / m)
    spikes = heights * is_spike * 2
    has_spikes = _draw_indicator(rng, n, 0.15) > 0
    shape = np.where(has_spikes, spikes, shape)
    centred = shape - shape.mean(1, keepdims=True)
    return np.asarray(centred / (shape.std(1, keepdims=True) + 0.05))


def _draw_second_season(rng: Rng, n: int, length: int, m: int, m2: int) -> Floats:
    """Draw a smooth long season, or one whose blocks of m steps differ (the days of a week)."""
    size = _draw_log_uniform(rng, n, -0.5, 0.5)
    smooth = size * _draw_season(rng, n, length, m2, 6)
    phase = np.arange(length) % m2
    blocks_per_season = -(-m2 // m)
    levels = rng.normal(size=(n, blocks_per_season))
    levels = levels * _draw_log_uniform(rng, n, -0.5, 0.4)
    blocks = np.repeat(levels, m, 1)[:, phase]
    # In half of the weeks all working days are alike, and the last two days differ.
    weekend = np.zeros((n, 7))
    day_noise = rng.normal(size=(n, 2)) * 0.3
    weekend[:, 5:] = day_noise + rng.normal(size=(n, 1))
    if m2 == 7 * m:
        week = np.repeat(weekend, m, 1)[:, phase]
        week = week * _draw_log_uniform(rng, n, -0.3, 0.4)
        is_week = rng.random((n, 1)) < 0.5
        blocks = np.where(is_week, week, blocks)
    is_smooth = rng.random((n, 1)) < 0.5
    return np.where(is_smooth, smooth, blocks)


def _draw_level_shifts(rng: Rng, n: int, length: int) -> Floats:
    """Draw level shifts at random steps."""
    shifts = np.zeros((n, length))
    count = rng.poisson(0.4, n)
    for i in np.repeat(np.arange(n), count):
        start = rng.integers(0, length)
        shifts[i, start:] += rng.normal() * 10 ** rng.uniform(-0.3, 0.7)
    return shifts


def _to_user_scale(rng: Rng, y: Floats, noise: Floats) -> Floats:
    """Give unit-size series a user's scale.

    They are exponentiated, on an offset, above zero, counts, or with many zeros.
    """
    n, _ = y.shape
    growth = np.clip(y * _draw_log_uniform(rng, n, -1.3, 0.0), -12, 12)
    exponential = np.exp(growth) * _draw_log_uniform(rng, n, 0, 4)
    linear = y * _draw_log_uniform(rng, n, -1, 3)
    linear = linear + rng.choice([0.0, 20.0, 1000.0], (n, 1))
    lowest = y.min(1, keepdims=True)
    above_zero = y - lowest + _draw_uniform(rng, n, 0.02, 4)
    above_zero = above_zero * _draw_log_uniform(rng, n, 0, 4)
    log_rate = np.clip(y * 0.7 + _draw_uniform(rng, n, -1.5, 3), -6, 8)
    counts = rng.poisson(np.exp(log_rate)).astype(np.float64)
    with_zeros = np.maximum(y - _draw_uniform(rng, n, -1.5, 0.7), 0)
    with_zeros = with_zeros * _draw_log_uniform(rng, n, 0, 2)
    kind = rng.random((n, 1))
    scaled = np.select(
        [kind < 0.45, kind < 0.7, kind < 0.9, kind < 0.96],
        [exponential, linear, above_zero, counts],
        with_zeros,
    )
    # Some people round; but a series that is constant then has nothing left to learn.
    rounded = np.round(scaled)
    is_rounded = rng.random((n, 1)) < 0.15
    is_rounded &= rounded.std(1, keepdims=True) > 0
    is_rounded &= noise > 0
    return np.asarray(np.where(is_rounded, rounded, scaled))


def _with_missing(rng: Rng, y: Floats) -> Floats:
    """Hide single values or blocks in one series of eight."""
    n, length = y.shape
    share = _draw_uniform(rng, n, 0.01, 0.25)
    start = rng.random((n, 1)) * length
    t = np.arange(length)
    in_block = (t >= start) & (t < start + share * length)
    is_single = rng.random((n, length)) < share
    kind = rng.random((n, 1))
    hidden: Bools = ((kind < 0.08) & is_single) | ((kind > 0.96) & in_block)
    hidden[:, 0] = False
    return np.where(hidden, np.nan, y)


def _filter_ar1(shocks: Floats, phi: Floats) -> Floats:
    """Return the first-order autoregression of each row of shocks, [n, T], by its `phi` [n]."""
    rows = [lfilter([1], [1, -p], row) for p, row in zip(phi, shocks, strict=True)]
    return np.stack(rows)


def _draw_indicator(rng: Rng, n: int, share: float) -> Floats:
    """Draw 1 for about `share` of the series, else 0: [n, 1]."""
    return (rng.random((n, 1)) < share).astype(np.float64)


def _draw_uniform(rng: Rng, n: int, low: float, high: float) -> Floats:
    """Draw a uniform number for each series: [n, 1]."""
    return rng.uniform(low, high, (n, 1))


def _draw_log_uniform(rng: Rng, n: int, low: float, high: float) -> Floats:
    """Draw 10 to a uniform power: [n, 1]."""
    return np.asarray(10 ** _draw_uniform(rng, n, low, high))
