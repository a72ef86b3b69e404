"""Electric loads, solar power and electricity prices.

Axes: n series, T steps, m steps of a day, W days of a week.
"""

import numpy as np

from lstmcast.features.steps import Seasons
from lstmcast.ragged import Floats, Ints
from lstmcast.training.generators.clock import (
    Clock,
    draw_day_levels,
    draw_weekdays,
    read_clock,
)
from lstmcast.training.generators.draws import FULL_TURN, Draws, filter_ar1
from lstmcast.training.generators.shapes import (
    draw_any_shape,
    draw_day_profile,
    draw_smooth_wave,
)


def draw_loads(draws: Draws, seasons: Seasons) -> Floats:
    """Draw loads about 1, above zero, [n, T]: day x weekday x year, holidays, and weather.

    Electricity, heat, gas, traffic and occupancy: working days are alike, the days of a weekend
    have a lower and other profile, the year changes level and amplitude, and what the weather does
    stays for days.
    """
    clock = read_clock(seasons)
    y = draw_calendar_profile(draws, clock)
    year = draw_year(draws, clock)
    y = y * (1 + year * draws.uniform(0, 0.35))

    weather = draw_daily_memory(draws, clock) * draws.log_uniform(-2.2, -0.8)
    noise = draws.noise(0.2, 0.97) * draws.log_uniform(-2.5, -1)
    y = y * np.exp(weather + noise)
    # Few households, many households: the fewer, the more single appliances are seen.
    bursts = draws.rng.exponential(1.0, y.shape) * draws.events(
        draws.log_uniform(-2, -0.8)
    )
    bursts = filter_ar1(bursts, draws.uniform(0, 0.8))
    y = y + bursts * draws.log_uniform(-1, 0.3) * draws.indicator(0.2)
    trend = draws.normal(1) * 0.15 * draws.t / draws.length
    return np.maximum(y * (1 + trend), 0)


def draw_calendar_profile(draws: Draws, clock: Clock) -> Floats:
    """Draw a profile of the day that differs between working and other days, [n, T], mean near 1.

    The hour of the week: working days share a profile, each with its level, and the last days of
    the week have a flatter, later or quite another one.
    """
    weekdays = draw_weekdays(draws, clock)
    levels = draw_day_levels(draws, clock)
    level = np.take_along_axis(levels, weekdays, 1)
    if clock.day == 1:
        return level

    working = draw_day_profile(draws, clock.day)
    # Late, as of people who sleep long, and flatter; or another profile.
    late = np.roll(working, max(1, clock.day // 16), 1) * draws.uniform(0.2, 1)
    other = draw_day_profile(draws, clock.day)
    mix = draws.choose({0.6: 0.2}, 0.8)
    resting = late * (1 - mix) + other * mix
    hour = draws.t % clock.day
    difference = levels - np.median(levels, 1, keepdims=True)
    is_rest = np.abs(difference) > 0.12
    at_rest = np.take_along_axis(is_rest, weekdays, 1)
    profile = np.where(at_rest, resting[:, hour], working[:, hour])

    # The floor: from a little of the peak (offices) to most of it (industry). In most series nights
    # are alike, whatever the day.
    floor = draws.uniform(0.02, 1.5)
    in_floor = draws.pick([0, 0, 1])
    floor_level = 1 + (level - 1) * in_floor
    return np.asarray((floor * floor_level + profile * level) / (floor + 0.5))


def draw_year(draws: Draws, clock: Clock) -> Floats:
    """Draw a smooth wave of a year of unit size, [n, T]; where there is no year, a slow wave."""
    if clock.year and clock.year < 8 * draws.length:
        return draw_smooth_wave(draws, clock.year, 3)
    return draw_smooth_wave(draws, 2.5 * draws.length, 2)


def draw_daily_memory(draws: Draws, clock: Clock) -> Floats:
    """Draw a unit autoregression over days, between which it goes in straight lines, [n, T]."""
    n_days = draws.length // clock.day + 2
    days = draws._replace(length=n_days).noise(0.4, 0.95)
    day, step = np.divmod(draws.t, clock.day)
    share = step / clock.day
    return np.asarray(days[:, day] * (1 - share) + days[:, day + 1] * share)


def draw_solar_power(draws: Draws, seasons: Seasons) -> Floats:
    """Draw solar power, [n, T]: exact zeros at night, a bell by day, times the clouds.

    The bell is the sine of the sun's elevation, whose width and height change through the year;
    the clearness of a day has a memory of days, and its clouds one of steps. Some plants are capped
    by their inverter. Needs a day of eight steps or more.
    """
    clock = read_clock(seasons)
    # The year is that of the clock, or unknown and long.
    year = clock.year or 365.25 * clock.day
    season = np.sin(FULL_TURN * (draws.t / year + draws.share()))
    noon = draws.share()
    hour = np.cos(FULL_TURN * (draws.t / clock.day - noon))
    # Spencer's formulas without their small terms: sin(elevation) = a sin(decl) + b cos(hour).
    declination = 0.4 * season
    latitude = draws.uniform(0.1, 1.05)
    elevation = np.sin(latitude) * np.sin(declination)
    elevation = elevation + np.cos(latitude) * np.cos(declination) * hour
    # Hills and roofs hide the lowest sun.
    light = np.maximum(elevation - draws.uniform(0, 0.06), 0) ** draws.uniform(1, 1.4)

    cloudiness = draw_daily_memory(draws, clock) + draws.uniform(-1, 1.5)
    clearness = 0.12 + 0.88 / (1 + np.exp(-1.5 * cloudiness))
    passing = draws.noise(0.3, 0.9) * draws.uniform(0.02, 0.35)
    power = light * clearness * np.clip(1 + passing * (1.1 - clearness), 0.1, 1.3)

    peak = power.max(1, keepdims=True)
    cap = draws.choose({0.15: draws.uniform(0.6, 0.95)}, 2.0) * peak
    power = np.minimum(power, cap)
    return np.asarray(power / np.maximum(peak, 1e-9))


def draw_prices(draws: Draws, seasons: Seasons) -> Floats:
    """Draw electricity prices about 1, [n, T]: day and week, mean reversion, spikes, dips.

    Logarithms follow a profile of day and week and an Ornstein-Uhlenbeck process (Lucia & Schwartz
    2002); jumps come in clusters at hours of high load and decay within some steps (Weron 2014).
    Some markets have prices below zero.
    """
    clock = read_clock(seasons)
    profile = draw_calendar_profile(draws, clock)
    log_price = np.log(np.maximum(profile, 0.1)) * draws.uniform(0.2, 1)
    log_price = log_price + draw_year(draws, clock) * draws.uniform(0, 0.3)
    slow = draw_daily_memory(draws, clock) * draws.uniform(0.05, 0.4)
    swings = draws.noise(0.5, 0.97) * draws.uniform(0.03, 0.25)
    log_price = log_price + slow + swings
    price = np.exp(np.clip(log_price, -5, 5))

    jumps = _draw_jumps(draws, price)
    dips = draws.events(0.01) * draws.mask(0.3) * draws.uniform(0.3, 1.5)
    dips = filter_ar1(dips * np.ones_like(price), draws.uniform(0.3, 0.8))
    return np.asarray(price + jumps - dips)


def _draw_jumps(draws: Draws, price: Floats) -> Floats:
    """Draw jumps that decay, [n, T]: the likelier the higher the price, in periods of stress."""
    stress = np.exp(draws.noise(0.95, 0.995))
    high = np.minimum(price / price.mean(1, keepdims=True), 3) ** 3
    share = draws.log_uniform(-3.3, -1.7) * stress * high
    sizes = draws.rng.pareto(2.0, price.shape) + 0.5
    jumps = np.minimum(sizes, 40) * draws.events(share)
    decaying = filter_ar1(jumps, draws.uniform(0.1, 0.7))
    return np.asarray(decaying * draws.log_uniform(-0.5, 0.3))


def draw_machines(draws: Draws, seasons: Seasons) -> Floats:
    """Draw loads of machines, [n, T]: trains of square and pulse shapes, on and off, with noise.

    Pumps, chargers, heaters and servers: the shape of the day is on or off, days are left out, and
    between the days it is exactly idle.
    """
    clock = read_clock(seasons)
    period = max(clock.day, seasons.main, 2)
    shape = draw_any_shape(draws, period)
    low = shape.min(1, keepdims=True)
    shape = (shape - low) / np.maximum(shape.max(1, keepdims=True) - low, 1e-9)
    y = shape[:, draws.t % period]
    cycle: Ints = draws.t // period
    n_cycles = int(cycle[-1]) + 1
    # Each cycle has its height, and some are left out.
    heights = 1 + draws.normal(n_cycles) * draws.uniform(0, 0.3)
    is_left_out = draws.rng.random((draws.n, n_cycles)) < draws.uniform(0, 0.1)
    heights = np.maximum(np.where(is_left_out, 0, heights), 0)
    idle = draws.choose({0.5: 0.0}, draws.uniform(0, 1))
    noise = 1 + draws.noise(0, 0.8) * draws.log_uniform(-2.5, -0.8)
    power: Floats = idle + y * heights[:, cycle] * noise
    return np.maximum(power, 0)
