"""The verdict in plain English, for a reader who has never heard of any of its measures.

Reads the figures of a `Verdict`; computes no errors.
"""

import math
import re
from typing import TYPE_CHECKING

from lstmcast.ragged import NAN

if TYPE_CHECKING:
    from lstmcast.scoring.verdict import Verdict

_MONTHS = ("MS", "ME", "BMS", "BME")
_QUARTERS = ("QS", "QE", "BQS", "BQE")
_YEARS = ("YS", "YE", "BYS", "BYE")
_DAYS_PER_UNIT = {
    "s": 1 / 86400,
    "min": 1 / 1440,
    "h": 1 / 24,
    "D": 1.0,
    "B": 1.4,
    "W": 7.0,
    **dict.fromkeys(_MONTHS, 30.44),
    **dict.fromkeys(_QUARTERS, 91.31),
}
_STEP_NAMES = {
    "s": "second",
    "min": "minute",
    "h": "hour",
    "D": "day",
    "B": "working day",
    "W": "week",
    **dict.fromkeys(_MONTHS, "month"),
    **dict.fromkeys(_QUARTERS, "quarter"),
    **dict.fromkeys(_YEARS, "year"),
}
_SEASON_DAYS = {"hour": 1 / 24, "day": 1.0, "week": 7.0, "month": 30.44, "year": 365.25}
_SEASON_TOLERANCE = 0.02
"""How far, as a share, a season may be from the span that it is named after."""
_MIN_INTERVAL_DEVIATION = 0.1
"""How far the coverage must be from its nominal share to be remarked on."""


def describe_verdict(verdict: "Verdict") -> list[str]:
    """The sentences of a verdict: who won, by how much, and whether the interval can be trusted."""
    if verdict.of_events:
        return _describe_probabilities(verdict)
    return [
        *_describe_comparison(verdict),
        *_describe_disagreement(verdict),
        *_describe_interval(verdict),
    ]


def name_step(freq: str) -> str:
    """Everyday name of a step of this frequency: "D" is a "day".

    Empty for several units ("30min") and for plain integers.
    """
    # One unit may be written "1D", and weeks and quarters name their end: "W-SUN".
    unit = re.sub(r"^1(?=[A-Z])|-.*$", "", freq)
    return _STEP_NAMES.get(unit, "")


def name_season(freq: str, season: int, stretch: float = 1.0) -> str:
    """Everyday name of a season: hourly 24 is a "day", monthly 12 a "year"; empty if none fits.

    stretch: steps of the clock for one of the season, more than 1 where some times are closed.
    """
    if season <= 1:
        return ""
    parts = re.match(r"(\d*)([A-Za-z]*)", freq)
    count, unit = parts.groups() if parts else ("", "")
    steps = season * stretch * int(count or 1)
    days = steps * _DAYS_PER_UNIT.get(unit, NAN)
    for name, span in _SEASON_DAYS.items():
        difference = abs(days / span - 1)
        if difference < _SEASON_TOLERANCE:
            return name
    return ""


def _describe_comparison(verdict: "Verdict") -> list[str]:
    """Whether the model beat the best baseline, and what both errors were."""
    windows = _describe_windows(verdict)
    baseline = describe_baseline(verdict, verdict.best_baseline)
    error = verdict.model["mae"]
    baseline_error = verdict.baselines[verdict.best_baseline]["mae"]
    own = format_figure(error)
    errors = (
        f"was off by {own} on average, {baseline} by {format_figure(baseline_error)}."
    )
    # A figure that does not exist cannot be compared.
    if math.isnan(verdict.skill):
        return [f"{windows} the model {errors}"]

    rival = f"the best simple method, {baseline}"
    lost_to = "the best baseline"
    if not _is_best(verdict):
        # Another one was asked for, which the sentence must not call the best.
        rival = lost_to = baseline
    if verdict.skill == 0:
        # As it is where the forecast is that simple method's.
        tie = f"{windows} the forecast did as well as {rival}"
        return [f"{tie}." if verdict.series > 1 else f"{tie}: off by {own}."]

    difference = _format_difference(verdict.skill)
    if verdict.beats_baseline:
        sentence = f"{windows} the model's error was {difference} that of {baseline}."
    else:
        sentence = (
            f"The model does not beat {lost_to}: {_lower_first(windows)} its error was "
            f"{difference} that of {baseline}."
        )
    if verdict.series > 1:
        # The mean error of several series has no everyday meaning.
        return [sentence]
    return [sentence, f"It {errors}"]


def _is_best(verdict: "Verdict") -> bool:
    """Whether no other simple method has a smaller error than the one compared with."""
    own = verdict.baselines[verdict.best_baseline]["mae"]
    return not any(scores["mae"] < own for scores in verdict.baselines.values())


def _describe_disagreement(verdict: "Verdict") -> list[str]:
    """Where small series differ: with several the mean error is mostly that of the large ones."""
    if verdict.series == 1:
        return []
    # The best by this measure may be another one.
    errors = {name: scores["mase"] for name, scores in verdict.baselines.items()}
    known = {name: error for name, error in errors.items() if error > 0}
    if not known:
        return []
    best = min(known, key=lambda name: known[name])
    skill = 1 - verdict.model["mase"] / known[best]
    agrees = (skill > 0) == verdict.beats_baseline
    if agrees or math.isnan(skill):
        return []
    difference = _format_difference(skill)
    return [
        "With all series weighted equally, whatever their size, its error was "
        f"{difference} that of {describe_baseline(verdict, best)}."
    ]


def _describe_interval(verdict: "Verdict") -> list[str]:
    """How many values fell inside the interval, and whether it is too narrow or too wide."""
    low, high = verdict.interval
    width = high - low
    covered = verdict.model["coverage"]
    if math.isnan(covered):
        return []

    # Shares are given as so many of 100 values where there are as many.
    total = min(verdict.observed, 100)
    inside = round(covered * total)
    values = "actual value" if total == 1 else "actual values"

    # Two standard deviations of the share that chance alone puts inside (binomial distribution).
    # Windows that overlap score the same values again: those that do not are what counts.
    independent = verdict.independent or verdict.windows
    values_once = verdict.observed * independent / verdict.windows
    variance = width * (1 - width) / values_once
    remarkable = max(_MIN_INTERVAL_DEVIATION, 2 * variance**0.5)
    if abs(covered - width) <= remarkable:
        remark = ""
    elif covered < width:
        remark = "; it is too narrow"
    else:
        remark = "; it is wider than necessary"
    sentences = [
        f"Of {total} {values} {inside} fell inside the {100 * width:.0f} % interval{remark}."
    ]
    if independent < verdict.windows:
        sentences.append(_describe_overlap(verdict, independent))
    return sentences


def _describe_overlap(verdict: "Verdict", independent: int) -> str:
    """How many windows there really are, where they overlap."""
    worth = "no more than one" if independent == 1 else f"{independent} that do not"
    return f"The {verdict.windows} windows overlap: as evidence they are worth {worth}."


def _describe_probabilities(verdict: "Verdict") -> list[str]:
    """Whether probabilities of a 1 beat the base rate, and whether they can be taken literally."""
    windows = _describe_windows(verdict)
    model = verdict.model
    base_rate = verdict.baselines[verdict.best_baseline]
    errors = (
        f"their mean squared error was {model['brier']:.4g}, that of always forecasting the share "
        f"of ones so far {base_rate['brier']:.4g}"
    )
    if model["brier"] < base_rate["brier"]:
        sentences = [f"{windows} the probabilities beat the base rate: {errors}."]
    else:
        sentences = [
            f"The probabilities do not beat the base rate: {_lower_first(windows)} {errors}."
        ]
    if not math.isnan(model["auc"]):
        sentences.append(
            "Of a 1 and a 0, the 1 had the higher probability in "
            f"{100 * model['auc']:.0f} of 100 cases."
        )
    sentences.append(
        "The probabilities differed from the observed shares of ones by "
        f"{100 * model['calibration']:.0f} percentage points on average."
    )
    return sentences


def _describe_windows(verdict: "Verdict") -> str:
    """The windows that were scored, as the beginning of a sentence: "On the last 12 months"."""
    span = _format_steps(verdict, verdict.horizon)
    if verdict.origins > 1:
        span = f"{verdict.origins} windows of {span}"
    if verdict.series > 1:
        span = f"{span} of {verdict.series} series"
    return f"On the last {span}"


def format_figure(value: float) -> str:
    """Write a number with four digits, but with all that stand before the point."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def describe_baseline(verdict: "Verdict", name: str) -> str:
    """What a baseline does, as "repeating the last value"."""
    plain = {
        "naive": "repeating the last value",
        "drift": "extending the line from the first to the last value",
        "mean": "the mean of all values so far",
        "median": "the median of all values so far",
        "theta": "the theta method",
    }
    if name in plain:
        return plain[name]
    if not name.startswith("seasonal"):
        # A run of a later version may have a method that has no words here.
        return "another simple method"
    # The others are of a season, the main or the second one.
    is_second = name.endswith("_2")
    steps = verdict.second_season if is_second else verdict.season
    season = verdict.second_season_name if is_second else verdict.season_name
    if name.startswith("seasonal_mean"):
        if season:
            return f"the mean of the last four {season}s"
        return f"the mean of the last four seasons of {_format_steps(verdict, steps)}"
    if season:
        return f"repeating the {season} before"
    return f"repeating the last {_format_steps(verdict, steps)}"


def _format_steps(verdict: "Verdict", steps: int) -> str:
    plural = "s" if steps > 1 else ""
    return f"{steps} {verdict.step_name or 'step'}{plural}"


def _format_difference(skill: float) -> str:
    """A skill as "12 % below", "less than 1 % above", "3.1 times"."""
    if skill < -1:
        return f"{1 - skill:.3g} times"
    percent = abs(100 * skill)
    size = f"{percent:.0f} %" if percent >= 0.995 else "less than 1 %"
    side = "below" if skill > 0 else "above"
    return f"{size} {side}"


def _lower_first(text: str) -> str:
    return text[0].lower() + text[1:]
