"""`lstmcast explain`: which inputs moved the forecasts of a run."""

from typing import Annotated, Any

from lstmcast.cli.data import read_newer
from lstmcast.cli.options.declare import OUTPUT, make_flag, make_option
from lstmcast.cli.options.reading import RunDataOptions
from lstmcast.cli.options.results import (
    OptionalData,
    Plot,
    ResultOptions,
    RunPath,
    ShowOptions,
)
from lstmcast.cli.show import output
from lstmcast.cli.show.console import Reporter
from lstmcast.cli.show.pictures import check_picture, write_picture
from lstmcast.runs.directory import open_run

EXAMPLES = """\
lstmcast explain runs/price-price
lstmcast explain runs/sales --top 3 --format table
lstmcast explain runs/price-price --plot drivers.png -q"""
TopInputs = Annotated[
    int, make_option(OUTPUT, "N", "Inputs of each kind to show, 1 or more.", min=1)
]
ShowAttention = Annotated[
    bool,
    make_flag(
        OUTPUT,
        "Show the steps to which the next forecast attends (of a run with --attention).",
        "--attention",
    ),
]


def explain(
    run: RunPath,
    data: OptionalData = None,
    *,
    top: TopInputs = 10,
    attention: ShowAttention = False,
    reading: RunDataOptions,
    table: ResultOptions,
    plot: Plot = None,
    show: ShowOptions,
) -> None:
    """Say which inputs moved the forecasts of RUN; prints a table.

    Inputs are covariates, lags and past steps. On the newest windows of the training data, or of
    DATA, each input is taken away in turn. `moved` is how far the forecast moves without it,
    `helps` how much larger its error becomes: both in the unit of MASE, where 1 is the usual error
    of the seasonal naive forecast. A lag counts back from the step that is forecast, a past step
    from the origin. With --attention the table shows instead to which steps the network attends for
    the next forecast, in shares of 1.
    """
    form = "object" if show.json else table.choose_format()
    report = Reporter.of(show)
    check_picture(plot)
    open_run(run)  # says what is wrong with it before anything heavy is loaded
    from lstmcast.evaluation.explain import compute_attention
    from lstmcast.evaluation.explain import explain as compute_explanation
    from lstmcast.forecasting.predictor import Predictor

    forecaster = Predictor.load(run)
    panel = forecaster.panel
    if data:
        panel = read_newer(report, data, forecaster, reading)
    facts: dict[str, Any] = {"run": run}
    picture = None
    if attention:
        name, rows = "attention", compute_attention(forecaster, panel)
        if plot:
            from lstmcast.reporting.explanation_plot import plot_attention

            picture = plot_attention(panel, rows)
    else:
        with report.progress() as on_event:
            explanation = compute_explanation(forecaster, panel, on_event=on_event)
        windows = explanation.windows
        horizon = explanation.horizon
        mase = explanation.mase
        report.sentences(
            f"{windows} windows of {horizon} steps; with all inputs their mase is {mase:.3g}"
        )
        # What a simple method reads is little: that it is one has to be known.
        made_of = forecaster.combination.sentence()
        report.sentences(made_of)
        facts |= {"windows": windows, "horizon": horizon, "mase": mase}
        facts["forecast"] = made_of
        name, rows = "factors", explanation.frame(top)
        if plot:
            from lstmcast.reporting.explanation_plot import plot_explanation

            picture = plot_explanation(explanation, top)
    if form == "object":
        output.write_object("explain", {**facts, name: output.to_records(rows)})
    else:
        table.write(rows, form)
    if plot and picture:
        write_picture(report, plot, picture)
