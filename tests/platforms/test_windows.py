"""lstmcast as if on Windows: it imports, fits, replaces, locks and heeds signals without what
Windows lacks. What is simulated, and what is not, says `windows/sitecustomize.py`."""

import shutil
from pathlib import Path

import pytest

from tests.conftest import ROOT, SAMPLE_DATA
from tests.platforms.programs import (
    Done,
    import_every_module,
    run_lines,
    run_python,
)

HOOK = "windows"
FIT = "fit price.csv --target price --steps 20 --out runs/price"
LINES = [
    "--help",
    "inspect price.csv --target price",
    "forecast städte.csv --target y --series place --json",
    "forecast städte.csv --target y --series place -o towns.csv",
    FIT,
    f"{FIT} --force",
    f"{FIT} --if-exists skip",
    "predict runs/price -q",
    "explain runs/price",
    "report runs/price",
    "runs ls",
    "runs check runs/price",
    "evaluate old/quantile/run old/quantile/newer.csv",
    "detect old/quantile/run old/quantile/newer.csv",
    "update old/quantile/run old/quantile/newer.csv",
    "update old/updated/run --rollback",
    "fit --resume old/unfinished/run",
    "backtest price.csv --target price --windows 1 --steps 5 -o backtest.csv",
    "fit price.csv --target price --dry-run",
    "tune price.csv --target price --trials 1 --steps 0 --study a.journal -o a.toml",
]
STATUSES = {"fit --resume old/unfinished/run": {0, 4}}
"""Only the versions that began a fit continue it."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of data, with names that cp1252 has and values that it lacks, and of old runs."""
    place = tmp_path_factory.mktemp("windows")
    shutil.copy(SAMPLE_DATA / "price.csv", place)
    shutil.copytree(ROOT / "tests" / "old_files", place / "old")
    rows = ["place,day,y"]
    for town in ("東京", "Zürich"):
        rows += [f"{town},2024-01-{day:02},{day % 7}" for day in range(1, 31)]
    text = "\r\n".join(rows)
    (place / "städte.csv").write_bytes(text.encode())
    return place


@pytest.fixture(scope="module")
def results(folder: Path) -> dict[str, Done]:
    """How all command lines end."""
    return run_lines(HOOK, LINES, folder)


@pytest.mark.parametrize("line", LINES)
def test_a_command_ends_as_ever(line: str, results: dict[str, Done]) -> None:
    done = results[line]
    assert done.status in STATUSES.get(line, {0}), done.err


def test_every_module_imports() -> None:
    import_every_module(HOOK)


def test_results_are_utf_8_with_unix_lines_whatever_the_console_takes(
    results: dict[str, Done], folder: Path
) -> None:
    table = (folder / "towns.csv").read_bytes()
    assert "東京".encode() in table and b"\r" not in table
    predicted = results["predict runs/price -q"].out
    assert "\r" not in predicted and predicted.count("\n") == 15


def test_nothing_is_left_beside_a_run_that_was_replaced(
    results: dict[str, Done], folder: Path
) -> None:
    assert results[f"{FIT} --force"].status == 0
    assert {entry.name for entry in (folder / "runs").iterdir()} == {"price"}


def test_the_lock_of_a_study_leaves_nothing_but_the_study(
    results: dict[str, Done], folder: Path
) -> None:
    assert results[LINES[-1]].status == 0
    assert (folder / "a.journal").read_text().startswith('{"op_code"')
    assert not list(folder.glob(".a.journal*")) and not list(folder.glob("*.lock"))


def test_a_lock_names_its_holder_and_ends_with_it(tmp_path: Path) -> None:
    (tmp_path / "take.py").write_text(
        """
from lstmcast.errors import LockedError
from lstmcast.runs.lock import hold_write_lock
try:
    with hold_write_lock("run"):
        print("taken")
except LockedError as error:
    print(error.message)
"""
    )
    code = """
import os, subprocess, sys
from lstmcast.runs.lock import hold_write_lock
def take():
    line = [sys.executable, "take.py"]
    return subprocess.run(line, capture_output=True, text=True).stdout.strip()
with hold_write_lock("run"):
    print(f"by process {os.getpid()} on" in take())
print(take(), os.listdir())
"""
    printed = run_python(HOOK, code, cwd=tmp_path)
    assert printed.split("\n") == ["True", "taken ['take.py']", ""]


def test_a_signal_waits_for_what_is_saved_but_not_for_ever() -> None:
    code = """
import signal, time
from lstmcast.compute import interrupt
interrupt.MAX_SIGNAL_DELAY_SECONDS = 0.2
began = time.monotonic()
try:
    with interrupt.SignalDeferral(lambda: print("saving")):
        signal.raise_signal(signal.SIGINT)
        while time.monotonic() - began < 20:
            time.sleep(0.01)
        print("too late")
except KeyboardInterrupt:
    print("ended")
"""
    assert run_python(HOOK, code).split() == ["saving", "ended"]


def test_a_process_is_looked_up_without_a_signal() -> None:
    code = """
import os
from lstmcast.compute.system import is_process_alive
print(is_process_alive(os.getpid()), is_process_alive(2**22 + 1))
"""
    assert run_python(HOOK, code).split() == ["True", "False"]
