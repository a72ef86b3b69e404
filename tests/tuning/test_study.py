"""A study chooses what to try next, and keeps what was tried for all who search."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lstmcast import extras
from lstmcast.errors import RunError, UsageError
from lstmcast.extras import install_command
from lstmcast.tuning.space import Dimension
from lstmcast.tuning.study import (
    DONE,
    INTERRUPTED,
    PRUNED,
    RUNNING,
    Study,
    require_optuna,
)

SPACE = (
    Dimension("model", "hidden", (None, 8, 16, 32)),
    Dimension("train", "lr", (), 1e-4, 1e-2),
)
DEFAULTS = {"hidden": None, "lr": None}
FILES = ("study.journal", "study.db")


def finish_trial(study: Study, error: float, *, windows: int = 1) -> int:
    trial = study.ask()
    for count in range(1, windows + 1):
        study.report(trial.number, [error] * count, 0.5)
    study.finish(trial.number, DONE)
    return trial.number


def test_the_default_is_tried_as_far_as_it_is_in_the_space() -> None:
    study = Study(SPACE, 0, {})
    assert study.ask(DEFAULTS).settings == {"hidden": None}
    assert set(study.ask().settings) == {"hidden", "lr"}


def test_what_is_tried_next_follows_from_the_seed_and_the_trials_so_far() -> None:
    studies = []
    for seed in (0, 0, 1):
        study = Study(SPACE, seed, {})
        settings = []
        for number in range(14):
            trial = study.ask()
            settings.append(trial.settings)
            study.report(number, [abs(trial.settings["lr"] - 1e-3)], 0.0)
            study.finish(number, DONE)
        studies.append(settings)
    assert studies[0] == studies[1] != studies[2]


def test_a_search_looks_where_errors_were_small() -> None:
    study = Study(SPACE, 0, {})
    tried = []
    for number in range(40):
        tried.append(study.ask().settings["hidden"])
        study.report(number, [0.0 if tried[-1] == 16 else 1.0], 0.0)
        study.finish(number, DONE)
    assert tried[-20:].count(16) >= 10 > tried[:8].count(16)


def test_a_trial_that_is_worse_than_others_at_the_same_fold_is_pruned() -> None:
    study = Study(SPACE, 0, {})
    for error, worse in ((1.0, False), (2.0, True), (0.5, False)):
        trial = study.ask()
        study.report(trial.number, [error], 0.0)
        assert study.should_prune(trial.number) is worse


@pytest.mark.parametrize("name", FILES)
def test_a_file_keeps_what_was_tried(name: str, tmp_path: Path) -> None:
    first = Study(SPACE, 0, {"data": "a"}, tmp_path / name)
    assert not first.begun
    finish_trial(first, 0.25, windows=2)
    number = first.ask().number
    first.finish(number, PRUNED, "diverged")
    first.ask()
    first.end_own_trials()
    again = Study(SPACE, 0, {"data": "a"}, tmp_path / name)
    assert again.begun
    trials = again.trials()
    assert [trial.state for trial in trials] == [DONE, PRUNED, INTERRUPTED]
    assert (trials[0].errors, trials[0].error, trials[0].seconds, trials[1].why) == (
        [0.25, 0.25],
        0.25,
        0.5,
        "diverged",
    )
    assert again.ask().number == 3


@pytest.mark.parametrize("name", FILES)
def test_a_study_of_something_else_is_refused(name: str, tmp_path: Path) -> None:
    Study(SPACE, 0, {"data": "a", "windows": 3}, tmp_path / name)
    with pytest.raises(
        RunError, match=f"{name}' was begun with other data and windows"
    ):
        Study(SPACE, 0, {"data": "b", "windows": 2}, tmp_path / name)


@pytest.mark.parametrize(
    "content",
    [b"month,price\n2010-01,3\n", b'{"op_code": 7}\n', b"SQLite format 3\0junk"],
)
def test_a_file_that_is_no_study_is_refused_and_left_alone(
    content: bytes, tmp_path: Path
) -> None:
    file = tmp_path / "x.db"
    file.write_bytes(content)
    with pytest.raises(RunError, match="no study that can be read"):
        Study(SPACE, 0, {}, file)
    assert file.read_bytes() == content


@pytest.mark.parametrize("name", FILES)
def test_trials_of_a_process_that_is_gone_are_left_and_those_of_a_living_one_run_on(
    name: str, tmp_path: Path
) -> None:
    lines = (
        "import os; from tests.tuning.test_study import *",
        f"study = Study(SPACE, 0, {{}}, {str(tmp_path / name)!r})",
        "study.report(study.ask().number, [0.5], 1.0)",
        "print('ready', flush=True)",
        "input()",
        "os._exit(9)",
    )
    line = [sys.executable, "-c", "\n".join(lines)]
    with subprocess.Popen(
        line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout and other.stdout.readline() == "ready\n"
        assert [
            trial.state for trial in Study(SPACE, 0, {}, tmp_path / name).trials()
        ] == [RUNNING]
        other.communicate("\n", timeout=60)
    left = Study(SPACE, 0, {}, tmp_path / name).trials()
    assert [(trial.state, trial.errors) for trial in left] == [(INTERRUPTED, [0.5])]


def test_without_optuna_the_error_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "optuna", raising=False)
    monkeypatch.setattr(extras, "find_spec", lambda _: None)
    with pytest.raises(UsageError) as caught:
        require_optuna()
    assert caught.value.hint == install_command("tune")


def test_optuna_is_quiet_meanwhile_and_as_it_was_afterwards(
    capfd: pytest.CaptureFixture[str],
) -> None:
    import optuna

    before: Any = optuna.logging.get_verbosity()
    finish_trial(Study(SPACE, 0, {}), 1.0)
    assert optuna.logging.get_verbosity() == before
    assert capfd.readouterr() == ("", "")


def test_nothing_is_written_but_the_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    finish_trial(Study(SPACE, 0, {}), 1.0)
    finish_trial(Study(SPACE, 0, {}, "a.journal"), 1.0)
    finish_trial(Study(SPACE, 0, {}, "a.db"), 1.0)
    assert sorted(path.name for path in Path().iterdir()) == ["a.db", "a.journal"]
