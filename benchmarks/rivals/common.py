"""What all compared programs share: the data, the clock, the peak of memory.

Needs numpy and pandas only. A program is called as `program ACTION ARGUMENTS...` and ends with one
line of JSON on stdout:

    save FILE MODEL           learn a monthly series a little and keep the model
    predict FILE MODEL OUT    load it, forecast a year, write a CSV; timed from outside
    train SERIES LENGTH       windows a second, five times in a row
    learn FILE HORIZON SECONDS OUT   train so long, then write the forecast of every series of a CSV
    memory SERIES LENGTH      peak of memory of a short fit, above that of the imports and the data
    many SERIES LENGTH        seconds of forecasting that many series at once, HORIZON steps each,
                              five times; with how many networks, that read how many steps
"""

import json
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

CONTEXT, HORIZON, WIDTH, LAYERS = 168, 24, 64, 2
"""Of every network that is compared."""
YEAR, PAST = 12, 36
"""Horizon and context of the monthly series of the cold start."""
FEW = 5
"""Training steps where only what surrounds them is measured."""
REPEATS = 5
Result = dict[str, Any]


def table(series: int, length: int, seed: int = 0) -> pd.DataFrame:
    """Hourly series with a day and a week in them, as one long frame: unique_id, ds, y."""
    rng = np.random.default_rng(seed)
    t = np.arange(length)
    shape = 5 * np.sin(2 * np.pi * t / 24) + 2 * np.sin(2 * np.pi * t / 168)
    values = np.repeat(rng.uniform(20, 200, series), length)
    values *= 1 + np.tile(shape, series) / 20
    values += rng.normal(size=series * length)
    stamps = np.datetime64("2010-01-01T00", "s") + np.arange(length) * np.timedelta64(
        3600, "s"
    )
    names = pd.Categorical.from_codes(
        np.repeat(np.arange(series, dtype=np.int32), length),
        [f"s{i:06d}" for i in range(series)],
    )
    return pd.DataFrame(
        {"unique_id": names, "ds": np.tile(stamps, series), "y": values}
    )


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """The same with names as texts, for programs that take no categories."""
    return frame.assign(unique_id=frame["unique_id"].astype(str))


def monthly(path: str) -> pd.DataFrame:
    """The series of the cold start, as those who know only long frames want it."""
    frame = pd.read_csv(path, parse_dates=["month"])
    return frame.rename(columns={"month": "ds", "value": "y"}).assign(unique_id="one")


def peak() -> int:
    """Most bytes of memory that this process has held."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) * 1024 if found else 0


def resident() -> int:
    """Bytes of memory that this process holds."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) * 1024 if found else 0


def watched(work: Callable[[], object]) -> Result:
    """Peak of memory while `work` is done, what was held before it, and its seconds."""
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    before, began = resident(), time.perf_counter()
    work()
    return {"peak": peak(), "before": before, "seconds": time.perf_counter() - began}


def repeated(work: Callable[[], object], times: int = REPEATS) -> list[float]:
    """Return the seconds of each of some calls, after one that does not count."""
    if times > 1:
        work()
    seconds = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return seconds


class Steps:
    """The moments at which training steps ended."""

    def __init__(self, each: int) -> None:
        self.each = each
        self.moments: list[float] = []

    def note(self) -> None:
        """A step has ended."""
        self.moments.append(time.perf_counter())

    @property
    def wanted(self) -> int:
        """Steps to train: one that warms up, and the measured ones."""
        return 1 + REPEATS * self.each

    def per_second(self, windows: int) -> list[float]:
        """Windows a second in each group of steps, at so many windows a step."""
        ends = self.moments[:: self.each]
        return [
            windows * self.each / (b - a)
            for a, b in zip(ends[:-1], ends[1:], strict=True)
        ]


def lightning_clock(steps: Steps, base: type) -> Any:
    """A callback of Lightning, whichever package it comes from, that notes the steps."""

    def on_train_batch_end(_self: Any, *_: Any, **__: Any) -> None:
        steps.note()

    return type("Clock", (base,), {"on_train_batch_end": on_train_batch_end})()


QUIET = {
    "enable_progress_bar": False,
    "enable_model_summary": False,
    "enable_checkpointing": False,
    "logger": False,
    "accelerator": "cpu",
}
"""Of a Lightning trainer that leaves nothing behind and says nothing."""


def main(**actions: Callable[..., Any]) -> None:
    """Do what the command line says, and print its result."""
    name, *arguments = sys.argv[1:]
    result = actions[name](
        *(int(word) if word.isdigit() else word for word in arguments)
    )
    print(json.dumps(result or {}))
