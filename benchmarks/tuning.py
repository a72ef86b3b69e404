"""What `lstmcast tune` gains over the default on windows that the search never saw.

    python -m benchmarks.tuning --seeds 0,1

Runs the command line as a user would, one set and seed after the other. Each search is kept in
docs/figures/tuning.json when it ends, and is not made again unless that is asked for. Of M4 Weekly
only the training part is used.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from benchmarks.figures import keep, kept, measured_today
from benchmarks.sets import DATA, ROOT, SETS, Competition

TRIALS = 10
SEEDS = (0, 1)


@dataclass(frozen=True)
class Case:
    """A set, what it is in words, and the options that its user gives."""

    name: str
    words: str
    options: tuple[str, ...]


CASES = (
    Case(
        "air_passengers",
        "air passengers, monthly",
        ("--target", "Passengers", "--horizon", "12"),
    ),
    Case(
        "gasoline_weekly",
        "gasoline supplied, weekly",
        ("--target", "Gasoline", "--horizon", "8"),
    ),
    Case(
        "website_visits_daily",
        "visits of a website, daily",
        ("--target", "users", "--horizon", "14", "--date-format", "%d/%m/%y"),
    ),
    Case(
        "m4_weekly",
        "M4 Weekly, 359 series",
        ("--target", "y", "--series", "unique_id", "--horizon", "13"),
    ),
)


def measure(case: Case, seed: int, trials: int, data: Path = DATA) -> dict[str, Any]:
    """What one search found: the JSON of the command, with the processor seconds that it took."""
    one = SETS[case.name]
    with tempfile.TemporaryDirectory() as folder:
        if isinstance(one, Competition):
            file = Path(folder, "train.parquet")
            one.load(data)[0].to_parquet(file)
        else:
            file = data / one.file
        line = [
            "tune",
            str(file),
            *case.options,
            "--trials",
            str(trials),
            "--seed",
            str(seed),
            "--json",
            "-q",
        ]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [sys.executable, "-m", "lstmcast", *line],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
    if done.returncode:
        raise RuntimeError(
            f"lstmcast tune exit {done.returncode}: {done.stderr.strip()}"
        )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    found = json.loads(done.stdout)
    figures = {name: found[name] for name in ("promised", "adopted", "tuned", "gain")}
    return {"case": case.words, "seed": seed, "cpu": spent, **figures}


def table(results: Sequence[dict[str, Any]]) -> str:
    """Rows of Markdown, one a search."""
    lines = [
        "| | seed | less error in the search | on unseen windows | default, tuned (MASE) |"
        " settings to take"
        " | best trial | CPU s |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for one in results:
        gain, promised = one["gain"], 100 * one["promised"]
        saved = (
            f"{100 * gain['share']:.1f} % ± {100 * gain['spread']:.1f}" if gain else "-"
        )
        errors = f"{gain['default']:.3f}, {gain['tuned']:.3f}" if gain else "-"
        taken = "tuned" if one["adopted"] else "default"
        best = ", ".join(one["tuned"]) or "the default"
        lines.append(
            f"| {one['case']} | {one['seed']} | {promised:.1f} % | {saved} | {errors} | {taken} |"
            f" {best} |"
            f" {one['cpu']:.0f} |"
        )
    done = {(one["case"], one["seed"]) for one in results}
    planned = product((case.words for case in CASES), SEEDS)
    missing = [
        f"{case} (seed {seed})" for case, seed in planned if (case, seed) not in done
    ]
    if missing:
        lines += ["", f"Not searched yet: {'; '.join(missing)}."]
    return "\n".join(lines)


def kept_table(found: dict[str, Any]) -> str:
    """The table from what is kept."""
    return table(found["searches"])


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the searches that were asked for, keep and show them; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.tuning", description=__doc__
    )
    parser.add_argument(
        "sets", nargs="*", metavar="SET", help="names of sets (default: all)"
    )
    parser.add_argument(
        "--seeds",
        default=",".join(map(str, SEEDS)),
        metavar="0,1",
        help="seeds, each a search of its own",
    )
    parser.add_argument("--trials", type=int, default=TRIALS, help="trials of a search")
    parser.add_argument(
        "--fresh", action="store_true", help="search again what is kept"
    )
    parsed = parser.parse_args(arguments)
    if not DATA.is_dir():
        print("no benchmark data: set SHARED_DATA to its folder", file=sys.stderr)
        return 1
    found = {} if parsed.fresh else kept("tuning")
    results = list(found.get("searches", []))
    known = {(one["case"], one["seed"]) for one in results}
    chosen = [case for case in CASES if not parsed.sets or case.name in parsed.sets]
    order = [case.words for case in CASES]
    for seed, case in product(map(int, parsed.seeds.split(",")), chosen):
        if (case.words, seed) not in known:
            one = measured_today(measure(case, seed, parsed.trials))
            results.append(one)
            print(table([one]).splitlines()[2], file=sys.stderr, flush=True)
            results.sort(key=lambda one: (order.index(one["case"]), one["seed"]))
            keep("tuning", found | {"trials": parsed.trials, "searches": results})
    print(table(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
