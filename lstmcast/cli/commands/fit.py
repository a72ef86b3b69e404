"""`lstmcast fit`: learn from a file, say how good that is, keep the run."""

import itertools
import shlex
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_type_hints

from typer import Context

from lstmcast.cli.data import default_run_path, find_roles, read_panel, report_panel
from lstmcast.cli.dryrun import print_fit_cost
from lstmcast.cli.gates import check_gates, parse_gates
from lstmcast.cli.options.declare import (
    DEFAULT_NONE,
    OUTPUT,
    READING,
    make_flag,
    make_option,
    refuse_address,
)
from lstmcast.cli.options.engine import EngineOptions
from lstmcast.cli.options.fitting import FitOptions
from lstmcast.cli.options.results import (
    Against,
    Data,
    DryRun,
    FailIf,
    PlotOptions,
    ShowOptions,
)
from lstmcast.cli.show import output
from lstmcast.cli.show.console import Reporter
from lstmcast.cli.show.pictures import draw_run_forecast
from lstmcast.cli.show.scores import report_verdict
from lstmcast.compute import ranks
from lstmcast.config import (
    CHECKPOINT_INTERVAL_SECONDS,
    Columns,
    Config,
    parse_duration,
)
from lstmcast.errors import UsageError
from lstmcast.extras import require_torch
from lstmcast.runs.directory import CHECKPOINT_FOLDER, has_run
from lstmcast.runs.lock import hold_write_lock
from lstmcast.runs.publish import require_free_place

if TYPE_CHECKING:
    from lstmcast.panel.panel import Panel
    from lstmcast.tables.table import Table
    from lstmcast.training.forecaster import Forecaster

EXAMPLES = """\
lstmcast fit sample_data/price.csv --target price
lstmcast fit sample_data/price.csv --target price --dry-run
lstmcast fit sales.parquet -t units -s shop --future holiday -o runs/sales"""
_ALLOWED_ON_RESUME = {
    *(
        "data",
        "resume",
        "checkpoint_every",
        "fail_if",
        "against",
        "if_exists",
        "config",
        "dry_run",
    ),
    *("track", "track_to"),
    *get_type_hints(EngineOptions),
    *get_type_hints(PlotOptions),
    *get_type_hints(ShowOptions),
}
"""Parameters that do not change what is fitted."""
IfExists = Annotated[
    Literal["fail", "skip", "number"] | None,
    make_option(
        OUTPUT,
        "POLICY",
        "If RUN holds a run: fail, skip and exit with 0, or write to the next free RUN-2, RUN-3.",
        "fail with --out, else number",
    ),
]
OutRun = Annotated[
    str | None,
    make_option(
        OUTPUT,
        "RUN",
        "Run directory to write.",
        "runs/<file>-<target>",
        "--out",
        "-o",
        callback=refuse_address,
    ),
]
Resume = Annotated[
    bool,
    make_flag(
        OUTPUT,
        "Continue an interrupted fit: of DATA, or of RUN given in its place.",
        "--resume",
    ),
]
SampleRows = Annotated[
    int | None,
    make_option(
        READING,
        "ROWS",
        "From a folder of Parquet, learn from about this many rows, of random series; 1 or more.",
        "all of up to 20 million, else 5 million",
        min=1,
    ),
]
CheckpointEvery = Annotated[
    str,
    make_option(OUTPUT, "TIME", "How often to save progress for --resume: 30s, 5m."),
]
ReplaceRun = Annotated[bool, make_flag(OUTPUT, "Replace an existing run.", "--force")]
Track = Annotated[
    list[str] | None,
    make_option(
        OUTPUT,
        "TRACKER",
        "Log the run to a tracker: csv, tensorboard or mlflow; repeatable.",
        DEFAULT_NONE,
    ),
]
TrackTo = Annotated[
    str, make_option(OUTPUT, "DIR", "Folder of the trackers; nothing leaves it.")
]


@dataclass(frozen=True)
class _Source:
    """What a fit learns from: a file, or the checkpoint of an interrupted fit."""

    report: Reporter
    data: str
    options: FitOptions
    config: Config
    place: Path
    sample: int | None
    from_checkpoint: bool
    roles: Columns | None
    table: "Table | None"
    """The file, where it was read to find the roles."""

    def read(self) -> "tuple[Config, Panel]":
        """Read the data, and report what they are."""
        if self.from_checkpoint:
            self.report.say(f"resuming the interrupted fit of {str(self.place)!r}")
            from lstmcast.training.checkpoint import Checkpoint

            config, panel = Checkpoint(self.place).fit()
        else:
            config = self.config
            panel = read_panel(
                self.report,
                self.data,
                self.roles or self.options.columns.roles(self.data),
                config.data,
                config,
                sample=self.sample or 0,
                table=self.table,
            )
        report_panel(self.report, panel)
        return config, panel


def fit(
    call: Context,
    data: Data,
    options: FitOptions,
    engine: EngineOptions,
    *,
    out: OutRun = None,
    force: ReplaceRun = False,
    resume: Resume = False,
    if_exists: IfExists = None,
    checkpoint_every: CheckpointEvery = f"{CHECKPOINT_INTERVAL_SECONDS:g}s",
    track: Track = None,
    track_to: TrackTo = "tracking",
    sample: SampleRows = None,
    against: Against = "",
    fail_if: FailIf = None,
    dry_run: DryRun = False,
    picture: PlotOptions,
    show: ShowOptions,
) -> None:
    """Learn from DATA; prints the run directory's path on stdout.

    Options left out are inferred from the data and reported. The end of each series is held out for
    validation: there the network must beat the best baseline, or the forecast is that baseline's.
    An interrupted fit keeps its progress: the same command with --resume, or `fit --resume RUN`,
    continues it.
    """
    # What is wrong with the command line is an error before any work.
    gates = parse_gates(fail_if)
    require_torch("a fit needs")
    report = Reporter.of(show)
    interval = parse_duration(checkpoint_every, "--checkpoint-every")
    _check_trackers(track)
    # `fit --resume RUN`: the checkpoint says all that the command line does not.
    is_interrupted = Path(data, CHECKPOINT_FOLDER).is_dir()
    is_run = is_interrupted or has_run(data)
    names_data = options.columns.target or data == "-" or Path(data).is_file()
    resume_run = resume and (is_run or not names_data)
    if resume_run:
        _refuse_changes(call)
    config = options.config()
    _check_ranks(data, options, engine, dry_run=dry_run)
    roles = read = None
    if not resume_run:
        roles, read = find_roles(
            report, data, options.columns, config.data, config, sample=sample or 0
        )
    place = _choose_place(data, roles, out)
    policy = if_exists or ("fail" if out else "number")
    if policy == "number" and not (resume or force or ranks.has_restarted()):
        place = _choose_free_place(report, place)

    # A run that is there already ends the work, unless it is to be replaced or resumed.
    has_progress = Path(place, CHECKPOINT_FOLDER).is_dir()
    resumes = (resume or ranks.has_restarted()) and has_progress
    skips = resume or policy == "skip"
    if has_run(place) and skips and not resumes and not dry_run:
        report.say(f"{str(place)!r} holds a run already: skipped")
        _print_run(place, {}, as_json=show.json)
        return

    source = _Source(
        report, data, options, config, place, sample, resume_run, roles, read
    )
    if dry_run:
        config, panel = source.read()
        print_fit_cost(report, panel, config, "fit", as_json=show.json)
        return

    # Of the ranks of a fit only the first one writes.
    writes = ranks.launched_rank_group().first
    with hold_write_lock(place) if writes else nullcontext():
        if writes:
            require_free_place(place, force=force or resumes)
        config, panel = source.read()
        with engine.use():
            forecaster = _train_and_save(
                report,
                place,
                config,
                panel,
                file=_name_file(data, from_checkpoint=resume_run),
                interval=interval,
                afresh=not resumes,
                against=against,
            )
    if not writes:
        return

    # What comes of it: the verdict, the copies in trackers, the path on stdout.
    _report_fit(report, forecaster, panel)
    tracked = _track_run(report, place, track, track_to)
    run = shlex.quote(str(place))
    future_data = _hint_future_data(forecaster)
    report.say(f"saved; next: lstmcast predict {run}{future_data}")
    facts = _fit_to_dict(forecaster, tracked)
    _print_run(place, facts, as_json=show.json)
    draw_run_forecast(report, picture, forecaster, forecaster.verdict)
    check_gates(gates, forecaster.verdict)


def _choose_place(data: str, roles: Columns | None, out: str | None) -> Path:
    """Return the run directory: the one of --out, or the usual one.

    Without roles `data` is a run itself, which is resumed.
    """
    if roles is None:
        return Path(data)
    return Path(out) if out else default_run_path(data, roles.target)


def _choose_free_place(report: Reporter, place: Path) -> Path:
    """Return the place, or where it holds a run the next one by number that holds none."""
    if not has_run(place):
        return place
    numbers = itertools.count(2)
    numbered = (place.with_name(f"{place.name}-{number}") for number in numbers)
    free = next(other for other in numbered if not has_run(other))
    report.say(f"{str(place)!r} holds a run already: this one goes to {str(free)!r}")
    return free


def _check_ranks(
    data: str, options: FitOptions, engine: EngineOptions, *, dry_run: bool
) -> None:
    """Raise UsageError for what ranks that torchrun has started cannot do together."""
    if ranks.launched_rank_group().size == 1:
        return
    if data == "-":
        hint = "each rank reads the data: give a file"
        _refuse_under_torchrun("read standard input", hint)
    if dry_run:
        hint = "leave out torchrun: the estimate is for one process"
        _refuse_under_torchrun("be a dry run", hint)
    # Ranks are processes already: more of them would contend for the same cores.
    jobs = options.train.jobs or 1
    if jobs > 1 or engine.backend != "loky":
        hint = "leave out -j and --backend"
        _refuse_under_torchrun("hand jobs to other processes", hint)


def _refuse_under_torchrun(what: str, hint: str) -> None:
    raise UsageError(f"a fit under torchrun cannot {what}", hint)


def _check_trackers(trackers: list[str] | None) -> None:
    if trackers:
        from lstmcast.reporting.trackers import require_trackers

        require_trackers(trackers)


def _track_run(
    report: Reporter, place: Path, trackers: list[str] | None, folder: str
) -> list[str]:
    """Log a saved run to the trackers; returns where they keep it."""
    if not trackers:
        return []
    from lstmcast.reporting.trackers import track_run

    # The fit took long, the tracker may be anything: its error must not hide the run.
    try:
        places = [str(tracked) for tracked in track_run(place, trackers, folder)]
    except Exception as error:
        error.add_note(f"the run itself is saved in {str(place)!r}")
        raise
    for tracked in places:
        report.say(f"tracked in {tracked!r}")
    return places


def _refuse_changes(call: Context) -> None:
    """Raise UsageError for options that would change the fit that is resumed."""
    for option in call.command.params:
        source = call.get_parameter_source(option.name or "")
        is_set = source is not None and source.name == "COMMANDLINE"
        if is_set and option.name not in _ALLOWED_ON_RESUME:
            flag = max(option.opts, key=len)
            raise UsageError(
                "--resume RUN continues with the run's own data and settings",
                f"leave {flag} out, or give DATA and all options as at first",
            )


def _train_and_save(
    report: Reporter,
    place: Path,
    config: Config,
    panel: "Panel",
    *,
    file: str,
    interval: float,
    afresh: bool,
    against: str,
) -> "Forecaster":
    """Train and save; progress outlives an interruption.

    file: name of the file that is learnt from, "" where it is not known. against: the simple method
    that the verdict compares with, "" for the best.
    """
    from lstmcast.training.checkpoint import checkpoint_for_rank
    from lstmcast.training.forecaster import Forecaster

    checkpoint = checkpoint_for_rank(place, interval)
    if afresh:
        checkpoint.discard()
    with checkpoint.resumable():
        # The run is written outside the group: the other ranks need not wait for that.
        with (
            report.progress() as on_event,
            ranks.join_rank_group(config.train.device) as team,
        ):
            forecaster = Forecaster(config).fit(
                panel, against=against, on_event=on_event, checkpoint=checkpoint
            )
        if team.first:
            if file:
                forecaster.made["file"] = file
            forecaster.save(place, force=True)
    return forecaster


def _name_file(data: str, *, from_checkpoint: bool) -> str:
    """Return the name of DATA for the run, without its folders, which are nobody's business."""
    if from_checkpoint:
        return ""  # DATA is the run that is resumed
    return "stdin" if data == "-" else Path(data).name


def _report_fit(report: Reporter, forecaster: "Forecaster", panel: "Panel") -> None:
    """Report what the fit found beyond the notes on its data, and how good it is."""
    report.found(note for note in forecaster.notes if note not in panel.notes)
    # Series that are too short for a hold-out have no verdict.
    verdict = forecaster.verdict
    if verdict:
        report_verdict(report, verdict, forecaster.guard.sentence())


def _fit_to_dict(forecaster: "Forecaster", tracked: list[str]) -> dict[str, Any]:
    """Return what --json says of a fit."""
    verdict = forecaster.verdict
    return {
        "horizon": forecaster.horizon,
        "season": forecaster.season,
        "notes": list(forecaster.notes),
        "tracked": tracked,
        "verdict": verdict.to_dict() if verdict else None,
    }


def _hint_future_data(forecaster: "Forecaster") -> str:
    """Return the rest of the next command, where covariates are not known for all its steps."""
    panel = forecaster.panel
    if not panel.columns.future or panel.ahead.min() >= forecaster.horizon:
        return ""
    names = ", ".join(panel.columns.future)
    return f" --future-data FILE, with {names} for {forecaster.horizon} steps"


def _print_run(place: Path, facts: dict[str, Any], *, as_json: bool) -> None:
    content = {"run": str(place), **facts}
    output.write_path_or_object("fit", place, content, as_json=as_json)
