"""Counts are whole, demand is intermittent, and nobody calls outside of opening hours."""

import numpy as np
import pytest

from lstmcast.features.steps import Seasons
from lstmcast.training.generators import counts
from tests.training.generators.make import correlation_at, draws_of


@pytest.mark.parametrize(
    "draw",
    [counts.draw_intermittent_demand, counts.draw_low_counts, counts.draw_calls],
)
@pytest.mark.parametrize("seasons", [Seasons(1, 0), Seasons(12, 0), Seasons(24, 168)])
def test_counts_are_whole_and_not_below_zero(draw, seasons: Seasons) -> None:  # type: ignore[no-untyped-def]
    y = draw(draws_of(60, 300), seasons)
    assert (y == np.round(y)).all() and (y >= 0).all()


def test_intermittent_demand_has_many_zeros_and_sizes_that_vary() -> None:
    y = counts.draw_intermittent_demand(draws_of(300, 300), Seasons(12, 0))
    zeros = (y == 0).mean(1)
    assert np.median(zeros) > 0.5
    assert ((zeros > 0.3) & (zeros < 0.98)).mean() > 0.6
    n_sizes = np.array([len(np.unique(row[row > 0])) for row in y])
    assert np.median(n_sizes) >= 3


def test_low_counts_have_the_mean_of_their_rate() -> None:
    rate = np.full((400, 200), 3.0)
    y = counts.draw_counts(draws_of(400, 200), rate)
    assert y.mean() == pytest.approx(3, rel=0.03)
    # Half are spread wider than Poisson counts, whose variance is their mean.
    ratio = y.var(1) / y.mean(1)
    assert np.quantile(ratio, 0.25) == pytest.approx(1, abs=0.2)
    assert np.quantile(ratio, 0.9) > 1.5


def test_closed_hours_are_exactly_zero_at_the_same_hours() -> None:
    y = counts.draw_calls(draws_of(200, 96 * 28), Seasons(96, 672))
    by_hour = y.reshape(200, 28, 96).max(1)
    closed = (by_hour == 0).mean(1)
    assert 0.25 < (closed > 0.3).mean() < 0.75
    by_day = y.reshape(200, 4, 7, 96).sum((1, 3))
    assert 0.2 < (by_day == 0).any(1).mean() < 0.7


def test_calls_repeat_by_the_day() -> None:
    y = counts.draw_calls(draws_of(100, 169 * 20), Seasons(169, 845))
    assert np.median(correlation_at(y, 845)) > 0.3


def test_a_day_of_two_steps_has_hours_of_its_own() -> None:
    y = counts.draw_calls(draws_of(600, 280), Seasons(2, 14))
    is_closed = (y.reshape(600, 140, 2) == 0).all(axis=1)
    # In some series nobody calls in one half of the day, and in the other somebody does.
    assert (is_closed.sum(axis=1) == 1).mean() > 0.05
