"""`--dry-run`: what a fit or a backtest would do and take; nothing is written."""

import time
from typing import TYPE_CHECKING, Any

from lstmcast.cli.show import console, output
from lstmcast.cli.show.console import Reporter
from lstmcast.config import Config

if TYPE_CHECKING:
    from lstmcast.panel.panel import Panel


def print_fit_cost(
    report: Reporter,
    panel: "Panel",
    config: Config,
    command: str,
    folds: int = 0,
    *,
    as_json: bool,
    **more: Any,
) -> None:
    """Print the time and memory that a fit of the panel takes, with the facts in `more`.

    `folds` is how many times a backtest fits; 0 is one fit that is no backtest.
    """
    report.say("probing: a few training steps, nothing is kept")
    from lstmcast.inspection.cost import estimate_cost

    # What this process has spent so far is reading the data, which the fit has to do as well.
    spent = time.process_time()
    fits = max(folds, 1)
    facts: dict[str, Any] = estimate_cost(panel, config).to_dict()
    facts["seconds"] = spent + fits * facts["seconds"]
    if folds:
        facts["fits"] = folds
    facts |= more
    if as_json:
        output.write_object(command, {"dry_run": True, **facts})
        return

    facts["seconds"] = f"{facts['seconds']:.0f} (on an idle machine)"
    mebibytes = facts["memory"] / 2**20
    facts["memory"] = f"{mebibytes:,.0f} MiB"
    lines = []
    for name, value in facts.items():
        label = name.replace("_", " ")
        text = f"{value:,}" if isinstance(value, int) else value
        lines.append(f"{label:<16} {console.escape_unprintable(text)}")
    output.write_lines(lines)
