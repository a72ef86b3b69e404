"""A verdict as people read it, and as rows of a score table."""

from typing import TYPE_CHECKING, Any

from lstmcast.cli import console, output
from lstmcast.cli.console import Report

if TYPE_CHECKING:
    import pandas as pd

    from lstmcast.verdict import Verdict

METRICS = ("mase", "rmsse", "smape", "mae", "rmse", "wql", "coverage")
"""Columns of a score table, in the order of the contract."""


def tell_figures(report: Report, verdict: "Verdict") -> None:
    """Show the figures of a verdict in a small table, among the messages."""
    rows = [[name, *(console.figure(row[metric]) for metric in METRICS)] for name, row in _rows(verdict)]
    report.table(["", *METRICS], rows)


def write_scores(
    verdict: "Verdict", form: str, *, command: str, extra: dict[str, Any], by_step: bool, file: str | None = None
) -> None:
    """Write the scores as data: a row for the model and for each baseline, or one a step of the horizon."""
    if form == "object":
        output.write_object(command, {**extra, "verdict": verdict.to_dict()})
    else:
        output.write_frame(_steps(verdict) if by_step else _scores(verdict), file, form)


def _scores(verdict: "Verdict") -> "pd.DataFrame":
    import pandas as pd

    return pd.DataFrame(
        [{"method": name, **{metric: row[metric] for metric in METRICS}} for name, row in _rows(verdict)]
    )


def _steps(verdict: "Verdict") -> "pd.DataFrame":
    import pandas as pd

    return pd.DataFrame(list(verdict.by_step))


def _rows(verdict: "Verdict") -> list[tuple[str, dict[str, float]]]:
    nothing = dict.fromkeys(METRICS, float("nan"))
    return [(name, nothing | row) for name, row in (("model", verdict.model), *verdict.baselines.items())]
