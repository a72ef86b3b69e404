"""What a stranger gets: the wheel in an environment of its own runs the README, and weighs what is
promised; without torch it runs what needs none."""

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import ROOT, SAMPLE_DATA
from tests.platforms.test_without_torch import (
    NEEDS_TORCH,
    RUNS,
    WORKS,
    require_served_forecast,
)
from tests.test_readme import (
    README,
    SHORT_TRAINING,
    Example,
    check_output,
    commands,
    examples,
)

pytestmark = pytest.mark.slow
MAX_MEGABYTES = {"whole": 1200, "without torch": 350}
"""Of all packages, with pip and without byte code, which `pip --no-compile` and uv leave out."""


class Environment(NamedTuple):
    """A virtual environment: its programs, and what its files weighed before they were used."""

    programs: Path
    megabytes: float

    def run(
        self, line: Sequence[str], cwd: Path, **settings: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment, which knows nothing of the checkout."""
        return subprocess.run(
            line,
            cwd=cwd,
            env=self.variables(**settings),
            capture_output=True,
            text=True,
        )

    def variables(self, **settings: str) -> dict[str, str]:
        """The variables that its programs run with."""
        inherited = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        path = f"{self.programs}{os.pathsep}{os.environ['PATH']}"
        return inherited | {"PATH": path} | settings


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built as it is for a release."""
    folder = tmp_path_factory.mktemp("dist")
    line = [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder)]
    check_run([*line, str(ROOT)])
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Environment:
    """An environment with the wheel and all that it asks for."""
    python = make_environment(tmp_path_factory.mktemp("whole"))
    install(python, "--constraint", ROOT / ".ci" / "constraints.txt", wheel)
    return Environment(python.parent, count_megabytes(python))


@pytest.fixture(scope="module")
def torchless(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Environment:
    """An environment with the wheel and all that it asks for but torch; then with two extras."""
    folder = tmp_path_factory.mktemp("torchless")
    python = make_environment(folder)
    install(python, "--no-deps", wheel)
    needs = [python, ROOT / ".ci" / "without_torch.py"]
    (folder / "needs.txt").write_text(check_run(needs))
    install(python, "--requirement", folder / "needs.txt")
    megabytes = count_megabytes(python)
    (folder / "more.txt").write_text(check_run([*needs, "serve", "plot"]))
    install(python, "--requirement", folder / "more.txt")
    return Environment(python.parent, megabytes)


def check_run(line: Sequence[object]) -> str:
    """Run a command line that must end well; returns what it prints."""
    done = subprocess.run([*map(str, line)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def make_environment(folder: Path) -> Path:
    """Make an empty virtual environment; returns its Python."""
    venv.create(folder / "venv", with_pip=True)
    return folder / "venv" / "bin" / "python"


def install(python: Path, *arguments: object) -> None:
    """Install packages from where pip finds them, without byte code."""
    check_run([python, "-m", "pip", "install", "-q", "--no-compile", *arguments])


def count_megabytes(python: Path) -> float:
    """What the packages of an environment take on disk, in units of 2^20 bytes.

    Byte code apart: that of pip, which made itself some.
    """
    packages = next((python.parents[1] / "lib").glob("python*/site-packages"))
    files = (file for file in packages.rglob("*") if file.suffix != ".pyc")
    return sum(file.lstat().st_blocks for file in files) * 512 / 2**20


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of sample data, and of runs that were made with torch."""
    shutil.copytree(RUNS, tmp_path, dirs_exist_ok=True)
    shutil.copytree(SAMPLE_DATA, tmp_path / "sample_data")
    shutil.copy(SAMPLE_DATA / "price.csv", tmp_path)
    return tmp_path


@pytest.mark.parametrize("example", examples(README), ids=lambda one: one.text[:40])
def test_every_line_of_the_readme_runs_from_the_wheel(
    example: Example, whole: Environment, folder: Path
) -> None:
    if example.language == "python":
        line = ["python", "-W", "error", "-c", example.text]
        done = whole.run(line, folder)
        assert done.returncode == 0 and done.stdout, done.stderr
        return
    settings = SHORT_TRAINING if example.slow else {}
    for command, shown in commands(example.text):
        done = whole.run(["bash", "-o", "pipefail", "-c", command], folder, **settings)
        assert done.returncode == 0, done.stderr
        check_output(shown, done.stdout.splitlines())


@pytest.mark.parametrize("line", WORKS)
def test_what_needs_no_torch_runs_where_there_is_none(
    line: str, torchless: Environment, folder: Path
) -> None:
    done = torchless.run(["lstmcast", *line.split()], folder)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("line", NEEDS_TORCH)
def test_what_needs_torch_says_what_to_install(
    line: str, torchless: Environment, folder: Path
) -> None:
    done = torchless.run(["lstmcast", *line.split()], folder)
    assert done.returncode == 2
    assert done.stderr.endswith("  pip install torch\n")


def test_a_run_is_served_where_there_is_no_torch(
    torchless: Environment, folder: Path
) -> None:
    program = [str(torchless.programs / "lstmcast")]
    require_served_forecast(program, folder, torchless.variables(), seconds=60)


def test_both_environments_hold_the_wheel_and_one_of_them_torch(
    whole: Environment, torchless: Environment, folder: Path
) -> None:
    code = (
        "import importlib.util as u, lstmcast as l;"
        "print(l.__file__, bool(u.find_spec('torch')))"
    )
    for environment, has_torch in ((whole, True), (torchless, False)):
        place, found = environment.run(["python", "-c", code], folder).stdout.split()
        assert Path(place).is_relative_to(environment.programs.parent)
        assert found == str(has_torch)


def test_an_install_weighs_no_more_than_is_promised(
    whole: Environment, torchless: Environment, folder: Path
) -> None:
    assert torchless.megabytes < MAX_MEGABYTES["without torch"]
    code = "import torch; print(torch.version.cuda)"
    if whole.run(["python", "-c", code], folder).stdout.strip() != "None":
        pytest.skip("this torch was built for a GPU")
    assert whole.megabytes < MAX_MEGABYTES["whole"]
