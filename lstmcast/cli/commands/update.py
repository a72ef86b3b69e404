"""`lstmcast update`: continue a run from new rows, and learn from them if that makes it better."""

import shlex
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from lstmcast.cli.data import read_like_run
from lstmcast.cli.gates import check_gates, parse_gates
from lstmcast.cli.options.declare import (
    OUTPUT,
    READING,
    TRAINING,
    WINDOW,
    make_flag,
    make_option,
)
from lstmcast.cli.options.fitting import TimeBudget
from lstmcast.cli.options.reading import RunDataOptions
from lstmcast.cli.options.results import (
    DryRun,
    FailIf,
    IfNothingNew,
    PlotOptions,
    RunPath,
    ShowOptions,
    make_data_argument,
)
from lstmcast.cli.show import output
from lstmcast.cli.show.console import Reporter
from lstmcast.cli.show.pictures import draw_run_forecast
from lstmcast.cli.show.scores import report_scores
from lstmcast.config import TrainConfig, WindowConfig
from lstmcast.errors import DataError, UsageError
from lstmcast.extras import require_torch
from lstmcast.runs.directory import (
    MANIFEST_FILE,
    PREVIOUS_FOLDER,
    PreviousVersion,
    open_run,
)
from lstmcast.runs.lock import hold_write_lock
from lstmcast.runs.publish import RETRY_HINT, roll_back_run
from lstmcast.scoring.gates import Gate

if TYPE_CHECKING:
    from lstmcast.monitoring.update import Update
    from lstmcast.scoring.verdict import Verdict

EXAMPLES = """\
lstmcast update runs/price-price newer.csv
lstmcast update runs/price-price newer.csv --gate "mase<=1.02*old"
lstmcast update runs/price-price --rollback"""
NewData = Annotated[str | None, make_data_argument(False)]


@dataclass(frozen=True)
class LearningOptions:
    """How an update learns from the new rows, and when that is kept."""

    gate: Annotated[
        list[str] | None,
        make_option(
            TRAINING,
            "RULE",
            "Keep what was learnt if this holds on the newest rows: "
            '"mase<=1.02*old", "coverage>0.7"; repeatable.',
            "mase<=old",
        ),
    ] = None
    steps: Annotated[
        int | None,
        make_option(TRAINING, "N", "Training steps of each network, 1 or more.", "60"),
    ] = None
    lr: Annotated[
        float | None,
        make_option(TRAINING, "RATE", "Learning rate, above 0.", "a gentle one"),
    ] = None
    validation: Annotated[
        int | None,
        make_option(
            WINDOW,
            "STEPS",
            "Newest steps, held out to check by, 1 or more.",
            "half of the new ones, a horizon at least",
        ),
    ] = None
    time_budget: TimeBudget = None
    revised: Annotated[
        bool,
        make_flag(
            READING,
            "Accept values in DATA that differ from those RUN already has.",
            "--revised",
        ),
    ] = False

    def gates(self) -> list[Gate]:
        """Return the rules of --gate; raises UsageError."""
        return [
            Gate.parse(rule, "--gate", example="mase<=1.02*old")
            for rule in self.gate or ()
        ]

    def config(self) -> TrainConfig:
        """Return the options of the training as configuration; raises UsageError, for all."""
        WindowConfig(validation=self.validation)  # checks its range
        return TrainConfig(steps=self.steps, lr=self.lr, time_budget=self.time_budget)


Rollback = Annotated[
    bool,
    make_flag(
        OUTPUT,
        "Swap RUN and its previous version; once more swaps them back.",
        "--rollback",
    ),
]


def update(
    run: RunPath,
    data: NewData = None,
    *,
    learning: LearningOptions,
    reading: RunDataOptions,
    rollback: Rollback = False,
    if_nothing_new: IfNothingNew = "skip",
    fail_if: FailIf = None,
    dry_run: DryRun = False,
    picture: PlotOptions,
    show: ShowOptions,
) -> None:
    """Let RUN learn from newer rows; prints its path on stdout.

    DATA holds all rows, or the new ones only; rows that RUN has must be as they were. The networks
    train on for a short while, over old rows and new ones. The newest rows are held out: if the
    networks are worse on them than before, they stay as they were, and RUN continues from the
    newest row all the same. What a kept update replaced stays in RUN/previous. It is no error if
    nothing is new, but with --if-nothing-new fail. With --plot the forecast that RUN now makes is
    drawn.
    """
    gates = parse_gates(fail_if)
    learning_gates = learning.gates()
    learning.config()  # says what is wrong with the options before any work
    if rollback == (data is not None):
        raise UsageError(
            "update takes either DATA or --rollback", "give the file with the new rows"
        )
    if not rollback:
        require_torch("an update needs")
    report = Reporter.of(show)
    open_run(run)  # says what is wrong with it before anything heavy is loaded
    if rollback:
        _require_previous_version(run)
        roll_back_run(run)
        report.say(
            "the previous version is back; the other one is now the previous one"
        )
        _print_result({"run": run, "rolled_back": True}, as_json=show.json)
        return

    # Locked from reading to writing, so that of two updates none is lost.
    with nullcontext() if dry_run else hold_write_lock(run, RETRY_HINT):
        result = _run_update(
            report, run, data or "", learning, reading, learning_gates, dry_run=dry_run
        )
        if result.news and not dry_run:
            # Longer history alone is nothing to go back from: RUN/previous stays what it is.
            previous: PreviousVersion = "replaced" if result.kept else "same"
            result.forecaster.save(run, force=True, previous=previous)
    if not result.news and if_nothing_new == "fail":
        raise DataError(
            f"nothing new: {run!r} goes to {_find_newest_stamp(result)} already",
            "give newer rows, or leave --if-nothing-new out",
        )
    _report_update(report, run, result, dry_run=dry_run)
    content = {"run": run, "dry_run": dry_run, **_update_to_dict(result)}
    _print_result(content, as_json=show.json)
    # --fail-if is about the networks that the run has now.
    verdict = result.now if result.kept else result.was
    if not dry_run:
        draw_run_forecast(report, picture, result.forecaster, verdict)
    if verdict:
        check_gates(gates, verdict)


def _require_previous_version(run: str) -> None:
    """Raise RunError where the previous version could not be forecast with."""
    previous = Path(run, PREVIOUS_FOLDER)
    if (previous / MANIFEST_FILE).is_file():
        from lstmcast.forecasting.predictor import Predictor

        Predictor.load(previous)


def _run_update(
    report: Reporter,
    run: str,
    data: str,
    learning: LearningOptions,
    reading: RunDataOptions,
    gates: list[Gate],
    *,
    dry_run: bool,
) -> "Update":
    """Read the new rows and learn from them; nothing is written."""
    open_run(run)  # again, now that no other process can change it
    from lstmcast.forecasting.predictor import Predictor
    from lstmcast.monitoring.update import update as learn

    forecaster = Predictor.load(run)
    panel = read_like_run(report, data, forecaster, reading)
    report.found(panel.notes)
    train = learning.config()
    with report.progress() as on_event:
        result = learn(
            forecaster,
            panel,
            gates=gates,
            steps=0 if dry_run else train.steps,
            lr=train.lr,
            validation=learning.validation,
            time_budget=train.time_budget,
            revised=learning.revised,
            on_event=on_event,
        )
    if result.news:
        report.found(
            note for note in result.forecaster.notes if note not in panel.notes
        )
    return result


def _report_update(
    report: Reporter, run: str, result: "Update", *, dry_run: bool
) -> None:
    """Report what was new, and what came of it."""
    end = _find_newest_stamp(result)
    if not result.news:
        report.say(f"nothing new: {run!r} goes to {end} already, and stays as it is")
        return
    # Of the kinds of news those that there are.
    counts = {
        "new rows": result.rows,
        "late values": result.late,
        "changed values": result.changed,
    }
    news = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)
    report.say(f"{news}; they go to {end}")
    if dry_run:
        report.say(
            f"it would learn from {result.learnt:,} rows, "
            f"and check that on {result.windows:,} windows after them"
        )
    elif result.was is None or result.now is None:
        report.say(
            f"nothing learnt: {result.why}", f"{run!r} continues from the new rows"
        )
    else:
        _report_learning(report, run, result, result.was, result.now)


def _find_newest_stamp(result: "Update") -> str:
    panel = result.forecaster.panel
    newest = panel.start + panel.lengths - 1
    return panel.axis.texts(newest.max(keepdims=True))[0]


def _report_learning(
    report: Reporter, run: str, result: "Update", was: "Verdict", now: "Verdict"
) -> None:
    """Report the figures before and after, and whether what was learnt is kept."""
    scores = result.scores(now)
    old_scores = result.scores(was)
    figures = ", ".join(
        f"{gate.metric} {scores[gate.metric]:.4g} (was {old_scores[gate.metric]:.4g})"
        for gate in result.gates
    )
    report.say(
        f"learnt from {result.learnt:,} rows; on the newest {result.windows:,} windows {figures}"
    )
    rules = " and ".join(map(str, result.gates))
    if not result.kept:
        report.say(
            f"not kept, since not {rules}: the networks stay as they were",
            f"{run!r} continues from the new rows all the same",
        )
        return
    report.say(f"kept, since {rules}")
    report_scores(report, now)
    report.say(
        f"what it replaced is in {PREVIOUS_FOLDER!r}; "
        f"back to it: lstmcast update {shlex.quote(run)} --rollback"
    )


def _update_to_dict(result: "Update") -> dict[str, Any]:
    """Return what --json says of an update."""
    return {
        "rows": result.rows,
        "late": result.late,
        "changed": result.changed,
        "learnt": result.learnt,
        "windows": result.windows,
        "kept": result.kept,
        "why": result.why,
        "gates": [str(gate) for gate in result.gates],
        "was": _verdict_to_dict(result.was),
        "now": _verdict_to_dict(result.now),
        "notes": list(result.forecaster.notes),
    }


def _verdict_to_dict(verdict: "Verdict | None") -> dict[str, Any] | None:
    if verdict is None:
        return None
    # Without its series, of which there may be very many.
    return replace(verdict, by_series=()).to_dict()


def _print_result(content: dict[str, Any], *, as_json: bool) -> None:
    output.write_path_or_object("update", content["run"], content, as_json=as_json)
