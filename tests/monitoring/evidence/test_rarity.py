"""How rare a number is among those before it."""

import math

import numpy as np
import pytest

from lstmcast.monitoring.evidence.rarity import MIN_NUMBERS, WINDOW_ROWS, RarityScale


def test_among_the_numbers_seen_rarity_is_the_share_that_is_as_large() -> None:
    scale = RarityScale(range(1, 1000))
    assert scale.measure_rarity(990) == pytest.approx(2)
    assert scale.measure_rarity(900) == pytest.approx(1)
    assert scale.measure_rarity(0) == pytest.approx(math.log10(1000 / 999))


def test_few_numbers_say_nothing() -> None:
    scale = RarityScale(range(MIN_NUMBERS - 1))
    assert scale.measure_rarity(1e9) == 0
    assert scale.find_limit(3) == math.inf


@pytest.mark.parametrize("seed", range(3))
def test_beyond_the_largest_an_exponential_tail_is_met_within_a_decade_below(
    seed: int,
) -> None:
    # The survival function of the exponential is 10 ** -4 at 4 * ln(10).
    numbers = np.random.default_rng(seed).exponential(size=2_000)
    rarity = RarityScale(numbers).measure_rarity(4 * math.log(10))
    # The tail is heavier than the exponential, to be on the safe side.
    assert 3 < rarity < 4.2


def test_what_came_in_many_rows_is_never_as_rare_as_what_came_in_none() -> None:
    quiet = np.zeros(3_000)
    quiet[::300] = 50
    seen_before = RarityScale(quiet)
    assert seen_before.measure_rarity(50) == pytest.approx(math.log10(3001 / 10))
    assert RarityScale(np.zeros(3_000)).measure_rarity(50) > 10


@pytest.mark.parametrize("rarity", [1.0, 2.5, 4.0, 6.0])
def test_the_limit_of_a_rarity_is_as_rare_as_that(rarity: float) -> None:
    numbers = np.abs(np.random.default_rng(1).standard_normal(5_000))
    scale = RarityScale(numbers)
    limit = scale.find_limit(rarity)
    assert scale.measure_rarity(limit) == pytest.approx(rarity, abs=0.05)


def test_a_tail_that_was_found_before_is_the_one_of_the_numbers_now() -> None:
    scale = RarityScale()
    numbers = np.random.default_rng(2).exponential(size=WINDOW_ROWS + 3_000)
    for count, number in enumerate(numbers.tolist()):
        scale.learn(number)
        if count > MIN_NUMBERS and count % 97 < 3:
            assert scale.find_limit(6) == RarityScale(scale.numbers).find_limit(6)


def test_numbers_that_were_all_alike_have_a_tail_of_the_least_scale() -> None:
    zeros = [0.0] * 100
    rarities = [RarityScale(zeros, scale).measure_rarity(0.1) for scale in (0.05, 0.1)]
    assert RarityScale(zeros).measure_rarity(0.1) > 10 > rarities[0] > rarities[1]


def test_the_scale_of_the_tail_is_the_mean_excess_without_the_two_largest() -> None:
    scale = RarityScale(range(1, 101))
    # Ten numbers lie beyond 90, and 98 is the third largest: 1 + 2 + ... + 8 + 8 + 8 over 8.
    assert scale.measure_rarity(98 + 52 / 8) == pytest.approx(
        math.log10(101 / 3) + math.log10(1.3) / 0.3
    )
