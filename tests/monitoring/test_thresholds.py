import numpy as np
import pytest

from lstmcast.monitoring.thresholds import MIN_SCORES, Threshold


def test_the_limit_is_the_conformal_quantile_of_the_scores() -> None:
    assert Threshold(0.1, range(1, 100)).limit == 90  # the 10th largest of 99
    assert Threshold(0.01, range(1, 100)).limit == 99


@pytest.mark.parametrize(
    ("rate", "count"), [(0.5, 1), (0.01, 99), (0.001, 999), (0.0005, 1999)]
)
def test_as_many_scores_are_needed_as_make_the_largest_rare_enough(
    rate: float, count: int
) -> None:
    assert Threshold.scores_needed(rate) == count
    assert Threshold(rate, range(count)).is_extrapolated is False
    assert Threshold(rate, range(count - 1)).is_extrapolated is True


def test_new_scores_of_the_same_kind_exceed_it_as_seldom_as_stated() -> None:
    rng = np.random.default_rng(0)
    over = [
        rng.gamma(2, size=50) > Threshold(0.02, rng.gamma(2, size=199).tolist()).limit
        for _ in range(400)
    ]
    assert 0.015 < np.mean(over) < 0.025  # 0.02, give or take three deviations


@pytest.mark.parametrize("draw", ["exponential", "standard_normal", "standard_cauchy"])
def test_too_few_scores_for_the_rate_are_continued_by_a_tail_beyond_the_largest(
    draw: str,
) -> None:
    rng = np.random.default_rng(1)
    limits, largest, shares = [], [], []
    new = np.abs(getattr(rng, draw)(size=200_000))
    for _ in range(60):
        seen = np.abs(getattr(rng, draw)(size=300))
        limits.append(Threshold(0.0005, seen.tolist()).limit)
        largest.append(seen.max())
        shares.append((new > limits[-1]).mean())
    assert all(limit >= most for limit, most in zip(limits, largest, strict=True))
    assert np.median(shares) < 0.002  # the largest alone would be exceeded by 1 in 301


def test_a_few_scores_say_nothing() -> None:
    assert Threshold(0.01, range(MIN_SCORES - 1)).limit == float("inf")
    assert Threshold(0.01, range(MIN_SCORES)).limit < float("inf")


def test_identical_scores_make_a_limit_of_their_size() -> None:
    assert Threshold(0.001, [2.0] * 50).limit == 2.0


def test_an_alarm_counts_as_a_false_one_that_was_expected_and_no_further() -> None:
    threshold = Threshold(0.02, range(1, 200))  # the 4th largest: 196
    assert threshold.limit == 196
    threshold.add(1000, alarm=True)
    assert threshold.limit == 197  # still the 4th largest of them all
    for _ in range(5):
        threshold.add(1000, alarm=True)
    assert threshold.limit == 199  # never as high as the anomalies


def test_alarms_that_do_not_end_lift_the_limit_to_their_own_size() -> None:
    threshold = Threshold(0.001, np.linspace(0, 1, 2000).tolist())
    rng = np.random.default_rng(2)
    flags = []
    for score in 5 + rng.random(2000):  # the world has changed
        flags.append(score > threshold.limit)
        threshold.add(float(score), alarm=bool(flags[-1]))
    assert all(flags[:10])
    assert sum(flags) < 200 and sum(flags[1000:]) < 60


@pytest.mark.parametrize(
    ("alarms", "is_lifted"), [(11, False), (99, False), (120, True)]
)
def test_alarms_lift_the_limit_only_beyond_ten_times_the_rate(
    alarms: int, is_lifted: bool
) -> None:
    threshold = Threshold(0.001, np.linspace(0, 1, 10_000 - alarms).tolist())
    for _ in range(alarms):
        threshold.add(50.0, alarm=True)
    # Of ten thousand rows a hundred alarms are ten times as many as the rate allows.
    assert (threshold.limit == 50.0) is is_lifted
    assert is_lifted or threshold.limit <= 1.0


def test_memory_is_bounded_and_the_oldest_score_is_forgotten() -> None:
    threshold = Threshold(0.1, max_scores=50)
    for score in [100.0, *range(200)]:
        threshold.add(score, alarm=score == 100)
    assert len(threshold) == 50
    assert threshold.limit == 195
