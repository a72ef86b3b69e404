"""How many small changes of the code would a test notice? `python -m benchmarks.mutations`.

Draws mutations by a seed over the packages below, and runs each against the tests that run the
changed line: first those of the module's own file, then of its package, then all others, the quick
ones first, up to `--limit` seconds of them. Which test runs which line is measured once, test file
by test file, with coverage. A change that no test notices has survived; `--again` tries survivors
once more, after tests were added. What never ends is noticed, too.

All is kept as it comes, so what was cut off goes on: results in docs/figures/mutations.json, the
map of lines in build/mutations/. A survivor that changes nothing that anybody could see is written
into docs/figures/equivalents.json by hand, with its reason, and does not count.
"""

import argparse
import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from queue import Queue
from typing import Any
from xml.etree import ElementTree

from benchmarks.figures import keep, kept
from benchmarks.mutants import Mutant, draw_mutants, find_mutants
from benchmarks.sets import DATA, ROOT

PACKAGES = ("scoring", "forecasting", "training", "monitoring", "panel", "runs")
COUNT, SEED = 200, 17
WORK = ROOT / "build" / "mutations"
COPIED = ("lstmcast", "tests", "benchmarks", "docs", "sample_data", ".ci")
COPIED_FILES = ("pyproject.toml", "README.md", "Makefile", "LICENSE")
LEFT_OUT = ("tests/benchmarks", "tests/test_architecture.py", "tests/test_docs.py")
"""Tests of the benchmarks, of the layout of the code and of pages: they run none of its lines."""
PATIENCE = 3.0
"""A mutant may take so many times what its tests took without it; then it never ends."""
LONGEST = 1800.0
"""Seconds that one file of tests may take."""
START = 60.0
"""Seconds that a process of tests may take to start, on a busy machine."""
MOST_MEMORY = 24 * 2**30
"""Bytes of addresses that a mutant's process may ask for, of which torch takes most."""
FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)
Results = dict[str, Any]


@dataclass
class LineMap:
    """Which tests run which line, and how long each test takes.

    seconds: by test. tests: by file and line.
    """

    seconds: dict[str, float]
    tests: dict[str, dict[int, set[str]]]

    def tests_of(self, mutant: Mutant, limit: float) -> list[str]:
        """Tests that run the statement of a mutant, those nearest to its module first.

        What runs at import alone (a constant, a default) is seen by all tests of the file.
        """
        by_line = self.tests.get(mutant.file, {})
        found: set[str] = set()
        lines = range(mutant.first, mutant.last + 1)
        for line in lines:
            found |= by_line.get(line, set())
        # Defaults of a function are seen at import, too: a line that ran there has an entry.
        is_seen_at_import = any(line in by_line for line in lines)
        if not found and (is_seen_at_import or not mutant.function):
            found = set().union(*by_line.values())
        near = _nearness(mutant.file)
        chosen, spent = [], 0.0
        for test in sorted(found, key=lambda t: (near(t), self.seconds[t], t)):
            spent += self.seconds[test]
            if chosen and spent > limit:
                break
            chosen.append(test)
        return chosen


def _nearness(file: str) -> Any:
    """Return a function of a test: 0 in the module's own file, 1 in its package, else 2."""
    path = Path(file)
    package = Path("tests", *path.parts[1:-1])
    own = f"{(package / f'test_{path.name}').as_posix()}::"

    def nearness(test: str) -> int:
        if test.startswith(own):
            return 0
        return 1 if test.startswith(f"{package.as_posix()}/") else 2

    return nearness


def map_lines(tree: Path, jobs: int, folders: Sequence[str] = ("tests",)) -> LineMap:
    """Measure which test runs which line; a test file that has not changed is not run again."""
    store = WORK / "lines" / _digest((ROOT / "lstmcast").rglob("*.py"))
    store.mkdir(parents=True, exist_ok=True)
    paths = [path for one in folders for path in (ROOT / one).rglob("test_*.py")]
    names = sorted(path.relative_to(ROOT).as_posix() for path in paths)
    files = [name for name in names if not name.startswith(LEFT_OUT)]

    def measured(file: str) -> Results:
        out = store / f"{file.replace('/', '.')}-{_digest([ROOT / file])}.json"
        if not out.exists():
            out.write_text(json.dumps(_map_file(tree, file)), encoding="utf-8")
            print(f"  lines of {file}", file=sys.stderr, flush=True)
        return dict(json.loads(out.read_text(encoding="utf-8")))

    with ThreadPoolExecutor(jobs) as pool:
        parts = list(pool.map(measured, files))
    lines = LineMap({}, defaultdict(lambda: defaultdict(set)))
    for part in parts:
        lines.seconds |= part["seconds"]
        for file, by_line in part["lines"].items():
            for line, tests in by_line.items():
                lines.tests[file][int(line)].update(set(tests) & part["seconds"].keys())
    return lines


def _map_file(tree: Path, file: str) -> Results:
    """Run one file of tests under coverage: seconds of tests that pass, and tests by line."""
    import coverage

    place = WORK / "running" / file.replace("/", ".")
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    data, report = place / "data", place / "report.xml"
    include = ",".join(f"*/lstmcast/{package}/*" for package in PACKAGES)
    cover = ["-m", "coverage", "run", f"--data-file={data}", f"--include={include}"]
    plugin = ["-m", "pytest", "-p", "benchmarks.mutation_lines", f"--junitxml={report}"]
    line = [sys.executable, *cover, *plugin, f"--basetemp={place}/tmp", "-q", file]
    _run(line, tree, LONGEST, place / "output")
    by_file: dict[str, dict[int, list[str]]] = {}
    if data.exists():
        found = coverage.CoverageData(basename=str(data))
        found.read()
        for path in found.measured_files():
            name = Path(path).relative_to(tree).as_posix()
            contexts = found.contexts_by_lineno(path)
            by_file[name] = {n: sorted(filter(None, c)) for n, c in contexts.items()}
    seconds = _seconds_of_passed(report)
    shutil.rmtree(place, ignore_errors=True)
    return {"seconds": seconds, "lines": by_file}


def _seconds_of_passed(report: Path) -> dict[str, float]:
    """Seconds of each test that passed, from the report of pytest."""
    if not report.exists():
        return {}
    seconds = {}
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        if not any(child.tag in ("failure", "error", "skipped") for child in case):
            place = case.get("classname", "").replace(".", "/")
            seconds[f"{place}.py::{case.get('name')}"] = float(case.get("time", 0))
    return seconds


def try_mutant(
    tree: Path, mutant: Mutant, tests: Sequence[str], spent: float
) -> tuple[str, str]:
    """Run tests on a tree with a mutant in it, and take it out again.

    Returns "killed", "never ends", "survived", or "no test runs it", and the test that failed.
    """
    if not tests:
        return "no test runs it", ""
    path, temporary = tree / mutant.file, tree.with_suffix(".tmp")
    text = path.read_text(encoding="utf-8")
    chosen = tree.with_suffix(".tests")
    chosen.write_text("\n".join(tests), encoding="utf-8")
    line = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    line += [f"--basetemp={temporary}", f"@{chosen}"]
    path.write_text(mutant.apply(text), encoding="utf-8")
    output = tree.with_suffix(".output")
    try:
        status = _run(line, tree, START + PATIENCE * spent, output)
    finally:
        path.write_text(text, encoding="utf-8")
        shutil.rmtree(temporary, ignore_errors=True)
    failed = FAILED.search(output.read_text(encoding="utf-8", errors="replace"))
    outcome = {0: "survived", None: "never ends"}.get(status, "killed")
    return outcome, failed[1] if failed else ""


def _run(line: Sequence[str], tree: Path, limit: float, output: Path) -> int | None:
    """Exit status of a command, or None where it and its children were stopped."""
    program = f'ulimit -v {MOST_MEMORY // 1024}; exec "$@"'
    with (
        output.open("wb") as file,
        subprocess.Popen(
            ["bash", "-c", program, "bash", *line],
            cwd=tree,
            env=_environment(tree),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        ) as process,
    ):
        try:
            return process.wait(limit)
        except subprocess.TimeoutExpired:
            return None
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _environment(tree: Path) -> dict[str, str]:
    path = os.pathsep.join(filter(None, (str(tree), os.environ.get("PYTHONPATH"))))
    own = {"PYTHONPATH": path, "OMP_NUM_THREADS": "1", "SHARED_DATA": str(DATA)}
    # Bytecode of a mutant must not outlive it.
    return {**os.environ, **own, "PYTHONDONTWRITEBYTECODE": "1"}


def make_tree(number: int) -> Path:
    """Copy what tests need to a place where it may be changed."""
    tree = WORK / f"tree-{number}"
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir(parents=True)
    ignored = shutil.ignore_patterns("__pycache__", ".pytest_cache", "results")
    for name in COPIED:
        shutil.copytree(ROOT / name, tree / name, ignore=ignored)
    for name in COPIED_FILES:
        shutil.copy(ROOT / name, tree)
    return tree


def run(given: argparse.Namespace) -> Results:
    """Draw, try what has not been tried yet, and keep each outcome as it comes."""
    mutants = find_mutants(ROOT, given.packages)
    drawn = {}
    for mutant in draw_mutants(mutants, given.count, given.seed):
        text = (ROOT / mutant.file).read_text(encoding="utf-8")
        drawn[mutant.describe(text)] = mutant
    results: Results = {
        "measured": date.today().isoformat(),
        "source": _digest((ROOT / "lstmcast").rglob("*.py")),
        "seed": given.seed,
        "places": len(mutants),
    }
    old = {one["change"]: one for one in kept("mutations").get("mutants", [])}
    done = {change: old[change] for change in drawn if change in old}
    if given.again:
        done = {change: one for change, one in done.items() if is_noticed(one)}

    trees = [make_tree(number) for number in range(given.jobs)]
    lines = map_lines(trees[0], given.jobs, given.tests)
    free: Queue[Path] = Queue()
    for tree in trees:
        free.put(tree)

    def tried(change: str) -> Results:
        mutant = drawn[change]
        tests = lines.tests_of(mutant, given.limit)
        spent = sum(lines.seconds[test] for test in tests)
        tree, began = free.get(), time.monotonic()
        try:
            outcome, by = try_mutant(tree, mutant, tests, spent)
        finally:
            free.put(tree)
        seconds = round(time.monotonic() - began)
        found: Results = {
            "change": change,
            "line": mutant.line,
            "operator": mutant.operator,
        }
        found |= {"outcome": outcome, "by": by}
        return found | {"tests": len(tests), "seconds": seconds}

    with ThreadPoolExecutor(given.jobs) as pool:
        for one in pool.map(tried, [change for change in drawn if change not in done]):
            done[one["change"]] = one
            in_order = [done[change] for change in drawn if change in done]
            keep("mutations", results | {"mutants": in_order})
            print(
                f"{len(done)} of {len(drawn)}: {_line(one)}",
                file=sys.stderr,
                flush=True,
            )
    return results | {"mutants": [done[change] for change in drawn]}


def is_noticed(one: Results) -> bool:
    """Whether a test failed for it, or never ended."""
    return one["outcome"] in ("killed", "never ends")


def _line(one: Results) -> str:
    return f"{one['outcome']}, {one['seconds']} s, line {one['line']}: {one['change']}"


def score(results: Results, equivalents: Results) -> dict[str, list[int]]:
    """Count for each package and for "all": drawn, noticed, survived, equivalent."""
    counts: dict[str, list[int]] = {name: [0] * 4 for name in (*PACKAGES, "all")}
    for one in results["mutants"]:
        package = one["change"].split("/")[1]
        column = 1 if is_noticed(one) else 3 if one["change"] in equivalents else 2
        for name in (package, "all"):
            counts[name][0] += 1
            counts[name][column] += 1
    return counts


def table(results: Results, equivalents: Results) -> str:
    """The score as Markdown."""
    lines = [
        f"{len(results['mutants'])} of {results['places']:,} possible changes, drawn by the seed"
        f" {results['seed']}, on {results['measured']}:",
        "",
        "| package | changes tried | noticed | not noticed | without effect | score |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, (drawn, noticed, survived, same) in score(results, equivalents).items():
        share = f"{noticed / (noticed + survived):.0%}" if noticed + survived else ""
        figures = f"{drawn} | {noticed} | {survived} | {same} | {share}"
        lines.append(f"| {name if name == 'all' else f'`{name}`'} | {figures} |")
    return "\n".join(lines)


def _digest(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; show survivors and the score."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.mutations", description=__doc__
    )
    parser.add_argument("--count", type=int, default=COUNT, help="mutants to draw")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument(
        "--limit",
        type=float,
        default=120.0,
        metavar="SECONDS",
        help="of tests for each mutant (default: 120)",
    )
    parser.add_argument("--again", action="store_true", help="try survivors again")
    parser.add_argument(
        "--packages", nargs="*", default=PACKAGES, metavar="NAME", help="to change"
    )
    parser.add_argument(
        "--tests",
        nargs="*",
        default=("tests",),
        metavar="FOLDER",
        help="that may notice",
    )
    results = run(parser.parse_args(arguments))
    equivalents = kept("equivalents")
    for one in results["mutants"]:
        if not is_noticed(one) and one["change"] not in equivalents:
            print(_line(one))
    print(table(results, equivalents))
    return 0


if __name__ == "__main__":
    sys.exit(main())
