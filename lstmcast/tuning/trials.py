"""The trials of a search: batches of them learn at one past window after the other, and the unpromising end at each.

Knows what a fit is and what a study, no terminal and nothing of the windows that a search must not
see.
"""

import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lstmcast.compute import jobs as parallel
from lstmcast.compute.progress import Event, OnEvent
from lstmcast.compute.seeds import with_derived_seed
from lstmcast.config import Config
from lstmcast.errors import DivergedError, UsageError
from lstmcast.evaluation.backtest import backtest
from lstmcast.panel.panel import Panel
from lstmcast.tuning import space
from lstmcast.tuning.space import Space
from lstmcast.tuning.study import DONE, INTERRUPTED, PRUNED, RUNNING, Study, Trial

TRIALS_PER_BATCH = 4
"""Trials that are chosen at a time, whatever the number of processes: the same seed makes the same
search."""
COUNTED_STATES = (DONE, PRUNED, RUNNING)
SeriesKey = tuple[str, ...]


class FoldOutcome(NamedTuple):
    """One fit and its forecasts of the horizon after it: the error of each series, their mean, and what error that is.

    why: what kept the fit from coming to an end, empty where it did.
    """

    errors: dict[SeriesKey, float]
    error: float
    measure: str
    season: int
    forecasts: pd.DataFrame | None
    seconds: float
    why: str = ""


class _RunningTrial(NamedTuple):
    trial: Trial
    config: Config
    key: str


class Search:
    """A search of settings on `folds`, panels whose last horizon is forecast from what is before it, newest first."""

    def __init__(
        self,
        book: Study,
        base: Config,
        dimensions: Space,
        folds: Sequence[Panel],
        jobs: int,
        on_event: OnEvent | None,
    ) -> None:
        self.study, self.base, self.space, self.folds, self.jobs = (
            book,
            base,
            dimensions,
            folds,
            jobs,
        )
        self.tell = on_event or (lambda _: None)
        self.defaults = {one.name: space.get_setting(base, one) for one in dimensions}
        self.errors: dict[str, list[float]] = {}
        self.total = 0

    def run(self, trials: int, deadline: Callable[[float], float]) -> None:
        """Bring the study to so many trials, the default first.

        deadline: the monotonic time at which no further fit begins, from the seconds that a fit of
        the default takes. Raises what the default's own fits raise.
        """
        self.total = trials
        self._run_default()
        took = next(
            (
                one.seconds
                for one in self.study.trials()
                if self.is_default(one) and one.state == DONE
            ),
            0.0,
        )
        end = deadline(took / len(self.folds))
        while time.monotonic() < end:
            left = trials - sum(one.state in COUNTED_STATES for one in self.study.trials())
            if left <= 0:
                break
            self._load_known_errors()
            self._run_batch([self.study.ask() for _ in range(min(TRIALS_PER_BATCH, left))], end)
        self.study.clear()
        self._run_default()  # where the process that was at it has died meanwhile

    def best(self) -> Trial:
        """The trial of least error among those that did all windows; of equals the first."""
        return min(
            (one for one in self.study.trials() if one.state == DONE),
            key=lambda one: (one.error, one.number),
        )

    def is_default(self, trial: Trial) -> bool:
        """Whether a trial changes nothing."""
        return self._settings_key(trial) == json.dumps(self.defaults)

    def config(self, trial: Trial) -> Config:
        """The configuration that a trial tries."""
        return space.with_trial_settings(self.base, self.space, trial.settings)

    def _settings_key(self, trial: Trial) -> str:
        return json.dumps(self.defaults | trial.settings)

    def _load_known_errors(self) -> None:
        """Know what the trials so far have found: the same settings find the same again."""
        for one in self.study.trials():
            if len(one.errors) >= len(self.errors.get(self._settings_key(one), ())):
                self.errors[self._settings_key(one)] = [*one.errors]

    def _run_default(self) -> None:
        """Try the default on all windows, unless that is done or another process is at it."""
        self._load_known_errors()
        if any(
            self.is_default(one) and one.state in (DONE, RUNNING) for one in self.study.trials()
        ):
            return
        trial = self.study.ask(self.defaults)
        done = self.errors.setdefault(self._settings_key(trial), [])
        tasks = [(number, self.base, number, True) for number in range(len(done), len(self.folds))]
        seconds = 0.0
        for outcome in parallel.run_jobs(
            fit_and_score_fold, tasks, max(1, min(self.jobs, len(tasks))), shared=(self.folds,)
        ):
            done.append(outcome.error)
            seconds += outcome.seconds
        for fold in range(len(self.folds)):
            self.study.report(trial.number, done[: fold + 1], seconds)
            self.study.should_prune(trial.number)  # makes its rungs known to the others; it stays
        self._finish_trial(trial, DONE)

    def _run_batch(self, batch: Sequence[Trial], end: float) -> None:
        """Run trials side by side, fold by fold."""
        running = []
        for trial in batch:
            try:
                running.append(_RunningTrial(trial, self.config(trial), self._settings_key(trial)))
            except UsageError as wrong:
                self._finish_trial(trial, PRUNED, wrong.message)
        seconds = dict.fromkeys((one.key for one in running), 0.0)
        for number, fold in enumerate(self.folds):
            failed = self._run_fold(running, number, fold, end, seconds)
            running = [one for one in running if self._report_fold(one, number, failed, seconds)]
        for one in running:
            self._finish_trial(one.trial, DONE)

    def _run_fold(
        self,
        running: Sequence[_RunningTrial],
        number: int,
        fold: Panel,
        end: float,
        seconds: dict[str, float],
    ) -> dict[str, str]:
        """Fit what is not known of a fold; returns why settings, by key, could not be fitted."""
        todo = {
            one.key: one.config
            for one in running
            if len(self.errors.setdefault(one.key, [])) <= number
        }
        failed = {}
        tasks = _take_until(end, ((config, number, False) for config in todo.values()))
        results = parallel.run_jobs(
            fit_and_score, tasks, max(1, min(self.jobs, len(todo))), shared=(fold,)
        )
        for key, outcome in zip(todo, results, strict=False):  # fewer results where time runs out
            seconds[key] += outcome.seconds
            if outcome.why:
                failed[key] = outcome.why
            else:
                self.errors[key].append(outcome.error)
        return failed

    def _report_fold(
        self, one: _RunningTrial, number: int, failed: dict[str, str], seconds: dict[str, float]
    ) -> bool:
        """Note what a trial found on a fold, and end it where that is to be the last."""
        found = self.errors[one.key][: number + 1]
        if one.key in failed:
            self._finish_trial(one.trial, PRUNED, failed[one.key])
            return False
        if len(found) <= number:
            self._finish_trial(one.trial, INTERRUPTED, "out of time")
            return False
        self.study.report(one.trial.number, found, seconds[one.key])
        if number + 1 < len(self.folds) and self.study.should_prune(one.trial.number):
            self._finish_trial(one.trial, PRUNED)
            return False
        return True

    def _finish_trial(self, trial: Trial, state: str, why: str = "") -> None:
        self.study.finish(trial.number, state, why)
        known = self.study.trials()
        ended = sum(one.state in (DONE, PRUNED) for one in known)
        best = min((one.error for one in known if one.state == DONE), default=math.nan)
        said = f"trial {trial.number} {state}{f' ({why})' if why else ''}"
        self.tell(Event("tune", said, min(ended, self.total), self.total, validation=best))


def fit_and_score_fold(
    folds: Sequence[Panel], fold: int, config: Config, number: int, strict: bool
) -> FoldOutcome:
    """`fit_once` of one of some panels."""
    return fit_and_score(folds[fold], config, number, strict)


def fit_and_score(panel: Panel, config: Config, number: int, strict: bool) -> FoldOutcome:
    """Learn from all of a panel but its last horizon, and forecast that; all that is random depends on `number` too.

    Settings that cannot be fitted are an outcome, unless `strict`.
    """
    began = time.monotonic()
    seeded = with_derived_seed(config, number)
    try:
        result = backtest(panel, seeded, windows=1)
    except (DivergedError, UsageError) as wrong:
        if strict:
            raise
        return FoldOutcome({}, math.nan, "", 1, None, time.monotonic() - began, wrong.message)
    verdict = result.verdict
    usual = "brier" if verdict.of_events else "mase"
    measure = usual if np.isfinite(verdict.model[usual]) else "mae"
    errors: dict[SeriesKey, float] = {tuple(row["key"]): row[measure] for row in verdict.by_series}
    spent = time.monotonic() - began
    return FoldOutcome(
        errors, verdict.model[measure], measure, verdict.season, result.forecasts, spent
    )


def _take_until(end: float, tasks: Iterator[Any]) -> Iterator[Any]:
    """The tasks, as long as there is time to begin one."""
    for task in tasks:
        if time.monotonic() >= end:
            return
        yield task
