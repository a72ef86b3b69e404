"""A forecast as a page of its own: a chart to point at and to zoom, in one offline file."""

from pathlib import Path

import pandas as pd
from markupsafe import Markup

from lstmcast.panel.panel import Panel
from lstmcast.reporting.pages.page import load_template, make_policy, read_asset
from lstmcast.reporting.pages.report_chart import show_forecast
from lstmcast.runs.disk import write_file


def write_chart_page(panel: Panel, forecast: pd.DataFrame, file: str | Path) -> None:
    """Write the chart of a forecast, a table of `Forecaster.predict`, as an HTML file.

    Raises OSError where the file cannot be written.
    """
    shown = show_forecast(panel, forecast)
    stylesheet = read_asset("report.css")
    script = read_asset("report.js")
    page = load_template("chart.html.jinja").render(
        title=f"Forecast of {' and '.join(panel.columns.target)}",
        policy=Markup(make_policy(stylesheet, script)),  # ours, quotes and all
        stylesheet=Markup(stylesheet),  # our own files
        script=Markup(script),
        # JSON whose "<" are escaped: nothing in it ends the script that it stands in.
        chart=Markup(shown.chart),
        outlook=shown.outlook,
    )
    write_file(file, page.encode("utf-8", "backslashreplace"))
