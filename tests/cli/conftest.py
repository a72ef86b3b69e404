"""The real program in a subprocess: in a folder of its own, with or without a terminal."""

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

PROGRAM = (sys.executable, "-m", "lstmcast")
Program = Callable[..., subprocess.CompletedProcess[str]]


class Seen(NamedTuple):
    """What a person saw on a terminal, and the exit status."""

    text: str
    status: int


def environment(**changes: str) -> dict[str, str]:
    """The environment of a test's program: without colours of the outer terminal."""
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS")}
    return kept | {"TERM": "xterm-256color"} | changes


@pytest.fixture
def lstmcast(tmp_path: Path) -> Program:
    """`lstmcast("fit", path, ...)` runs the program in `tmp_path` with pipes, and an empty stdin unless told."""

    def run(*arguments: object, env: dict[str, str] | None = None, **more: Any) -> subprocess.CompletedProcess[str]:
        more = {"input": "", "text": True, "cwd": tmp_path, "timeout": 240, **more}
        line = [*PROGRAM, *map(str, arguments)]
        return subprocess.run(line, capture_output=True, check=False, env=environment(**(env or {})), **more)

    return run


def on_terminal(arguments: Sequence[object], cwd: Path, *, only: str = "", columns: int = 100) -> Seen:
    """Run the program on a terminal; `only` gives it one of stdin, stdout, stderr, the others are pipes."""
    parent, child = pty.openpty()
    streams = {name: child if only in ("", name) else subprocess.PIPE for name in ("stdin", "stdout", "stderr")}
    line = [*PROGRAM, *map(str, arguments)]
    with subprocess.Popen(line, cwd=cwd, env=environment(COLUMNS=str(columns)), **streams) as program:  # type: ignore[call-overload]
        os.close(child)
        text = _read_all(parent, program)
        others = [stream.read() for stream in (program.stdout, program.stderr) if stream]
        status = program.wait(60)
    os.close(parent)
    return Seen((text + b"".join(others)).decode(), status)


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
