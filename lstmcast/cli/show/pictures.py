"""`--plot`: a picture beside the result."""

from typing import TYPE_CHECKING

from lstmcast.cli.show import chart
from lstmcast.cli.show.console import Reporter

if TYPE_CHECKING:
    import pandas as pd

    from lstmcast.evaluation.backtest import Result
    from lstmcast.panel.panel import Panel


def check_picture(file: str | None, *, terminal: bool = False) -> None:
    """Raise UsageError, before any work, for a picture that cannot be drawn; `terminal`: with `-` it can be there."""
    if file and not (terminal and file == "-"):
        from lstmcast.reporting import plots

        plots.parse_picture_format(file)
        plots.require_matplotlib()


def draw_forecast(report: Reporter, file: str, panel: "Panel", forecast: "pd.DataFrame") -> None:
    """Draw history and forecast into a file, or with `-` the first series on the terminal."""
    if file == "-":
        _draw_on_terminal(panel, forecast)
        return
    from lstmcast.reporting import plots

    plots.write_picture(plots.plot_forecast(panel, forecast), file)
    report.say(f"picture written to {file!r}")


def draw_backtest(report: Reporter, file: str, panel: "Panel", result: "Result") -> None:
    """Draw what was forecast from past dates, and what came."""
    from lstmcast.reporting import plots

    plots.write_picture(plots.plot_backtest(panel, result.forecasts), file)
    report.say(f"picture written to {file!r}")


def _draw_on_terminal(panel: "Panel", forecast: "pd.DataFrame") -> None:
    from lstmcast.panel.forecast_table import find_point_column, list_quantile_columns

    horizon = len(forecast) // len(panel)
    rows = forecast.iloc[:horizon]
    levels = list_quantile_columns(rows)
    point = rows[find_point_column(rows)].tolist()
    low, high = (rows[levels[end]].tolist() if levels else point for end in (0, -1))
    curve = chart.ForecastCurve(panel.series(0).tolist(), low, point, high)
    name = " / ".join(panel.keys[0]) if panel.keys[0] else panel.columns.target[0]
    more = f" (the first of {len(panel):,} series)" if len(panel) > 1 else ""
    stamps = [str(stamp) for stamp in rows[panel.axis.name].astype(str)]
    chart.show_chart(name + more, curve, (stamps[0], stamps[-1]))
