"""`lstmcast predict`: forecast with a run."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from lstmcast.cli.data import add_future_data, read_newer
from lstmcast.cli.options.declare import (
    COLUMNS,
    READING,
    WINDOW,
    make_option,
)
from lstmcast.cli.options.engine import EngineOptions, Jobs
from lstmcast.cli.options.reading import RunDataOptions
from lstmcast.cli.options.results import (
    OptionalData,
    PlotOptions,
    QuantileOptions,
    RunPath,
    ShowOptions,
    TableOptions,
)
from lstmcast.cli.sharded import (
    is_sharded,
    limit_to_one_job,
    refuse_options,
    run_shard_job,
)
from lstmcast.cli.show import output
from lstmcast.cli.show.console import Reporter
from lstmcast.cli.show.pictures import draw_forecast
from lstmcast.config import Last
from lstmcast.runs.directory import open_run

if TYPE_CHECKING:
    from lstmcast.forecasting.predictor import Predictor
    from lstmcast.panel.panel import Panel

EXAMPLES = """\
lstmcast predict runs/price-price
lstmcast predict runs/price-price newer.csv --level 80,95 -o next.parquet
lstmcast predict runs/price-price --plot forecast.png
lstmcast predict runs/price-price --plot forecast.html
lstmcast predict runs/sales --future-data plan.csv
lstmcast predict runs/sales sales-by-shop/ -o forecasts/ -j 8"""
FutureData = Annotated[
    str | None,
    make_option(
        COLUMNS,
        "FILE",
        "Covariates known ahead, by time and series.",
        "rows of DATA without a target",
    ),
]
PredictLast = Annotated[
    Last | None,
    make_option(
        READING,
        "POLICY",
        "Newest values: auto (unlikely ones do not count), keep (all count), or drop "
        "(the last one of each series is missing).",
        "as fitted",
    ),
]
PredictHorizon = Annotated[
    int | None,
    make_option(
        WINDOW,
        "STEPS",
        "Steps to forecast, 1 or more.",
        "as fitted",
        "--horizon",
        "-H",
    ),
]


def predict(
    run: RunPath,
    data: OptionalData = None,
    *,
    horizon: PredictHorizon = None,
    quantile_options: QuantileOptions,
    last: PredictLast = None,
    table: TableOptions,
    future_data: FutureData = None,
    reading: RunDataOptions,
    picture: PlotOptions,
    jobs: Jobs = None,
    engine: EngineOptions,
    show: ShowOptions,
) -> None:
    """Forecast with RUN; prints a table on stdout.

    Without DATA the forecast continues the training data, with DATA each series in it; if DATA
    holds new rows only, the run's own history goes before them. The training is left as it is. A
    folder of Parquet, whole series in each file, is processed file by file if the output is a
    folder.
    """
    levels = quantile_options.levels()
    report = Reporter.of(show)
    if is_sharded(data, table.output_file):
        refuse_options(
            format=table.format,
            future_data=future_data,
            last=last,
            plot=picture.plot,
            excel_safe=table.excel_safe,
            **reading.given(),
        )
        fingerprint = open_run(run).manifest["sha256"]
        from lstmcast.deployment.shards import ShardJob, predict_shard

        # Workers may have another working directory.
        run_path = str(Path(run).absolute())
        work = (run_path, horizon, levels)
        # What the results depend on: a folder made with other values is not continued.
        identity = {"run": fingerprint, "horizon": horizon, "quantiles": levels}
        job = ShardJob("predict", predict_shard, work, identity)
        out = str(table.output_file)
        run_shard_job(report, job, str(data), out, engine, jobs, as_json=show.json)
        return

    limit_to_one_job(engine, jobs)
    form = table.choose_format()
    open_run(run)  # says what is wrong with it before anything heavy is loaded
    from lstmcast.forecasting.predictor import Predictor

    forecaster = Predictor.load(run)
    if forecaster.probability:
        quantile_options.refuse_for_probability()
    # With --future-data the covariates of the horizon come from there, and are checked there.
    ahead = 0 if future_data else horizon or forecaster.horizon
    panel = _choose_panel(report, forecaster, data, reading, last, ahead)
    if future_data:
        config = reading.apply(forecaster.config.data)
        panel = add_future_data(report, future_data, panel, config)
    recent = forecaster.describe_recent(panel)
    report.found(recent)
    # As columns, not as a frame: a CSV of few rows is written without loading pandas.
    forecasts = forecaster.columns(panel, horizon=horizon, quantiles=levels)
    if table.output_file or not show.json:
        table.write_escaped(forecasts, form, report)
    if show.json:
        rows = output.to_records(output.columns_to_frame(forecasts))
        content = {"run": run, "forecast": rows, "notes": [*panel.notes, *recent]}
        output.write_object("predict", content)
    if table.output_file:
        count = len(forecasts[panel.axis.name])
        report.say(f"{count:,} rows written to {table.output_file!r}")
    if picture.plot:
        frame = output.columns_to_frame(forecasts)
        draw_forecast(report, picture, panel, frame, forecaster.verdict)


def _choose_panel(
    report: Reporter,
    forecaster: "Predictor",
    data: str | None,
    reading: RunDataOptions,
    last: Last | None,
    ahead: int,
) -> "Panel":
    """Read DATA, or take the run's own history; `last` replaces what the run was fitted with."""
    from lstmcast.panel.extend import note_ended_series

    if last is not None:
        forecaster.set_last(last)
    if data:
        return read_newer(report, data, forecaster, reading, ahead=ahead)
    report.found(note_ended_series(forecaster.panel))
    if last != "drop":
        return forecaster.panel

    from lstmcast.panel.last_values import drop_last_values

    panel = drop_last_values(forecaster.panel)
    report.found(panel.notes[-1:])
    return panel
