"""What a search of settings found, in figures and in words."""

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd

from lstmcast.config import Config
from lstmcast.scoring.result_views import ResultView
from lstmcast.scoring.verdict import Verdict
from lstmcast.tuning.gain import Gain
from lstmcast.tuning.space import (
    Space,
    format_setting_value,
    get_setting,
    get_settings,
)
from lstmcast.tuning.study import DONE, PRUNED, Trial


@dataclass(frozen=True, eq=False, repr=False)
class Tuning(ResultView):
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
        """Share of the default's error that the best trial saved in the search.

        It is too good, since the trial was chosen by it.
        """
        return 1 - self.ratios()[self.best.number]

    def changes(self) -> list[str]:
        """Return what is tuned, as `hidden=32`."""
        changes = []
        for dimension in self.space:
            value = get_setting(self.tuned, dimension)
            default = get_setting(self.default, dimension)
            if value != default:
                text = format_setting_value(value)
                changes.append(f"{dimension.name}={text}")
        return changes

    def table(self) -> pd.DataFrame:
        """Return one row a trial.

        Columns: trial, state, windows done, mean error there, its ratio to the default's, each
        setting, seconds, and why the trial ended.
        """
        rows = []
        for trial, ratio in zip(self.trials, self.ratios(), strict=True):
            row: dict[str, Any] = {
                "trial": trial.number,
                "state": trial.state,
                "windows": len(trial.errors),
                "error": trial.error,
                "ratio": ratio,
            }
            for dimension in self.space:
                default = get_setting(self.default, dimension)
                value = trial.settings.get(dimension.name, default)
                row[dimension.name] = format_setting_value(value)
            row["seconds"] = round(trial.seconds, 1)
            row["why"] = trial.why
            rows.append(row)
        return pd.DataFrame(rows)

    def ratios(self) -> list[float]:
        """Return each trial's error over the default's on the same windows; NaN without any."""
        default_errors = self._default_errors()
        ratios = []
        for trial in self.trials:
            windows = len(trial.errors)
            default_sum = sum(default_errors[:windows])
            ratio = math.nan
            if default_sum > 0:
                ratio = sum(trial.errors) / default_sum
            ratios.append(ratio)
        return ratios

    def _default_errors(self) -> list[float]:
        """Return the errors of the first trial that changes nothing and came to its end."""
        defaults = get_settings(self.default, self.space)
        return next(
            trial.errors
            for trial in self.trials
            if trial.state == DONE and defaults | trial.settings == defaults
        )

    def sentences(self) -> list[str]:
        """Return the outcome in words, for a reader who wants to know whether it was worth it."""
        tried = sum(trial.state in (DONE, PRUNED) for trial in self.trials)
        # Trial 0 is the default, and was the best.
        if self.gain is None:
            nothing = f"None of {tried} trials did better than the default: the default stays."
            return [nothing]
        changes = ", ".join(self.changes())
        percent = f"{100 * self.promised:.1f} %"
        searched = (
            f"Best of {tried} trials, with {percent} less error than the default "
            f"in the search: {changes}."
        )
        windows = "one window"
        if self.unseen > 1:
            windows = f"{self.unseen} windows"
        where = f"On {windows} that the search never saw"
        if math.isnan(self.gain.share):
            return [searched, f"{where} it could not be fitted: the default stays."]
        gained = self._describe_gain(self.gain)
        return [searched, f"{where} {gained}.", self._describe_decision()]

    def _describe_gain(self, gain: Gain) -> str:
        """Return the errors on the unseen windows in words."""
        sign = "less" if gain.share >= 0 else "more"
        spread = ""
        if math.isfinite(gain.spread):
            spread = f", give or take {100 * gain.spread:.1f} %"
        errors = f"{gain.tuned:.4g}, the default's {gain.default:.4g}"
        # The word says the sign.
        percent = 100 * abs(gain.share)
        share = f"{percent:.1f} % {sign}{spread}"
        return f"its error ({self.measure}) was {errors}: {share}"

    def _describe_decision(self) -> str:
        """Return which settings are taken and why, of a search with a gain."""
        if self.adopted:
            return "That is more than noise: the tuned settings are taken."
        if self.gain is not None and self.gain.share > 0:
            return "That is no more than noise: the default stays."
        return "What was gained in the search was chance: the default stays."

    def make_summary_table(self) -> pd.DataFrame:
        """Return the trials, that of least error first; `table` has them as they were made."""
        return self.table().sort_values("ratio", kind="stable").drop(columns="why")
