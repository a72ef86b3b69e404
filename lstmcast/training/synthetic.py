"""Synthetic series for pretraining: level, trend, seasons, cycles, noise and outliers, at random.

No real data is read. Everything derives from the random generator that is handed in, so the order
of the draws is part of the result.

Axes: n series, T steps, m season length.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy.signal import lfilter

from lstmcast.features.steps import Seasons
from lstmcast.ragged import Bools, Floats, Ints

Rng = np.random.Generator
FULL_TURN = 2 * np.pi
"""A full turn, in radians."""


class _Draws(NamedTuple):
    """Random numbers for n series of `length` steps; most are one for each series, [n, 1]."""

    rng: Rng
    n: int
    length: int

    @property
    def t(self) -> Ints:
        """Numbers of the steps, [T]."""
        return np.arange(self.length)

    def share(self) -> Floats:
        """Draw a number between 0 and 1."""
        return self.rng.random((self.n, 1))

    def mask(self, share: float) -> Bools:
        """Draw True for about `share` of the series."""
        return self.share() < share

    def indicator(self, share: float) -> Floats:
        """Draw 1 for about `share` of the series, else 0."""
        return self.mask(share).astype(np.float64)

    def uniform(self, low: float, high: float) -> Floats:
        """Draw a uniform number."""
        return self.rng.uniform(low, high, (self.n, 1))

    def log_uniform(self, low: float, high: float) -> Floats:
        """Draw 10 to a uniform power."""
        exponent = self.uniform(low, high)
        return np.asarray(10**exponent)

    def pick(self, values: Sequence[float]) -> Floats:
        """Draw one of some values."""
        return self.rng.choice(values, (self.n, 1))

    def normal(self, columns: int) -> Floats:
        """Draw standard normal numbers, [n, columns]."""
        return self.rng.normal(size=(self.n, columns))

    def shocks(self) -> Floats:
        """Draw a standard normal number for each step, [n, T]."""
        return self.normal(self.length)

    def walk(self) -> Floats:
        """Draw random walks of standard normal steps, [n, T]."""
        steps = self.shocks()
        return np.cumsum(steps, 1)

    def choose(
        self, by_limit: Mapping[float, Floats | float], otherwise: Floats | float
    ) -> Floats:
        """Take for each series one of several arrays, [n, T] or the same for all of its steps.

        A number between 0 and 1 is drawn: the array of the first limit above it is taken.
        """
        kind = self.share()
        conditions = []
        choices = []
        for limit, choice in by_limit.items():
            conditions.append(kind < limit)
            choices.append(np.asarray(choice))
        return np.select(conditions, choices, otherwise)


def make_series(rng: Rng, n: int, length: int, seasons: Seasons) -> Floats:
    """Draw n series of `length` steps, [n, T]; NaN where a value is missing (never at the first).

    The components' probabilities and ranges are wide on purpose: the network must meet every kind
    of series that a user may bring, not an average one.
    """
    draws = _Draws(rng, n, length)
    m, m2, _ = seasons
    period = max(m, 4)

    # Noise and level share a size, so that neither always hides the other.
    noise = draws.log_uniform(-1.3, 0.3)
    y = _draw_noise(draws, period) * noise
    y += _draw_level(draws) * noise
    y += _draw_trend(draws)
    y += _draw_cycle(draws, period)
    if m > 1:
        size = draws.indicator(0.85)
        size *= draws.log_uniform(-0.5, 0.7)
        y += size * _draw_season(draws, m, 4)
    if m2:
        size = draws.indicator(0.85)
        y += size * _draw_second_season(draws, m, m2)
    y += _draw_level_shifts(draws)

    # A flat series has no deviation to divide by.
    y /= y.std(1, keepdims=True) + 1e-9
    y = _to_user_scale(draws, y, noise)
    return _with_missing(draws, y)


def _draw_noise(draws: _Draws, period: int) -> Floats:
    """Draw unit noise: Gaussian or heavy-tailed, with outliers and autocorrelation."""
    rng = draws.rng
    gaussian = draws.shocks()
    # Student's t with 4 degrees of freedom has variance 2.
    heavy = rng.standard_t(4, size=gaussian.shape)
    heavy /= np.sqrt(2)
    noise = draws.choose({0.15: heavy}, gaussian)
    noise *= _draw_deviation(draws, period)

    # Outliers are of a series: one that has them has several.
    is_outlier = rng.random(gaussian.shape) < 0.03
    is_outlier &= draws.mask(0.2)
    outlier_size = draws.uniform(3, 8)
    noise *= np.where(is_outlier, outlier_size, 1.0)

    # Half of the series are not autocorrelated, and a few alternate.
    phi = draws.uniform(0.2, 0.98)
    phi *= draws.mask(0.5)
    is_alternating = draws.mask(0.06)
    alternating = -draws.uniform(0.1, 0.7)
    phi = np.where(is_alternating, alternating, phi)

    # A first-order autoregression has 1 / (1 - phi^2) times the variance of its shocks.
    variance = 1 - phi**2
    unit = np.sqrt(variance)
    return _filter_ar1(noise, phi) * unit


def _draw_deviation(draws: _Draws, period: int) -> Floats:
    """Draw how the deviation of noise changes: slowly, with the season, at random or never."""
    t = draws.t
    turns = draws.uniform(0.5, 3)
    slow_angle = FULL_TURN * t / draws.length * turns
    slow = np.exp(0.5 * np.sin(slow_angle))

    phase = draws.share()
    seasonal_angle = FULL_TURN * (t / period + phase)
    seasonal = np.exp(0.6 * np.sin(seasonal_angle))

    shocks = draws.shocks() * 0.15
    # A long memory keeps the deviation from jumping.
    phi = np.full((draws.n, 1), 0.97)
    wandering = np.exp(_filter_ar1(shocks, phi))

    by_limit = {0.15: slow, 0.25: seasonal, 0.35: wandering}
    return draws.choose(by_limit, 1.0)


def _draw_level(draws: _Draws) -> Floats:
    """Draw a random-walk level; in one series of ten nothing else matters (prices)."""
    noise = _draw_noise(draws, 7)
    walk = np.cumsum(noise, 1)
    size = draws.indicator(0.6)
    size *= draws.log_uniform(-1.5, 0.2)
    size = draws.choose({0.1: 8.0}, size)
    return walk * size


def _draw_trend(draws: _Draws) -> Floats:
    """Draw trends: straight, damped, stochastic, broken or saturating."""
    slope = _draw_slope(draws)
    steps = _draw_trend_steps(draws, slope)
    trend = np.cumsum(steps, 1)
    saturating = _draw_saturation(draws)
    trend = draws.choose({0.07: saturating}, trend)
    has_trend = draws.indicator(0.65)
    return has_trend * trend


def _draw_slope(draws: _Draws) -> Floats:
    """Draw slopes, [n, 1]: half of them so much a step, the others so much over all steps."""
    per_step = draws.normal(1)
    per_step *= draws.log_uniform(-2.5, -0.7)

    over_all = draws.normal(1)
    over_all *= draws.log_uniform(-0.5, 1.2)
    over_all /= draws.length
    return draws.choose({0.5: per_step}, over_all)


def _draw_trend_steps(draws: _Draws, slope: Floats) -> Floats:
    """Draw what a trend of these slopes [n, 1] adds at each step, [n, T]."""
    # Two of five are straight: their slope stays.
    damping = draws.pick([1.0, 1.0, 0.99, 0.97, 0.9])
    damped = slope * damping**draws.t

    shocks = draws.shocks()
    shocks *= np.abs(slope)
    shocks *= draws.uniform(0, 0.4)
    # A stochastic slope begins at the drawn one, and forgets it in most series.
    shocks[:, 0] = slope[:, 0]
    memory = draws.pick([1.0, 0.995, 0.98, 0.9])
    stochastic = _filter_ar1(shocks, memory)

    break_at = draws.length * draws.uniform(0.2, 0.95)
    slope_after = slope * draws.normal(1)
    broken = np.where(draws.t < break_at, slope, slope_after)

    return draws.choose({0.35: damped, 0.8: stochastic}, broken)


def _draw_saturation(draws: _Draws) -> Floats:
    """Draw logistic growth (Verhulst 1838) or decline; the middle may lie behind the end."""
    length = draws.length
    middle = draws.uniform(0.1, 1.1) * length
    speed = draws.uniform(4, 15) / length
    growth = (draws.t - middle) * speed
    # The share has reached 0 or 1 to all digits there, and exp overflows nowhere.
    exponent = -np.clip(growth, -40, 40)
    size = draws.normal(1) * 4
    inverse_share = 1 + np.exp(exponent)
    return np.asarray(size / inverse_share)


def _draw_cycle(draws: _Draws, period: int) -> Floats:
    """Draw a slow wave of a fixed length, an irregular one, or in most series none."""
    t = draws.t
    spacing = draws.uniform(2.5, 12) * period
    size = draws.uniform(0.3, 2)
    phase = draws.uniform(0, 6.3)
    angle = FULL_TURN * t / spacing + phase
    regular = size * np.sin(angle)

    radius = draws.uniform(0.93, 0.999)
    angle_per_step = FULL_TURN / spacing
    shocks = draws.shocks()
    irregular = _filter_ar2(shocks, radius, angle_per_step)
    unit = irregular.std(1, keepdims=True) + 1e-9
    irregular *= draws.uniform(0.3, 3) / unit
    return draws.choose({0.17: regular, 0.32: irregular}, 0.0)


def _draw_season(draws: _Draws, m: int, harmonics: int) -> Floats:
    """Draw a periodic shape of unit size whose amplitude, and sometimes form, drifts."""
    first = _draw_season_shape(draws, m, harmonics)
    second = _draw_season_shape(draws, m, harmonics)
    phase = draws.t % m

    # How much of the second shape is mixed in wanders from step to step.
    mix = draws.walk()
    mix /= np.sqrt(draws.length)
    mix = np.clip(mix * 0.7 + 0.3, 0, 1)
    mix *= draws.indicator(0.2)
    wave = first[:, phase] * (1 - mix)
    wave += second[:, phase] * mix

    # So does the logarithm of the amplitude, in half of the series.
    drift = draws.walk()
    drift *= draws.uniform(0, 0.3)
    drift /= np.sqrt(m)
    drift = np.clip(drift, -3, 3)
    drift *= draws.indicator(0.5)
    return np.asarray(wave * np.exp(drift))


def _draw_season_shape(draws: _Draws, m: int, harmonics: int) -> Floats:
    """Draw one season, [n, m], of mean 0 and deviation 1: harmonics, noise, or some spikes."""
    shape = _draw_harmonics(draws, m, harmonics)
    noise = draws.normal(m) * 0.7
    shape += noise * draws.indicator(0.35)

    heights = draws.normal(m)
    # However short the season is, it has one spike or more on average.
    spike_share = max(0.12, 1.2 / m)
    is_spike = draws.rng.random(heights.shape) < spike_share
    spikes = heights * is_spike * 2
    shape = draws.choose({0.15: spikes}, shape)

    centred = shape - shape.mean(1, keepdims=True)
    # A shape of spikes may have none, and is flat then.
    deviation = shape.std(1, keepdims=True) + 0.05
    return np.asarray(centred / deviation)


def _draw_harmonics(draws: _Draws, m: int, harmonics: int) -> Floats:
    """Draw a sum of sines and cosines over one season, [n, m]: the faster, the smaller."""
    # Faster waves than m // 2 repeat slower ones.
    fastest = max(1, m // 2)
    count = min(harmonics, fastest)
    k = np.arange(1, count + 1)
    steepness = draws.uniform(0.3, 1.5)
    decay = k**-steepness

    step = np.arange(m)
    angle = FULL_TURN * k[:, None] * step / m

    sine_sizes = draws.normal(count) * decay
    cosine_sizes = draws.normal(count) * decay
    sines = sine_sizes @ np.sin(angle)
    cosines = cosine_sizes @ np.cos(angle)
    return np.asarray(sines + cosines)


def _draw_second_season(draws: _Draws, m: int, m2: int) -> Floats:
    """Draw a smooth long season, or one whose blocks of m steps differ (the days of a week)."""
    size = draws.log_uniform(-0.5, 0.5)
    smooth = size * _draw_season(draws, m2, 6)

    phase = draws.t % m2
    # Rounded up: the last block of a season may be cut short.
    blocks_per_season = -(-m2 // m)
    levels = draws.normal(blocks_per_season)
    levels *= draws.log_uniform(-0.5, 0.4)
    blocks = np.repeat(levels, m, 1)[:, phase]

    # Days count where the second season is a week of the first.
    days = _draw_working_week(draws)
    if m2 == 7 * m:
        week = np.repeat(days, m, 1)[:, phase]
        week *= draws.log_uniform(-0.3, 0.4)
        blocks = draws.choose({0.5: week}, blocks)
    return draws.choose({0.5: smooth}, blocks)


def _draw_working_week(draws: _Draws) -> Floats:
    """Draw levels of the days of a week, [n, 7]: only those of the last two are not zero."""
    days = np.zeros((draws.n, 7))
    # Both days of a weekend differ from the others alike, and a little from each other.
    single = draws.normal(2) * 0.3
    common = draws.normal(1)
    days[:, 5:] = single + common
    return days


def _draw_level_shifts(draws: _Draws) -> Floats:
    """Draw level shifts at random steps."""
    rng = draws.rng
    n = draws.n
    length = draws.length
    shifts = np.zeros((n, length))
    count = rng.poisson(0.4, n)
    for series in np.repeat(np.arange(n), count):
        start = rng.integers(0, length)
        direction = rng.normal()
        size = 10 ** rng.uniform(-0.3, 0.7)
        shifts[series, start:] += direction * size
    return shifts


def _to_user_scale(draws: _Draws, y: Floats, noise: Floats) -> Floats:
    """Give unit-size series a user's scale.

    They are exponentiated, on an offset, above zero, counts, or with many zeros.
    """
    growth = y * draws.log_uniform(-1.3, 0.0)
    growth = np.clip(growth, -12, 12)
    exponential = np.exp(growth)
    exponential *= draws.log_uniform(0, 4)

    linear = y * draws.log_uniform(-1, 3)
    linear += draws.pick([0.0, 20.0, 1000.0])

    above_zero = y - y.min(1, keepdims=True)
    above_zero += draws.uniform(0.02, 4)
    above_zero *= draws.log_uniform(0, 4)

    log_rate = y * 0.7
    log_rate += draws.uniform(-1.5, 3)
    # At most some 3000, at least a count of one in 400 steps.
    rate = np.exp(np.clip(log_rate, -6, 8))
    counts = draws.rng.poisson(rate).astype(np.float64)

    with_zeros = y - draws.uniform(-1.5, 0.7)
    with_zeros = np.maximum(with_zeros, 0)
    with_zeros *= draws.log_uniform(0, 2)

    by_limit = {0.45: exponential, 0.7: linear, 0.9: above_zero, 0.96: counts}
    scaled = draws.choose(by_limit, with_zeros)

    # Some people round; but a series that is constant then has nothing left to learn.
    rounded = np.round(scaled)
    is_rounded = draws.mask(0.15)
    is_rounded &= rounded.std(1, keepdims=True) > 0
    is_rounded &= noise > 0
    return np.where(is_rounded, rounded, scaled)


def _with_missing(draws: _Draws, y: Floats) -> Floats:
    """Hide single values or blocks in one series of eight."""
    length = draws.length
    share = draws.uniform(0.01, 0.25)
    start = draws.share() * length
    end = start + share * length
    in_block = draws.t >= start
    in_block &= draws.t < end
    is_single = draws.rng.random(y.shape) < share

    # One number for both, so that no series has both.
    kind = draws.share()
    in_block &= kind > 0.96
    is_single &= kind < 0.08

    hidden: Bools = is_single | in_block
    hidden[:, 0] = False
    return np.where(hidden, np.nan, y)


def _filter_ar1(shocks: Floats, phi: Floats) -> Floats:
    """Return the first-order autoregression of each row of shocks, [n, T], by its `phi` [n, 1]."""
    rows = []
    for p, row in zip(phi[:, 0], shocks, strict=True):
        denominator = [1, -p]
        rows.append(lfilter([1], denominator, row))
    return np.stack(rows)


def _filter_ar2(shocks: Floats, radius: Floats, angle: Floats) -> Floats:
    """Return the second-order autoregression of each row of shocks, [n, T].

    Its roots have the row's radius and angle, [n, 1] each. Just within the unit circle (Yule 1927)
    it swings by itself, and shocks keep it going.
    """
    rows = []
    for r, a, row in zip(radius[:, 0], angle[:, 0], shocks, strict=True):
        # The polynomial with the roots r exp(ia) and r exp(-ia).
        first = -2 * r * np.cos(a)
        second = r * r
        denominator = [1, first, second]
        rows.append(lfilter([1], denominator, row))
    return np.stack(rows)
