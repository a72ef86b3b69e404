"""The members of a forecaster: networks trained side by side, and judged on validation windows.

Knows no frames and no disk layout but that of the shipped weights.

Axes: N series, K validation windows.
"""

import math
import time
from collections.abc import Iterator, Sequence
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
from lstmcast.network.trained import (
    NetworkShape,
    add_covariate_columns,
    count_recurrent_layers,
)
from lstmcast.ragged import Floats, Ints, choose_evenly
from lstmcast.training import device
from lstmcast.training.checkpoint import (
    Checkpoint,
    TrainingCheckpoint,
    TrainingStoppedError,
)
from lstmcast.training.loop import TrainingResult, ValidationFunction, train_network
from lstmcast.training.recipes import Recipe, WeightArrays
from lstmcast.training.sampler import WindowSampler

PRETRAINED_WEIGHTS_FILE = (
    Path(__file__).parents[1] / "pretrained" / "weights.safetensors"
)
_MAX_VALIDATION_WINDOWS = 800
"""Validation windows that early stopping looks at; the verdict looks at all."""
_MIN_PARALLEL_WORK = 1.5e6
"""Time steps, of networks 64 wide, from which on it pays to start processes."""


@dataclass(frozen=True, eq=False)
class Member:
    """A trained network, its recipe, and how its training went."""

    recipe: Recipe
    network: TorchNetwork
    trained: TrainingResult


def load_pretrained_arrays() -> WeightArrays:
    """Return the shipped weights, trained on synthetic series only (see `pretrain.py`)."""
    arrays = load_file(PRETRAINED_WEIGHTS_FILE)
    return {name: value.astype(np.float32) for name, value in arrays.items()}


class TrainingTask(NamedTuple):
    """Where a member learns and where it is validated.

    windows: those of all series. ends: [N], steps of each series that training may see. series and
    origins: [K] each, the validation windows. Of the ranks of one fit each has the windows of its
    own series only.
    """

    windows: Windows
    ends: Ints
    series: Ints
    origins: Ints

    def validation_windows(self) -> tuple[Windows, Ints, Ints]:
        """Return the validation windows; of ranks, those of the series held here."""
        own = self.own()
        series = current_rank_group().local_places(self.series[own])
        return self.windows, series, self.origins[own]

    def own(self) -> Ints:
        """Return which of the validation windows are validated here."""
        return np.flatnonzero(current_rank_group().holds(self.series))

    def whole(self, part: Floats, axis: int) -> Floats:
        """Return an array of all validation windows from this rank's part of it, along an axis."""
        return current_rank_group().gather(part, self.own(), len(self.series), axis)

    def without_validation(self, ends: Ints) -> "TrainingTask":
        """Return the task to learn from the first `ends` [N] steps, with no window held out."""
        return self._replace(
            ends=ends, series=self.series[:0], origins=self.origins[:0]
        )


def build_network(recipe: Recipe, windows: Windows) -> TorchNetwork:
    """Return a network for these windows, with the recipe's initial weights."""
    covariates, start, model = windows.covariates, recipe.start, recipe.model
    reads_context = model.bidirectional or model.attention
    shape = NetworkShape(
        features=N_STEP_FEATURES,
        local=N_LOCAL_FEATURES,
        candidates=len(CANDIDATES),
        hidden=recipe.hidden if start is None else start["state.weight"].shape[0],
        layers=recipe.layers if start is None else count_recurrent_layers(start),
        covariates=0 if covariates is None else covariates.step.shape[1],
        ahead=0 if covariates is None else covariates.ahead.shape[1],
        cell=model.cell,
        bidirectional=model.bidirectional,
        attention=model.attention,
        layer_norm=model.layer_norm,
        context=windows.context if reads_context else 0,
        loss=recipe.loss,
    )
    network = TorchNetwork(shape, recipe.dropout)
    if start is not None:
        weights = add_covariate_columns(start, shape)
        network.load_state_dict(adapt_weights_to_loss(weights, network, recipe.head))
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
    """Train every recipe, several at a time where that pays, one thread each.

    Any number of jobs gives the same members. With a checkpoint their states are kept, each under
    `kind` and its number; a signal waits until that is done. By the monotonic time `deadline` all
    must be done; each may take its share of what is left when it starts. Raises
    TrainingStoppedError where a signal stopped them.
    """
    jobs = _choose_jobs(recipes, task, jobs)
    inline_events = on_event if jobs == 1 and is_local_engine() else None
    stores = [
        checkpoint.training(f"{kind}-{number}") if checkpoint else None
        for number in range(1, len(recipes) + 1)
    ]
    tasks = _list_tasks(recipes, jobs, inline_events, stores, deadline)
    members = []
    # Two threads are slower on networks this small, and sums would come out in other orders.
    with single_torch_thread(), _stop_on_signal(checkpoint, on_event):
        results = run_jobs(_train_member, tasks, jobs, shared=(task,))
        for number, (recipe, result) in enumerate(
            zip(recipes, results, strict=True), 1
        ):
            if result is None:
                # It was stopped, and the others are stopping too.
                continue
            shape, trained = result
            network = TorchNetwork(shape, recipe.dropout).eval()
            network.load_state_dict(trained.weights)
            members.append(Member(recipe, network, trained))
            if on_event:
                loss, validation = trained.history[-1].loss, trained.validation
                on_event(
                    Event("member", recipe.name, number, len(recipes), loss, validation)
                )
        if len(members) < len(recipes):
            raise TrainingStoppedError("the training was stopped", "")
    return members


class _MemberTask(NamedTuple):
    """The job of one member: the arguments of `_train_member`."""

    recipe: Recipe
    on_event: OnEvent | None
    store: TrainingCheckpoint | None
    rounds: int
    until: float


def _list_tasks(
    recipes: Sequence[Recipe],
    jobs: int,
    on_event: OnEvent | None,
    stores: Sequence[TrainingCheckpoint | None],
    deadline: float,
) -> list[_MemberTask]:
    """Return the jobs of all members."""
    # Monotonic clocks of two machines have nothing in common: workers are given the Unix time.
    until = time.time() + (deadline - time.monotonic())
    total = sum(recipe.schedule.steps for recipe in recipes)
    done = 0
    tasks = []
    for k, (recipe, store) in enumerate(zip(recipes, stores, strict=True)):
        progress = _offset_progress(on_event, done, total) if on_event else None
        # Of the trainings that are left, each worker gets this many, one after the other.
        rounds = math.ceil((len(recipes) - k) / jobs)
        tasks.append(_MemberTask(recipe, progress, store, rounds, until))
        done += recipe.schedule.steps
    return tasks


@contextmanager
def _stop_on_signal(
    checkpoint: Checkpoint | None, on_event: OnEvent | None
) -> Iterator[None]:
    """Let a signal take its course only when the trainings have kept their states and ended."""
    if checkpoint is None:
        yield
        return

    def prepare() -> None:
        checkpoint.stop()
        if on_event:
            on_event(Event("stop", "stopping: keeping what has been learnt"))

    deferral = SignalDeferral(prepare)
    with deferral:
        try:
            yield
        except LostRankError:
            # The signal was torchrun's own, after it lost a rank: that loss is what to report.
            deferral.number = 0
            raise


def _train_member(
    task: TrainingTask,
    recipe: Recipe,
    on_event: OnEvent | None,
    store: TrainingCheckpoint | None,
    rounds: int,
    until: float,
) -> tuple[NetworkShape, TrainingResult] | None:
    """Train one member, in a process of its own or in this one; None where it was stopped.

    It may take its share, one of `rounds`, of the time that is left until `until` (Unix time).
    """
    if store and store.stopped():
        return None
    with single_torch_thread():
        torch.manual_seed(recipe.schedule.seed)
        place = device.choose_device(recipe.schedule.device)
        task = task._replace(windows=device.with_tables_on_device(task.windows, place))
        network = build_network(recipe, task.windows).to(place)
        sampler = WindowSampler.over(task.windows, task.ends)
        deadline = time.monotonic() + (until - time.time()) / rounds
        try:
            trained = train_network(
                network,
                sampler,
                recipe.schedule,
                _make_validation_loss(task),
                on_event,
                store,
                deadline,
            )
        except TrainingStoppedError:
            return None
        weights = {name: value.cpu() for name, value in trained.weights.items()}
        return network.shape, trained._replace(weights=weights)


def _make_validation_loss(task: TrainingTask) -> ValidationFunction | None:
    """Return the mean loss over the validation windows, in scales, as a function of a network.

    Of very many windows evenly chosen ones are looked at. None without any.
    """
    if not len(task.series):
        return None
    chosen = choose_evenly(len(task.series), _MAX_VALIDATION_WINDOWS, round_down=True)
    judged = task._replace(series=task.series[chosen], origins=task.origins[chosen])
    windows, series, origins = judged.validation_windows()

    @torch.no_grad()
    def mean_loss(network: TorchNetwork) -> float:
        total = count = 0.0
        for _, batch in iter_batches(windows, series, origins):
            known = float((~np.isnan(batch.target)).sum())
            targets = LossTargets.of(batch, network.device)
            outputs = network(*to_tensors(batch, network.device))
            # The loss of a batch is a mean: it weighs as many targets as are known in it.
            total += float(network.loss(outputs, targets)) * known
            count += known
        total, count = current_rank_group().total(total, count)
        return total / max(count, 1)

    return mean_loss


def _choose_jobs(
    recipes: Sequence[Recipe], task: TrainingTask, jobs: int | None
) -> int:
    """Return how many processes to use; the ranks of one fit train as one.

    Starting a process costs some seconds, so short trainings stay in this one.
    """
    if current_rank_group().size > 1:
        return 1
    if jobs is None and default_jobs() > 1:
        jobs = default_jobs()
    if jobs is None:
        work = sum(_measure_work(recipe, task.windows) for recipe in recipes)
        devices = [device.choose_device(recipe.schedule.device) for recipe in recipes]
        shares_gpu = any(place != device.CPU for place in devices)
        jobs = count_cores() if work > _MIN_PARALLEL_WORK and not shares_gpu else 1
    return max(1, min(jobs, len(recipes)))


def _measure_work(recipe: Recipe, windows: Windows) -> float:
    """Return the time steps that a training reads, in those of a network 64 wide."""
    schedule = recipe.schedule
    steps_read = schedule.steps * schedule.batch_size * windows.chunk
    # Products of matrices grow with the square of the width.
    return float(steps_read * (recipe.hidden / 64) ** 2)


def _offset_progress(on_event: OnEvent, done: int, total: int) -> OnEvent:
    """Report the steps of one member as progress over all: `done` steps came before it."""
    return lambda event: on_event(replace(event, step=done + event.step, total=total))


def compute_deadline(config: Config) -> float:
    """Return the monotonic time at which training must be done."""
    budget = config.train.time_budget
    return math.inf if budget is None else time.monotonic() + float(budget)


def describe_time_budget_cuts(
    config: Config, members: Sequence[Member]
) -> tuple[str, ...]:
    """Return a note on the trainings that the time budget cut short, if any."""
    cuts = [
        f"{member.recipe.name} after {member.trained.history[-1].step} "
        f"of {member.recipe.schedule.steps}"
        for member in members
        if member.trained.stopped
    ]
    if not cuts:
        return ()
    budget = config.train.time_budget
    return (
        f"the time budget of {budget:g} s stopped training: {', '.join(cuts)} steps",
    )
