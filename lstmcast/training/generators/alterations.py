"""Mixes, flips, shifts and modulations of drawn series.

Axes: n series, T steps, S series of a mix.
"""

from collections.abc import Callable

import numpy as np

from lstmcast.ragged import Floats
from lstmcast.training.generators.draws import FULL_TURN, Draws, standardise

MOST_MIXED = 3


def alter_signed(draws: Draws, y: Floats) -> Floats:
    """Alter some of standardised series of any sign, [n, T], at random."""
    y = _replace_some(draws, y, 0.12, lambda some, _: mix_series(some, y))
    mixed = y
    y = _replace_some(draws, y, 0.08, lambda some, _: mix_changing(some, mixed))
    y = _replace_some(draws, y, 0.08, lambda _, own: -own)
    y = _replace_some(draws, y, 0.06, lambda _, own: own[:, ::-1])
    y = _replace_some(draws, y, 0.06, modulate_amplitude)
    y = _replace_some(draws, y, 0.06, add_trend)
    y = _replace_some(draws, y, 0.05, add_level_shift)
    return _replace_some(draws, y, 0.05, add_outliers)


def alter_positive(draws: Draws, y: Floats) -> Floats:
    """Alter some of the series whose zeros count, [n, T], at random: each stays zero where it is.

    Levels are modulated and shifted by factors, and some values are multiplied.
    """
    y = _replace_some(draws, y, 0.06, modulate_level)
    y = _replace_some(draws, y, 0.05, multiply_level)
    return _replace_some(draws, y, 0.05, multiply_outliers)


def _replace_some(
    draws: Draws, y: Floats, share: float, alter: Callable[[Draws, Floats], Floats]
) -> Floats:
    """Replace about this share of the series by what `alter` makes of them, [n, T]."""
    rows = np.flatnonzero(draws.mask(share))
    if not len(rows):
        return y
    altered = y.copy()
    altered[rows] = alter(draws.take(len(rows)), y[rows])
    return altered


def mix_series(draws: Draws, y: Floats) -> Floats:
    """Mix two or three series at a time, each time others, [n, T].

    Weights are Dirichlet distributed (TSMixup, Ansari et al. 2024).
    """
    mixed, weights = _draw_mixed(draws, y)
    return standardise(np.einsum("nst,ns->nt", mixed, weights))


def mix_changing(draws: Draws, y: Floats) -> Floats:
    """Mix two or three series with weights that go from some to others, [n, T].

    In the middle of the change, which is sudden or slow, both count half (TempoPFN, Moroshan et al.
    2025).
    """
    mixed, before = _draw_mixed(draws, y)
    # Each series takes the weight of another one.
    after = np.roll(before, 1, axis=1)
    middle = draws.uniform(0.1, 0.9) * draws.length
    width = draws.log_uniform(-2, -0.3) * draws.length
    distance = np.clip((draws.t - middle) / width, -40, 40)
    share = 1 / (1 + np.exp(-distance))
    first = np.einsum("nst,ns->nt", mixed, before)
    second = np.einsum("nst,ns->nt", mixed, after)
    return standardise(first + (second - first) * share)


def _draw_mixed(draws: Draws, y: Floats) -> tuple[Floats, Floats]:
    """Draw which series of y are mixed, [n, S, T], and their weights, [n, S]."""
    rng = draws.rng
    rows = rng.integers(0, len(y), (draws.n, MOST_MIXED))
    weights = rng.dirichlet(np.full(MOST_MIXED, 1.5), draws.n)
    # Half of the mixes are of two.
    weights[:, 2:] *= draws.mask(0.5)
    weights /= weights.sum(1, keepdims=True)
    return y[rows], weights


def modulate_amplitude(draws: Draws, y: Floats) -> Floats:
    """Let the amplitude swell and shrink slowly, [n, T]."""
    return standardise(y * np.exp(_draw_slow_change(draws)))


def modulate_level(draws: Draws, y: Floats) -> Floats:
    """Let series grow and shrink slowly by factors, [n, T]."""
    return np.asarray(y * np.exp(_draw_slow_change(draws)))


def _draw_slow_change(draws: Draws) -> Floats:
    """Draw half a wave to three waves over all steps, [n, T]."""
    turns = draws.uniform(0.5, 3)
    angle = FULL_TURN * (draws.t / draws.length * turns + draws.share())
    return np.asarray(np.sin(angle) * draws.uniform(0.2, 0.8))


def add_trend(draws: Draws, y: Floats) -> Floats:
    """Add a straight trend of up to some deviations, [n, T]."""
    slope = draws.normal(1) * 2 / draws.length
    return standardise(y + slope * draws.t)


def add_level_shift(draws: Draws, y: Floats) -> Floats:
    """Shift the level of series at one step for good, [n, T]."""
    size = draws.normal(1) * 2
    return standardise(y + size * _is_after_break(draws))


def multiply_level(draws: Draws, y: Floats) -> Floats:
    """Multiply series from one step on by a factor, [n, T]."""
    factor = np.exp(draws.normal(1) * 0.7)
    return np.where(_is_after_break(draws), y * factor, y)


def _is_after_break(draws: Draws) -> Floats:
    """Draw one step of each series; 1 from there on, [n, T]."""
    middle = draws.uniform(0.05, 0.95) * draws.length
    return (draws.t >= middle).astype(np.float64)


def add_outliers(draws: Draws, y: Floats) -> Floats:
    """Add outliers of some deviations at about one step in 100, [n, T]."""
    outliers = draws.shocks() * draws.events(0.01)
    return standardise(y + outliers * draws.uniform(3, 10))


def multiply_outliers(draws: Draws, y: Floats) -> Floats:
    """Multiply about one value in 100 by up to ten, or set it to nearly nothing, [n, T]."""
    factor = np.exp(draws.shocks() * draws.uniform(0.3, 1))
    limited = np.clip(factor, 0.05, 10)
    return np.where(draws.events(0.01), y * limited, y)
