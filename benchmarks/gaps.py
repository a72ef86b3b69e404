"""How real files with missing values are forecast: `python -m benchmarks.gaps [--keep]`.

The network as it ships, nothing trained; fitted once before the last windows of each file.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from benchmarks.figures import keep, measured_today
from benchmarks.sets import DATA
from lstmcast.config import Columns, Config, DataConfig, TrainConfig, WindowConfig
from lstmcast.evaluation.backtest import backtest
from lstmcast.panel.panel import Panel
from lstmcast.tables.read import read_table


class Case(NamedTuple):
    """A file, and how it is asked for."""

    words: str
    file: str
    target: str
    horizon: int
    windows: int
    time: tuple[str, ...] = ()


CASES = (
    Case(
        *("air in Beijing, hourly", "beijing_pm25_split_date_columns.csv", "pm2.5"),
        *(24, 20, ("year", "month", "day", "hour")),
    ),
    Case("CO2, weekly", "co2_weekly_missing.csv", "co2", 8, 6),
    Case("page views (log), daily", "example_wp_log_R.csv", "y", 28, 6),
    Case(
        *("Yosemite's temperature, 5 minutes", "example_yosemite_temps.csv", "y"),
        *(48, 10),
    ),
)


def measure(case: Case) -> dict[str, Any]:
    """Backtest one file."""
    reading = DataConfig()
    table = read_table(DATA / "everyday" / case.file, reading)
    panel = Panel.from_table(table, Columns((case.target,), case.time), reading)
    window = WindowConfig(horizon=case.horizon)
    config = Config(window=window, train=TrainConfig(steps=0))
    result = backtest(panel, config, windows=case.windows, refit=False)
    verdict = result.verdict
    errors = {name: one["mase"] for name, one in verdict.baselines.items()}
    return {
        "case": case.words,
        "steps": len(panel.values),
        "missing": int(np.isnan(panel.values).sum()),
        "windows": case.windows,
        "horizon": case.horizon,
        "mase": verdict.model["mase"],
        "simple": dict(sorted(errors.items(), key=lambda item: item[1])),
        "coverage": verdict.model["coverage"],
    }


def table(found: Mapping[str, Any]) -> str:
    """Rows of Markdown."""
    lines = [
        "| | missing | windows | MASE | best simple method |"
        " inside the 80 % interval |",
        "|---|---|---|---|---|---|",
    ]
    for one in found["cases"]:
        name, error = next(iter(one["simple"].items()))
        windows = f"{one['windows']} of {one['horizon']} steps"
        best = f"{name.replace('_', ' ')} {error:.3f}"
        figures = f"{one['mase']:.3f} | {best} | {one['coverage']:.0%}"
        lines.append(
            f"| {one['case']} | {one['missing']:,} of {one['steps']:,} | {windows} | {figures} |"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, show, and keep what is asked for; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gaps", description=__doc__
    )
    parser.add_argument(
        "--keep", action="store_true", help="keep the results in docs/figures/"
    )
    parsed = parser.parse_args(arguments)
    if not DATA.is_dir():
        print("no benchmark data: set SHARED_DATA to its folder", file=sys.stderr)
        return 1
    found = measured_today({"cases": [measure(case) for case in CASES]})
    print(table(found))
    if parsed.keep:
        keep("gaps", found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
