"""Level, trend, seasons, cycles, noise and outliers, added at random.

The widest generator: its probabilities and ranges are wide on purpose, since the network must meet
every kind of series that a user may bring, not an average one.

Axes: n series, T steps, m season length.
"""

import numpy as np

from lstmcast.features.steps import Seasons
from lstmcast.ragged import Floats
from lstmcast.training.generators.draws import (
    FULL_TURN,
    Draws,
    filter_ar1,
    filter_ar2,
    filter_unit_ar1,
    standardise,
)
from lstmcast.training.generators.shapes import (
    draw_any_shape,
    draw_harmonics,
    draw_smooth_wave,
    draw_spikes,
)


def draw_components(draws: Draws, seasons: Seasons) -> Floats:
    """Draw sums of level, trend, cycle, seasons and noise, of any mean and deviation 1, [n, T]."""
    m, m2, m3 = seasons
    period = max(m, 4)

    # Noise and level share a size, so that neither always hides the other.
    noise = draws.log_uniform(-1.3, 0.3)
    y = draw_noise(draws, period) * noise
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
    if m3:
        size = draws.indicator(0.85)
        size *= draws.log_uniform(-0.5, 0.5)
        y += size * draw_smooth_wave(draws, m3, 3)
    y += _draw_level_shifts(draws)

    # A flat series has no deviation to divide by.
    y /= y.std(1, keepdims=True) + 1e-9
    return y


def draw_noise(draws: Draws, period: int) -> Floats:
    """Draw unit noise, [n, T]: Gaussian or heavy-tailed, with outliers and autocorrelation."""
    rng = draws.rng
    noise = draws.mix({0.15: _draw_heavy_shocks, 1.0: Draws.shocks})
    noise *= _draw_deviation(draws, period)

    # Outliers are of a series: one that has them has several.
    rows = np.flatnonzero(draws.mask(0.2))
    is_outlier = rng.random((len(rows), draws.length)) < 0.03
    outlier_size = draws.take(len(rows)).uniform(3, 8)
    noise[rows] *= np.where(is_outlier, outlier_size, 1.0)

    # Half of the series are not autocorrelated, and a few alternate.
    phi = draws.uniform(0.2, 0.98)
    phi *= draws.mask(0.5)
    is_alternating = draws.mask(0.06)
    alternating = -draws.uniform(0.1, 0.7)
    phi = np.where(is_alternating, alternating, phi)
    return filter_unit_ar1(noise, phi)


def _draw_heavy_shocks(draws: Draws) -> Floats:
    """Draw shocks of unit size with heavy tails, [n, T]."""
    # Student's t with 4 degrees of freedom has variance 2.
    heavy = draws.rng.standard_t(4, (draws.n, draws.length))
    return np.asarray(heavy / np.sqrt(2))


def _draw_deviation(draws: Draws, period: int) -> Floats:
    """Draw how the deviation of noise changes: slowly, with the season, at random or never."""

    def draw_slow(some: Draws) -> Floats:
        turns = some.uniform(0.5, 3)
        angle = FULL_TURN * some.t / some.length * turns
        return np.asarray(np.exp(0.5 * np.sin(angle)))

    def draw_seasonal(some: Draws) -> Floats:
        phase = some.share()
        angle = FULL_TURN * (some.t / period + phase)
        return np.asarray(np.exp(0.6 * np.sin(angle)))

    def draw_wandering(some: Draws) -> Floats:
        shocks = some.shocks() * 0.15
        # A long memory keeps the deviation from jumping.
        phi = np.full((some.n, 1), 0.97)
        return np.asarray(np.exp(filter_ar1(shocks, phi)))

    return draws.mix(
        {0.15: draw_slow, 0.25: draw_seasonal, 0.35: draw_wandering}, otherwise=1.0
    )


def _draw_level(draws: Draws) -> Floats:
    """Draw a random-walk level; in one series of ten nothing else matters (prices)."""

    def draw_prices(some: Draws) -> Floats:
        return np.cumsum(draw_noise(some, 7), 1) * 8

    def draw_walk(some: Draws) -> Floats:
        size = some.log_uniform(-1.5, 0.2)
        return np.cumsum(draw_noise(some, 7), 1) * size

    return draws.mix({0.1: draw_prices, 0.64: draw_walk})


def _draw_trend(draws: Draws) -> Floats:
    """Draw trends: straight, damped, stochastic, broken or saturating, or in a third none."""
    return draws.mix(
        {
            0.045: _draw_saturation,
            0.257: _draw_damped_trend,
            0.529: _draw_stochastic_trend,
            0.65: _draw_broken_trend,
        }
    )


def _draw_slope(draws: Draws) -> Floats:
    """Draw slopes, [n, 1]: half of them so much a step, the others so much over all steps."""
    per_step = draws.normal(1)
    per_step *= draws.log_uniform(-2.5, -0.7)

    over_all = draws.normal(1)
    over_all *= draws.log_uniform(-0.5, 1.2)
    over_all /= draws.length
    return draws.choose({0.5: per_step}, over_all)


def _draw_damped_trend(draws: Draws) -> Floats:
    """Draw trends that stay or are damped, [n, T]."""
    slope = _draw_slope(draws)
    # Two of five are straight: their slope stays.
    damping = draws.pick([1.0, 1.0, 0.99, 0.97, 0.9])
    damped = slope * damping**draws.t
    return np.cumsum(damped, 1)


def _draw_stochastic_trend(draws: Draws) -> Floats:
    """Draw trends whose slope wanders, [n, T]."""
    slope = _draw_slope(draws)
    shocks = draws.shocks()
    shocks *= np.abs(slope)
    shocks *= draws.uniform(0, 0.4)
    # A stochastic slope begins at the drawn one, and forgets it in most series.
    shocks[:, 0] = slope[:, 0]
    memory = draws.pick([1.0, 0.995, 0.98, 0.9])
    steps = filter_ar1(shocks, memory)
    return np.cumsum(steps, 1)


def _draw_broken_trend(draws: Draws) -> Floats:
    """Draw trends whose slope changes once, [n, T]."""
    slope = _draw_slope(draws)
    break_at = draws.length * draws.uniform(0.2, 0.95)
    slope_after = slope * draws.normal(1)
    steps = np.where(draws.t < break_at, slope, slope_after)
    return np.cumsum(steps, 1)


def _draw_saturation(draws: Draws) -> Floats:
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


def _draw_cycle(draws: Draws, period: int) -> Floats:
    """Draw a slow wave of a fixed length, an irregular one, or in most series none."""

    def draw_regular(some: Draws) -> Floats:
        spacing = some.uniform(2.5, 12) * period
        size = some.uniform(0.3, 2)
        phase = some.uniform(0, 6.3)
        angle = FULL_TURN * some.t / spacing + phase
        return np.asarray(size * np.sin(angle))

    def draw_irregular(some: Draws) -> Floats:
        spacing = some.uniform(2.5, 12) * period
        radius = some.uniform(0.93, 0.999)
        angle_per_step = FULL_TURN / spacing
        irregular = filter_ar2(some.shocks(), radius, angle_per_step)
        unit = irregular.std(1, keepdims=True) + 1e-9
        size = some.uniform(0.3, 3)
        return np.asarray(irregular * size / unit)

    return draws.mix({0.17: draw_regular, 0.32: draw_irregular})


def _draw_season(draws: Draws, m: int, harmonics: int) -> Floats:
    """Draw a periodic shape of unit size whose amplitude, and sometimes form, drifts."""
    shape = _draw_season_shape(draws, m, harmonics)
    phase = draws.t % m
    wave = shape[:, phase]

    # How much of a second shape is mixed in wanders from step to step.
    rows = np.flatnonzero(draws.mask(0.2))
    changing = draws.take(len(rows))
    mix = changing.walk()
    mix /= np.sqrt(draws.length)
    mix = np.clip(mix * 0.7 + 0.3, 0, 1)
    second = _draw_season_shape(changing, m, harmonics)
    wave[rows] += (second[:, phase] - wave[rows]) * mix

    # So does the logarithm of the amplitude, in half of the series.
    rows = np.flatnonzero(draws.mask(0.5))
    drifting = draws.take(len(rows))
    drift = drifting.walk()
    drift *= drifting.uniform(0, 0.3)
    drift /= np.sqrt(m)
    drift = np.clip(drift, -3, 3)
    wave[rows] *= np.exp(drift)
    return wave


def _draw_season_shape(draws: Draws, m: int, harmonics: int) -> Floats:
    """Draw one season, [n, m], of mean 0 and deviation 1: harmonics, noise, spikes or corners."""

    def draw_waves(some: Draws) -> Floats:
        shape = draw_harmonics(some, m, harmonics)
        noise = some.normal(m) * 0.7
        return np.asarray(shape + noise * some.indicator(0.35))

    def draw_zeros_and_spikes(some: Draws) -> Floats:
        return draw_spikes(some, m)

    def draw_corners(some: Draws) -> Floats:
        # Corners need a season of some steps to be seen.
        return standardise(draw_any_shape(some, m)) if m > 4 else draw_waves(some)

    own = draws._replace(length=m)
    shape = own.mix({0.13: draw_zeros_and_spikes, 0.25: draw_corners, 1.0: draw_waves})
    centred = shape - shape.mean(1, keepdims=True)
    # A shape of spikes may have none, and is flat then.
    deviation = shape.std(1, keepdims=True) + 0.05
    return np.asarray(centred / deviation)


def _draw_second_season(draws: Draws, m: int, m2: int) -> Floats:
    """Draw a smooth long season, or one whose blocks of m steps differ (the days of a week)."""
    # Rounded up: the last block of a season may be cut short.
    blocks_per_season = -(-m2 // m)
    block = (draws.t % m2) // m

    def draw_smooth(some: Draws) -> Floats:
        size = some.log_uniform(-0.5, 0.5)
        return np.asarray(size * _draw_season(some, m2, 6))

    def draw_blocks(some: Draws) -> Floats:
        levels = some.normal(blocks_per_season)
        levels *= some.log_uniform(-0.5, 0.4)
        return levels[:, block]

    def draw_week(some: Draws) -> Floats:
        days = _draw_working_week(some)
        days *= some.log_uniform(-0.3, 0.4)
        return days[:, block]

    # Days count where the second season is a week of the first.
    if m2 == 7 * m:
        return draws.mix({0.5: draw_smooth, 0.75: draw_week, 1.0: draw_blocks})
    return draws.mix({0.5: draw_smooth, 1.0: draw_blocks})


def _draw_working_week(draws: Draws) -> Floats:
    """Draw levels of the days of a week, [n, 7]: only those of the last two are not zero."""
    days = np.zeros((draws.n, 7))
    # Both days of a weekend differ from the others alike, and a little from each other.
    single = draws.normal(2) * 0.3
    common = draws.normal(1)
    days[:, 5:] = single + common
    return days


def _draw_level_shifts(draws: Draws) -> Floats:
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
