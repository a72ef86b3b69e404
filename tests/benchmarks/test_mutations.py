"""Mutations change one place each, are tried against the right tests, and are counted."""

import ast
import json
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from benchmarks import mutations
from benchmarks.mutants import draw_mutants, find_mutants, mutants_of
from benchmarks.mutations import PACKAGES, LineMap, is_noticed, score, table, try_mutant
from tests.conftest import ROOT

CODE = '''\
"""A module."""
LIMIT = 3
def larger(a: int = 1, *, b=None) -> int:
    """Not this: 1 < 2."""
    if a > LIMIT and not b:
        raise ValueError(f"{a + 1} is more than 3")
    a += 1
    note(a, loud=True)
    return -a if b else a * 2.5
'''


def changes(code: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for mutant in mutants_of(code, "lstmcast/some/module.py"):
        ast.parse(mutant.apply(code))
        found.setdefault(mutant.operator, []).append(
            mutant.describe(code).partition(" => ")[2]
        )
    return found


def test_every_kind_of_change_is_found_and_nothing_that_only_people_read() -> None:
    found = changes(CODE)
    assert found["constant"] == [
        "LIMIT = 4",
        "def larger(a: int = 2, *, b=None) -> int:",
        "a += 2",
        "note(a, loud=False)",
        "return -a if b else a * 5.0",
    ]
    assert found["comparison"] == ["if (a >= LIMIT) and not b:"]
    assert found["boolean"] == [
        "if (a > LIMIT or not b):",
        "if a > LIMIT and (b):",
    ]
    assert found["condition"] == [
        "if not (a > LIMIT and (not b)):",
        "return (a * 2.5 if b else -a)",
    ]
    assert found["arithmetic"] == ["a -= 1", "return -a if b else (a / 2.5)"]
    assert found["sign"] == ["return (a) if b else a * 2.5"]
    assert found["return"] == ["return None"]
    assert found["argument removed"] == ["note(a)"]
    assert found["statement removed"] == ["pass"] * 3


def test_a_change_is_named_by_its_lines_and_not_by_their_numbers() -> None:
    lower = f"\n\n{CODE}"
    assert changes(CODE) == changes(lower)
    first, second = (mutants_of(code)[0] for code in (CODE, lower))
    assert first.describe(CODE) == second.describe(lower)
    assert second.line == first.line + 2


def test_a_condition_is_tested_by_its_own_lines_and_not_by_those_of_its_branch() -> (
    None
):
    (condition,) = [m for m in mutants_of(CODE) if m.new.startswith("not (a > LIMIT")]
    assert (condition.first, condition.last) == (5, 5)


def test_every_mutant_of_the_packages_can_be_drawn_and_the_draw_is_that_of_the_seed() -> (
    None
):
    mutants = find_mutants(ROOT, PACKAGES)
    assert len(mutants) > 3000
    assert {m.file.split("/")[1] for m in mutants} == set(PACKAGES)
    drawn = draw_mutants(mutants, 40, seed=1)
    assert (
        drawn == draw_mutants(mutants, 40, seed=1) != draw_mutants(mutants, 40, seed=2)
    )
    for mutant in drawn:
        text = (ROOT / mutant.file).read_text(encoding="utf-8")
        ast.parse(mutant.apply(text))
        before, _, after = mutant.describe(text).partition(" => ")
        assert before and after


def test_tests_nearest_to_the_module_come_first_then_quick_ones_up_to_the_limit() -> (
    None
):
    seconds = {
        "tests/cli/test_all.py::test_quick": 0.1,
        "tests/some/test_other.py::test_a": 1.0,
        "tests/some/test_module.py::test_slow": 50.0,
        "tests/some/test_module.py::test_own": 2.0,
        "tests/cli/test_all.py::test_long": 500.0,
    }
    tests: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    tests["lstmcast/some/module.py"][9] = set(seconds)
    lines = LineMap(seconds, tests)
    (last, *_) = [m for m in mutants_of(CODE, "lstmcast/some/module.py") if m.line == 9]
    chosen = lines.tests_of(last, limit=60)
    assert [name.rpartition("_")[2] for name in chosen] == ["own", "slow", "a", "quick"]
    constant = mutants_of(CODE, "lstmcast/some/module.py")[0]
    assert constant.line == 2 and set(lines.tests_of(constant, 9999)) == set(seconds)
    inside = [m for m in mutants_of(CODE, "lstmcast/some/module.py") if m.line == 7][0]
    assert lines.tests_of(inside, 60) == []


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A project of one module, with a test that sees one of its lines."""
    root = tmp_path / "tree"
    (root / "lstmcast").mkdir(parents=True)
    (root / "lstmcast" / "__init__.py").touch()
    (root / "lstmcast" / "m.py").write_text(
        "def double(n):\n    while n == 7:\n        pass\n    return n + n * 0\n"
    )
    (root / "test_m.py").write_text(
        "from lstmcast.m import double\ndef test_m():\n    assert double(3) == 3\n"
    )
    return root


@pytest.mark.slow
def test_a_mutant_is_noticed_or_not_and_the_tree_is_as_before(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mutations, "START", 20.0)
    file = tree / "lstmcast" / "m.py"
    text = file.read_text()
    outcomes = {
        mutant.new: try_mutant(tree, mutant, ["test_m.py::test_m"], 0.1)
        for mutant in mutants_of(text, "lstmcast/m.py")
        if mutant.operator in ("arithmetic", "return")
    }
    assert outcomes == {
        "(n - n * 0)": ("survived", ""),
        "(n / 0)": ("killed", "test_m.py::test_m"),
        "return None": ("killed", "test_m.py::test_m"),
    }
    assert file.read_text() == text
    (mutant, *_) = mutants_of(text, "lstmcast/m.py")
    assert try_mutant(tree, mutant, [], 0.0) == ("no test runs it", "")


def test_a_mutant_that_never_ends_is_stopped_with_its_children(tmp_path: Path) -> None:
    line = [sys.executable, "-S", "-c", "import time; time.sleep(60)"]
    assert mutations._run(line, tmp_path, 0.5, tmp_path / "out") is None
    line[-1] = "raise SystemExit(3)"
    assert mutations._run(line, tmp_path, 60, tmp_path / "out") == 3


def test_equivalents_do_not_count_and_what_never_ends_is_noticed() -> None:
    outcomes = ("killed", "never ends", "survived", "survived", "no test runs it")
    results = {
        "mutants": [
            {"change": f"lstmcast/panel/a.py::f: {k}", "outcome": outcome}
            for k, outcome in enumerate(outcomes)
        ],
        **{"places": 4000, "seed": 17, "measured": "2026-11-30"},
    }
    equivalents = {"lstmcast/panel/a.py::f: 2": "the result is the same"}
    assert score(results, equivalents)["panel"] == [5, 2, 2, 1]
    assert "| `panel` | 5 | 2 | 2 | 1 | 50% |" in table(results, equivalents)
    assert [is_noticed(one) for one in results["mutants"]] == [True, True] + [False] * 3


def test_each_equivalent_has_its_reason() -> None:
    path = ROOT / "docs" / "figures" / "equivalents.json"
    for change, reason in json.loads(path.read_text(encoding="utf-8")).items():
        assert change.startswith("lstmcast/") and " => " in change
        assert len(reason) > 10
