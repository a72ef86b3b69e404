"""A verdict as people read it, and as rows of a score table."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lstmcast.cli.show import console, output
from lstmcast.cli.show.console import Report

if TYPE_CHECKING:
    import pandas as pd

    from lstmcast.scoring.verdict import Verdict

METRICS = ("mase", "rmsse", "smape", "mae", "rmse", "wql", "coverage")
"""Columns of a score table, in the order of the contract."""
EVENTS = ("brier", "log_loss", "auc", "calibration")
"""The same where the target is 0 or 1."""


def _measures(verdict: "Verdict") -> tuple[str, ...]:
    """What a verdict has figures of."""
    usual = EVENTS if verdict.of_events else METRICS
    return (*usual, *(["log_likelihood"] if "log_likelihood" in verdict.model else []))


def tell_figures(report: Report, verdict: "Verdict") -> None:
    """Show the figures of a verdict in a small table, among the messages."""
    rows = [[name, *(console.figure(row[metric]) for metric in _measures(verdict))] for name, row in _rows(verdict)]
    report.table(["", *_measures(verdict)], rows)


def write_scores(
    verdict: "Verdict", form: str, key_names: Sequence[str], *, command: str, extra: dict[str, Any], by: str
) -> None:
    """Write the scores as data: a row for the model and each baseline, or one a step of the horizon, or one a series.

    As an object they hold the series only where they were asked for: there may be very many.
    """
    if form == "object":
        kept = verdict if by == "series" else replace(verdict, by_series=())
        output.write_object(command, {**extra, "verdict": kept.to_dict()})
    else:
        frame = _series(verdict, key_names) if by == "series" else {"method": _scores, "step": _steps}[by](verdict)
        output.write_frame(frame, None, form)


def _scores(verdict: "Verdict") -> "pd.DataFrame":
    import pandas as pd

    return pd.DataFrame(
        [{"method": name, **{metric: row[metric] for metric in _measures(verdict)}} for name, row in _rows(verdict)]
    )


def _steps(verdict: "Verdict") -> "pd.DataFrame":
    import pandas as pd

    return pd.DataFrame(list(verdict.by_step))


def _series(verdict: "Verdict", key_names: Sequence[str]) -> "pd.DataFrame":
    import pandas as pd

    keys = pd.DataFrame([row["key"] for row in verdict.by_series], columns=list(key_names))
    figures = pd.DataFrame([{k: v for k, v in row.items() if k != "key"} for row in verdict.by_series])
    return pd.concat([keys, figures], axis=1)


def _rows(verdict: "Verdict") -> list[tuple[str, dict[str, float]]]:
    nothing = dict.fromkeys(_measures(verdict), float("nan"))
    return [(name, nothing | row) for name, row in (("model", verdict.model), *verdict.baselines.items())]
