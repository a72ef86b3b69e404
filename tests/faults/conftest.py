"""What each fault must do to the real program: an exit status, a short message, no files left."""

import hashlib
import io
import json
import shutil
import subprocess
import time
import warnings
from collections.abc import Callable
from contextlib import chdir, redirect_stderr, redirect_stdout
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from lstmcast.cli import app
from lstmcast.runs import directory
from tests.cli.conftest import fitted as fitted  # fixtures of all rows
from tests.cli.conftest import lstmcast as lstmcast
from tests.cli.conftest import run_program

FIT = ("--target", "price", "--steps", 0)
Refused = Callable[..., str]
Seen = Callable[..., dict[str, Any]]


def digest(path: Path) -> str:
    """A digest of a file: of its size and its first 100 MB, since it may be a hole of terabytes."""
    with path.open("rb") as file:
        return f"{path.stat().st_size} {hashlib.sha256(file.read(10**8)).hexdigest()}"


@pytest.fixture
def run(tmp_path: Path, fitted: Path) -> Path:
    """A run of its own for each test, `run` in its folder."""
    return Path(shutil.copytree(fitted / "runs" / "old-price", tmp_path / "run"))


def edit(
    run: Path, change: Callable[[dict[str, Any]], object], *, seal: bool = True
) -> None:
    """Change a manifest; with `seal` as someone does who knows how runs are sealed."""
    manifest = json.loads((run / "run.json").read_text())
    change(manifest)
    if seal:
        manifest["sha256"] = directory.manifest_digest(manifest)
    (run / "run.json").write_text(json.dumps(manifest))


def wait_for(state: Callable[[], object], seconds: float = 300) -> None:
    """Wait until `state()` holds, for so long at most."""
    deadline = time.monotonic() + seconds
    while not state() and time.monotonic() < deadline:
        time.sleep(0.005)


def contents(folder: Path) -> dict[str, str]:
    """Every file and folder under `folder`, with a digest of what is in it."""
    return {
        str(path.relative_to(folder)): digest(path) if path.is_file() else "folder"
        for path in sorted(folder.rglob("*"))
        if not path.is_fifo()
    }


def own_places(folder: Path) -> dict[str, str]:
    """An environment whose home and temporary folder are in `folder`, so that leftovers show."""
    for name in ("home", "temporary"):
        (folder / name).mkdir(exist_ok=True)
    return {"HOME": str(folder / "home"), "TMPDIR": str(folder / "temporary")}


def run_inside(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the program in this process: the same except for signals and limits, and faster."""
    stdout, stderr = io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), io.StringIO()
    with (
        chdir(cwd),
        redirect_stdout(stdout),
        redirect_stderr(stderr),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")  # as the program does
        status = app.run_command_line([str(argument) for argument in arguments])
        stdout.flush()
    stdout.seek(0)
    return subprocess.CompletedProcess(
        arguments, status, stdout.read(), stderr.getvalue()
    )


@pytest.fixture
def refused(tmp_path: Path) -> Refused:
    """`refused("fit", "x.csv", "--target", "y", says=["x.csv:7", "column 'y'"])` returns stderr.

    The program runs in `tmp_path`. It must end with `status`, say every text of `says` in at most
    three lines on stderr, the last of them a hint (`hint=False` where there is nothing to do),
    write nothing on stdout, and leave every file there as it was. With `inside` no process is
    started: for the second and later cases of a row.
    """

    def run(
        *arguments: object,
        status: int = 3,
        says: list[str],
        hint: bool = True,
        inside: bool = False,
        **more: Any,
    ) -> str:
        env = own_places(tmp_path) | more.pop("env", {})
        before = contents(tmp_path)
        program = run_inside if inside else partial(run_program, env=env, **more)
        done = program(*arguments, cwd=tmp_path)
        stderr = done.stderr if isinstance(done.stderr, str) else done.stderr.decode()
        assert done.returncode == status, stderr
        assert not done.stdout
        lines = stderr.splitlines()
        assert len(lines) <= 3, stderr
        assert "Traceback" not in stderr
        assert lines[-1].startswith("  " if hint else "error: "), stderr
        assert [text for text in says if text not in stderr] == [], stderr
        assert contents(tmp_path) == before
        return stderr

    return run


@pytest.fixture
def seen(tmp_path: Path) -> Seen:
    """`seen("x.csv")` is what `inspect --json` prints of a file in `tmp_path`, "notes" included."""

    def run(*arguments: object, **more: Any) -> dict[str, Any]:
        done = run_program(
            "inspect",
            *arguments,
            "--json",
            cwd=tmp_path,
            env=own_places(tmp_path),
            **more,
        )
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    return run


def days(
    count: int = 30, form: str = "2024-03-{:02}", **columns: Callable[[int], object]
) -> str:
    """A CSV of `count` days: `date` in `form`, then columns, each a function of the day."""
    header = ",".join(["date", *columns])
    rows = (
        ",".join([form.format(day), *(str(make(day)) for make in columns.values())])
        for day in range(1, count + 1)
    )
    return "\n".join([header, *rows, ""])
