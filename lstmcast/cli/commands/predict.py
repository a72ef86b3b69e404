"""`lstmcast predict`: forecast with a run."""

from pathlib import Path
from typing import Annotated

from typer import Option

from lstmcast.cli.data import add_future_data, read_newer
from lstmcast.cli.engine import EngineOptions
from lstmcast.cli.options import (
    COLUMNS,
    OUTPUT,
    WINDOW,
    ExcelSafe,
    Format,
    Jobs,
    OptionalData,
    OutFile,
    RunPath,
    ShowOptions,
)
from lstmcast.cli.sharded import is_sharded, limit_to_one_job, refuse_options, run_shard_job
from lstmcast.cli.show import output
from lstmcast.cli.show.console import Reporter
from lstmcast.cli.show.pictures import check_picture, draw_forecast
from lstmcast.config import parse_quantile_levels
from lstmcast.errors import UsageError
from lstmcast.runs.directory import open_run

EXAMPLES = """\
lstmcast predict runs/price-price
lstmcast predict runs/price-price newer.csv --quantiles 0.025,0.5,0.975 -o forecast.parquet
lstmcast predict runs/price-price --plot forecast.png
lstmcast predict runs/sales --future-data plan.csv
lstmcast predict runs/sales sales-by-shop/ -o forecasts/ -j 8"""
DEFAULT_LEVELS = "0.1,0.5,0.9"
Quantiles = Annotated[
    str,
    Option(
        metavar="LEVELS",
        help="Levels between 0 and 1, for example 0.05,0.95.",
        rich_help_panel=OUTPUT,
    ),
]
FutureData = Annotated[
    str | None,
    Option(
        metavar="FILE",
        help="Covariates known ahead, by time and series.",
        show_default="rows of DATA without a target",
        rich_help_panel=COLUMNS,
    ),
]
PredictPlot = Annotated[
    str | None,
    Option(
        "--plot",
        metavar="FILE",
        help="Draw a picture too: .png, .svg or .pdf (needs lstmcast[plot]); - draws on the terminal.",
        show_default="none",
        rich_help_panel=OUTPUT,
    ),
]
PredictHorizon = Annotated[
    int | None,
    Option(
        metavar="STEPS",
        help="Steps to forecast, 1 or more.",
        show_default="as fitted",
        rich_help_panel=WINDOW,
    ),
]


def predict(
    run: RunPath,
    data: OptionalData = None,
    *,
    horizon: PredictHorizon = None,
    quantiles: Quantiles = DEFAULT_LEVELS,
    output_file: OutFile = None,
    format: Format = None,
    excel_safe: ExcelSafe = False,
    future_data: FutureData = None,
    plot: PredictPlot = None,
    jobs: Jobs = None,
    engine: EngineOptions,
    show: ShowOptions,
) -> None:
    """Forecast with RUN; prints a table on stdout.

    Without DATA the forecast goes on from the end of the training data, with DATA from the last row
    of each series in it; where DATA holds new rows only, the run's own history goes before them.
    The training is left as it is. A folder of Parquet, whole series in each file, is done file by
    file where the output is a folder.
    """
    levels = parse_quantile_levels(quantiles, "--quantiles")
    if is_sharded(data, output_file):
        refuse_options(format=format, future_data=future_data, plot=plot, excel_safe=excel_safe)
        sealed = open_run(run).manifest["sha256"]
        from lstmcast.deployment.shards import ShardJob, predict_shard

        same = {"run": sealed, "horizon": horizon, "quantiles": levels}
        job = ShardJob("predict", predict_shard, (str(Path(run).absolute()), horizon, levels), same)
        run_shard_job(
            Reporter.of(show), job, str(data), str(output_file), engine, jobs, as_json=show.json
        )
        return
    limit_to_one_job(engine, jobs)
    form = output.choose_format(output_file, format)
    check_picture(plot, terminal=True)
    report = Reporter.of(show)
    open_run(run)  # says what is wrong with it before anything heavy is loaded
    from lstmcast.forecasting.predictor import Predictor

    forecaster = Predictor.load(run)
    if forecaster.probability and quantiles != DEFAULT_LEVELS:
        raise UsageError(f"--quantiles {quantiles}: a probability has none", "leave it out")
    ahead = 0 if future_data else horizon or forecaster.horizon
    panel = read_newer(report, data, forecaster, ahead=ahead) if data else forecaster.panel
    if future_data:
        panel = add_future_data(report, future_data, panel, forecaster.config.data)
    forecast = forecaster.columns(panel, horizon=horizon, quantiles=levels)
    if output_file or not show.json:
        guarded = output.with_escaped_formulas(forecast, form, report, safe=excel_safe)
        output.write_frame(guarded, output_file, form, whole=format is not None)
    if show.json:
        output.write_object(
            "predict",
            {"run": run, "forecast": output.to_records(output.columns_to_frame(forecast))},
        )
    if output_file:
        report.say(f"{len(forecast[panel.axis.name]):,} rows written to {output_file!r}")
    if plot:
        draw_forecast(report, plot, panel, output.columns_to_frame(forecast))
