"""How large a number must be to be rare among others."""

import numpy as np
import pytest

from lstmcast.monitoring.conformal import find_conformal_limit
from lstmcast.monitoring.evidence.rarity import MIN_NUMBERS


def test_the_limit_is_the_conformal_quantile() -> None:
    assert find_conformal_limit(range(1, 100), 0.1) == 90  # the 10th largest of 99
    assert find_conformal_limit(range(1, 100), 0.01) == 99


def test_new_numbers_of_the_same_kind_exceed_it_as_seldom_as_stated() -> None:
    rng = np.random.default_rng(0)
    over = [
        rng.gamma(2, size=50) > find_conformal_limit(rng.gamma(2, size=199), 0.02)
        for _ in range(400)
    ]
    assert 0.015 < np.mean(over) < 0.025  # 0.02, give or take three deviations


@pytest.mark.parametrize("draw", ["exponential", "standard_normal", "standard_cauchy"])
def test_too_few_numbers_for_the_rate_are_continued_by_a_tail_beyond_the_largest(
    draw: str,
) -> None:
    rng = np.random.default_rng(1)
    limits, largest, shares = [], [], []
    new = np.abs(getattr(rng, draw)(size=200_000))
    for _ in range(60):
        seen = np.abs(getattr(rng, draw)(size=300))
        limits.append(find_conformal_limit(seen.tolist(), 0.0005))
        largest.append(seen.max())
        shares.append((new > limits[-1]).mean())
    assert all(limit >= most for limit, most in zip(limits, largest, strict=True))
    assert np.median(shares) < 0.002  # the largest alone would be exceeded by 1 in 301


def test_a_few_numbers_say_nothing() -> None:
    assert find_conformal_limit(range(MIN_NUMBERS - 1), 0.01) == float("inf")
    assert find_conformal_limit(range(MIN_NUMBERS), 0.01) < float("inf")


def test_identical_numbers_make_a_limit_of_their_size() -> None:
    assert find_conformal_limit([2.0] * 50, 0.001) == 2.0
