"""Seconds of a forecast over HTTP and from the command line: `python -m benchmarks.serving`.

Each case is fitted once (`--steps 0`: weights do not change the time). A server that runs already
answers requests one after the other; the command line starts anew each time. Both give the same
bytes, which is checked.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.figures import keep, measured_today
from benchmarks.sets import ROOT

SAMPLES = ROOT / "sample_data"


class Case(NamedTuple):
    """What is fitted, and the file whose rows are sent; none for the end of the training."""

    name: str
    fit: tuple[str, ...]
    rows: str = ""


_PRICE = (str(SAMPLES / "price.csv"), "--target", "price")
_SHOPS = (
    str(SAMPLES / "shop.csv"),
    "--target",
    "sold",
    "--series",
    "shop",
    "--future",
    "price",
)
CASES = (
    Case("one daily series, from the end of its training", _PRICE),
    Case(
        "the same, from 731 rows of CSV that are sent",
        _PRICE,
        str(SAMPLES / "price.csv"),
    ),
    Case("a panel of shops with a covariate, from the end of its training", _SHOPS),
)


def program(*arguments: str) -> list[str]:
    """The command line of the program."""
    return [sys.executable, "-m", "lstmcast", *arguments]


def timed(times: int, work: Callable[[], bytes]) -> tuple[list[float], bytes]:
    """Seconds of each of some rounds, after one that does not count, and what the last gave."""
    result, seconds = work(), []
    for _ in range(times):
        begun = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - begun)
    return sorted(seconds), result


def measure(case: Case, requests: int, starts: int) -> tuple[list[float], list[float]]:
    """Seconds of requests, and of starts of the command line."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    with tempfile.TemporaryDirectory() as folder:
        options = {"cwd": folder, "env": environment, "stdin": subprocess.DEVNULL}
        line = program("fit", *case.fit, "--steps", "0", "-q", "--out", "run")
        subprocess.run(line, check=True, stdout=subprocess.DEVNULL, **options)
        rows = [case.rows] if case.rows else []
        line = program("predict", "run", *rows, "-q")

        def cold() -> bytes:
            return subprocess.run(
                line, check=True, stdout=subprocess.PIPE, **options
            ).stdout

        serve = program("serve", "run", "--port", "0", "-q")
        with subprocess.Popen(
            serve,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            **options,
        ) as server:
            assert server.stdout
            url = server.stdout.readline().strip()
            body = Path(case.rows).read_bytes() if case.rows else None

            def warm() -> bytes:
                request = urllib.request.Request(
                    f"{url}/forecast", body, {"Accept": "text/csv"}
                )
                with urllib.request.urlopen(request, timeout=60) as answer:
                    content: bytes = answer.read()
                return content

            try:
                answered, over_http = timed(requests, warm)
            finally:
                server.terminate()
        started, printed = timed(starts, cold)
        if over_http != printed:
            raise RuntimeError(
                f"{case.name}: the server does not answer what predict prints"
            )
        return answered, started


def summary(
    case: Case, answered: Sequence[float], started: Sequence[float]
) -> dict[str, Any]:
    """Seconds within which half and 19 of 20 requests are answered, and of half of the starts."""
    half, most = statistics.median(answered), answered[int(0.95 * len(answered))]
    start = statistics.median(started)
    seconds = {"half": half, "most": most, "start": start}
    return {"case": case.name, **seconds, "times": start / half}


def table(found: Mapping[str, Any]) -> str:
    """Rows of Markdown."""
    lines = [
        f"| {found['requests']} requests, {found['starts']} starts | request, p50 ms | p95 ms |"
        " `predict`, p50 ms | times |",
        "|---|---|---|---|---|",
    ]
    for one in found["cases"]:
        half, most, start = (1000 * one[name] for name in ("half", "most", "start"))
        figures = f"{half:.1f} | {most:.1f} | {start:,.0f} | {one['times']:.0f}"
        lines.append(f"| {one['case']} | {figures} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, show, and write the page where that is asked for; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.serving", description=__doc__
    )
    parser.add_argument(
        "--requests", type=int, default=200, help="requests of each case (default: 200)"
    )
    parser.add_argument(
        "--starts", type=int, default=7, help="starts of the command line (default: 7)"
    )
    parser.add_argument(
        "--keep", action="store_true", help="keep the results in docs/figures/"
    )
    parsed = parser.parse_args(arguments)
    found: dict[str, Any] = {"requests": parsed.requests, "starts": parsed.starts}
    found["cases"] = []
    for case in CASES:
        seconds = measure(case, parsed.requests, parsed.starts)
        found["cases"].append(summary(case, *seconds))
        print(table(found).splitlines()[-1], file=sys.stderr, flush=True)
    print(table(found))
    if parsed.keep:
        keep("serving", measured_today(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
