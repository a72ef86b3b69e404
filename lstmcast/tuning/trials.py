"""The trials of a search: they learn at one past window after another, and weak ones end early.

Knows what a fit is and what a study is, but no terminal and none of the windows that a search must
not see. A fold is a panel whose last horizon is forecast from what is before it.
"""

import json
import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
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
from lstmcast.tuning.space import Space, get_settings, with_trial_settings
from lstmcast.tuning.study import DONE, INTERRUPTED, PRUNED, RUNNING, Study, Trial

TRIALS_PER_BATCH = 4
"""Trials that are chosen at a time, whatever the number of processes, so that the same seed makes
the same search."""
COUNTED_STATES = (DONE, PRUNED, RUNNING)
SeriesKey = tuple[str, ...]


class FoldOutcome(NamedTuple):
    """One fit and its forecasts of the horizon after it.

    errors: of each series. error: their mean. measure: which error that is. why: what kept the fit
    from coming to an end, empty where it did.
    """

    errors: dict[SeriesKey, float]
    error: float
    measure: str
    season: int
    forecasts: pd.DataFrame | None
    seconds: float
    why: str = ""


class _RunningTrial(NamedTuple):
    """A trial with its configuration, and its settings as the key to its errors."""

    trial: Trial
    config: Config
    key: str


class Search:
    """A search of settings on `folds`, the newest first; `base` is what a trial changes."""

    def __init__(
        self,
        study: Study,
        base: Config,
        space: Space,
        folds: Sequence[Panel],
        jobs: int,
        on_event: OnEvent | None,
    ) -> None:
        self.study = study
        self.base = base
        self.space = space
        self.folds = folds
        self.jobs = jobs
        self.report_event = on_event or (lambda _: None)
        self.defaults = get_settings(base, space)
        self.errors: dict[str, list[float]] = {}
        """Errors on the folds so far, by the key of the settings."""
        self.total = 0
        self.least = math.nan
        """The least error of a trial so far."""

    def run(self, trials: int, deadline: Callable[[float], float]) -> None:
        """Bring the study to so many trials, the default first.

        deadline: the monotonic time at which no further fit begins, from the seconds that a fit of
        the default takes. Raises what the default's own fits raise.
        """
        self.total = trials
        self._run_default()
        seconds_per_fit = self._default_seconds() / len(self.folds)
        end = deadline(seconds_per_fit)

        while time.monotonic() < end:
            so_far = self.study.trials()
            counted = sum(trial.state in COUNTED_STATES for trial in so_far)
            left = trials - counted
            if left <= 0:
                break
            self._load_known_errors()  # other processes may have added some
            count = min(TRIALS_PER_BATCH, left)
            batch = [self.study.ask() for _ in range(count)]
            self._run_batch(batch, end)

        self.study.clear()
        # Another process may have died while it tried the default.
        self._run_default()

    def best(self) -> Trial:
        """Return the trial of least error among those that did all windows; of equals the first."""
        trials = self.study.trials()
        done = [trial for trial in trials if trial.state == DONE]
        return min(done, key=lambda trial: (trial.error, trial.number))

    def is_default(self, trial: Trial) -> bool:
        """Whether a trial changes nothing."""
        default_key = json.dumps(self.defaults)
        return self._settings_key(trial) == default_key

    def config(self, trial: Trial) -> Config:
        """Return the configuration that a trial tries."""
        return with_trial_settings(self.base, self.space, trial.settings)

    def _settings_key(self, trial: Trial) -> str:
        settings = self.defaults | trial.settings
        return json.dumps(settings)

    def _default_seconds(self) -> float:
        """Return what the default took on all folds; 0 where another process tries it."""
        for trial in self.study.trials():
            if self.is_default(trial) and trial.state == DONE:
                return trial.seconds
        return 0.0

    def _load_known_errors(self) -> None:
        """Take over the errors of the trials so far: the same settings have the same again."""
        for trial in self.study.trials():
            key = self._settings_key(trial)
            known = self.errors.get(key, ())
            if len(trial.errors) >= len(known):
                self.errors[key] = [*trial.errors]

    def _run_default(self) -> None:
        """Try the default on all windows, unless that is done or another process is at it."""
        self._load_known_errors()
        for trial in self.study.trials():
            if self.is_default(trial) and trial.state in (DONE, RUNNING):
                return

        trial = self.study.ask(self.defaults)
        key = self._settings_key(trial)
        errors = self.errors.setdefault(key, [])
        folds = range(len(self.folds))
        # An earlier trial of the default may have got as far as some fold.
        known = len(errors)
        tasks = [(fold, self.base, fold, True) for fold in folds[known:]]
        shared = (self.folds,)
        seconds = 0.0
        for outcome in self._run_fits(
            fit_and_score_fold, tasks, len(tasks), shared, "the default settings"
        ):
            errors.append(outcome.error)
            seconds += outcome.seconds

        for fold in folds:
            so_far = errors[: fold + 1]
            self.study.report(trial.number, so_far, seconds)
            # Shows the others how far the default got at this fold; the default itself goes on.
            self.study.should_prune(trial.number)
        self._finish_trial(trial, DONE)

    def _run_batch(self, batch: Sequence[Trial], end: float) -> None:
        """Run trials side by side, fold by fold."""
        running = []
        for trial in batch:
            try:
                config = self.config(trial)
            except UsageError as error:
                # Settings that exclude one another: each alone was checked before.
                self._finish_trial(trial, PRUNED, error.message)
            else:
                key = self._settings_key(trial)
                running.append(_RunningTrial(trial, config, key))

        seconds = {entry.key: 0.0 for entry in running}
        for number in range(len(self.folds)):
            failures = self._run_fold(running, number, end, seconds)
            going_on = []
            for entry in running:
                if self._report_fold(entry, number, failures, seconds):
                    going_on.append(entry)
            running = going_on
        for entry in running:
            self._finish_trial(entry.trial, DONE)

    def _run_fold(
        self,
        running: Sequence[_RunningTrial],
        number: int,
        end: float,
        seconds: dict[str, float],
    ) -> dict[str, str]:
        """Fit the settings whose error on a fold is not known, and add what they took to `seconds`.

        Returns why settings, by key, could not be fitted.
        """
        # By key: two trials may have the same settings, which are fitted once.
        unknown = {}
        for entry in running:
            known = self.errors.setdefault(entry.key, [])
            if len(known) <= number:
                unknown[entry.key] = entry.config

        all_tasks = [(config, number, False) for config in unknown.values()]
        tasks = _take_until(end, all_tasks)
        shared = (self.folds[number],)
        what = f"{len(running)} trials, window {number + 1} of {len(self.folds)}"
        done_before = number * len(running)
        outcomes = self._run_fits(
            fit_and_score, tasks, len(all_tasks), shared, what, done_before
        )

        failures = {}
        # There are fewer outcomes than settings where time runs out.
        for key, outcome in zip(unknown, outcomes, strict=False):
            seconds[key] += outcome.seconds
            if outcome.why:
                failures[key] = outcome.why
            else:
                self.errors[key].append(outcome.error)
        return failures

    def _run_fits(
        self,
        work: Callable[..., FoldOutcome],
        tasks: Iterable[tuple[Any, ...]],
        count: int,
        shared: tuple[Any, ...],
        message: str,
        done_before: int = 0,
    ) -> Iterator[FoldOutcome]:
        """Yield the outcomes of some fits, and report how far they are while they go on.

        count: how many they are at most. done_before: fits of the same trials on earlier folds.
        """
        jobs = max(1, min(self.jobs, count))
        ended = self._count_ended()

        def report_part(event: Event) -> None:
            # A trial is a fit of each fold.
            done = done_before + event.step + event.part
            part = done / len(self.folds)
            self.report_event(
                Event(
                    "tune", message, ended, self.total, validation=self.least, part=part
                )
            )

        fits = parallel.run_followed_jobs(
            work, tasks, jobs, report_part, Event("fits"), shared=shared
        )
        yield from fits

    def _count_ended(self) -> int:
        """Return how many trials have come to their end; other processes may have added some."""
        states = [trial.state for trial in self.study.trials()]
        ended = sum(state in (DONE, PRUNED) for state in states)
        return min(ended, self.total)

    def _report_fold(
        self,
        entry: _RunningTrial,
        number: int,
        failures: dict[str, str],
        seconds: dict[str, float],
    ) -> bool:
        """Record the error of a trial on a fold, and return whether the trial goes on."""
        trial = entry.trial
        key = entry.key
        errors = self.errors[key][: number + 1]
        if key in failures:
            self._finish_trial(trial, PRUNED, failures[key])
            return False
        if len(errors) <= number:
            self._finish_trial(trial, INTERRUPTED, "out of time")
            return False
        self.study.report(trial.number, errors, seconds[key])
        # After its last window there is nothing left to save by ending it.
        is_last = number + 1 == len(self.folds)
        if not is_last and self.study.should_prune(trial.number):
            self._finish_trial(trial, PRUNED)
            return False
        return True

    def _finish_trial(self, trial: Trial, state: str, why: str = "") -> None:
        """Record what became of a trial, and report how far the search has come."""
        self.study.finish(trial.number, state, why)
        done_errors = []
        ended = 0
        for other in self.study.trials():
            if other.state == DONE:
                done_errors.append(other.error)
            ended += other.state in (DONE, PRUNED)

        self.least = min(done_errors, default=math.nan)
        # Other processes may have brought the study beyond what this one was to reach.
        step = min(ended, self.total)
        message = f"trial {trial.number} {state}"
        if why:
            message += f" ({why})"
        event = Event("tune", message, step, self.total, validation=self.least)
        self.report_event(event)


def fit_and_score_fold(
    folds: Sequence[Panel],
    fold: int,
    config: Config,
    number: int,
    strict: bool,
    on_event: OnEvent | None = None,
) -> FoldOutcome:
    """`fit_and_score` of one of some panels."""
    return fit_and_score(folds[fold], config, number, strict, on_event)


def fit_and_score(
    panel: Panel,
    config: Config,
    number: int,
    strict: bool,
    on_event: OnEvent | None = None,
) -> FoldOutcome:
    """Learn from all of a panel but its last horizon, and forecast that.

    All that is random depends on `number` too. Settings that cannot be fitted are an outcome,
    unless `strict`.
    """
    began = time.monotonic()
    seeded = with_derived_seed(config, number)
    try:
        result = backtest(panel, seeded, windows=1, on_event=on_event)
    except (DivergedError, UsageError) as error:
        if strict:
            raise
        seconds = time.monotonic() - began
        return FoldOutcome({}, math.nan, "", 1, None, seconds, error.message)

    seconds = time.monotonic() - began
    verdict = result.verdict
    measure = "brier" if verdict.of_events else "mase"
    if not np.isfinite(verdict.model[measure]):
        measure = "mae"  # the series are too flat or too short to scale errors by
    errors: dict[SeriesKey, float] = {}
    for row in verdict.by_series:
        key = tuple(row["key"])
        errors[key] = row[measure]
    mean_error = verdict.model[measure]
    return FoldOutcome(
        errors, mean_error, measure, verdict.season, result.forecasts, seconds
    )


def _take_until(end: float, tasks: Iterable[Any]) -> Iterator[Any]:
    """Yield the tasks, as long as there is time to begin one."""
    for task in tasks:
        if time.monotonic() >= end:
            return
        yield task
