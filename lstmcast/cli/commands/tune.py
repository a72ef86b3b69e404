"""`lstmcast tune`: search settings on past windows, keep those that hold on windows the search never saw."""

import contextlib
import math
import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Option

from lstmcast.cli import settings
from lstmcast.cli.data import default_run_path, read_panel, report_panel
from lstmcast.cli.dryrun import DryRun, print_fit_cost
from lstmcast.cli.engine import EngineOptions
from lstmcast.cli.gates import check_gates, parse_gates
from lstmcast.cli.options import (
    DEFAULT_NONE,
    OUTPUT,
    TRAINING,
    WINDOW,
    ColumnOptions,
    Data,
    DataOptions,
    FailIf,
    InputOptions,
    ModelOptions,
    Plot,
    ShowOptions,
    TrainOptions,
    WindowOptions,
    build_config,
)
from lstmcast.cli.show import output
from lstmcast.cli.show.console import Reporter
from lstmcast.cli.show.pictures import check_picture
from lstmcast.cli.show.scores import report_scores
from lstmcast.config import DEFAULT_TRIALS, DEFAULT_TUNING_WINDOWS, DEFAULT_UNSEEN_WINDOWS, Config
from lstmcast.errors import LstmcastError, RunError
from lstmcast.tuning.space import parse_params

if TYPE_CHECKING:
    from lstmcast.panel.panel import Panel
    from lstmcast.tuning.tune import SearchPlan, Tuning

EXAMPLES = """\
lstmcast tune sample_data/price.csv --target price --trials 5
lstmcast tune sample_data/price.csv --target price --param "context=14,28,56" --param "lr=1e-4..1e-2" --dry-run
lstmcast tune sales.csv --target units --series shop --trials 4 --study sales.journal --out tuning/sales"""
BEST_FILE, TRIALS_FILE = "best.toml", "trials.csv"
TrialCount = Annotated[
    int,
    Option(
        metavar="N",
        help="Trials in all, those in the study too; 1 or more.",
        rich_help_panel=TRAINING,
    ),
]
SearchWindows = Annotated[
    int, Option(metavar="N", help="Past windows of the search, 1 or more.", rich_help_panel=WINDOW)
]  # fmt: skip
UnseenWindows = Annotated[
    int,
    Option(
        metavar="N", help="Newest windows, kept from the search to judge by, 1 or more.", rich_help_panel=WINDOW
    ),
]  # fmt: skip
Param = Annotated[
    list[str] | None,
    Option(
        metavar="SETTING=VALUES",
        help='What to search: "hidden=32,64,128", "lr=1e-4..1e-2", or auto; repeatable.',
        show_default="auto: what the data suggest",
        rich_help_panel=TRAINING,
    ),
]
StudyFile = Annotated[
    str | None,
    Option(
        metavar="FILE",
        help="Keep the trials here, to go on with or to share: a journal, or SQLite (.db).",
        show_default=DEFAULT_NONE,
        rich_help_panel=OUTPUT,
    ),
]
TuningFolder = Annotated[
    str | None,
    Option(
        metavar="DIR",
        help=f"Folder for {BEST_FILE} and {TRIALS_FILE}.",
        show_default="tuning/<file>-<target>",
        rich_help_panel=OUTPUT,
    ),
]
ReplaceTuning = Annotated[
    bool, Option("--force", help="Replace what is there.", rich_help_panel=OUTPUT)
]


def tune(
    data: Data,
    columns: ColumnOptions,
    inputs: InputOptions,
    reading: DataOptions,
    window: WindowOptions,
    model: ModelOptions,
    train: TrainOptions,
    engine: EngineOptions,
    *,
    trials: TrialCount = DEFAULT_TRIALS,
    windows: SearchWindows = DEFAULT_TUNING_WINDOWS,
    unseen: UnseenWindows = DEFAULT_UNSEEN_WINDOWS,
    param: Param = None,
    study: StudyFile = None,
    out: TuningFolder = None,
    force: ReplaceTuning = False,
    fail_if: FailIf = None,
    plot: Plot = None,
    dry_run: DryRun = False,
    show: ShowOptions,
) -> None:
    """Search for better settings; prints the file of them.

    The file is for `fit --config`. Each trial learns and forecasts at past windows, newest first,
    and ends early where others did better; the first is the default. The best is compared with it
    on the newest windows of all, which the search never saw: where its gain is no more than noise
    the default stays. A --study can be gone on with, by several processes at once. Needs
    lstmcast[tune].
    """
    config = build_config(reading, window, model, train, inputs)
    roles, gates, report = columns.columns(), parse_gates(fail_if), Reporter.of(show)
    parse_params(param or ())
    place = Path(out) if out else Path("tuning", default_run_path(data, roles.target).name)
    check_picture(plot)
    if not dry_run:
        _refuse_existing(place, force=force or (study is not None and Path(study).exists()))
    from lstmcast.tuning.study import require_optuna

    require_optuna()
    panel = read_panel(report, data, roles, config.data)
    report_panel(report, panel)
    from lstmcast.compute.jobs import default_jobs
    from lstmcast.tuning.tune import plan_search
    from lstmcast.tuning.tune import tune as search

    if dry_run:
        planned = plan_search(
            panel, config, trials=trials, windows=windows, unseen=unseen, params=param or ()
        )
        _report_search_plan(report, panel, planned, trials, as_json=show.json)
        return
    with _result_folder(place, study), engine.hired(), report.progress() as on_event:
        found = search(
            panel, config, trials=trials, windows=windows, unseen=unseen, params=param or (), study=study,
            jobs=config.train.jobs or default_jobs(), time_budget=config.train.time_budget, on_event=on_event,
        )  # fmt: skip
    if found is None:
        report.say(
            "other processes are still at work on the study: the last of them to end writes the best settings"
        )
        if show.json:
            output.write_object("tune", {"best": None})
        return
    best = _write_result(place, found, panel)
    _report_tuning(report, found, plot)
    report.say(
        f"saved; next: lstmcast fit {'-' if data == '-' else shlex.quote(data)} --config {shlex.quote(best)}"
    )
    if show.json:
        output.write_object("tune", {"best": best, **_tuning_to_dict(found)})
    else:
        output.write_stdout(f"{best}\n".encode(errors="surrogateescape"))
    check_gates(gates, found.verdict)


def _report_search_plan(
    report: Reporter, panel: "Panel", planned: "SearchPlan", trials: int, *, as_json: bool
) -> None:
    """Say what a search would try, and print what it would take."""
    report.found(planned.notes)
    report.say("would search", *(f"  --param {shlex.quote(one.words())}" for one in planned.space))
    fits = trials * planned.windows + 2 * planned.unseen
    print_fit_cost(report, panel, planned.base, "tune", fits, as_json=as_json, trials=trials)


def _report_tuning(report: Reporter, found: "Tuning", plot: str | None) -> None:
    """Say what a search found, and draw it if asked."""
    report.found(found.notes)
    report.say(*found.sentences(), *found.verdict.sentences())
    report_scores(report, found.verdict)
    if plot:
        from lstmcast.reporting import plots, tuning_plot

        plots.write_picture(tuning_plot.plot_trials(found), plot)
        report.say(f"picture written to {plot!r}")


def _refuse_existing(place: Path, *, force: bool) -> None:
    """Raise RunError, before any work, where the result must not go."""
    if place.exists() and not place.is_dir():
        raise RunError(f"{str(place)!r} is a file", "name a folder with --out")
    if (place / BEST_FILE).exists() and not force:
        raise RunError(
            f"{str(place / BEST_FILE)!r} is there already",
            "give --force to replace it, or another --out",
        )


@contextlib.contextmanager
def _result_folder(place: Path, study: str | None) -> Iterator[None]:
    """The folder for the result, made before the work; gone again with those above it if nothing came of it."""
    made = [folder for folder in (place, *place.parents) if not folder.exists()]
    place.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException as error:
        for folder in made:
            with contextlib.suppress(OSError):
                folder.rmdir()
        if isinstance(error, LstmcastError):
            raise
        error.add_note(
            f"the same command goes on from the trials in {study!r}"
            if study
            else "with --study FILE the same command could go on from here"
        )
        raise


def _write_result(place: Path, found: "Tuning", panel: "Panel") -> str:
    """Write the settings to take, whose path is returned, and the table of trials."""
    from lstmcast.runs.disk import write_file

    output.write_frame(found.table(), str(place / TRIALS_FILE), "csv")
    write_file(
        place / BEST_FILE, format_best_settings(found, panel).encode("utf-8", "surrogateescape")
    )
    return str(place / BEST_FILE)


def format_best_settings(found: "Tuning", panel: "Panel") -> str:
    """The settings to take as TOML, with the columns; tuned ones that were not taken stand there as comments."""
    columns = {name: list(value) for name, value in vars(panel.columns).items() if value}
    usual, taken, tuned = (one.to_dict() for one in (Config(), found.config, found.tuned))
    said = [
        f"Written by `lstmcast tune`, for forecasts of {found.horizon} steps.",
        *found.sentences(),
    ]
    lines = [f"# {line}" for line in said]
    for section, values in {"columns": columns, **taken}.items():
        own = {
            k: v for k, v in values.items() if v is not None and v != usual.get(section, {}).get(k)
        }
        left = {k: v for k, v in tuned.get(section, {}).items() if v != values[k]}
        if own or left:
            lines += [
                "",
                f"[{section}]",
                *(f"{key} = {settings.format_toml(value)}" for key, value in own.items()),
            ]
            lines += [
                f"# {key} = {settings.format_toml(value)}"
                for key, value in left.items()
                if value is not None
            ]
    return "".join(f"{line}\n" for line in lines)


def _tuning_to_dict(found: "Tuning") -> dict[str, Any]:
    gain = (
        None
        if found.gain is None
        else {k: _finite_or_none(v) for k, v in found.gain._asdict().items()}
    )
    tried = [one.state for one in found.trials]
    return {
        "adopted": found.adopted,
        "tuned": found.changes(),
        "promised": _finite_or_none(found.promised),
        "gain": gain,
        "measure": found.measure,
        "trials": {state: tried.count(state) for state in sorted(set(tried))},
        "horizon": found.horizon,
        "windows": found.windows,
        "unseen": found.unseen,
        "notes": list(found.notes),
        "verdict": replace(found.verdict, by_series=()).to_dict(),
    }


def _finite_or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None
