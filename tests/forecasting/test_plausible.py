"""Counts are whole, zeros are zero, nothing lies absurdly far away, and all is a number."""

import numpy as np
import pytest

from lstmcast.config import Config, TrainConfig, WindowConfig
from lstmcast.errors import DivergedError
from lstmcast.forecasting.plausible import (
    MIN_RANGE_VALUES,
    RANGE_FACTOR,
    Grid,
    Habits,
    Past,
    bound_by_range,
    find_grid,
    require_finite,
)
from lstmcast.ragged import NAN, Floats
from lstmcast.training.forecaster import Forecaster
from tests.make import panel_of, wavy

LEVELS = np.array([0.1, 0.5, 0.9])
QUICK = Config(window=WindowConfig(horizon=3), train=TrainConfig(steps=0))


def demand(rng: np.random.Generator, share: float, n: int = 150) -> Floats:
    """Lumpy demand: a share of days with sales, of one to a few pieces."""
    return np.asarray((rng.random(n) < share) * (1.0 + rng.poisson(1.5, n)))


def test_the_values_that_series_take_are_found() -> None:
    rng = np.random.default_rng(0)
    packs = 6 * demand(rng, 0.5)
    rain = np.where(rng.random(150) < 0.5, 0.0, 1 + rng.random(150))
    panel = panel_of(
        [demand(rng, 0.4), packs, rain, wavy(rng, 150), 1000 + demand(rng, 0.5)]
    )
    grid = find_grid(panel, panel.lengths)
    assert grid.step.tolist() == [1, 6, 0, 0, 0]
    assert grid.zero_below[2] == pytest.approx(0.5, abs=0.1)
    assert grid.zero_below[[3, 4]].tolist() == [0, 0]


def test_quantiles_are_moved_to_values_that_there_can_be() -> None:
    rng = np.random.default_rng(0)
    panel = panel_of([demand(rng, 0.4), np.zeros(40), wavy(rng, 60)])
    grid = find_grid(panel, panel.lengths)
    quantiles = np.tile([0.06, 1.2, 3.7], (3, 1, 1))
    snapped = grid.snap(quantiles, np.arange(3))
    assert snapped[:, 0].tolist() == [[0, 1, 4], [0, 0, 0], [0.06, 1.2, 3.7]]
    # What is below zero is no count, and stays.
    assert (grid.snap(-quantiles, np.full(3, 2)) == -quantiles).all()


def test_a_limit_is_reached_again_and_again_and_never_exceeded() -> None:
    rng = np.random.default_rng(0)
    wave = 50 * np.sin(np.arange(400) / 5) + rng.normal(0, 5, 400)
    limited = np.clip(wave, -np.inf, 30.0)
    lower = np.clip(wave, -20.0, np.inf)
    # What merely wanders to its highest value, stays there once, or never changes has none.
    wandering = np.cumsum(rng.choice([-1.0, 1.0], 400))
    once = np.minimum(np.arange(400.0), 100.0)
    constant = np.where(np.arange(400) % 40 == 7, np.nan, 5.0)
    few = np.where(np.arange(400) % 20 == 0, 30.0, wave.clip(max=29))
    panel = panel_of([limited, lower, wave, wandering, once, constant, few])
    grid = find_grid(panel, panel.lengths)
    inf = np.inf
    assert grid.highest.tolist() == [30, inf, inf, inf, inf, inf, inf]
    assert grid.lowest.tolist() == [-inf, -20, -inf, -inf, -inf, -inf, -inf]

    quantiles = np.tile([-60.0, 0.5, 60.0], (2, 1, 1))
    snapped = grid.snap(quantiles, np.arange(2))
    assert snapped[:, 0].tolist() == [[-60, 0.5, 30], [-20, 0.5, 60]]
    # What follows the ends is not known.
    early = find_grid(panel, np.full(7, 12))
    assert np.isinf([early.lowest, early.highest]).all()


def test_zero_stays_zero_until_something_comes() -> None:
    zeros = panel_of([np.zeros(60)])
    run = Forecaster(QUICK).fit(zeros)
    assert (run.predict()[["forecast", "q10", "q90"]] == 0).all(axis=None)

    sold = np.concatenate([np.zeros(60), np.arange(20) % 4 + 1.0])
    later = run.predict(panel_of([sold]))
    assert (later["forecast"] > 0).all()


@pytest.mark.parametrize("share", [0.1, 0.3, 0.6, 0.9])
def test_intervals_of_lumpy_demand_hold_what_comes(share: float) -> None:
    rng = np.random.default_rng(int(100 * share))
    series = [demand(rng, share) for _ in range(12)]
    run = Forecaster(QUICK).fit(panel_of([y[:-3] for y in series], "D"))
    forecast = run.predict()
    came = np.concatenate([y[-3:] for y in series])
    inside = (came >= forecast["q10"]) & (came <= forecast["q90"])
    # Where nine days of ten are without sales, an interval of zeros alone holds as many.
    assert inside.mean() >= 0.72
    numbers = forecast[["forecast", "q10", "q90"]].to_numpy()
    assert (numbers == numbers.round()).all()


def test_forecasts_stay_within_reach_of_what_was_seen() -> None:
    y = np.linspace(10, 110, 21)
    y[7] = NAN
    panel = panel_of([y, np.full(20, 5.0)])
    past = Past.of(panel, np.array([0, 0, 1]), np.array([20, 3, 19]))
    assert past.low.tolist() == pytest.approx([10, 10, 5])
    assert past.n_values.tolist() == [20, 4, 20]
    wild = np.tile([-1e9, 50, 1e9], (3, 2, 1))
    bounded = bound_by_range(wild, past)
    assert bounded[0, 0].tolist() == pytest.approx([10 - 300, 50, 110 + 300])
    # Of too few values, or without any change, nothing is known.
    assert (bounded[1:] == wild[1:]).all()


def test_many_windows_of_a_series_have_the_same_past_as_each_alone() -> None:
    y = wavy(np.random.default_rng(0), 50)
    y[[3, 7]] = NAN
    panel = panel_of([y, y])
    series = np.repeat([0, 1], 40)
    origins = np.tile(np.arange(10, 50), 2)
    together = Past.of(panel, series, origins)
    for k in (0, 17, 79):
        alone = Past.of(panel, series[[k]], origins[[k]])
        assert [part[0] for part in alone] == [part[k] for part in together]


def test_a_series_of_one_value_has_the_spread_of_the_training() -> None:
    rng = np.random.default_rng(0)
    known = panel_of([wavy(rng, 60) for _ in range(3)])
    new = panel_of([np.array([20.0, 20.0, 20.0])])
    narrow = np.tile([19.99, 20, 20.01], (2, 3, 1))
    first = np.zeros(2, np.int64)
    held = Habits(known).hold(narrow, new, first, np.array([0, 2]), LEVELS)
    assert held[0, 0, 2] - held[0, 0, 0] > 2
    assert held[1, 0].tolist() == [19.99, 20, 20.01]


def test_what_is_not_a_number_is_refused() -> None:
    with pytest.raises(DivergedError, match="1 of 4 values"):
        require_finite(np.array([1.0, 2, NAN, 4]))
    run = Forecaster(QUICK).fit(panel_of([wavy(np.random.default_rng(0), 60)]))
    (network,) = run.networks[:1]
    run.networks[0] = type(network)(
        network.shape, {name: w * np.nan for name, w in network.weights.items()}
    )
    with pytest.raises(DivergedError, match="not a number"):
        run.predict()


def test_an_interval_may_miss_by_half_a_step_and_a_zero_by_what_becomes_zero() -> None:
    grid = Grid(
        step=np.array([2.0, 0.0, 0.0]),
        zero_below=np.array([3.0, 0.5, np.inf]),
        lowest=np.full(3, -np.inf),
        highest=np.full(3, np.inf),
    )
    actual = np.tile([0.0, 8.0], (3, 1))
    slack = grid.slack(actual, np.arange(3))
    assert slack.tolist() == [[3, 1], [0.5, 0], [0, 0]]


def test_the_range_of_eight_values_bounds_a_forecast_and_that_of_seven_does_not() -> (
    None
):
    y = np.arange(MIN_RANGE_VALUES * 1.0)
    last = MIN_RANGE_VALUES - 1
    past = Past.of(panel_of([y]), np.array([0, 0]), np.array([last, last - 1]))
    wild = np.full((2, 1, 1), 1e9)
    enough, too_few = bound_by_range(wild, past)[:, 0, 0].tolist()
    assert (enough, too_few) == (last + RANGE_FACTOR * last, 1e9)


def test_the_first_series_of_the_training_keeps_its_counts_whatever_came_since() -> (
    None
):
    rng = np.random.default_rng(0)
    known = panel_of([demand(rng, 0.8), wavy(rng, 60)])
    later = panel_of([wavy(rng, 60), wavy(rng, 60)])
    forecast = np.full((1, 1, 3), 5.3)
    series = np.array([0])
    held = Habits(known).hold(forecast, later, series, np.array([59]), LEVELS)
    assert held.ravel().tolist() == [5, 5, 5]


def test_counts_of_nothing_but_ones_and_twos_are_whole() -> None:
    rng = np.random.default_rng(0)
    counts = rng.choice([0.0, 1.0, 2.0, 3.0], 200, p=[0.2, 0.6, 0.1, 0.1])
    even = rng.choice([0.0, 2.0, 4.0], 200)
    panel = panel_of([counts, even])
    assert find_grid(panel, panel.lengths).step.tolist() == [1, 2]
