"""The one training loop: early stopping, best weights, progress through a callback.

Knows no disk layout, terminal or pandas.
"""

import copy
import ctypes
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from lstmcast.errors import DivergedError
from lstmcast.losses import pinball
from lstmcast.model import Network
from lstmcast.windows import Batch, Sampler


@dataclass(frozen=True)
class Event:
    """Progress of a fit, for whoever wants to show it."""

    phase: str
    message: str = ""
    step: int = 0
    total: int = 0
    loss: float | None = None
    validation: float | None = None


OnEvent = Callable[[Event], None]


class Schedule(NamedTuple):
    """How long and how hard to train.

    every: steps between two questions to the validation, which is asked before the first step, too. least: steps
    before which no weights are kept: to know what no training at all is worth is another member's part.
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


class Record(NamedTuple):
    """One line of a training history; validation is NaN where nothing was held back."""

    step: int
    seconds: float
    loss: float
    validation: float
    lr: float


class Trained(NamedTuple):
    """The weights that validated best (else the last), the step they come from, their validation error, history."""

    weights: dict[str, Tensor]
    step: int
    validation: float
    history: list[Record]


Validate = Callable[[Network], float]
WARM_UP = 10
AVERAGE = 0.98
"""Decay of the moving average of the weights."""


def train(
    network: Network,
    sampler: Sampler | None,
    schedule: Schedule,
    validate: Validate | None = None,
    on_event: OnEvent | None = None,
) -> Trained:
    """Train with AdamW, a short warm-up and clipped gradients; keep the averaged weights that validate best.

    The moving average of the weights (Polyak & Juditsky 1992) is what is judged and kept: it stands in for a decay of
    the learning rate, so that every step is a fair place to stop. Stops after `patience` questions without a better
    answer. Without `validate` the last average is kept; without a `sampler` (no series has a window) nothing is
    trained. Leaves `network` with the weights that it returns. Raises DivergedError when the loss is not a number.
    """
    keep_memory()
    torch.manual_seed(schedule.seed)
    rng = np.random.default_rng(schedule.seed)
    average = copy.deepcopy(network).eval()
    best = _Best(average, validate)
    history: list[Record] = []
    began = time.monotonic()

    def check(step: int, loss: float, lr: float) -> None:
        score = best.offer(average, step, kept=step >= min(schedule.least, steps))
        history.append(Record(step, time.monotonic() - began, loss, score, lr))
        if on_event:
            on_event(Event("train", step=step, total=schedule.steps, loss=loss, validation=score))

    steps = schedule.steps if sampler is not None else 0
    check(0, float("nan"), 0.0)
    running = float("nan")
    optimizer = torch.optim.AdamW(network.parameters(), lr=schedule.lr, weight_decay=schedule.weight_decay)
    network.train()
    for step in range(1, steps + 1):
        lr = schedule.lr * min(1.0, step / WARM_UP)
        optimizer.param_groups[0]["lr"] = lr
        value = _update(network, optimizer, sampler.draw(rng, schedule.batch_size, schedule.origins), schedule)  # type: ignore[union-attr]
        if not np.isfinite(value):
            raise DivergedError(f"the training loss became {value} at step {step}", "try a lower --lr")
        running = value if step == 1 else 0.95 * running + 0.05 * value
        _blend(average, network, min(AVERAGE, step / (step + 5)))
        if step % schedule.every == 0 or step == steps:
            check(step, running, lr)
            if best.stale >= schedule.patience:
                break
    trained = best.result(history)
    network.load_state_dict(trained.weights)
    network.eval()
    return trained


def _update(network: Network, optimizer: torch.optim.Optimizer, batch: Batch, schedule: Schedule) -> float:
    """One step of the optimizer; returns the loss."""
    loss = pinball(network(*batch[:4]), batch.target)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(network.parameters(), schedule.grad_clip)
    optimizer.step()
    return float(loss.detach())


@torch.no_grad()
def _blend(average: Network, network: Network, decay: float) -> None:
    torch._foreach_lerp_(list(average.parameters()), list(network.parameters()), 1 - decay)


class _Best:
    """Remembers the weights of the lowest validation error."""

    def __init__(self, network: Network, validate: Validate | None) -> None:
        self.validate = validate
        self.score = float("inf")
        self.step = 0
        self.stale = 0
        self.weights = _copy(network)

    def offer(self, network: Network, step: int, *, kept: bool) -> float:
        score = self.validate(network) if self.validate else float("nan")
        if kept and (not self.validate or score < self.score):
            self.score, self.step, self.stale, self.weights = score, step, 0, _copy(network)
        elif kept:
            self.stale += 1
        return score

    def result(self, history: list[Record]) -> Trained:
        return Trained(self.weights, self.step, self.score, history)


def _copy(network: Network) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in network.state_dict().items()}


def keep_memory() -> None:
    """Ask glibc to keep freed memory: returning it after every step costs a third of the time on long chunks."""
    if sys.platform == "linux":
        try:
            mallopt = ctypes.CDLL("libc.so.6").mallopt
        except (OSError, AttributeError):  # another C library
            return
        mmap_threshold, trim_threshold = -3, -1
        mallopt(mmap_threshold, 1 << 30)
        mallopt(trim_threshold, (1 << 31) - 1)
