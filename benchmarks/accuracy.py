"""Accuracy and cost on real data, as a user gets them: `python -m benchmarks.accuracy [SET ...]`.

A SET is a data set or a group (m4, m3, m1, tourism, everyday, fresh, battery); none means all.
What was measured is kept under `benchmarks/results/cache/`, one file per set and seed, and is
measured again when the package or the data calls change, so an interrupted run goes on where it
was. Exit status 1 if anything failed.
"""

import argparse
import hashlib
import json
import math
import sys
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.figures import keep, kept
from benchmarks.product import ZERO_SHOT, ProductError, measure
from benchmarks.references import references
from benchmarks.sets import DATA, GROUPS, ROOT, SETS, select
from benchmarks.simple import simple_errors
from benchmarks.tables import Result, page

CACHE = ROOT / "benchmarks" / "results" / "cache"
MEASURED_BY = ("benchmarks/product.py", "benchmarks/sets.py")


def fingerprint(root: Path = ROOT) -> str:
    """Return a hash of all that figures depend on: source, weights, and the code that measures."""
    files = [
        path
        for path in (root / "lstmcast").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    ]
    digest = hashlib.sha256()
    for path in sorted([*files, *(root / name for name in MEASURED_BY)]):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(root).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


def measured(
    name: str, seed: int, kind: str, *, fresh: bool = False, cache: Path = CACHE
) -> Result:
    """Return the scores of a set and seed, from the cache or measured; a failure has an `error`."""
    key = fingerprint()
    path = cache / f"{name}-{kind}-{seed}-{key}.json"
    if path.exists() and not fresh:
        found: Result = json.loads(path.read_text(encoding="utf-8"))
        return found
    what = {"set": name, "kind": kind, "seed": seed}
    try:
        result = what | _plain(
            measure(SETS[name], seed, *(ZERO_SHOT if kind == "zero-shot" else ()))
        )
    except ProductError as failure:
        return what | {"error": str(failure)}
    if (
        fingerprint() == key
    ):  # else the source was edited meanwhile, and nobody knows what was measured
        cache.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        unfinished.write_text(json.dumps(result, indent=1), encoding="utf-8")
        unfinished.replace(path)
    return result


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, show the page on stdout, and write what was asked for; returns the exit status."""
    parser = _parser()
    parsed = parser.parse_args(arguments)
    try:
        parsed.sets = select(parsed.sets)
    except ValueError as unknown:
        parser.error(str(unknown))
    if not DATA.is_dir():
        print("no benchmark data: set SHARED_DATA to its folder", file=sys.stderr)
        return 1
    results: list[Result] = []
    for name, seed, kind in _runs(parsed.sets, parsed.seeds):
        results.append(measured(name, seed, kind, fresh=parsed.fresh))
        _say(results[-1])
        _write(parsed, results)
    if parsed.keep:
        keep("accuracy", report(add_kept(results, kept("accuracy"))))
    print(page(report(results)))
    return int(any("error" in one for one in results))


def add_kept(results: Sequence[Result], earlier: dict[str, Any]) -> list[Result]:
    """Add what is kept of other sets, if the same source was measured; in the order of the sets."""
    names = {one["set"] for one in results}
    others = []
    if earlier.get("source") == fingerprint():
        others = [one for one in earlier["results"] if one["set"] not in names]
    order = list(SETS)
    return sorted([*others, *results], key=lambda one: order.index(one["set"]))


def report(results: Sequence[Result]) -> dict[str, Any]:
    """All results, those of other methods beside them, and summaries; ready for JSON."""
    names = list(dict.fromkeys(one["set"] for one in results))
    return {
        "measured": date.today().isoformat(),
        "source": fingerprint(),
        "results": results,
        "references": {name: references(name) for name in [*names, "m3_all"]},
        "simple": simple_errors(names) if DATA.is_dir() else {},
    }


def _runs(sets: list[str], seeds: list[int]) -> Iterator[tuple[str, int, str]]:
    for name in sets:
        yield from ((name, seed, "fit") for seed in seeds)
        yield name, seeds[0], "zero-shot"


def _write(parsed: argparse.Namespace, results: Sequence[Result]) -> None:
    if parsed.json:
        parsed.json.write_text(
            json.dumps(report(results), indent=1) + "\n", encoding="utf-8"
        )


def _say(one: Result) -> None:
    shown = {
        name: one[name]
        for name in ("smape", "mase", "owa", "coverage", "seconds")
        if one.get(name)
    }
    text = one.get("error") or " ".join(
        f"{name} {value:.3f}" for name, value in shown.items()
    )
    print(
        f"{one['set']} {one['kind']} seed {one['seed']}: {text}",
        file=sys.stderr,
        flush=True,
    )


def _plain(scores: Result) -> Result:
    return {
        k: None if isinstance(v, float) and not math.isfinite(v) else v
        for k, v in scores.items()
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.accuracy", description=__doc__
    )
    known = f"one of {', '.join(GROUPS)}, or of {', '.join(SETS)}"
    parser.add_argument("sets", nargs="*", metavar="SET", help=known)
    parser.add_argument(
        "--seeds",
        type=_seeds,
        default=[0],
        metavar="0,1,2",
        help="seeds to average over (default: 0)",
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write all results there"
    )
    parser.add_argument(
        "--keep",
        action="store_true",
        help="keep the results in docs/figures/, beside those of other sets and the same source",
    )
    parser.add_argument(
        "--fresh", action="store_true", help="measure again what is in the cache"
    )
    return parser


def _seeds(text: str) -> list[int]:
    return [int(seed) for seed in text.split(",")]


if __name__ == "__main__":
    sys.exit(main())
