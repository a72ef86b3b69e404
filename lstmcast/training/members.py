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
from safetensors.numpy import load_file

from lstmcast.compute.interrupt import SignalDeferral
from lstmcast.compute.jobs import count_cores, default_jobs, is_local_engine, run_jobs
from lstmcast.compute.progress import Event, OnEvent
from lstmcast.compute.ranks import LostRankError, current_rank_group
from lstmcast.config import Config
from lstmcast.features.candidates import CANDIDATES, N_LOCAL_FEATURES
from lstmcast.features.steps import N_STEP_FEATURES
from lstmcast.features.windows import Windows
from lstmcast.network.inference import iter_batches
from lstmcast.network.losses import LossTargets
from lstmcast.network.torch_network import (
    TorchNetwork,
    adapt_weights_to_loss,
    single_torch_thread,
    to_tensors,
)
from lstmcast.network.trained import NetworkShape, add_covariate_columns, count_recurrent_layers
from lstmcast.ragged import Floats, Ints
from lstmcast.training import device
from lstmcast.training.checkpoint import Checkpoint, TrainingCheckpoint, TrainingStoppedError
from lstmcast.training.loop import TrainingResult, train_network
from lstmcast.training.recipes import Recipe, WeightArrays
from lstmcast.training.sampler import WindowSampler

PRETRAINED_WEIGHTS_FILE = Path(__file__).parents[1] / "pretrained" / "weights.safetensors"
_MAX_VALIDATION_WINDOWS = 800
"""Validation windows that early stopping looks at; the verdict looks at all."""


@dataclass(frozen=True, eq=False)
class Member:
    """A trained network, its recipe, and how its training went."""

    recipe: Recipe
    network: TorchNetwork
    trained: TrainingResult


def load_pretrained_arrays() -> WeightArrays:
    """The shipped weights, trained on synthetic series only (see `pretrain.py`)."""
    return {
        name: value.astype(np.float32) for name, value in load_file(PRETRAINED_WEIGHTS_FILE).items()
    }


class TrainingTask(NamedTuple):
    """Where a member learns and where it is judged: windows, trainable steps [N], validation series and origins [K].

    Of the ranks of one fit each has the windows of its own series alone.
    """

    windows: Windows
    ends: Ints
    series: Ints
    origins: Ints

    def validation_windows(self) -> tuple[Windows, Ints, Ints]:
        """The validation windows; of ranks, those of its own series."""
        own = self.own()
        return self.windows, current_rank_group().local_places(self.series[own]), self.origins[own]

    def own(self) -> Ints:
        """Which of the validation windows are judged here."""
        return np.flatnonzero(current_rank_group().holds(self.series))

    def whole(self, part: Floats, axis: int) -> Floats:
        """What all ranks found of the validation windows, from what this one found of its own, along an axis."""
        return current_rank_group().gather(part, self.own(), len(self.series), axis)


def build_network(recipe: Recipe, windows: Windows) -> TorchNetwork:
    """A network for these windows, with the recipe's starting weights."""
    table, start, model = windows.covariates, recipe.start, recipe.model
    shape = NetworkShape(
        features=N_STEP_FEATURES,
        local=N_LOCAL_FEATURES,
        candidates=len(CANDIDATES),
        hidden=recipe.hidden if start is None else start["state.weight"].shape[0],
        layers=recipe.layers if start is None else count_recurrent_layers(start),
        covariates=0 if table is None else table.step.shape[1],
        ahead=0 if table is None else table.ahead.shape[1],
        cell=model.cell,
        bidirectional=model.bidirectional,
        attention=model.attention,
        layer_norm=model.layer_norm,
        context=windows.context if model.bidirectional or model.attention else 0,
        loss=recipe.loss,
    )
    network = TorchNetwork(shape, recipe.dropout)
    if start is not None:
        network.load_state_dict(
            adapt_weights_to_loss(add_covariate_columns(start, shape), network, recipe.head)
        )
    return network


def train_members(
    recipes: Sequence[Recipe],
    task: TrainingTask,
    jobs: int | None,
    on_event: OnEvent | None,
    checkpoint: Checkpoint | None = None,
    kind: str = "member",
    deadline: float = math.inf,
) -> list[Member]:
    """Train every recipe, several at a time where that pays, one thread each: any number of jobs gives the same.

    With a checkpoint their states are kept, each under `kind` and its number; a signal waits until
    that is done. By the monotonic time `deadline` all must be done; each may take its share of what
    is left when it starts.
    """
    jobs = _choose_jobs(recipes, task, jobs)
    steps = [recipe.schedule.steps for recipe in recipes]
    inline = on_event if jobs == 1 and is_local_engine() else None
    reports = [
        inline and _offset_progress(inline, sum(steps[:k]), sum(steps)) for k in range(len(recipes))
    ]
    keepers = [
        checkpoint and checkpoint.training(f"{kind}-{k}") for k in range(1, len(recipes) + 1)
    ]
    members = []
    rounds = [-(-(len(recipes) - k) // jobs) for k in range(len(recipes))]
    until = time.time() + (
        deadline - time.monotonic()
    )  # monotonic clocks of two machines have nothing in common
    with single_torch_thread(), _stop_on_signal(checkpoint, on_event):
        tasks = ((*one, until) for one in zip(recipes, reports, keepers, rounds, strict=True))
        results = run_jobs(_train_member, tasks, jobs, shared=(task,))
        for number, (recipe, result) in enumerate(zip(recipes, results, strict=True), 1):
            if result is None:
                continue  # stopped: the others are stopping too
            shape, trained = result
            network = TorchNetwork(shape, recipe.dropout).eval()
            network.load_state_dict(trained.weights)
            members.append(Member(recipe, network, trained))
            if on_event:
                last = trained.history[-1]
                done = Event(
                    "member", recipe.name, number, len(recipes), last.loss, trained.validation
                )
                on_event(done)
        if len(members) < len(recipes):
            raise TrainingStoppedError("the training was stopped", "")
    return members


@contextmanager
def _stop_on_signal(checkpoint: Checkpoint | None, on_event: OnEvent | None) -> Iterator[None]:
    """Let a signal ask the trainings to keep their states and to end, and take its course only then."""
    if checkpoint is None:
        yield
        return

    def prepare() -> None:
        checkpoint.stop()
        if on_event:
            on_event(Event("stop", "stopping: keeping what has been learnt"))

    waiting = SignalDeferral(prepare)
    with waiting:
        try:
            yield
        except LostRankError:
            waiting.number = (
                0  # torchrun's own signal, after the loss of a rank: that is what is to be told
            )
            raise


def _train_member(
    task: TrainingTask,
    recipe: Recipe,
    on_event: OnEvent | None,
    keeper: TrainingCheckpoint | None,
    rounds: int,
    until: float,
) -> tuple[NetworkShape, TrainingResult] | None:
    """Job of one member, in a process of its own or in this one; None where it was stopped.

    It may take its share, one of `rounds`, of the time that is left until `until` (Unix time).
    """
    if keeper and keeper.stopped():
        return None
    with single_torch_thread():
        torch.manual_seed(recipe.schedule.seed)
        place = device.choose_device(recipe.schedule.device)
        task = task._replace(windows=device.with_tables_on_device(task.windows, place))
        network = build_network(recipe, task.windows).to(place)
        sampler = WindowSampler.over(task.windows, task.ends)
        share = time.monotonic() + (until - time.time()) / rounds
        try:
            trained = train_network(
                network,
                sampler,
                recipe.schedule,
                _make_validation_loss(task),
                on_event,
                keeper,
                share,
            )
        except TrainingStoppedError:
            return None
        return network.shape, trained._replace(
            weights={name: value.cpu() for name, value in trained.weights.items()}
        )


def _make_validation_loss(task: TrainingTask) -> Callable[[TorchNetwork], float] | None:
    """Mean loss over the validation windows, or evenly chosen ones of them, in scales; None without any."""
    if not len(task.series):
        return None
    chosen = np.unique(
        np.linspace(0, len(task.series) - 1, _MAX_VALIDATION_WINDOWS).astype(np.int64)
    )
    windows, series, origins = task._replace(
        series=task.series[chosen], origins=task.origins[chosen]
    ).validation_windows()

    @torch.no_grad()
    def loss(network: TorchNetwork) -> float:
        total = count = 0.0
        for _, batch in iter_batches(windows, series, origins):
            known = float((~np.isnan(batch.target)).sum())
            truth = LossTargets.of(batch, network.device)
            total += float(network.loss(network(*to_tensors(batch, network.device)), truth)) * known
            count += known
        total, count = current_rank_group().total(total, count)
        return total / max(count, 1)

    return loss


def _choose_jobs(recipes: Sequence[Recipe], task: TrainingTask, jobs: int | None) -> int:
    """Processes to use: starting one costs some seconds, so short trainings stay in this one; ranks train as one."""
    if current_rank_group().size > 1:
        return 1
    if jobs is None and (elsewhere := default_jobs()) > 1:
        jobs = elsewhere
    if jobs is None:
        work = sum(
            r.schedule.steps * r.schedule.batch_size * task.windows.chunk * (r.hidden / 64) ** 2
            for r in recipes
        )
        alone = any(
            device.choose_device(r.schedule.device) != device.CPU for r in recipes
        )  # trainings would share one GPU
        jobs = count_cores() if work > 1.5e6 and not alone else 1
    return max(1, min(jobs, len(recipes)))


def _offset_progress(on_event: OnEvent, done: int, total: int) -> OnEvent:
    """Events of one member as progress over all of them: `done` steps came before it."""
    return lambda event: on_event(replace(event, step=done + event.step, total=total))


def compute_deadline(config: Config) -> float:
    """Monotonic time at which training must be done."""
    budget = config.train.time_budget
    return math.inf if budget is None else time.monotonic() + float(budget)


def describe_time_budget_cuts(config: Config, members: list[Member]) -> tuple[str, ...]:
    """Say which trainings the time budget cut short."""
    cut = [m for m in members if m.trained.stopped]
    done = ", ".join(
        f"{m.recipe.name} after {m.trained.history[-1].step} of {m.recipe.schedule.steps}"
        for m in cut
    )
    return (
        (f"the time budget of {config.train.time_budget:g} s stopped training: {done} steps",)
        if cut
        else ()
    )
