"""Switching levels, volatilities and memories; volatility that clusters.

Axes: n series, T steps, R regimes.
"""

import numpy as np
from scipy.signal import lfilter

from lstmcast.features.steps import Seasons
from lstmcast.ragged import Floats, Ints
from lstmcast.training.generators.draws import Draws, filter_ar1, standardise
from lstmcast.training.generators.shapes import draw_any_shape, draw_harmonics

N_REGIMES = 3
MOST_SWITCHES = 12


def draw_regimes(draws: Draws) -> Ints:
    """Draw which of three regimes each step is in, [n, T]: a few stays, some of them returns."""
    rng = draws.rng
    # At most 12 switches, at least one on average.
    per_series = draws.log_uniform(0, np.log10(MOST_SWITCHES))
    is_switch = draws.events(per_series / draws.length)
    stay: Ints = np.cumsum(is_switch, 1, dtype=np.int64)
    n_stays = int(stay.max()) + 1
    # Two steps on of three is one back: each switch goes to another regime.
    moves = rng.integers(1, N_REGIMES, (draws.n, n_stays))
    regimes = np.cumsum(moves, 1) % N_REGIMES
    return np.take_along_axis(regimes, stay, 1)


def draw_switching_series(draws: Draws, seasons: Seasons) -> Floats:
    """Draw series whose level, volatility and season's amplitude switch, standardised, [n, T].

    Markov switching (Hamilton 1989), as of machines, policies, contracts and lockdowns.
    """
    regimes = draw_regimes(draws)
    level = draws.normal(N_REGIMES) * draws.uniform(0, 3)
    volatility = np.exp(draws.normal(N_REGIMES) * 0.7)
    amplitude = np.exp(draws.normal(N_REGIMES) * 0.6)

    noise = draws.noise(0, 0.9) * draws.log_uniform(-1.3, 0.2)
    y = noise * np.take_along_axis(volatility, regimes, 1)
    y += np.take_along_axis(level, regimes, 1)
    season = _draw_seasons(draws, seasons)
    y += season * np.take_along_axis(amplitude, regimes, 1)
    return standardise(y)


def draw_mean_reversion(draws: Draws, seasons: Seasons) -> Floats:
    """Draw Ornstein-Uhlenbeck processes whose parameters switch, standardised, [n, T].

    Speed of return, mean and volatility are those of the regime (TempoPFN, Moroshan et al. 2025);
    a season may be added. Rates, spreads, inventories, sensors.
    """
    regimes = draw_regimes(draws)
    mean = draws.normal(N_REGIMES) * draws.uniform(0, 4)
    volatility = np.exp(draws.normal(N_REGIMES) * 0.8)
    # Half of a deviation is left after 1 to 200 steps.
    half_life = 10 ** draws.rng.uniform(0, 2.3, (draws.n, N_REGIMES))
    memory = 0.5 ** (1 / half_life)
    unit = np.sqrt(1 - memory**2)
    shocks = draws.shocks() * np.take_along_axis(volatility * unit, regimes, 1)
    shocks += np.take_along_axis(mean * (1 - memory), regimes, 1)

    y = np.empty_like(shocks)
    for row in range(draws.n):
        y[row] = _filter_by_regime(shocks[row], memory[row], regimes[row])
    y = standardise(y)
    season = _draw_seasons(draws, seasons)
    y += season * draws.log_uniform(-1, 0) * draws.indicator(0.7)
    return standardise(y)


def _filter_by_regime(shocks: Floats, memory: Floats, regimes: Ints) -> Floats:
    """Return the first-order autoregression of shocks [T] whose memory is that of its regime."""
    filtered = np.empty_like(shocks)
    switches = np.flatnonzero(np.diff(regimes)) + 1
    last = 0.0
    begin = 0
    for end in (*switches, len(shocks)):
        phi = memory[regimes[begin]]
        stay, _ = lfilter([1], [1, -phi], shocks[begin:end], zi=[phi * last])
        filtered[begin:end] = stay
        last = float(stay[-1])
        begin = end
    return filtered


def draw_clustered_volatility(draws: Draws, seasons: Seasons) -> Floats:
    """Draw returns or their sums with stochastic volatility, standardised, [n, T].

    The logarithm of the volatility is an autoregression near one (Taylor 1986). Sums are prices,
    rates and exchange rates; returns are spreads and errors. They have no season.
    """
    del seasons
    memory = draws.uniform(0.9, 0.995)
    log_volatility = filter_ar1(draws.shocks(), memory)
    log_volatility *= np.sqrt(1 - memory**2) * draws.uniform(0.3, 1)
    returns = draws.shocks() * np.exp(log_volatility)
    returns += draws.normal(1) * 0.05
    prices = np.cumsum(returns, 1)
    # Some are pulled back to where they were.
    pulled = filter_ar1(returns, draws.uniform(0.8, 0.99))
    return standardise(draws.choose({0.2: returns, 0.4: pulled}, prices))


def _draw_seasons(draws: Draws, seasons: Seasons) -> Floats:
    """Draw the sum of all seasons that are there, waves or shapes with corners, [n, T]."""
    total = np.zeros((draws.n, draws.length))
    for m in seasons:
        # What is longer than the series by far is not seen.
        if 1 < m < 4 * draws.length:
            own = draws._replace(length=m)

            def draw_waves(some: Draws, m: int = m) -> Floats:
                return draw_harmonics(some, m, 4)

            def draw_corners(some: Draws, m: int = m) -> Floats:
                return draw_any_shape(some, m)

            shape = standardise(own.mix({0.6: draw_waves, 1.0: draw_corners}))
            total += shape[:, draws.t % m] * draws.log_uniform(-0.7, 0.3)
    return total
