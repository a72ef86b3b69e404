"""The one training loop: early stopping, best weights, progress and checkpoints through callbacks.

Knows no disk layout, terminal or pandas.
"""

import copy
import ctypes
import math
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from lstmcast.compute.progress import Event, OnEvent
from lstmcast.compute.ranks import current_rank_group
from lstmcast.compute.seeds import derive_seed
from lstmcast.config import Device, Precision
from lstmcast.errors import DivergedError
from lstmcast.features.windows import Batch
from lstmcast.network.losses import LossTargets
from lstmcast.network.torch_network import TorchNetwork, to_tensors
from lstmcast.training.device import CPU
from lstmcast.training.optimizers import Optimizer
from lstmcast.training.sampler import WindowSampler


class Schedule(NamedTuple):
    """How long and how hard to train.

    every: steps between two questions to the validation, which is asked before the first step, too.
    least: steps before which no weights are kept: to know what no training at all is worth is
    another member's part. decay: what becomes of the rate, see DECAYS.
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


class HistoryRecord(NamedTuple):
    """One line of a training history; validation is NaN where nothing was held back."""

    step: int
    seconds: float
    loss: float
    validation: float
    lr: float


class TrainingResult(NamedTuple):
    """The weights that validated best (else the last), the step they come from, their validation error, history.

    diverged: why it was trained a second time, at a lower rate; empty where it was not. stopped:
    whether time ran out before the training was done.
    """

    weights: dict[str, Tensor]
    step: int
    validation: float
    history: list[HistoryRecord]
    diverged: str = ""
    stopped: bool = False


class TrainingState(NamedTuple):
    """All that a training has to know to go on to the same bytes: tensors by name, the rest as JSON can hold it."""

    tensors: dict[str, Tensor]
    facts: dict[str, Any]


class StateStore(Protocol):
    """Where the state of a training is kept, so that one that was cut off can go on."""

    def restore(self) -> TrainingState | None:
        """Return the state that was kept last, None where there is none."""

    def is_due(self) -> bool:
        """Whether it is time to keep the state; asked after every step."""

    def keep(self, state: TrainingState) -> None:
        """Keep the state. What this raises ends the training."""


ValidationFunction = Callable[[TorchNetwork], float]
WARM_UP_STEPS = 10
AVERAGE_DECAY = 0.98
"""Decay of the moving average of the weights."""
ONE_CYCLE_RISE_SHARE = 0.3
"""Share of a one-cycle schedule in which the rate rises."""
LR_DECAYS: dict[str, Callable[[float], float]] = {
    "constant": lambda _: 1.0,
    "cosine": lambda done: (1 + math.cos(math.pi * done)) / 2,
    "onecycle": lambda done: (
        0.04 + 0.48 * (1 - math.cos(math.pi * done / ONE_CYCLE_RISE_SHARE))
        if done < ONE_CYCLE_RISE_SHARE
        else (1 + math.cos(math.pi * (done - ONE_CYCLE_RISE_SHARE) / (1 - ONE_CYCLE_RISE_SHARE)))
        / 2
    ),
}
"""Factor on the learning rate by the share of the steps that are done."""
DIVERGENCE_FACTOR = 20.0
"""A training whose loss is so many times that of the seasonal naive forecast, on average over some 20 steps, has
diverged. Of a series so flat that the naive forecast loses less, NOTHING is taken, in scales: the
shipped network begins a constant series at more than a scale and learns it within a few steps."""
MIN_NAIVE_LOSS = 0.5
RETRY_LR_FACTOR = 0.1
"""The learning rate of the second try, as a share of the first one's."""


def train_network(
    network: TorchNetwork,
    sampler: WindowSampler | None,
    schedule: Schedule,
    validate: ValidationFunction | None = None,
    on_event: OnEvent | None = None,
    keeper: StateStore | None = None,
    deadline: float = math.inf,
) -> TrainingResult:
    """Train with a short warm-up and clipped gradients; keep the averaged weights that validate best.

    The moving average of the weights (Polyak & Juditsky 1992) is what is judged and kept: it stands
    in for a decay of the learning rate, so that every step is a fair place to stop. Stops after
    `patience` questions without a better answer, or at the monotonic time `deadline`. Without
    `validate` the last average is kept; without a `sampler` (no series has a window) nothing is
    trained. Leaves `network` with the weights that it returns.

    A training that diverges is tried once more at a lower rate. With a `keeper` one that was cut
    off goes on from the state that was kept, and ends in the same bytes. Raises DivergedError when
    the second try diverges too.
    """
    keep_freed_memory()
    kept = keeper.restore() if keeper else None
    begin = _copy_weights(network)
    diverged = kept.facts["diverged"] if kept else ""
    for _ in range(2):
        gentle = schedule._replace(lr=schedule.lr * RETRY_LR_FACTOR) if diverged else schedule
        training = _TrainingRun(network, gentle, validate, diverged)
        try:
            return training.run(sampler, on_event, keeper, kept, deadline)
        except DivergedError as error:
            if diverged:
                raise
            diverged, kept = f"{error.message}; trained again at a tenth of it", None
            network.load_state_dict(begin)
    raise AssertionError("a second try that diverges was raised")


class _TrainingRun:
    """One try: what changes from step to step, and how it is kept and taken up again."""

    def __init__(
        self,
        network: TorchNetwork,
        schedule: Schedule,
        validate: ValidationFunction | None,
        diverged: str,
    ) -> None:
        torch.manual_seed(schedule.seed)
        self.network, self.schedule, self.diverged = network, schedule, diverged
        self.rng = np.random.default_rng(schedule.seed)
        self.optimizer = Optimizer(network.parameters(), schedule.optimizer, schedule.weight_decay)
        self.average = copy.deepcopy(network).eval()
        for module in self.average.modules():
            if isinstance(module, torch.nn.RNNBase):
                module.flatten_parameters()  # a GPU reads the weights of a copy one by one otherwise
        network.reduced = is_reduced_precision(schedule.precision, network.device)
        self.best = _BestWeights(self.average, validate)
        self.history: list[HistoryRecord] = []
        self.began = time.monotonic()
        self.step = 0
        self.asking = 0.0
        """Seconds that the last question to the validation took: before a deadline there is one more."""
        self.running = self.naive = float("nan")

    def run(
        self,
        sampler: WindowSampler | None,
        on_event: OnEvent | None,
        keeper: StateStore | None,
        kept: TrainingState | None,
        deadline: float,
    ) -> TrainingResult:
        """Train from the first step, or from the one after `kept`, to the end."""
        schedule = self.schedule
        steps = schedule.steps if sampler is not None else 0
        if kept:
            self._restore_state(kept)
        else:
            self._record_validation(steps, float("nan"), 0.0, on_event)
        kept_at = self.step
        self.network.train()
        late = False
        while self.step < steps and self.best.stale < schedule.patience and not late:
            self.step += 1
            lr = (
                schedule.lr
                * min(1.0, self.step / WARM_UP_STEPS)
                * LR_DECAYS[schedule.decay]((self.step - 1) / steps)
            )
            self.optimizer.lr = lr
            batch = sampler.draw(self.rng, schedule.batch_size, schedule.origins)  # type: ignore[union-attr]
            self._seed_rank_dropout()
            self._track_loss(*_train_step(self.network, self.optimizer, batch, schedule))
            _update_average(
                self.average, self.network, min(AVERAGE_DECAY, self.step / (self.step + 5))
            )
            late = self.step < steps and _is_time_up(deadline - self.asking)
            if self.step % schedule.every == 0 or self.step == steps or late:
                self._record_validation(self.step if late else steps, self.running, lr, on_event)
            if keeper and keeper.is_due():
                kept_at = self.step
                keeper.keep(self._capture_state())
        trained = TrainingResult(
            self.best.weights, self.best.step, self.best.score, self.history, self.diverged, late
        )
        if keeper and self.step > kept_at:
            keeper.keep(self._capture_state())
        self.network.load_state_dict(trained.weights)
        self.network.eval()
        return trained

    def _seed_rank_dropout(self) -> None:
        """Let each rank drop out other units of its part of a step, the same ones whenever the step is done again."""
        if current_rank_group().size > 1:
            rank = current_rank_group().rank
            torch.manual_seed(derive_seed(self.schedule.seed, self.step, rank))

    def _track_loss(self, loss: float, naive: float) -> None:
        """Take down the loss of a step, and what the naive forecast would have lost there."""
        if not np.isfinite(loss):
            raise _divergence_error(f"became {loss} at step {self.step}", self.schedule.lr)
        first = self.step == 1
        self.running = loss if first else 0.95 * self.running + 0.05 * loss
        self.naive = naive if first else 0.95 * self.naive + 0.05 * naive

    def _record_validation(
        self, steps: int, loss: float, lr: float, on_event: OnEvent | None
    ) -> None:
        schedule = self.schedule
        if loss > DIVERGENCE_FACTOR * max(self.naive, MIN_NAIVE_LOSS):
            times = f"{loss / max(self.naive, MIN_NAIVE_LOSS):.3g} times that of the naive forecast"
            raise _divergence_error(f"was {times} at step {self.step}", schedule.lr)
        began = time.monotonic()
        score = self.best.keep_if_better(
            self.average, self.step, kept=self.step >= min(schedule.least, steps)
        )
        self.asking = time.monotonic() - began
        self.history.append(
            HistoryRecord(self.step, time.monotonic() - self.began, loss, score, lr)
        )
        if on_event:
            on_event(
                Event("train", step=self.step, total=schedule.steps, loss=loss, validation=score)
            )

    def _capture_state(self) -> TrainingState:
        best = self.best
        tensors = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        tensors |= {f"average.{name}": value for name, value in self.average.state_dict().items()}
        tensors |= {f"best.{name}": value for name, value in best.weights.items()}
        tensors |= {
            f"optimizer.{name}.{n}": v
            for name, kept in self.optimizer.state.items()
            for n, v in enumerate(kept)
        }
        tensors["random"] = torch.get_rng_state()
        if self.network.device.type == "cuda":
            tensors["random_cuda"] = torch.cuda.get_rng_state(self.network.device)
        facts = {
            "diverged": self.diverged,
            "step": self.step,
            "running": self.running,
            "naive": self.naive,
            "seconds": time.monotonic() - self.began,
            "best": [best.score, best.step, best.stale],
            "random": self.rng.bit_generator.state,
            "history": self.history,
        }
        return TrainingState(tensors, facts)

    def _restore_state(self, kept: TrainingState) -> None:
        facts = kept.facts
        self.network.load_state_dict(_tensors_with_prefix("network.", kept))
        self.average.load_state_dict(_tensors_with_prefix("average.", kept))
        self.best.weights = _tensors_with_prefix("best.", kept)
        self.best.score, self.best.step, self.best.stale = facts["best"]
        for name, own in self.optimizer.state.items():
            found = (kept.tensors[f"optimizer.{name}.{n}"] for n in range(len(own)))
            self.optimizer.state[name] = [
                new.to(old.device) for new, old in zip(found, own, strict=True)
            ]
        self.rng.bit_generator.state = facts["random"]
        torch.set_rng_state(kept.tensors["random"])
        if "random_cuda" in kept.tensors and self.network.device.type == "cuda":
            torch.cuda.set_rng_state(kept.tensors["random_cuda"], self.network.device)
        self.step, self.running, self.naive = facts["step"], facts["running"], facts["naive"]
        self.began = time.monotonic() - facts["seconds"]
        self.history = [HistoryRecord(*row) for row in facts["history"]]


def _divergence_error(what: str, lr: float) -> DivergedError:
    return DivergedError(
        f"diverged: the loss {what}, at a learning rate of {lr:g}",
        "try a lower --lr, or leave it out",
    )


def _tensors_with_prefix(prefix: str, kept: TrainingState) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): value
        for name, value in kept.tensors.items()
        if name.startswith(prefix)
    }


def _train_step(
    network: TorchNetwork, optimizer: Optimizer, batch: Batch, schedule: Schedule
) -> tuple[float, float]:
    """One step of the optimizer; returns the loss, and that of the naive forecast, which is zero in these units.

    Of ranks, each reckons its part of the batch, which weighs as many targets as are known in it:
    the loss is a mean.
    """
    optimizer.clear()
    figures = 0.0, 0.0
    if len(batch.at):
        truth = LossTargets.of(batch, network.device)
        made = network(*to_tensors(batch, network.device))
        loss = network.loss(made, truth)
        loss.backward()  # type: ignore[no-untyped-call]
        figures = float(loss.detach()), network.loss.naive(made.detach(), truth)
    mean, naive = current_rank_group().average(
        network.parameters(), figures, float((~np.isnan(batch.target)).sum())
    )
    torch.nn.utils.clip_grad_norm_(network.parameters(), schedule.grad_clip)
    optimizer.step()
    return mean, naive


def _is_time_up(deadline: float) -> bool:
    """Whether time is up; ranks have clocks of their own, and stop when the first of them says so."""
    return deadline < math.inf and current_rank_group().is_true_on_any_rank(
        here=time.monotonic() >= deadline
    )


@torch.no_grad()
def _update_average(average: TorchNetwork, network: TorchNetwork, decay: float) -> None:
    torch._foreach_lerp_(list(average.parameters()), list(network.parameters()), 1 - decay)


class _BestWeights:
    """Remembers the weights of the lowest validation error."""

    def __init__(self, network: TorchNetwork, validate: ValidationFunction | None) -> None:
        self.validate = validate
        self.score = float("inf")
        self.step = 0
        self.stale = 0
        self.weights = _copy_weights(network)

    def keep_if_better(self, network: TorchNetwork, step: int, *, kept: bool) -> float:
        score = self.validate(network) if self.validate else float("nan")
        if kept and (not self.validate or score < self.score):
            self.score, self.step, self.stale, self.weights = score, step, 0, _copy_weights(network)
        elif kept:
            self.stale += 1
        return score


def _copy_weights(network: TorchNetwork) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in network.state_dict().items()}


def is_reduced_precision(precision: Precision, device: torch.device = CPU) -> bool:
    """Whether to train in bfloat16: a third of the time less, where the processor multiplies it by itself."""
    if precision != "auto":
        return precision == "bfloat16"
    if device.type != "cpu":
        return False
    known: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()  # not in older torch
    return bool(known.get("avx512_bf16") or known.get("amx_bf16"))


def keep_freed_memory() -> None:
    """Ask glibc to keep freed memory: returning it after every step costs a third of the time on long chunks."""
    if sys.platform == "linux":
        try:
            mallopt = ctypes.CDLL("libc.so.6").mallopt
        except (OSError, AttributeError):  # another C library
            return
        mmap_threshold, trim_threshold = -3, -1
        mallopt(mmap_threshold, 1 << 30)
        mallopt(trim_threshold, (1 << 31) - 1)
