"""Run command lines one after the other in a Python that is made to lack something."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests.cli.conftest import environment
from tests.conftest import ROOT

_MANY = """
import contextlib, io, json, sys
from lstmcast.cli import app
results = {}
for line in json.loads(sys.argv[1]):
    streams = [io.TextIOWrapper(io.BytesIO(), sys.stdout.encoding, write_through=True)
               for _ in range(2)]
    with contextlib.redirect_stdout(streams[0]), contextlib.redirect_stderr(streams[1]):
        status = app.run_command_line(line.split())
    results[line] = [status, *(s.buffer.getvalue().decode("latin-1") for s in streams)]
print(json.dumps(results))
"""
"""In one process, since most of a short command is its start."""


class Done(NamedTuple):
    """How a command line ended: its status, and stdout and stderr byte by byte as latin-1."""

    status: int
    out: str
    err: str


def python_path(hook: str) -> str:
    """Return where Python looks for modules: first at a folder of this one, with its hook."""
    return os.pathsep.join([str(Path(__file__).parent / hook), str(ROOT)])


def run_python(
    hook: str, code: str, *arguments: str, cwd: Path | None = None, **more: str
) -> str:
    """Run code in a Python with a hook; returns what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=cwd,
        env=environment(PYTHONPATH=python_path(hook), **more),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def import_every_module(hook: str) -> None:
    """Import all of lstmcast in a Python with a hook; fails where a module does not import."""
    code = """
import importlib, pkgutil, lstmcast
for module in pkgutil.walk_packages(lstmcast.__path__, "lstmcast."):
    # Adapters ask for the library that they are for.
    if not module.name.endswith("__main__") and ".adapters." not in module.name:
        importlib.import_module(module.name)
print("all")
"""
    assert run_python(hook, code).split() == ["all"]


def run_lines(hook: str, lines: Sequence[str], cwd: Path) -> dict[str, Done]:
    """Run command lines in a folder, in a Python with a hook."""
    printed = run_python(hook, _MANY, json.dumps(lines), cwd=cwd)
    found = json.loads(printed)
    return {line: Done(*done) for line, done in found.items()}
