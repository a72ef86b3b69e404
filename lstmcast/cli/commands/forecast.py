"""`lstmcast forecast`: a forecast at once, nothing trained, nothing saved."""

from dataclasses import asdict, replace

from lstmcast.cli.data import find_roles, read_panel, report_panel
from lstmcast.cli.gates import check_gates, parse_gates
from lstmcast.cli.options.engine import EngineOptions, Jobs
from lstmcast.cli.options.fitting import ForecastOptions
from lstmcast.cli.options.results import (
    Against,
    Data,
    FailIf,
    PlotOptions,
    QuantileOptions,
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
from lstmcast.cli.show.scores import report_verdict
from lstmcast.config import TrainConfig

EXAMPLES = """\
lstmcast forecast sample_data/price.csv --target price
lstmcast forecast sales.csv -t units -s shop -H 28 --level 80,95 -o next.csv"""


def forecast(
    data: Data,
    options: ForecastOptions,
    engine: EngineOptions,
    *,
    jobs: Jobs = None,
    quantile_options: QuantileOptions,
    table: TableOptions,
    picture: PlotOptions,
    against: Against = "",
    fail_if: FailIf = None,
    show: ShowOptions,
) -> None:
    """Forecast DATA at once, without training; prints a table.

    The network is used as it ships, and nothing is saved: it has seen synthetic series only, and
    your data decide how far to trust it. How good it is on the last windows of DATA is reported on
    stderr. `fit` is slower and usually better. A folder of Parquet, whole series in each file, is
    processed file by file if the output is a folder.
    """
    gates = parse_gates(fail_if)
    levels = quantile_options.levels()
    # No steps: the network stays as it ships, and only its combination with baselines is fitted.
    config = replace(options.config(), train=TrainConfig(steps=0))
    report = Reporter.of(show)
    if is_sharded(data, table.output_file):
        refuse_options(
            format=table.format,
            fail_if=fail_if,
            against=against,
            excel_safe=table.excel_safe,
            plot=picture.plot,
        )
        from lstmcast.deployment.shards import ShardJob, forecast_shard

        # What the results depend on: a folder made with other values is not continued.
        roles = options.columns.roles()
        identity = {
            "config": config.to_dict(),
            "columns": asdict(roles),
            "quantiles": levels,
        }
        work = (roles, config, levels)
        job = ShardJob("forecast", forecast_shard, work, identity)
        out = str(table.output_file)
        run_shard_job(report, job, data, out, engine, jobs, as_json=show.json)
        return

    limit_to_one_job(engine, jobs)
    form = table.choose_format()
    roles, read = find_roles(report, data, options.columns, config.data, config)
    panel = read_panel(report, data, roles, config.data, config, ahead=True, table=read)
    report_panel(report, panel)
    from lstmcast.training.forecaster import Forecaster

    forecaster = Forecaster(config).fit(panel, against=against)
    forecasts = forecaster.predict(quantiles=levels)
    verdict = forecaster.verdict
    report.found(note for note in forecaster.notes if note not in panel.notes)
    if verdict:
        report_verdict(report, verdict, forecaster.guard.sentence())
    # The one object of --json holds the table, unless that goes to a file of its own.
    if table.output_file or not show.json:
        table.write_escaped(forecasts, form, report)
    if show.json:
        content = {
            "verdict": verdict.to_dict() if verdict else None,
            "forecast": output.to_records(forecasts),
            "notes": list(forecaster.notes),
        }
        output.write_object("forecast", content)
    draw_forecast(report, picture, forecaster.panel, forecasts, verdict)
    check_gates(gates, verdict)
