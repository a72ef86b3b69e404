"""Rivers, rain and temperatures.

Axes: n series, T steps.
"""

import numpy as np

from lstmcast.features.steps import Seasons
from lstmcast.ragged import Floats
from lstmcast.training.generators.clock import read_clock
from lstmcast.training.generators.draws import FULL_TURN, Draws, filter_ar1
from lstmcast.training.generators.energy import draw_daily_memory, draw_year


def draw_rivers(draws: Draws, seasons: Seasons) -> Floats:
    """Draw the flow of rivers, above zero, [n, T]: steep rises, slow falls, a season of floods.

    Shot noise (Weiss 1977): each rain fills two reservoirs, which empty at their own speed, on a
    base flow that follows the year. The rains of some rivers fail and leave them dry for long.
    """
    rain = draw_rain(draws, seasons)
    # A third of the rain or more runs off at once, the rest through the ground.
    quick = draws.uniform(0.3, 0.95)
    fast = _drain(rain * quick, draws.uniform(0.3, 0.9))
    slow = _drain(rain * (1 - quick), draws.uniform(0.95, 0.998))
    year = draw_year(draws, read_clock(seasons))
    base = np.exp(year * draws.uniform(0, 0.8)) * draws.log_uniform(-2, 0)
    base = base * draws.indicator(0.85)
    flow = fast + slow + base * rain.mean()
    # Wet ground sheds more: floods grow faster than their rain.
    return np.asarray(flow ** draws.uniform(0.8, 1.5))


def draw_rain(draws: Draws, seasons: Seasons) -> Floats:
    """Draw rain, [n, T]: exact zeros, and gamma distributed amounts in wet spells and seasons."""
    year = draw_year(draws, read_clock(seasons)) * draws.uniform(0, 1.2)
    spells = draws.noise(0.3, 0.9)
    log_odds = draws.uniform(-2.8, 0.3) + year + spells
    odds = np.exp(np.clip(log_odds, -8, 8))
    is_wet = draws.events(odds / (1 + odds))
    shape = np.broadcast_to(draws.uniform(0.4, 1.2), is_wet.shape)
    amounts = draws.rng.gamma(shape) * np.exp(0.3 * year)
    return np.asarray(amounts * is_wet)


def _drain(inflow: Floats, memory: Floats) -> Floats:
    """Return the outflow of reservoirs, [n, T], that keep this share [n, 1] of a step's store."""
    # It begins as full as it is on average, not empty.
    start = inflow.mean(1, keepdims=True) * memory ** (1 + np.arange(inflow.shape[1]))
    return np.asarray(filter_ar1(inflow, memory) * (1 - memory) + start)


def draw_temperatures(draws: Draws, seasons: Seasons) -> Floats:
    """Draw temperatures and the like, of any sign, [n, T]: year, day, and weather that stays.

    The day's swing is wide where it is clear, and differs between seasons.
    """
    clock = read_clock(seasons)
    year = draw_year(draws, clock) * draws.log_uniform(-0.3, 0.7)
    weather = draw_daily_memory(draws, clock) + draws.noise(0.7, 0.97) * 0.3
    y = year + weather * draws.log_uniform(-0.4, 0.2)
    if clock.day > 1:
        turn = draws.t / clock.day + draws.share()
        # Mornings rise faster than evenings fall.
        skewed = turn + 0.06 * np.sin(FULL_TURN * turn)
        clear = np.exp(draw_daily_memory(draws, clock) * 0.4)
        swing = np.sin(FULL_TURN * skewed) * clear * draws.log_uniform(-0.7, 0.3)
        y = y + swing
    elif seasons.main > 1 and clock.week > 1:
        y = y + draws.shocks() * 0.1
    warming = draws.normal(1) * 0.5 * draws.t / draws.length
    return np.asarray(y + warming)
