"""The settings of a fit searched by rolling-origin validation, and judged on windows that the search never saw.

    panel = [ history ... | windows of the search | unseen windows ]

Each window is one horizon, and at each a trial learns anew. Trial 0 is the configuration as it is.
Knows no terminal.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from lstmcast.compute.jobs import run_jobs
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
from lstmcast.features.seasonality import infer_seasons
from lstmcast.features.windows import default_context
from lstmcast.panel.panel import Panel
from lstmcast.runs import directory
from lstmcast.scoring.verdict import Verdict
from lstmcast.tuning import space
from lstmcast.tuning.space import Dimension, Space
from lstmcast.tuning.study import DONE, PRUNED, RUNNING, Study, Trial
from lstmcast.tuning.trials import FoldOutcome, Search, fit_and_score_fold

UNTUNED_CONFIG = Config()
MIN_STEPS_TO_RESIZE = 2000
"""From so many time steps on, networks of other sizes, trained from nothing, are worth a try."""
MIN_SERIES_FOR_SPREAD = 10
"""From so many series on, the spread of a gain is that between series, else that between
windows."""


class Gain(NamedTuple):
    """What tuning saved of the default's error on unseen windows: a share, and half the width of its 95 % interval.

    All are NaN where the tuned settings could not be fitted there.
    """

    share: float
    spread: float
    tuned: float
    default: float

    @property
    def is_significant(self) -> bool:
        """Whether it is more than noise."""
        return self.share > self.spread


@dataclass(frozen=True, eq=False)
class Tuning:
    """What a search found.

    default: the settings as given, but for the time budget, which was the search's. tuned: those of
    `best`, the trial of least error in the search. gain: None where that is the default itself.
    verdict: of `config`, on the unseen windows. measure: the error that was minimised.
    """

    default: Config
    tuned: Config
    space: Space
    best: Trial
    trials: list[Trial]
    gain: Gain | None
    verdict: Verdict
    measure: str
    horizon: int
    windows: int
    unseen: int
    notes: tuple[str, ...]

    @property
    def adopted(self) -> bool:
        """Whether the tuned settings are to be taken: their gain is more than noise."""
        return self.gain is not None and self.gain.is_significant

    @property
    def config(self) -> Config:
        """The settings to take."""
        return self.tuned if self.adopted else self.default

    @property
    def promised(self) -> float:
        """Share of the default's error that the best trial saved in the search: too good, since it was chosen by it."""
        return 1 - self.ratios()[self.best.number]

    def changes(self) -> list[str]:
        """What is tuned, as `hidden=32`."""
        pairs = [
            (one.name, space.get_setting(self.tuned, one), space.get_setting(self.default, one))
            for one in self.space
        ]
        return [
            f"{name}={space.format_setting_value(value)}"
            for name, value, usual in pairs
            if value != usual
        ]

    def table(self) -> pd.DataFrame:
        """One row a trial: state, windows done, mean error there, the same over the default's, settings, seconds."""
        rows = [
            {
                "trial": one.number,
                "state": one.state,
                "windows": len(one.errors),
                "error": one.error,
                "ratio": ratio,
            }
            | {
                d.name: space.format_setting_value(
                    one.settings.get(d.name, space.get_setting(self.default, d))
                )
                for d in self.space
            }
            | {"seconds": round(one.seconds, 1), "why": one.why}
            for one, ratio in zip(self.trials, self.ratios(), strict=True)
        ]
        return pd.DataFrame(rows)

    def ratios(self) -> list[float]:
        """Error of each trial over that of the default on the same windows; NaN without any."""
        usual = {one.name: space.get_setting(self.default, one) for one in self.space}
        base = next(
            one.errors for one in self.trials if one.state == DONE and usual | one.settings == usual
        )
        sums = [(sum(one.errors), sum(base[: len(one.errors)])) for one in self.trials]
        return [error / rival if rival > 0 else math.nan for error, rival in sums]

    def sentences(self) -> list[str]:
        """The outcome for a reader who wants to know whether it was worth it."""
        tried = sum(one.state in (DONE, PRUNED) for one in self.trials)
        if self.gain is None:
            return [f"None of {tried} trials did better than the default: the default stays."]
        said = (
            f"Best of {tried} trials, with {100 * self.promised:.1f} % less error than the default in the search: "
            f"{', '.join(self.changes())}."
        )
        where = f"On {f'{self.unseen} windows' if self.unseen > 1 else 'one window'} that the search never saw"
        if math.isnan(self.gain.share):
            return [said, f"{where} it could not be fitted: the default stays."]
        less = f"{100 * abs(self.gain.share):.1f} % {'less' if self.gain.share >= 0 else 'more'}"
        around = (
            f", give or take {100 * self.gain.spread:.1f} %"
            if math.isfinite(self.gain.spread)
            else ""
        )
        errors = f"its error ({self.measure}) was {self.gain.tuned:.4g}, the default's {self.gain.default:.4g}"
        if self.adopted:
            end = "That is more than noise: the tuned settings are taken."
        elif self.gain.share > 0:
            end = "That is no more than noise: the default stays."
        else:
            end = "What was gained in the search was chance: the default stays."
        return [said, f"{where} {errors}: {less}{around}.", end]


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
    """Search the settings of a fit, and say on unseen windows what that was worth.

    Args:
        panel: all data; left as it is. Its last `unseen` horizons are cut off before the search
            begins.
        config: what every trial starts from, and trial 0 is.
        trials: in all; with a study, those of earlier calls and of other processes included.
        windows: horizons at the end of the searched part at which a trial learns and forecasts
            anew, the newest first. After each, an unpromising trial is ended.
        unseen: horizons on which the best trial is compared with the default.
        params: what to search, as `lstmcast.tuning.space.parse` reads it; by default what the data
            suggest.
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
    budget = math.inf if time_budget is None else parse_duration(time_budget, "--time-budget")
    planned = plan_search(
        panel, config, trials=trials, windows=windows, unseen=unseen, params=params
    )
    if jobs < 1:
        raise UsageError(f"--jobs {jobs} is out of range", "give 1 or more")
    book = Study(planned.space, config.train.seed, planned.facts(), study)
    search = Search(
        book,
        planned.base,
        planned.space,
        planned.folds(planned.search_panel, planned.windows),
        jobs,
        on_event,
    )
    if book.begun and on_event:
        on_event(Event("tune", f"going on from {len(book.trials())} trials in {str(study)!r}"))
    compared = 2 * planned.unseen

    def deadline(fit: float) -> float:
        return began + budget - fit * compared / min(jobs, compared)

    try:
        search.run(trials, deadline)
    finally:
        book.end_own_trials()
    if any(one.state == RUNNING for one in book.trials()):
        return None
    return _compare_with_default(panel, config, planned, search)


class SearchPlan(NamedTuple):
    """What a search of settings is: `searched` is the panel without its unseen windows, `base` what a trial changes."""

    base: Config
    horizon: int
    windows: int
    unseen: int
    search_panel: Panel
    space: Space
    notes: tuple[str, ...]

    def folds(self, panel: Panel, count: int) -> list[Panel]:
        """A panel as it was at the end of each of its last windows, the newest first."""
        return [_without_last_steps(panel, back * self.horizon) for back in range(count)]

    def facts(self) -> dict[str, Any]:
        """All that a trial's error depends on beside its settings."""
        versions = directory.library_versions()
        return {
            "data": self.search_panel.fingerprint(),
            "settings": self.base.to_dict(),
            "searched settings": space.space_to_dicts(self.space),
            "windows": self.windows,
            "versions": {name: versions.get(name) for name in ("lstmcast", "torch", "numpy")},
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
    """What `tune` would do; raises what it would raise of data and settings."""
    for name, value in (("trials", trials), ("windows", windows), ("unseen", unseen)):
        if value < 1:
            raise UsageError(f"--{name} {value} is out of range", "give 1 or more")
    horizon = resolve_horizon(panel, config)
    train = replace(config.train, jobs=1, time_budget=None)
    base = replace(config, window=replace(config.window, horizon=horizon), train=train)
    windows, unseen, notes = limit_windows(panel, horizon, windows, unseen)
    searched = _without_last_steps(panel, unseen * horizon)
    return SearchPlan(
        base, horizon, windows, unseen, searched, choose_space(searched, base, params), notes
    )


def limit_windows(
    panel: Panel, horizon: int, windows: int, unseen: int
) -> tuple[int, int, tuple[str, ...]]:
    """As many windows, for the search and for the comparison, as leave two horizons to learn from; and what to say.

    Raises DataError where there is not room for one of each.
    """
    longest, asked = int(panel.lengths.max(initial=0)), (windows, unseen)
    while windows + unseen > 2 and longest < (2 + windows + unseen) * horizon:
        if windows >= unseen and windows > 1:
            windows -= 1
        else:
            unseen -= 1
    if longest < 4 * horizon:
        raise DataError(
            f"too short to tune a forecast of {horizon} steps: need {4 * horizon} steps, the longest series has "
            f"{longest}",
            "give more rows or a shorter --horizon",
        )
    said = f"the data is short: {windows} of {asked[0]} windows for the search, {unseen} of {asked[1]} to compare on"
    return windows, unseen, () if (windows, unseen) == asked else (said,)


def choose_space(panel: Panel, config: Config, params: Sequence[str]) -> Space:
    """The space that `params` ask for; raises UsageError where nothing is left to search."""
    asked, automatic = space.parse_params(params)
    found = {
        one.name: one for one in (*(suggest_space(panel, config) if automatic else ()), *asked)
    }
    if not found:
        raise UsageError(
            "there is nothing to search: all settings are given",
            "leave some out, or name them: --param",
        )
    return tuple(found.values())


def suggest_space(panel: Panel, config: Config) -> Space:
    """The settings worth a search for data of these lengths and this frequency, each with its own value first.

    What the configuration sets to anything but the default is the user's word, and is left alone.
    """
    longest = int(panel.lengths.max(initial=1))
    usual = default_context(
        infer_seasons(panel, config.window.season), resolve_horizon(panel, config)
    )
    contexts = [steps for steps in (usual // 2, 2 * usual, 4 * usual) if 4 <= steps <= longest // 2]
    found = [
        Dimension("window", "context", (None, *contexts)),
        Dimension("train", "lr", (None, 3e-4, 1e-3, 3e-3)),
        Dimension("model", "dropout", (0.1, 0.0, 0.2, 0.4)),
        Dimension("train", "weight_decay", (None, 0.0, 0.1)),
        Dimension("train", "batch_size", (16, 8, 32)),
    ]
    if config.train.loss not in UNTRANSFORMED_LOSSES and not (panel.values < 0).any():
        found.append(Dimension("model", "transform", ("auto", "none")))
    if any(panel.axis.cycles):
        found.append(Dimension("inputs", "calendar", (False, True)))
    if int(panel.offsets[-1]) >= MIN_STEPS_TO_RESIZE:
        found += [
            Dimension("model", "hidden", (None, 32, 128)),
            Dimension("model", "cell", ("lstm", "gru")),
        ]
    return tuple(
        one
        for one in found
        if len(one.values) > 1
        and space.get_setting(config, one) == space.get_setting(UNTUNED_CONFIG, one)
    )


def measure_gain(default: Sequence[FoldOutcome], tuned: Sequence[FoldOutcome]) -> Gain:
    """What the tuned settings save on unseen windows, paired: between series where there are many, else windows.

    The spread is half the 95 % interval of a mean by Student's t; infinite of a single pair.
    """
    if any(one.why for one in tuned):
        return Gain(*[math.nan] * 4)
    rows = [
        (window, key, one.errors[key], other.errors[key])
        for window, (one, other) in enumerate(zip(default, tuned, strict=True))
        for key in one.errors.keys() & other.errors.keys()
    ]
    frame = pd.DataFrame(rows, columns=["window", "key", "default", "tuned"]).dropna()
    unit = "key" if frame["key"].nunique() >= MIN_SERIES_FOR_SPREAD else "window"
    means = frame.groupby(unit)[["default", "tuned"]].mean()
    saved = (means["default"] - means["tuned"]).to_numpy()
    error, rival = float(means["default"].mean()), float(means["tuned"].mean())
    if not error > 0:
        return Gain(0.0, math.inf, rival, error)
    count = len(saved)
    half = (
        stats.t.ppf(0.975, count - 1) * saved.std(ddof=1) / np.sqrt(count)
        if count > 1
        else math.inf
    )
    return Gain(1 - rival / error, float(half / error), rival, error)


def _compare_with_default(
    panel: Panel, config: Config, planned: SearchPlan, search: Search
) -> Tuning:
    """Compare the best trial with the default on the unseen windows."""
    best, folds = search.best(), planned.folds(panel, planned.unseen)
    configs = [search.base] if search.is_default(best) else [search.base, search.config(best)]
    tasks = [
        (k, one, planned.windows + k, one is search.base)
        for one in configs
        for k in range(len(folds))
    ]
    made = list(run_jobs(fit_and_score_fold, tasks, min(search.jobs, len(tasks)), shared=(folds,)))
    default, rival = made[: len(folds)], made[len(folds) :]
    gain = measure_gain(default, rival) if rival else None
    taken = rival if gain is not None and gain.is_significant else default
    forecasts = pd.concat(
        [one.forecasts for one in taken if one.forecasts is not None], ignore_index=True
    )
    given = replace(config, train=replace(config.train, time_budget=None))
    return Tuning(
        default=given,
        tuned=space.with_trial_settings(given, planned.space, best.settings),
        space=planned.space,
        best=best,
        trials=search.study.trials(),
        gain=gain,
        verdict=score(forecasts, panel, season=taken[0].season),
        measure={"mase": "MASE", "mae": "MAE", "brier": "Brier score"}[taken[0].measure],
        horizon=planned.horizon,
        windows=planned.windows,
        unseen=planned.unseen,
        notes=planned.notes,
    )


def _without_last_steps(panel: Panel, steps: int) -> Panel:
    return panel.head((panel.lengths - steps).clip(0))
