"""The one training loop: early stopping, best weights, progress and checkpoints through callbacks.

Fits and the pretraining run on it: they differ in where batches come from (`BatchSampler`), in how
the learning rate changes (`PaceFunction`) and in their `Schedule`. Knows no disk layout, terminal
or pandas.
"""

import copy
import math
import time
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from lstmcast.compute.progress import Event, OnEvent
from lstmcast.compute.ranks import current_rank_group
from lstmcast.compute.seeds import derive_seed
from lstmcast.compute.system import keep_freed_memory
from lstmcast.errors import DivergedError
from lstmcast.features.windows import Batch
from lstmcast.network.losses import LossTargets
from lstmcast.network.torch_network import TorchNetwork, to_tensors
from lstmcast.training.device import is_reduced_precision
from lstmcast.training.optimizers import Optimizer
from lstmcast.training.schedule import (
    PaceFunction,
    Schedule,
    StepPace,
    decay_after_warm_up,
)

DIVERGENCE_FACTOR = 20.0
"""A training has diverged when its loss is this many times that of the seasonal naive forecast."""
MIN_NAIVE_LOSS = 0.5
"""Least naive loss, in scales, that a loss is compared with.

On a series so flat that the naive forecast loses less, the shipped network begins at more than one
scale and learns within a few steps: that is no divergence.
"""
RETRY_LR_FACTOR = 0.1
"""The learning rate of the second attempt, as a share of the first one's."""


class HistoryRecord(NamedTuple):
    """One line of a training history; validation is NaN where nothing was held back."""

    step: int
    seconds: float
    loss: float
    validation: float
    lr: float


class TrainingResult(NamedTuple):
    """The weights that validated best, or else the last ones, and how the training went.

    step: the step that the weights come from. validation: their validation error. diverged: why
    the network was trained a second time, at a lower rate; empty where it was not. stopped: whether
    time ran out before the training was done.
    """

    weights: dict[str, Tensor]
    step: int
    validation: float
    history: list[HistoryRecord]
    diverged: str = ""
    stopped: bool = False


class TrainingState(NamedTuple):
    """All that a training needs to be continued to the same bytes.

    tensors: by name. facts: the rest, as JSON can hold it.
    """

    tensors: dict[str, Tensor]
    facts: dict[str, Any]


class StateStore(Protocol):
    """Where the state of a training is kept, so that an interrupted one can be continued."""

    def restore(self) -> TrainingState | None:
        """Return the state that was kept last, None where there is none."""

    def is_due(self) -> bool:
        """Whether it is time to keep the state; called after every step."""

    def keep(self, state: TrainingState) -> None:
        """Keep the state. What this raises ends the training."""


class BatchSampler(Protocol):
    """Where the batches of a training come from."""

    def draw(self, rng: np.random.Generator, batch_size: int, origins: int) -> Batch:
        """Draw a batch of `batch_size` chunks with `origins` origins each."""

    def loss_unit(self, batch: Batch) -> float:
        """Return what the loss of a batch is divided by, so that unlike batches count alike."""


ValidationFunction = Callable[[TorchNetwork], float]


def train_network(
    network: TorchNetwork,
    sampler: BatchSampler | None,
    schedule: Schedule,
    validate: ValidationFunction | None = None,
    on_event: OnEvent | None = None,
    store: StateStore | None = None,
    deadline: float = math.inf,
    pace: PaceFunction = decay_after_warm_up,
) -> TrainingResult:
    """Train with a warm-up and clipped gradients; keep the averaged weights that validate best.

    The moving average of the weights (Polyak & Juditsky 1992) is what is validated and kept: it
    stands in for a decay of the learning rate, so that every step is a fair place to stop. Training
    stops after `patience` validations without an improvement, or at the monotonic time `deadline`.
    Without `validate` the last average is kept; without a `sampler` (no series has a window)
    nothing is trained. Leaves `network` with the weights that it returns.

    A training that diverges is tried once more at a lower rate. With a `store` an interrupted one
    is continued from the state that was kept, and ends in the same bytes. Raises DivergedError when
    the second attempt diverges too.
    """
    keep_freed_memory()
    state = store.restore() if store else None
    initial_weights = _copy_weights(network)
    diverged = state.facts["diverged"] if state else ""
    for _ in range(2):  # at the learning rate of the schedule, then at a lower one
        attempt = schedule
        if diverged:
            attempt = schedule._replace(lr=schedule.lr * RETRY_LR_FACTOR)
        run = _TrainingRun(network, attempt, validate, pace, diverged)
        try:
            return run.train(sampler, on_event, store, state, deadline)
        except DivergedError as error:
            if diverged:
                raise
            diverged = f"{error.message}; trained again at a tenth of it"
            state = None
            network.load_state_dict(initial_weights)
    raise AssertionError("a second attempt that diverges has raised its error")


class _TrainingRun:
    """One attempt: what changes from step to step, and how it is kept and restored."""

    def __init__(
        self,
        network: TorchNetwork,
        schedule: Schedule,
        validate: ValidationFunction | None,
        pace: PaceFunction,
        diverged: str,
    ) -> None:
        torch.manual_seed(schedule.seed)
        self.network = network
        self.schedule = schedule
        self.pace = pace
        self.diverged = diverged
        self.rng = np.random.default_rng(schedule.seed)
        parameters = network.parameters()
        self.optimizer = Optimizer(
            parameters, schedule.optimizer, schedule.weight_decay
        )
        self.average = copy.deepcopy(network).eval()
        for module in self.average.modules():
            if isinstance(module, torch.nn.RNNBase):
                # Otherwise a GPU reads the weights of a copy one by one.
                module.flatten_parameters()
        precision = schedule.precision
        network.reduced = is_reduced_precision(precision, network.device)
        self.best = _BestWeights(self.average, validate)
        self.history: list[HistoryRecord] = []
        self.began = time.monotonic()
        self.step = 0
        self.validation_seconds = 0.0
        """What the last validation took: there is one more before a deadline."""
        self.running_loss = float("nan")
        self.running_naive = float("nan")

    def train(
        self,
        sampler: BatchSampler | None,
        on_event: OnEvent | None,
        store: StateStore | None,
        state: TrainingState | None,
        deadline: float,
    ) -> TrainingResult:
        """Train from the first step, or from the one after `state`, to the end."""
        schedule = self.schedule
        steps = schedule.steps if sampler is not None else 0
        if state:
            self._restore_state(state)
        else:
            self._record_validation(steps, float("nan"), 0.0, on_event)
        kept_step = self.step
        self.network.train()
        late = False
        best = self.best
        while self.step < steps and best.stale < schedule.patience and not late:
            self.step += 1
            pace = self.pace(schedule, self.step, steps)
            self._take_step(sampler, pace)  # type: ignore[arg-type]
            is_last = self.step == steps
            if not is_last:
                # After the last step nothing is cut short, however late it is.
                late = _is_time_up(deadline - self.validation_seconds)
            if is_last or late or self.step % schedule.every == 0:
                planned = self.step if late else steps
                self._record_validation(planned, self.running_loss, pace.lr, on_event)
            if store and store.is_due():
                kept_step = self.step
                store.keep(self._capture_state())
        if store and self.step > kept_step:
            store.keep(self._capture_state())
        self.network.load_state_dict(best.weights)
        self.network.eval()
        return TrainingResult(
            best.weights, best.step, best.score, self.history, self.diverged, late
        )

    def _take_step(self, sampler: BatchSampler, pace: StepPace) -> None:
        """Draw a batch, move the weights against its gradients, and let the average follow."""
        schedule = self.schedule
        optimizer = self.optimizer
        optimizer.lr = pace.lr
        optimizer.momentum = pace.momentum
        batch = sampler.draw(self.rng, schedule.batch_size, schedule.origins)
        self._seed_rank_dropout()
        loss_unit = sampler.loss_unit(batch)
        losses = take_training_step(
            self.network, optimizer, batch, schedule.grad_clip, loss_unit
        )
        self._track_loss(losses)
        # The first averages forget faster: they would hold on to the weights before training.
        first_decay = self.step / (self.step + 5)
        decay = min(schedule.average_decay, first_decay)
        update_average(self.average, self.network, decay)

    def _seed_rank_dropout(self) -> None:
        """Let each rank drop other units, and the same ones whenever a step is repeated."""
        group = current_rank_group()
        if group.size > 1:
            seed = derive_seed(self.schedule.seed, self.step, group.rank)
            torch.manual_seed(seed)

    def _track_loss(self, losses: "StepLosses") -> None:
        """Update the running losses of the network and of the naive forecast."""
        loss = losses.network
        naive = losses.naive
        # The weights are beyond repair once a gradient was not finite.
        if not np.isfinite(loss):
            problem = f"became {loss} at step {self.step}"
            raise _divergence_error(problem, self.schedule.lr)
        if self.step == 1:
            self.running_loss = loss
            self.running_naive = naive
            return
        # Moving averages over some 20 steps: single batches are too uneven to judge by.
        self.running_loss = 0.95 * self.running_loss + 0.05 * loss
        self.running_naive = 0.95 * self.running_naive + 0.05 * naive

    def _record_validation(
        self, steps: int, loss: float, lr: float, on_event: OnEvent | None
    ) -> None:
        """Validate the average of the weights, and record what it is worth."""
        step = self.step
        limit = max(self.running_naive, MIN_NAIVE_LOSS)
        if loss > DIVERGENCE_FACTOR * limit:
            ratio = f"{loss / limit:.3g} times that of the naive forecast"
            problem = f"was {ratio} at step {step}"
            raise _divergence_error(problem, self.schedule.lr)
        validation_began = time.monotonic()
        least = min(self.schedule.least, steps)
        keep = step >= least
        score = self.best.validate_average(self.average, step, keep=keep)
        now = time.monotonic()
        self.validation_seconds = now - validation_began
        seconds = now - self.began
        record = HistoryRecord(step, seconds, loss, score, lr)
        self.history.append(record)
        if on_event:
            total = self.schedule.steps
            on_event(
                Event("train", step=step, total=total, loss=loss, validation=score)
            )

    def _capture_state(self) -> TrainingState:
        """Return all that changes from step to step, the states of the random generators too."""
        best = self.best
        tensors = {
            **_with_prefix("network.", self.network.state_dict()),
            **_with_prefix("average.", self.average.state_dict()),
            **_with_prefix("best.", best.weights),
        }
        for name, per_parameter in self.optimizer.state.items():
            for n, tensor in enumerate(per_parameter):
                tensors[f"optimizer.{name}.{n}"] = tensor
        tensors["random"] = torch.get_rng_state()
        device = self.network.device
        if device.type == "cuda":
            tensors["random_cuda"] = torch.cuda.get_rng_state(device)
        if device.type == "mps":
            tensors["random_mps"] = torch.mps.get_rng_state()
        # The names are those of checkpoints that were written before, and are to stay readable.
        facts = {
            "diverged": self.diverged,
            "step": self.step,
            "running": self.running_loss,
            "naive": self.running_naive,
            "seconds": time.monotonic() - self.began,
            "best": [best.score, best.step, best.stale],
            "random": self.rng.bit_generator.state,
            "history": self.history,
        }
        return TrainingState(tensors, facts)

    def _restore_state(self, state: TrainingState) -> None:
        """Go back to a captured state."""
        tensors, facts = state
        network_weights = _select_prefix("network.", tensors)
        average_weights = _select_prefix("average.", tensors)
        # Tensors are filled in place: the optimizer holds those of the network.
        self.network.load_state_dict(network_weights)
        self.average.load_state_dict(average_weights)
        best = self.best
        best.weights = _select_prefix("best.", tensors)
        score, step, stale = facts["best"]
        best.score = score
        best.step = step
        best.stale = stale
        self._restore_optimizer(tensors)
        self.rng.bit_generator.state = facts["random"]
        torch.set_rng_state(tensors["random"])
        device = self.network.device
        if "random_cuda" in tensors and device.type == "cuda":
            torch.cuda.set_rng_state(tensors["random_cuda"], device)
        if "random_mps" in tensors and device.type == "mps":
            torch.mps.set_rng_state(tensors["random_mps"])
        self.step = facts["step"]
        self.running_loss = facts["running"]
        self.running_naive = facts["naive"]
        self.began = time.monotonic() - facts["seconds"]
        self.history = [HistoryRecord(*row) for row in facts["history"]]

    def _restore_optimizer(self, tensors: dict[str, Tensor]) -> None:
        """Give the optimizer what it had kept of each parameter."""
        for name, current in self.optimizer.state.items():
            restored = []
            for n, tensor in enumerate(current):
                kept = tensors[f"optimizer.{name}.{n}"]
                restored.append(kept.to(tensor.device))
            self.optimizer.state[name] = restored


class StepLosses(NamedTuple):
    """What a step lost on its batch, and what the naive forecast would have lost there."""

    network: float
    naive: float


def take_training_step(
    network: TorchNetwork,
    optimizer: Optimizer,
    batch: Batch,
    grad_clip: float,
    loss_unit: float = 1.0,
) -> StepLosses:
    """Take one step of the optimizer against the loss of a batch, divided by `loss_unit`.

    The naive forecast is zero in the units of the batch. Each rank computes its part of the batch;
    since the loss is a mean, a part weighs as many targets as are known in it.
    """
    optimizer.clear()
    losses = (0.0, 0.0)
    if len(batch.at):
        device = network.device
        targets = LossTargets.of(batch, device)
        inputs = to_tensors(batch, device)
        outputs = network(*inputs)
        loss = network.loss(outputs, targets) / loss_unit
        loss.backward()  # type: ignore[no-untyped-call]
        without_gradient = outputs.detach()
        naive = network.loss.naive(without_gradient, targets) / loss_unit
        losses = (float(loss.detach()), naive)
    is_known = ~np.isnan(batch.target)
    known = float(is_known.sum())
    parameters = list(network.parameters())
    mean_losses = current_rank_group().average(parameters, losses, known)
    torch.nn.utils.clip_grad_norm_(parameters, grad_clip)
    optimizer.step()
    return StepLosses(*mean_losses)


@torch.no_grad()
def update_average(average: TorchNetwork, network: TorchNetwork, decay: float) -> None:
    """Move the moving average of the weights towards those of the network, in place."""
    averages: list[Tensor] = list(average.parameters())
    newest: list[Tensor] = list(network.parameters())
    torch._foreach_lerp_(averages, newest, 1 - decay)


def _is_time_up(deadline: float) -> bool:
    """Whether time is up; ranks have clocks of their own, and stop when the first of them does."""
    if deadline == math.inf:
        return False
    is_up_here = time.monotonic() >= deadline
    return current_rank_group().is_true_on_any_rank(here=is_up_here)


def _divergence_error(what: str, lr: float) -> DivergedError:
    return DivergedError(
        f"diverged: the loss {what}, at a learning rate of {lr:g}",
        "try a lower --lr, or leave it out",
    )


class _BestWeights:
    """Remembers the weights of the lowest validation error."""

    def __init__(
        self, network: TorchNetwork, validate: ValidationFunction | None
    ) -> None:
        self.validate = validate
        self.score = float("inf")
        self.step = 0
        self.stale = 0
        """Validations since the last improvement."""
        self.weights = _copy_weights(network)

    def validate_average(
        self, average: TorchNetwork, step: int, *, keep: bool
    ) -> float:
        """Return the validation error; with `keep` the weights are kept where they are better."""
        score = float("nan")
        if self.validate:
            score = self.validate(average)
        if not keep:
            return score
        # A comparison with NaN is false: a validation that fails is never the best.
        if not self.validate or score < self.score:
            self.score = score
            self.step = step
            self.stale = 0
            self.weights = _copy_weights(average)
        else:
            self.stale += 1
        return score


def _copy_weights(network: TorchNetwork) -> dict[str, Tensor]:
    weights = {}
    for name, value in network.state_dict().items():
        weights[name] = value.detach().clone()
    return weights


def _with_prefix(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {f"{prefix}{name}": value for name, value in tensors.items()}


def _select_prefix(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors whose names have a prefix, by what follows it."""
    return {
        name.removeprefix(prefix): value
        for name, value in tensors.items()
        if name.startswith(prefix)
    }
