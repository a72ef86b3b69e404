"""What a fit would take: its size, seconds and memory, from a short probe of the same fit.

The probe fits the same data with very few training steps, so that all but the training is measured
whole, and the training by its own clock. Knows no terminal.
"""

import math
import resource
import sys
import time
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch

from lstmcast.compute.jobs import count_cores
from lstmcast.compute.progress import Event
from lstmcast.config import Config
from lstmcast.panel.panel import Panel
from lstmcast.training.forecaster import DEFAULT_PANEL_MEMBERS, MIN_PANEL_SERIES, Forecaster
from lstmcast.training.members import load_pretrained_arrays
from lstmcast.training.recipes import (
    MIN_TIME_STEPS_FROM_SCRATCH,
    Recipe,
    make_panel_recipes,
    make_small_data_recipes,
)

PROBE_STEPS = 4
"""Training steps of each member of the probe."""
FIRST_MEMBER_STEP_SHARE, LATER_MEMBER_STEP_SHARE = 0.5, 0.2
"""Of the steps allowed, how many a panel's first member takes before it stops early, and the others
after it; measured on the sets of the benchmark."""
MIN_PARALLEL_SECONDS = 20.0
"""Seconds of training from which on a fit uses several processes."""


@dataclass(frozen=True)
class CostEstimate:
    """Size and cost of a fit: seconds on an idle machine, bytes of the largest resident set of all its processes."""

    series: int
    steps: int
    freq: str
    horizon: int
    season: int
    context: int
    windows: int
    """Pairs of series and origin with a whole horizon after it."""
    members: int
    parameters: int
    training_steps: int
    """At most, of all members together."""
    seconds: float
    memory: int

    def to_dict(self) -> dict[str, Any]:
        """Plain dictionary."""
        return asdict(self)


class _EventClock:
    """Seconds of processor time, by the events of a fit that runs in this process alone."""

    def __init__(self) -> None:
        self.last = time.process_time()
        self.laps: list[float] = []

    def stamp(self, event: Event) -> None:
        """Note the time since the last event; training tells of its first validation and of its end."""
        now = time.process_time()
        if event.phase == "train":
            self.laps.append(now - self.last)
        self.last = now


def estimate_cost(panel: Panel, config: Config) -> CostEstimate:
    """Estimate what `Forecaster(config).fit(panel)` takes. Raises what the fit would raise of data and settings."""
    asked, many = config.train.steps, len(panel) >= MIN_PANEL_SERIES
    few = replace(
        config,
        train=replace(
            config.train, steps=PROBE_STEPS if asked is None else min(asked, PROBE_STEPS), jobs=1
        ),
    )
    torch.optim.AdamW([torch.zeros(1)])  # loads a great deal at its first use, once
    began, clock = time.process_time(), _EventClock()
    probe = Forecaster(few).fit(panel, on_event=clock.stamp)
    fixed = time.process_time() - began
    scratch = probe.start["from"] == "scratch"
    recipes = _member_recipes(panel, config, scratch=scratch)
    costs = _step_costs(
        clock.laps,
        [one.schedule.steps for one in _member_recipes(panel, few, scratch=scratch)],
        many,
    )
    training = [
        _training_seconds(recipe, *cost, many and k + 1)
        for k, (recipe, cost) in enumerate(zip(recipes, costs, strict=True))
    ]
    jobs = config.train.jobs or (count_cores() if sum(training) > MIN_PARALLEL_SECONDS else 1)
    return CostEstimate(
        series=len(panel),
        steps=int(panel.offsets[-1]),
        freq=panel.axis.freq,
        horizon=probe.horizon,
        season=probe.season,
        context=probe.context,
        windows=int((panel.lengths - probe.horizon).clip(0).sum()),
        members=len(recipes),
        parameters=sum(network.parameters for network in probe.networks),
        training_steps=sum(recipe.schedule.steps for recipe in recipes),
        seconds=fixed
        + min(_parallel_seconds(training, jobs, many), float(config.train.time_budget or math.inf)),
        memory=_peak_memory() * (1 + jobs if jobs > 1 else 1),
    )


def _member_recipes(panel: Panel, config: Config, *, scratch: bool) -> list[Recipe]:
    """How the members of a fit are trained; whatever weights they start from, it is as long from those that ship."""
    start = None if scratch else load_pretrained_arrays()
    if len(panel) >= MIN_PANEL_SERIES:
        return make_panel_recipes(
            config, start, 1 + (config.train.members or DEFAULT_PANEL_MEMBERS)
        )
    covariates = panel.past.shape[1] + panel.future.shape[1] + panel.static.shape[1]
    steps = max(int(panel.lengths.sum()), MIN_TIME_STEPS_FROM_SCRATCH if covariates else 0)
    return make_small_data_recipes(config, start, config.train.members, steps)


def _step_costs(laps: list[float], steps: list[int], many: bool) -> list[tuple[float, float]]:
    """Seconds of a validation and of a training step, for each member of the probe.

    A member makes a lap before its training and, if it trains, one of it with a validation at its
    end. Of many series only the first is validated; before its training the data is prepared.
    """
    if many and steps[0]:
        step = laps[-1] / steps[-1] if len(laps) > 2 else laps[1] / steps[0]
        return [(max(0.0, laps[1] - steps[0] * step), step)] * len(steps)
    left = iter(laps)
    costs = []
    for count in steps:
        check = next(left)
        costs.append((check, max(0.0, next(left) - check) / count if count else 0.0))
    return costs


def _training_seconds(recipe: Recipe, check: float, step: float, place: int) -> float:
    """Seconds that the training of a member takes beyond the probe's, from those of a validation and of a step.

    place: 0 for a member of few series; of many, 1 for the first, which is judged beside its
    training.
    """
    steps = recipe.schedule.steps * (
        1.0 if place == 0 else FIRST_MEMBER_STEP_SHARE if place == 1 else LATER_MEMBER_STEP_SHARE
    )
    checks = steps / recipe.schedule.every if place < 2 else 0
    return max(0.0, steps - PROBE_STEPS) * step + max(0.0, checks - 1) * check


def _parallel_seconds(training: list[float], jobs: int, many: bool) -> float:
    """Seconds of trainings of which `jobs` run at a time; of many series the first goes before the others."""
    first = training[:1] if many else []
    rest = training[len(first) :]
    return sum(first) + max(sum(rest) / jobs, max(rest, default=0.0))


def _peak_memory() -> int:
    """Largest resident set of this process so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (
        1 if sys.platform == "darwin" else 1024
    )
