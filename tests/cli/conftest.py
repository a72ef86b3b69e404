"""Run the real program in a subprocess: in a folder of its own, with or without a terminal."""

import math
import os
import random
import re
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest

PROGRAM = (sys.executable, "-m", "lstmcast")
Program = Callable[..., subprocess.CompletedProcess[str]]


class Screen(NamedTuple):
    """A terminal after a program: text without escape sequences, raw text, exit status."""

    text: str
    raw: str
    status: int


def environment(**changes: str) -> dict[str, str]:
    """The environment of a test's program: without colours of the outer terminal."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS")
    }
    return inherited | {"TERM": "xterm-256color"} | changes


@pytest.fixture
def lstmcast(tmp_path: Path) -> Program:
    """Return a function that runs the program in `tmp_path` with pipes, and an empty stdin.

    As in `lstmcast("fit", path, ...)`; `input=` fills stdin.
    """
    return partial(run_program, cwd=tmp_path)


def run_program(
    *arguments: object, env: dict[str, str] | None = None, **more: Any
) -> subprocess.CompletedProcess[str]:
    """Run the program with pipes; `more` as for `subprocess.run`."""
    more = {"input": "", "text": True, "timeout": 240, **more}
    line = [*PROGRAM, *map(str, arguments)]
    return subprocess.run(
        line, capture_output=True, check=False, env=environment(**(env or {})), **more
    )


@pytest.fixture
def quickly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Program:
    """Return the same within this process: for many variations of what is tested once as above."""
    from lstmcast.cli import app

    def run(
        *arguments: object, cwd: Path = tmp_path
    ) -> subprocess.CompletedProcess[str]:
        monkeypatch.chdir(cwd)
        line = [*map(str, arguments)]
        capsys.readouterr()
        status = app.run_command_line(line)
        out, err = capsys.readouterr()
        return subprocess.CompletedProcess(line, status, out, err)

    return run


def write_months(path: Path, months: int) -> Path:
    """Write a monthly series with season and trend; a longer one begins like a shorter one."""
    noise = random.Random(0)

    def price(month: int) -> float:
        season = 30 * math.sin(month * math.pi / 6)
        return 100 + month + season + noise.uniform(-3, 3)

    rows = [
        f"{2010 + month // 12}-{month % 12 + 1:02},{price(month):.2f}"
        for month in range(months)
    ]
    path.write_text("\n".join(["month,price", *rows, ""]))
    return path


def write_shops(path: Path) -> Path:
    """Write a panel that ranks can share: 24 shops of some 60 days."""
    noise = random.Random(0)

    def sold(shop: int, day: int) -> float:
        return (shop + 3) * (2 + math.sin(day * 0.9) + noise.random())

    rows = [
        f"s{shop},{date(2024, 1, 1) + timedelta(day)},{sold(shop, day):.3f},{day % 5}"
        for shop in range(24)
        for day in range(60 + 5 * (shop % 3))
    ]
    path.write_text("\n".join(["shop,day,sold,price", *rows, ""]))
    return path


@pytest.fixture(scope="session")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with `old.csv` (60 months), its run `runs/old-price`, and `new.csv` (72)."""
    folder = tmp_path_factory.mktemp("fitted")
    write_months(folder / "old.csv", 60)
    write_months(folder / "new.csv", 72)
    done = run_program("fit", "old.csv", "--target", "price", "--steps", 0, cwd=folder)
    assert (done.returncode, done.stdout) == (0, "runs/old-price\n"), done.stderr
    (folder / "fit.stderr").write_text(done.stderr)
    return folder


@contextmanager
def keep_running(
    arguments: Sequence[object], cwd: Path
) -> Iterator[subprocess.Popen[str]]:
    """Run the program with pipes, to talk with it while it runs; it is killed in the end."""
    line = [*PROGRAM, *map(str, arguments)]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen(
        line, cwd=cwd, env=environment(), text=True, **pipes
    ) as program:  # type: ignore[call-overload]
        yield program
        program.kill()


def on_terminal(
    arguments: Sequence[object], cwd: Path, *, only: str = "", columns: int = 100
) -> Screen:
    """Run the program on a terminal, or with `only` one of its streams; the others are pipes."""
    import pty  # not on Windows

    parent, child = pty.openpty()
    streams = {
        name: child if only in ("", name) else subprocess.PIPE
        for name in ("stdin", "stdout", "stderr")
    }
    line = [*PROGRAM, *map(str, arguments)]
    with subprocess.Popen(
        line, cwd=cwd, env=environment(COLUMNS=str(columns)), **streams
    ) as program:  # type: ignore[call-overload]
        os.close(child)
        text = _read_all(parent, program)
        others = [
            stream.read() for stream in (program.stdout, program.stderr) if stream
        ]
        status = program.wait(60)
    os.close(parent)
    raw = (text + b"".join(others)).decode()
    return Screen(re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", raw), raw, status)


def _read_all(terminal: int, program: subprocess.Popen[bytes]) -> bytes:
    text, deadline = b"", time.monotonic() + 240
    while time.monotonic() < deadline:
        ready, _, _ = select.select([terminal], [], [], 0.2)
        try:
            text += os.read(terminal, 65536) if ready else b""
        except OSError:  # the program has closed its end
            return text
        if not ready and program.poll() is not None:
            return text
    program.kill()
    raise AssertionError(f"the program did not end:\n{text.decode()}")
