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
from lstmcast.compute.ranks import team
from lstmcast.config import Device, Precision
from lstmcast.errors import DivergedError
from lstmcast.features.windows import Batch
from lstmcast.network.losses import Truth
from lstmcast.network.torch_network import Network, read
from lstmcast.training.device import CPU
from lstmcast.training.optimizers import Optimizer
from lstmcast.training.sampler import Sampler


class Schedule(NamedTuple):
    """How long and how hard to train.

    every: steps between two questions to the validation, which is asked before the first step, too. least: steps
    before which no weights are kept: to know what no training at all is worth is another member's part. decay: what
    becomes of the rate, see DECAYS.
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


class Record(NamedTuple):
    """One line of a training history; validation is NaN where nothing was held back."""

    step: int
    seconds: float
    loss: float
    validation: float
    lr: float


class Trained(NamedTuple):
    """The weights that validated best (else the last), the step they come from, their validation error, history.

    diverged: why it was trained a second time, at a lower rate; empty where it was not. stopped: whether time ran out
    before the training was done.
    """

    weights: dict[str, Tensor]
    step: int
    validation: float
    history: list[Record]
    diverged: str = ""
    stopped: bool = False


class State(NamedTuple):
    """All that a training has to know to go on to the same bytes: tensors by name, the rest as JSON can hold it."""

    tensors: dict[str, Tensor]
    facts: dict[str, Any]


class Keeper(Protocol):
    """Where the state of a training is kept, so that one that was cut off can go on."""

    def restore(self) -> State | None:
        """Return the state that was kept last, None where there is none."""

    def due(self) -> bool:
        """Whether it is time to keep the state; asked after every step."""

    def keep(self, state: State) -> None:
        """Keep the state. What this raises ends the training."""


Validate = Callable[[Network], float]
WARM_UP = 10
AVERAGE = 0.98
"""Decay of the moving average of the weights."""
RISE = 0.3
"""Share of a one-cycle schedule in which the rate rises."""
DECAYS: dict[str, Callable[[float], float]] = {
    "constant": lambda _: 1.0,
    "cosine": lambda done: (1 + math.cos(math.pi * done)) / 2,
    "onecycle": lambda done: (
        0.04 + 0.48 * (1 - math.cos(math.pi * done / RISE))
        if done < RISE
        else (1 + math.cos(math.pi * (done - RISE) / (1 - RISE))) / 2
    ),
}
"""Factor on the learning rate by the share of the steps that are done."""
FAR = 20.0
"""A training whose loss is so many times that of the seasonal naive forecast, on average over some 20 steps, has
diverged. Of a series so flat that the naive forecast loses less, NOTHING is taken, in scales: the shipped network
begins a constant series at more than a scale and learns it within a few steps."""
NOTHING = 0.5
GENTLER = 0.1
"""The learning rate of the second try, as a share of the first one's."""


def train(
    network: Network,
    sampler: Sampler | None,
    schedule: Schedule,
    validate: Validate | None = None,
    on_event: OnEvent | None = None,
    keeper: Keeper | None = None,
    deadline: float = math.inf,
) -> Trained:
    """Train with a short warm-up and clipped gradients; keep the averaged weights that validate best.

    The moving average of the weights (Polyak & Juditsky 1992) is what is judged and kept: it stands in for a decay of
    the learning rate, so that every step is a fair place to stop. Stops after `patience` questions without a better
    answer, or at the monotonic time `deadline`. Without `validate` the last average is kept; without a `sampler` (no
    series has a window) nothing is trained. Leaves `network` with the weights that it returns.

    A training that diverges is tried once more at a lower rate. With a `keeper` one that was cut off goes on from the
    state that was kept, and ends in the same bytes. Raises DivergedError when the second try diverges too.
    """
    keep_memory()
    kept = keeper.restore() if keeper else None
    begin = _copy(network)
    diverged = kept.facts["diverged"] if kept else ""
    for _ in range(2):
        gentle = schedule._replace(lr=schedule.lr * GENTLER) if diverged else schedule
        training = _Training(network, gentle, validate, diverged)
        try:
            return training.run(sampler, on_event, keeper, kept, deadline)
        except DivergedError as error:
            if diverged:
                raise
            diverged, kept = f"{error.message}; trained again at a tenth of it", None
            network.load_state_dict(begin)
    raise AssertionError("a second try that diverges was raised")


class _Training:
    """One try: what changes from step to step, and how it is kept and taken up again."""

    def __init__(self, network: Network, schedule: Schedule, validate: Validate | None, diverged: str) -> None:
        torch.manual_seed(schedule.seed)
        self.network, self.schedule, self.diverged = network, schedule, diverged
        self.rng = np.random.default_rng(schedule.seed)
        self.optimizer = Optimizer(network.parameters(), schedule.optimizer, schedule.weight_decay)
        self.average = copy.deepcopy(network).eval()
        for module in self.average.modules():
            if isinstance(module, torch.nn.RNNBase):
                module.flatten_parameters()  # a GPU reads the weights of a copy one by one otherwise
        network.reduced = reduces(schedule.precision, network.device)
        self.best = _Best(self.average, validate)
        self.history: list[Record] = []
        self.began = time.monotonic()
        self.step = 0
        self.asking = 0.0
        """Seconds that the last question to the validation took: before a deadline there is one more."""
        self.running = self.naive = float("nan")

    def run(
        self,
        sampler: Sampler | None,
        on_event: OnEvent | None,
        keeper: Keeper | None,
        kept: State | None,
        deadline: float,
    ) -> Trained:
        """Train from the first step, or from the one after `kept`, to the end."""
        schedule = self.schedule
        steps = schedule.steps if sampler is not None else 0
        if kept:
            self._restore(kept)
        else:
            self._check(steps, float("nan"), 0.0, on_event)
        kept_at = self.step
        self.network.train()
        late = False
        while self.step < steps and self.best.stale < schedule.patience and not late:
            self.step += 1
            lr = schedule.lr * min(1.0, self.step / WARM_UP) * DECAYS[schedule.decay]((self.step - 1) / steps)
            self.optimizer.lr = lr
            batch = sampler.draw(self.rng, schedule.batch_size, schedule.origins)  # type: ignore[union-attr]
            self._seed_share()
            self._note(*_update(self.network, self.optimizer, batch, schedule))
            _blend(self.average, self.network, min(AVERAGE, self.step / (self.step + 5)))
            late = self.step < steps and _late(deadline - self.asking)
            if self.step % schedule.every == 0 or self.step == steps or late:
                self._check(self.step if late else steps, self.running, lr, on_event)
            if keeper and keeper.due():
                kept_at = self.step
                keeper.keep(self._state())
        trained = Trained(self.best.weights, self.best.step, self.best.score, self.history, self.diverged, late)
        if keeper and self.step > kept_at:
            keeper.keep(self._state())
        self.network.load_state_dict(trained.weights)
        self.network.eval()
        return trained

    def _seed_share(self) -> None:
        """Let each rank drop out other units of its part of a step, the same ones whenever the step is done again."""
        if team().size > 1:
            state = np.random.SeedSequence([self.schedule.seed, self.step, team().rank]).generate_state(1)
            torch.manual_seed(int(state[0]))

    def _note(self, loss: float, naive: float) -> None:
        """Take down the loss of a step, and what the naive forecast would have lost there."""
        if not np.isfinite(loss):
            raise _diverged(f"became {loss} at step {self.step}", self.schedule.lr)
        first = self.step == 1
        self.running = loss if first else 0.95 * self.running + 0.05 * loss
        self.naive = naive if first else 0.95 * self.naive + 0.05 * naive

    def _check(self, steps: int, loss: float, lr: float, on_event: OnEvent | None) -> None:
        schedule = self.schedule
        if loss > FAR * max(self.naive, NOTHING):
            times = f"{loss / max(self.naive, NOTHING):.3g} times that of the naive forecast"
            raise _diverged(f"was {times} at step {self.step}", schedule.lr)
        began = time.monotonic()
        score = self.best.offer(self.average, self.step, kept=self.step >= min(schedule.least, steps))
        self.asking = time.monotonic() - began
        self.history.append(Record(self.step, time.monotonic() - self.began, loss, score, lr))
        if on_event:
            on_event(Event("train", step=self.step, total=schedule.steps, loss=loss, validation=score))

    def _state(self) -> State:
        best = self.best
        tensors = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        tensors |= {f"average.{name}": value for name, value in self.average.state_dict().items()}
        tensors |= {f"best.{name}": value for name, value in best.weights.items()}
        tensors |= {
            f"optimizer.{name}.{n}": v for name, kept in self.optimizer.state.items() for n, v in enumerate(kept)
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
        return State(tensors, facts)

    def _restore(self, kept: State) -> None:
        facts = kept.facts
        self.network.load_state_dict(_under("network.", kept))
        self.average.load_state_dict(_under("average.", kept))
        self.best.weights = _under("best.", kept)
        self.best.score, self.best.step, self.best.stale = facts["best"]
        for name, own in self.optimizer.state.items():
            found = (kept.tensors[f"optimizer.{name}.{n}"] for n in range(len(own)))
            self.optimizer.state[name] = [new.to(old.device) for new, old in zip(found, own, strict=True)]
        self.rng.bit_generator.state = facts["random"]
        torch.set_rng_state(kept.tensors["random"])
        if "random_cuda" in kept.tensors and self.network.device.type == "cuda":
            torch.cuda.set_rng_state(kept.tensors["random_cuda"], self.network.device)
        self.step, self.running, self.naive = facts["step"], facts["running"], facts["naive"]
        self.began = time.monotonic() - facts["seconds"]
        self.history = [Record(*row) for row in facts["history"]]


def _diverged(what: str, lr: float) -> DivergedError:
    return DivergedError(
        f"diverged: the loss {what}, at a learning rate of {lr:g}", "try a lower --lr, or leave it out"
    )


def _under(prefix: str, kept: State) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in kept.tensors.items() if name.startswith(prefix)}


def _update(network: Network, optimizer: Optimizer, batch: Batch, schedule: Schedule) -> tuple[float, float]:
    """One step of the optimizer; returns the loss, and that of the naive forecast, which is zero in these units.

    Of ranks, each reckons its part of the batch, which weighs as many targets as are known in it: the loss is a mean.
    """
    optimizer.clear()
    figures = 0.0, 0.0
    if len(batch.at):
        truth = Truth.of(batch, network.device)
        made = network(*read(batch, network.device))
        loss = network.loss(made, truth)
        loss.backward()  # type: ignore[no-untyped-call]
        figures = float(loss.detach()), network.loss.naive(made.detach(), truth)
    mean, naive = team().average(network.parameters(), figures, float((~np.isnan(batch.target)).sum()))
    torch.nn.utils.clip_grad_norm_(network.parameters(), schedule.grad_clip)
    optimizer.step()
    return mean, naive


def _late(deadline: float) -> bool:
    """Whether time is up; ranks have clocks of their own, and stop when the first of them says so."""
    return deadline < math.inf and team().agree(wish=time.monotonic() >= deadline)


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


def _copy(network: Network) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in network.state_dict().items()}


def reduces(precision: Precision, device: torch.device = CPU) -> bool:
    """Whether to train in bfloat16: a third of the time less, where the processor multiplies it by itself."""
    if precision != "auto":
        return precision == "bfloat16"
    if device.type != "cpu":
        return False
    known: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()  # not in older torch
    return bool(known.get("avx512_bf16") or known.get("amx_bf16"))


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
