"""`lstmcast forecast`: a forecast at once, nothing trained, nothing saved."""

from dataclasses import asdict, replace

from lstmcast.cli.commands.predict import DEFAULT_LEVELS, Quantiles
from lstmcast.cli.data import read_panel, report_panel
from lstmcast.cli.engine import EngineOptions
from lstmcast.cli.gates import check_gates, parse_gates
from lstmcast.cli.options import (
    ColumnOptions,
    Data,
    DataOptions,
    ExcelSafe,
    FailIf,
    Format,
    InputOptions,
    Jobs,
    OutFile,
    ShowOptions,
    WindowOptions,
)
from lstmcast.cli.sharded import is_sharded, limit_to_one_job, refuse_options, run_shard_job
from lstmcast.cli.show import output
from lstmcast.cli.show.console import Reporter
from lstmcast.cli.show.scores import report_scores
from lstmcast.config import Config, TrainConfig, parse_quantile_levels

EXAMPLES = """\
lstmcast forecast sample_data/price.csv --target price
lstmcast forecast sales.csv --target units --series shop --horizon 28 -o forecast.csv"""


def forecast(
    data: Data,
    columns: ColumnOptions,
    inputs: InputOptions,
    reading: DataOptions,
    window: WindowOptions,
    engine: EngineOptions,
    *,
    jobs: Jobs = None,
    quantiles: Quantiles = DEFAULT_LEVELS,
    output_file: OutFile = None,
    format: Format = None,
    excel_safe: ExcelSafe = False,
    fail_if: FailIf = None,
    show: ShowOptions,
) -> None:
    """Forecast DATA at once, nothing trained; prints a table.

    The network is used as it ships, and nothing is saved: it has seen synthetic series only, and
    your data just says how far to trust it. How good that is on the last windows of DATA is said on
    stderr. `fit` is slower and usually better. A folder of Parquet, whole series in each file, is
    done file by file where the output is a folder.
    """
    roles, gates, levels = (
        columns.columns(),
        parse_gates(fail_if),
        parse_quantile_levels(quantiles, "--quantiles"),
    )
    config = replace(
        Config(), data=reading.config(), window=window.config(), train=TrainConfig(steps=0)
    )
    config = replace(config, inputs=inputs.config())
    if is_sharded(data, output_file):
        refuse_options(format=format, fail_if=fail_if, excel_safe=excel_safe)
        from lstmcast.deployment.shards import ShardJob, forecast_shard

        same = {"config": config.to_dict(), "columns": asdict(roles), "quantiles": levels}
        job = ShardJob("forecast", forecast_shard, (roles, config, levels), same)
        run_shard_job(
            Reporter.of(show), job, data, str(output_file), engine, jobs, as_json=show.json
        )
        return
    limit_to_one_job(engine, jobs)
    form = output.choose_format(output_file, format)
    report = Reporter.of(show)
    panel = read_panel(report, data, roles, config.data, config, ahead=True)
    report_panel(report, panel)
    from lstmcast.training.forecaster import Forecaster

    forecaster = Forecaster(config).fit(panel)
    table = forecaster.predict(quantiles=levels)
    report.found(note for note in forecaster.notes if note not in panel.notes)
    if forecaster.verdict:
        report.say(*forecaster.verdict.sentences(), forecaster.guard.sentence())
        report_scores(report, forecaster.verdict)
    if output_file or not show.json:
        guarded = output.with_escaped_formulas(table, form, report, safe=excel_safe)
        output.write_frame(guarded, output_file, form, whole=format is not None)
    if show.json:
        verdict = forecaster.verdict.to_dict() if forecaster.verdict else None
        output.write_object("forecast", {"verdict": verdict, "forecast": output.to_records(table)})
    check_gates(gates, forecaster.verdict)
