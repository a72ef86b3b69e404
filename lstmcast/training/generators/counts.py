"""Intermittent demand, and calls within opening hours.

Axes: n series, T steps, m steps of a day.
"""

import numpy as np

from lstmcast.features.steps import Seasons
from lstmcast.ragged import Bools, Floats
from lstmcast.training.generators.clock import (
    Clock,
    draw_day_levels,
    draw_weekdays,
    read_clock,
)
from lstmcast.training.generators.draws import Draws
from lstmcast.training.generators.energy import draw_year
from lstmcast.training.generators.shapes import draw_harmonics

HIGHEST_RATE = 1e7
"""Of a Poisson distribution that is drawn from."""


def draw_intermittent_demand(draws: Draws, seasons: Seasons) -> Floats:
    """Draw demand with many exact zeros, [n, T]: spare parts, slow goods, rare events.

    Whether there is demand and how much are drawn apart (Croston 1972). How often varies with the
    season and slowly, and in some series it ends (Teunter, Syntetos & Babai 2011); sizes are
    geometric, log-normal or always one.
    """
    rng = draws.rng
    log_odds = draws.uniform(-3, 0.5)
    log_odds = log_odds + draws.noise(0.95, 0.999) * draws.uniform(0, 0.8)
    for m in seasons:
        if 1 < m < 2 * draws.length:
            wave = draw_harmonics(draws, m, 3)[:, draws.t % m]
            log_odds = log_odds + wave * draws.log_uniform(-1, 0.1) * draws.indicator(
                0.6
            )
    # An old part is asked for less and less.
    age = draws.t / draws.length
    log_odds = log_odds - 4 * age * draws.indicator(0.1)
    odds = np.exp(np.clip(log_odds, -8, 8))
    is_demand = draws.events(odds / (1 + odds))

    mean = draws.log_uniform(0, 1.5)
    geometric = rng.geometric(np.broadcast_to(1 / mean, is_demand.shape)).astype(float)
    lognormal = np.ceil(mean * np.exp(draws.shocks() * draws.uniform(0.2, 1)))
    sizes = draws.choose({0.2: 1.0, 0.6: geometric}, lognormal)
    # Some are sold in packs.
    pack = draws.pick([1, 1, 1, 6, 10, 12])
    return np.asarray(sizes * is_demand * pack)


def draw_low_counts(draws: Draws, seasons: Seasons) -> Floats:
    """Draw small whole numbers, [n, T]: sales of one product in one shop, incidents, defects.

    A Poisson or, in half of the series, negative binomial distribution whose rate has the seasons
    and a slow memory.
    """
    log_rate = draws.uniform(-1.2, 2.5)
    log_rate = log_rate + draws.noise(0.9, 0.998) * draws.uniform(0, 0.5)
    for m in seasons:
        if 1 < m < 4 * draws.length:
            wave = draw_harmonics(draws, m, 3)[:, draws.t % m]
            log_rate = log_rate + wave * draws.uniform(0, 0.5)
    rate = np.exp(np.clip(log_rate, -6, 8))
    return draw_counts(draws, rate)


def draw_calls(draws: Draws, seasons: Seasons) -> Floats:
    """Draw calls or visitors, [n, T]: within opening hours, and exactly zero outside them.

    In half of the series the closed hours are no steps at all, as in a call centre's export: the
    day then begins and ends where the doors open and close (Taylor 2008, bank calls of 169 steps).
    """
    clock = read_clock(seasons)
    rest = _draw_rest_days(draws, clock)
    levels = draw_day_levels(draws, clock)
    weekdays = draw_weekdays(draws, clock)
    log_rate = np.log(np.take_along_axis(levels, weekdays, 1))
    log_rate = log_rate + draw_year(draws, clock) * draws.uniform(0, 0.3)
    log_rate = log_rate + draws.noise(0.9, 0.999) * draws.uniform(0.02, 0.3)
    rate = np.exp(np.clip(log_rate, -6, 4)) * draws.log_uniform(0.3, 3)

    is_open = ~np.take_along_axis(rest, weekdays, 1)
    if clock.day > 1:
        profile, open_hours = _draw_opening_hours(draws, clock.day)
        hour = draws.t % clock.day
        rate = rate * profile[:, hour]
        is_open &= open_hours[:, hour]
    return draw_counts(draws, rate) * is_open


def _draw_rest_days(draws: Draws, clock: Clock) -> Bools:
    """Draw which days of the week are closed, [n, W]: the last, the last two, or none."""
    closed_days = (
        draws.pick([0, 0, 1, 2]) if clock.week >= 6 else np.zeros((draws.n, 1))
    )
    if clock.day == 1 and clock.week == 1:
        closed_days = np.zeros((draws.n, 1))
    day = np.arange(clock.week)
    return np.asarray(day >= clock.week - closed_days)


def _draw_opening_hours(draws: Draws, m: int) -> tuple[Floats, Bools]:
    """Draw the rate over a day, [n, m], and at which of its steps the doors are open, [n, m]."""
    phase = (np.arange(m) + 0.5) / m
    is_whole = draws.mask(0.5)
    opening = np.where(is_whole, -0.01, draws.uniform(0.15, 0.45))
    closing = np.where(is_whole, 1.01, opening + draws.uniform(0.25, 0.5))
    within = (phase - opening) / (closing - opening)

    # Busy soon after opening, slowly less until the evening, perhaps with a dip at noon.
    rise = 1 - np.exp(-np.maximum(within, 0) / draws.uniform(0.02, 0.15))
    fall = 1 / (
        1 + np.exp((within - draws.uniform(0.5, 1)) / draws.uniform(0.03, 0.15))
    )
    dip = 1 - draws.uniform(0, 0.4) * np.exp(-(((within - 0.5) / 0.08) ** 2) / 2)
    floor = draws.uniform(0.02, 0.4)
    profile = floor + rise * fall * dip
    is_open = (phase >= opening) & (phase < closing)
    return profile, is_open


def draw_counts(draws: Draws, rate: Floats) -> Floats:
    """Draw counts of these rates, [n, T]: Poisson, or in half of the series spread wider."""
    # A rate that is itself gamma distributed makes negative binomial counts.
    dispersion = draws.log_uniform(-2.5, -0.3)
    shape = np.broadcast_to(1 / dispersion, rate.shape)
    wider = draws.rng.gamma(shape) * dispersion
    rate = rate * draws.choose({0.5: wider}, 1.0)
    limited = np.clip(rate, 0, HIGHEST_RATE)
    return draws.rng.poisson(limited).astype(np.float64)
