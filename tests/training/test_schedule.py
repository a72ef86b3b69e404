"""The learning rate of each step is that of the schedule."""

import numpy as np
import pytest

from lstmcast.training.schedule import (
    AVERAGE_DECAY,
    LR_DECAYS,
    ONE_CYCLE_RISE_SHARE,
    WARM_UP_STEPS,
    Schedule,
    decay_after_warm_up,
)


def test_the_decays_of_the_learning_rate_are_what_they_are_called() -> None:
    done = np.linspace(0, 1, 101)
    factors = {
        name: np.array([decay(x) for x in done]) for name, decay in LR_DECAYS.items()
    }
    assert (factors["constant"] == 1).all()

    cosine = factors["cosine"]
    assert (cosine[0], cosine[-1]) == (1, 0)
    assert cosine[50] == pytest.approx(0.5)
    assert (np.diff(cosine) < 0).all()

    cycle = factors["onecycle"]
    peak = int(cycle.argmax())
    assert done[peak] == pytest.approx(ONE_CYCLE_RISE_SHARE)
    assert cycle[[0, peak, -1]] == pytest.approx([0.04, 1, 0])
    assert (np.diff(cycle[: peak + 1]) > 0).all()
    assert (np.diff(cycle[peak:]) < 0).all()


@pytest.mark.parametrize("name", LR_DECAYS)
def test_a_decay_begins_behind_the_warm_up(name: str) -> None:
    schedule = Schedule(100, lr=2.0, decay=name)
    for step in (1, WARM_UP_STEPS, WARM_UP_STEPS + 1, 100):
        warm_up = min(1.0, step / WARM_UP_STEPS)
        pace = decay_after_warm_up(schedule, step, 100)
        assert pace.lr == pytest.approx(
            2.0 * warm_up * LR_DECAYS[name]((step - 1) / 100)
        )
        assert pace.momentum == 0.9


def test_the_average_of_the_weights_follows_them_within_some_fifty_steps() -> None:
    assert 30 < 1 / (1 - AVERAGE_DECAY) < 70
