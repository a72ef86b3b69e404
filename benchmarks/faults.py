"""Invented series of many kinds, ordinary or with a known fault in them.

Detection is tuned here, so that labelled files of the real world are left to measure it by: twenty
kinds of ordinary series, and nine kinds of fault that sensors and services have. All of it follows
from a seed.

Axes: T time steps.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from lstmcast.ragged import Floats

N_STEPS = 5_000
DAY = 288
"""Steps of a day where a step is five minutes."""
_BURN_IN_SHARE = 0.3
"""Share of a series, from its beginning, that stays without a fault."""

Maker = Callable[[np.random.Generator, int], Floats]
Fault = Callable[[np.random.Generator, Floats], Floats]


class FaultySeries(NamedTuple):
    """A series [T] with a fault in rows `first` to `last`; missing values are rows left out."""

    kind: str
    fault: str
    values: Floats
    first: int
    last: int


def _smooth_noise(rng: np.random.Generator, steps: int, memory: float) -> Floats:
    """Autoregressive noise of order 1 and variance 1, [T]."""
    shocks = rng.standard_normal(steps) * np.sqrt(1 - memory**2)
    noise = np.empty(steps)
    state = rng.standard_normal()
    for step in range(steps):
        state = memory * state + shocks[step]
        noise[step] = state
    return noise


def _daily_wave(steps: int) -> Floats:
    """A day with a morning and an evening peak, [T] within -1 to 1."""
    angle = 2 * np.pi * np.arange(steps) / DAY
    return np.asarray(0.7 * np.sin(angle) + 0.3 * np.sin(2 * angle + 1))


def _make_white_noise(rng: np.random.Generator, steps: int) -> Floats:
    return 50 + 2 * rng.standard_normal(steps)


def _make_smooth_noise(rng: np.random.Generator, steps: int) -> Floats:
    return 50 + 5 * _smooth_noise(rng, steps, 0.8)


def _make_slow_noise(rng: np.random.Generator, steps: int) -> Floats:
    return 50 + 5 * _smooth_noise(rng, steps, 0.99)


def _make_day(rng: np.random.Generator, steps: int) -> Floats:
    return 100 + 20 * _daily_wave(steps) + 2 * rng.standard_normal(steps)


def _make_noisy_day(rng: np.random.Generator, steps: int) -> Floats:
    return 100 + 10 * _daily_wave(steps) + 8 * _smooth_noise(rng, steps, 0.5)


def _make_day_and_week(rng: np.random.Generator, steps: int) -> Floats:
    weekday = np.arange(steps) // DAY % 7
    level = np.where(weekday < 5, 1.0, 0.6)
    noise = 3 * rng.standard_normal(steps)
    return np.asarray(100 * level + 20 * level * _daily_wave(steps) + noise)


def _make_trend(rng: np.random.Generator, steps: int) -> Floats:
    return 100 + 0.005 * np.arange(steps) + 2 * _smooth_noise(rng, steps, 0.5)


def _make_random_walk(rng: np.random.Generator, steps: int) -> Floats:
    return 1_000 + np.cumsum(rng.standard_normal(steps))


def _make_lognormal(rng: np.random.Generator, steps: int) -> Floats:
    return 10 * np.exp(0.8 * _smooth_noise(rng, steps, 0.3))


def _make_heavy_tails(rng: np.random.Generator, steps: int) -> Floats:
    return 50 + rng.standard_t(3, steps)


def _make_rare_counts(rng: np.random.Generator, steps: int) -> Floats:
    return rng.poisson(0.4, steps).astype(float)


def _make_counts(rng: np.random.Generator, steps: int) -> Floats:
    rate = 40 + 15 * _daily_wave(steps)
    return rng.poisson(rate).astype(float)


def _make_intermittent(rng: np.random.Generator, steps: int) -> Floats:
    occurs = rng.random(steps) < 0.08
    return np.where(occurs, rng.gamma(3, 10, steps).round(), 0.0)


def _make_on_off(rng: np.random.Generator, steps: int) -> Floats:
    durations = rng.integers(20, 60, steps // 20)
    states = np.arange(len(durations)) % 2
    return np.repeat(states, durations)[:steps].astype(float)


def _make_counter(rng: np.random.Generator, steps: int) -> Floats:
    return np.cumsum(rng.poisson(20 + 8 * _daily_wave(steps))).astype(float)


def _make_quiet_sensor(rng: np.random.Generator, steps: int) -> Floats:
    return np.round(21 + 0.05 * _smooth_noise(rng, steps, 0.9), 1)


def _make_sawtooth(rng: np.random.Generator, steps: int) -> Floats:
    phase = np.arange(steps) % 97
    return phase + rng.standard_normal(steps)


def _make_regular_bursts(rng: np.random.Generator, steps: int) -> Floats:
    values = 5 + np.abs(rng.standard_normal(steps))
    starts = np.arange(DAY // 2, steps, DAY // 4)
    for start in starts:
        begin = start + rng.integers(-2, 3)
        values[begin : begin + 4] += rng.uniform(25, 35)
    return values


def _make_changing_variance(rng: np.random.Generator, steps: int) -> Floats:
    spread = np.exp(0.4 * _smooth_noise(rng, steps, 0.98))
    return np.asarray(50 + 3 * spread * rng.standard_normal(steps))


def _make_bounded_load(rng: np.random.Generator, steps: int) -> Floats:
    load = 45 + 25 * _daily_wave(steps) + 12 * _smooth_noise(rng, steps, 0.8)
    return load.clip(0, 100).round(1)


SERIES: dict[str, Maker] = {
    "white noise": _make_white_noise,
    "smooth noise": _make_smooth_noise,
    "slow noise": _make_slow_noise,
    "day": _make_day,
    "noisy day": _make_noisy_day,
    "day and week": _make_day_and_week,
    "trend": _make_trend,
    "random walk": _make_random_walk,
    "lognormal": _make_lognormal,
    "heavy tails": _make_heavy_tails,
    "rare counts": _make_rare_counts,
    "counts": _make_counts,
    "intermittent": _make_intermittent,
    "on and off": _make_on_off,
    "counter": _make_counter,
    "quiet sensor": _make_quiet_sensor,
    "sawtooth": _make_sawtooth,
    "regular bursts": _make_regular_bursts,
    "changing variance": _make_changing_variance,
    "bounded load": _make_bounded_load,
}
"""Kinds of ordinary series."""


def _inject_spike(rng: np.random.Generator, rows: Floats) -> Floats:
    # The first of the rows alone, beyond the range of all of them.
    faulty = rows.copy()
    width = np.ptp(rows)
    faulty[0] = rows.max() + rng.uniform(0.5, 2.0) * (width or 1.0)
    return faulty


def _inject_shift(rng: np.random.Generator, rows: Floats) -> Floats:
    size = rng.uniform(3, 6) * _typical_spread(rows)
    side = float(rng.choice([-1, 1]))
    return rows + size * side


def _inject_drift(rng: np.random.Generator, rows: Floats) -> Floats:
    size = rng.uniform(5, 10) * _typical_spread(rows)
    side = float(rng.choice([-1, 1]))
    return rows + np.linspace(0, size * side, len(rows))


def _inject_variance(rng: np.random.Generator, rows: Floats) -> Floats:
    size = rng.uniform(2, 5) * _typical_spread(rows)
    return rows + size * rng.standard_normal(len(rows))


def _inject_frequency(_rng: np.random.Generator, rows: Floats) -> Floats:
    # The same rows at three times their speed, over and over.
    places = np.arange(len(rows)) * 3 % len(rows)
    return rows[places]


def _inject_shape(_rng: np.random.Generator, rows: Floats) -> Floats:
    # Upside down within the same range.
    return np.asarray(rows.max() + rows.min() - rows)


def _inject_stuck(_rng: np.random.Generator, rows: Floats) -> Floats:
    return np.full(len(rows), rows[0])


def _inject_gap(_rng: np.random.Generator, rows: Floats) -> Floats:
    return np.full(len(rows), np.nan)


def _inject_saturation(_rng: np.random.Generator, rows: Floats) -> Floats:
    limit = np.quantile(rows, 0.4)
    return np.minimum(rows, limit)


def _typical_spread(rows: Floats) -> float:
    """A robust deviation of rows [T], or 1 where most of them are equal."""
    low, high = np.quantile(rows, [0.16, 0.84])
    return float(high - low) / 2 or float(np.std(rows)) or 1.0


FAULTS: dict[str, Fault] = {
    "spike": _inject_spike,
    "shift": _inject_shift,
    "drift": _inject_drift,
    "variance": _inject_variance,
    "frequency": _inject_frequency,
    "shape": _inject_shape,
    "stuck": _inject_stuck,
    "gap": _inject_gap,
    "saturation": _inject_saturation,
}
"""Kinds of fault, from the fault's own rows [T] as they would have been."""


def make_series(kind: str, seed: int, steps: int = N_STEPS) -> Floats:
    """Invent an ordinary series of a kind of `SERIES`, [T]."""
    number = list(SERIES).index(kind)
    rng = np.random.default_rng([seed, number])
    return SERIES[kind](rng, steps)


def make_faulty_series(
    kind: str, fault: str, seed: int, steps: int = N_STEPS
) -> FaultySeries:
    """Invent a series of a kind of `SERIES` with one fault of `FAULTS` behind its first third."""
    values = make_series(kind, seed, steps)
    number = list(FAULTS).index(fault)
    rng = np.random.default_rng([seed, number, 1])
    length = int(rng.integers(DAY // 4, DAY))
    earliest = int(_BURN_IN_SHARE * steps)
    first = int(rng.integers(earliest, steps - length))
    last = first + length - 1
    values[first : last + 1] = FAULTS[fault](rng, values[first : last + 1])
    return FaultySeries(kind, fault, values, first, last)
