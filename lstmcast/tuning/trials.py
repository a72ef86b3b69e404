"""The trials of a search: batches of them learn at one past window after the other, and the unpromising end at each.

Knows what a fit is and what a study, no terminal and nothing of the windows that a search must not see.
"""

import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lstmcast.compute import jobs as parallel
from lstmcast.compute.progress import Event, OnEvent
from lstmcast.config import Config
from lstmcast.errors import DivergedError, UsageError
from lstmcast.evaluation.backtest import backtest
from lstmcast.panel.panel import Panel
from lstmcast.tuning import space
from lstmcast.tuning.space import Space
from lstmcast.tuning.study import DONE, LEFT, PRUNED, RUNNING, Study, Trial

BATCH = 4
"""Trials that are chosen at a time, whatever the number of processes: the same seed makes the same search."""
COUNTED = (DONE, PRUNED, RUNNING)
Key = tuple[str, ...]


class Outcome(NamedTuple):
    """One fit and its forecasts of the horizon after it: the error of each series, their mean, and what error that is.

    why: what kept the fit from coming to an end, empty where it did.
    """

    errors: dict[Key, float]
    error: float
    measure: str
    season: int
    forecasts: pd.DataFrame | None
    seconds: float
    why: str = ""


class _Running(NamedTuple):
    trial: Trial
    config: Config
    key: str


class Search:
    """A search of settings on `folds`, panels whose last horizon is forecast from what is before it, newest first."""

    def __init__(
        self, book: Study, base: Config, dimensions: Space, folds: Sequence[Panel], jobs: int, on_event: OnEvent | None
    ) -> None:
        self.book, self.base, self.space, self.folds, self.jobs = book, base, dimensions, folds, jobs
        self.tell = on_event or (lambda _: None)
        self.defaults = {one.name: space.own(base, one) for one in dimensions}
        self.errors: dict[str, list[float]] = {}
        self.total = 0

    def run(self, trials: int, deadline: Callable[[float], float]) -> None:
        """Bring the study to so many trials, the default first.

        deadline: the monotonic time at which no further fit begins, from the seconds that a fit of the default takes.
        Raises what the default's own fits raise.
        """
        self.total = trials
        self._settle_default()
        took = next((one.seconds for one in self.book.trials() if self.is_default(one) and one.state == DONE), 0.0)
        end = deadline(took / len(self.folds))
        while time.monotonic() < end:
            left = trials - sum(one.state in COUNTED for one in self.book.trials())
            if left <= 0:
                break
            self._recall()
            self._try([self.book.ask() for _ in range(min(BATCH, left))], end)
        self.book.clear()
        self._settle_default()  # where the process that was at it has died meanwhile

    def best(self) -> Trial:
        """The trial of least error among those that did all windows; of equals the first."""
        return min((one for one in self.book.trials() if one.state == DONE), key=lambda one: (one.error, one.number))

    def is_default(self, trial: Trial) -> bool:
        """Whether a trial changes nothing."""
        return self._key(trial) == json.dumps(self.defaults)

    def config(self, trial: Trial) -> Config:
        """The configuration that a trial tries."""
        return space.changed(self.base, self.space, trial.settings)

    def _key(self, trial: Trial) -> str:
        return json.dumps(self.defaults | trial.settings)

    def _recall(self) -> None:
        """Know what the trials so far have found: the same settings find the same again."""
        for one in self.book.trials():
            if len(one.errors) >= len(self.errors.get(self._key(one), ())):
                self.errors[self._key(one)] = [*one.errors]

    def _settle_default(self) -> None:
        """Try the default on all windows, unless that is done or another process is at it."""
        self._recall()
        if any(self.is_default(one) and one.state in (DONE, RUNNING) for one in self.book.trials()):
            return
        trial = self.book.ask(self.defaults)
        done = self.errors.setdefault(self._key(trial), [])
        tasks = [(number, self.base, number, True) for number in range(len(done), len(self.folds))]
        seconds = 0.0
        for outcome in parallel.run(fit_fold, tasks, max(1, min(self.jobs, len(tasks))), shared=(self.folds,)):
            done.append(outcome.error)
            seconds += outcome.seconds
        for fold in range(len(self.folds)):
            self.book.report(trial.number, done[: fold + 1], seconds)
            self.book.unpromising(trial.number)  # makes its rungs known to the others; it stays
        self._finish(trial, DONE)

    def _try(self, batch: Sequence[Trial], end: float) -> None:
        """Run trials side by side, fold by fold."""
        running = []
        for trial in batch:
            try:
                running.append(_Running(trial, self.config(trial), self._key(trial)))
            except UsageError as wrong:
                self._finish(trial, PRUNED, wrong.message)
        seconds = dict.fromkeys((one.key for one in running), 0.0)
        for number, fold in enumerate(self.folds):
            failed = self._rung(running, number, fold, end, seconds)
            running = [one for one in running if self._stays(one, number, failed, seconds)]
        for one in running:
            self._finish(one.trial, DONE)

    def _rung(
        self, running: Sequence[_Running], number: int, fold: Panel, end: float, seconds: dict[str, float]
    ) -> dict[str, str]:
        """Fit what is not known of a fold; returns why settings, by key, could not be fitted."""
        todo = {one.key: one.config for one in running if len(self.errors.setdefault(one.key, [])) <= number}
        failed = {}
        tasks = _until(end, ((config, number, False) for config in todo.values()))
        results = parallel.run(fit_once, tasks, max(1, min(self.jobs, len(todo))), shared=(fold,))
        for key, outcome in zip(todo, results, strict=False):  # fewer results where time runs out
            seconds[key] += outcome.seconds
            if outcome.why:
                failed[key] = outcome.why
            else:
                self.errors[key].append(outcome.error)
        return failed

    def _stays(self, one: _Running, number: int, failed: dict[str, str], seconds: dict[str, float]) -> bool:
        """Note what a trial found on a fold, and end it where that is to be the last."""
        found = self.errors[one.key][: number + 1]
        if one.key in failed:
            self._finish(one.trial, PRUNED, failed[one.key])
            return False
        if len(found) <= number:
            self._finish(one.trial, LEFT, "out of time")
            return False
        self.book.report(one.trial.number, found, seconds[one.key])
        if number + 1 < len(self.folds) and self.book.unpromising(one.trial.number):
            self._finish(one.trial, PRUNED)
            return False
        return True

    def _finish(self, trial: Trial, state: str, why: str = "") -> None:
        self.book.finish(trial.number, state, why)
        known = self.book.trials()
        ended = sum(one.state in (DONE, PRUNED) for one in known)
        best = min((one.error for one in known if one.state == DONE), default=math.nan)
        said = f"trial {trial.number} {state}{f' ({why})' if why else ''}"
        self.tell(Event("tune", said, min(ended, self.total), self.total, validation=best))


def fit_fold(folds: Sequence[Panel], fold: int, config: Config, number: int, strict: bool) -> Outcome:
    """`fit_once` of one of some panels."""
    return fit_once(folds[fold], config, number, strict)


def fit_once(panel: Panel, config: Config, number: int, strict: bool) -> Outcome:
    """Learn from all of a panel but its last horizon, and forecast that; all that is random depends on `number` too.

    Settings that cannot be fitted are an outcome, unless `strict`.
    """
    began = time.monotonic()
    state = np.random.SeedSequence([config.train.seed, number]).generate_state(1)
    seeded = replace(config, train=replace(config.train, seed=int(state[0]) >> 1))
    try:
        result = backtest(panel, seeded, windows=1)
    except (DivergedError, UsageError) as wrong:
        if strict:
            raise
        return Outcome({}, math.nan, "", 1, None, time.monotonic() - began, wrong.message)
    verdict = result.verdict
    usual = "brier" if verdict.of_events else "mase"
    measure = usual if np.isfinite(verdict.model[usual]) else "mae"
    errors: dict[Key, float] = {tuple(row["key"]): row[measure] for row in verdict.by_series}
    spent = time.monotonic() - began
    return Outcome(errors, verdict.model[measure], measure, verdict.season, result.forecasts, spent)


def _until(end: float, tasks: Iterator[Any]) -> Iterator[Any]:
    """The tasks, as long as there is time to begin one."""
    for task in tasks:
        if time.monotonic() >= end:
            return
        yield task
