"""`lstmcast backtest`: score a configuration from past cutoffs."""

from dataclasses import asdict, replace
from typing import Annotated, Any

from lstmcast.cli.commands.evaluate import ScoresBy
from lstmcast.cli.data import find_roles, read_panel, report_panel
from lstmcast.cli.dryrun import print_fit_cost
from lstmcast.cli.gates import check_figures, check_gates, parse_gates
from lstmcast.cli.options.declare import WINDOW, make_flag, make_option
from lstmcast.cli.options.engine import EngineOptions
from lstmcast.cli.options.fitting import FitOptions
from lstmcast.cli.options.results import (
    Against,
    Data,
    DryRun,
    FailIf,
    PlotOptions,
    ShowOptions,
    Step,
    TableOptions,
)
from lstmcast.cli.sharded import (
    is_sharded,
    outcome_to_dict,
    refuse_options,
    run_shard_job,
)
from lstmcast.cli.show import output
from lstmcast.cli.show.console import Reporter
from lstmcast.cli.show.pictures import draw_backtest
from lstmcast.cli.show.scores import report_verdict, write_scores
from lstmcast.config import Columns, Config
from lstmcast.extras import require_torch

EXAMPLES = """\
lstmcast backtest sample_data/price.csv --target price
lstmcast backtest sales.csv -t units -s shop --windows 5 --no-refit
lstmcast backtest sales.csv -t units -s shop -j 2 -o forecasts.parquet"""
Cutoffs = Annotated[int, make_option(WINDOW, "N", "Cutoffs in the past, 1 or more.")]
Refit = Annotated[
    bool,
    make_flag(
        WINDOW,
        "Train anew at each cutoff, or once before the first.",
        "--refit/--no-refit",
    ),
]
Expanding = Annotated[
    bool,
    make_flag(
        WINDOW,
        "Train on all history, or on a window of fixed length.",
        "--expanding/--rolling",
    ),
]


def backtest(
    data: Data,
    options: FitOptions,
    engine: EngineOptions,
    *,
    windows: Cutoffs = 3,
    step: Step = None,
    refit: Refit = True,
    expanding: Expanding = True,
    table: TableOptions,
    by: ScoresBy = "method",
    against: Against = "",
    fail_if: FailIf = None,
    picture: PlotOptions,
    dry_run: DryRun = False,
    show: ShowOptions,
) -> None:
    """Score a configuration from past cutoffs; prints scores.

    At each cutoff the network learns from what was known then, forecasts, and is compared with what
    came after and with simple methods: naive, seasonal naive, theta and others. With -o the
    forecasts themselves are written.
    """
    config = options.config()
    gates = parse_gates(fail_if)
    require_torch("a backtest needs")
    report = Reporter.of(show)
    # Of the shared options for tables, --format is that of the scores on stdout; the file of the
    # forecasts has the format of its extension.
    file = table.output_file
    if is_sharded(data, file):
        refuse_options(
            format=table.format,
            plot=picture.plot,
            dry_run=dry_run,
            excel_safe=table.excel_safe,
            by=by != "method",
            against=against,
        )
        how = {"windows": windows, "step": step, "refit": refit, "expanding": expanding}
        work = (options.columns.roles(), config, how)
        scores = _backtest_shards(
            report, data, str(file), work, engine, as_json=show.json
        )
        check_figures(gates, scores["model"])
        return

    # What is wrong with the command line is an error before any work.
    scores_form = "object" if show.json else output.choose_format(None, table.format)
    file_form = output.choose_format(file, None) if file else ""
    roles, read = find_roles(report, data, options.columns, config.data)
    panel = read_panel(report, data, roles, config.data, table=read)
    report_panel(report, panel)
    if dry_run:
        fits = windows if refit else 1
        print_fit_cost(report, panel, config, "backtest", fits, as_json=show.json)
        return

    # Imports that load torch come only now: help and errors stay quick.
    from lstmcast.compute.jobs import default_jobs
    from lstmcast.evaluation.backtest import backtest as score_past

    with engine.use(), report.progress() as on_event:
        result = score_past(
            panel,
            config,
            windows=windows,
            step=step,
            refit=refit,
            expanding=expanding,
            jobs=config.train.jobs or default_jobs(),
            against=against,
            on_event=on_event,
        )
    # The forecasts go to the file, the scores to stdout.
    report_verdict(report, result.verdict, table=False)
    if file:
        forecasts = output.with_escaped_formulas(
            result.forecasts, file_form, report, safe=table.excel_safe
        )
        output.write_frame(forecasts, file, file_form)
        report.say(f"{len(result.forecasts):,} rows written to {file!r}")
    write_scores(
        result.verdict,
        scores_form,
        panel.key_names,
        command="backtest",
        extra={},
        by=by,
    )
    draw_backtest(report, picture, panel, result)
    # Last, since a rule that is met ends the command, with all results written.
    check_gates(gates, result.verdict)


def _backtest_shards(
    report: Reporter,
    data: str,
    out: str,
    work: tuple[Columns, Config, dict[str, Any]],
    engine: EngineOptions,
    *,
    as_json: bool,
) -> dict[str, dict[str, float]]:
    """Score each file of a folder by itself; prints and returns the scores of all together.

    `work` is the roles of the columns, the configuration, and how the cutoffs are chosen.
    """
    from lstmcast.deployment.shards import ShardJob, backtest_shard, combine_scores

    roles, config, how = work
    # How many jobs there are does not change the results: they are not part of what is resumed.
    train = replace(config.train, jobs=None)
    settings = replace(config, train=train).to_dict()
    identity = {"config": settings, "columns": asdict(roles), **how}
    job = ShardJob("backtest", backtest_shard, work, identity)
    outcome = run_shard_job(
        report, job, data, out, engine, config.train.jobs, as_json=False
    )
    verdicts = [facts["verdict"] for facts in outcome.facts.values()]
    scores = combine_scores(verdicts)
    if as_json:
        content = {"folder": out, **outcome_to_dict(outcome), "scores": scores}
        output.write_object("backtest", content)
        return scores

    import pandas as pd

    rows = [{"method": name, **figures} for name, figures in scores.items()]
    output.write_frame(pd.DataFrame(rows), None, "csv")
    return scores
