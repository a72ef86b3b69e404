"""Shapes of one season, from harmonics to pulses and opening hours.

Axes: n series, m season length, T steps.
"""

from collections.abc import Callable

import numpy as np

from lstmcast.ragged import Floats
from lstmcast.training.generators.draws import FULL_TURN, Draws

Shape = Callable[[Draws, int], Floats]


def draw_harmonics(draws: Draws, m: int, harmonics: int) -> Floats:
    """Draw a sum of sines and cosines over one season, [n, m]: the faster, the smaller."""
    # Faster waves than m // 2 repeat slower ones.
    fastest = max(1, m // 2)
    count = min(harmonics, fastest)
    return _sum_harmonics(draws, np.arange(m) / m, count)


def draw_smooth_wave(draws: Draws, period: float, harmonics: int) -> Floats:
    """Draw a smooth wave of unit size and any period, whole or not, [n, T]."""
    wave = _sum_harmonics(draws, draws.t / period, harmonics)
    # A period is often longer than the series: its size is that of the part that is seen, or less.
    size = np.maximum(wave.std(1, keepdims=True), 0.3)
    return np.asarray(wave / size)


def _sum_harmonics(draws: Draws, turns: Floats, count: int) -> Floats:
    """Draw sums of `count` sines and cosines at so many turns, [n, the shape of turns]."""
    k = np.arange(1, count + 1)
    steepness = draws.uniform(0.3, 1.5)
    decay = k**-steepness
    angle = FULL_TURN * k[:, None] * turns

    sine_sizes = draws.normal(count) * decay
    cosine_sizes = draws.normal(count) * decay
    sines = sine_sizes @ np.sin(angle)
    cosines = cosine_sizes @ np.cos(angle)
    return np.asarray(sines + cosines)


def draw_spikes(draws: Draws, m: int) -> Floats:
    """Draw a season of zeros and some spikes, [n, m]: one or more on average."""
    heights = draws.normal(m)
    # However short the season is, it has one spike or more on average.
    spike_share = max(0.12, 1.2 / m)
    is_spike = draws.rng.random(heights.shape) < spike_share
    return np.asarray(heights * is_spike * 2)


def draw_square(draws: Draws, m: int) -> Floats:
    """Draw a square wave, [n, m]: on for a part of the season (machines, heating, shifts)."""
    phase = _draw_phase(draws, m)
    width = draws.uniform(0.1, 0.9)
    return (phase < width).astype(np.float64)


def draw_sawtooth(draws: Draws, m: int) -> Floats:
    """Draw a sawtooth, [n, m]: rises and falls of different speed (tanks, batteries, stocks)."""
    phase = _draw_phase(draws, m)
    peak = draws.uniform(0.02, 0.98)
    rise = phase / peak
    fall = (1 - phase) / (1 - peak)
    return np.minimum(rise, fall)


def draw_trapezoid(draws: Draws, m: int) -> Floats:
    """Draw a trapezoid, [n, m]: slopes between a low and a high that last (working hours)."""
    triangle = draw_sawtooth(draws, m)
    steepness = draws.uniform(1.5, 8)
    foot = draws.uniform(0, 0.5)
    slope = (triangle - foot) * steepness
    return np.clip(slope, 0, 1)


def draw_pulses(draws: Draws, m: int) -> Floats:
    """Draw a train of one to three short pulses, [n, m] (meals, timers, deliveries)."""
    pulses = np.zeros((draws.n, m))
    count = draws.pick([1, 1, 2, 3])
    for number in range(3):
        phase = _draw_phase(draws, m)
        # A pulse of less than a step would often be missed.
        width = np.maximum(draws.uniform(0.01, 0.08), 1 / m)
        height = draws.uniform(0.4, 1.5) * (number < count)
        pulses += height * (phase < width * (1 - 1e-9))
    return pulses


def draw_two_peaks(draws: Draws, m: int) -> Floats:
    """Draw a day with a peak in the morning and one in the evening, [n, m] (traffic, load)."""
    phase = _draw_phase(draws, m)
    distance = draws.uniform(0.25, 0.5)
    second_height = draws.uniform(0.4, 1.4)
    morning = _draw_hump(draws, phase, 0.25)
    evening = _draw_hump(draws, phase, 0.25 + distance)
    return np.asarray(morning + evening * second_height)


def draw_day_hump(draws: Draws, m: int) -> Floats:
    """Draw a day with one long hump and a flat night, [n, m] (offices, hospitals, shops)."""
    phase = _draw_phase(draws, m)
    opening = draws.uniform(0.15, 0.35)
    closing = opening + draws.uniform(0.25, 0.55)
    rise = (phase - opening) / draws.uniform(0.01, 0.05)
    fall = (closing - phase) / draws.uniform(0.01, 0.12)
    hump = _logistic(rise) * _logistic(fall)
    # At noon it dips, or it leans to one side.
    lean = 1 + draws.uniform(-0.6, 0.6) * (phase - 0.5)
    dip = draws.uniform(-0.1, 0.3) * _draw_hump(draws, phase, 0.5)
    return np.asarray(hump * (lean - dip))


def draw_bell(draws: Draws, m: int) -> Floats:
    """Draw a bell that is cut at zero, [n, m] (light, and what follows it)."""
    phase = _draw_phase(draws, m)
    height = np.cos(FULL_TURN * phase) - draws.uniform(-0.5, 0.5)
    return np.maximum(height, 0)


SHAPES: tuple[Shape, ...] = (
    draw_square,
    draw_sawtooth,
    draw_trapezoid,
    draw_pulses,
    draw_two_peaks,
    draw_day_hump,
    draw_bell,
)
"""Shapes of one season that are no sums of a few harmonics, of any mean and size, [n, m]."""


def draw_any_shape(draws: Draws, m: int) -> Floats:
    """Draw each series' season by one of `SHAPES`, [n, m]."""
    own = draws._replace(length=m)
    by_limit = {}
    for number, shape in enumerate(SHAPES, 1):
        limit = number / len(SHAPES)
        # Bound now: the loop goes on before the shape is drawn.
        by_limit[limit] = lambda some, shape=shape: shape(some, m)
    return own.mix(by_limit)


def draw_day_profile(draws: Draws, m: int) -> Floats:
    """Draw a day between 0 and 1, [n, m], smooth or with corners: what people or machines do."""
    own = draws._replace(length=m)

    def draw_waves(some: Draws) -> Floats:
        return draw_harmonics(some, m, 4)

    def draw_people(some: Draws) -> Floats:
        return draw_two_peaks(some, m)

    def draw_work(some: Draws) -> Floats:
        return draw_day_hump(some, m)

    def draw_other(some: Draws) -> Floats:
        return draw_any_shape(some, m)

    profile = own.mix(
        {0.3: draw_waves, 0.6: draw_people, 0.85: draw_work, 1: draw_other}
    )
    # Corners and wiggles that come back every day.
    wiggles = draws.normal(m) * draws.uniform(0, 0.06)
    profile = _stretch_to_unit(profile) + wiggles * draws.indicator(0.5)
    return _stretch_to_unit(profile)


def _stretch_to_unit(profile: Floats) -> Floats:
    """Shift and stretch each row so that it reaches from 0 to 1; a flat one becomes 0."""
    low = profile.min(1, keepdims=True)
    span = profile.max(1, keepdims=True) - low
    return np.asarray((profile - low) / np.maximum(span, 1e-9))


def _draw_phase(draws: Draws, m: int) -> Floats:
    """Draw where in the season its first step lies; return all phases, 0 to 1, [n, m]."""
    turns = np.arange(m) / m + draws.share()
    return np.asarray(turns % 1)


def _draw_hump(draws: Draws, phase: Floats, centre: Floats | float) -> Floats:
    """Draw a hump around a phase, [n, m]; past the end of the season it goes on at its start."""
    distance = np.abs(phase - centre)
    around = np.minimum(distance, 1 - distance)
    width = draws.uniform(0.03, 0.12)
    ratio = around / width
    return np.asarray(np.exp(-(ratio**2) / 2))


def _logistic(x: Floats) -> Floats:
    """Go from 0 to 1 along the logistic curve; at 40 it has arrived to all digits."""
    exponent = -np.clip(x, -40, 40)
    return np.asarray(1 / (1 + np.exp(exponent)))
