"""A forecast as a page of its own: a chart to point at and to zoom, in one offline file."""

from pathlib import Path

import pandas as pd
from markupsafe import Markup

from lstmcast.panel.panel import Panel
from lstmcast.reporting.pages.page import (
    join_scripts,
    load_template,
    make_policy,
    read_asset,
)
from lstmcast.reporting.pages.report_chart import (
    describe_outlook,
    encode_chart,
    make_chart_data,
)
from lstmcast.runs.disk import write_file


def write_chart_page(panel: Panel, forecasts: pd.DataFrame, file: str | Path) -> None:
    """Write the chart of forecasts as an HTML file.

    forecasts: a table of `Forecaster.predict`, or that of a backtest or an evaluation.

    Raises OSError where the file cannot be written.
    """
    target = " and ".join(panel.columns.target)
    if "cutoff" in forecasts:
        title = f"Forecasts of {target} from past dates"
        outlook = ""
    else:
        title = f"Forecast of {target}"
        outlook = describe_outlook(panel, forecasts)
    chart = make_chart_data(panel, forecasts)
    stylesheet = read_asset("report.css")
    script = join_scripts("report.js")
    page = load_template("chart.html.jinja").render(
        title=title,
        policy=Markup(make_policy(stylesheet, script)),  # ours, quotes and all
        stylesheet=Markup(stylesheet),  # our own files
        script=Markup(script),
        # JSON whose "<" are escaped: nothing in it ends the script that it stands in.
        chart=Markup(encode_chart(chart)),
        intervals=chart["intervals"],
        outlook=outlook,
    )
    write_file(file, page.encode("utf-8", "backslashreplace"))
