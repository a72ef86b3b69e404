"""The tables of a report: accuracy by series and by step, and what drives the forecast."""

from math import isnan, nan

from lstmcast.errors import DataError
from lstmcast.evaluation.explain import explain
from lstmcast.forecasting.predictor import Predictor
from lstmcast.panel.panel import Panel
from lstmcast.reporting.plots import label_method
from lstmcast.reporting.series_axes import format_steps
from lstmcast.scoring.verdict import Verdict
from lstmcast.scoring.wording import name_step

Rows = list[list[str]]
"""A table: its header, then its rows."""
MAX_SERIES_ROWS = 50
"""Series in the table of accuracy: those that are forecast worst."""
MAX_DRIVERS = 5
"""Inputs of each kind in the table of what drives a forecast."""
_THETA_MEANING = (
    "the theta method: smoothing of the values without their season, plus half the slope of a"
    " straight line through them; simple, and hard to beat"
)
_METRIC_MEANINGS = {
    "mae": "mean absolute error, in the unit of the data",
    "rmse": "root of the mean squared error: large errors weigh more",
    "smape": "mean absolute error in percent",
    "mase": "mean absolute error over that of repeating the last season; below 1 is better",
    "wql": "error of all quantiles together",
    "coverage": "share of actual values inside the interval",
    "brier": "mean squared error of the probabilities",
    "log_loss": "mean cross-entropy of the probabilities",
    "auc": "chance that a 1 was given a higher probability than a 0",
    "calibration": "mean distance between the probabilities and the observed shares",
    "log_likelihood": "mean log-likelihood of the actual values; more is better",
}


def describe_subject(panel: Panel, forecaster: Predictor) -> str:
    """Say what is forecast, from which file, until when, and when the run was made."""
    series = "One series"
    if len(panel) > 1:
        series = f"{len(panel):,} series"
    newest = panel.start + panel.lengths - 1
    horizon = forecaster.horizon
    until = panel.axis.texts(newest.max(keepdims=True) + horizon)[0]
    ahead = format_steps(panel, horizon)
    sentence = f"{series}, {panel.axis.grid.words}, {ahead} ahead, until {until}."
    made = forecaster.made
    if "file" in made:
        sentence += f" Learnt from {made['file']}, up to {made.get('until', '?')}."
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
            f"{plain} of {label_method(verdict.best_baseline)}",
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
        f"baseline_{measure}": f"{measure} of {label_method(verdict.best_baseline)}",
    }
    if not verdict.of_events:
        names["coverage"] = "inside the interval"
    table = [["step", *names.values()]]
    for row in verdict.by_step:
        figures = [_format_figure(row.get(name)) for name in names]
        table.append([f"{row['step']:.0f}", *figures])
    return table


def tabulate_drivers(forecaster: Predictor, panel: Panel) -> Rows | None:
    """Return the inputs that moved the newest forecasts most; None where that cannot be said."""
    try:
        factors = explain(forecaster, panel).frame(MAX_DRIVERS)
    except DataError:
        return None
    step = name_step(panel.axis.freq) or "step"
    table = [["input", "moves the forecast by", "error without it grows by"]]
    for kind, name, moved, helps in factors.itertuples(index=False):
        label = _describe_factor(kind, name, step)
        # Rounded first: what is nothing has no sign.
        grows = round(helps, 3) or 0.0
        table.append([label, f"{moved:.3f}", f"{grows:+.3f}" if grows else "0.000"])
    return table


def tabulate_scores(verdict: Verdict) -> Rows:
    """Return a row for lstmcast and each simple method, with the figures of each metric."""
    metrics = _list_shown_metrics(verdict)
    table = [["", *metrics]]
    for name, scores in {"model": verdict.model, **verdict.baselines}.items():
        # Not every method has every metric.
        figures = [_format_figure(scores.get(metric)) for metric in metrics]
        table.append([label_method(name), *figures])
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
    if kind == "past step":
        return (
            "the last value" if name == "1" else f"the last value but {int(name) - 1}"
        )
    return name


def _format_figure(value: float | None) -> str:
    """Write a figure with four digits, so that those of a column can be compared."""
    if value is None or isnan(value):
        return ""
    return f"{value:#.4g}".removesuffix(".")
