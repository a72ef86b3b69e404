"""Judged rows as a page of their own: a chart to point at and a list of events, in one file."""

from pathlib import Path

from markupsafe import Markup

from lstmcast.reporting.judged_series import JudgedChoice
from lstmcast.reporting.pages.detection_chart import show_detection
from lstmcast.reporting.pages.page import (
    join_scripts,
    load_template,
    make_policy,
    read_asset,
)
from lstmcast.runs.disk import write_file


def write_detection_page(choice: JudgedChoice, target: str, file: str | Path) -> None:
    """Write judged series, of `choose_judged_series`, as an HTML file.

    target: name of the values.

    Raises OSError where the file cannot be written.
    """
    shown = show_detection(choice)
    stylesheet = read_asset("report.css")
    script = join_scripts("detection.js")
    page = load_template("detection.html.jinja").render(
        title=f"Anomalies in {target}",
        policy=Markup(make_policy(stylesheet, script)),  # ours, quotes and all
        stylesheet=Markup(stylesheet),  # our own files
        script=Markup(script),
        # JSON whose "<" are escaped: nothing in it ends the script that it stands in.
        chart=Markup(shown.chart),
        shown=shown,
    )
    write_file(file, page.encode("utf-8", "backslashreplace"))
