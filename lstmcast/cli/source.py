"""From DATA to a panel, saying on stderr what was found in it."""

from typing import TYPE_CHECKING

from lstmcast.cli.console import Report
from lstmcast.config import Columns, DataConfig, WindowConfig

if TYPE_CHECKING:
    from lstmcast.panel import Panel


def read_panel(report: Report, data: str, columns: Columns, config: DataConfig, like: "Panel | None" = None) -> "Panel":
    """Read and validate a file, as the data of `like` were where given; speaks before anything heavy is loaded."""
    report.say(f"reading {shown(data)}")
    from lstmcast.panel import Panel
    from lstmcast.read import read_table

    table = read_table(data, config)
    report.notes(table.notes)
    panel = Panel.from_table(table, columns, config, like=like)
    report.notes(panel.notes)
    return panel


def tell_panel(report: Report, panel: "Panel", window: WindowConfig) -> None:
    """Say what the data are taken for, and what follows from their frequency."""
    axis = panel.axis
    series = f"{panel.n_series} series" if panel.n_series > 1 else "one series"
    report.say(
        f"{series}, {int(panel.offsets[-1]):,} steps, by {axis.name!r}: {axis.grid.words} ({axis.freq})",
        f"season {window.season or axis.season}, horizon {window.horizon or axis.horizon}",
    )


def shown(data: str) -> str:
    """Return DATA as it is named in messages."""
    return "stdin" if data == "-" else data
