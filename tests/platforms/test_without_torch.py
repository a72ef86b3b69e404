"""What needs no torch works where torch and scipy are absent; the rest says what to install."""

import shutil
import subprocess
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from lstmcast.extras import install_command
from tests.cli.conftest import PROGRAM, environment, run_program
from tests.conftest import ROOT, SAMPLE_DATA
from tests.platforms.programs import Done, python_path, run_lines, run_python

PRICE = SAMPLE_DATA / "price.csv"
HOOK = "no_torch"
RUNS = ROOT / "tests" / "old_files"
WORKS = [
    "--version",
    "inspect price.csv --target price",
    "forecast price.csv --target price",
    "predict quantile/run",
    "predict mse/run",
    "predict joint/run",
    "evaluate quantile/run quantile/newer.csv",
    "detect quantile/run quantile/newer.csv",
    "explain quantile/run",
    "report quantile/run",
    "runs ls .",
    "runs show quantile/run",
    "runs check quantile/run",
    "update updated/run --rollback",
    "config show",
]
NEEDS_TORCH = {
    "fit price.csv --target price": "a fit",
    "fit price.csv --target price --dry-run": "a fit",
    "backtest price.csv --target price": "a backtest",
    "tune price.csv --target price": "a search of settings",
    "update quantile/run quantile/newer.csv": "an update",
    "export quantile/run": "an export",
    "predict student-t/run": "the network of this run",
}


SERVES = "serve quantile/run --port 0"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of runs that were made with torch, and of data."""
    place = tmp_path_factory.mktemp("files") / "old"
    shutil.copytree(RUNS, place)
    shutil.copy(PRICE, place)
    return place


@pytest.fixture(scope="module")
def results(folder: Path) -> dict[str, Done]:
    """How all command lines end without torch."""
    return run_lines(HOOK, [*WORKS, *NEEDS_TORCH], folder)


@pytest.mark.parametrize("line", WORKS)
def test_what_only_forecasts_or_looks_needs_no_torch(
    line: str, results: dict[str, Done]
) -> None:
    status, _, err = results[line]
    assert status == 0, err


@pytest.mark.parametrize("line", NEEDS_TORCH)
def test_what_needs_torch_says_so_in_one_line_and_what_to_install(
    line: str, results: dict[str, Done]
) -> None:
    status, out, err = results[line]
    first, hint = err.splitlines()[-2:]
    assert (status, out) == (2, "")
    assert first == f"error: {NEEDS_TORCH[line]} needs torch, which is not installed"
    assert hint == "  pip install torch"


@pytest.mark.parametrize(
    "line", ["forecast price.csv --target price", "predict quantile/run"]
)
def test_a_forecast_without_torch_is_the_one_with_it(
    line: str, folder: Path, results: dict[str, Done]
) -> None:
    with_torch = run_program(*line.split(), cwd=folder)
    assert results[line][1] == with_torch.stdout != ""


def test_version_says_that_there_is_no_torch(results: dict[str, Done]) -> None:
    assert "(no torch, Python" in results["--version"][1]


def require_served_forecast(
    program: Sequence[str], folder: Path, env: Mapping[str, str], seconds: float
) -> None:
    """Let a program serve the run of `SERVES`, and ask it for a forecast."""
    line = [*program, *SERVES.split()]
    with subprocess.Popen(
        line, cwd=folder, env=env, text=True, stdout=subprocess.PIPE
    ) as server:
        assert server.stdout
        url = server.stdout.readline().strip()
        request = urllib.request.Request(f"{url}/forecast", b"", method="POST")
        with urllib.request.urlopen(request, timeout=seconds) as answer:
            assert answer.status == 200
        server.terminate()


def test_a_run_is_served_without_torch(folder: Path) -> None:
    env = environment(PYTHONPATH=python_path(HOOK))
    require_served_forecast(PROGRAM, folder, env, seconds=30)


def test_the_library_names_what_is_missing_too() -> None:
    code = f"""
import lstmcast, pandas
frame = pandas.read_csv({str(PRICE)!r})
panel = lstmcast.Panel.from_frame(frame, target="price")
for settings in ({{"steps": 0}}, {{}}, {{"loss": "student-t"}}):
    train = lstmcast.TrainConfig(**settings)
    try:
        forecaster = lstmcast.Forecaster(lstmcast.Config(train=train)).fit(panel)
        print(len(forecaster.predict()))
    except lstmcast.UsageError as error:
        print(error.message, error.hint)
"""
    assert run_python(HOOK, code).splitlines() == [
        "14",
        "training needs torch, which is not installed pip install torch",
        "--loss student-t needs scipy, which is not installed "
        + install_command("likelihood"),
    ]
