"""The book of a search: which settings were tried, how they did, which to try next. Optuna keeps it and chooses.

In memory, or in a file that several processes may share: a journal, or SQLite. Knows no
forecasting.

Sampler: tree-structured Parzen estimators (Bergstra et al. 2011), with a constant for those still
running. Pruner: successive halving without waiting (Li et al. 2020), as Optuna has them.
"""

import json
import os
import socket
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lstmcast.compute.seeds import derive_seed
from lstmcast.errors import RunError
from lstmcast.extras import require_extra
from lstmcast.runs.lock import hold_file_lock
from lstmcast.tuning.space import Dimension, Space

if TYPE_CHECKING:
    import optuna

STUDY_NAME = "lstmcast"
STARTUP_TRIALS = 8
"""Trials before what was tried has a say in what comes next."""
LOST_AFTER_SECONDS = 86400.0
"""Seconds after which a trial is taken for lost, of whose process nothing can be known."""
SQLITE_SUFFIXES = (".db", ".sqlite", ".sqlite3")
DONE, PRUNED, RUNNING, INTERRUPTED = "done", "pruned", "running", "left"
"""What may become of a trial; one that is left was interrupted, and counts for nothing."""


class Trial(NamedTuple):
    """A trial as it stands: its settings by name, its error on each fold so far, and in seconds what it took."""

    number: int
    state: str
    settings: dict[str, Any]
    errors: list[float]
    seconds: float
    why: str = ""

    @property
    def error(self) -> float:
        """Mean error of the folds so far."""
        return float(np.mean(self.errors)) if self.errors else float("nan")


def require_optuna() -> None:
    """Raise UsageError where Optuna is not installed."""
    require_extra("a search of settings needs", "tune", "optuna")


class Study:
    """Trials of a space. `begun` tells of an earlier call on the same file: it found trials there.

    facts: what must be the same for two calls to add to one study: data, settings, space, versions.
    """

    def __init__(
        self, space: Space, seed: int, facts: Mapping[str, Any], file: str | Path | None = None
    ) -> None:
        require_optuna()
        self.space, self.seed = space, seed
        self._own_trials: dict[int, optuna.Trial] = {}
        with _silence_optuna():
            self._study = _open_study(file)
            self._check_facts(json.loads(json.dumps(facts)), file)
        self.clear()
        self.begun = bool(self.trials())

    def trials(self) -> list[Trial]:
        """All trials, by number."""
        with _silence_optuna():
            return [self._to_trial(one) for one in self._study.get_trials(deepcopy=False)]

    def ask(self, defaults: Mapping[str, Any] | None = None) -> Trial:
        """Begin a trial: of these settings as far as they are in the space, else of what the sampler chooses.

        What it chooses depends on the seed, the trial's number and the trials so far, on no state
        of this process.
        """
        import optuna

        with _silence_optuna():
            trial = self._study.ask()
            sampler: optuna.samplers.BaseSampler = optuna.samplers.TPESampler(
                n_startup_trials=STARTUP_TRIALS,
                seed=derive_seed(self.seed, trial.number),
                multivariate=False,
                constant_liar=True,
            )
            dimensions = self.space
            if defaults is not None:
                dimensions = tuple(one for one in self.space if one.holds(defaults[one.name]))
                sampler = optuna.samplers.PartialFixedSampler(dict(defaults), sampler)
            self._study.sampler = sampler
            settings = {one.name: _suggest_value(trial, one) for one in dimensions}
            trial.set_user_attr("process", {"host": socket.gethostname(), "pid": os.getpid()})
            trial.set_user_attr("settings", settings)
            self._own_trials[trial.number] = trial
        return Trial(trial.number, RUNNING, settings, [], 0.0)

    def report(self, number: int, errors: list[float], seconds: float) -> None:
        """Note the errors of a running trial on its folds so far, and what it took so far."""
        with _silence_optuna():
            trial = self._own_trials[number]
            trial.set_user_attr("errors", errors)
            trial.set_user_attr("seconds", seconds)
            trial.report(float(np.mean(errors)), len(errors))

    def should_prune(self, number: int) -> bool:
        """Whether a trial is to end at its rung, by what others had reached there."""
        with _silence_optuna():
            return bool(self._own_trials[number].should_prune())

    def finish(self, number: int, state: str, why: str = "") -> None:
        """Say what became of a running trial."""
        from optuna.trial import TrialState

        states = {
            DONE: TrialState.COMPLETE,
            PRUNED: TrialState.PRUNED,
            INTERRUPTED: TrialState.FAIL,
        }
        with _silence_optuna():
            trial = self._own_trials.pop(number)
            if why:
                trial.set_user_attr("why", why)
            error = float(np.mean(trial.user_attrs["errors"])) if state == DONE else None
            self._study.tell(trial, error, states[state])

    def end_own_trials(self) -> None:
        """End all trials of this process that are still running: what they had found stays known."""
        for number in list(self._own_trials):
            self.finish(number, INTERRUPTED, "interrupted")

    def _to_trial(self, found: "optuna.trial.FrozenTrial") -> Trial:
        kept = found.user_attrs
        return Trial(
            found.number,
            {"COMPLETE": DONE, "PRUNED": PRUNED, "FAIL": INTERRUPTED}.get(
                found.state.name, RUNNING
            ),
            kept.get("settings", {}),
            kept.get("errors", []),
            kept.get("seconds", 0.0),
            kept.get("why", ""),
        )

    def _check_facts(self, facts: Mapping[str, Any], file: str | Path | None) -> None:
        """Keep the facts in a new study; raises RunError where an old one has others."""
        kept = self._study.user_attrs.get("facts")
        if kept is None:
            self._study.set_user_attr("facts", dict(facts))
            return
        other = [what for what, value in facts.items() if kept.get(what) != value]
        if other:
            raise RunError(
                f"the study {str(file)!r} was begun with other {' and '.join(other)}",
                "search as it was begun, or name another --study",
            )

    def clear(self) -> None:
        """End the trials of processes that are gone; what they had found stays known."""
        from optuna.trial import TrialState

        with _silence_optuna():
            for one in self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
                if one.number not in self._own_trials and not _is_alive(one):
                    self._study.tell(one.number, state=TrialState.FAIL, skip_if_finished=True)


def _is_alive(trial: "optuna.trial.FrozenTrial") -> bool:
    """Whether the process of a running trial may still be at work."""
    began, process = trial.datetime_start, trial.user_attrs.get("process")
    if (
        began is not None
        and (datetime.now(began.tzinfo) - began).total_seconds() > LOST_AFTER_SECONDS
    ):
        return False
    if process is None or process["host"] != socket.gethostname():
        return True
    try:
        os.kill(int(process["pid"]), 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        return True
    return int(process["pid"]) != os.getpid()


def _suggest_value(trial: "optuna.Trial", one: Dimension) -> Any:
    if one.values:
        return trial.suggest_categorical(one.name, one.values)
    if one.whole:
        return trial.suggest_int(one.name, int(one.low), int(one.high), log=one.log)
    return trial.suggest_float(one.name, one.low, one.high, log=one.log)


def _open_study(file: str | Path | None) -> "optuna.Study":
    import optuna

    pruner = optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=2)
    if file is None:
        return optuna.create_study(pruner=pruner)
    try:
        with hold_file_lock(
            file
        ):  # two processes that make the tables of SQLite at once get in each other's way
            storage = _open_storage(Path(file))
            return optuna.create_study(
                storage=storage, study_name=STUDY_NAME, pruner=pruner, load_if_exists=True
            )
    except OSError:
        raise
    except Exception as wrong:
        raise RunError(
            f"{str(file)!r} is no study that can be read", "name another --study"
        ) from wrong


def _open_storage(file: Path) -> Any:
    """SQLite by what the file holds or by its name, else a journal of JSON lines."""
    from optuna.storages import JournalStorage, RDBStorage
    from optuna.storages.journal import JournalFileBackend

    with file.open("rb") as opened:
        head = opened.read(16)
    if head.startswith(b"SQLite format 3") or (not head and file.suffix.lower() in SQLITE_SUFFIXES):
        return RDBStorage(f"sqlite:///{file}", engine_kwargs={"connect_args": {"timeout": 60}})
    if head and not head.startswith(b'{"op_code"'):
        raise ValueError("neither a journal nor SQLite")
    return JournalStorage(JournalFileBackend(str(file)))


@contextmanager
def _silence_optuna() -> Iterator[None]:
    """Keep what Optuna logs and warns of from the user, and leave its settings as they were."""
    import optuna

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        optuna.logging.set_verbosity(before)
