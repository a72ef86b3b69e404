"""`--plot`: a picture beside the result."""

from typing import TYPE_CHECKING

from lstmcast.cli.show import chart
from lstmcast.cli.show.console import Reporter
from lstmcast.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

    from lstmcast.cli.options.results import PlotOptions
    from lstmcast.evaluation.backtest import Result
    from lstmcast.forecasting.predictor import Predictor
    from lstmcast.panel.panel import Panel
    from lstmcast.reporting.plots import Picture
    from lstmcast.scoring.verdict import Verdict
    from lstmcast.timeaxis.timestamp_format import TimestampFormat


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
    """Raise UsageError, before any work, for a picture of forecasts that cannot be drawn.

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
    _draw_windows(report, options, panel, forecast, verdict)


def draw_run_forecast(
    report: Reporter,
    options: "PlotOptions",
    forecaster: "Predictor",
    verdict: "Verdict | None",
) -> None:
    """Draw what a run forecasts now; where covariates of its steps are missing, say so."""
    if not options.plot:
        return
    try:
        forecasts = forecaster.predict()
    except DataError as error:
        report.say(f"no picture: {error.message}")
        return
    draw_forecast(report, options, forecaster.panel, forecasts, verdict)


def draw_backtest(
    report: Reporter, options: "PlotOptions", panel: "Panel", result: "Result"
) -> None:
    """Draw the forecasts from past dates beside the values that came, as `draw_forecast` does."""
    _draw_windows(report, options, panel, result.forecasts, result.verdict)


def draw_detection(
    report: Reporter,
    options: "PlotOptions",
    rows: "pd.DataFrame",
    target: str,
    form: "TimestampFormat | None" = None,
) -> None:
    """Draw judged rows and their events into a file, or with `-` one series on the terminal.

    Nothing is drawn where no picture was asked for. rows: as of `Detection.rows`. target: name of
    the values. form: how stamps are written, where that is known.
    """
    file = options.plot
    if not file:
        return
    if not len(rows):
        report.say("no picture: there is no row to draw")
        return
    from lstmcast.reporting import plots
    from lstmcast.reporting.judged_series import choose_judged_series
    from lstmcast.reporting.pages.detection_chart import MAX_PAGE_SERIES

    is_page = file.lower().endswith(".html")
    most = {"-": 1}.get(file, plots.MAX_PLOTTED_SERIES)
    choice = choose_judged_series(
        rows,
        options.plot_series or "",
        target=target,
        form=form,
        n_history=options.plot_history,
        most=MAX_PAGE_SERIES if is_page else most,
    )
    if file == "-":
        from lstmcast.cli.show.detection_chart import show_detection_charts

        show_detection_charts(choice, target)
    elif is_page:
        from lstmcast.reporting.pages.detection_page import write_detection_page

        write_detection_page(choice, target, file)
        report.say(f"picture written to {file!r}")
    else:
        from lstmcast.reporting.detection_plot import plot_detection

        write_picture(report, file, plot_detection(choice, target))


def write_picture(report: Reporter, file: str, picture: "Picture") -> None:
    """Write a picture to a file, and say so."""
    from lstmcast.reporting import plots

    plots.write_picture(picture, file)
    report.say(f"picture written to {file!r}")


def _draw_windows(
    report: Reporter,
    options: "PlotOptions",
    panel: "Panel",
    forecasts: "pd.DataFrame",
    verdict: "Verdict | None",
) -> None:
    """Draw a table of forecasts, or that of a backtest, where and how the options say."""
    file = options.plot
    if not file:
        return
    from lstmcast.reporting.chosen_series import choose_series, select_series

    most = None
    if options.plot_series:
        chosen = choose_series(panel, options.plot_series, verdict)
        panel, forecasts = select_series(panel, forecasts, chosen)
        most = len(chosen)
    if file == "-":
        _draw_on_terminal(panel, forecasts, options.plot_history)
        return
    if file.lower().endswith(".html"):
        from lstmcast.reporting.pages.chart_page import write_chart_page

        write_chart_page(panel, forecasts, file)
        report.say(f"picture written to {file!r}")
        return
    from lstmcast.reporting import plots

    plot = plots.plot_backtest if "cutoff" in forecasts else plots.plot_forecast
    picture = plot(
        panel,
        forecasts,
        most=most or plots.MAX_PLOTTED_SERIES,
        n_history=options.plot_history,
    )
    write_picture(report, file, picture)


def _draw_on_terminal(
    panel: "Panel", forecasts: "pd.DataFrame", n_history: int | None
) -> None:
    """Draw the first series; of a backtest its newest window, with what came."""
    import numpy as np  # --help does without

    from lstmcast.panel.forecast_table import find_point_column, list_quantile_columns
    from lstmcast.reporting.pages.report_chart import find_forecast_windows

    windows = find_forecast_windows(panel, forecasts)
    # A series may be too short for a window.
    i, newest = next((i, own[-1]) for i, own in enumerate(windows) if own)
    first, end = newest.first_row, newest.first_row + newest.horizon
    rows = forecasts.iloc[first:end]
    point_column = find_point_column(rows)
    # Without quantiles the interval is the forecast itself, and the line hides it.
    levels = list_quantile_columns(rows) or [point_column]
    values = panel.series(i).tolist()
    begin = newest.origin + 1
    curve = chart.ForecastCurve(
        history=values[:begin],
        low=rows[levels[0]].tolist(),
        middle=rows[point_column].tolist(),
        high=rows[levels[-1]].tolist(),
        actual=values[begin : begin + newest.horizon],
    )

    key = panel.keys[i]
    title = " / ".join(key) if key else panel.columns.target[0]
    if len(panel) > 1:
        title += f" (the first of {len(panel):,} series)"
    origin = int(panel.start[i]) + begin

    def name_step(step: int) -> str:
        ordinals = np.array([origin + step])
        return str(panel.axis.texts(ordinals)[0])

    chart.show_chart(title, curve, name_step, n_history)
