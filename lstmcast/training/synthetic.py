"""Synthetic series for pretraining: level, trend, seasons, cycles, noise and accidents, mixed at random.

No real data is read. Everything derives from the random generator that is handed in.

Axes: n series, T steps, m season length.
"""

import numpy as np
from scipy.signal import lfilter

from lstmcast.features.steps import Seasons
from lstmcast.ragged import Floats

Rng = np.random.Generator


def make_series(rng: Rng, n: int, length: int, seasons: Seasons) -> Floats:
    """Draw n series of `length` steps, [n, T]; NaN where a value is missing (never at the first step).

    The components' probabilities and ranges are wide on purpose: the network must meet every kind
    of series that a user may bring, not an average one.
    """
    m, m2 = seasons
    noise = _draw_log_uniform(rng, n, -1.3, 0.3)
    y = _draw_noise(rng, n, length, max(m, 4)) * noise
    y += _draw_level(rng, n, length) * noise
    y += _draw_trend(rng, n, length)
    y += _draw_cycle(rng, n, length, max(m, 4))
    if m > 1:
        y += (
            _draw_indicator(rng, n, 0.85)
            * _draw_log_uniform(rng, n, -0.5, 0.7)
            * _draw_season(rng, n, length, m, 4)
        )
    if m2:
        y += _draw_indicator(rng, n, 0.85) * _draw_second_season(rng, n, length, m, m2)
    y += _draw_level_shifts(rng, n, length)
    y /= y.std(1, keepdims=True) + 1e-9
    y = _to_user_scale(rng, y, noise)
    return _with_missing(rng, y)


def _draw_noise(rng: Rng, n: int, length: int, period: int) -> Floats:
    """Unit noise: Gaussian or heavy-tailed, with changing variance, outliers and autocorrelation."""
    e = rng.normal(size=(n, length))
    heavy = rng.standard_t(4, size=(n, length)) / np.sqrt(2)
    e = np.where(_draw_indicator(rng, n, 0.15) > 0, heavy, e)
    t = np.arange(length)
    wave = np.exp(0.5 * np.sin(2 * np.pi * t / length * rng.uniform(0.5, 3, (n, 1))))
    phase = np.exp(0.6 * np.sin(2 * np.pi * (t / period + rng.random((n, 1)))))
    swing = np.exp(_filter_ar1(rng.normal(size=(n, length)) * 0.15, np.full(n, 0.97)))
    kind = rng.random((n, 1))
    e *= np.where(
        kind < 0.15, wave, np.where(kind < 0.25, phase, np.where(kind < 0.35, swing, 1.0))
    )
    outlier = (rng.random((n, length)) < 0.03) & (_draw_indicator(rng, n, 0.2) > 0)
    e *= np.where(outlier, rng.uniform(3, 8, (n, 1)), 1.0)
    phi = rng.uniform(0.2, 0.98, n) * (rng.random(n) < 0.5)
    phi = np.where(rng.random(n) < 0.06, -rng.uniform(0.1, 0.7, n), phi)
    return _filter_ar1(e, phi) * np.sqrt(1 - phi**2)[:, None]


def _draw_level(rng: Rng, n: int, length: int) -> Floats:
    """Random-walk level; in one series of ten nothing else matters (prices)."""
    walk = np.cumsum(_draw_noise(rng, n, length, 7), 1)
    size = _draw_indicator(rng, n, 0.6) * _draw_log_uniform(rng, n, -1.5, 0.2)
    return walk * np.where(rng.random((n, 1)) < 0.1, 8.0, size)


def _draw_trend(rng: Rng, n: int, length: int) -> Floats:
    """Straight, damped, stochastic, broken or saturating trends; their slopes suit the length of the series."""
    t = np.arange(length)
    per_step = rng.normal(size=(n, 1)) * _draw_log_uniform(rng, n, -2.5, -0.7)
    whole = rng.normal(size=(n, 1)) * _draw_log_uniform(rng, n, -0.5, 1.2) / length
    slope = np.where(rng.random((n, 1)) < 0.5, per_step, whole)
    damped = slope * rng.choice([1.0, 1.0, 0.99, 0.97, 0.9], (n, 1)) ** t
    shock = rng.normal(size=(n, length)) * np.abs(slope) * rng.uniform(0, 0.4, (n, 1))
    shock[:, 0] = slope[:, 0]
    stochastic = _filter_ar1(shock, rng.choice([1.0, 0.995, 0.98, 0.9], n))
    broken = np.where(
        t < length * rng.uniform(0.2, 0.95, (n, 1)), slope, slope * rng.normal(0, 1, (n, 1))
    )
    kind = rng.random((n, 1))
    step = np.where(kind < 0.35, damped, np.where(kind < 0.8, stochastic, broken))
    trend = np.cumsum(step, 1)
    middle, speed = rng.uniform(0.1, 1.1, (n, 1)) * length, rng.uniform(4, 15, (n, 1)) / length
    logistic = rng.normal(size=(n, 1)) * 4 / (1 + np.exp(-np.clip((t - middle) * speed, -40, 40)))
    trend = np.where(rng.random((n, 1)) < 0.07, logistic, trend)
    return np.asarray(_draw_indicator(rng, n, 0.65) * trend)


def _draw_cycle(rng: Rng, n: int, length: int, period: int) -> Floats:
    """A slow wave of a fixed length, or an irregular one (a lightly damped second-order autoregression)."""
    t = np.arange(length)
    spacing = rng.uniform(2.5, 12, (n, 1)) * period
    sine = rng.uniform(0.3, 2, (n, 1)) * np.sin(
        2 * np.pi * t / spacing + rng.uniform(0, 6.3, (n, 1))
    )
    radius = rng.uniform(0.93, 0.999, n)
    angle = 2 * np.pi / spacing[:, 0]
    e = rng.normal(size=(n, length))
    wave = np.stack(
        [
            lfilter([1], [1, -2 * r * np.cos(a), r * r], row)
            for r, a, row in zip(radius, angle, e, strict=True)
        ]
    )
    wave *= rng.uniform(0.3, 3, (n, 1)) / (wave.std(1, keepdims=True) + 1e-9)
    kind = rng.random((n, 1))
    return np.where(kind < 0.17, sine, np.where(kind < 0.32, wave, 0.0))


def _draw_season(rng: Rng, n: int, length: int, m: int, harmonics: int) -> Floats:
    """A periodic shape of unit size whose amplitude, and sometimes form, drifts."""
    shape = _draw_season_shape(rng, n, m, harmonics)
    other = _draw_season_shape(rng, n, m, harmonics)
    phase = np.arange(length) % m
    mix = np.clip(np.cumsum(rng.normal(size=(n, length)), 1) / np.sqrt(length) * 0.7 + 0.3, 0, 1)
    mix *= _draw_indicator(rng, n, 0.2)
    wave = shape[:, phase] * (1 - mix) + other[:, phase] * mix
    drift = np.cumsum(rng.normal(size=(n, length)), 1) * rng.uniform(0, 0.3, (n, 1)) / np.sqrt(m)
    return np.asarray(wave * np.exp(np.clip(drift, -3, 3) * _draw_indicator(rng, n, 0.5)))


def _draw_season_shape(rng: Rng, n: int, m: int, harmonics: int) -> Floats:
    """One season, [n, m], mean-free and of unit deviation: harmonics, noise, or a few spikes."""
    k = np.arange(1, min(harmonics, max(1, m // 2)) + 1)
    decay = k ** -rng.uniform(0.3, 1.5, (n, 1))
    angle = 2 * np.pi * k[:, None] * np.arange(m) / m
    base = (rng.normal(size=(n, len(k))) * decay) @ np.sin(angle) + (
        rng.normal(size=(n, len(k))) * decay
    ) @ np.cos(angle)
    base += rng.normal(size=(n, m)) * 0.7 * _draw_indicator(rng, n, 0.35)
    spikes = rng.normal(size=(n, m)) * (rng.random((n, m)) < np.maximum(0.12, 1.2 / m))
    base = np.where(_draw_indicator(rng, n, 0.15) > 0, spikes * 2, base)
    return np.asarray((base - base.mean(1, keepdims=True)) / (base.std(1, keepdims=True) + 0.05))


def _draw_second_season(rng: Rng, n: int, length: int, m: int, m2: int) -> Floats:
    """Either a smooth long season or one whose blocks of m steps differ (the days of a week)."""
    smooth = _draw_log_uniform(rng, n, -0.5, 0.5) * _draw_season(rng, n, length, m2, 6)
    days = rng.normal(size=(n, -(-m2 // m))) * _draw_log_uniform(rng, n, -0.5, 0.4)
    blocks = np.repeat(days, m, 1)[:, np.arange(length) % m2]
    weekend = np.zeros((n, 7))
    weekend[:, 5:] = rng.normal(size=(n, 2)) * 0.3 + rng.normal(size=(n, 1))
    if m2 == 7 * m:
        quiet = np.repeat(weekend, m, 1)[:, np.arange(length) % m2] * _draw_log_uniform(
            rng, n, -0.3, 0.4
        )
        blocks = np.where(rng.random((n, 1)) < 0.5, quiet, blocks)
    return np.where(rng.random((n, 1)) < 0.5, smooth, blocks)


def _draw_level_shifts(rng: Rng, n: int, length: int) -> Floats:
    """Level shifts at random steps."""
    out = np.zeros((n, length))
    count = rng.poisson(0.4, n)
    for i in np.repeat(np.arange(n), count):
        out[i, rng.integers(0, length) :] += rng.normal() * 10 ** rng.uniform(-0.3, 0.7)
    return out


def _to_user_scale(rng: Rng, y: Floats, noise: Floats) -> Floats:
    """Give unit-size series a user's scale: exponentiated, on an offset, above zero, as counts or with zeros."""
    n, _ = y.shape
    exponential = np.exp(
        np.clip(y * _draw_log_uniform(rng, n, -1.3, 0.0), -12, 12)
    ) * _draw_log_uniform(rng, n, 0, 4)
    linear = y * _draw_log_uniform(rng, n, -1, 3) + rng.choice([0.0, 20.0, 1000.0], (n, 1))
    above = (y - y.min(1, keepdims=True) + rng.uniform(0.02, 4, (n, 1))) * _draw_log_uniform(
        rng, n, 0, 4
    )
    counts = rng.poisson(np.exp(np.clip(y * 0.7 + rng.uniform(-1.5, 3, (n, 1)), -6, 8))).astype(
        np.float64
    )
    zeros = np.maximum(y - rng.uniform(-1.5, 0.7, (n, 1)), 0) * _draw_log_uniform(rng, n, 0, 2)
    kind = rng.random((n, 1))
    out = np.select(
        [kind < 0.45, kind < 0.7, kind < 0.9, kind < 0.96],
        [exponential, linear, above, counts],
        zeros,
    )
    rounded = np.round(out)
    keep = (rng.random((n, 1)) < 0.15) & (rounded.std(1, keepdims=True) > 0) & (noise > 0)
    return np.asarray(np.where(keep, rounded, out))


def _with_missing(rng: Rng, y: Floats) -> Floats:
    """Hide single values or blocks in one series of eight."""
    n, length = y.shape
    share = rng.uniform(0.01, 0.25, (n, 1))
    start = rng.random((n, 1)) * length
    t = np.arange(length)
    block = (t >= start) & (t < start + share * length)
    single = rng.random((n, length)) < share
    kind = rng.random((n, 1))
    hidden = ((kind < 0.08) & single) | ((kind > 0.96) & block)
    hidden[:, 0] = False
    return np.where(hidden, np.nan, y)


def _filter_ar1(e: Floats, phi: Floats) -> Floats:
    """First-order autoregression of each row."""
    return np.stack([lfilter([1], [1, -p], row) for p, row in zip(phi, e, strict=True)])


def _draw_indicator(rng: Rng, n: int, share: float) -> Floats:
    """1 for about `share` of the series, else 0: [n, 1]."""
    return (rng.random((n, 1)) < share).astype(np.float64)


def _draw_log_uniform(rng: Rng, n: int, low: float, high: float) -> Floats:
    """10 to a uniform power: [n, 1]."""
    return np.asarray(10 ** rng.uniform(low, high, (n, 1)))
