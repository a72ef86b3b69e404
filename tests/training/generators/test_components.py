"""Components: unit size, their season at its lag, and no season where none is asked for."""

import numpy as np
import pytest

from lstmcast.features.steps import Seasons
from lstmcast.training.generators.components import draw_components, draw_noise
from tests.training.generators.make import correlation_at, draws_of


@pytest.mark.parametrize(
    "seasons", [Seasons(1, 0), Seasons(7, 365), Seasons(24, 168, 8766), Seasons(1, 52)]
)
def test_components_are_finite_and_of_unit_size(seasons: Seasons) -> None:
    y = draw_components(draws_of(80, 400), seasons)
    assert y.shape == (80, 400) and np.isfinite(y).all()
    assert y.std(1) == pytest.approx(1, abs=1e-6)


def test_most_have_their_season_at_its_lag() -> None:
    seasonal = np.diff(draw_components(draws_of(300, 600), Seasons(12, 0)), axis=1)
    plain = np.diff(draw_components(draws_of(300, 600), Seasons(1, 0)), axis=1)
    assert np.median(correlation_at(seasonal, 12)) > 0.4
    assert np.median(correlation_at(plain, 12)) < 0.1


def test_noise_is_of_unit_size_and_some_has_heavy_tails() -> None:
    noise = draw_noise(draws_of(400, 500), 7)
    assert np.median(noise.std(1)) == pytest.approx(1, abs=0.15)
    is_heavy = np.abs(noise).max(1) > 6
    assert 0.1 < is_heavy.mean() < 0.5
