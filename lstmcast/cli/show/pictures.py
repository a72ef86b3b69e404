"""`--plot`: a picture beside the result."""

from typing import TYPE_CHECKING

from lstmcast.cli.show import chart
from lstmcast.cli.show.console import Reporter

if TYPE_CHECKING:
    import pandas as pd

    from lstmcast.cli.options.results import PlotOptions
    from lstmcast.evaluation.backtest import Result
    from lstmcast.panel.panel import Panel
    from lstmcast.reporting.plots import Picture
    from lstmcast.scoring.verdict import Verdict


def check_picture(file: str | None, *, terminal: bool = False) -> None:
    """Raise UsageError, before any work, for a picture that cannot be drawn.

    With `terminal` the file `-` is the terminal, which can always be drawn on.
    """
    draws_on_terminal = terminal and file == "-"
    if file and not draws_on_terminal:
        from lstmcast.reporting import plots

        plots.parse_picture_format(file)
        plots.require_matplotlib()


def check_forecast_picture(file: str | None) -> None:
    """Raise UsageError, before any work, for a picture of a forecast that cannot be drawn.

    It may also be on the terminal, or a page.
    """
    if file and not file.lower().endswith(".html"):
        check_picture(file, terminal=True)


def draw_forecast(
    report: Reporter,
    options: "PlotOptions",
    panel: "Panel",
    forecast: "pd.DataFrame",
    verdict: "Verdict | None" = None,
) -> None:
    """Draw history and forecast into a file, or with `-` the first series on the terminal.

    Nothing is drawn where no picture was asked for. verdict: says which series are worst.
    """
    file = options.plot
    if not file:
        return
    from lstmcast.reporting.chosen_series import choose_series, select_series

    most = None
    if options.plot_series:
        chosen = choose_series(panel, options.plot_series, verdict)
        panel, forecast = select_series(panel, forecast, chosen)
        most = len(chosen)
    if file == "-":
        _draw_on_terminal(panel, forecast, options.plot_history)
    elif file.lower().endswith(".html"):
        from lstmcast.reporting.pages.chart_page import write_chart_page

        write_chart_page(panel, forecast, file)
        report.say(f"picture written to {file!r}")
    else:
        from lstmcast.reporting import plots

        picture = plots.plot_forecast(
            panel,
            forecast,
            most=most or plots.MAX_PLOTTED_SERIES,
            n_history=options.plot_history,
        )
        write_picture(report, file, picture)


def draw_backtest(
    report: Reporter, file: str, panel: "Panel", result: "Result"
) -> None:
    """Draw the forecasts from past dates beside the values that came."""
    from lstmcast.reporting import plots

    picture = plots.plot_backtest(panel, result.forecasts)
    write_picture(report, file, picture)


def write_picture(report: Reporter, file: str, picture: "Picture") -> None:
    """Write a picture to a file, and say so."""
    from lstmcast.reporting import plots

    plots.write_picture(picture, file)
    report.say(f"picture written to {file!r}")


def _draw_on_terminal(
    panel: "Panel", forecast: "pd.DataFrame", n_history: int | None
) -> None:
    import numpy as np  # --help does without

    from lstmcast.panel.forecast_table import find_point_column, list_quantile_columns

    # The rows are sorted by series: those of the first one are the first `horizon`.
    horizon = len(forecast) // len(panel)
    rows = forecast.iloc[:horizon]
    point_column = find_point_column(rows)
    # Without quantiles the interval is the forecast itself, and the line hides it.
    levels = list_quantile_columns(rows) or [point_column]
    curve = chart.ForecastCurve(
        history=panel.series(0).tolist(),
        low=rows[levels[0]].tolist(),
        middle=rows[point_column].tolist(),
        high=rows[levels[-1]].tolist(),
    )

    key = panel.keys[0]
    title = " / ".join(key) if key else panel.columns.target[0]
    if len(panel) > 1:
        title += f" (the first of {len(panel):,} series)"
    origin = int(panel.start[0] + panel.lengths[0])

    def name_step(step: int) -> str:
        ordinals = np.array([origin + step])
        return str(panel.axis.texts(ordinals)[0])

    chart.show_chart(title, curve, name_step, n_history)
