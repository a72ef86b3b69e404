"""`lstmcast explain`: which inputs moved the forecasts of a run."""

from typing import Annotated

from typer import Option

from lstmcast.cli.data import read_newer
from lstmcast.cli.options import OUTPUT, Format, OptionalData, OutFile, RunPath, ShowOptions
from lstmcast.cli.show import output
from lstmcast.cli.show.console import Reporter
from lstmcast.runs.directory import open_run

EXAMPLES = """\
lstmcast explain runs/price-price
lstmcast explain runs/sales --top 3 --format table"""
TopInputs = Annotated[
    int,
    Option(
        metavar="N", min=1, help="Inputs of each kind to show, 1 or more.", rich_help_panel=OUTPUT
    ),
]

ShowAttention = Annotated[
    bool,
    Option(
        "--attention",
        help="Show the steps that the next forecast leans on instead (of a run with --attention).",
        rich_help_panel=OUTPUT,
    ),
]


def explain(
    run: RunPath,
    data: OptionalData = None,
    *,
    top: TopInputs = 10,
    attention: ShowAttention = False,
    output_file: OutFile = None,
    format: Format = None,
    show: ShowOptions,
) -> None:
    """Say which inputs moved the forecasts of RUN; prints a table.

    Inputs are covariates, lags and past steps. On the newest windows of the training data, or of
    DATA, each input is taken away in turn. `moved` is how far the forecast goes without it, `helps`
    how much larger its error becomes: both in the unit of MASE, where 1 is the usual error of the
    seasonal naive forecast. A lag counts back from the step that is forecast, a past step from the
    origin.
    With --attention the table says instead which steps the network leans on for the next forecast,
    in shares of 1.
    """
    form = "object" if show.json else output.choose_format(output_file, format)
    report = Reporter.of(show)
    open_run(run)
    from lstmcast.evaluation.explain import compute_attention as shares
    from lstmcast.evaluation.explain import explain as explained
    from lstmcast.forecasting.predictor import Predictor

    forecaster = Predictor.load(run)
    panel = read_newer(report, data, forecaster) if data else forecaster.panel
    facts: dict[str, object] = {"run": run}
    if attention:
        name, table = "attention", shares(forecaster, panel)
    else:
        report.say("taking each input away in turn")
        made = explained(forecaster, panel)
        report.say(
            f"{made.windows} windows of {made.horizon} steps; with all inputs their mase is {made.mase:.3g}"
        )
        facts |= {"windows": made.windows, "horizon": made.horizon, "mase": made.mase}
        name, table = "factors", made.frame(top)
    if form == "object":
        output.write_object("explain", {**facts, name: output.to_records(table)})
    else:
        output.write_frame(table, output_file, form, whole=format is not None)
