"""The cost of a fit: its size, seconds and memory, estimated from a short probe of the same fit.

The probe fits the same data with very few training steps, so that all but the training is measured
whole, and the training by its own clock. Knows no terminal.

Axes: M ensemble members.
"""

import math
import time
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

import torch

from lstmcast.compute.jobs import count_cores
from lstmcast.compute.progress import Event
from lstmcast.compute.system import peak_memory
from lstmcast.config import Config
from lstmcast.panel.panel import Panel
from lstmcast.training.forecaster import (
    DEFAULT_PANEL_MEMBERS,
    MIN_PANEL_SERIES,
    Forecaster,
)
from lstmcast.training.initial_weights import load_pretrained_arrays
from lstmcast.training.recipes import (
    MIN_TIME_STEPS_FROM_SCRATCH,
    Recipe,
    make_panel_recipes,
    make_small_data_recipes,
)

PROBE_STEPS = 4
"""Training steps of each member of the probe."""
FIRST_MEMBER_STEP_SHARE, LATER_MEMBER_STEP_SHARE = 0.5, 0.2
"""Shares of the allowed steps that a panel's first member takes before it stops early, and that the
others take after it; measured on the data sets of the benchmark."""
MIN_PARALLEL_SECONDS = 20.0
"""Seconds of training from which on a fit uses several processes."""


@dataclass(frozen=True)
class CostEstimate:
    """Size and cost of a fit.

    windows: pairs of series and origin with a whole horizon after it. parameters, training_steps:
    of all members together, the steps at most. seconds: on an idle machine. memory: bytes of the
    largest resident set of all its processes.
    """

    series: int
    steps: int
    freq: str
    horizon: int
    season: int
    context: int
    windows: int
    members: int
    parameters: int
    training_steps: int
    seconds: float
    memory: int

    def to_dict(self) -> dict[str, Any]:
        """Return a plain dictionary, ready for JSON."""
        return asdict(self)


class _StepCost(NamedTuple):
    """Seconds of a validation, and of a training step."""

    validation: float
    step: float


class _EventClock:
    """Processor time between the events of a fit that runs in this process only."""

    def __init__(self) -> None:
        self.last = time.process_time()
        self.laps: list[float] = []

    def stamp(self, event: Event) -> None:
        """Record the time since the last event, at a validation or at the end of training."""
        now = time.process_time()
        if event.phase == "train":
            self.laps.append(now - self.last)
        self.last = now


def estimate_cost(panel: Panel, config: Config) -> CostEstimate:
    """Estimate what `Forecaster(config).fit(panel)` takes.

    Raises what the fit would raise of data and settings.
    """
    is_panel = len(panel) >= MIN_PANEL_SERIES

    probe_config = _with_few_steps(config)
    # The first optimizer loads much that is loaded only once: that is no part of the estimate.
    torch.optim.AdamW([torch.zeros(1)])

    began = time.process_time()
    clock = _EventClock()
    forecaster = Forecaster(probe_config)
    probe = forecaster.fit(panel, on_event=clock.stamp)
    fixed = time.process_time() - began

    scratch = probe.start["from"] == "scratch"
    recipes = _member_recipes(panel, config, scratch=scratch)
    probe_recipes = _member_recipes(panel, probe_config, scratch=scratch)
    probe_steps = [recipe.schedule.steps for recipe in probe_recipes]
    costs = _step_costs(clock.laps, probe_steps, is_panel)

    training = []
    for number, (recipe, cost) in enumerate(zip(recipes, costs, strict=True), start=1):
        place = number if is_panel else 0
        training.append(_training_seconds(recipe, cost, place))

    is_long = sum(training) > MIN_PARALLEL_SECONDS
    jobs = config.train.jobs or (count_cores() if is_long else 1)
    # Each worker holds as much as this process did.
    processes = 1 + jobs if jobs > 1 else 1
    budget = float(config.train.time_budget or math.inf)
    training_seconds = _parallel_seconds(training, jobs, is_panel)
    windows = panel.lengths - probe.horizon

    return CostEstimate(
        series=len(panel),
        steps=int(panel.offsets[-1]),
        freq=panel.axis.freq,
        horizon=probe.horizon,
        season=probe.season,
        context=probe.context,
        windows=int(windows.clip(0).sum()),
        members=len(recipes),
        parameters=sum(network.parameters for network in probe.networks),
        training_steps=sum(recipe.schedule.steps for recipe in recipes),
        seconds=fixed + min(training_seconds, budget),
        memory=peak_memory() * processes,
    )


def _with_few_steps(config: Config) -> Config:
    """The configuration of the probe: as many training steps as it takes, in one process."""
    steps = PROBE_STEPS
    if config.train.steps is not None:
        steps = min(config.train.steps, PROBE_STEPS)
    train = replace(config.train, steps=steps, jobs=1)
    return replace(config, train=train)


def _member_recipes(panel: Panel, config: Config, *, scratch: bool) -> list[Recipe]:
    """How the members of a fit are trained.

    Whatever weights they start from, training takes as long as from the pretrained ones.
    """
    start = None if scratch else load_pretrained_arrays()
    members = config.train.members
    if len(panel) >= MIN_PANEL_SERIES:
        later_members = members or DEFAULT_PANEL_MEMBERS
        return make_panel_recipes(config, start, 1 + later_members)

    steps = int(panel.lengths.sum())
    covariates = (panel.past, panel.future, panel.static)
    if any(values.shape[1] for values in covariates):
        steps = max(steps, MIN_TIME_STEPS_FROM_SCRATCH)
    return make_small_data_recipes(config, start, members, steps)


def _step_costs(laps: list[float], steps: list[int], is_panel: bool) -> list[_StepCost]:
    """The cost of a validation and of a training step, for each member of the probe.

    A member makes a lap before its training and, if it trains, one of it with a validation at its
    end. Of a panel only the first member is validated, and before its training the data is
    prepared.
    """
    if is_panel and steps[0] and len(laps) > 1:
        first_lap = laps[1]
        step = first_lap / steps[0]
        if len(laps) > 2:
            # Later members train without validation: the last lap is of steps only.
            step = laps[-1] / steps[-1]
        validation = first_lap - steps[0] * step
        cost = _StepCost(max(0.0, validation), step)
        return [cost] * len(steps)

    # A lap for the first validation, then one for the steps and the validation after them. Series
    # that are too short to hold a window out are not trained on: then there are no laps.
    next_lap = iter(laps)
    costs = []
    for count in steps:
        validation = next(next_lap, 0.0)
        step = 0.0
        if count:
            training = next(next_lap, validation) - validation
            step = max(0.0, training) / count
        costs.append(_StepCost(validation, step))
    return costs


def _training_seconds(recipe: Recipe, cost: _StepCost, place: int) -> float:
    """Seconds that the training of a member takes beyond those of the probe.

    place: 0 for a member of few series; of a panel, 1 for the first, which is validated beside its
    training.
    """
    share = 1.0
    if place > 0:
        share = FIRST_MEMBER_STEP_SHARE if place == 1 else LATER_MEMBER_STEP_SHARE

    steps = recipe.schedule.steps * share
    validations = steps / recipe.schedule.every if place < 2 else 0

    # The probe took a few steps and one validation already.
    more_steps = max(0.0, steps - PROBE_STEPS)
    more_validations = max(0.0, validations - 1)
    return more_steps * cost.step + more_validations * cost.validation


def _parallel_seconds(training: list[float], jobs: int, is_panel: bool) -> float:
    """Seconds of trainings, `jobs` of them at a time; of a panel the first precedes the others."""
    # The others of a panel take as many steps as the first turns out to need.
    alone = 1 if is_panel else 0
    first = sum(training[:alone])
    rest = training[alone:]
    # No more than a share for each process, but no less than the longest.
    share = sum(rest) / jobs
    longest = max(rest, default=0.0)
    return first + max(share, longest)
