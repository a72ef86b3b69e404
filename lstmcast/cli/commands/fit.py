"""`lstmcast fit`: learn from a file, say how good that is, keep the run."""

import shlex
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, get_type_hints

from typer import Context, Option

from lstmcast.cli.data import default_run_path, read_panel, report_panel
from lstmcast.cli.dryrun import DryRun, print_fit_cost
from lstmcast.cli.engine import EngineOptions
from lstmcast.cli.gates import check_gates, parse_gates
from lstmcast.cli.options import (
    DEFAULT_NONE,
    OUTPUT,
    READING,
    ColumnOptions,
    Data,
    DataOptions,
    FailIf,
    InputOptions,
    ModelOptions,
    ShowOptions,
    TrainOptions,
    WindowOptions,
    build_config,
)
from lstmcast.cli.show import output
from lstmcast.cli.show.console import Reporter
from lstmcast.cli.show.scores import report_scores
from lstmcast.compute import ranks
from lstmcast.config import CHECKPOINT_INTERVAL_SECONDS, Config, parse_duration
from lstmcast.errors import UsageError
from lstmcast.runs.directory import CHECKPOINT_FOLDER, has_run
from lstmcast.runs.lock import hold_write_lock
from lstmcast.runs.publish import require_free_place

if TYPE_CHECKING:
    from lstmcast.panel.panel import Panel
    from lstmcast.training.forecaster import Forecaster

EXAMPLES = """\
lstmcast fit sample_data/price.csv --target price
lstmcast fit sample_data/price.csv --target price --dry-run
lstmcast fit sales.parquet --target units --series shop --future holiday --horizon 28 --out runs/sales"""
_ALLOWED_ON_RESUME = {
    *(
        "data",
        "resume",
        "checkpoint_every",
        "fail_if",
        "if_exists",
        "config",
        "dry_run",
        "track",
        "track_to",
    ),
    *get_type_hints(EngineOptions),
    *get_type_hints(ShowOptions),
}
"""Parameters that say nothing of what is fitted."""
IfExists = Annotated[
    Literal["fail", "skip"],
    Option(
        metavar="POLICY",
        help="Where RUN holds a run: fail, or skip and exit 0.",
        rich_help_panel=OUTPUT,
    ),
]
OutRun = Annotated[
    str | None,
    Option(
        metavar="RUN", help="Run directory to write.", show_default="runs/<file>-<target>", rich_help_panel=OUTPUT
    ),
]  # fmt: skip
Resume = Annotated[
    bool,
    Option(
        "--resume",
        help="Go on with an interrupted fit: of DATA, or of RUN given in its place.",
        rich_help_panel=OUTPUT,
    ),
]
SampleRows = Annotated[
    int | None,
    Option(
        metavar="ROWS",
        help="Of a folder of Parquet learn from about so many rows, of series chosen at random; 1 or more.",
        show_default="all of up to 20 million, else 5 million",
        rich_help_panel=READING,
        min=1,
    ),
]
CheckpointEvery = Annotated[
    str,
    Option(
        metavar="TIME",
        help="Keep what is learnt so often, to --resume from: 30s, 5m.",
        rich_help_panel=OUTPUT,
    ),
]
ReplaceRun = Annotated[
    bool, Option("--force", help="Replace a run that is there.", rich_help_panel=OUTPUT)
]
Track = Annotated[
    list[str] | None,
    Option(
        metavar="TRACKER",
        help="Tell a tracker of the run: csv, tensorboard or mlflow; repeatable.",
        show_default=DEFAULT_NONE,
        rich_help_panel=OUTPUT,
    ),
]
TrackTo = Annotated[
    str, Option(metavar="DIR", help="Folder of the trackers; all stays there.", rich_help_panel=OUTPUT)
]  # fmt: skip


def fit(
    call: Context,
    data: Data,
    columns: ColumnOptions,
    inputs: InputOptions,
    reading: DataOptions,
    window: WindowOptions,
    model: ModelOptions,
    train: TrainOptions,
    engine: EngineOptions,
    *,
    out: OutRun = None,
    force: ReplaceRun = False,
    resume: Resume = False,
    if_exists: IfExists = "fail",
    checkpoint_every: CheckpointEvery = f"{CHECKPOINT_INTERVAL_SECONDS:g}s",
    track: Track = None,
    track_to: TrackTo = "tracking",
    sample: SampleRows = None,
    fail_if: FailIf = None,
    dry_run: DryRun = False,
    show: ShowOptions,
) -> None:
    """Learn from DATA; prints the run directory's path on stdout.

    What is not given is found from the data, and said. The end of each series is kept for
    validation: there the network must beat the best baseline, or the forecast falls back towards
    it. An interrupted fit keeps what it has
    learnt: the same command with --resume, or `fit --resume RUN`, goes on from there.
    """
    gates, report, every = (
        parse_gates(fail_if),
        Reporter.of(show),
        parse_duration(checkpoint_every, "--checkpoint-every"),
    )
    _check_trackers(track)
    alone = resume and (
        Path(data, CHECKPOINT_FOLDER).is_dir() or has_run(data) or not columns.target
    )
    if alone:
        _refuse_changes(call)
    config = build_config(reading, window, model, train, inputs)
    place = (
        Path(data)
        if alone
        else Path(out)
        if out
        else default_run_path(data, columns.columns().target)
    )
    first, again = ranks.launched_rank_group().first, ranks.has_restarted()
    _check_ranks(data, train, engine, dry_run=dry_run)
    kept = (resume or again) and Path(place, CHECKPOINT_FOLDER).is_dir()
    if has_run(place) and not kept and not dry_run and (resume or if_exists == "skip"):
        report.say(f"{str(place)!r} holds a run already: skipped")
        _print_run_path(place, as_json=show.json)
        return
    if dry_run:
        if not alone:
            panel = read_panel(
                report, data, columns.columns(), config.data, config, sample=sample or 0
            )
        else:
            config, panel = _read_checkpoint(report, place)
        report_panel(report, panel)
        print_fit_cost(report, panel, config, "fit", as_json=show.json)
        return
    with hold_write_lock(place) if first else nullcontext():
        if first:
            require_free_place(place, force=force or kept)
        if alone:
            config, panel = _read_checkpoint(report, place)
        else:
            panel = read_panel(
                report, data, columns.columns(), config.data, config, sample=sample or 0
            )
        report_panel(report, panel)
        with engine.hired():
            forecaster = _train_and_save(report, place, config, panel, every=every, afresh=not kept)
    if not first:
        return
    verdict = forecaster.verdict
    report.found(note for note in forecaster.notes if note not in panel.notes)
    if verdict:
        report.say(*verdict.sentences(), forecaster.guard.sentence())
        report_scores(report, verdict)
    tracked = _track_run(report, place, track, track_to)
    report.say(
        f"saved; next: lstmcast predict {shlex.quote(str(place))}{_hint_future_data(forecaster)}"
    )
    facts = {
        "horizon": forecaster.horizon,
        "season": forecaster.season,
        "notes": list(forecaster.notes),
        "tracked": tracked,
    }
    _print_run_path(
        place, as_json=show.json, **facts, verdict=verdict.to_dict() if verdict else None
    )
    check_gates(gates, verdict)


def _check_ranks(data: str, train: TrainOptions, engine: EngineOptions, *, dry_run: bool) -> None:
    """Raise UsageError for what ranks that torchrun has started cannot do together."""
    if ranks.launched_rank_group().size == 1:
        return
    others = {
        "read standard input": (data == "-", "each rank reads the data: give a file"),
        "be a dry run": (dry_run, "leave out torchrun: what one process would take is estimated"),
        "give jobs to others": (
            (train.jobs or 1) > 1 or engine.backend != "loky",
            "leave out -j and --backend",
        ),
    }
    for what, (wrong, hint) in others.items():
        if wrong:
            raise UsageError(f"a fit under torchrun cannot {what}", hint)


def _check_trackers(trackers: list[str] | None) -> None:
    if trackers:
        from lstmcast.reporting.trackers import require_trackers

        require_trackers(trackers)


def _track_run(report: Reporter, place: Path, trackers: list[str] | None, folder: str) -> list[str]:
    """Tell the trackers of a saved run; returns where they keep it."""
    if not trackers:
        return []
    from lstmcast.reporting.trackers import track_run

    try:
        places = [str(kept) for kept in track_run(place, trackers, folder)]
    except Exception as error:
        error.add_note(f"the run itself is saved in {str(place)!r}")
        raise
    for kept in places:
        report.say(f"tracked in {kept!r}")
    return places


def _refuse_changes(call: Context) -> None:
    """A fit that goes on is made of what it was begun with; raises UsageError for options that want it otherwise."""
    for option in call.command.params:
        source = call.get_parameter_source(option.name or "")
        if (
            option.name not in _ALLOWED_ON_RESUME
            and source is not None
            and source.name == "COMMANDLINE"
        ):
            hint = (
                f"leave {max(option.opts, key=len)} out, or give DATA and all options as at first"
            )
            raise UsageError("--resume RUN goes on with the run's own data and settings", hint)


def _read_checkpoint(report: Reporter, place: Path) -> "tuple[Config, Panel]":
    report.say(f"going on with the interrupted fit of {str(place)!r}")
    from lstmcast.training.checkpoint import Checkpoint

    return Checkpoint(place).fit()


def _train_and_save(
    report: Reporter, place: Path, config: Config, panel: "Panel", *, every: float, afresh: bool
) -> "Forecaster":
    """Train and save; what is learnt outlives an interruption."""
    from lstmcast.training.checkpoint import checkpoint_for_rank
    from lstmcast.training.forecaster import Forecaster

    checkpoint = checkpoint_for_rank(place, every)
    if afresh:
        checkpoint.discard()
    with checkpoint.resumable():
        with report.progress() as on_event, ranks.join_rank_group(config.train.device) as team:
            forecaster = Forecaster(config).fit(panel, on_event=on_event, checkpoint=checkpoint)
        if team.first:
            forecaster.save(place, force=True)
    return forecaster


def _hint_future_data(forecaster: "Forecaster") -> str:
    """The rest of the next command, where the data do not say all that must be known ahead."""
    panel = forecaster.panel
    if not panel.columns.future or panel.ahead.min() >= forecaster.horizon:
        return ""
    return f" --future-data FILE, with {', '.join(panel.columns.future)} for {forecaster.horizon} steps"


def _print_run_path(place: Path, *, as_json: bool, **more: object) -> None:
    if as_json:
        output.write_object("fit", {"run": str(place), **more})
    else:
        output.write_stdout(f"{place}\n".encode(errors="surrogateescape"))
