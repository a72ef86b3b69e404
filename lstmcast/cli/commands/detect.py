"""`lstmcast detect`: rows that are not as expected."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Option

from lstmcast.cli.data import read_like_run
from lstmcast.cli.engine import EngineOptions
from lstmcast.cli.follow import Follower, is_text_stream
from lstmcast.cli.gates import check_figures, parse_gates
from lstmcast.cli.options import (
    WINDOW,
    Data,
    ExcelSafe,
    FailIf,
    Format,
    Jobs,
    OutFile,
    RunPath,
    ShowOptions,
    SkipRows,
)
from lstmcast.cli.sharded import (
    is_sharded,
    limit_to_one_job,
    outcome_to_dict,
    refuse_options,
    run_shard_job,
)
from lstmcast.cli.show import output
from lstmcast.cli.show.console import Reporter
from lstmcast.config import DEFAULT_FALSE_ALARM_RATE
from lstmcast.runs.directory import open_run

if TYPE_CHECKING:
    from lstmcast.monitoring.detect import Detector

EXAMPLES = """\
lstmcast detect runs/price-price newer.csv
lstmcast detect runs/price-price newer.csv --rate 0.01 --fail-if "anomalies>0" -o judged.csv"""
GATE_FIGURES = ("anomalies", "points", "runs", "judged", "share")
"""What `--fail-if` can ask about."""
_LIVE_FORMATS = ("csv", "tsv", "jsonl")
FalseAlarmRate = Annotated[
    float,
    Option(
        metavar="SHARE",
        help="Share of ordinary rows that may be flagged, above 0 and below 0.5.",
        rich_help_panel=WINDOW,
    ),
]
Adapt = Annotated[
    bool,
    Option(
        "--adapt/--fixed",
        help="Whether thresholds go on learning from judged rows, or are those of the run's history.",
        rich_help_panel=WINDOW,
    ),
]


def detect(
    run: RunPath,
    data: Data,
    *,
    rate: FalseAlarmRate = DEFAULT_FALSE_ALARM_RATE,
    adapt: Adapt = True,
    bad_rows: SkipRows = None,
    output_file: OutFile = None,
    format: Format = None,
    excel_safe: ExcelSafe = False,
    fail_if: FailIf = None,
    jobs: Jobs = None,
    engine: EngineOptions,
    show: ShowOptions,
) -> None:
    """Find anomalies in newer rows of DATA; prints each row, judged.

    Beside its actual value stands what was expected, the interval in which an ordinary row lies, a
    score (1 and more is an anomaly) and its kind: a single row (point), or a run of rows that are
    each a little off (run). From stdin (as in `tail -f -n +1 DATA | lstmcast detect RUN -`) rows
    are judged as they come, a line out for each line in.
    """
    gates = parse_gates(fail_if, GATE_FIGURES)
    if is_sharded(data, output_file):
        refuse_options(format=format, excel_safe=excel_safe, bad_rows=bad_rows)
        sealed = open_run(run).manifest["sha256"]
        from lstmcast.deployment.shards import ShardJob, detect_shard, sum_anomaly_counts

        same = {"run": sealed, "rate": rate, "adapt": adapt}
        job = ShardJob("detect", detect_shard, (str(Path(run).absolute()), rate, adapt), same)
        outcome = run_shard_job(
            Reporter.of(show), job, data, str(output_file), engine, jobs, as_json=False
        )
        figures = sum_anomaly_counts([facts["figures"] for facts in outcome.facts.values()])
        Reporter.of(show).say(describe_detections(figures))
        if show.json:
            output.write_object(
                "detect", {"folder": output_file, **outcome_to_dict(outcome), **figures}
            )
        check_figures(gates, figures)
        return
    limit_to_one_job(engine, jobs)
    live = (
        data == "-"
        and not show.json
        and output_file in (None, "-")
        and (format or "csv") in _LIVE_FORMATS
    )
    form = (format or "csv") if live else output.choose_format(output_file, format)
    report = Reporter.of(show)
    live = live and is_text_stream(sys.stdin.buffer)
    open_run(run)
    from lstmcast.forecasting.predictor import Predictor
    from lstmcast.monitoring.detect import Detector

    forecaster = Predictor.load(run)
    if live:
        detector = _report_notes(report, Detector(forecaster, rate=rate, adapt=adapt))
        figures = Follower(report, detector, form, bad_rows, safe=excel_safe).run()
    else:
        panel = read_like_run(report, data, forecaster, bad_rows)
        detector = _report_notes(report, Detector(forecaster, rate=rate, adapt=adapt))
        found = detector.judge(panel)
        figures = found.figures
        report.found(found.notes)
        detector.require(found)
        if output_file or not show.json:
            rows = output.with_escaped_formulas(found.rows, form, report, safe=excel_safe)
            output.write_frame(rows, output_file, form, whole=format is not None)
        if show.json:
            content = {
                "run": run,
                "rate": rate,
                "notes": [*found.notes, *detector.notes],
                **figures,
            }
            output.write_object("detect", {**content, "rows": output.to_records(found.rows)})
    report.say(describe_detections(figures))
    check_figures(gates, figures)


def describe_detections(figures: dict[str, float]) -> str:
    """What was found, in plain words."""
    anomalies, judged = int(figures["anomalies"]), int(figures["judged"])
    if not anomalies:
        return f"no anomaly in {judged:,} rows judged"
    kinds = [
        f"{int(figures[name]):,} {what}"
        for name, what in (("points", "single"), ("runs", "in runs"))
    ]
    return f"{anomalies:,} of {judged:,} rows judged are anomalies: {kinds[0]}, {kinds[1]}"


def _report_notes(report: Reporter, detector: "Detector") -> "Detector":
    report.found(detector.notes)
    return detector
