"""Visits have a week, bursts that decay, and whole numbers."""

import numpy as np

from lstmcast.features.steps import Seasons
from lstmcast.training.generators import web
from tests.training.generators.make import correlation_at, draws_of


def test_visits_are_whole_numbers_of_many_sizes_with_a_week() -> None:
    y = web.draw_web_visits(draws_of(200, 600), Seasons(7, 365))
    assert (y == np.round(y)).all() and (y >= 0).all()
    size = np.median(y, 1)
    assert np.quantile(size, 0.9) > 100 * np.quantile(size, 0.1)
    change = np.diff(np.log1p(y), axis=1)
    assert np.median(correlation_at(change, 7)) > 0.15


def test_bursts_come_at_once_and_go_slowly() -> None:
    bursts = web.draw_bursts(draws_of(300, 500))
    assert (bursts >= 0).all()
    change = np.diff(bursts, axis=1)
    rises = (change > 1e-6).sum()
    falls = (change < -1e-6).sum()
    assert 5 * rises < falls
    assert change.max() > -2 * change.min() * 0.5


def test_levels_shift_or_wander() -> None:
    level = web.draw_log_level(draws_of(300, 500))
    jump = np.abs(np.diff(level, axis=1)).max(1)
    assert 0.2 < (jump > 0.2).mean() < 0.8
