"""`lstmcast detect`: rows that are not as expected."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from lstmcast.cli.data import read_like_run
from lstmcast.cli.follow import Follower
from lstmcast.cli.gates import check_figures, parse_gates
from lstmcast.cli.options.declare import WINDOW, make_flag, make_option
from lstmcast.cli.options.engine import EngineOptions, Jobs
from lstmcast.cli.options.reading import RunDataOptions
from lstmcast.cli.options.results import (
    SKIP_HINT,
    Data,
    FailIf,
    IfNothingNew,
    RunPath,
    ShowOptions,
    TableOptions,
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
from lstmcast.cli.streaming.lines import is_text_stream
from lstmcast.config import DEFAULT_FALSE_ALARM_RATE
from lstmcast.errors import DataError
from lstmcast.runs.directory import open_run

if TYPE_CHECKING:
    from lstmcast.forecasting.predictor import Predictor
    from lstmcast.monitoring.detect import Detection, Detector

EXAMPLES = """\
lstmcast detect runs/price-price newer.csv
lstmcast detect runs/price-price newer.csv --rate 0.01 -o judged.csv
lstmcast detect runs/price-price newer.csv --fail-if "anomalies>0" """
GATE_FIGURES = ("anomalies", "points", "runs", "stuck", "judged", "share")
"""The figures that `--fail-if` can be about."""
_MAX_NAMED_EVENTS = 5
"""Values that were stuck, each with a sentence on it."""
_LIVE_FORMATS = ("csv", "tsv", "jsonl")
FalseAlarmRate = Annotated[
    float,
    make_option(
        WINDOW,
        "SHARE",
        "Share of ordinary rows that may be flagged, above 0 and below 0.5.",
    ),
]
Adapt = Annotated[
    bool,
    make_flag(
        WINDOW,
        "Whether thresholds keep learning from judged rows, or stay those of the run's history.",
        "--adapt/--fixed",
    ),
]


def detect(
    run: RunPath,
    data: Data,
    *,
    rate: FalseAlarmRate = DEFAULT_FALSE_ALARM_RATE,
    adapt: Adapt = True,
    reading: RunDataOptions,
    table: TableOptions,
    fail_if: FailIf = None,
    if_nothing_new: IfNothingNew = "fail",
    jobs: Jobs = None,
    engine: EngineOptions,
    show: ShowOptions,
) -> None:
    """Find anomalies in newer rows of DATA; prints each row, judged.

    Beside its actual value stand the expected one, the interval in which an ordinary row lies, a
    score (1 and more is an anomaly) and its kind: a single row (point), a run of rows that are each
    a little off (run), or a value that does not change for longer than it ever did (stuck). From
    stdin (as in `tail -f -n +1 DATA | lstmcast detect RUN -`) rows are judged as they come, a line
    out for each line in. If no row is newer it exits with 3, or with --if-nothing-new skip with 0.
    """
    gates = parse_gates(fail_if, GATE_FIGURES)
    report = Reporter.of(show)
    if is_sharded(data, table.output_file):
        refuse_options(
            format=table.format,
            excel_safe=table.excel_safe,
            if_nothing_new=if_nothing_new == "skip",
            **reading.given(),
        )
        out = str(table.output_file)
        figures = _detect_in_shards(
            report, run, data, out, rate, engine, jobs, adapt=adapt, as_json=show.json
        )
        check_figures(gates, figures)
        return

    limit_to_one_job(engine, jobs)
    # Rows from stdin are judged as they come if each can be a line of its own on stdout.
    goes_to_stdout = table.output_file in (None, "-") and not show.json
    is_stream = data == "-" and goes_to_stdout
    live = is_stream and (table.format or "csv") in _LIVE_FORMATS
    form = (table.format or "csv") if live else table.choose_format()
    # Of the lines of a binary file, such as Parquet, nothing can be judged as they come.
    live = live and is_text_stream(sys.stdin.buffer)
    open_run(run)  # says what is wrong with it before anything heavy is loaded
    from lstmcast.forecasting.predictor import Predictor

    forecaster = Predictor.load(run)
    if live:
        detector = _make_detector(report, forecaster, rate, adapt=adapt)
        follower = Follower(report, detector, form, reading, safe=table.excel_safe)
        figures = follower.run()
    else:
        panel = read_like_run(report, data, forecaster, reading)
        detector = _make_detector(report, forecaster, rate, adapt=adapt)
        detection = detector.judge(panel)
        figures = detection.figures
        report.found(detection.notes)
        try:
            detector.require(detection)
        except DataError as error:
            if if_nothing_new == "fail":
                error.hint += SKIP_HINT
                raise
            report.say(f"skipped: {error.message}")
            if show.json:
                _write_detection(run, detector, detection)
            return
        if table.output_file or not show.json:
            table.write_escaped(detection.rows, form, report)
        if show.json:
            _write_detection(run, detector, detection)
        report.found(_describe_stuck_events(detection))
    report.say(describe_detections(figures))
    check_figures(gates, figures)


def _describe_stuck_events(detection: "Detection") -> list[str]:
    """Return a sentence on each of the first stuck values."""
    events = detection.events
    stuck = events[events["kind"] == "stuck"]
    *keys, _, _, _, _, _ = map(str, events.columns)
    stamp = detection.rows.columns[len(keys)]
    sentences = []
    for event in output.to_records(stuck.head(_MAX_NAMED_EVENTS)):
        name = "/".join(str(event[key]) for key in keys)
        where = f"{name}: " if name else ""
        sentences.append(
            f"{where}stuck at {event['value']:g} for {event['rows']:,} rows,"
            f" {stamp} {event['from']} to {event['to']}"
        )
    more = len(stuck) - len(sentences)
    if more:
        sentences.append(f"and {more:,} more values that were stuck")
    return sentences


def describe_detections(figures: dict[str, float]) -> str:
    """Return what was found, in plain words."""
    anomalies = int(figures["anomalies"])
    judged = int(figures["judged"])
    if not anomalies:
        return f"no anomaly in {judged:,} rows judged"
    points = int(figures["points"])
    runs = int(figures["runs"])
    kinds = f"{points:,} single, {runs:,} in runs"
    stuck = int(figures["stuck"])
    if stuck:
        kinds += f", {stuck:,} stuck"
    return f"{anomalies:,} of {judged:,} rows judged are anomalies: {kinds}"


def _detect_in_shards(
    report: Reporter,
    run: str,
    data: str,
    out: str,
    rate: float,
    engine: EngineOptions,
    jobs: int | None,
    *,
    adapt: bool,
    as_json: bool,
) -> dict[str, float]:
    """Judge each file of a folder by itself; returns the figures of all together."""
    fingerprint = open_run(run).manifest["sha256"]
    from lstmcast.deployment.shards import ShardJob, detect_shard, sum_anomaly_counts

    # Workers may have another working directory.
    run_path = str(Path(run).absolute())
    work = (run_path, rate, adapt)
    # What the results depend on: a folder made with other values is not continued.
    identity = {"run": fingerprint, "rate": rate, "adapt": adapt}
    job = ShardJob("detect", detect_shard, work, identity)
    outcome = run_shard_job(report, job, data, out, engine, jobs, as_json=False)
    counts = [facts["figures"] for facts in outcome.facts.values()]
    figures = sum_anomaly_counts(counts)
    report.say(describe_detections(figures))
    if as_json:
        content = {"folder": out, **outcome_to_dict(outcome), **figures}
        output.write_object("detect", content)
    return figures


def _make_detector(
    report: Reporter, forecaster: "Predictor", rate: float, *, adapt: bool
) -> "Detector":
    from lstmcast.monitoring.detect import Detector

    detector = Detector(forecaster, rate=rate, adapt=adapt)
    report.found(detector.notes)
    return detector


def _write_detection(run: str, detector: "Detector", detection: "Detection") -> None:
    content = {
        "run": run,
        "rate": detector.rate,
        "notes": [*detection.notes, *detector.notes],
        **detection.figures,
        "events": output.to_records(detection.events),
        "rows": output.to_records(detection.rows),
    }
    output.write_object("detect", content)
