"""The tables of a report: accuracy by series and by step, and what drives the forecast."""

from math import isnan, nan

from lstmcast.compute.progress import OnEvent
from lstmcast.errors import DataError
from lstmcast.evaluation.explain import explain
from lstmcast.forecasting.predictor import Predictor
from lstmcast.panel.panel import Panel
from lstmcast.reporting.plots import label_method
from lstmcast.reporting.series_axes import format_steps, shorten_stamps
from lstmcast.scoring.verdict import Verdict
from lstmcast.scoring.wording import format_figure, name_step

Rows = list[list[str]]
"""A table: its header, then its rows."""
MAX_SERIES_ROWS = 50
"""Series in the table of accuracy: those that are forecast worst."""
MAX_EXPLAINED_WINDOWS = 50
"""Windows that are explained for a page: `explain` itself takes more, and more time."""
MAX_DRIVERS = 5
"""Inputs of each kind in the table of what drives a forecast."""
_THETA_MEANING = (
    "the theta method: smoothing of the values without their season, plus half the slope of a"
    " straight line through them; simple, and hard to beat"
)
_METRIC_MEANINGS = {
    "mae": "how far off the forecast was on average, in the unit of the data (mean absolute error)",
    "rmse": "the same, but large errors weigh more (root of the mean squared error)",
    "smape": "how far off it was on average, in percent",
    "mase": "how far off it was against repeating the last season: 0.5 is half as far, below 1 is"
    " better",
    "wql": "the error of the forecast and of its interval together, as a share of the values: less"
    " is better",
    "coverage": "share of the actual values that fell inside the interval",
    "brier": "mean squared error of the probabilities: less is better",
    "log_loss": "mean cross-entropy of the probabilities: less is better, and one that was sure and"
    " wrong costs most",
    "auc": "how often a 1 was given a higher probability than a 0: 0.5 is chance, 1 is always",
    "calibration": "how far the probabilities are from the shares of ones that came",
    "log_likelihood": "how likely the actual values were by the forecast: more is better",
}


def describe_subject(panel: Panel, forecaster: Predictor) -> str:
    """Say what is forecast, from which file, until when, and when the run was made."""
    series = "One series"
    if len(panel) > 1:
        series = f"{len(panel):,} series"
    newest = panel.start + panel.lengths - 1
    horizon = forecaster.horizon
    (until,) = shorten_stamps(panel.axis.texts(newest.max(keepdims=True) + horizon))
    ahead = format_steps(panel, horizon)
    sentence = f"{series}, {panel.axis.grid.words}, {ahead} ahead, until {until}."
    made = forecaster.made
    if "file" in made:
        (end,) = shorten_stamps([made.get("until", "?")])
        sentence += f" Learnt from {made['file']}, up to {end}."
    if "at" in made:
        at = made["at"]  # as in 2026-01-31T09:30:00Z
        sentence += f" Made on {at[:10]} at {at[11:16]} UTC."
    return sentence


def tabulate_series(verdict: Verdict, panel: Panel) -> Rows | None:
    """Return the accuracy of each series, the worst first; None for a single series."""
    rows = verdict.by_series
    if len(rows) < 2:
        return None
    measure = "brier" if verdict.of_events else "mase"

    def badness(row: dict[str, float]) -> float:
        error = row.get(measure)
        return -1.0 if error is None or isnan(error) else error

    worst = sorted(rows, key=badness, reverse=True)[:MAX_SERIES_ROWS]
    plain = "brier" if verdict.of_events else "mae"
    names = " / ".join(panel.key_names)
    table = [
        [
            names,
            "windows",
            measure,
            plain,
            f"{plain} of {label_method(verdict.best_baseline, verdict)}",
        ]
    ]
    for row in worst:
        figures = [row.get(name) for name in (measure, plain, f"baseline_{plain}")]
        key = " / ".join(map(str, row["key"]))
        table.append([key, str(row["windows"]), *map(_format_figure, figures)])
    return table


def tabulate_steps(verdict: Verdict) -> Rows:
    """Return the accuracy at each step ahead."""
    measure = "brier" if verdict.of_events else "mae"
    names = {
        measure: measure,
        f"baseline_{measure}": f"{measure} of {label_method(verdict.best_baseline, verdict)}",
    }
    if not verdict.of_events:
        names["coverage"] = "inside the interval"
    table = [["step", *names.values()]]
    for row in verdict.by_step:
        figures = [_format_figure(row.get(name)) for name in names]
        table.append([f"{row['step']:.0f}", *figures])
    return table


def tabulate_drivers(
    forecaster: Predictor, panel: Panel, on_event: OnEvent | None = None
) -> Rows | None:
    """Return the inputs that moved the newest forecasts most; None where that cannot be said.

    Figures are in percent of the usual error of repeating the last season.
    """
    try:
        found = explain(
            forecaster, panel, max_windows=MAX_EXPLAINED_WINDOWS, on_event=on_event
        )
    except DataError:
        return None
    step = name_step(panel.axis.freq) or "step"
    table = [["", "changes the forecast by", "error without it"]]
    for kind, name, moved, helps in found.frame(MAX_DRIVERS).itertuples(index=False):
        # What lags say is the same again, from where the history ends.
        if kind == "past step":
            continue
        label = _describe_factor(kind, name, step)
        table.append([label, f"{100 * moved:.1f} %", _format_growth(100 * helps)])
    return table


def _format_growth(percent: float) -> str:
    """Say by how many percent an error grows."""
    size = f"{abs(percent):.1f}"
    if size == "0.0":
        return "the same"
    return f"{size} % {'larger' if percent > 0 else 'smaller'}"


def tabulate_scores(verdict: Verdict) -> Rows:
    """Return a row for lstmcast and each simple method, with the figures of each metric."""
    metrics = _list_shown_metrics(verdict)
    table = [["", *metrics]]
    for name, scores in {"model": verdict.model, **verdict.baselines}.items():
        # Not every method has every metric.
        figures = [_format_figure(scores.get(metric)) for metric in metrics]
        table.append([label_method(name, verdict), *figures])
    return table


def explain_scores(verdict: Verdict) -> list[str]:
    """Return what each metric of a table of scores means, and the method with no plain name."""
    meanings = [
        f"{metric}: {_METRIC_MEANINGS[metric]}"
        for metric in _list_shown_metrics(verdict)
    ]
    if "theta" in verdict.baselines:
        meanings.append(_THETA_MEANING)
    return meanings


def _list_shown_metrics(verdict: Verdict) -> list[str]:
    return [
        metric
        for metric in _METRIC_MEANINGS
        if not isnan(verdict.model.get(metric, nan))
    ]


def _describe_factor(kind: str, name: str, step: str) -> str:
    """Name an input for a reader; step: what a step is called."""
    if kind == "lag":
        return f"the value {name} {step}{'s' if name != '1' else ''} before"
    return name


def _format_figure(value: float | None) -> str:
    """Write a figure with four digits, so that those of a column can be compared.

    Digits before the point are never left out.
    """
    if value is None or isnan(value):
        return ""
    text = format_figure(value) if abs(value) >= 1000 else f"{value:#.4g}"
    return text.removesuffix(".")
