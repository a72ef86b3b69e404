"""`lstmcast report`: a run as one page for a browser."""

import shlex
from pathlib import Path
from typing import Annotated

from typer import Context

from lstmcast.cli import settings
from lstmcast.cli.commands.predict import FutureData
from lstmcast.cli.data import add_future_data, read_newer
from lstmcast.cli.options.declare import (
    DEFAULT_NONE,
    OUTPUT,
    make_flag,
    make_option,
    refuse_address,
)
from lstmcast.cli.options.reading import RunDataOptions
from lstmcast.cli.options.results import OptionalData, RunPath, ShowOptions
from lstmcast.cli.show import output
from lstmcast.cli.show.console import Reporter
from lstmcast.errors import UsageError
from lstmcast.runs.directory import REPORT_FILE, open_run
from lstmcast.runs.disk import write_file

EXAMPLES = """\
lstmcast report runs/price-price
lstmcast report runs/price-price newer.csv -o new.html --pictures png
lstmcast report runs/price-price newer.csv --detect
lstmcast report runs/sales --future-data plan.csv"""
ReportFile = Annotated[
    str | None,
    make_option(
        OUTPUT,
        "FILE",
        "Where to write the page.",
        f"RUN/{REPORT_FILE}",
        "--output",
        "-o",
        callback=refuse_address,
    ),
]
PicturesFolder = Annotated[
    str | None,
    make_option(
        OUTPUT,
        "FOLDER",
        "Write the pictures as PNG files there too.",
        DEFAULT_NONE,
        callback=refuse_address,
    ),
]
JudgeRows = Annotated[
    bool,
    make_flag(
        OUTPUT,
        "Show too which rows of DATA are not as expected, as `detect` finds them.",
        "--detect",
    ),
]


def report(
    context: Context,
    run: RunPath,
    data: OptionalData = None,
    *,
    output_file: ReportFile = None,
    pictures: PicturesFolder = None,
    future_data: FutureData = None,
    judge: JudgeRows = False,
    reading: RunDataOptions,
    show: ShowOptions,
) -> None:
    """Write RUN as one HTML page; prints its path on stdout.

    The page needs no network. The forecast and the verdict in words come first, with a chart to
    point at; then a table, how good it is, what drives it, its components, the data, the settings
    and the command that fits it again. With DATA the run is also scored on the rows of DATA that
    are newer than its training, and with --detect these are judged, too. A run with covariates that
    are known ahead needs them for the forecast: --future-data. Needs lstmcast[plot].
    """
    reporter = Reporter.of(show)
    if judge and not data:
        raise UsageError("--detect needs DATA", "name the file with the rows to judge")
    open_run(run)  # says what is wrong with it before anything heavy is loaded
    from lstmcast.evaluation.backtest import evaluate
    from lstmcast.forecasting.predictor import Predictor
    from lstmcast.monitoring.detect import detect as find_anomalies
    from lstmcast.reporting import plots
    from lstmcast.reporting.pages.report import make_report_page
    from lstmcast.runs.contents import open_trained_run

    plots.require_matplotlib()
    opened = open_trained_run(run)
    forecaster = Predictor.load(run)
    panel = None
    if data:
        panel = read_newer(reporter, data, forecaster, reading, since=True)
    newer = evaluate(forecaster, panel) if panel else None
    judged = find_anomalies(forecaster, panel).rows if judge and panel else None
    if future_data:
        config = reading.apply(forecaster.config.data)
        known = forecaster.panel if panel is None else panel
        panel = add_future_data(reporter, future_data, known, config)
    options_of_all = settings.all_options(context.find_root().command)
    # The run does not know where its data were: DATA stands for them.
    options = settings.command_words(opened.manifest, options_of_all)
    fit_again = shlex.join(["lstmcast", "fit", "DATA", *options])
    with reporter.progress() as on_event:
        page = make_report_page(
            opened, forecaster, fit_again, panel, newer, judged, on_event
        )

    # The pictures are in the page already; as files they are for other documents.
    path = Path(output_file) if output_file else Path(run) / REPORT_FILE
    write_file(path, page.text.encode("utf-8", "backslashreplace"))
    if pictures:
        folder = Path(pictures)
        folder.mkdir(parents=True, exist_ok=True)
        for picture in page.pictures:
            plots.write_picture(picture, folder / f"{picture.name}.png")
    content = {"run": run, "report": str(path)}
    output.write_path_or_object("report", path, content, as_json=show.json)
