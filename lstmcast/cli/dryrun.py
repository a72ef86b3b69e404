"""`--dry-run`: what a fit or a backtest would do and take; nothing is written."""

import time
from typing import TYPE_CHECKING, Annotated, Any

from typer import Option

from lstmcast.cli.options import OUTPUT
from lstmcast.cli.show import console, output
from lstmcast.cli.show.console import Reporter
from lstmcast.config import Config

if TYPE_CHECKING:
    from lstmcast.panel.panel import Panel

DryRun = Annotated[
    bool,
    Option(
        "--dry-run", help="Say what it would do, and how long and with how much memory; write nothing.",
        rich_help_panel=OUTPUT,
    ),
]  # fmt: skip


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
    """Print what a fit of the panel takes; `folds` is how many times a backtest fits. `more` is printed with it."""
    report.say("probing: a few training steps, nothing is kept")
    from lstmcast.inspection.cost import estimate_cost

    spent = time.process_time()
    facts: dict[str, Any] = estimate_cost(panel, config).to_dict()
    facts["seconds"] = spent + max(folds, 1) * facts["seconds"]
    if folds:
        facts["fits"] = folds
    facts |= more
    if as_json:
        output.write_object(command, {"dry_run": True, **facts})
        return
    facts["seconds"] = f"{facts['seconds']:.0f} (on an idle machine)"
    facts["memory"] = f"{facts['memory'] / 2**20:,.0f} MiB"
    rows = [
        [name.replace("_", " "), f"{value:,}" if isinstance(value, int) else value]
        for name, value in facts.items()
    ]
    lines = [f"{name:<16} {console.escape_unprintable(value)}" for name, value in rows]
    output.write_stdout("".join(f"{line}\n" for line in lines).encode(errors="backslashreplace"))
