"""Regimes last and change; volatility clusters."""

import numpy as np
import pytest

from lstmcast.features.steps import Seasons
from lstmcast.training.generators import regimes
from tests.training.generators.make import correlation_at, draws_of

SEASONS = Seasons(24, 168)


@pytest.mark.parametrize(
    "draw",
    [
        regimes.draw_switching_series,
        regimes.draw_mean_reversion,
        regimes.draw_clustered_volatility,
    ],
)
def test_series_are_finite_standardised_and_reproducible(draw) -> None:  # type: ignore[no-untyped-def]
    y = draw(draws_of(60, 500), SEASONS)
    assert np.isfinite(y).all()
    assert y.std(1) == pytest.approx(1) and y.mean(1) == pytest.approx(0, abs=1e-9)
    assert np.array_equal(y, draw(draws_of(60, 500), SEASONS))


def test_regimes_are_few_and_last() -> None:
    states = regimes.draw_regimes(draws_of(300, 600))
    switches = (np.diff(states, axis=1) != 0).sum(1)
    assert set(np.unique(states)) == {0, 1, 2}
    assert 2 < switches.mean() < 7 and switches.max() < 40


def test_mean_reversion_returns_quickly_in_some_and_slowly_in_others() -> None:
    y = regimes.draw_mean_reversion(draws_of(300, 500), Seasons(1, 0))
    memory = correlation_at(y, 1)
    assert np.quantile(memory, 0.05) < 0.8 < np.quantile(memory, 0.5) < 1


def test_volatility_clusters_though_returns_are_not_correlated() -> None:
    y = regimes.draw_clustered_volatility(draws_of(400, 1000), Seasons(1, 0))
    prices = y[correlation_at(y, 1) > 0.97]
    returns = np.diff(prices, axis=1)
    assert abs(np.median(correlation_at(returns, 1))) < 0.05
    assert np.median(correlation_at(np.abs(returns), 1)) > 0.08
