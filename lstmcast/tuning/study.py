"""The study of a search: which settings were tried, how they did, and which to try next.

Optuna keeps it and chooses: in memory, or in a file that several processes may share, a journal or
SQLite. Knows no forecasting.

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
from lstmcast.compute.system import ARE_LOCKS_ADVISORY, is_process_alive
from lstmcast.errors import RunError
from lstmcast.extras import require_extra
from lstmcast.runs.contents import complete_settings
from lstmcast.runs.lock import hold_file_lock
from lstmcast.tuning.space import Dimension, Space

if TYPE_CHECKING:
    import optuna

STUDY_NAME = "lstmcast"
STARTUP_TRIALS = 8
"""Trials before the sampler looks at what was tried."""
LOST_AFTER_SECONDS = 86400.0
"""Seconds after which a trial counts as lost if its process cannot be looked up."""
SQLITE_SUFFIXES = (".db", ".sqlite", ".sqlite3")
DONE, PRUNED, RUNNING, INTERRUPTED = "done", "pruned", "running", "left"
"""What may become of a trial; one that was interrupted counts for nothing."""
_STATES_BY_OPTUNA_NAME = {"COMPLETE": DONE, "PRUNED": PRUNED, "FAIL": INTERRUPTED}


class Trial(NamedTuple):
    """A trial as it stands: its settings by name, and its error on each fold so far.

    seconds: what it took. why: why it ended, where that is not by its errors.
    """

    number: int
    state: str
    settings: dict[str, Any]
    errors: list[float]
    seconds: float
    why: str = ""

    @property
    def error(self) -> float:
        """Mean error of the folds so far."""
        if not self.errors:
            return float("nan")
        return float(np.mean(self.errors))


def require_optuna() -> None:
    """Raise UsageError where Optuna is not installed."""
    require_extra("a search of settings needs", "tune", "optuna", "scipy")


class Study:
    """Trials of a space, and what to try next.

    facts: what must be the same for two calls to add to one study: data, settings, space, versions.
    begun: whether an earlier call on the same file has left trials there.
    """

    def __init__(
        self,
        space: Space,
        seed: int,
        facts: Mapping[str, Any],
        file: str | Path | None = None,
    ) -> None:
        require_optuna()
        self.space = space
        self.seed = seed
        self._own_trials: dict[int, optuna.Trial] = {}
        with _silence_optuna():
            self._study = _open_study(file)
            # As a file gives them back: lists for tuples, text for keys.
            read_back = json.loads(json.dumps(facts))
            self._check_facts(read_back, file)
        self.clear()
        self.begun = bool(self.trials())

    def trials(self) -> list[Trial]:
        """Return all trials, by number."""
        with _silence_optuna():
            return [
                _to_trial(trial) for trial in self._study.get_trials(deepcopy=False)
            ]

    def ask(self, defaults: Mapping[str, Any] | None = None) -> Trial:
        """Begin a trial of these settings, as far as they are in the space, or of the sampler's.

        What it chooses depends on the seed, the trial's number and the trials so far, on no state
        of this process.
        """
        import optuna

        with _silence_optuna():
            trial = self._study.ask()
            seed = derive_seed(self.seed, trial.number)
            sampler: optuna.samplers.BaseSampler = optuna.samplers.TPESampler(
                n_startup_trials=STARTUP_TRIALS,
                seed=seed,
                multivariate=False,
                constant_liar=True,
            )
            dimensions = list(self.space)
            if defaults is not None:
                # A default that is none of a dimension's values cannot be suggested.
                dimensions = [d for d in dimensions if d.holds(defaults[d.name])]
                fixed = dict(defaults)
                sampler = optuna.samplers.PartialFixedSampler(fixed, sampler)
            self._study.sampler = sampler

            settings = {}
            for dimension in dimensions:
                settings[dimension.name] = _suggest_value(trial, dimension)

            # For other processes, which ask whether this one is still there.
            process = {"host": socket.gethostname(), "pid": os.getpid()}
            trial.set_user_attr("process", process)
            trial.set_user_attr("settings", settings)
            self._own_trials[trial.number] = trial
        return Trial(trial.number, RUNNING, settings, [], 0.0)

    def report(self, number: int, errors: list[float], seconds: float) -> None:
        """Record the errors of a running trial on its folds so far, and the seconds it took."""
        with _silence_optuna():
            trial = self._own_trials[number]
            trial.set_user_attr("errors", errors)
            trial.set_user_attr("seconds", seconds)
            mean_error = float(np.mean(errors))
            trial.report(mean_error, len(errors))

    def should_prune(self, number: int) -> bool:
        """Whether a trial is to end at its fold, by what others had reached there."""
        with _silence_optuna():
            return bool(self._own_trials[number].should_prune())

    def finish(self, number: int, state: str, why: str = "") -> None:
        """Record what became of a running trial."""
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
            error = None
            if state == DONE:
                errors = trial.user_attrs["errors"]
                error = float(np.mean(errors))
            self._study.tell(trial, error, states[state])

    def end_own_trials(self) -> None:
        """End all trials of this process that are still running; their errors stay known."""
        for number in list(self._own_trials):
            self.finish(number, INTERRUPTED, "interrupted")

    def clear(self) -> None:
        """End the trials of processes that are gone; their errors stay known."""
        from optuna.trial import TrialState

        with _silence_optuna():
            running = self._study.get_trials(
                deepcopy=False, states=(TrialState.RUNNING,)
            )
            for trial in running:
                if trial.number not in self._own_trials and not _is_alive(trial):
                    self._study.tell(
                        trial.number, state=TrialState.FAIL, skip_if_finished=True
                    )

    def _check_facts(self, facts: Mapping[str, Any], file: str | Path | None) -> None:
        """Keep the facts in a new study; raise RunError where an old one has others."""
        kept = self._study.user_attrs.get("facts")
        if kept is None:
            self._study.set_user_attr("facts", dict(facts))
            return
        kept = kept | {"settings": complete_settings(kept.get("settings"))}
        changed = []
        for name, value in facts.items():
            if kept.get(name) != value:
                changed.append(name)
        if changed:
            listed = " and ".join(changed)
            raise RunError(
                f"the study {str(file)!r} was begun with other {listed}",
                "search as it was begun, or name another --study",
            )


def _to_trial(trial: "optuna.trial.FrozenTrial") -> Trial:
    attributes = trial.user_attrs
    return Trial(
        trial.number,
        _STATES_BY_OPTUNA_NAME.get(trial.state.name, RUNNING),
        attributes.get("settings", {}),
        attributes.get("errors", []),
        attributes.get("seconds", 0.0),
        attributes.get("why", ""),
    )


def _is_alive(trial: "optuna.trial.FrozenTrial") -> bool:
    """Whether the process of a running trial may still be at work."""
    began = trial.datetime_start
    process = trial.user_attrs.get("process")
    # A number is given anew in time: after a day it says nothing.
    if began is not None:
        age = datetime.now(began.tzinfo) - began
        if age.total_seconds() > LOST_AFTER_SECONDS:
            return False

    # Another machine's processes cannot be looked up.
    if process is None or process["host"] != socket.gethostname():
        return True
    pid = int(process["pid"])
    # A process of this number that is this one: the trial's own is gone, and its number reused.
    return pid != os.getpid() and is_process_alive(pid)


def _suggest_value(trial: "optuna.Trial", dimension: Dimension) -> Any:
    """Let the sampler choose the value of a setting."""
    name = dimension.name
    if dimension.values:
        return trial.suggest_categorical(name, dimension.values)
    low = dimension.low
    high = dimension.high
    if dimension.whole:
        return trial.suggest_int(name, int(low), int(high), log=dimension.log)
    return trial.suggest_float(name, low, high, log=dimension.log)


def _open_study(file: str | Path | None) -> "optuna.Study":
    import optuna

    # A trial goes on past the first, second, fourth ... window if it is in the better half there.
    pruner = optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=2)
    if file is None:
        return optuna.create_study(pruner=pruner)
    try:
        # Two processes that create the tables of SQLite at once get in each other's way.
        with hold_file_lock(file):
            storage = _open_storage(Path(file))
            return optuna.create_study(
                storage=storage,
                study_name=STUDY_NAME,
                pruner=pruner,
                load_if_exists=True,
            )
    except OSError:
        raise
    # What a damaged file raises depends on where it is damaged.
    except Exception as error:
        raise RunError(
            f"{str(file)!r} is no study that can be read", "name another --study"
        ) from error


def _open_storage(file: Path) -> Any:
    """Open SQLite, by what the file holds or by its name, else a journal of JSON lines."""
    from optuna.storages import JournalStorage, RDBStorage
    from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

    with file.open("rb") as opened:
        head = opened.read(16)
    is_named_sqlite = not head and file.suffix.lower() in SQLITE_SUFFIXES
    if head.startswith(b"SQLite format 3") or is_named_sqlite:
        return RDBStorage(
            f"sqlite:///{file}", engine_kwargs={"connect_args": {"timeout": 60}}
        )
    if head and not head.startswith(b'{"op_code"'):
        raise ValueError("neither a journal nor SQLite")
    # Optuna's own choice is a symbolic link, which most users of Windows may not make.
    lock = None if ARE_LOCKS_ADVISORY else JournalFileOpenLock(str(file))
    return JournalStorage(JournalFileBackend(str(file), lock))


@contextmanager
def _silence_optuna() -> Iterator[None]:
    """Hide what Optuna logs and warns of from the user, and leave its settings as they were."""
    import optuna

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        optuna.logging.set_verbosity(before)
