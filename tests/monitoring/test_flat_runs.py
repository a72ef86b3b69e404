"""How long a value may stay the same: what training shows, and what chance makes."""

import numpy as np
import pytest

from lstmcast.monitoring.flat_runs import (
    MIN_FLAT_ROWS,
    FlatRunCounter,
    FlatRunLimits,
    find_flat_runs,
)
from tests.make import panel_of

RATE = 0.001


def limits(y: np.ndarray) -> FlatRunLimits:
    return FlatRunLimits.from_runs(find_flat_runs(y), RATE)


def count(counter: FlatRunCounter, key: str, first: int, values: list[float]) -> list:
    return [
        counter.measure_excess((key,), first + step, value) > 1
        for step, value in enumerate(values)
    ]


def test_runs_are_found_and_missing_rows_neither_end_nor_lengthen_them() -> None:
    runs = find_flat_runs(np.array([np.nan, 1, 1, np.nan, 1, 2, 0, 0]))
    assert runs.values.tolist() == [1, 2, 0]
    assert runs.lengths.tolist() == [3, 1, 2]
    assert len(find_flat_runs(np.full(3, np.nan)).lengths) == 0


def test_values_that_never_repeat_may_not_repeat_for_long() -> None:
    found = limits(np.random.default_rng(0).normal(size=500))
    assert (found.own, found.other) == ({}, MIN_FLAT_ROWS)


def test_a_value_may_stay_half_as_long_again_as_it_ever_did() -> None:
    y = np.random.default_rng(0).normal(size=500)
    y[100:160] = 7.0
    assert limits(y).of(7.0) >= 90
    assert limits(y).of(8.0) == MIN_FLAT_ROWS


@pytest.mark.parametrize("share", [0.5, 0.8, 0.95])
def test_zeros_by_chance_exceed_their_limit_as_seldom_as_stated(share: float) -> None:
    rng = np.random.default_rng(1)

    def demand(size: int) -> np.ndarray:
        return np.where(rng.random(size) < share, 0, rng.integers(1, 9, size))

    beyond, rows = 0, 0
    for _ in range(40):
        limit = limits(demand(400)).of(0.0)
        runs = find_flat_runs(demand(2000))
        zero = runs.lengths[runs.values == 0]
        beyond += int(np.maximum(zero - limit, 0).sum())
        rows += 2000
    assert beyond / rows < 5 * RATE


def test_nights_of_zeros_may_grow_with_the_season() -> None:
    night = [0.0] * 12
    rng = np.random.default_rng(2)
    days = [np.r_[night, rng.random(12) + 1] for _ in range(60)]
    assert 16 <= limits(np.concatenate(days)).of(0.0) <= 24


@pytest.mark.parametrize("seed", range(5))
def test_coarse_readings_stay_as_long_at_levels_that_are_new(seed: int) -> None:
    rng = np.random.default_rng(seed)
    walk = np.zeros(6000)
    for step in range(1, 6000):
        walk[step] = 0.995 * walk[step - 1] + 0.15 * rng.normal()
    degrees = np.round(walk)
    found = limits(degrees[:3000])
    warmer = find_flat_runs(degrees[3000:] + 20)
    beyond = np.maximum(warmer.lengths - found.of(25.0), 0).sum()
    assert beyond / 3000 < 0.02
    assert found.of(25.0) < 300


def test_a_constant_history_says_that_constant_is_ordinary() -> None:
    counter = FlatRunCounter(panel_of([np.full(300, 7.0)]), RATE, adapt=True)
    start = 10**6
    assert not any(count(counter, "s0", start, [7.0] * 900))


def test_rows_go_on_from_the_history_and_a_gap_does_not_end_a_run() -> None:
    y = np.random.default_rng(3).normal(size=100)
    y[-2:] = 5.0
    counter = FlatRunCounter(panel_of([y]), RATE, adapt=True)
    values = [5.0, np.nan, np.nan, 5.0, 5.0, 6.0, 6.0]
    found = count(counter, "s0", 10**6, values)
    assert found == [False, False, False, False, True, False, False]


def test_missing_rows_alone_are_never_stuck() -> None:
    counter = FlatRunCounter(panel_of([np.arange(50.0)]), RATE, adapt=True)
    assert not any(count(counter, "s0", 10**6, [np.nan] * 200))


def test_a_new_series_is_judged_by_the_runs_of_all() -> None:
    rng = np.random.default_rng(4)
    demand = np.where(rng.random(400) < 0.9, 0.0, rng.integers(1, 5, 400))
    counter = FlatRunCounter(panel_of([demand, demand[::-1]]), RATE, adapt=True)
    assert not any(count(counter, "new", 0, [0.0] * 30))
    assert any(count(counter, "other", 0, [9.0] * 30))


def test_what_is_stuck_time_and_again_becomes_a_habit_unless_limits_are_fixed() -> None:
    rng = np.random.default_rng(5)
    y = rng.normal(size=200)
    rows = [*[3.0] * 20, 1.0] * 4
    learning, fixed = (
        FlatRunCounter(panel_of([y]), RATE, adapt=adapt) for adapt in (True, False)
    )
    flags = count(learning, "s0", 10**6, rows)
    assert sum(flags[:63]) == 3 * 16 and sum(flags[63:]) == 0
    assert sum(count(fixed, "s0", 10**6, rows)) == 4 * 16


def test_rows_go_on_from_a_history_of_one_value() -> None:
    history = panel_of([np.arange(7.0, 19.0), np.arange(50.0)])
    history = history.head(np.array([1, 50]))
    counter = FlatRunCounter(history, RATE, adapt=True)
    first = int(history.start[0]) + 1
    # The value of the history is the first of the run.
    assert counter.measure_excess(("s0",), first, 7.0) == 2 / MIN_FLAT_ROWS
