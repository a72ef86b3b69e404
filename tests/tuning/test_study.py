import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lstmcast.errors import RunError, UsageError
from lstmcast.tuning import study
from lstmcast.tuning.space import Dimension
from lstmcast.tuning.study import DONE, INTERRUPTED, PRUNED, RUNNING, Study

SPACE = (Dimension("model", "hidden", (None, 8, 16, 32)), Dimension("train", "lr", (), 1e-4, 1e-2))
DEFAULTS = {"hidden": None, "lr": None}
FILES = ("study.journal", "study.db")


def finished(book: Study, error: float, *, windows: int = 1) -> int:
    trial = book.ask()
    for count in range(1, windows + 1):
        book.report(trial.number, [error] * count, 0.5)
    book.finish(trial.number, DONE)
    return trial.number


def test_the_default_is_tried_as_far_as_it_is_in_the_space() -> None:
    book = Study(SPACE, 0, {})
    assert book.ask(DEFAULTS).settings == {"hidden": None}
    assert set(book.ask().settings) == {"hidden", "lr"}


def test_what_is_tried_next_follows_from_the_seed_and_the_trials_so_far() -> None:
    made = []
    for seed in (0, 0, 1):
        book = Study(SPACE, seed, {})
        settings = []
        for number in range(14):
            trial = book.ask()
            settings.append(trial.settings)
            book.report(number, [abs(trial.settings["lr"] - 1e-3)], 0.0)
            book.finish(number, DONE)
        made.append(settings)
    assert made[0] == made[1] != made[2]


def test_a_search_that_is_told_what_is_good_looks_there() -> None:
    book = Study(SPACE, 0, {})
    tried = []
    for number in range(40):
        tried.append(book.ask().settings["hidden"])
        book.report(number, [0.0 if tried[-1] == 16 else 1.0], 0.0)
        book.finish(number, DONE)
    assert tried[-20:].count(16) >= 10 > tried[:8].count(16)


def test_a_trial_that_is_worse_at_a_rung_is_unpromising() -> None:
    book = Study(SPACE, 0, {})
    for error, worse in ((1.0, False), (2.0, True), (0.5, False)):
        trial = book.ask()
        book.report(trial.number, [error], 0.0)
        assert book.should_prune(trial.number) is worse


@pytest.mark.parametrize("name", FILES)
def test_a_file_keeps_what_was_tried(name: str, tmp_path: Path) -> None:
    first = Study(SPACE, 0, {"data": "a"}, tmp_path / name)
    assert not first.begun
    finished(first, 0.25, windows=2)
    number = first.ask().number
    first.finish(number, PRUNED, "diverged")
    first.ask()
    first.end_own_trials()
    again = Study(SPACE, 0, {"data": "a"}, tmp_path / name)
    assert again.begun
    trials = again.trials()
    assert [one.state for one in trials] == [DONE, PRUNED, INTERRUPTED]
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
    with pytest.raises(RunError, match=f"{name}' was begun with other data and windows"):
        Study(SPACE, 0, {"data": "b", "windows": 2}, tmp_path / name)


@pytest.mark.parametrize(
    "content", [b"month,price\n2010-01,3\n", b'{"op_code": 7}\n', b"SQLite format 3\0junk"]
)
def test_a_file_that_is_no_study_is_refused_and_left_alone(content: bytes, tmp_path: Path) -> None:
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
        f"book = Study(SPACE, 0, {{}}, {str(tmp_path / name)!r})",
        "book.report(book.ask().number, [0.5], 1.0)",
        "print('ready', flush=True)",
        "input()",
        "os._exit(9)",
    )
    line = [sys.executable, "-c", "\n".join(lines)]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout and other.stdout.readline() == "ready\n"
        assert [one.state for one in Study(SPACE, 0, {}, tmp_path / name).trials()] == [RUNNING]
        other.communicate("\n", timeout=60)
    left = Study(SPACE, 0, {}, tmp_path / name).trials()
    assert [(one.state, one.errors) for one in left] == [(INTERRUPTED, [0.5])]


def test_without_optuna_the_way_to_get_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "optuna", raising=False)
    monkeypatch.setattr(study, "find_spec", lambda _: None)
    with pytest.raises(UsageError) as caught:
        study.require_optuna()
    assert caught.value.hint == "pip install 'lstmcast[tune]'"


def test_optuna_is_quiet_meanwhile_and_as_it_was_afterwards(
    capfd: pytest.CaptureFixture[str],
) -> None:
    import optuna

    before: Any = optuna.logging.get_verbosity()
    finished(Study(SPACE, 0, {}), 1.0)
    assert optuna.logging.get_verbosity() == before
    assert capfd.readouterr() == ("", "")


def test_nothing_is_written_but_the_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    finished(Study(SPACE, 0, {}), 1.0)
    finished(Study(SPACE, 0, {}, "a.journal"), 1.0)
    finished(Study(SPACE, 0, {}, "a.db"), 1.0)
    assert sorted(path.name for path in Path().iterdir()) == ["a.db", "a.journal"]
