"""Visits with bursts, and shifts of their level.

Axes: n series, T steps.
"""

import numpy as np

from lstmcast.features.steps import Seasons
from lstmcast.ragged import Floats
from lstmcast.training.generators.clock import read_clock
from lstmcast.training.generators.counts import draw_counts
from lstmcast.training.generators.draws import Draws, filter_ar1
from lstmcast.training.generators.energy import draw_calendar_profile, draw_year


def draw_web_visits(draws: Draws, seasons: Seasons) -> Floats:
    """Draw visits of a page, [n, T], whole numbers: a week, bursts that decay, levels that shift.

    News lets visits jump by a factor, and they come back within days, quickly at first (Crane &
    Sornette 2008); ranks, links and releases shift the level for good; interest grows or fades.
    """
    clock = read_clock(seasons)
    profile = draw_calendar_profile(draws, clock)
    log_rate = np.log(np.maximum(profile, 0.03)) * draws.uniform(0.3, 1.2)
    log_rate = log_rate + draw_year(draws, clock) * draws.uniform(0, 0.4)
    log_rate = log_rate + draw_bursts(draws)
    log_rate = log_rate + draw_log_level(draws)
    # From a few visits a step, which are mostly noise, to very many.
    log_rate = log_rate + draws.uniform(0.5, 10)
    rate = np.exp(np.clip(log_rate, -5, 16))
    return draw_counts(draws, rate)


def draw_bursts(draws: Draws) -> Floats:
    """Draw bursts of the logarithm, at least 0, [n, T]: up at once, down quickly, then slowly."""
    per_step = draws.log_uniform(-3.5, -1.5)
    sizes = draws.rng.exponential(0.9, (draws.n, draws.length))
    starts = sizes * draws.events(per_step)
    quick = filter_ar1(starts, draws.uniform(0, 0.7))
    slow = filter_ar1(starts, draws.uniform(0.85, 0.98))
    return np.asarray(quick * 0.7 + slow * 0.3)


def draw_log_level(draws: Draws) -> Floats:
    """Draw a level of the logarithm, [n, T]: it wanders, shifts once or twice, and has a trend."""
    wandering = draws.walk() * draws.log_uniform(-3, -1.5)
    shifts = draws.events(1.5 / draws.length) * draws.shocks() * 0.6
    shifted = np.cumsum(shifts, 1)
    trend = draws.normal(1) * draws.uniform(0, 0.8) * draws.t / draws.length
    return np.asarray(wandering + shifted * draws.indicator(0.5) + trend)
