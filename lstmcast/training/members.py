"""The members of a forecaster: networks trained side by side, and judged on validation windows.

Knows no frames and no disk layout.
"""

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import torch

from lstmcast.compute.interrupt import SignalDeferral
from lstmcast.compute.jobs import count_cores, default_jobs, is_local_engine, run_jobs
from lstmcast.compute.progress import Event, OnEvent
from lstmcast.compute.ranks import LostRankError, current_rank_group
from lstmcast.config import Config
from lstmcast.errors import DivergedError, format_names
from lstmcast.features.windows import Windows
from lstmcast.network.inference import iter_batches
from lstmcast.network.losses import LossTargets
from lstmcast.network.torch_network import (
    TorchNetwork,
    adapt_weights_to_loss,
    single_torch_thread,
    to_tensors,
    to_trained_network,
)
from lstmcast.network.trained import (
    NetworkShape,
    TrainedNetwork,
    add_covariate_columns,
)
from lstmcast.ragged import choose_evenly
from lstmcast.training import device
from lstmcast.training.checkpoint import (
    Checkpoint,
    TrainingCheckpoint,
    TrainingStoppedError,
)
from lstmcast.training.loop import TrainingResult, ValidationFunction, train_network
from lstmcast.training.recipes import Recipe, WeightArrays, choose_network_shape
from lstmcast.training.sampler import TrainingTask, WindowSampler

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


class TrainingPlan(NamedTuple):
    """What the members of a fit are trained from, and until when.

    start: weights to start from, of a network that was trained for the loss `head`; None for
    scratch. jobs: processes that train side by side. deadline: monotonic time at which the training
    must be done.
    """

    task: TrainingTask
    start: WeightArrays | None
    head: str
    jobs: int | None
    on_event: OnEvent | None
    checkpoint: Checkpoint | None
    deadline: float

    def train_probe(self, recipes: Sequence[Recipe]) -> list[Member]:
        """Train the first of the recipes in its share of the time; return it as the only one."""
        now = time.monotonic()
        share = (self.deadline - now) / len(recipes)
        in_time = self._replace(deadline=now + share)
        return in_time.train(recipes[:1], "probe")

    def train(self, recipes: Sequence[Recipe], kind: str = "member") -> list[Member]:
        """Train every recipe, see `train_members`."""
        return train_members(
            recipes,
            self.task,
            self.jobs,
            self.on_event,
            self.checkpoint,
            kind,
            self.deadline,
        )


def build_network(recipe: Recipe, windows: Windows) -> TorchNetwork:
    """Return a network for these windows, with the recipe's initial weights."""
    shape = choose_network_shape(recipe, windows)
    network = TorchNetwork(shape, recipe.dropout)
    if recipe.start is not None:
        weights = add_covariate_columns(recipe.start, shape)
        adapted = adapt_weights_to_loss(weights, network, recipe.head)
        network.load_state_dict(adapted)
    return network


def build_untrained_network(recipe: Recipe, windows: Windows) -> TrainedNetwork:
    """Return the network of a recipe before any training."""
    return to_trained_network(build_network(recipe, windows))


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
    must be done; each may take its share of what is left when it starts. A member that diverges is
    left out. Raises TrainingStoppedError where a signal stopped them, DivergedError where all
    diverged.
    """
    jobs = _choose_jobs(recipes, task, jobs)
    count = len(recipes)
    # Workers of another process cannot call back.
    is_inline = jobs == 1 and is_local_engine()
    inline_events = on_event if is_inline else None
    stores = _open_stores(checkpoint, kind, count)
    tasks = _list_tasks(recipes, jobs, inline_events, stores, deadline)
    members = []
    diverged: list[str] = []
    # Two threads are slower on networks this small, and sums would come out in other orders.
    with single_torch_thread(), _stop_on_signal(checkpoint, on_event):
        results = run_jobs(_train_member, tasks, jobs, shared=(task,))
        pairs = zip(recipes, results, strict=True)
        for number, (recipe, result) in enumerate(pairs, 1):
            if result is None:
                # It was stopped, and the others are stopping too.
                continue
            if isinstance(result, str):
                diverged.append(result)
                continue
            shape, trained = result
            network = TorchNetwork(shape, recipe.dropout).eval()
            network.load_state_dict(trained.weights)
            members.append(Member(recipe, network, trained))
            if on_event:
                loss = trained.history[-1].loss
                validation = trained.validation
                on_event(Event("member", recipe.name, number, count, loss, validation))
        if len(members) + len(diverged) < count:
            raise TrainingStoppedError("the training was stopped", "")
    if diverged and not members:
        raise DivergedError(diverged[0], "try a lower --lr, or leave it out")
    return members


def _open_stores(
    checkpoint: Checkpoint | None, kind: str, count: int
) -> list[TrainingCheckpoint | None]:
    """Return where `count` trainings keep their states, each under `kind` and its number."""
    if checkpoint is None:
        return [None] * count
    stores: list[TrainingCheckpoint | None] = []
    for number in range(1, count + 1):
        store = checkpoint.training(f"{kind}-{number}")
        stores.append(store)
    return stores


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
    left = deadline - time.monotonic()
    until = time.time() + left
    total = sum(recipe.schedule.steps for recipe in recipes)
    done = 0
    tasks = []
    for k, (recipe, store) in enumerate(zip(recipes, stores, strict=True)):
        progress = None
        if on_event:
            progress = _offset_progress(on_event, done, total)
        # Of the trainings that are left, each worker gets this many, one after the other.
        trainings = len(recipes) - k
        rounds = math.ceil(trainings / jobs)
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
) -> tuple[NetworkShape, TrainingResult] | str | None:
    """Train one member, in a process of its own or in this one; None where it was stopped.

    Where it diverged, what went wrong is returned as text: the others may do without it. It may
    take its share, one of `rounds`, of the time that is left until `until` (Unix time).
    """
    if store and store.stopped():
        return None
    schedule = recipe.schedule
    with single_torch_thread():
        torch.manual_seed(schedule.seed)
        place = device.choose_device(schedule.device)
        windows = device.with_tables_on_device(task.windows, place)
        task = task._replace(windows=windows)
        network = build_network(recipe, windows).to(place)
        sampler = WindowSampler.over(windows, task.ends)
        validate = _make_validation_loss(task)
        left = until - time.time()
        deadline = time.monotonic() + left / rounds
        try:
            trained = train_network(
                network, sampler, schedule, validate, on_event, store, deadline
            )
        except TrainingStoppedError:
            return None
        except DivergedError as error:
            return error.message
        # Whoever reads the result need not have the device.
        weights = {}
        for name, value in trained.weights.items():
            weights[name] = value.cpu()
        return network.shape, trained._replace(weights=weights)


def _make_validation_loss(task: TrainingTask) -> ValidationFunction | None:
    """Return the mean loss over the validation windows, in scales, as a function of a network.

    Of very many windows evenly chosen ones are looked at. None without any.
    """
    count = len(task.series)
    if not count:
        return None
    chosen = choose_evenly(count, _MAX_VALIDATION_WINDOWS, round_down=True)
    chosen_series = task.series[chosen]
    chosen_origins = task.origins[chosen]
    judged = task._replace(series=chosen_series, origins=chosen_origins)
    windows, series, origins = judged.validation_windows()

    @torch.no_grad()
    def mean_loss(network: TorchNetwork) -> float:
        total = known_total = 0.0
        for _, batch in iter_batches(windows, series, origins):
            is_known = ~np.isnan(batch.target)
            known = float(is_known.sum())
            targets = LossTargets.of(batch, network.device)
            inputs = to_tensors(batch, network.device)
            outputs = network(*inputs)
            loss = network.loss(outputs, targets)
            # The loss of a batch is a mean: it weighs as many targets as are known in it.
            total += float(loss) * known
            known_total += known
        group = current_rank_group()
        total, known_total = group.total(total, known_total)
        return total / max(known_total, 1)

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
        work = 0.0
        shares_gpu = False
        for recipe in recipes:
            work += _measure_work(recipe, task.windows)
            place = device.choose_device(recipe.schedule.device)
            shares_gpu = shares_gpu or place != device.CPU
        is_long = work > _MIN_PARALLEL_WORK
        jobs = count_cores() if is_long and not shares_gpu else 1
    jobs = min(jobs, len(recipes))
    return max(1, jobs)


def _measure_work(recipe: Recipe, windows: Windows) -> float:
    """Return the time steps that a training reads, in those of a network 64 wide."""
    schedule = recipe.schedule
    chunks = schedule.steps * schedule.batch_size
    steps_read = chunks * windows.chunk
    # Products of matrices grow with the square of the width.
    width = recipe.hidden / 64
    return float(steps_read * width**2)


def _offset_progress(on_event: OnEvent, done: int, total: int) -> OnEvent:
    """Report the steps of one member as progress over all: `done` steps came before it."""

    def report(event: Event) -> None:
        step = done + event.step
        on_event(replace(event, step=step, total=total))

    return report


def compute_deadline(config: Config) -> float:
    """Return the monotonic time at which training must be done."""
    budget = config.train.time_budget
    if budget is None:
        return math.inf
    return time.monotonic() + float(budget)


def describe_dropped(
    recipes: Sequence[Recipe], members: Sequence[Member]
) -> tuple[str, ...]:
    """Return a note on the recipes whose networks diverged and are no members, if any."""
    trained = {member.recipe.name for member in members}
    dropped = [recipe.name for recipe in recipes if recipe.name not in trained]
    if not dropped:
        return ()
    names = format_names(dropped)
    return (f"diverged in training and left out: {names}",)


def describe_divergence(members: Sequence[Member]) -> tuple[str, ...]:
    """Say which members diverged, and what was done about it."""
    return tuple(
        f"{member.recipe.name} {member.trained.diverged}"
        for member in members
        if member.trained.diverged
    )


def tabulate_history(members: Sequence[Member]) -> list[dict[str, Any]]:
    """Return a row for each validation of each member, with the name of the member."""
    return [
        {"member": member.recipe.name, **record._asdict()}
        for member in members
        for record in member.trained.history
    ]


def describe_time_budget_cuts(
    config: Config, members: Sequence[Member]
) -> tuple[str, ...]:
    """Return a note on the trainings that the time budget cut short, if any."""
    cuts = []
    for member in members:
        if member.trained.stopped:
            recipe = member.recipe
            done = member.trained.history[-1].step
            planned = recipe.schedule.steps
            cuts.append(f"{recipe.name} after {done} of {planned}")
    if not cuts:
        return ()
    listed = ", ".join(cuts)
    budget = config.train.time_budget
    return (f"the time budget of {budget:g} s stopped training: {listed} steps",)
