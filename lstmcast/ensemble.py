"""The members of a forecaster: which networks are trained, how, and what they forecast together.

Knows no frames and no disk layout but that of the shipped weights.

Axes: M members, K windows, H horizon, Q quantiles, A candidates.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file

from lstmcast import device, features, parallel
from lstmcast.checkpoint import Checkpoint, Stopped, Training
from lstmcast.config import Config, ModelConfig
from lstmcast.distributed import LostRankError, team
from lstmcast.events import Event, OnEvent
from lstmcast.inference import batches
from lstmcast.interrupt import Waiting
from lstmcast.losses import Truth
from lstmcast.model import Network, one_thread, read, rehead
from lstmcast.network import Shape, Singles, depth, widen
from lstmcast.optimizers import OPTIMIZERS
from lstmcast.train import Schedule, Trained, train
from lstmcast.windows import Sampler, Windows

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Weights = dict[str, Singles]

PRETRAINED = Path(__file__).parent / "pretrained" / "weights.safetensors"
_ASKED = 800
"""Validation windows that early stopping looks at; the verdict looks at all."""
FEW_STEPS = 250
"""With fewer time steps than this, networks trained from nothing do more harm than good."""


class Recipe(NamedTuple):
    """One way to train a member.

    start: weights to start from, which are those of a network trained for the loss `head`, or None for a network of
    width `hidden`. prior: how far to trust it before any evidence, against the other members.
    """

    name: str
    start: Weights | None
    schedule: Schedule
    hidden: int = 64
    layers: int = 2
    dropout: float = 0.1
    prior: float = 1.0
    model: ModelConfig = ModelConfig()
    loss: str = "quantile"
    head: str = "quantile"


@dataclass(frozen=True, eq=False)
class Member:
    """A trained network, its recipe, and how its training went."""

    recipe: Recipe
    network: Network
    trained: Trained


def pretrained_weights() -> Weights:
    """The shipped weights, trained on synthetic series only (see `pretrain.py`)."""
    return {name: value.astype(np.float32) for name, value in load_file(PRETRAINED).items()}


def fine_tunings(config: Config, start: Weights | None, members: int, head: str = "quantile") -> list[Recipe]:
    """Recipes for a panel: the same training from `members` seeds. From pretrained weights it is short."""
    steps, lr = (1000, 3e-3) if start is None else (600, 2e-3)
    name = "scratch" if start is None else "fine-tuned"
    made = [_recipe(config, f"{name} {k + 1}", start, steps, lr, k, every=50) for k in range(members)]
    return [recipe._replace(head=head) for recipe in made]


def small_data(
    config: Config, start: Weights | None, members: int | None, steps: int, head: str = "quantile"
) -> list[Recipe]:
    """Recipes for one or few series, where training overfits: gentle, small and different from each other.

    steps: time steps of all series together; networks are trained from nothing only where there are enough of them.
    With 0 training steps asked for, only the weights to start from, as they are.
    """
    fresh = [
        _recipe(config, "scratch 64", None, 250, 3e-3, 0, every=50),
        _recipe(config, "scratch 32, 1", None, 120, 3e-3, 1, every=40, hidden=32, dropout=0.2, decay=0.05),
        _recipe(config, "scratch 32, 2", None, 120, 3e-3, 2, every=40, hidden=32, dropout=0.2, decay=0.05),
    ]
    if start is not None:
        gentle = _recipe(config, "fine-tuned", start, 60, 5e-4, 3, every=20)._replace(head=head)
        as_is = gentle._replace(name="as it is", schedule=gentle.schedule._replace(steps=0))
        if gentle.schedule.steps == 0:
            return [as_is]
        kinds = [as_is, gentle] if steps < FEW_STEPS else [as_is, gentle, *(k._replace(prior=0.5) for k in fresh)]
    else:
        kinds = fresh
    if members is None:
        return kinds
    again = [kinds[i % len(kinds)] for i in range(len(kinds), members)]
    return (kinds + [k._replace(schedule=_reseeded(k.schedule, i)) for i, k in enumerate(again, 10)])[:members]


def _recipe(
    config: Config,
    name: str,
    start: Weights | None,
    steps: int,
    lr: float,
    number: int,
    *,
    every: int,
    hidden: int = 64,
    dropout: float | None = None,
    decay: float | None = None,
) -> Recipe:
    """A recipe's own constants, overruled by whatever the user set."""
    asked, net = config.train, config.model
    usual = (decay or 0.01) if asked.optimizer == "adamw" else 0.0
    schedule = Schedule(
        steps=steps if asked.steps is None else asked.steps,
        lr=lr * OPTIMIZERS[asked.optimizer].rate if asked.lr is None else asked.lr,
        batch_size=asked.batch_size,
        origins=asked.origins,
        weight_decay=usual if asked.weight_decay is None else asked.weight_decay,
        grad_clip=asked.grad_clip,
        patience=asked.patience,
        every=every,
        least=every,
        seed=asked.seed,
        precision=asked.precision,
        device=asked.device,
        optimizer=asked.optimizer,
        decay=asked.schedule,
    )
    drop = _chosen(net.dropout, ModelConfig().dropout, dropout)
    seeded = _reseeded(schedule, number)
    return Recipe(name, start, seeded, net.hidden or hidden, net.layers or 2, drop, model=net, loss=asked.loss)


def _chosen(asked: float, default: float, own: float | None) -> float:
    """A recipe's own constant, unless the user asked for another value than the default."""
    return asked if own is None or asked != default else own


def _reseeded(schedule: Schedule, number: int) -> Schedule:
    state = np.random.SeedSequence([schedule.seed, number]).generate_state(1)
    return schedule._replace(seed=int(state[0]))


class Task(NamedTuple):
    """Where a member learns and where it is judged: windows, trainable steps [N], validation series and origins [K].

    Of the ranks of one fit each has the windows of its own series alone.
    """

    windows: Windows
    ends: Ints
    series: Ints
    origins: Ints

    def judged(self) -> tuple[Windows, Ints, Ints]:
        """The validation windows; of ranks, those of its own series."""
        own = self.own()
        return self.windows, team().place(self.series[own]), self.origins[own]

    def own(self) -> Ints:
        """Which of the validation windows are judged here."""
        return np.flatnonzero(team().holds(self.series))

    def whole(self, part: Floats, axis: int) -> Floats:
        """What all ranks found of the validation windows, from what this one found of its own, along an axis."""
        return team().whole(part, self.own(), len(self.series), axis)


def build(recipe: Recipe, windows: Windows) -> Network:
    """A network for these windows, with the recipe's starting weights."""
    table, start, model = windows.covariates, recipe.start, recipe.model
    shape = Shape(
        features=features.STEP_FEATURES,
        local=features.LOCAL_FEATURES,
        candidates=len(features.CANDIDATES),
        hidden=recipe.hidden if start is None else start["state.weight"].shape[0],
        layers=recipe.layers if start is None else depth(start),
        covariates=0 if table is None else table.step.shape[1],
        ahead=0 if table is None else table.ahead.shape[1],
        cell=model.cell,
        bidirectional=model.bidirectional,
        attention=model.attention,
        layer_norm=model.layer_norm,
        context=windows.context if model.bidirectional or model.attention else 0,
        loss=recipe.loss,
    )
    network = Network(shape, recipe.dropout)
    if start is not None:
        network.load_state_dict(rehead(widen(start, shape), network, recipe.head))
    return network


def train_members(
    recipes: Sequence[Recipe],
    task: Task,
    jobs: int | None,
    on_event: OnEvent | None,
    checkpoint: Checkpoint | None = None,
    kind: str = "member",
    deadline: float = math.inf,
) -> list[Member]:
    """Train every recipe, several at a time where that pays, one thread each: any number of jobs gives the same.

    With a checkpoint their states are kept, each under `kind` and its number; a signal waits until that is done. By the
    monotonic time `deadline` all must be done; each may take its share of what is left when it starts.
    """
    jobs = _jobs(recipes, task, jobs)
    steps = [recipe.schedule.steps for recipe in recipes]
    inline = on_event if jobs == 1 and parallel.is_here() else None
    reports = [inline and _offset(inline, sum(steps[:k]), sum(steps)) for k in range(len(recipes))]
    keepers = [checkpoint and checkpoint.training(f"{kind}-{k}") for k in range(1, len(recipes) + 1)]
    members = []
    rounds = [-(-(len(recipes) - k) // jobs) for k in range(len(recipes))]
    until = time.time() + (deadline - time.monotonic())  # monotonic clocks of two machines have nothing in common
    with one_thread(), _stoppable(checkpoint, on_event):
        tasks = ((*one, until) for one in zip(recipes, reports, keepers, rounds, strict=True))
        results = parallel.run(_train_one, tasks, jobs, shared=(task,))
        for number, (recipe, result) in enumerate(zip(recipes, results, strict=True), 1):
            if result is None:
                continue  # stopped: the others are stopping too
            shape, trained = result
            network = Network(shape, recipe.dropout).eval()
            network.load_state_dict(trained.weights)
            members.append(Member(recipe, network, trained))
            if on_event:
                last = trained.history[-1]
                done = Event("member", recipe.name, number, len(recipes), last.loss, trained.validation)
                on_event(done)
        if len(members) < len(recipes):
            raise Stopped("the training was stopped", "")
    return members


@contextmanager
def _stoppable(checkpoint: Checkpoint | None, on_event: OnEvent | None) -> Iterator[None]:
    """Let a signal ask the trainings to keep their states and to end, and take its course only then."""
    if checkpoint is None:
        yield
        return

    def prepare() -> None:
        checkpoint.stop()
        if on_event:
            on_event(Event("stop", "stopping: keeping what has been learnt"))

    waiting = Waiting(prepare)
    with waiting:
        try:
            yield
        except LostRankError:
            waiting.number = 0  # torchrun's own signal, after the loss of a rank: that is what is to be told
            raise


def _train_one(
    task: Task, recipe: Recipe, on_event: OnEvent | None, keeper: Training | None, rounds: int, until: float
) -> tuple[Shape, Trained] | None:
    """Job of one member, in a process of its own or in this one; None where it was stopped.

    It may take its share, one of `rounds`, of the time that is left until `until` (Unix time).
    """
    if keeper and keeper.stopped():
        return None
    with one_thread():
        torch.manual_seed(recipe.schedule.seed)
        place = device.find(recipe.schedule.device)
        task = task._replace(windows=device.kept(task.windows, place))
        network = build(recipe, task.windows).to(place)
        sampler = Sampler.over(task.windows, task.ends)
        share = time.monotonic() + (until - time.time()) / rounds
        try:
            trained = train(network, sampler, recipe.schedule, _validation(task), on_event, keeper, share)
        except Stopped:
            return None
        return network.shape, trained._replace(weights={name: value.cpu() for name, value in trained.weights.items()})


def _validation(task: Task) -> Callable[[Network], float] | None:
    """Mean loss over the validation windows, or evenly chosen ones of them, in scales; None without any."""
    if not len(task.series):
        return None
    chosen = np.unique(np.linspace(0, len(task.series) - 1, _ASKED).astype(np.int64))
    windows, series, origins = task._replace(series=task.series[chosen], origins=task.origins[chosen]).judged()

    @torch.no_grad()
    def loss(network: Network) -> float:
        total = count = 0.0
        for _, batch in batches(windows, series, origins):
            known = float((~np.isnan(batch.target)).sum())
            truth = Truth.of(batch, network.device)
            total += float(network.loss(network(*read(batch, network.device)), truth)) * known
            count += known
        total, count = team().total(total, count)
        return total / max(count, 1)

    return loss


def _jobs(recipes: Sequence[Recipe], task: Task, jobs: int | None) -> int:
    """Processes to use: starting one costs some seconds, so short trainings stay in this one; ranks train as one."""
    if team().size > 1:
        return 1
    if jobs is None and (elsewhere := parallel.usual_jobs()) > 1:
        jobs = elsewhere
    if jobs is None:
        work = sum(
            r.schedule.steps * r.schedule.batch_size * task.windows.chunk * (r.hidden / 64) ** 2 for r in recipes
        )
        alone = any(device.find(r.schedule.device) != device.CPU for r in recipes)  # trainings would share one GPU
        jobs = parallel.cores() if work > 1.5e6 and not alone else 1
    return max(1, min(jobs, len(recipes)))


def _offset(on_event: OnEvent, done: int, total: int) -> OnEvent:
    """Events of one member as progress over all of them: `done` steps came before it."""
    return lambda event: on_event(replace(event, step=done + event.step, total=total))


def deadline(config: Config) -> float:
    """Monotonic time at which training must be done."""
    budget = config.train.time_budget
    return math.inf if budget is None else time.monotonic() + float(budget)


def out_of_time(config: Config, members: list[Member]) -> tuple[str, ...]:
    """Say which trainings the time budget cut short."""
    cut = [m for m in members if m.trained.stopped]
    done = ", ".join(f"{m.recipe.name} after {m.trained.history[-1].step} of {m.recipe.schedule.steps}" for m in cut)
    return (f"the time budget of {config.train.time_budget:g} s stopped training: {done} steps",) if cut else ()
