"""`lstmcast detect`: rows that are not as expected."""

import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Context

from lstmcast.cli.data import read_like_run
from lstmcast.cli.follow import Follower
from lstmcast.cli.gates import check_figures, parse_gates
from lstmcast.cli.options.columns import WatchOptions
from lstmcast.cli.options.declare import WINDOW, make_flag
from lstmcast.cli.options.detection import DetectionOptions
from lstmcast.cli.options.engine import EngineOptions, Jobs
from lstmcast.cli.options.reading import RunDataOptions
from lstmcast.cli.options.results import (
    SKIP_HINT,
    DataAfterRun,
    DetectionPlotOptions,
    FailIf,
    IfNothingNew,
    RunOrData,
    ShowOptions,
    TableOptions,
    find_run_and_data,
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
from lstmcast.cli.show.pictures import draw_detection
from lstmcast.cli.streaming.lines import is_text_stream
from lstmcast.cli.streaming.watch import WatchFollower
from lstmcast.cli.watch import (
    StateFile,
    refuse_options_of_other_form,
    watch_file,
    with_remembered_roles,
)
from lstmcast.config import DataConfig
from lstmcast.errors import DataError, UsageError
from lstmcast.monitoring.rates import Alarm
from lstmcast.runs.directory import open_run

if TYPE_CHECKING:
    from lstmcast.monitoring.detect import Detector
    from lstmcast.monitoring.detection import Detection

EXAMPLES = """\
lstmcast detect sample_data/price.csv --target price --events
lstmcast detect newer.csv -t price --state price.state --fail-if "anomalies>0"
lstmcast detect runs/price-price newer.csv
lstmcast detect runs/price-price newer.csv --sensitivity high --events
lstmcast detect runs/price-price newer.csv --plot anomalies.html -o judged.csv
lstmcast detect runs/price-price newer.csv --fail-if "events>0" """
GATE_FIGURES = (
    "anomalies",
    "events",
    "points",
    "runs",
    "stuck",
    "gaps",
    "judged",
    "share",
)
"""The figures that `--fail-if` can be about."""
_MAX_NAMED_EVENTS = 5
"""Values that were stuck, each with a sentence on it."""
_LIVE_FORMATS = ("csv", "tsv", "jsonl")
Adapt = Annotated[
    bool,
    make_flag(
        WINDOW,
        "Whether what is usual is learnt from judged rows, too, or from the run's history alone.",
        "--adapt/--fixed",
    ),
]


def detect(
    call: Context,
    run: RunOrData = None,
    data: DataAfterRun = None,
    *,
    columns: WatchOptions,
    state: StateFile = None,
    detection: DetectionOptions,
    adapt: Adapt = True,
    reading: RunDataOptions,
    table: TableOptions,
    picture: DetectionPlotOptions,
    fail_if: FailIf = None,
    if_nothing_new: IfNothingNew = "fail",
    jobs: Jobs = None,
    engine: EngineOptions,
    show: ShowOptions,
) -> None:
    """Find unusual rows of DATA, by its own past or by a run; prints each row, judged.

    Without RUN each series is judged by what it did before, from its 51st row on. Its rows need no
    regular steps: each is judged as it stands. With RUN rows newer than its training are judged by
    its forecasts, too; if none is newer it exits with 3, or with --if-nothing-new skip with 0.

    Each row is printed with its actual and its expected value, the interval in which an ordinary
    value lies, and a score: 0.999 means as unusual as one row in 1,000. Unusual rows form events,
    each with a number; the row that opens an event is flagged. The kind says whether a row is
    unusual by itself (point) or together with the rows before it (run), whether the value no longer
    changes (stuck), or whether rows are missing before it (gap); the reason says what is unusual.

    From stdin (as in `tail -f -n +1 DATA | lstmcast detect - --target COL`) rows are judged as they
    come, a line out for each line in.
    """
    gates = parse_gates(fail_if, GATE_FIGURES)
    report = Reporter.of(show)
    run, data = find_run_and_data("detect", run, data)
    refuse_options_of_other_form(call, has_run=run is not None)
    if run is None:
        limit_to_one_job(engine, jobs)
        figures = _detect_without_run(
            report, data, columns, reading, detection, state, table, picture, show
        )
        check_figures(gates, figures)
        return

    rate = detection.find_rate()
    if is_sharded(data, table.output_file):
        refuse_options(
            format=table.format,
            excel_safe=table.excel_safe,
            if_nothing_new=if_nothing_new == "skip",
            only_anomalies=detection.only_anomalies,
            events=detection.events,
            plot=picture.plot,
            **reading.given(),
        )
        out = str(table.output_file)
        figures = _detect_in_shards(
            report,
            run,
            data,
            out,
            rate,
            detection.alarm,
            engine,
            jobs,
            adapt=adapt,
            as_json=show.json,
        )
        check_figures(gates, figures)
        return

    limit_to_one_job(engine, jobs)
    figures = _detect_with_run(
        *(report, run, data, reading, detection, table, picture, show),
        adapt=adapt,
        if_nothing_new=if_nothing_new,
    )
    if figures:
        check_figures(gates, figures)


def _detect_with_run(
    report: Reporter,
    run: str,
    data: str,
    reading: RunDataOptions,
    detection: DetectionOptions,
    table: TableOptions,
    picture: DetectionPlotOptions,
    show: ShowOptions,
    *,
    adapt: bool,
    if_nothing_new: str,
) -> dict[str, float]:
    """Judge rows newer than a run by its forecasts; returns the figures, none if none is newer."""
    rate = detection.find_rate()
    form, live = _choose_format(data, table, picture, show)
    open_run(run)  # says what is wrong with it before anything heavy is loaded
    from lstmcast.forecasting.predictor import Predictor
    from lstmcast.monitoring.detect import Detector
    from lstmcast.monitoring.detection import describe_figures

    forecaster = Predictor.load(run)
    make_detector = partial(
        Detector, forecaster, rate=rate, adapt=adapt, alarm=detection.alarm
    )
    if live:
        detector = make_detector()
        report.found(detector.notes)
        _refuse_events(detection)
        follower = Follower(
            report, detector, form, reading, detection, safe=table.excel_safe
        )
        figures = follower.run()
    else:
        panel = read_like_run(report, data, forecaster, reading)
        detector = make_detector()
        report.found(detector.notes)
        found = detector.judge(panel)
        figures = found.figures
        report.found(found.notes)
        try:
            detector.require(found)
        except DataError as error:
            if if_nothing_new == "fail":
                error.hint += SKIP_HINT
                raise
            report.say(f"skipped: {error.message}")
            if show.json:
                _write_detection(run, detector, found, detection)
            return {}
        if table.output_file or not show.json:
            _write_table(report, found, detection, table, form)
        if show.json:
            _write_detection(run, detector, found, detection)
        report.found(_describe_stuck_events(found))
        target = " and ".join(panel.columns.target)
        draw_detection(report, picture, found.rows, target, panel.axis.form)
    report.say(describe_figures(figures))
    return figures


def _detect_without_run(
    report: Reporter,
    data: str,
    columns: WatchOptions,
    reading: RunDataOptions,
    detection: DetectionOptions,
    state: str | None,
    table: TableOptions,
    picture: DetectionPlotOptions,
    show: ShowOptions,
) -> dict[str, float]:
    """Judge each series of DATA by its own past; returns the figures."""
    form, live = _choose_format(data, table, picture, show)
    from lstmcast.monitoring.detection import describe_figures
    from lstmcast.monitoring.watch.state import hold_watcher

    rate = detection.find_rate()
    with hold_watcher(state, rate, alarm=detection.alarm) as (watcher, save):
        if live:
            _refuse_events(detection)
            roles = with_remembered_roles(columns, watcher).requested()
            config = reading.apply(DataConfig())
            follower = WatchFollower(
                *(report, watcher, form, roles, config, detection),
                save=save,
                safe=table.excel_safe,
            )
            figures = follower.run()
        else:
            judged = watch_file(report, data, columns, reading, watcher)
            found = judged.detection
            figures = found.figures
            if table.output_file or not show.json:
                _write_table(report, found, detection, table, form)
            if show.json:
                content = {
                    "rate": watcher.rate,
                    "notes": found.notes,
                    **figures,
                    "shared": [moment._asdict() for moment in judged.shared],
                    "events": output.to_records(found.events),
                    "rows": output.to_records(detection.select_rows(found.rows)),
                }
                output.write_object("detect", content)
            # What was not written is judged again.
            save()
            report.found(_describe_stuck_events(found))
            draw_detection(report, picture, found.rows, judged.target, judged.form)
    report.say(describe_figures(figures))
    return figures


def _choose_format(
    data: str, table: TableOptions, picture: DetectionPlotOptions, show: ShowOptions
) -> tuple[str, bool]:
    """Return the format to write, and whether rows are judged as they come on stdin."""
    # They are if each can be a line of its own on stdout.
    goes_to_stdout = table.output_file in (None, "-") and not show.json
    is_stream = data == "-" and goes_to_stdout
    live = is_stream and (table.format or "csv") in _LIVE_FORMATS
    form = (table.format or "csv") if live else table.choose_format()
    # A picture is of all rows together, and a binary file, such as Parquet, has no lines.
    live = live and not picture.plot and is_text_stream(sys.stdin.buffer)
    return form, live


def _refuse_events(detection: DetectionOptions) -> None:
    """Raise UsageError where rows that are judged as they come are to be listed by event."""
    if detection.events:
        raise UsageError(
            "--events needs all rows before it can list their events",
            "leave it out, or give a file; column `event` numbers them as they come",
        )


def _write_table(
    report: Reporter,
    found: "Detection",
    detection: DetectionOptions,
    table: TableOptions,
    form: str,
) -> None:
    """Write the rows or events that are asked for; a terminal shows rows of events alone."""
    is_glance = form == "table" and table.format is None and not table.output_file
    if is_glance:
        detection = replace(detection, only_anomalies=True)
    shown = detection.select(found)
    if is_glance and not detection.events:
        hidden = len(found.rows) - len(shown)
        if hidden and len(shown):
            report.say(f"{hidden:,} other rows are not shown: -o FILE has all of them")
    if len(shown) or not is_glance:
        table.write_escaped(shown, form, report)


def _describe_stuck_events(detection: "Detection") -> list[str]:
    """Return a sentence on each of the first stuck values."""
    from lstmcast.monitoring.events import COLUMNS

    events = detection.events
    stuck = events[events["kind"] == "stuck"]
    keys = [str(name) for name in events.columns[: -len(COLUMNS)]]
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


def _detect_in_shards(
    report: Reporter,
    run: str,
    data: str,
    out: str,
    rate: float,
    alarm: Alarm,
    engine: EngineOptions,
    jobs: int | None,
    *,
    adapt: bool,
    as_json: bool,
) -> dict[str, float]:
    """Judge each file of a folder by itself; returns the figures of all together."""
    fingerprint = open_run(run).manifest["sha256"]
    from lstmcast.deployment.shards import ShardJob, detect_shard, sum_anomaly_counts
    from lstmcast.monitoring.detection import describe_figures

    # Workers may have another working directory.
    run_path = str(Path(run).absolute())
    work = (run_path, rate, adapt, alarm)
    # What the results depend on: a folder made with other values is not continued.
    identity = {"run": fingerprint, "rate": rate, "adapt": adapt, "alarm": alarm}
    job = ShardJob("detect", detect_shard, work, identity)
    outcome = run_shard_job(report, job, data, out, engine, jobs, as_json=False)
    counts = [facts["figures"] for facts in outcome.facts.values()]
    figures = sum_anomaly_counts(counts)
    report.say(describe_figures(figures))
    if as_json:
        content = {"folder": out, **outcome_to_dict(outcome), **figures}
        output.write_object("detect", content)
    return figures


def _write_detection(
    run: str, detector: "Detector", found: "Detection", options: DetectionOptions
) -> None:
    content = {
        "run": run,
        "rate": detector.rate,
        "notes": [*found.notes, *detector.notes],
        **found.figures,
        "events": output.to_records(found.events),
        "rows": output.to_records(options.select_rows(found.rows)),
    }
    output.write_object("detect", content)
