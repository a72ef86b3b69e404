"""Gaussian processes have the autocovariance of their kernels."""

import numpy as np
import pytest

from lstmcast.features.steps import Seasons
from lstmcast.training.generators.gaussian import (
    choose_circle,
    draw_gaussian_processes,
    sample_stationary,
)
from tests.training.generators.make import correlation_at, draws_of


@pytest.mark.parametrize("length", [9, 100, 257])
def test_a_process_has_the_covariance_that_it_was_given(length: int) -> None:
    n_circle = choose_circle(length, Seasons(1, 0))
    covariance = 2 * np.exp(-np.arange(n_circle // 2 + 1) / 4)
    n = 20_000
    y = sample_stationary(draws_of(n, length), np.tile(covariance, (n, 1)))
    assert y.shape == (n, length)
    for h in (0, 1, 4, 8):
        found = (y[:, h:] * y[:, : length - h]).mean()
        assert found == pytest.approx(covariance[h], abs=0.06)
    # Its first step is no neighbour of its last.
    expected = covariance[length - 1]
    assert (y[:, 0] * y[:, -1]).mean() == pytest.approx(expected, abs=0.06)


def test_a_season_stays_the_same_from_cycle_to_cycle() -> None:
    n_circle = choose_circle(400, Seasons(7, 70))
    lag = np.arange(n_circle // 2 + 1)
    periodic = np.exp(-2 * np.sin(np.pi * lag / 7) ** 2)
    y = sample_stationary(draws_of(30, 400), np.tile(periodic, (30, 1)))
    assert y[:, 7:] == pytest.approx(y[:, :-7], abs=1e-5)


@pytest.mark.parametrize("seasons", [Seasons(1, 0), Seasons(24, 168), Seasons(7, 365)])
def test_the_circle_is_even_and_twice_the_length(seasons: Seasons) -> None:
    for length in (9, 100, 257, 1000):
        n_circle = choose_circle(length, seasons)
        assert n_circle % 2 == 0 and n_circle >= 2 * length


def test_processes_are_finite_standardised_and_often_have_the_season() -> None:
    y = draw_gaussian_processes(draws_of(300, 480), Seasons(24, 168))
    assert np.isfinite(y).all()
    assert y.std(1) == pytest.approx(1)
    change = np.diff(y, axis=1)
    assert 0.2 < (correlation_at(change, 168) > 0.5).mean() < 0.9


def test_very_short_processes_are_drawn_too() -> None:
    y = draw_gaussian_processes(draws_of(50, 8), Seasons(1, 0))
    assert y.shape == (50, 8) and np.isfinite(y).all()
