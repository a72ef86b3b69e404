"""Values that are stuck, and gaps between rows."""

import json

import numpy as np
import pytest

from lstmcast.monitoring.evidence.interruptions import GapFinder, StuckCounter


def test_a_value_is_stuck_once_it_stays_longer_than_any_did() -> None:
    counter = StuckCounter(0.001)
    values = np.random.default_rng(0).normal(size=300)
    assert not any(counter.is_stuck(float(value)) for value in values)
    found = [counter.is_stuck(5.0) for _ in range(20)]
    assert not found[3] and all(found[8:])
    assert not counter.is_stuck(6.0)


def test_what_always_stays_long_or_never_changes_is_not_stuck() -> None:
    switched = StuckCounter(0.001)
    states = np.repeat(np.arange(60) % 2, 30)
    assert not any(switched.is_stuck(float(state)) for state in states)
    constant = StuckCounter(0.001)
    assert not any(constant.is_stuck(1.0) for _ in range(5_000))


def test_a_gap_is_three_times_the_longest_interval_before_it() -> None:
    finder = GapFinder()
    times = [*range(0, 300, 5), 309, 314, 360, 405]
    found = [time for time in times if finder.is_after_gap(time)]
    # 9 is less than three times 5; 46 is more, and 45 is known by then.
    assert found == [360]


def test_a_young_series_has_no_gaps() -> None:
    finder = GapFinder()
    assert not any(finder.is_after_gap(time) for time in (0, 1, 2, 500, 501))


@pytest.mark.parametrize("rows", [0, 1, 300])
def test_both_go_on_from_a_saved_state(rows: int) -> None:
    values = np.random.default_rng(0).normal(size=rows).tolist()
    counter, finder = StuckCounter(0.001), GapFinder()
    for time, value in enumerate(values):
        counter.is_stuck(value)
        finder.is_after_gap(time)
    state = json.loads(json.dumps([counter.to_state(), finder.to_state()]))
    counter_again = StuckCounter.from_state(state[0], 0.001)
    finder_again = GapFinder.from_state(state[1])
    for time in (rows + 1, rows + 50, rows + 51):
        assert finder_again.is_after_gap(time) == finder.is_after_gap(time)
    for value in (3.0,) * 12:
        assert counter_again.is_stuck(value) == counter.is_stuck(value)
