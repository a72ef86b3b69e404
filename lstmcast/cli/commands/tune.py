"""`lstmcast tune`: search settings on past windows, keep those that hold on unseen windows."""

import contextlib
import math
import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from lstmcast.cli import settings
from lstmcast.cli.data import default_run_path, find_roles, read_panel, report_panel
from lstmcast.cli.dryrun import print_fit_cost
from lstmcast.cli.gates import check_gates, parse_gates
from lstmcast.cli.options.declare import (
    DEFAULT_NONE,
    OUTPUT,
    TRAINING,
    WINDOW,
    make_flag,
    make_option,
    refuse_address,
)
from lstmcast.cli.options.engine import EngineOptions
from lstmcast.cli.options.fitting import FitOptions
from lstmcast.cli.options.results import Data, DryRun, FailIf, Plot, ShowOptions
from lstmcast.cli.show import output
from lstmcast.cli.show.console import Reporter
from lstmcast.cli.show.pictures import check_picture, write_picture
from lstmcast.cli.show.scores import report_verdict
from lstmcast.config import (
    DEFAULT_TRIALS,
    DEFAULT_TUNING_WINDOWS,
    DEFAULT_UNSEEN_WINDOWS,
    Config,
)
from lstmcast.errors import LstmcastError, RunError
from lstmcast.extras import require_torch
from lstmcast.tuning.space import parse_params

if TYPE_CHECKING:
    from lstmcast.panel.panel import Panel
    from lstmcast.tuning.tune import SearchPlan, Tuning

EXAMPLES = """\
lstmcast tune sample_data/price.csv --target price --trials 5
lstmcast tune sample_data/price.csv --param "context=14,28,56" --dry-run
lstmcast tune sales.csv -t units -s shop --trials 4 --study sales.journal"""
BEST_FILE, TRIALS_FILE = "best.toml", "trials.csv"
TrialCount = Annotated[
    int,
    make_option(TRAINING, "N", "Trials in total, with those in the study; 1 or more."),
]
SearchWindows = Annotated[
    int, make_option(WINDOW, "N", "Past windows of the search, 1 or more.")
]
UnseenWindows = Annotated[
    int,
    make_option(
        WINDOW, "N", "Newest windows, held out to judge the search by, 1 or more."
    ),
]
Param = Annotated[
    list[str] | None,
    make_option(
        TRAINING,
        "SETTING=VALUES",
        'What to search: "hidden=32,64,128", "lr=1e-4..1e-2", or auto; repeatable.',
        "auto: what the data suggest",
    ),
]
StudyFile = Annotated[
    str | None,
    make_option(
        OUTPUT,
        "FILE",
        "Keep the trials here, to continue or to share: a journal, or SQLite (.db).",
        DEFAULT_NONE,
    ),
]
TuningFolder = Annotated[
    str | None,
    make_option(
        OUTPUT,
        "DIR",
        f"Folder for {BEST_FILE} and {TRIALS_FILE}.",
        "tuning/<file>-<target>",
        "--out",
        "-o",
        callback=refuse_address,
    ),
]
ReplaceTuning = Annotated[
    bool, make_flag(OUTPUT, "Replace an existing result.", "--force")
]


def tune(
    data: Data,
    options: FitOptions,
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
    the default stays. A --study can be continued, by several processes at once. Needs
    lstmcast[tune].
    """
    # What is wrong with the command line is an error before any work.
    config = options.config()
    gates = parse_gates(fail_if)
    require_torch("a search of settings needs")
    report = Reporter.of(show)
    params = param or ()
    parse_params(params)
    check_picture(plot)
    from lstmcast.tuning.study import require_optuna

    require_optuna()

    roles, read = find_roles(report, data, options.columns, config.data)
    place = _choose_place(data, roles.target, out)
    if not dry_run:
        continues_study = study is not None and Path(study).exists()
        _refuse_existing(place, force=force or continues_study)
    panel = read_panel(report, data, roles, config.data, table=read)
    report_panel(report, panel)
    from lstmcast.compute.jobs import default_jobs
    from lstmcast.tuning.tune import plan_search
    from lstmcast.tuning.tune import tune as search

    if dry_run:
        plan = plan_search(
            panel, config, trials=trials, windows=windows, unseen=unseen, params=params
        )
        _report_search_plan(report, panel, plan, trials, as_json=show.json)
        return
    with _result_folder(place, study), engine.use(), report.progress() as on_event:
        found = search(
            panel,
            config,
            trials=trials,
            windows=windows,
            unseen=unseen,
            params=params,
            study=study,
            jobs=config.train.jobs or default_jobs(),
            time_budget=config.train.time_budget,
            on_event=on_event,
        )

    # A shared study has one result, which only the last process to end can know.
    if found is None:
        report.say(
            "other processes are still at work on the study: "
            "the last of them to end writes the best settings"
        )
        if show.json:
            output.write_object("tune", {"best": None})
        return
    best = _write_result(place, found, panel)
    _report_tuning(report, found, plot)
    file = "-" if data == "-" else shlex.quote(data)
    report.say(f"saved; next: lstmcast fit {file} --config {shlex.quote(best)}")
    content = {"best": best, **_tuning_to_dict(found)}
    output.write_path_or_object("tune", best, content, as_json=show.json)
    check_gates(gates, found.verdict)


def _choose_place(data: str, targets: tuple[str, ...], out: str | None) -> Path:
    """Return the folder for the result: the one of --out, or one named like the usual run."""
    if out:
        return Path(out)
    usual_run = default_run_path(data, targets)
    return Path("tuning", usual_run.name)


def _report_search_plan(
    report: Reporter, panel: "Panel", plan: "SearchPlan", trials: int, *, as_json: bool
) -> None:
    """Report what a search would try, and print what it would take."""
    report.found(plan.notes)
    params = [f"  --param {shlex.quote(d.words())}" for d in plan.space]
    report.say("would search", *params)
    # On the unseen windows both the default and the best settings are scored.
    fits = trials * plan.windows + 2 * plan.unseen
    print_fit_cost(
        report, panel, plan.base, "tune", fits, as_json=as_json, trials=trials
    )


def _report_tuning(report: Reporter, found: "Tuning", plot: str | None) -> None:
    """Report what a search found, and draw it if requested."""
    report.found(found.notes)
    report.sentences(*found.sentences())
    report_verdict(report, found.verdict)
    if plot:
        from lstmcast.reporting import tuning_plot

        write_picture(report, plot, tuning_plot.plot_trials(found))


def _refuse_existing(place: Path, *, force: bool) -> None:
    """Raise RunError, before any work, where the result must not go."""
    if place.exists() and not place.is_dir():
        raise RunError(f"{str(place)!r} is a file", "name a folder with --out")
    best = place / BEST_FILE
    if best.exists() and not force:
        raise RunError(
            f"{str(best)!r} exists already",
            "give --force to replace it, or another --out",
        )


@contextlib.contextmanager
def _result_folder(place: Path, study: str | None) -> Iterator[None]:
    """Make the folder for the result before the work; remove it if nothing comes of it."""
    # From the innermost outwards, which is the order in which they can be removed.
    folders = (place, *place.parents)
    new_folders = [folder for folder in folders if not folder.exists()]
    place.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException as error:
        # Those that hold something by now stay: a study, or the trials of another process.
        for folder in new_folders:
            with contextlib.suppress(OSError):
                folder.rmdir()
        if isinstance(error, LstmcastError):
            raise
        if study:
            error.add_note(f"the same command continues from the trials in {study!r}")
        else:
            error.add_note(
                "with --study FILE the same command could continue from here"
            )
        raise


def _write_result(place: Path, found: "Tuning", panel: "Panel") -> str:
    """Write the settings to use, whose path is returned, and the table of trials."""
    from lstmcast.runs.disk import write_file

    trials = place / TRIALS_FILE
    output.write_frame(found.table(), str(trials), "csv")
    best = place / BEST_FILE
    settings_text = format_best_settings(found, panel)
    # A column may have a name with bytes that are no UTF-8.
    write_file(best, settings_text.encode("utf-8", "surrogateescape"))
    return str(best)


def format_best_settings(found: "Tuning", panel: "Panel") -> str:
    """Return the settings to use as TOML, with the columns.

    Tuned settings that were not adopted stand there as comments.
    """
    columns = {
        name: list(value) for name, value in vars(panel.columns).items() if value
    }
    defaults = Config().to_dict()
    tuned = found.tuned.to_dict()
    lines = [
        f"# Written by `lstmcast tune`, for forecasts of {found.horizon} steps.",
        *(f"# {sentence}" for sentence in found.sentences()),
    ]
    sections = {"columns": columns, **found.config.to_dict()}
    for section, values in sections.items():
        # Defaults are left out: the file shows what the search has to say.
        usual = defaults.get(section, {})
        changed = {
            key: value
            for key, value in values.items()
            if value is not None and value != usual.get(key)
        }
        not_adopted = {
            key: value
            for key, value in tuned.get(section, {}).items()
            if value != values[key]
        }
        if changed or not_adopted:
            lines += ["", f"[{section}]", *_format_settings(changed)]
            lines += [f"# {line}" for line in _format_settings(not_adopted)]
    return "".join(f"{line}\n" for line in lines)


def _format_settings(values: dict[str, Any]) -> list[str]:
    """Return settings as lines of TOML, which has no null: those that are None are left out."""
    return [
        f"{key} = {settings.format_toml(value)}"
        for key, value in values.items()
        if value is not None
    ]


def _tuning_to_dict(found: "Tuning") -> dict[str, Any]:
    """Return what --json says of a search."""
    # JSON has no NaN, which a gain is where the tuned settings could not be fitted.
    gain = None
    if found.gain is not None:
        figures = found.gain._asdict()
        gain = {name: _finite_or_none(value) for name, value in figures.items()}
    states = [trial.state for trial in found.trials]
    return {
        "adopted": found.adopted,
        "tuned": found.changes(),
        "promised": _finite_or_none(found.promised),
        "gain": gain,
        "measure": found.measure,
        "trials": {state: states.count(state) for state in sorted(set(states))},
        "horizon": found.horizon,
        "windows": found.windows,
        "unseen": found.unseen,
        "notes": list(found.notes),
        "verdict": replace(found.verdict, by_series=()).to_dict(),
    }


def _finite_or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None
