"""`lstmcast evaluate`: score a run on rows that it has not seen."""

from typing import Annotated, Literal

from lstmcast.cli.data import read_newer
from lstmcast.cli.gates import check_gates, parse_gates
from lstmcast.cli.options.declare import OUTPUT, WINDOW, make_option
from lstmcast.cli.options.reading import RunDataOptions
from lstmcast.cli.options.results import (
    SKIP_HINT,
    Against,
    Data,
    FailIf,
    Format,
    IfNothingNew,
    PlotOptions,
    RunPath,
    ShowOptions,
    Step,
)
from lstmcast.cli.show import output
from lstmcast.cli.show.console import Reporter
from lstmcast.cli.show.pictures import draw_backtest
from lstmcast.cli.show.scores import report_verdict, write_scores
from lstmcast.errors import UsageError
from lstmcast.runs.directory import open_run

EXAMPLES = """\
lstmcast evaluate runs/price-price newer.csv
lstmcast evaluate runs/price-price newer.csv --by step --fail-if "mase>1" """
Windows = Annotated[
    int | None,
    make_option(WINDOW, "N", "Forecast origins, 1 or more.", "as many as fit"),
]
MinRows = Annotated[
    int,
    make_option(
        OUTPUT,
        "N",
        "Newer rows with a value, 1 or more, from which on --fail-if counts.",
    ),
]
ScoresBy = Annotated[
    Literal["method", "step", "series"],
    make_option(OUTPUT, "WHAT", "One row per method, step of the horizon, or series."),
]


def evaluate(
    run: RunPath,
    data: Data,
    *,
    windows: Windows = None,
    step: Step = None,
    by: ScoresBy = "method",
    reading: RunDataOptions,
    format: Format = None,
    against: Against = "",
    fail_if: FailIf = None,
    min_rows: MinRows = 1,
    if_nothing_new: IfNothingNew = "fail",
    picture: PlotOptions,
    show: ShowOptions,
) -> None:
    """Score RUN on newer rows; prints a table of scores on stdout.

    Only rows of DATA that are newer than the training are scored; without any it exits with 3, or
    with --if-nothing-new skip with 0. DATA may hold the history too, or new rows only: then the
    run's own history goes before them. Forecasts are made from rolling origins, each from what was
    known then, and compared with naive, seasonal naive and drift.
    """
    gates = parse_gates(fail_if)
    if min_rows < 1:
        raise UsageError(f"--min-rows {min_rows} is out of range", "give 1 or more")
    report = Reporter.of(show)
    form = "object" if show.json else output.choose_format(None, format)
    open_run(run)  # says what is wrong with it before anything heavy is loaded
    from lstmcast.evaluation.backtest import evaluate as score_newer
    from lstmcast.evaluation.cutoffs import NothingNewError, count_new_values
    from lstmcast.forecasting.predictor import Predictor

    forecaster = Predictor.load(run)
    # All rows since the training are scored, not only the last ones.
    panel = read_newer(report, data, forecaster, reading, since=True)
    try:
        result = score_newer(
            forecaster, panel, windows=windows, step=step, against=against
        )
    except NothingNewError as error:
        if if_nothing_new == "skip":
            report.say(f"skipped: {error.message}")
            if show.json:
                content = {"run": run, "new_rows": 0, "verdict": None}
                output.write_object("evaluate", content)
            return
        error.hint += SKIP_HINT
        raise
    report_verdict(report, result.verdict, table=False)
    new_rows = count_new_values(forecaster, panel)
    extra = {"run": run, "new_rows": new_rows}
    write_scores(
        result.verdict, form, panel.key_names, command="evaluate", extra=extra, by=by
    )
    draw_backtest(report, picture, panel, result)
    if gates and new_rows < min_rows:
        report.say(
            f"--fail-if does not count yet: {new_rows:,} of {min_rows:,} newer rows"
        )
        return
    check_gates(gates, result.verdict)
