"""`lstmcast report`: a run as one page for a browser."""

import shlex
from pathlib import Path
from typing import Annotated

from typer import Context, Option

from lstmcast.cli import settings
from lstmcast.cli.data import read_newer
from lstmcast.cli.options import OUTPUT, OptionalData, RunPath, ShowOptions
from lstmcast.cli.show import output
from lstmcast.cli.show.console import Reporter
from lstmcast.runs.directory import REPORT_FILE, open_run
from lstmcast.runs.disk import write_file

EXAMPLES = """\
lstmcast report runs/price-price
lstmcast report runs/price-price newer.csv -o report.html --pictures pictures"""
ReportFile = Annotated[
    str | None,
    Option("--output", "-o", metavar="FILE", help="Where to write the page.", show_default=f"RUN/{REPORT_FILE}",
           rich_help_panel=OUTPUT),
]  # fmt: skip
PicturesFolder = Annotated[
    str | None,
    Option(metavar="FOLDER", help="Write the pictures as PNG files there too.", show_default="none",
           rich_help_panel=OUTPUT),
]  # fmt: skip


def report(
    context: Context,
    run: RunPath,
    data: OptionalData = None,
    *,
    output_file: ReportFile = None,
    pictures: PicturesFolder = None,
    show: ShowOptions,
) -> None:
    """Write RUN as one HTML page; prints its path on stdout.

    The page needs no network. The verdict in words comes first, then the pictures, the data, the
    settings and the command that makes it again. With DATA the run is also judged on the rows of
    DATA that are newer than its training. Needs lstmcast[plot].
    """
    told = Reporter.of(show)
    opened = open_run(run)
    from lstmcast.evaluation.backtest import evaluate
    from lstmcast.forecasting.predictor import Predictor
    from lstmcast.reporting import plots
    from lstmcast.reporting import report as page

    plots.require_matplotlib()
    forecaster = Predictor.load(run)
    panel = read_newer(told, data, forecaster, since=True) if data else None
    newer = evaluate(forecaster, panel) if panel else None
    words = settings.command_words(
        opened.manifest, settings.all_options(context.find_root().command)
    )
    made = page.make_report_page(
        opened, forecaster, shlex.join(["lstmcast", "fit", "DATA", *words]), panel, newer
    )
    place = Path(output_file) if output_file else Path(run) / REPORT_FILE
    write_file(place, made.text.encode("utf-8", "backslashreplace"))
    if pictures:
        Path(pictures).mkdir(parents=True, exist_ok=True)
        for picture in made.pictures:
            plots.write_picture(picture, Path(pictures) / f"{picture.name}.png")
    if show.json:
        output.write_object("report", {"run": run, "report": str(place)})
    else:
        output.write_stdout(f"{place}\n".encode(errors="surrogateescape"))
