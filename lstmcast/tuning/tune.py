"""Settings of a fit searched by rolling-origin validation, and judged on unseen windows.

    panel = [ history ... | windows of the search | unseen windows ]

Each window is one horizon, and at each a trial learns anew. Trial 0 is the configuration as it is.
The unseen windows are cut off before the search begins. Knows no terminal.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from lstmcast.compute.jobs import run_followed_jobs
from lstmcast.compute.progress import Event, OnEvent
from lstmcast.config import (
    DEFAULT_TRIALS,
    DEFAULT_TUNING_WINDOWS,
    DEFAULT_UNSEEN_WINDOWS,
    UNTRANSFORMED_LOSSES,
    Config,
    parse_duration,
)
from lstmcast.errors import DataError, UsageError
from lstmcast.evaluation.backtest import score
from lstmcast.features.preprocessing import resolve_horizon
from lstmcast.features.seasonal.seasonality import infer_seasons
from lstmcast.features.windows import default_context
from lstmcast.panel.panel import Panel
from lstmcast.runs import directory
from lstmcast.tuning.gain import measure_gain
from lstmcast.tuning.outcome import Tuning as Tuning
from lstmcast.tuning.space import (
    Dimension,
    Space,
    get_setting,
    parse_params,
    space_to_dicts,
    with_trial_settings,
)
from lstmcast.tuning.study import RUNNING, Study, Trial
from lstmcast.tuning.trials import FoldOutcome, Search, fit_and_score_fold

UNTUNED_CONFIG = Config()
MIN_STEPS_TO_RESIZE = 2000
"""From so many time steps on, networks of other sizes, trained from scratch, are worth a try."""
_VERSIONED_LIBRARIES = ("lstmcast", "torch", "numpy")
"""Libraries whose versions change the errors of a trial."""
_MEASURE_NAMES = {"mase": "MASE", "mae": "MAE", "brier": "Brier score"}


def tune(
    panel: Panel,
    config: Config = UNTUNED_CONFIG,
    *,
    trials: int = DEFAULT_TRIALS,
    windows: int = DEFAULT_TUNING_WINDOWS,
    unseen: int = DEFAULT_UNSEEN_WINDOWS,
    params: Sequence[str] = (),
    study: str | Path | None = None,
    jobs: int = 1,
    time_budget: float | str | None = None,
    on_event: OnEvent | None = None,
) -> Tuning | None:
    """Search the settings of a fit, and measure on unseen windows what that was worth.

    Args:
        panel: all data; left as it is. Its last `unseen` horizons are cut off before the search
            begins.
        config: what every trial starts from, and trial 0 is.
        trials: in all; with a study, those of earlier calls and of other processes included.
        windows: horizons at the end of the searched part at which a trial learns and forecasts
            anew, the newest first. After each, an unpromising trial is ended.
        unseen: horizons on which the best trial is compared with the default.
        params: what to search, as `lstmcast.tuning.space.parse_params` reads it; by default what
            the data suggest.
        study: a file to keep the trials in: a journal, or SQLite by its name (.db). It makes a
            search resumable, and lets several processes search together.
        jobs: fits at a time, each in a process of its own. Any number gives the same result.
        time_budget: seconds, or text as 5m, for search and comparison together. The default's own
            fits are never cut short.
        on_event: called with each trial that ends.

    Returns:
        What was found; None where other processes are still at work on the study: the last of them
        to end has it.

    Raises:
        UsageError: settings that cannot be searched, or Optuna is not installed.
        DataError: no series is long enough.
        RunError: the study is of another search.
    """
    began = time.monotonic()
    budget = math.inf
    if time_budget is not None:
        budget = parse_duration(time_budget, "--time-budget")
    plan = plan_search(
        panel, config, trials=trials, windows=windows, unseen=unseen, params=params
    )
    if jobs < 1:
        raise UsageError(f"--jobs {jobs} is out of range", "give 1 or more")
    facts = plan.facts()
    opened_study = Study(plan.space, config.train.seed, facts, study)
    # Of the searched part only: no trial sees an unseen window.
    folds = plan.folds(plan.search_panel, plan.windows)
    search = Search(opened_study, plan.base, plan.space, folds, jobs, on_event)
    if opened_study.begun and on_event:
        known = len(opened_study.trials())
        message = f"going on from {known} trials in {str(study)!r}"
        on_event(Event("tune", message))

    def search_deadline(fit_seconds: float) -> float:
        # What is left must be enough to compare the default and the best trial.
        fits = 2 * plan.unseen
        at_a_time = min(jobs, fits)
        comparison_seconds = fit_seconds * fits / at_a_time
        return began + budget - comparison_seconds

    try:
        search.run(trials, search_deadline)
    finally:
        # After Ctrl-C, too: this process may go on, and others would wait for the trial.
        opened_study.end_own_trials()
    if any(trial.state == RUNNING for trial in opened_study.trials()):
        return None
    return _compare_with_default(panel, config, plan, search)


class SearchPlan(NamedTuple):
    """What a search of settings is.

    base: what a trial changes. search_panel: the panel without its unseen windows. windows and
    unseen: how many windows are searched on and compared on.
    """

    base: Config
    horizon: int
    windows: int
    unseen: int
    search_panel: Panel
    space: Space
    notes: tuple[str, ...]

    def folds(self, panel: Panel, count: int) -> list[Panel]:
        """Return a panel as it was at the end of each of its last windows, the newest first."""
        folds = []
        for back in range(count):
            fold = _without_last_steps(panel, back * self.horizon)
            folds.append(fold)
        return folds

    def facts(self) -> dict[str, Any]:
        """Return all that a trial's error depends on beside its settings."""
        versions = directory.library_versions()
        return {
            "data": self.search_panel.fingerprint(),
            "settings": self.base.to_dict(),
            "searched settings": space_to_dicts(self.space),
            "windows": self.windows,
            "versions": {name: versions.get(name) for name in _VERSIONED_LIBRARIES},
        }


def plan_search(
    panel: Panel,
    config: Config = UNTUNED_CONFIG,
    *,
    trials: int = DEFAULT_TRIALS,
    windows: int = DEFAULT_TUNING_WINDOWS,
    unseen: int = DEFAULT_UNSEEN_WINDOWS,
    params: Sequence[str] = (),
) -> SearchPlan:
    """Return what `tune` would do; raises what it would raise about data and settings."""
    counts = {"trials": trials, "windows": windows, "unseen": unseen}
    for name, value in counts.items():
        if value < 1:
            raise UsageError(f"--{name} {value} is out of range", "give 1 or more")

    horizon = resolve_horizon(panel, config)
    # Trials run side by side, so that each fit runs on one core and to its end.
    train = replace(config.train, jobs=1, time_budget=None)
    window = replace(config.window, horizon=horizon)
    base = replace(config, window=window, train=train)

    windows, unseen, notes = limit_windows(panel, horizon, windows, unseen)
    search_panel = _without_last_steps(panel, unseen * horizon)
    space = choose_space(search_panel, base, params)
    return SearchPlan(base, horizon, windows, unseen, search_panel, space, notes)


def limit_windows(
    panel: Panel, horizon: int, windows: int, unseen: int
) -> tuple[int, int, tuple[str, ...]]:
    """Return as many windows of both kinds as leave two horizons to learn from, and a note.

    The note tells of fewer windows than requested. Raises DataError where there is not room for one
    of each kind.
    """
    longest = int(panel.lengths.max(initial=0))
    requested = windows, unseen
    # The larger of the two gives way first.
    while windows + unseen > 2:
        needed = (2 + windows + unseen) * horizon
        if longest >= needed:
            break
        if windows >= unseen and windows > 1:
            windows -= 1
        else:
            unseen -= 1
    least = 4 * horizon
    if longest < least:
        raise DataError(
            f"too short to tune a forecast of {horizon} steps: need {least} steps, "
            f"the longest series has {longest}",
            "give more rows or a shorter --horizon",
        )
    if (windows, unseen) == requested:
        return windows, unseen, ()
    searched = f"{windows} of {requested[0]} windows for the search"
    compared = f"{unseen} of {requested[1]} to compare on"
    return windows, unseen, (f"the data is short: {searched}, {compared}",)


def choose_space(panel: Panel, config: Config, params: Sequence[str]) -> Space:
    """Return the space that `params` name; raises UsageError where nothing is left to search."""
    named, has_auto = parse_params(params)
    suggested = suggest_space(panel, config) if has_auto else ()
    # A setting that is named counts as it is named.
    by_name = {}
    for dimension in (*suggested, *named):
        by_name[dimension.name] = dimension
    if not by_name:
        raise UsageError(
            "there is nothing to search: all settings are given",
            "leave some out, or name them: --param",
        )
    return tuple(by_name.values())


def suggest_space(panel: Panel, config: Config) -> Space:
    """Return the settings worth a search for data of these lengths and this frequency.

    The default of each comes first. What the configuration sets to anything but the default is the
    user's decision, and is not searched.
    """
    longest = int(panel.lengths.max(initial=1))
    seasons = infer_seasons(panel, config.window.season)
    usual = default_context(seasons, resolve_horizon(panel, config))
    contexts = []
    for context in (usual // 2, 2 * usual, 4 * usual):
        if 4 <= context <= longest // 2:
            contexts.append(context)
    # `None` stands for what a fit takes by itself.
    dimensions = [
        Dimension("window", "context", (None, *contexts)),
        Dimension("train", "lr", (None, 3e-4, 1e-3, 3e-3)),
        Dimension("model", "dropout", (0.1, 0.0, 0.2, 0.4)),
        Dimension("train", "weight_decay", (None, 0.0, 0.1)),
        Dimension("train", "batch_size", (16, 8, 32)),
    ]
    is_never_negative = not (panel.values < 0).any()
    if config.train.loss not in UNTRANSFORMED_LOSSES and is_never_negative:
        dimensions.append(Dimension("model", "transform", ("auto", "none")))
    if any(panel.axis.cycles):
        dimensions.append(Dimension("inputs", "calendar", (False, True)))
    if int(panel.offsets[-1]) >= MIN_STEPS_TO_RESIZE:
        dimensions.append(Dimension("model", "hidden", (None, 32, 128)))
        dimensions.append(Dimension("model", "cell", ("lstm", "gru")))
    return tuple(
        dimension
        for dimension in dimensions
        if len(dimension.values) > 1 and _has_default(config, dimension)
    )


def _has_default(config: Config, dimension: Dimension) -> bool:
    """Whether the configuration leaves a setting as it is by default."""
    value = get_setting(config, dimension)
    default = get_setting(UNTUNED_CONFIG, dimension)
    return bool(value == default)


def _compare_with_default(
    panel: Panel, config: Config, plan: SearchPlan, search: Search
) -> Tuning:
    """Compare the best trial with the default on the unseen windows."""
    best = search.best()
    folds = plan.folds(panel, plan.unseen)
    default, tuned = _fit_unseen_windows(folds, plan, search, best)

    gain = None
    adopted = default
    if tuned:
        gain = measure_gain(default, tuned)
        adopted = tuned if gain.is_significant else default

    forecasts = _join_forecasts(adopted)
    # It was for the search, not for the fit to come.
    without_budget = replace(config, train=replace(config.train, time_budget=None))
    return Tuning(
        default=without_budget,
        tuned=with_trial_settings(without_budget, plan.space, best.settings),
        space=plan.space,
        best=best,
        trials=search.study.trials(),
        gain=gain,
        verdict=score(forecasts, panel, season=adopted[0].season),
        measure=_MEASURE_NAMES[adopted[0].measure],
        horizon=plan.horizon,
        windows=plan.windows,
        unseen=plan.unseen,
        notes=plan.notes,
    )


def _fit_unseen_windows(
    folds: Sequence[Panel], plan: SearchPlan, search: Search, best: Trial
) -> tuple[list[FoldOutcome], list[FoldOutcome]]:
    """Return the outcomes of the default and of the best trial; none of it if it is the default."""
    configs = [search.base]
    if not search.is_default(best):
        configs.append(search.config(best))
    tasks = []
    for config in configs:
        # Only the default's failures are errors.
        is_default = config is search.base
        for fold in range(len(folds)):
            # Seeds go on from those of the search.
            number = plan.windows + fold
            tasks.append((fold, config, number, is_default))
    jobs = min(search.jobs, len(tasks))
    begin = Event("compare", "the best trial and the default", total=len(tasks))
    report, shared = search.report_event, (folds,)
    results = run_followed_jobs(
        fit_and_score_fold, tasks, jobs, report, begin, shared=shared
    )
    outcomes = list(results)
    count = len(folds)
    return outcomes[:count], outcomes[count:]


def _join_forecasts(outcomes: Sequence[FoldOutcome]) -> pd.DataFrame:
    """Return the forecasts of all windows in one frame."""
    frames = []
    for outcome in outcomes:
        if outcome.forecasts is not None:
            frames.append(outcome.forecasts)
    return pd.concat(frames, ignore_index=True)


def _without_last_steps(panel: Panel, steps: int) -> Panel:
    lengths = panel.lengths - steps
    return panel.head(lengths.clip(0))
