"""Draws by series, filters with memory, and what is drawn only where it is taken."""

import numpy as np
import pytest

from lstmcast.training.generators.draws import (
    Draws,
    filter_ar1,
    filter_ar2,
    filter_unit_ar1,
    standardise,
)
from tests.training.generators.make import correlation_at, draws_of


def test_an_autoregression_is_that_of_its_definition() -> None:
    shocks = draws_of(4, 50).shocks()
    phi = np.array([[0.0], [0.5], [0.5], [-0.9]])
    expected = shocks.copy()
    for t in range(1, 50):
        expected[:, t] += phi[:, 0] * expected[:, t - 1]
    assert filter_ar1(shocks, phi) == pytest.approx(expected)


def test_a_unit_autoregression_has_unit_size_from_its_first_step_on() -> None:
    draws = draws_of(4000, 40)
    y = filter_unit_ar1(draws.shocks(), np.full((4000, 1), 0.95))
    assert y.std(0) == pytest.approx(1, abs=0.06)
    assert np.median(correlation_at(draws_of(200, 2000).noise(0.8, 0.8), 1)) == (
        pytest.approx(0.8, abs=0.02)
    )


def test_a_second_order_autoregression_swings_at_its_angle() -> None:
    angle = np.full((20, 1), 2 * np.pi / 25)
    y = filter_ar2(draws_of(20, 3000).shocks(), np.full((20, 1), 0.995), angle)
    peak = np.abs(np.fft.rfft(y, axis=1)).mean(0).argmax()
    assert 3000 / peak == pytest.approx(25, rel=0.1)


def test_a_mix_draws_each_series_by_one_function_in_its_share() -> None:
    sizes = []

    def draw_ones(some: Draws) -> np.ndarray:
        sizes.append(some.n)
        return np.ones((some.n, some.length))

    mixed = draws_of(5000, 2).mix({0.2: draw_ones}, otherwise=7.0)
    assert set(np.unique(mixed)) == {1.0, 7.0}
    assert sizes == [int((mixed[:, 0] == 1).sum())]
    assert (mixed == 1).mean() == pytest.approx(0.2, abs=0.03)


def test_events_come_as_often_as_said() -> None:
    events = draws_of(100, 1000).events(0.03)
    assert events.mean() == pytest.approx(0.03, abs=0.003)


def test_standardising_gives_mean_zero_and_deviation_one_and_a_flat_series_zeros() -> (
    None
):
    y = draws_of(3, 100).walk() * 1e6 + 5e7
    y[1] = 0.1
    done = standardise(y)
    assert done.mean(1) == pytest.approx(0, abs=1e-9)
    assert done.std(1) == pytest.approx([1, 0, 1])
