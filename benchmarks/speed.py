"""Speed and memory beside other programs: `python -m benchmarks.speed [SECTION ...]`.

Every section is measured whole in one run on one machine. What was measured is kept in
`docs/figures/performance.json`, section by section, so they can be measured one by one. The peers
are installed in environments of their own, see `peers.py`.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.accuracy import fingerprint
from benchmarks.figures import keep, kept
from benchmarks.peers import OURS, PEERS, Lost, Peer, call, spend
from benchmarks.product import competition_scores
from benchmarks.sets import DATA, EVERYDAY, SETS, Competition
from benchmarks.speedpage import page

REPEATS = 5
EVERYONE = (OURS, *PEERS)
Figures = dict[str, Any]
LSTMCAST = [sys.executable, "-m", "lstmcast"]
LEARN_FOR = (5, 20)
"""Seconds of training after which errors are compared."""
LENGTH = 200
"""Rows of each of many series."""
USUAL = (96, 0)
"""Steps that lstmcast reads of hourly series, and as many networks as it thinks right."""
SMALL = 3000
"""Rows of an everyday series at most."""


def cold(folder: Path) -> Figures:
    """Whole processes that load a saved model and forecast one series; all in turn, five times."""
    _monthly(folder / "one.csv")
    failed = _each(
        lambda peer: (
            call(
                peer, "save", "one.csv", f"model-{peer.program}", folder=folder
            ).seconds
        )
    )
    taken: dict[str, list[list[float]]] = {}
    for _ in range(REPEATS):
        for peer in EVERYONE:
            if isinstance(failed[peer.name], str):
                continue
            model = f"model-{peer.program}"
            if peer.requires:
                spent = call(
                    peer, "predict", "one.csv", model, "out.csv", folder=folder
                )
            else:
                spent = spend([*LSTMCAST, "predict", model, "-o", "out.csv"], folder)
            taken.setdefault(peer.name, []).append(
                [spent.seconds, spent.cpu, spent.peak]
            )
    rows: Figures = {name: why for name, why in failed.items() if isinstance(why, str)}
    for name, runs in taken.items():
        rows[name] = dict(
            zip(("seconds", "cpu", "peak"), np.median(runs, 0).tolist(), strict=True)
        )
    return {"rows": rows}


def train(folder: Path) -> Figures:
    """Windows a second of training at one context, horizon and width."""
    rows = _each(
        lambda peer: _median(
            call(peer, "train", 100, 1000, folder=folder), "windows_per_second"
        )
    )
    # The others train in float32: beside them stands what lstmcast does in it.
    own = _last(call(OURS, "train", 100, 1000, "float32", folder=folder))
    rows["lstmcast, float32"] = {
        "windows_per_second": statistics.median(own["windows_per_second"])
    }
    usual = _last(call(OURS, "train", 2, 1000, folder=folder))
    return {"rows": rows, "precision": usual["precision"]}


def learn(folder: Path) -> Figures:
    """Measure the error on M4 Hourly after seconds of training, and of repeating the last day."""
    hourly = _hourly()
    past, future = hourly.load()
    past.to_csv(folder / "past.csv", index=False)

    def measured(peer: Peer, seconds: int, *more: str) -> Figures:
        spent = call(
            peer,
            "learn",
            "past.csv",
            hourly.horizon,
            seconds,
            "made.csv",
            *more,
            folder=folder,
        )
        forecasts = pd.read_csv(folder / "made.csv", parse_dates=["ds"])
        levels = {f"q{10 * level}": forecasts["forecast"] for level in range(1, 10)}
        return _last(spent) | {
            "mase": competition_scores(
                past, future, forecasts.assign(**levels), hourly
            )["mase"]
        }

    rows: Figures = {}
    for seconds in LEARN_FOR:
        rows |= {
            f"{name} {seconds}": one
            for name, one in _each(lambda peer, s=seconds: measured(peer, s)).items()
        }
        rows[f"from scratch {seconds}"] = measured(OURS, seconds, "scratch")
    return {"rows": rows, "seconds": LEARN_FOR}


def memory(folder: Path) -> Figures:
    """Measure the peak of a short fit above imports and data; lstmcast on more than the others."""
    sizes = {"1e6": (1, 1_000_000), "1e7": (1, 10_000_000), "1e5 x 100": (100_000, 100)}
    rows: Figures = {}
    for label, size in sizes.items():
        ours_only = label == "1e7"
        peers = (OURS,) if ours_only else EVERYONE
        found = _each(
            lambda peer, s=size: _last(
                call(peer, "memory", *s, folder=folder, limit=120)
            ),
            peers,
        )
        rows |= {f"{name} | {label}": one for name, one in found.items()}
    for context, horizon in ((168, 96), (672, 24)):
        spent = call(OURS, "memory", 1, 1_000_000, context, horizon, folder=folder)
        rows[f"lstmcast | 1e6, {context}, {horizon}"] = _last(spent)
    return {"rows": rows, "sizes": list(sizes)}


def many(folder: Path) -> Figures:
    """Measure series a second in one forecast of many, by one thread and by two."""
    counts = {
        "lstmcast": 10_000,
        "NeuralForecast LSTM": 10_000,
        "darts BlockRNN": 2000,
        "GluonTS DeepAR": 300,
    }

    def measured(peer: Peer, count: int, *more: object) -> Figures:
        runs = [
            _last(
                call(
                    peer,
                    "many",
                    count,
                    LENGTH,
                    *more,
                    folder=folder,
                    limit=600,
                    threads=n,
                )
            )
            for n in (1, 2)
        ]
        rates = [count / statistics.median(one["seconds"]) for one in runs]
        return runs[0] | {"series": count, "per_second": rates[0], "on_two": rates[1]}

    rows = _each(lambda peer: measured(peer, counts[peer.name]))
    rows["lstmcast, as it comes"] = measured(OURS, 10_000, *USUAL)
    rows["lstmcast, as it comes, 1e5 series"] = measured(OURS, 100_000, *USUAL, 1)
    rows["NeuralForecast LSTM, as it comes"] = _try(
        lambda: measured(PEERS[0], 10_000, "usual")
    )
    return {"rows": rows, "length": LENGTH}


def parallel(folder: Path) -> Figures:
    """Seconds of members and of folds in one and in two processes that have started already."""
    return {
        "rows": {
            what: _last(call(OURS, what, folder=folder, limit=600))
            for what in ("members", "folds")
        }
    }


def growth(folder: Path) -> Figures:
    """Time and memory of fits in which one size at a time is doubled twice."""
    base = {"series": 200, "rows": 1000, "context": 96, "horizon": 24, "width": 64}
    rows: Figures = {}
    for name in ("", *base):
        for times in (2, 4) if name else (1,):
            size = base | ({name: base[name] * times} if name else {})
            rows[f"{name} {times}".strip()] = _last(
                call(OURS, "grow", *size.values(), folder=folder, limit=600)
            )
    return {"rows": rows, "base": base}


def cost(folder: Path) -> Figures:
    """Seconds of `fit` with its defaults on everyday series, two cores."""
    rows: Figures = {}
    for one in EVERYDAY:
        if one.fresh or one.series or len(pd.read_csv(DATA / one.file)) > SMALL:
            continue
        line = [
            "fit",
            str(DATA / one.file),
            "--target",
            one.target,
            "--horizon",
            str(one.horizon),
            "--force",
        ]
        line += [word for name in one.time for word in ("--time", name)]
        line += ["--date-format", one.date_format] if one.date_format else []
        spent = _try(
            lambda line=line: spend(
                [*LSTMCAST, *line, "--out", "run", "-q"], folder, threads=2
            )
        )
        rows[one.name] = (
            spent
            if isinstance(spent, str)
            else {"seconds": spent.seconds, "cpu": spent.cpu}
        )
    return {"rows": rows}


def budget(folder: Path) -> Figures:
    """Seconds of a fit with a time budget: of its training, and of all of it."""
    _hourly().load()[0].to_csv(folder / "past.csv", index=False)
    return {
        "rows": {
            str(budget): _last(call(OURS, "budget", "past.csv", budget, folder=folder))
            for budget in (10, 20)
        }
    }


def step(folder: Path) -> Figures:
    """Measure the parts of a training step, and the encoder's share of the matrix speed."""
    found = _last(call(OURS, "step", folder=folder))
    for precision in ("float32", "bfloat16"):
        one = found[precision]
        one["reached"] = one["encoded"] / one["encoder"] / one["products"]
    return found


SECTIONS: dict[str, Callable[[Path], Figures]] = {
    one.__name__: one
    for one in (cold, train, learn, memory, many, parallel, growth, cost, budget, step)
}
NEEDS_DATA = {"learn", "cost", "budget"}


def _each(work: Callable[[Peer], Any], peers: Sequence[Peer] = EVERYONE) -> Figures:
    """What `work` finds of each, or why it found nothing."""
    found = {}
    for peer in peers:
        found[peer.name] = _try(lambda peer=peer: work(peer))
        print(f"  {peer.name}: {found[peer.name]}", file=sys.stderr, flush=True)
    return found


def _try(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except Lost as lost:
        return str(lost)


def _last(spent: Any) -> Figures:
    """The line of JSON that a program ends with."""
    return json.loads(spent.stdout.strip().splitlines()[-1])


def _median(spent: Any, name: str) -> Figures:
    return {name: statistics.median(_last(spent)[name])}


def _hourly() -> Competition:
    one = SETS["m4_hourly"]
    assert isinstance(one, Competition)
    return one


def _monthly(path: Path) -> None:
    """One series of twelve years, as a file."""
    months, t = pd.date_range("2010-01-01", periods=144, freq="MS"), np.arange(144)
    values = (100 + t) * (
        1 + 0.2 * np.sin(2 * np.pi * t / 12)
    ) + 3 * np.random.default_rng(0).normal(size=144)
    pd.DataFrame(
        {"month": months.strftime("%Y-%m-%d"), "value": values.round(2)}
    ).to_csv(path, index=False)


def machine() -> Figures:
    """What all was measured on."""
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.processor(),
    )
    versions = [_try(peer.version) for peer in EVERYONE if peer.python.exists()]
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "versions": versions,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the requested sections, keep and show them; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.speed", description=__doc__
    )
    parser.add_argument(
        "sections",
        nargs="*",
        metavar="SECTION",
        help=f"of {', '.join(SECTIONS)} (default: all)",
    )
    parsed = parser.parse_args(arguments)
    unknown = set(parsed.sections) - set(SECTIONS)
    if unknown:
        parser.error(
            f"no section {', '.join(sorted(unknown))}; there is {', '.join(SECTIONS)}"
        )
    results: Figures = kept("performance").get("sections", {})
    failed = False
    for name in parsed.sections or SECTIONS:
        if name in NEEDS_DATA and not DATA.is_dir():
            print(
                f"{name}: left out, no benchmark data (set SHARED_DATA to its folder)",
                file=sys.stderr,
            )
            continue
        began = time.perf_counter()
        print(f"{name}:", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory() as folder:
            found = _try(lambda name=name, folder=folder: SECTIONS[name](Path(folder)))
        if isinstance(found, str):
            print(f"{name} failed: {found}", file=sys.stderr)
            failed = True
            continue
        print(
            f"{name}: {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True
        )
        results[name] = found | {
            "source": fingerprint(),
            "on": date.today().isoformat(),
            "machine": machine(),
        }
        keep("performance", {"sections": results})
    print(page(results))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
