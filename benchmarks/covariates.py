"""What covariates gain on real data: `python -m benchmarks.covariates [CASE ...]`.

Each case is a backtest on the last windows of a file, fitted once before them, without the
covariates and with them: the same program, the same windows, the same seeds. Exit status 1 if a
case fails, or if covariates do less than the case demands.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.figures import keep, kept, measured_today
from benchmarks.sets import DATA, ROOT

NOISE = 0.01
"""As much worse as this a share of the error may be from one seed to the next."""


class Case(NamedTuple):
    """A file, what is asked of it, and the options that are compared.

    least: share of the error that they must save. series: the one target that counts, where not all
    do.
    """

    name: str
    file: str
    request: tuple[str, ...]
    added: tuple[str, ...]
    windows: int
    least: float = -NOISE
    series: str = ""


_POWER = ("--target", "y", "--series", "unique_id", "--horizon", "24")
_STORES = (
    "--target",
    "Weekly_Sales",
    "--series",
    "Store",
    "--date-format",
    "%d-%m-%Y",
    "--horizon",
    "8",
)
_PLACES = (
    "--target",
    "Trips",
    "--series",
    "Region",
    "--series",
    "State",
    "--series",
    "Purpose",
    "--horizon",
    "8",
)
_LOADS = tuple(
    w
    for name in ("HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT")
    for w in ("--target", name)
)
CASES = (
    Case(
        "four power markets, hourly: two forecasts of the day before",
        "panel/epf_short_with_exog.csv",
        _POWER,
        ("--future", "Exogenous1", "--future", "Exogenous2"),
        14,
        0.05,
    ),
    Case(
        "45 stores, weekly: holiday flag",
        "panel/walmart_store_sales.csv",
        _STORES,
        ("--future", "Holiday_Flag"),
        3,
    ),
    Case(
        "304 regions' tourism, quarterly: region, state and purpose",
        "panel/australia_tourism.csv",
        _PLACES,
        ("--static", "Region", "--static", "State", "--static", "Purpose"),
        1,
    ),
    Case(
        "flights in the UK, daily: --holidays GB",
        "everyday/uk_daily_flights_BOM_dmy.csv",
        ("--target", "Number of flights", "--horizon", "14"),
        ("--holidays", "GB"),
        6,
    ),
    Case(
        "lowest temperature in Melbourne, daily: --calendar",
        "everyday/daily-min-temperatures.csv",
        ("--target", "Temp", "--horizon", "14"),
        ("--calendar",),
        10,
    ),
    Case(
        "oil temperature and six loads, hourly: --joint",
        "ett/ETTh1.csv",
        (*_LOADS, "--horizon", "96"),
        ("--joint",),
        10,
        -1.0,  # reported, whatever it is
        "OT",
    ),
)


def measure(
    case: Case, seed: int, options: Sequence[str], data: Path = DATA
) -> dict[str, float]:
    """MAE, MASE and coverage of one backtest through the command line."""
    line = ["backtest", str(data / case.file), *case.request, *options, "--no-refit"]
    line += [
        "--windows",
        str(case.windows),
        "--seed",
        str(seed),
        "--by",
        "series",
        "--json",
        "-q",
    ]
    with tempfile.TemporaryDirectory() as folder:
        verdict = json.loads(_call(line, folder))["verdict"]
    if case.series:
        row = next(row for row in verdict["by_series"] if row["key"][-1] == case.series)
        return {"mae": row["mae"], "mase": row["mase"]}
    return {name: verdict["model"][name] for name in ("mae", "mase")}


def _call(line: Sequence[str], folder: str) -> str:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "lstmcast", *line]
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        raise RuntimeError(
            f"lstmcast {line[0]} exit {done.returncode}: {done.stderr.strip()}"
        )
    return done.stdout


def compare(case: Case, seeds: Sequence[int], data: Path = DATA) -> dict[str, Any]:
    """Return errors without and with covariates, and the share of the MAE saved, by seed too."""
    without, with_covariates = (
        [measure(case, seed, options, data) for seed in seeds]
        for options in ((), case.added)
    )
    found: dict[str, Any] = {"case": case.name, "windows": case.windows}
    for label, runs in (("without", without), ("with", with_covariates)):
        found[label] = {
            name: sum(run[name] for run in runs) / len(runs) for name in runs[0]
        }
    found["saved"] = 1 - found["with"]["mae"] / found["without"]["mae"]
    found["by_seed"] = [
        1 - b["mae"] / a["mae"] for a, b in zip(without, with_covariates, strict=True)
    ]
    found["enough"] = found["saved"] >= case.least
    return found


def merge(old: dict[str, Any], results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Put cases in the place of those that were kept before."""
    cases = {one["case"]: one for one in old.get("cases", [])}
    cases |= {one["case"]: measured_today(one) for one in results}
    order = [case.name for case in CASES if case.name in cases]
    return old | {"cases": [cases[name] for name in order]}


def table(results: Sequence[dict[str, Any]], seeds: Sequence[int]) -> str:
    """Rows of Markdown."""
    count = f"mean of {len(seeds)} seeds" if len(seeds) > 1 else "one seed"
    lines = [
        f"| ({count}) | windows | MAE without | with | less | seed by seed | MASE without | with |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for one in results:
        a, b = one["without"], one["with"]
        each = ", ".join(f"{100 * saved:.1f} %" for saved in one["by_seed"])
        lines.append(
            f"| {one['case']} | {one['windows']} | {a['mae']:.4g} | {b['mae']:.4g} |"
            f" {100 * one['saved']:.1f} % |"
            f" {each} | {a['mase']:.3f} | {b['mase']:.3f} |"
        )
    return "\n".join(lines)


def kept_table(found: dict[str, Any]) -> str:
    """The table from what is kept."""
    return table(found["cases"], found["cases"][0]["by_seed"])


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, show, and write the page where that is asked for; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.covariates", description=__doc__
    )
    parser.add_argument(
        "cases", nargs="*", metavar="CASE", help="part of a case's name (default: all)"
    )
    parser.add_argument(
        "--seeds",
        default="0",
        metavar="0,1,2",
        help="seeds to average over (default: 0)",
    )
    parser.add_argument(
        "--keep", action="store_true", help="keep the results in docs/figures/"
    )
    parsed = parser.parse_args(arguments)
    if not DATA.is_dir():
        print("no benchmark data: set SHARED_DATA to its folder", file=sys.stderr)
        return 1
    seeds = [int(seed) for seed in parsed.seeds.split(",")]
    chosen = [
        case
        for case in CASES
        if not parsed.cases or any(part in case.name for part in parsed.cases)
    ]
    results = []
    for case in chosen:
        results.append(compare(case, seeds))
        print(table(results[-1:], seeds).splitlines()[-1], file=sys.stderr, flush=True)
    print(table(results, seeds))
    if parsed.keep:
        keep("covariates", merge(kept("covariates"), results))
    return int(not all(one["enough"] for one in results))


if __name__ == "__main__":
    sys.exit(main())
