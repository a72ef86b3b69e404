"""The house rules that a machine can check: who imports whom, what is never called, how light `--help` is."""

import ast
import importlib
import inspect
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGE = ROOT / "lstmcast"
SOURCES = sorted(PACKAGE.rglob("*.py"))

# From the ground up. A room may import what is below it, and its neighbours where that makes no circle.
LAYERS = (
    {"errors", "disk", "interrupt", "events"},
    {"config", "conformal", "gate"},
    {"space"},
    {"source", "dialect", "csvtext", "numerals", "metrics", "probability", "distributed", "smoothing", "network"},
    {"recurrent"},
    {"layouts", "clocks", "serials", "dates", "grid", "mixed", "timeaxis", "groups"},
    {"bulk", "table", "columnar", "read", "sampling"},
    {"stamps", "zones", "resample", "timecolumn", "covariates", "rows", "guesses"},
    {"assemble", "panel", "holidays", "known", "plan", "continuation", "merge", "requirements", "holdout"},
    {
        "features",
        "season",
        "shape",
        "inspection",
        "baselines",
        "verdict",
        "guard",
        "intervals",
        "synthetic",
    },
    {"effects", "scales", "encoders", "model", "losses", "optimizers", "windows", "device", "inference"},
    {"train", "lock", "naming", "rundir", "engines", "parallel", "inputs", "joint", "rolling", "parameters"},
    {"ensemble", "store", "checkpoint", "pretrain", "fitness", "rollback"},
    {"warmstart", "predictor"},
    {"graph"},
    {"forecaster"},
    {"backtest", "explain", "estimate", "anomaly", "update", "plots", "plots_inspect", "export", "serve"},
    {"shards"},
    {"report", "study", "track"},
    {"search"},
    {"tune"},
    {"plots_tune"},
    {"cli"},
    {"__init__", "__main__"},
)
LEVEL = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}

# What a room must not know, by the name of the library that would tell it.
IGNORANCE = {
    "errors": {"numpy", "pandas", "torch"},
    "config": {"numpy", "pandas", "torch"},
    "space": {"numpy", "pandas", "torch"},
    "study": {"pandas", "torch"},
    "read": {"torch"},
    "dates": {"torch"},
    "grid": {"torch", "pandas", "pyarrow"},
    "timeaxis": {"torch"},
    "metrics": {"torch", "pandas"},
    "panel": {"torch"},
    "features": {"torch", "pandas"},
    "baselines": {"torch", "pandas"},
    "effects": {"torch", "pandas"},
    "guard": {"torch", "pandas"},
    "verdict": {"torch", "pandas"},
    "windows": {"torch", "pandas"},
    "network": {"torch", "pandas"},
    "recurrent": {"torch", "pandas"},
    "inference": {"torch", "pandas"},
    "predictor": {"torch"},
    "store": {"torch", "pandas"},
    "model": {"pandas"},
    "losses": {"pandas"},
    "train": {"pandas"},
    "backtest": {"torch"},
    "cli": {"torch"},
}
HEAVY = {"torch", "pandas", "pyarrow", "matplotlib", "scipy", "numpy"}

# A run directory, a data file or a configuration must never be able to run code.
FORBIDDEN_MODULES = {"pickle", "_pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "yaml", "ruamel"}
FORBIDDEN_NAMES = {
    "eval",
    "exec",
    "__import__",
    "joblib.load",
    "joblib.dump",
    "pandas.eval",
    "pandas.read_pickle",
    "torch.load",
    "torch.save",
    "torch.jit.load",
    "torch.hub.load",
}
FORBIDDEN_METHODS = {"to_pickle", "read_pickle"}
TO_WORKERS = {"engines.py": {"import of pickle", "joblib.dump", "joblib.load"}}
"""Jobs are code: what this program sends to its own workers may be anything."""


@cache
def syntax(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def room(path: Path) -> str:
    """The name under `lstmcast/` that a file belongs to: a module's own, or its package's."""
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def imported(tree: ast.Module) -> Iterator[str]:
    """Dotted names of all that a module imports, in functions and under TYPE_CHECKING too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def rooms_imported(path: Path) -> set[str]:
    """Rooms of lstmcast that a file imports, its own apart; a name of the package itself counts as `__init__`."""
    parts = (name.split(".") for name in imported(syntax(path)))
    second = {[*part, "__init__"][1] for part in parts if part[0] == "lstmcast"}
    return {name if name in LEVEL else "__init__" for name in second} - {room(path)}


def dangers(tree: ast.Module) -> list[str]:
    """What in `tree` can run code out of a file: forbidden imports, calls and flags, whatever their alias."""
    origin: dict[str, str] = {}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            origin.update({alias.asname: alias.name for alias in node.names if alias.asname})
        elif isinstance(node, ast.ImportFrom):
            origin.update({alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names})
    for name in imported(tree):
        if name.split(".")[0] in FORBIDDEN_MODULES or name in FORBIDDEN_NAMES:
            found.append(f"import of {name}")
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
            head, _, rest = ast.unparse(node).partition(".")
            name = ".".join(filter(None, (origin.get(head, head), rest)))
            if name in FORBIDDEN_NAMES or name.split(".")[-1] in FORBIDDEN_METHODS:
                found.append(f"line {node.lineno}: {name}")
        elif isinstance(node, ast.keyword) and node.arg == "allow_pickle" and ast.unparse(node.value) != "False":
            found.append(f"line {node.lineno}: allow_pickle")
    return found


def modules_loaded(*arguments: str, status: int = 0) -> set[str]:
    """Top-level modules that a fresh interpreter loads when it runs `python arguments`."""
    command = [sys.executable, "-X", "importtime", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert done.returncode == status, done.stderr[-2000:]
    lines = (line.split("|") for line in done.stderr.splitlines() if line.startswith("import time:"))
    return {line[-1].strip().split(".")[0] for line in lines}


def named(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_every_module_has_a_place_in_the_house(path: Path) -> None:
    assert room(path) in LEVEL, f"give {room(path)!r} a layer in LAYERS"


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_imports_go_downward_only(path: Path) -> None:
    upward = {other for other in rooms_imported(path) if LEVEL[other] > LEVEL[room(path)]}
    assert not upward, f"{named(path)} imports {sorted(upward)} from above"


def test_imports_make_no_circle() -> None:
    needs: dict[str, set[str]] = {}
    for path in SOURCES:
        needs.setdefault(room(path), set()).update(rooms_imported(path))
    while free := {name for name, others in needs.items() if not others & needs.keys()}:
        needs = {name: others for name, others in needs.items() if name not in free}
    assert not needs, f"these import each other in a circle, or need one that does: {sorted(needs)}"


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_a_room_does_not_know_what_is_not_its_business(path: Path) -> None:
    known = {name.split(".")[0] for name in imported(syntax(path))} & IGNORANCE.get(room(path), set())
    assert not known, f"{named(path)} imports {sorted(known)}"


@pytest.mark.parametrize(("library", "home"), [("rich", "cli/console.py"), ("typer", "cli/"), ("click", "nowhere")])
def test_the_terminal_libraries_stay_in_their_home(library: str, home: str) -> None:
    users = {named(path) for path in SOURCES if library in {name.split(".")[0] for name in imported(syntax(path))}}
    assert {user for user in users if not user.startswith(home)} == set()


def test_one_room_alone_asks_which_rank_this_is() -> None:
    words = {"RANK", "WORLD_SIZE", "LOCAL_RANK"}
    users = {
        named(path)
        for path in SOURCES
        for node in ast.walk(syntax(path))
        if isinstance(node, ast.Constant) and node.value in words
    }
    assert users == {"distributed.py"}


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_nothing_that_is_read_can_run_code(path: Path) -> None:
    found = {danger.partition(": ")[2] or danger for danger in dangers(syntax(path))}
    assert found == TO_WORKERS.get(named(path), set())


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from cloudpickle import loads",
        "def late():\n    import yaml",
        "import torch as t\nt.load('x')",
        "from torch import save as keep",
        "import joblib\nread = joblib.load",
        "import numpy as np\nnp.load('x', allow_pickle=True)",
        "import pandas as pd\npd.read_pickle('x')",
        "frame.to_pickle('x')",
        "eval('1')",
        "import torch\ntorch.jit.load('x')",
    ],
)
def test_the_check_for_code_in_files_sees_each_way_of_writing_it(code: str) -> None:
    assert dangers(ast.parse(code))


def test_the_check_for_code_in_files_leaves_honest_code_alone() -> None:
    code = (
        "import torch, numpy as np, json\nnp.load('x', allow_pickle=False)\njson.load(f)\nmodel.eval()\nrun.save('x')"
    )
    assert dangers(ast.parse(code)) == []


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_no_module_is_longer_than_400_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


def test_every_public_name_resolves_and_is_documented() -> None:
    lstmcast = importlib.import_module("lstmcast")
    for name in lstmcast.__all__:
        value = getattr(lstmcast, name)
        if inspect.isclass(value) or inspect.isroutine(value):
            doc = value.__doc__ or ""
            assert doc and not doc.startswith(f"{name}("), f"{name} has no docstring"
    assert set(lstmcast.__all__) <= set(dir(lstmcast))


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert modules_loaded("-c", "import lstmcast") & HEAVY == set()
