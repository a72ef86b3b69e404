"""Many files, processes and series: `python -m benchmarks.scale [SECTION ...] [--series N]`.

Generated daily series of 200 points, in Parquet files of 10,000 series, are forecast with the
shipped network by one command; a fit learns from 1e8 rows; one fit is shared by two ranks; fits
learn from a sample of real panels. What was measured is kept in `docs/figures/scale.json`, section
by section.
"""

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import sampled
from benchmarks.figures import keep, kept
from benchmarks.scalepage import PICTURE, page
from benchmarks.sets import ROOT
from benchmarks.speed import machine

Figures = dict[str, Any]
LENGTH, SHARD = 200, 10_000
ROLES = ("--target", "y", "--series", "shop")
FORECAST = ("forecast", "data", *ROLES, "--horizon", "14", "-o", "out/", "-q")
ENGINES = ("loky", "dask", "ray")
_PAUSE = 0.5


class Spent(NamedTuple):
    """A command with its processes: seconds, CPU seconds, peak memory of all and of the largest."""

    seconds: float
    cpu: float
    peak: int
    largest: int


def generate(
    folder: Path, series: int, shard: int = SHARD, length: int = LENGTH
) -> None:
    """Write daily series with a weekly season, a trend and noise, `shard` of them a file."""
    folder.mkdir()
    day = np.arange(length)
    for k in range(-(-series // shard)):
        count = min(shard, series - k * shard)
        rng = np.random.default_rng(k)
        level, season, slope = (
            rng.uniform(low, high, count)[:, None]
            for low, high in ((10, 1e3), (0, 0.5), (-1, 1))
        )
        wave = np.sin(2 * np.pi * (day + rng.integers(7, size=count)[:, None]) / 7)
        y = level * (
            1
            + season * wave
            + slope * day / length / 4
            + 0.1 * rng.normal(size=(count, length))
        )
        codes = np.repeat(np.arange(count, dtype=np.int32), length)
        columns = {
            "shop": pa.DictionaryArray.from_arrays(
                codes, [f"{k}-{i}" for i in range(count)]
            ),
            "day": np.tile(np.datetime64("2024-01-01", "D") + day, count).astype(
                "M8[ms]"
            ),
            "y": y.ravel().astype(np.float32),
        }
        pq.write_table(pa.table(columns), folder / f"{k:05}.parquet")


def spend(line: Sequence[str], folder: Path, limit: float = 5400.0) -> Spent:
    """Run lstmcast to its end; raises RuntimeError where it fails."""
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "ignore",
    }
    began, before = time.perf_counter(), os.times()
    with (folder / "stderr").open("wb") as cried:
        process = subprocess.Popen(
            [sys.executable, "-m", *line],
            cwd=folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=cried,
        )
        watch = _Watch(process.pid)
        watch.start()
        try:
            status = process.wait(limit)
        finally:
            process.kill()
            watch.done.set()
            watch.join()
    seconds, after = time.perf_counter() - began, os.times()
    if status:
        raise RuntimeError(
            f"{' '.join(line)}: exit {status}: {(folder / 'stderr').read_text()[-400:]}"
        )
    cpu = (
        after.children_user
        + after.children_system
        - before.children_user
        - before.children_system
    )
    return Spent(seconds, max(cpu, watch.cpu), watch.peak, watch.largest)


class _Watch(threading.Thread):
    """Looks again and again at a process and all that it started."""

    def __init__(self, root: int) -> None:
        super().__init__(daemon=True)
        self.root, self.done = root, threading.Event()
        self.peak = self.largest = 0
        self.spent: dict[int, float] = {}

    @property
    def cpu(self) -> float:
        """CPU seconds of all processes, as far as they were seen."""
        return sum(self.spent.values())

    def run(self) -> None:
        while not self.done.wait(_PAUSE):
            own = []
            for pid in _family(self.root):
                try:
                    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
                    own.append(
                        next(
                            int(row.split()[1])
                            for row in lines
                            if row.startswith("Pss:")
                        )
                        * 1024
                    )
                    fields = (
                        Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                    )
                except (OSError, StopIteration):
                    continue
                self.spent[pid] = (int(fields[11]) + int(fields[12])) / os.sysconf(
                    "SC_CLK_TCK"
                )
            self.peak = max(self.peak, sum(own))
            self.largest = max([self.largest, *own])


def _family(root: int) -> list[int]:
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            parents.setdefault(parent, []).append(int(entry.name))
    found = [root]
    for pid in found:
        found += parents.get(pid, [])
    return found


def digest(folder: Path) -> str:
    """SHA-256 over all result files, in the order of their names."""
    whole = hashlib.sha256()
    for file in sorted(folder.glob("*.parquet")):
        whole.update(file.name.encode() + hashlib.sha256(file.read_bytes()).digest())
    return whole.hexdigest()


def workers(folder: Path, _: int) -> Figures:
    """Forecasts a second of 20,000 series against the number of workers."""
    generate(folder / "data", 20_000, shard=1_250)
    rows = {}
    for jobs in (1, 2, 4):
        rows[str(jobs)] = spend(
            ["lstmcast", *FORECAST, "-j", str(jobs)], folder
        )._asdict()
        subprocess.run(["rm", "-r", folder / "out"], check=True)
    return {"series": 20_000, "shards": 16, "rows": rows}


def series(folder: Path, most: int) -> Figures:
    """One command over 1e3 to `most` series."""
    rows = {}
    for count in (10**k for k in range(3, 10) if 10**k <= most):
        place = folder / str(count)
        place.mkdir()
        generate(place / "data", count, shard=min(SHARD, count // 2))
        size = sum(file.stat().st_size for file in (place / "data").iterdir())
        spent = spend(["lstmcast", *FORECAST, "-j", "2"], place)
        written = sum(file.stat().st_size for file in (place / "out").iterdir())
        rows[str(count)] = {**spent._asdict(), "read": size, "written": written}
        subprocess.run(["rm", "-r", place], check=True)
    return {"rows": rows}


def engines(folder: Path, most: int) -> Figures:
    """The same forecasts by every engine, on two local workers, and a digest of the bytes."""
    count = most
    generate(folder / "data", count)
    rows = {}
    for backend in ENGINES:
        spent = spend(["lstmcast", *FORECAST, "-j", "2", "--backend", backend], folder)
        rows[backend] = {**spent._asdict(), "sha256": digest(folder / "out")}
        subprocess.run(["rm", "-r", folder / "out"], check=True)
    return {"series": count, "rows": rows}


def rows(folder: Path, _: int) -> Figures:
    """A fit of a folder of 1e8 rows."""
    generate(folder / "data", 500_000)
    size = sum(file.stat().st_size for file in (folder / "data").iterdir())
    spent = spend(
        [
            "lstmcast",
            "fit",
            "data",
            *ROLES,
            "--horizon",
            "14",
            "--out",
            "run",
            "-j",
            "1",
        ],
        folder,
    )
    return {"rows": 500_000 * LENGTH, "read": size, **spent._asdict()}


def ranks(folder: Path, _: int) -> Figures:
    """One fit of 2,000 series by one rank and by two."""
    generate(folder / "data", 2_000, shard=2_000)
    data = str(next((folder / "data").iterdir()))
    found = {}
    for count in (1, 2):
        fit = [
            "lstmcast",
            "fit",
            data,
            *ROLES,
            "--horizon",
            "14",
            "--steps",
            "200",
            "--members",
            "1",
            "-j",
            "1",
        ]
        line = [
            "torch.distributed.run",
            f"--nproc-per-node={count}",
            "-m",
            *fit,
            "--out",
            f"run{count}",
        ]
        found[str(count)] = spend(line, folder)._asdict()
    return {"series": 2_000, "rows": found}


def sample(folder: Path, _: int) -> Figures:
    """The error of what is learnt from fewer and fewer series; one that was cut off goes on."""
    results = _stored()
    found: Figures = (
        results["sample"]
        if results.get("sample", {}).get("unfinished")
        else {"sets": {}}
    )
    for _ in sampled.measured(folder, found["sets"]):
        _store(
            results
            | {
                "sample": found
                | {
                    "unfinished": True,
                    "machine": machine(),
                    "on": date.today().isoformat(),
                }
            }
        )
    return {"sets": found["sets"]}


def _stored() -> Figures:
    return dict(kept("scale").get("sections", {}))


def _store(results: Figures) -> None:
    keep("scale", {"sections": results})


def draw(results: Figures, file: Path) -> None:
    """Draw seconds against series, and the speed-up against workers."""
    from matplotlib.figure import Figure

    picture = Figure(figsize=(9, 3.4), layout="constrained")
    left, right = picture.subplots(1, 2)
    if "series" in results:
        counts = [int(count) for count in results["series"]["rows"]]
        rows = list(results["series"]["rows"].values())
        left.loglog(counts, [one["seconds"] for one in rows], "o-", label="seconds")
        left.loglog(
            counts, [one["peak"] / 1e6 for one in rows], "s--", label="memory, MB"
        )
        left.set(xlabel="series", title="Forecasts of more series, two workers")
        left.legend()
    if "workers" in results:
        jobs = [int(count) for count in results["workers"]["rows"]]
        seconds = [one["seconds"] for one in results["workers"]["rows"].values()]
        right.plot(jobs, [seconds[0] / one for one in seconds], "o-")
        right.plot(jobs, jobs, ":", color="grey")
        right.set(
            xlabel="workers",
            xticks=jobs,
            title="Times as fast as one worker",
            ylim=(0, max(jobs)),
        )
    picture.savefig(file, dpi=110)


SECTIONS = {
    "workers": workers,
    "series": series,
    "engines": engines,
    "rows": rows,
    "sample": sample,
    "ranks": ranks,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the requested sections, keep and show them, and draw; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scale", description=__doc__
    )
    parser.add_argument(
        "sections",
        nargs="*",
        metavar="SECTION",
        help=f"of {', '.join(SECTIONS)} (default: all)",
    )
    parser.add_argument(
        "--series",
        type=int,
        default=1_000_000,
        metavar="N",
        help="the most series (default: 1e6)",
    )
    parser.add_argument(
        "--busy",
        action="store_true",
        help="the machine does other work beside: say so on the page",
    )
    parsed = parser.parse_args(arguments)
    if unknown := set(parsed.sections) - set(SECTIONS):
        parser.error(
            f"no section {', '.join(sorted(unknown))}; there is {', '.join(SECTIONS)}"
        )
    results = _stored()
    for name in parsed.sections or SECTIONS:
        print(f"{name}:", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory() as folder:
            found = SECTIONS[name](Path(folder), parsed.series)
        results[name] = found | {
            "on": date.today().isoformat(),
            "machine": machine(),
            "busy": parsed.busy,
        }
        _store(results)
    print(page(results))
    draw(results, ROOT / "docs" / PICTURE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
