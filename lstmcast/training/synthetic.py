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
    e = rng.normal(size=(n, length))
    heavy = rng.standard_t(4, size=(n, length)) / np.sqrt(2)  # Student's t of 4 has variance 2
    e = np.where(_draw_indicator(rng, n, 0.15) > 0, heavy, e)
    e *= _draw_deviation(rng, n, length, period)
    outlier = (rng.random((n, length)) < 0.03) & (_draw_indicator(rng, n, 0.2) > 0)
    e *= np.where(outlier, rng.uniform(3, 8, (n, 1)), 1.0)
    phi = rng.uniform(0.2, 0.98, n) * (rng.random(n) < 0.5)
    phi = np.where(rng.random(n) < 0.06, -rng.uniform(0.1, 0.7, n), phi)
    # A first-order autoregression has 1 / (1 - phi^2) times the variance of its shocks.
    return _filter_ar1(e, phi) * np.sqrt(1 - phi**2)[:, None]


def _draw_deviation(rng: Rng, n: int, length: int, period: int) -> Floats:
    """Draw how the deviation of noise changes: slowly, with the season, at random or never."""
    t = np.arange(length)
    turns = rng.uniform(0.5, 3, (n, 1))
    slow = np.exp(0.5 * np.sin(2 * np.pi * t / length * turns))
    phase = rng.random((n, 1))
    seasonal = np.exp(0.6 * np.sin(2 * np.pi * (t / period + phase)))
    shocks = rng.normal(size=(n, length)) * 0.15
    wandering = np.exp(_filter_ar1(shocks, np.full(n, 0.97)))
    kind = rng.random((n, 1))
    return np.select([kind < 0.15, kind < 0.25, kind < 0.35], [slow, seasonal, wandering], 1.0)


def _draw_level(rng: Rng, n: int, length: int) -> Floats:
    """Draw a random-walk level; in one series of ten nothing else matters (prices)."""
    walk = np.cumsum(_draw_noise(rng, n, length, 7), 1)
    size = _draw_indicator(rng, n, 0.6) * _draw_log_uniform(rng, n, -1.5, 0.2)
    return walk * np.where(rng.random((n, 1)) < 0.1, 8.0, size)


def _draw_trend(rng: Rng, n: int, length: int) -> Floats:
    """Draw trends: straight, damped, stochastic, broken or saturating."""
    t = np.arange(length)
    # Half of the slopes are so much a step, the others so much over the whole series.
    per_step = rng.normal(size=(n, 1)) * _draw_log_uniform(rng, n, -2.5, -0.7)
    whole = rng.normal(size=(n, 1)) * _draw_log_uniform(rng, n, -0.5, 1.2) / length
    slope = np.where(rng.random((n, 1)) < 0.5, per_step, whole)

    damped = slope * rng.choice([1.0, 1.0, 0.99, 0.97, 0.9], (n, 1)) ** t
    shock = rng.normal(size=(n, length)) * np.abs(slope) * rng.uniform(0, 0.4, (n, 1))
    shock[:, 0] = slope[:, 0]
    stochastic = _filter_ar1(shock, rng.choice([1.0, 0.995, 0.98, 0.9], n))
    is_before_break = t < length * rng.uniform(0.2, 0.95, (n, 1))
    broken = np.where(is_before_break, slope, slope * rng.normal(0, 1, (n, 1)))
    kind = rng.random((n, 1))
    step = np.where(kind < 0.35, damped, np.where(kind < 0.8, stochastic, broken))
    trend = np.cumsum(step, 1)

    middle = rng.uniform(0.1, 1.1, (n, 1)) * length
    speed = rng.uniform(4, 15, (n, 1)) / length
    exponent = -np.clip((t - middle) * speed, -40, 40)
    saturating = rng.normal(size=(n, 1)) * 4 / (1 + np.exp(exponent))
    trend = np.where(rng.random((n, 1)) < 0.07, saturating, trend)
    return np.asarray(_draw_indicator(rng, n, 0.65) * trend)


def _draw_cycle(rng: Rng, n: int, length: int, period: int) -> Floats:
    """Draw a slow wave of a fixed length, an irregular one, or in most series none.

    The irregular one is a second-order autoregression whose roots lie just within the unit circle
    (Yule 1927): it swings by itself and is kept going by shocks.
    """
    t = np.arange(length)
    spacing = rng.uniform(2.5, 12, (n, 1)) * period
    size, phase = rng.uniform(0.3, 2, (n, 1)), rng.uniform(0, 6.3, (n, 1))
    regular = size * np.sin(2 * np.pi * t / spacing + phase)

    radius = rng.uniform(0.93, 0.999, n)
    angle = 2 * np.pi / spacing[:, 0]
    shocks = rng.normal(size=(n, length))
    waves = [
        lfilter([1], [1, -2 * r * np.cos(a), r * r], row)
        for r, a, row in zip(radius, angle, shocks, strict=True)
    ]
    irregular = np.stack(waves)
    irregular *= rng.uniform(0.3, 3, (n, 1)) / (irregular.std(1, keepdims=True) + 1e-9)
    kind = rng.random((n, 1))
    return np.where(kind < 0.17, regular, np.where(kind < 0.32, irregular, 0.0))


def _draw_season(rng: Rng, n: int, length: int, m: int, harmonics: int) -> Floats:
    """Draw a periodic shape of unit size whose amplitude, and sometimes form, drifts."""
    shape = _draw_season_shape(rng, n, m, harmonics)
    other = _draw_season_shape(rng, n, m, harmonics)
    phase = np.arange(length) % m
    # How much of the other shape is mixed in wanders from step to step.
    walk = np.cumsum(rng.normal(size=(n, length)), 1) / np.sqrt(length)
    mix = np.clip(walk * 0.7 + 0.3, 0, 1)
    mix *= _draw_indicator(rng, n, 0.2)
    wave = shape[:, phase] * (1 - mix) + other[:, phase] * mix
    drift = np.cumsum(rng.normal(size=(n, length)), 1) * rng.uniform(0, 0.3, (n, 1)) / np.sqrt(m)
    return np.asarray(wave * np.exp(np.clip(drift, -3, 3) * _draw_indicator(rng, n, 0.5)))


def _draw_season_shape(rng: Rng, n: int, m: int, harmonics: int) -> Floats:
    """Draw one season, [n, m], of mean 0 and deviation 1: harmonics, noise, or some spikes."""
    k = np.arange(1, min(harmonics, max(1, m // 2)) + 1)
    decay = k ** -rng.uniform(0.3, 1.5, (n, 1))
    angle = 2 * np.pi * k[:, None] * np.arange(m) / m
    sines = (rng.normal(size=(n, len(k))) * decay) @ np.sin(angle)
    cosines = (rng.normal(size=(n, len(k))) * decay) @ np.cos(angle)
    shape = sines + cosines
    shape += rng.normal(size=(n, m)) * 0.7 * _draw_indicator(rng, n, 0.35)
    spikes = rng.normal(size=(n, m)) * (rng.random((n, m)) < np.maximum(0.12, 1.2 / m))
    shape = np.where(_draw_indicator(rng, n, 0.15) > 0, spikes * 2, shape)
    centred = shape - shape.mean(1, keepdims=True)
    return np.asarray(centred / (shape.std(1, keepdims=True) + 0.05))


def _draw_second_season(rng: Rng, n: int, length: int, m: int, m2: int) -> Floats:
    """Draw a smooth long season, or one whose blocks of m steps differ (the days of a week)."""
    smooth = _draw_log_uniform(rng, n, -0.5, 0.5) * _draw_season(rng, n, length, m2, 6)
    phase = np.arange(length) % m2
    days = rng.normal(size=(n, -(-m2 // m))) * _draw_log_uniform(rng, n, -0.5, 0.4)
    blocks = np.repeat(days, m, 1)[:, phase]
    weekend = np.zeros((n, 7))
    weekend[:, 5:] = rng.normal(size=(n, 2)) * 0.3 + rng.normal(size=(n, 1))
    if m2 == 7 * m:
        # In half of the weeks all working days are alike and the last two days differ.
        week = np.repeat(weekend, m, 1)[:, phase] * _draw_log_uniform(rng, n, -0.3, 0.4)
        blocks = np.where(rng.random((n, 1)) < 0.5, week, blocks)
    return np.where(rng.random((n, 1)) < 0.5, smooth, blocks)


def _draw_level_shifts(rng: Rng, n: int, length: int) -> Floats:
    """Draw level shifts at random steps."""
    out = np.zeros((n, length))
    count = rng.poisson(0.4, n)
    for i in np.repeat(np.arange(n), count):
        start = rng.integers(0, length)
        out[i, start:] += rng.normal() * 10 ** rng.uniform(-0.3, 0.7)
    return out


def _to_user_scale(rng: Rng, y: Floats, noise: Floats) -> Floats:
    """Give unit-size series a user's scale.

    They are exponentiated, on an offset, above zero, counts, or with many zeros.
    """
    n, _ = y.shape
    growth = np.clip(y * _draw_log_uniform(rng, n, -1.3, 0.0), -12, 12)
    exponential = np.exp(growth) * _draw_log_uniform(rng, n, 0, 4)
    linear = y * _draw_log_uniform(rng, n, -1, 3) + rng.choice([0.0, 20.0, 1000.0], (n, 1))
    positive = y - y.min(1, keepdims=True) + rng.uniform(0.02, 4, (n, 1))
    above = positive * _draw_log_uniform(rng, n, 0, 4)
    log_rate = np.clip(y * 0.7 + rng.uniform(-1.5, 3, (n, 1)), -6, 8)
    counts = rng.poisson(np.exp(log_rate)).astype(np.float64)
    with_zeros = np.maximum(y - rng.uniform(-1.5, 0.7, (n, 1)), 0)
    with_zeros = with_zeros * _draw_log_uniform(rng, n, 0, 2)
    kind = rng.random((n, 1))
    scaled = np.select(
        [kind < 0.45, kind < 0.7, kind < 0.9, kind < 0.96],
        [exponential, linear, above, counts],
        with_zeros,
    )
    # Some people round; a series that is constant then has nothing left to learn.
    rounded = np.round(scaled)
    is_rounded = (rng.random((n, 1)) < 0.15) & (rounded.std(1, keepdims=True) > 0) & (noise > 0)
    return np.asarray(np.where(is_rounded, rounded, scaled))


def _with_missing(rng: Rng, y: Floats) -> Floats:
    """Hide single values or blocks in one series of eight."""
    n, length = y.shape
    share = rng.uniform(0.01, 0.25, (n, 1))
    start = rng.random((n, 1)) * length
    t = np.arange(length)
    block = (t >= start) & (t < start + share * length)
    single = rng.random((n, length)) < share
    kind = rng.random((n, 1))
    hidden: Bools = ((kind < 0.08) & single) | ((kind > 0.96) & block)
    hidden[:, 0] = False
    return np.where(hidden, np.nan, y)


def _filter_ar1(shocks: Floats, phi: Floats) -> Floats:
    """Return the first-order autoregression of each row of shocks, [n, T], by its `phi` [n]."""
    rows = [lfilter([1], [1, -p], row) for p, row in zip(phi, shocks, strict=True)]
    return np.stack(rows)


def _draw_indicator(rng: Rng, n: int, share: float) -> Floats:
    """Draw 1 for about `share` of the series, else 0: [n, 1]."""
    return (rng.random((n, 1)) < share).astype(np.float64)


def _draw_log_uniform(rng: Rng, n: int, low: float, high: float) -> Floats:
    """Draw 10 to a uniform power: [n, 1]."""
    return np.asarray(10 ** rng.uniform(low, high, (n, 1)))
