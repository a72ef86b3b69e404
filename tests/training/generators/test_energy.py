"""Loads differ between working days and weekends, nights without sun are zero, prices jump."""

import numpy as np
import pytest

from lstmcast.features.steps import Seasons
from lstmcast.training.generators import energy
from lstmcast.training.generators.clock import Clock
from tests.training.generators.make import correlation_at, draws_of

HOURLY = Seasons(24, 168, 8766)


def test_loads_have_a_day_and_a_week_and_are_above_zero() -> None:
    y = energy.draw_loads(draws_of(100, 24 * 7 * 12), HOURLY)
    assert np.isfinite(y).all() and (y >= 0).all()
    assert np.median(correlation_at(y, 168)) > 0.6
    change = np.diff(y, axis=1)
    # The week knows more than the day, which mixes working days and weekends.
    assert np.median(correlation_at(change, 168) - correlation_at(change, 24)) > 0.03


def test_daily_loads_have_a_week_and_a_year() -> None:
    y = energy.draw_loads(draws_of(100, 365 * 4), Seasons(7, 365))
    slow = y[:, :1456].reshape(100, -1, 7).mean(2)
    assert np.median(correlation_at(slow, 52)) > 0.3
    assert np.median(correlation_at(np.diff(y, axis=1), 7)) > 0.5


def test_working_days_share_a_profile() -> None:
    y = energy.draw_calendar_profile(draws_of(60, 24 * 70), Clock(24, 7, 8766))
    days = y.reshape(60, 70, 24)
    shape = days - days.mean(2, keepdims=True)
    median = np.median(shape, 1, keepdims=True)
    distance = np.abs(shape - median).mean(2) / (np.abs(median).mean(2) + 1e-9)
    is_close = distance < 0.25
    assert 4.0 / 7 < np.median(is_close.mean(1)) <= 1


def test_solar_nights_are_exactly_zero_and_longer_in_winter() -> None:
    y = energy.draw_solar_power(draws_of(40, 24 * 366), HOURLY)
    assert (y >= 0).all() and y.max(1) == pytest.approx(1, abs=0.41)
    zeros = (y == 0).reshape(40, 366, 24).sum(2)
    assert (zeros.mean(1) > 7).all()
    assert np.median(zeros.max(1) - zeros.min(1)) >= 3
    # A night comes back at the same hour.
    by_hour = (y == 0).reshape(40, 366, 24).mean(1)
    assert (by_hour.max(1) == 1).all() and (by_hour.min(1) < 0.5).all()


def test_some_solar_plants_reach_their_cap_exactly() -> None:
    y = energy.draw_solar_power(draws_of(200, 24 * 60), HOURLY)
    at_top = (y == y.max(1, keepdims=True)).sum(1)
    assert 0.04 < (at_top > 5).mean() < 0.3


def test_prices_jump_up_and_come_back() -> None:
    y = energy.draw_prices(draws_of(100, 2000), HOURLY)
    assert np.isfinite(y).all()
    centre = np.median(y, 1, keepdims=True)
    up = (y - centre).max(1) / np.median(np.abs(y - centre), 1)
    assert np.median(up) > 8
    assert 0.02 < (y.min(1) < 0).mean() < 0.5


def test_machines_are_idle_and_repeat() -> None:
    y = energy.draw_machines(draws_of(100, 24 * 30), HOURLY)
    assert (y >= 0).all()
    idle = (y == y.min(1, keepdims=True)).mean(1)
    assert np.quantile(idle, 0.75) > 0.1
    assert np.median(correlation_at(y, 24)) > 0.5


def test_a_memory_of_days_goes_in_lines_between_them() -> None:
    y = energy.draw_daily_memory(draws_of(5, 24 * 10), Clock(24, 1, 0))
    bend = np.diff(y, 2, axis=1)
    assert (np.abs(bend) > 1e-9).sum() <= 5 * 10
    year = energy.draw_year(draws_of(5, 500), Clock(1, 7, 100.0))
    assert (correlation_at(year, 100) > 0.99).all()
