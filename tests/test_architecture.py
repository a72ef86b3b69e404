"""The rules that a machine can check: who imports whom, what is never called, light starts."""

import ast
import importlib
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGE = ROOT / "lstmcast"
SOURCES = sorted(PACKAGE.rglob("*.py"))
FOLDERS = sorted({path.parent for path in SOURCES})

ORDER = (
    *("errors", "validation", "config", "ragged", "extras"),
    *("compute",),
    *("timeaxis", "tables", "ingest", "panel"),
    *("features", "scoring", "network", "runs"),
    *("forecasting", "training", "evaluation"),
    *("inspection", "monitoring", "tuning", "deployment", "reporting"),
    *("api", "adapters"),
    *("cli", "__init__", "__main__"),
)
"""Each room may import itself and what stands before it; imports for type checkers alone are
exempt."""

NEVER = {
    "scoring": {"network"},
    "network": {"panel"},
    "features": {"timeaxis", "tables"},
}
"""What stands before a room, and still is none of its business."""

HOMES = {
    "torch": {
        *(
            "network/torch_network",
            "network/encoders",
            "network/losses",
            "network/diagnostics",
        ),
        *("training/", "compute/ranks", "inspection/cost", "reporting/trackers"),
        *("deployment/export", "deployment/graph/"),
    },
    "matplotlib": {"reporting/", "api/pictures"},
    "rich": {"cli/show/console", "api/progress"},
    "typer": {"cli/"},
    "dask": {"compute/engines"},
    "distributed": {"compute/engines"},
    "ray": {"compute/engines"},
    "joblib": {"compute/"},
    "optuna": {"tuning/study"},
    "fastapi": {"deployment/serve"},
    "uvicorn": {"deployment/serve_server"},
    "prometheus_client": {"deployment/serve"},
    "onnx": {"deployment/export", "deployment/graph/forecast"},
    "onnxruntime": {"deployment/export"},
    "holidays": {"panel/calendar"},
    "tensorboard": {"reporting/trackers"},
    "mlflow": {"reporting/trackers"},
    "jinja2": {"reporting/pages/page"},
    "markupsafe": {
        "reporting/pages/page",
        "reporting/pages/report",
        "reporting/pages/chart_page",
        "reporting/pages/detection_page",
        "cli/show/served_page",
    },
    "safetensors": {"runs/serialization", "training/"},
    "duckdb": {"tables/formats/databases"},
    "fsspec": {"tables/formats/remote"},
    "python_calamine": {"tables/formats/workbooks"},
    "xlsxwriter": {"cli/show/output"},
    "sktime": {"adapters/sktime"},
    "click": set(),
    "scipy": {"network/losses", "tuning/gain", "training/generators/"},
    "psutil": {"compute/system"},
    "fcntl": set(),
    "resource": {"compute/system"},
    "filelock": {"runs/lock"},
}
"""The only places that may know a library; a name that ends in / is a room and all in it."""

TESTED_ELSEWHERE = {
    "cli/commands/completion.py": "cli/test_contract_completion.py",
    "cli/commands/config.py": "cli/test_contract_settings.py",
    "cli/commands/help.py": "cli/test_contract_help.py",
    "cli/follow.py": "cli/commands/test_detect.py",
    "cli/signals.py": "faults/test_process.py",
    "cli/streaming/watch.py": "cli/test_watch.py",
    "inspection/finding.py": "inspection/test_findings.py",
}
"""Modules whose promises are those of what uses them, and the tests that hold them."""

WITHOUT = {
    "pandas": (
        "errors",
        "validation",
        "config",
        "ragged",
        "extras",
        "compute",
        "features",
        "scoring",
        "network",
    ),
    "numpy": ("errors", "validation", "config", "extras"),
    "torch": ("cli",),
}
"""Rooms that do without a library that others may use."""
HEAVY = {"torch", "pandas", "pyarrow", "matplotlib", "scipy", "numpy"}

# A run directory, a data file or a configuration must never be able to run code.
FORBIDDEN_MODULES = {
    "pickle",
    "_pickle",
    "cPickle",
    "dill",
    "cloudpickle",
    "marshal",
    "shelve",
    "yaml",
    "ruamel",
}
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
TO_WORKERS = {"compute/engines.py": {"import of pickle", "joblib.dump", "joblib.load"}}
"""Jobs are code: what this program sends to its own workers may be anything."""


@cache
def syntax(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def room(path: Path) -> str:
    """The name under `lstmcast/` that a file belongs to: a module's own, or its package's."""
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def for_type_checkers(tree: ast.Module) -> set[ast.AST]:
    """All that stands under `if TYPE_CHECKING:`, which no interpreter runs."""
    blocks = (node for node in ast.walk(tree) if isinstance(node, ast.If))
    return {
        part
        for node in blocks
        if ast.unparse(node.test) == "TYPE_CHECKING"
        for part in ast.walk(node)
    }


def imported(tree: ast.Module) -> Iterator[str]:
    """Dotted names of all that a module imports when it runs, in functions too."""
    exempt = for_type_checkers(tree)
    for node in ast.walk(tree):
        if node in exempt:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def module_of(path: Path) -> str:
    """The dotted name of a module; a package's is that of its folder."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in SOURCES}


def modules_imported(path: Path) -> set[str]:
    """The modules of lstmcast that a file imports, by their longest dotted name."""
    found = set()
    for name in imported(syntax(path)):
        parts = name.split(".")
        if parts[0] == "lstmcast":
            names = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
            found.add(next(name for name in names if name in MODULES))
    return found


def rooms_imported(path: Path) -> set[str]:
    """Rooms that a file imports, its own apart; a public name of the package is `__init__`."""
    return {room(MODULES[name]) for name in modules_imported(path)} - {room(path)}


def libraries_imported(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imported(syntax(path))}


def dangers(tree: ast.Module) -> list[str]:
    """What in `tree` can run code from a file: forbidden imports, calls and flags, by any alias."""
    origin: dict[str, str] = {}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            origin.update(
                {alias.asname: alias.name for alias in node.names if alias.asname}
            )
        elif isinstance(node, ast.ImportFrom):
            origin.update(
                {
                    alias.asname or alias.name: f"{node.module}.{alias.name}"
                    for alias in node.names
                }
            )
    for name in imported(tree):
        if name.split(".")[0] in FORBIDDEN_MODULES or name in FORBIDDEN_NAMES:
            found.append(f"import of {name}")
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(
            node.ctx, ast.Load
        ):
            head, _, rest = ast.unparse(node).partition(".")
            name = ".".join(filter(None, (origin.get(head, head), rest)))
            if name in FORBIDDEN_NAMES or name.split(".")[-1] in FORBIDDEN_METHODS:
                found.append(f"line {node.lineno}: {name}")
        elif (
            isinstance(node, ast.keyword)
            and node.arg == "allow_pickle"
            and ast.unparse(node.value) != "False"
        ):
            found.append(f"line {node.lineno}: allow_pickle")
    return found


def modules_loaded(*arguments: str, status: int = 0) -> set[str]:
    """Top-level modules that a fresh interpreter loads when it runs `python arguments`."""
    command = [sys.executable, "-X", "importtime", *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL
    )
    assert done.returncode == status, done.stderr[-2000:]
    lines = (
        line.split("|")
        for line in done.stderr.splitlines()
        if line.startswith("import time:")
    )
    return {line[-1].strip().split(".")[0] for line in lines}


def named(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def is_at(path: Path, places: set[str]) -> bool:
    """Whether a module is one of these places: a module without its `.py`, or a room with its /."""
    name = named(path).removesuffix(".py")
    return any(
        name == place or (place.endswith("/") and name.startswith(place))
        for place in places
    )


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_every_module_has_a_place_in_the_house(path: Path) -> None:
    assert room(path) in ORDER, f"give {room(path)!r} a place in ORDER"


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_imports_go_up_the_order_only(path: Path) -> None:
    own = ORDER.index(room(path))
    later = {other for other in rooms_imported(path) if ORDER.index(other) > own}
    assert not later, f"{named(path)} imports {sorted(later)}, which stand after it"
    assert not rooms_imported(path) & NEVER.get(room(path), set())


def test_imports_make_no_circle() -> None:
    needs = {
        name: modules_imported(path) - {name, "lstmcast"}
        for name, path in MODULES.items()
    }
    while free := {name for name, others in needs.items() if not others & needs.keys()}:
        needs = {name: others for name, others in needs.items() if name not in free}
    assert not needs, (
        f"these import each other in a circle, or need one that does: {sorted(needs)}"
    )


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_a_private_name_stays_in_its_module(path: Path) -> None:
    names = (name for name in imported(syntax(path)) if name.startswith("lstmcast."))
    private = {name for name in names if name.rpartition(".")[2].startswith("_")}
    assert private - {"lstmcast.__version__"} == set()


@pytest.mark.parametrize(
    "path", [path for path in SOURCES if path.stem[:2] != "__"], ids=named
)
def test_every_module_has_tests_of_its_name(path: Path) -> None:
    place = (ROOT / "tests" / path.relative_to(PACKAGE)).with_name(f"test_{path.name}")
    assert place.exists() or named(path) in TESTED_ELSEWHERE, (
        f"write {place.relative_to(ROOT)}"
    )


def test_what_is_tested_elsewhere_is_there() -> None:
    for module, place in TESTED_ELSEWHERE.items():
        assert (PACKAGE / module).exists() and (ROOT / "tests" / place).exists()
        assert (
            not (ROOT / "tests" / module)
            .with_name(f"test_{Path(module).name}")
            .exists()
        )


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_a_library_stays_in_its_rooms(path: Path) -> None:
    strays = {
        library
        for library in libraries_imported(path)
        if not is_at(path, HOMES.get(library, {named(path)[:-3]}))
    }
    assert not strays, f"{named(path)} imports {sorted(strays)}"


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_a_room_does_without_what_is_not_its_business(path: Path) -> None:
    assert not {
        library
        for library in libraries_imported(path)
        if room(path) in WITHOUT.get(library, ())
    }


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_folder_is_small_enough_to_read_its_names(folder: Path) -> None:
    modules = [
        path
        for path in folder.glob("*.py")
        if path.name not in ("__init__.py", "__main__.py")
    ]
    assert len(modules) <= (20 if folder.name == "commands" else 12)


@pytest.mark.parametrize("folder", FOLDERS[1:], ids=lambda folder: folder.name)
def test_a_package_says_what_it_is_and_imports_nothing(folder: Path) -> None:
    body = syntax(folder / "__init__.py").body
    text = ast.get_docstring(syntax(folder / "__init__.py"))
    assert len(body) == 1 and text
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert modules <= set(re.findall(r"`(\w+)`", text)), (
        "name each file, in the order in which to read them"
    )


def test_one_room_alone_asks_which_rank_this_is() -> None:
    words = {"RANK", "WORLD_SIZE", "LOCAL_RANK"}
    users = {
        named(path)
        for path in SOURCES
        for node in ast.walk(syntax(path))
        if isinstance(node, ast.Constant) and node.value in words
    }
    assert users == {"compute/ranks.py"}


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
        "import torch, numpy as np, json\n"
        "np.load('x', allow_pickle=False)\njson.load(f)\nmodel.eval()\nrun.save('x')"
    )
    assert dangers(ast.parse(code)) == []


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_no_module_is_longer_than_500_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 500


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
