"""`--plot`: a picture beside the result."""

from typing import TYPE_CHECKING

from lstmcast.cli.show import chart
from lstmcast.cli.show.console import Report

if TYPE_CHECKING:
    import pandas as pd

    from lstmcast.evaluation.backtest import Result
    from lstmcast.panel.panel import Panel


def check_picture(file: str | None, *, terminal: bool = False) -> None:
    """Raise UsageError, before any work, for a picture that cannot be drawn; `terminal`: with `-` it can be there."""
    if file and not (terminal and file == "-"):
        from lstmcast.reporting import plots

        plots.form_of(file)
        plots.require()


def draw(report: Report, file: str, panel: "Panel", forecast: "pd.DataFrame") -> None:
    """Draw history and forecast into a file, or with `-` the first series on the terminal."""
    if file == "-":
        _draw_small(panel, forecast)
        return
    from lstmcast.reporting import plots

    plots.write(plots.fan(panel, forecast), file)
    report.say(f"picture written to {file!r}")


def draw_past(report: Report, file: str, panel: "Panel", result: "Result") -> None:
    """Draw what was forecast from past dates, and what came."""
    from lstmcast.reporting import plots

    plots.write(plots.folds(panel, result.forecasts), file)
    report.say(f"picture written to {file!r}")


def _draw_small(panel: "Panel", forecast: "pd.DataFrame") -> None:
    from lstmcast.panel.forecast_table import point_name

    horizon = len(forecast) // len(panel)
    rows = forecast.iloc[:horizon]
    levels = [name for name in map(str, rows) if name[:1] == "q" and name[1:].replace(".", "").isdigit()]
    point = rows[point_name(rows)].tolist()
    low, high = (rows[levels[end]].tolist() if levels else point for end in (0, -1))
    curve = chart.Curve(panel.series(0).tolist(), low, point, high)
    name = " / ".join(panel.keys[0]) if panel.keys[0] else panel.columns.target[0]
    more = f" (the first of {len(panel):,} series)" if len(panel) > 1 else ""
    stamps = [str(stamp) for stamp in rows[panel.axis.name].astype(str)]
    chart.show(name + more, curve, (stamps[0], stamps[-1]))
