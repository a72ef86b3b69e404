"""Synthetic series for pretraining: a wide mix of generators, altered and finished at random.

No real data is read. Everything derives from the random generator that is handed in, so the order
of the draws is part of the result.

Axes: n series, T steps.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np

from lstmcast.features.steps import Seasons
from lstmcast.ragged import Floats
from lstmcast.training.generators.alterations import alter_positive, alter_signed
from lstmcast.training.generators.clock import Clock, read_clock
from lstmcast.training.generators.components import draw_components
from lstmcast.training.generators.counts import (
    draw_calls,
    draw_intermittent_demand,
    draw_low_counts,
)
from lstmcast.training.generators.draws import Draws, Rng
from lstmcast.training.generators.energy import (
    draw_loads,
    draw_machines,
    draw_prices,
    draw_solar_power,
)
from lstmcast.training.generators.finishing import (
    give_size,
    give_user_scale,
    hide_values,
    limit_values,
    round_values,
)
from lstmcast.training.generators.gaussian import draw_gaussian_processes
from lstmcast.training.generators.nature import (
    draw_rain,
    draw_rivers,
    draw_temperatures,
)
from lstmcast.training.generators.regimes import (
    draw_clustered_volatility,
    draw_mean_reversion,
    draw_switching_series,
)
from lstmcast.training.generators.web import draw_web_visits

WRONG_BATCHES_SHARE, WRONG_SERIES_SHARE = 0.3, 0.3
"""Share of the batches in which some series have other seasons than those of the batch, and share
of these series there: the network must learn that a season that is proposed may be wrong. The
components leave some more out."""
LONGEST_WRONG_SEASON = 400


class Generator(NamedTuple):
    """A generator of series, its shares, the steps below which it is not drawn, and its values.

    days: its share where there is a day of eight steps or more; elsewhere it is `share`. values:
    `signed` are of any sign and of size 1 and are given a user's scale; `sized` have a zero of
    their own and are given a size; `counts` stay as they are.
    """

    draw: Callable[[Draws, Seasons], Floats]
    share: float
    days: float
    shortest: int
    values: Literal["signed", "sized", "counts"]


GENERATORS = (
    Generator(draw_components, 50, 34, 0, "signed"),
    Generator(draw_gaussian_processes, 12, 10, 0, "signed"),
    Generator(draw_switching_series, 4, 4, 30, "signed"),
    Generator(draw_mean_reversion, 4, 4, 30, "signed"),
    Generator(draw_clustered_volatility, 3, 1.5, 0, "signed"),
    Generator(draw_temperatures, 3, 5, 20, "signed"),
    Generator(draw_loads, 5, 12, 20, "sized"),
    Generator(draw_prices, 1.5, 5, 40, "sized"),
    Generator(draw_machines, 1, 3, 40, "sized"),
    Generator(draw_solar_power, 0, 5, 40, "sized"),
    Generator(draw_rivers, 3, 2, 30, "sized"),
    Generator(draw_rain, 1.5, 1, 30, "sized"),
    Generator(draw_intermittent_demand, 5, 3, 20, "counts"),
    Generator(draw_low_counts, 4, 2.5, 0, "counts"),
    Generator(draw_web_visits, 6, 4, 20, "counts"),
    Generator(draw_calls, 2, 5, 20, "counts"),
)
"""Every generator with its share, of series without and with a day."""
STEPS_OF_A_DAY = 8
"""Steps from which a day is one that is seen."""
SERIES_AT_ONCE = 5
"""Series that a generator draws together where others are drawn too: many small arrays are slow."""


def make_series(rng: Rng, n: int, length: int, seasons: Seasons) -> Floats:
    """Draw n series of `length` steps, [n, T]; NaN where a value is missing (never at the first).

    Most have the seasons, a few others or none. Generators, alterations and finish are drawn for
    each series by itself; the order of the series says nothing.
    """
    draws = Draws(rng, n, length)
    n_wrong = 0
    if max(seasons) > 1 and rng.random() < WRONG_BATCHES_SHARE:
        n_wrong = int(rng.binomial(n, WRONG_SERIES_SHARE))
    right = _draw_series(draws.take(n - n_wrong), seasons)
    series = right
    if n_wrong:
        others = draw_wrong_seasons(rng, seasons)
        wrong = _draw_series(draws.take(n_wrong), others)
        series = np.concatenate([right, wrong])

    series = limit_values(draws, series)
    series = round_values(draws, series)
    return hide_values(draws, rng.permutation(series))


def draw_wrong_seasons(rng: Rng, seasons: Seasons) -> Seasons:
    """Draw seasons that are not those of a batch: none, the shortest alone, or another length."""
    kind = rng.random()
    if kind < 0.4:
        return Seasons(1, 0)
    if kind < 0.6 and seasons.second and seasons.main > 1:
        return Seasons(seasons.main, 0)
    log_length = rng.uniform(np.log(2), np.log(LONGEST_WRONG_SEASON))
    return Seasons(round(float(np.exp(log_length))), 0)


def _draw_series(draws: Draws, seasons: Seasons) -> Floats:
    """Draw series of all generators by their shares, [n, T]."""
    clock = read_clock(seasons)
    shares = np.array([_share_of(one, clock, draws.length) for one in GENERATORS])
    shares /= shares.sum()

    # The first generator is in every batch; the others take turns, some series each.
    n_first = int(draws.rng.binomial(draws.n, shares[0]))
    counts = {0: n_first}
    shares[0] = 0.0
    for begin in range(n_first, draws.n, SERIES_AT_ONCE):
        number = int(draws.rng.choice(len(shares), p=shares / shares.sum()))
        end = min(begin + SERIES_AT_ONCE, draws.n)
        counts[number] = counts.get(number, 0) + end - begin

    by_values: dict[str, list[Floats]] = {}
    for number, count in sorted(counts.items()):
        if count:
            generator = GENERATORS[number]
            series = generator.draw(draws.take(count), seasons)
            by_values.setdefault(generator.values, []).append(series)
    finished = []
    for values, drawn in by_values.items():
        y = np.concatenate(drawn)
        finished.append(_FINISH[values](draws.take(len(y)), y))
    return np.concatenate(finished) if finished else np.empty((0, draws.length))


def _finish_signed(draws: Draws, y: Floats) -> Floats:
    """Alter series of any sign, and give them a user's scale."""
    return give_user_scale(draws, alter_signed(draws, y))


def _finish_sized(draws: Draws, y: Floats) -> Floats:
    """Alter series that have a zero of their own, and give them a size."""
    return give_size(draws, alter_positive(draws, y))


def _finish_counts(draws: Draws, y: Floats) -> Floats:
    """Alter counts, which stay whole numbers; what is never counted would be in no file."""
    counts = np.round(alter_positive(draws, y))
    is_constant = np.ptp(counts, axis=1) == 0
    rows = np.flatnonzero(is_constant)
    steps = draws.rng.integers(0, draws.length, len(rows))
    counts[rows, steps] += 1
    return counts


_FINISH = {
    "signed": _finish_signed,
    "sized": _finish_sized,
    "counts": _finish_counts,
}


def _share_of(generator: Generator, clock: Clock, length: int) -> float:
    """Return the share of a generator where days and lengths are these."""
    if length < generator.shortest:
        return 0.0
    return generator.days if clock.day >= STEPS_OF_A_DAY else generator.share
