"""`lstmcast backtest`: score a configuration from past cutoffs."""

from dataclasses import asdict, replace
from typing import Annotated, Any

from typer import Option

from lstmcast.cli.commands.evaluate import ScoresBy
from lstmcast.cli.data import read_panel, report_panel
from lstmcast.cli.dryrun import DryRun, print_fit_cost
from lstmcast.cli.engine import EngineOptions
from lstmcast.cli.gates import check_figures, check_gates, parse_gates
from lstmcast.cli.options import (
    WINDOW,
    ColumnOptions,
    Data,
    DataOptions,
    ExcelSafe,
    FailIf,
    Format,
    InputOptions,
    ModelOptions,
    OutFile,
    Plot,
    ShowOptions,
    Step,
    TrainOptions,
    WindowOptions,
    build_config,
)
from lstmcast.cli.sharded import is_sharded, outcome_to_dict, refuse_options, run_shard_job
from lstmcast.cli.show import output
from lstmcast.cli.show.console import Reporter
from lstmcast.cli.show.pictures import check_picture, draw_backtest
from lstmcast.cli.show.scores import write_scores
from lstmcast.config import Columns, Config

EXAMPLES = """\
lstmcast backtest sample_data/price.csv --target price
lstmcast backtest sales.csv --target units --series shop --windows 5 --no-refit -j 2 -o forecasts.parquet"""
Cutoffs = Annotated[
    int, Option(metavar="N", help="Cutoffs in the past, 1 or more.", rich_help_panel=WINDOW)
]
Refit = Annotated[
    bool,
    Option(
        "--refit/--no-refit",
        help="Learn anew at each cutoff, or once before the first.",
        rich_help_panel=WINDOW,
    ),
]
Expanding = Annotated[
    bool,
    Option(
        "--expanding/--rolling",
        help="Learn from all history, or from a window of one length.",
        rich_help_panel=WINDOW,
    ),
]


def backtest(
    data: Data,
    columns: ColumnOptions,
    inputs: InputOptions,
    reading: DataOptions,
    window: WindowOptions,
    model: ModelOptions,
    train: TrainOptions,
    engine: EngineOptions,
    *,
    windows: Cutoffs = 3,
    step: Step = None,
    refit: Refit = True,
    expanding: Expanding = True,
    output_file: OutFile = None,
    by: ScoresBy = "method",
    format: Format = None,
    excel_safe: ExcelSafe = False,
    fail_if: FailIf = None,
    plot: Plot = None,
    dry_run: DryRun = False,
    show: ShowOptions,
) -> None:
    """Score a configuration from past cutoffs; prints scores.

    At each cutoff the network learns from what was known then, forecasts, and is compared with what
    came after and with naive, seasonal naive and drift. With -o the forecasts themselves are
    written.
    """
    config = build_config(reading, window, model, train, inputs)
    roles, gates = columns.columns(), parse_gates(fail_if)
    if is_sharded(data, output_file):
        refuse_options(
            format=format, plot=plot, dry_run=dry_run, excel_safe=excel_safe, by=by != "method"
        )
        how = {"windows": windows, "step": step, "refit": refit, "expanding": expanding}
        scores = _backtest_shards(
            Reporter.of(show),
            data,
            str(output_file),
            (roles, config, how),
            engine,
            as_json=show.json,
        )
        check_figures(gates, scores["model"])
        return
    form = "object" if show.json else output.choose_format(None, format)
    table = output.choose_format(output_file, None) if output_file else ""
    check_picture(plot)
    report = Reporter.of(show)
    panel = read_panel(report, data, roles, config.data)
    report_panel(report, panel)
    if dry_run:
        print_fit_cost(
            report, panel, config, "backtest", windows if refit else 1, as_json=show.json
        )
        return
    from lstmcast.compute.jobs import default_jobs
    from lstmcast.evaluation.backtest import backtest as score_past

    with engine.hired(), report.progress() as on_event:
        result = score_past(
            panel, config, windows=windows, step=step, refit=refit, expanding=expanding,
            jobs=config.train.jobs or default_jobs(), on_event=on_event,
        )  # fmt: skip
    report.say(*result.verdict.sentences())
    if output_file:
        forecasts = output.with_escaped_formulas(result.forecasts, table, report, safe=excel_safe)
        output.write_frame(forecasts, output_file, table)
        report.say(f"{len(result.forecasts):,} rows written to {output_file!r}")
    write_scores(result.verdict, form, panel.key_names, command="backtest", extra={}, by=by)
    if plot:
        draw_backtest(report, plot, panel, result)
    check_gates(gates, result.verdict)


def _backtest_shards(
    report: Reporter,
    data: str,
    out: str,
    what: tuple[Columns, Config, dict[str, Any]],
    engine: EngineOptions,
    *,
    as_json: bool,
) -> dict[str, dict[str, float]]:
    """Score each file of a folder by itself; prints the scores of all together, which it returns."""
    from lstmcast.deployment.shards import ShardJob, backtest_shard, combine_scores

    roles, config, how = what
    settings = replace(config, train=replace(config.train, jobs=None)).to_dict()
    job = ShardJob(
        "backtest", backtest_shard, what, {"config": settings, "columns": asdict(roles), **how}
    )
    outcome = run_shard_job(report, job, data, out, engine, config.train.jobs, as_json=False)
    scores = combine_scores([facts["verdict"] for facts in outcome.facts.values()])
    if as_json:
        output.write_object(
            "backtest", {"folder": out, **outcome_to_dict(outcome), "scores": scores}
        )
    else:
        import pandas as pd

        output.write_frame(
            pd.DataFrame([{"method": name, **row} for name, row in scores.items()]), None, "csv"
        )
    return scores
