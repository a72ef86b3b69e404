"""From DATA to a panel, saying on stderr what was found in it."""

from typing import TYPE_CHECKING

from lstmcast.cli.console import Report
from lstmcast.config import Columns, DataConfig

if TYPE_CHECKING:
    from lstmcast.panel import Panel


def read_panel(report: Report, data: str, columns: Columns, config: DataConfig, like: "Panel | None" = None) -> "Panel":
    """Read and validate a file, as the data of `like` were where given; speaks before anything heavy is loaded."""
    report.say(f"reading {shown(data)}")
    from lstmcast.panel import Panel
    from lstmcast.read import read_table

    panel = Panel.from_table(read_table(data, config), columns, config, like=like)
    report.found(panel.notes)
    return panel


def add_plan(report: Report, file: str, panel: "Panel", config: DataConfig) -> "Panel":
    """Read the covariates known ahead from a file of their own."""
    report.say(f"reading {shown(file)}")
    from lstmcast.plan import with_plan
    from lstmcast.read import read_table

    planned = with_plan(panel, read_table(file, config), config)
    report.found(planned.notes[len(panel.notes) :])
    return planned


def tell_panel(report: Report, panel: "Panel") -> None:
    """Say what the data are taken for."""
    axis = panel.axis
    series = f"{panel.n_series:,} series" if panel.n_series > 1 else "one series"
    report.found([f"{series}, {int(panel.offsets[-1]):,} steps, {axis.grid.words} ({axis.freq})"])


def shown(data: str) -> str:
    """Return DATA as it is named in messages."""
    return "stdin" if data == "-" else data
