"""`lstmcast update`: let a run go on from new rows, and learn from them if it is the better for it."""

import contextlib
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from lstmcast.cli.data import read_like_run
from lstmcast.cli.dryrun import DryRun
from lstmcast.cli.gates import check_gates, parse_gates
from lstmcast.cli.options import (
    DATA_HELP,
    OUTPUT,
    READING,
    TRAINING,
    WINDOW,
    FailIf,
    RunPath,
    ShowOptions,
    help_on_terminal,
)
from lstmcast.cli.show import output
from lstmcast.cli.show.console import Reporter
from lstmcast.cli.show.scores import report_scores
from lstmcast.config import TrainConfig, WindowConfig
from lstmcast.errors import UsageError
from lstmcast.runs.directory import PREVIOUS_FOLDER, open_run
from lstmcast.runs.lock import hold_write_lock
from lstmcast.runs.publish import RETRY_HINT, roll_back_run
from lstmcast.scoring.gates import Gate

if TYPE_CHECKING:
    from lstmcast.monitoring.update import Update

EXAMPLES = """\
lstmcast update runs/price-price newer.csv
lstmcast update runs/price-price newer.csv --gate "mase<=1.02*old" --gate "coverage>0.7"
lstmcast update runs/price-price --rollback"""
NewData = Annotated[
    str | None,
    Argument(metavar="DATA", help=DATA_HELP, show_default=False, callback=help_on_terminal),
]
GateRules = Annotated[
    list[str] | None,
    Option(
        "--gate",
        metavar="RULE",
        help='Keep what was learnt if so on the newest rows: "mase<=1.02*old", "coverage>0.7"; repeatable.',
        show_default="mase<=old",
        rich_help_panel=TRAINING,
    ),
]
Rollback = Annotated[
    bool,
    Option(
        "--rollback",
        help="Trade RUN for its previous version; again: back.",
        rich_help_panel=OUTPUT,
    ),
]
Revised = Annotated[
    bool,
    Option(
        "--revised",
        help="Rows that RUN has may say otherwise now, and count so.",
        rich_help_panel=READING,
    ),
]
UpdateSteps = Annotated[
    int | None,
    Option(
        metavar="N",
        help="Training steps of each network, 1 or more.",
        show_default="60",
        rich_help_panel=TRAINING,
    ),
]
LearningRate = Annotated[
    float | None,
    Option(
        metavar="RATE",
        help="Learning rate, above 0.",
        show_default="a gentle one",
        rich_help_panel=TRAINING,
    ),
]
ValidationSteps = Annotated[
    int | None,
    Option(
        metavar="STEPS",
        help="Newest steps to check by, 1 or more.",
        show_default="half of the new ones, a horizon at least",
        rich_help_panel=WINDOW,
    ),
]
TimeBudget = Annotated[
    str | None,
    Option(
        metavar="TIME",
        help="Stop training after so long: 60s, 5m.",
        show_default="none",
        rich_help_panel=TRAINING,
    ),
]


def update(
    run: RunPath,
    data: NewData = None,
    *,
    gate: GateRules = None,
    steps: UpdateSteps = None,
    lr: LearningRate = None,
    validation: ValidationSteps = None,
    time_budget: TimeBudget = None,
    revised: Revised = False,
    rollback: Rollback = False,
    fail_if: FailIf = None,
    dry_run: DryRun = False,
    show: ShowOptions,
) -> None:
    """Let RUN learn from newer rows; prints its path on stdout.

    RUN goes on from the new rows, and learns from them. DATA holds all rows, or the new ones only;
    rows that RUN has must be as they were. The networks train on for a short while, over old rows
    and new ones. The newest rows are held
    back: if the networks are worse on them than they were, they stay as they were, and RUN goes on
    from the newest row all the same. What a kept update replaced stays in RUN/previous. Nothing new
    is no error.
    """
    gates, rules = (
        parse_gates(fail_if),
        [Gate.parse(text, "--gate", example="mase<=1.02*old") for text in gate or ()],
    )
    asked = TrainConfig(steps=steps, lr=lr, time_budget=time_budget)
    WindowConfig(validation=validation)
    if rollback == (data is not None):
        raise UsageError(
            "update takes either DATA or --rollback", "give the file with the new rows"
        )
    report = Reporter.of(show)
    open_run(run)  # says what is wrong with it before anything heavy is loaded
    if rollback:
        roll_back_run(run)
        report.say("the previous version is back; the other one is now the previous one")
        _print_result({"run": run, "rolled_back": True}, as_json=show.json)
        return
    with contextlib.nullcontext() if dry_run else hold_write_lock(run, RETRY_HINT):
        done = _run_update(
            report, run, data or "", asked, rules, validation, revised=revised, dry_run=dry_run
        )
        if done.news and not dry_run:
            done.forecaster.save(run, force=True, previous="replaced" if done.kept else "same")
    _report_update(report, run, done, dry_run=dry_run)
    _print_result({"run": run, "dry_run": dry_run, **_update_to_dict(done)}, as_json=show.json)
    if done.was:
        check_gates(gates, done.now if done.kept else done.was)


def _run_update(
    report: Reporter,
    run: str,
    data: str,
    asked: TrainConfig,
    gates: list[Gate],
    validation: int | None,
    *,
    revised: bool,
    dry_run: bool,
) -> "Update":
    open_run(run)
    from lstmcast.forecasting.predictor import Predictor
    from lstmcast.monitoring.update import update as learn

    forecaster = Predictor.load(run)
    panel = read_like_run(report, data, forecaster)
    report.found(panel.notes)
    with report.progress() as on_event:
        done = learn(
            forecaster,
            panel,
            gates=gates,
            steps=0 if dry_run else asked.steps,
            lr=asked.lr,
            validation=validation,
            time_budget=asked.time_budget,
            revised=revised,
            on_event=on_event,
        )
    if done.news:
        report.found(note for note in done.forecaster.notes if note not in panel.notes)
    return done


def _report_update(report: Reporter, run: str, done: "Update", *, dry_run: bool) -> None:
    """Say what was new, and what came of it."""
    panel, verdict = done.forecaster.panel, done.now
    end = panel.axis.texts((panel.start + panel.lengths - 1).max(keepdims=True))[0]
    if not done.news:
        report.say(f"nothing new: {run!r} goes to {end} already, and stays as it is")
        return
    counts = {
        "new rows": done.rows,
        "late values": done.late,
        "values that are not what they were": done.changed,
    }
    report.say(f"{', '.join(f'{n:,} {what}' for what, n in counts.items() if n)}; they go to {end}")
    if dry_run:
        report.say(
            f"it would learn from {done.learnt:,} rows, and check that on {done.windows:,} windows after them"
        )
        return
    if done.was is None or verdict is None:
        report.say(f"nothing learnt: {done.why}", f"{run!r} goes on from the new rows")
        return
    figures = ", ".join(
        f"{gate.metric} {done.scores(verdict)[gate.metric]:.4g} (was {done.scores(done.was)[gate.metric]:.4g})"
        for gate in done.gates
    )
    report.say(
        f"learnt from {done.learnt:,} rows; on the newest {done.windows:,} windows {figures}"
    )
    if done.kept:
        report.say("kept, since " + " and ".join(map(str, done.gates)))
        report_scores(report, verdict)
        report.say(
            f"what it replaced is in {PREVIOUS_FOLDER!r}; back to it: lstmcast update {shlex.quote(run)} --rollback"
        )
    else:
        report.say(
            f"not kept, since not {' and '.join(map(str, done.gates))}: the networks stay as they were"
        )
        report.say(f"{run!r} goes on from the new rows all the same")


def _update_to_dict(done: "Update") -> dict[str, object]:
    same = ("rows", "late", "changed", "learnt", "windows", "kept", "why")
    verdicts = {"was": done.was, "now": done.now}
    return {
        **{name: getattr(done, name) for name in same},
        "gates": [str(gate) for gate in done.gates],
        **{name: made and replace(made, by_series=()).to_dict() for name, made in verdicts.items()},
        "notes": list(done.forecaster.notes),
    }


def _print_result(facts: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        output.write_object("update", facts)
    else:
        output.write_stdout(f"{facts['run']}\n".encode(errors="surrogateescape"))
