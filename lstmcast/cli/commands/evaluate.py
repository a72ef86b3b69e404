"""`lstmcast evaluate`: score a run on rows that it has not seen."""

from typing import Annotated, Literal

from typer import Option

from lstmcast.cli.data import read_newer
from lstmcast.cli.gates import check_gates, parse_gates
from lstmcast.cli.options import (
    OUTPUT,
    Data,
    FailIf,
    Format,
    Plot,
    RunPath,
    ShowOptions,
    Step,
    Windows,
)
from lstmcast.cli.show import output
from lstmcast.cli.show.console import Reporter
from lstmcast.cli.show.pictures import check_picture, draw_backtest
from lstmcast.cli.show.scores import write_scores
from lstmcast.runs.directory import open_run

EXAMPLES = """\
lstmcast evaluate runs/price-price newer.csv
lstmcast evaluate runs/price-price newer.csv --by step --fail-if "mase>1" """
ScoresBy = Annotated[
    Literal["method", "step", "series"],
    Option(
        metavar="WHAT",
        help="One row for each method, step of the horizon, or series.",
        rich_help_panel=OUTPUT,
    ),
]


def evaluate(
    run: RunPath,
    data: Data,
    *,
    windows: Windows = None,
    step: Step = None,
    by: ScoresBy = "method",
    format: Format = None,
    fail_if: FailIf = None,
    plot: Plot = None,
    show: ShowOptions,
) -> None:
    """Score RUN on newer rows; prints a table of scores on stdout.

    Of DATA only rows newer than the training are scored; none: exit 3. It may hold the history too,
    or new rows only: then the run's own history goes before them. Forecasts are made from rolling
    origins, each from what was known then, and compared with naive, seasonal naive and drift.
    """
    gates = parse_gates(fail_if)
    form = "object" if show.json else output.choose_format(None, format)
    check_picture(plot)
    report = Reporter.of(show)
    open_run(run)
    from lstmcast.evaluation.backtest import evaluate as score_newer
    from lstmcast.forecasting.predictor import Predictor

    forecaster = Predictor.load(run)
    panel = read_newer(report, data, forecaster, since=True)
    result = score_newer(forecaster, panel, windows=windows, step=step)
    verdict = result.verdict
    report.say(*verdict.sentences())
    write_scores(verdict, form, panel.key_names, command="evaluate", extra={"run": run}, by=by)
    if plot:
        draw_backtest(report, plot, panel, result)
    check_gates(gates, verdict)
