"""The tables of a report: accuracy by series and by step, and what drives the forecast."""

from math import isnan

from lstmcast.errors import DataError
from lstmcast.evaluation.explain import explain
from lstmcast.forecasting.predictor import Predictor
from lstmcast.panel.panel import Panel
from lstmcast.scoring.verdict import Verdict

Rows = list[list[str]]
"""A table: its header, then its rows."""
MAX_SERIES_ROWS = 50
"""Series in the table of accuracy: those that are forecast worst."""
MAX_DRIVERS = 5
"""Inputs of each kind in the table of what drives a forecast."""


def describe_subject(panel: Panel, forecaster: Predictor) -> str:
    """Say what is forecast, from which file, until when, and when the run was made."""
    series = "One series"
    if len(panel) > 1:
        series = f"{len(panel):,} series"
    newest = panel.start + panel.lengths - 1
    horizon = forecaster.horizon
    until = panel.axis.texts(newest.max(keepdims=True) + horizon)[0]
    sentence = (
        f"{series}, {panel.axis.grid.words}, {horizon} steps ahead, until {until}."
    )
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
    table = [[*panel.key_names, "windows", measure, plain, f"best simple {plain}"]]
    for row in worst:
        figures = [row.get(name) for name in (measure, plain, f"baseline_{plain}")]
        table.append([*row["key"], str(row["windows"]), *map(_format_figure, figures)])
    return table


def tabulate_steps(verdict: Verdict) -> Rows:
    """Return the accuracy at each step ahead."""
    measure = "brier" if verdict.of_events else "mae"
    names = {measure: measure, f"baseline_{measure}": f"best simple {measure}"}
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
    words = {
        "covariate": "{}",
        "lag": "the value {} steps before",
        "past step": "the {}. last value",
    }
    table = [["input", "moves the forecast by", "error without it grows by"]]
    for kind, name, moved, helps in factors.itertuples(index=False):
        label = words[kind].format(name)
        table.append([label, f"{moved:.3f}", f"{helps:+.3f}"])
    return table


def _format_figure(value: float | None) -> str:
    return "" if value is None or isnan(value) else f"{value:.4g}"
