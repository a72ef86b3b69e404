"""How long and how hard a network is trained, and how far each step moves its weights.

Knows no networks, no batches and no torch.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

from lstmcast.config import Device, Precision

DEFAULT_MOMENTUM = 0.9
"""Share of the last direction that the next step keeps."""
LR_FACTORS = {"adamw": 1.0, "adam": 1.0, "sgd": 30.0, "rmsprop": 0.3}
"""The usual learning rate of each optimizer, as a multiple of AdamW's."""
WARM_UP_STEPS = 10
AVERAGE_DECAY = 0.98
"""Decay of the moving average of the weights."""
ONE_CYCLE_RISE_SHARE = 0.3
"""Share of a one-cycle schedule in which the learning rate rises."""


class Schedule(NamedTuple):
    """How long and how hard to train.

    every: steps between two validations; there is one before the first step, too.
    least: steps before which no weights are kept: what no training at all is worth is measured by
    another member.
    decay: how the learning rate changes, a name in LR_DECAYS.
    average_decay: decay of the moving average of the weights; with 0 it is the newest weights.
    """

    steps: int
    lr: float
    batch_size: int = 32
    origins: int = 8
    weight_decay: float = 0.01
    grad_clip: float = 1.0
    patience: int = 3
    every: int = 50
    least: int = 0
    seed: int = 0
    precision: Precision = "auto"
    device: Device = "auto"
    optimizer: str = "adamw"
    decay: str = "constant"
    average_decay: float = AVERAGE_DECAY


class StepPace(NamedTuple):
    """How far one step of the optimizer moves the weights."""

    lr: float
    momentum: float = DEFAULT_MOMENTUM


PaceFunction = Callable[[Schedule, int, int], StepPace]
"""The pace of a step, from the schedule, the step (from 1) and the number of steps."""


def _cosine_decay(done: float) -> float:
    """Fall from 1 to 0 along half a cosine."""
    angle = math.pi * done
    return (1 + math.cos(angle)) / 2


def _one_cycle_decay(done: float) -> float:
    """Rise from 1/25 to 1 and fall to 0, both along a cosine (Smith & Topin 2018)."""
    if done < ONE_CYCLE_RISE_SHARE:
        angle = math.pi * done / ONE_CYCLE_RISE_SHARE
        risen = 0.48 * (1 - math.cos(angle))
        return 0.04 + risen

    fallen = done - ONE_CYCLE_RISE_SHARE
    angle = math.pi * fallen / (1 - ONE_CYCLE_RISE_SHARE)
    return (1 + math.cos(angle)) / 2


LR_DECAYS: dict[str, Callable[[float], float]] = {
    "constant": lambda _: 1.0,
    "cosine": _cosine_decay,
    "onecycle": _one_cycle_decay,
}
"""Factor on the learning rate by the share of the steps that are done."""


def decay_after_warm_up(schedule: Schedule, step: int, steps: int) -> StepPace:
    """Return the pace of a fit: a warm-up of a few steps, then the decay of the schedule."""
    # At first the optimizer's averages know little of the gradients.
    warm_up = min(1.0, step / WARM_UP_STEPS)

    # By the steps before this one: the first of all is not decayed.
    done = (step - 1) / steps
    decay = LR_DECAYS[schedule.decay]
    lr = schedule.lr * warm_up * decay(done)
    return StepPace(lr)
