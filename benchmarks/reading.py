"""Time and memory of reading files into panels, beside the bare readers of pyarrow and pandas.

    python -m benchmarks.reading --keep

Every figure is a ratio of two measurements in turn in one run, since a machine's own speed and load
cancel out of it.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from benchmarks.figures import keep, measured_today
from lstmcast.config import Columns
from lstmcast.panel.panel import Panel
from lstmcast.tables.read import read_table

ROWS = 10_000_000
STEPS = 100
"""Rows of each of many series."""


PREFACE = """\
# How fast files are read

From a file of {rows:,} rows to a panel that is checked, sorted and regular, measured by `make
bench` in one run on {cores} cores (pyarrow {pyarrow}, pandas {pandas}). Each time is the best of
rounds in which all is measured in turn. Bare is `pyarrow.csv.read_csv` or
`pyarrow.parquet.read_table`: a table, nothing checked. pandas is `read_csv` and `sort_values`, or
`read_parquet`, `sort_values` and an array of each group of `groupby`. Memory is the peak of a
process above its imports, over the bytes of the bare reader's table.

| file | bare | lstmcast | pandas | lstmcast / bare | at most | lstmcast / pandas |\
 memory / table | at most |
|---|---|---|---|---|---|---|---|---|"""


@dataclass(frozen=True)
class Case:
    """A file, its bare reader, what a user of pandas would write, and the columns of the panel."""

    name: str
    file: str
    columns: Columns
    bare: Callable[[Path], pa.Table]
    usual: Callable[[Path], Any]
    times_read: float
    times_bytes: float | None = None


def _read_csv(path: Path) -> pa.Table:
    return pacsv.read_csv(path)


def _read_parquet(path: Path) -> pa.Table:
    return pq.read_table(path)


def _pandas_csv(path: Path) -> Any:
    return pd.read_csv(path, parse_dates=["time"]).sort_values("time")


def _pandas_parquet(path: Path) -> Any:
    frame = pd.read_parquet(path).sort_values(["id", "time"])
    return {key: part["y"].to_numpy() for key, part in frame.groupby("id")}


CASES = (
    Case(
        "one series in a CSV",
        "one.csv",
        Columns(("y",), ("time",)),
        _read_csv,
        _pandas_csv,
        2,
        4,
    ),
    Case(
        f"series of {STEPS} rows in a Parquet file",
        "many.parquet",
        Columns(("y",), ("time",), ("id",)),
        _read_parquet,
        _pandas_parquet,
        3,
    ),
)


def write_files(folder: Path, rows: int) -> None:
    """One series by the minute, and many by the day, of random walks."""
    values = np.round(100 + np.random.default_rng(0).normal(size=rows).cumsum() / 10, 3)
    minutes = np.datetime64("2005-01-01T00:00", "s") + np.arange(rows) * 60
    texts = pc.strftime(pa.array(minutes), "%Y-%m-%d %H:%M:%S")
    pacsv.write_csv(
        pa.table({"time": texts, "y": values}),
        folder / "one.csv",
        pacsv.WriteOptions(quoting_style="none"),
    )
    number = np.arange(rows) // STEPS
    ids = pc.binary_join_element_wise(
        "series", pc.utf8_lpad(pc.cast(pa.array(number), pa.string()), 6, "0"), "_"
    )
    daily = np.datetime64("2020-01-01", "us") + (
        np.arange(rows) % STEPS
    ) * np.timedelta64(1, "D")
    pq.write_table(
        pa.table({"id": ids, "time": daily, "y": values}), folder / "many.parquet"
    )


def to_panel(case: Case, path: Path) -> Panel:
    """What is measured."""
    return Panel.from_table(read_table(path), case.columns)


def seconds(work: Callable[[], object]) -> float:
    """Wall-clock time of one call."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def measured(case: Case, folder: Path, repeats: int) -> dict[str, Any]:
    """The best of `repeats` rounds, in each of which everything is measured in turn."""
    path = folder / case.file
    rounds = []
    for _ in range(repeats):
        bare, ours, usual = (
            seconds(partial(work, path))
            for work in (case.bare, partial(to_panel, case), case.usual)
        )
        rounds.append({"bare": bare, "panel": ours, "pandas": usual})
    best = {name: min(one[name] for one in rounds) for name in rounds[0]}
    ratios = {
        "ratio": best["panel"] / best["bare"],
        "against": best["panel"] / best["pandas"],
    }
    return {
        "case": case.name,
        "limit": case.times_read,
        **best,
        **ratios,
        **_memory(case, path),
    }


def _memory(case: Case, path: Path) -> dict[str, Any]:
    """Return a process' peak memory above its imports, over the bytes of the bare table."""
    line = [
        sys.executable,
        "-m",
        "benchmarks.reading",
        "--peak",
        str(CASES.index(case)),
        str(path),
    ]
    peak = int(subprocess.run(line, check=True, capture_output=True, text=True).stdout)
    size = case.bare(path).nbytes
    return {
        "peak": peak,
        "bytes": size,
        "memory": peak / size,
        "memory_limit": case.times_bytes,
    }


def _show_peak(case: Case, path: Path) -> None:
    pacsv.read_csv(
        pa.BufferReader(b"a\n1\n")
    )  # so that what every use of Arrow takes is there before
    before = _peak()
    panel = to_panel(case, path)
    print(_peak() - before)
    assert len(panel)


def _peak() -> int:
    """Return this process' peak memory in bytes, without its parent's, which `getrusage` counts."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) * 1024


def page(found: dict[str, Any]) -> str:
    """The figures as a page of Markdown."""
    lines = [PREFACE.format(**found)]
    for one in found["cases"]:
        times = " | ".join(f"{one[name]:.2f} s" for name in ("bare", "panel", "pandas"))
        most = f"{one['memory_limit']:g}" if one["memory_limit"] else ""
        memory = f"{one['memory']:.2f} | {most}"
        ratios = f"{one['ratio']:.2f} | {one['limit']:g} | {one['against']:.2f}"
        lines.append(f"| {one['case']} | {times} | {ratios} | {memory} |")
    return "\n".join([*lines, ""])


def main(arguments: list[str] | None = None) -> None:
    """Measure all cases, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument(
        "--peak", nargs=2, metavar=("CASE", "FILE"), help=argparse.SUPPRESS
    )
    given = parser.parse_args(arguments)
    if given.peak:
        _show_peak(CASES[int(given.peak[0])], Path(given.peak[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        write_files(Path(folder), given.rows)
        results = [measured(case, Path(folder), given.repeats) for case in CASES]
    versions = {"pyarrow": pa.__version__, "pandas": pd.__version__}
    found = {"rows": given.rows, "cores": os.cpu_count(), **versions, "cases": results}
    if given.keep:
        keep("reading", measured_today(found))
    print(page(found))


if __name__ == "__main__":
    main()
