"""Runs that were forged and sealed again: every command refuses them in few words, or is right.

`make reliability` counts thousands of them and writes the figures into docs/reliability.md.
"""

import csv
import io
import json
import math
import random
import shutil
from collections import Counter
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.faults.conftest import run_inside
from tests.faults.figures import record
from tests.faults.forge import Forger

OLD = ROOT / "tests" / "old_files"
NAMES = ("mae", "bernoulli", "student-t", "negative-binomial", "quantile")
COMMANDS = {
    "predict": (30, ("predict", "run", "-q")),
    "runs show": (10, ("runs", "show", "run")),
    "runs show --json": (5, ("runs", "show", "run", "--json")),
    "runs ls": (10, ("runs", "ls", ".", "--json")),
    "runs diff": (10, ("runs", "diff", "run", "good")),
    "runs check": (5, ("runs", "check", "run", "--json")),
    "config show": (10, ("config", "show", "--config", "run")),
    "detect": (6, ("detect", "run", "newer", "-q")),
    "evaluate": (6, ("evaluate", "run", "newer", "-q", "--json")),
    "update": (4, ("update", "run", "newer", "--dry-run", "-q", "--json")),
    "report": (2, ("report", "run", "-q")),
    "explain": (2, ("explain", "run", "-q")),
    "export": (1, ("export", "run", "-q")),
}
"""How often each command is drawn, of so many, and its arguments."""
POINT_FORECASTS = ("forecast", "probability")
"""Names of the first column of numbers in a forecast."""
RUN, USAGE, DATA, RESOURCE = 4, 2, 3, 6
TYPED = {RUN, USAGE, DATA, RESOURCE}


def require_right_answer(command: str, stdout: str) -> None:
    """Fail unless what a command printed is whole: a table of numbers, or JSON without NaN."""
    if command == "predict":
        header, *rows = csv.reader(io.StringIO(stdout))
        assert rows
        first = next(at for at, name in enumerate(header) if name in POINT_FORECASTS)
        for row in rows:
            assert all(math.isfinite(float(text)) for text in row[first:]), row
    elif stdout.startswith("{"):

        def refuse(text: str) -> None:
            raise AssertionError(f"{text} in JSON")

        json.loads(stdout, parse_constant=refuse)


def forge_runs(folder: Path, count: int, seed: int) -> Counter[str]:
    """Forge runs and give each to a command; returns how often each was refused or not."""
    chance = random.Random(seed)
    found = Counter[str]()
    runs = [OLD / name / "run" for name in NAMES]
    forgers = {run: Forger(run, runs, chance) for run in runs}
    weights = [weight for weight, _ in COMMANDS.values()]
    for number in range(count):
        run = chance.choice(runs)
        place = folder / "at"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        done = forgers[run].forge(place / "run")
        (place / "good").symlink_to(run)
        (newer,) = run.parent.glob("newer.*")
        command = chance.choices(list(COMMANDS), weights)[0]
        arguments = [
            str(newer) if word == "newer" else word for word in COMMANDS[command][1]
        ]
        result = run_inside(*arguments, cwd=place)
        told = f"forgery {number} of {run.parent.name}: {command}: {done}: "
        told += f"{result.returncode} {result.stderr[-600:]}"
        assert "Traceback" not in result.stderr and "bug in" not in result.stderr, told
        if result.returncode == 0:
            require_right_answer(command, result.stdout)
        else:
            assert result.returncode in TYPED, told
            assert not result.stdout and len(result.stderr.splitlines()) <= 3, told
        found["refused" if result.returncode else "used, as it may be"] += 1
    return found


def test_a_forged_run_is_refused_or_right(tmp_path: Path) -> None:
    assert forge_runs(tmp_path, 60, seed=1)["refused"] > 20


@pytest.mark.slow
def test_thousands_of_forged_runs_are_refused_or_right(tmp_path: Path) -> None:
    found = forge_runs(tmp_path, 5000, seed=2)
    record("a file of a run forged and sealed again, given to any command", found)
    assert found["refused"] > 1500
