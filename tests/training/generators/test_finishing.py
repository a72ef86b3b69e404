"""A user's scale, caps that are reached exactly, few levels, and gaps."""

import numpy as np
import pytest

from lstmcast.training.generators import finishing
from tests.training.generators.make import draws_of

Y = draws_of(1000, 120).walk()


def test_scales_span_many_orders_with_counts_zeros_and_negatives() -> None:
    y = finishing.give_user_scale(draws_of(1000, 120), Y / Y.std(1, keepdims=True))
    size = np.median(np.abs(y), 1)
    assert np.quantile(size, 0.95) > 1e3 * np.quantile(size, 0.05)
    assert 0.05 < (y.min(1) < 0).mean() < 0.4
    assert 0.03 < (y == np.round(y)).all(1).mean() < 0.1
    assert 0.02 < ((y == 0).mean(1) > 0.1).mean() < 0.2


def test_a_size_is_a_factor_and_keeps_zeros() -> None:
    y = np.maximum(Y, 0)
    sized = finishing.give_size(draws_of(1000, 120), y)
    assert ((sized == 0) == (y == 0)).all()
    has_size = (sized > 0).any(1)
    typical = np.array([row[row > 0].mean() for row in sized[has_size]])
    assert typical.min() >= 0.0999 and typical.max() <= 1e4 * 1.001


def test_a_limit_is_reached_exactly_and_often() -> None:
    limited = finishing.limit_values(draws_of(1000, 120), Y)
    is_limited = (limited != Y).any(1)
    assert is_limited.mean() == pytest.approx(0.08, abs=0.03)
    at_top = (limited == limited.max(1, keepdims=True)).sum(1)
    at_bottom = (limited == limited.min(1, keepdims=True)).sum(1)
    assert (np.maximum(at_top, at_bottom)[is_limited] >= 3).all()
    assert (at_top[is_limited] > 2).any() and (at_bottom[is_limited] > 2).any()


def test_some_series_are_rounded_and_some_have_few_levels() -> None:
    y = Y * 50
    rounded = finishing.round_values(draws_of(1000, 120), y)
    is_whole = (rounded == np.round(rounded)).all(1)
    assert is_whole.mean() == pytest.approx(0.14, abs=0.04)
    n_levels = np.array([len(np.unique(row)) for row in rounded])
    has_few = (n_levels <= 42) & ~is_whole
    assert has_few.mean() == pytest.approx(0.04, abs=0.02)
    # What rounding would make constant stays as it is.
    tiny = finishing.round_values(draws_of(1000, 120), Y * 1e-9)
    assert (tiny.std(1) > 0).all()


def test_one_series_in_eight_has_gaps_and_none_at_its_first_step() -> None:
    hidden = finishing.hide_values(draws_of(1000, 120), Y)
    has_gaps = np.isnan(hidden).any(1)
    assert has_gaps.mean() == pytest.approx(0.12, abs=0.03)
    assert not np.isnan(hidden[:, 0]).any()
    assert (np.isnan(hidden) | (hidden == Y)).all()
