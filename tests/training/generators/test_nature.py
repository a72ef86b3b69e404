"""Rivers rise steeply and fall slowly, rain has zeros, temperatures have a day and a year."""

import numpy as np
import pytest

from lstmcast.features.steps import Seasons
from lstmcast.training.generators import nature
from tests.training.generators.make import correlation_at, draws_of


def test_rivers_rise_steeply_and_fall_slowly() -> None:
    y = nature.draw_rivers(draws_of(200, 1000), Seasons(7, 365))
    assert np.isfinite(y).all() and (y >= 0).all()
    change = np.diff(y, axis=1)
    assert ((change < 0).mean(1) > 0.5).mean() > 0.9
    largest = np.quantile(change, 0.995, axis=1) / -np.quantile(change, 0.005, axis=1)
    assert np.median(largest) > 1.5


def test_rain_has_exact_zeros_and_wet_seasons() -> None:
    y = nature.draw_rain(draws_of(200, 1460), Seasons(7, 365))
    dry = (y == 0).mean(1)
    assert 0.4 < np.median(dry) < 0.95 and (y >= 0).all()
    monthly = y.reshape(200, -1, 20).mean(2)
    assert (correlation_at(monthly, 18) > 0.3).mean() > 0.3


def test_temperatures_have_a_day_and_a_year() -> None:
    hourly = nature.draw_temperatures(draws_of(60, 24 * 40), Seasons(24, 168))
    change = np.diff(hourly, axis=1)
    assert np.median(correlation_at(change, 24)) > 0.5
    daily = nature.draw_temperatures(draws_of(60, 1460), Seasons(7, 365))
    assert np.median(correlation_at(daily, 365)) > 0.3
    assert (daily.min(1) < 0).mean() > 0.5


@pytest.mark.parametrize("length", [20, 31])
def test_short_ones_are_finite(length: int) -> None:
    for draw in (nature.draw_rivers, nature.draw_rain, nature.draw_temperatures):
        assert np.isfinite(draw(draws_of(30, length), Seasons(12, 0))).all()
