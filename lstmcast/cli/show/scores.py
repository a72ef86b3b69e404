"""A verdict as people read it, and as rows of a score table."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lstmcast.cli.show import console, output
from lstmcast.cli.show.console import Reporter

if TYPE_CHECKING:
    import pandas as pd

    from lstmcast.scoring.verdict import Verdict

SCORE_COLUMNS = ("mase", "rmsse", "smape", "mae", "rmse", "wql", "coverage")
"""Columns of a score table, in the order of the contract."""
BINARY_SCORE_COLUMNS = ("brier", "log_loss", "auc", "calibration")
"""The same where the target is 0 or 1."""


def _score_names(verdict: "Verdict") -> tuple[str, ...]:
    """What a verdict has figures of."""
    usual = BINARY_SCORE_COLUMNS if verdict.of_events else SCORE_COLUMNS
    return (*usual, *(["log_likelihood"] if "log_likelihood" in verdict.model else []))


def report_scores(report: Reporter, verdict: "Verdict") -> None:
    """Show the figures of a verdict in a small table, among the messages."""
    rows = [
        [name, *(console.format_number(row[metric]) for metric in _score_names(verdict))]
        for name, row in _method_rows(verdict)
    ]
    report.table(["", *_score_names(verdict)], rows)


def write_scores(
    verdict: "Verdict",
    form: str,
    key_names: Sequence[str],
    *,
    command: str,
    extra: dict[str, Any],
    by: str,
) -> None:
    """Write the scores as data: a row for the model and each baseline, or one a step of the horizon, or one a series.

    As an object they hold the series only where they were asked for: there may be very many.
    """
    if form == "object":
        kept = verdict if by == "series" else replace(verdict, by_series=())
        output.write_object(command, {**extra, "verdict": kept.to_dict()})
    else:
        frame = (
            _series_frame(verdict, key_names)
            if by == "series"
            else {"method": _method_frame, "step": _step_frame}[by](verdict)
        )
        output.write_frame(frame, None, form)


def _method_frame(verdict: "Verdict") -> "pd.DataFrame":
    import pandas as pd

    return pd.DataFrame(
        [
            {"method": name, **{metric: row[metric] for metric in _score_names(verdict)}}
            for name, row in _method_rows(verdict)
        ]
    )


def _step_frame(verdict: "Verdict") -> "pd.DataFrame":
    import pandas as pd

    return pd.DataFrame(list(verdict.by_step))


def _series_frame(verdict: "Verdict", key_names: Sequence[str]) -> "pd.DataFrame":
    import pandas as pd

    keys = pd.DataFrame([row["key"] for row in verdict.by_series], columns=list(key_names))
    figures = pd.DataFrame(
        [{k: v for k, v in row.items() if k != "key"} for row in verdict.by_series]
    )
    return pd.concat([keys, figures], axis=1)


def _method_rows(verdict: "Verdict") -> list[tuple[str, dict[str, float]]]:
    nothing = dict.fromkeys(_score_names(verdict), float("nan"))
    return [
        (name, nothing | row)
        for name, row in (("model", verdict.model), *verdict.baselines.items())
    ]
