"""A verdict as people read it, and as rows of a score table."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lstmcast.cli.show import output, tables
from lstmcast.cli.show.console import Reporter

if TYPE_CHECKING:
    import pandas as pd

    from lstmcast.scoring.verdict import Verdict

SCORE_COLUMNS = ("mase", "rmsse", "smape", "mae", "rmse", "wql", "coverage")
"""Columns of a score table, in the order of the contract."""
BINARY_SCORE_COLUMNS = ("brier", "log_loss", "auc", "calibration")
"""The same where the target is 0 or 1."""
_EXPENDABLE_SCORES = ("wql", "rmsse", "rmse", "smape", "calibration", "log_loss")
"""Scores that a narrow terminal does without, the first one first."""


def report_verdict(
    report: Reporter, verdict: "Verdict", *more: str, table: bool = True
) -> None:
    """Say a verdict in words and colour, then what else there is to say, then its figures."""
    first, *others = verdict.sentences()
    colour = "good" if verdict.beats_baseline else "bad"
    report.sentences(first, colour=colour)
    report.sentences(*others, *filter(None, more))
    if table:
        report_scores(report, verdict)


def report_scores(report: Reporter, verdict: "Verdict") -> None:
    """Show the figures of a verdict in a small table, among the messages."""
    columns = output.format_columns(_method_frame(verdict))
    tables.report_table(report, columns, _EXPENDABLE_SCORES)


def write_scores(
    verdict: "Verdict",
    form: str,
    key_names: Sequence[str],
    *,
    command: str,
    extra: dict[str, Any],
    by: str,
) -> None:
    """Write the scores as data: one row per method, per step of the horizon, or per series.

    `form` "object" is the JSON object of `command`, with `extra` in it; it holds the series only if
    `by` is "series", since there may be very many. `key_names` name the key columns of a panel.
    """
    if form == "object":
        if by != "series":
            verdict = replace(verdict, by_series=())
        content = {**extra, "verdict": verdict.to_dict()}
        output.write_object(command, content)
        return
    if by == "series":
        frame = _series_frame(verdict, key_names)
    elif by == "step":
        frame = _step_frame(verdict)
    else:
        frame = _method_frame(verdict)
    output.write_frame(frame, None, form, expendable=_EXPENDABLE_SCORES)


def _score_names(verdict: "Verdict") -> tuple[str, ...]:
    """Return the metrics that a verdict has figures of."""
    names = BINARY_SCORE_COLUMNS if verdict.of_events else SCORE_COLUMNS
    # Only networks trained for a distribution have a likelihood.
    if "log_likelihood" in verdict.model:
        return (*names, "log_likelihood")
    return names


def _method_rows(verdict: "Verdict") -> list[tuple[str, dict[str, float]]]:
    """Return the figures of the model and each baseline; NaN for a metric that one lacks."""
    unknown = dict.fromkeys(_score_names(verdict), float("nan"))
    methods = {"model": verdict.model, **verdict.baselines}
    return [(name, unknown | row) for name, row in methods.items()]


def _method_frame(verdict: "Verdict") -> "pd.DataFrame":
    import pandas as pd

    metrics = _score_names(verdict)
    rows = [
        {"method": name, **{metric: row[metric] for metric in metrics}}
        for name, row in _method_rows(verdict)
    ]
    return pd.DataFrame(rows)


def _step_frame(verdict: "Verdict") -> "pd.DataFrame":
    import pandas as pd

    return pd.DataFrame(list(verdict.by_step))


def _series_frame(verdict: "Verdict", key_names: Sequence[str]) -> "pd.DataFrame":
    import pandas as pd

    # A key is one value for each key column, and so becomes as many columns.
    keys = [row["key"] for row in verdict.by_series]
    figures = [
        {name: value for name, value in row.items() if name != "key"}
        for row in verdict.by_series
    ]
    key_columns = pd.DataFrame(keys, columns=list(key_names))
    return pd.concat([key_columns, pd.DataFrame(figures)], axis=1)
