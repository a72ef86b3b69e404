"""lstmcast as if on macOS: it imports, fits, replaces, updates and measures its memory without what
only Linux has. What is simulated, and what is not, says `macos/sitecustomize.py`."""

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

HOOK = "macos"
FIT = "fit price.csv --target price --steps 20 --out runs/price"
LINES = [
    "inspect price.csv --target price",
    "forecast price.csv --target price",
    FIT,
    f"{FIT} --force",
    "predict runs/price -q",
    "report runs/price",
    "runs check runs/price",
    "evaluate old/quantile/run old/quantile/newer.csv",
    "detect old/quantile/run old/quantile/newer.csv",
    "update old/quantile/run old/quantile/newer.csv",
    "update old/updated/run --rollback",
    "fit price.csv --target price --dry-run",
    "tune price.csv --target price --trials 1 --steps 0 --study a.journal -o a.toml",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of data and of old runs."""
    place = tmp_path_factory.mktemp("macos")
    shutil.copy(SAMPLE_DATA / "price.csv", place)
    shutil.copytree(ROOT / "tests" / "old_files", place / "old")
    return place


@pytest.fixture(scope="module")
def results(folder: Path) -> dict[str, Done]:
    """How all command lines end."""
    return run_lines(HOOK, LINES, folder)


@pytest.mark.parametrize("line", LINES)
def test_a_command_ends_as_ever(line: str, results: dict[str, Done]) -> None:
    assert results[line].status == 0, results[line].err


def test_every_module_imports() -> None:
    import_every_module(HOOK)


def test_nothing_is_left_beside_a_run_that_was_replaced(
    results: dict[str, Done], folder: Path
) -> None:
    assert results[f"{FIT} --force"].status == 0
    assert {entry.name for entry in (folder / "runs").iterdir()} == {"price"}


def test_it_is_darwin_whose_memory_is_counted_in_bytes_and_has_no_address_space() -> (
    None
):
    code = """
import resource
from lstmcast.compute import system
used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(system.sys.platform, system.address_space_used(), system.guess_accelerator())
print(abs(system.peak_memory() / used - 1) < 0.1, system.count_usable_cores() >= 1)
print(system.find_system_function("renameat2"))
"""
    printed = run_python(HOOK, code).splitlines()
    assert printed == ["darwin 0 cpu", "True True", "None"]
