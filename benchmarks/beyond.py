"""Steps beyond the horizon of a run: `python -m benchmarks.beyond [--keep]`.

Everyday files, the network as it ships, nothing trained. A run for one horizon goes on recursively
to three and to ten horizons; beside it stands a run that was asked for all of these steps at once.
Compared are the errors beyond the first horizon, on the same windows at the end of each file. Then
random walks, whose true interval is known: how wide the interval of the run is beside it.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.figures import keep, measured_today
from benchmarks.sets import DATA, SETS, Everyday
from benchmarks.windows import read_everyday
from lstmcast.config import Config, TrainConfig, WindowConfig
from lstmcast.panel.panel import Panel
from lstmcast.ragged import Floats, Ints
from lstmcast.scoring import metrics
from lstmcast.scoring.verdict import actuals_after_origins
from lstmcast.training.forecaster import Forecaster

FILES = (
    *("air_passengers", "co2_monthly", "sunspots_monthly", "retail_sales"),
    *("melbourne_min_temp", "website_visits_daily", "uk_daily_flights"),
    "wp_log_peyton_manning",
)
TIMES = (3, 10)
WINDOWS = 3
LEVELS = np.arange(1, 10) / 10
WALKS, LENGTH, HORIZON, FAR = 20, 300, 8, 7
"""Random walks, their length, the horizon of the run, and how many horizons are forecast."""
TENTH = 1.2815515655446004
"""Deviations from the middle of a normal distribution to its upper tenth."""


def fit(panel: Panel, horizon: int) -> Forecaster:
    """A run with the network as it ships."""
    window = WindowConfig(horizon=horizon)
    return Forecaster(Config(window=window, train=TrainConfig(steps=0))).fit(panel)


def compare(panel: Panel, horizon: int, times: int) -> dict[str, float] | None:
    """Return errors beyond the horizon over those of a run that was asked for all steps.

    None where the history would be shorter than what is forecast.
    """
    length = int(panel.lengths[0])
    end = length - horizon * (times + WINDOWS - 1)
    if end < 3 * horizon * times:
        return None
    past = panel.head(np.array([end]))
    origins = end - 1 + horizon * np.arange(WINDOWS)
    series = np.zeros_like(origins)
    runs = (fit(past, horizon), fit(past, horizon * times))
    errors = [_errors(run, panel, series, origins, horizon, times) for run in runs]
    return {name: errors[0][name] / errors[1][name] for name in errors[0]}


def _errors(
    run: Forecaster,
    panel: Panel,
    series: Ints,
    origins: Ints,
    horizon: int,
    times: int,
) -> dict[str, float]:
    steps = horizon * times
    actual = actuals_after_origins(panel, series, origins, steps)[:, horizon:]
    quantiles: Floats = run.quantiles(panel, series, origins, steps, LEVELS)
    beyond = quantiles[:, horizon:]
    return {
        "mae": metrics.mae(actual, beyond[..., len(LEVELS) // 2], series),
        "wql": metrics.wql(actual, beyond, LEVELS),
    }


def walks() -> dict[str, float]:
    """Return how wide intervals of random walks are beside the true ones, and their coverage.

    Each walk is a file of its own, and has a run of its own.
    """
    rng = np.random.default_rng(0)
    far = HORIZON * FAR
    days = pd.date_range("2020-01-01", periods=LENGTH + far, freq="D")
    widths, inside = [], []
    for _ in range(WALKS):
        values = rng.normal(size=LENGTH + far).cumsum()
        frame = pd.DataFrame({"day": days, "y": values})
        panel = Panel.from_frame(frame, target="y", time="day")
        run = fit(panel.head(np.array([LENGTH])), HORIZON)
        series, origins = np.array([0]), np.array([LENGTH - 1])
        quantiles = run.quantiles(panel, series, origins, far, LEVELS)[0]
        low, high, actual = quantiles[:, 0], quantiles[:, -1], values[LENGTH:]
        widths.append(high[-1] - low[-1])
        inside.append(((actual >= low) & (actual <= high))[HORIZON:].mean())
    return {
        "walks": WALKS,
        "horizons": FAR,
        "width": float(np.mean(widths) / (2 * TENTH * np.sqrt(far))),
        "coverage": float(np.mean(inside)),
    }


def sentences(found: Mapping[str, Any]) -> str:
    """What was measured, in words."""
    lines = [
        "| forecast | files | MAE beyond the horizon, recursive over direct | quantile loss |"
        " best for it | worst for it |",
        "|---|---|---|---|---|---|",
    ]
    for times, files in found["times"].items():
        mae, wql = (
            float(np.exp(np.mean([np.log(one[name]) for one in files.values()])))
            for name in ("mae", "wql")
        )
        ordered = sorted(files, key=lambda name: files[name]["mae"])
        ends = " | ".join(
            f"{name} {files[name]['mae']:.2f}" for name in (ordered[0], ordered[-1])
        )
        lines.append(
            f"| {times} horizons | {len(files)} | {mae:.2f} | {wql:.2f} | {ends} |"
        )
    of = found["walks"]
    return "\n".join(
        [
            *lines,
            "",
            f"On {of['walks']} random walks, whose true interval is known, the 80 % interval"
            f" {of['horizons']} horizons ahead is {of['width']:.1f} times as wide as the true one;"
            f" {of['coverage']:.0%} of the values beyond the horizon lie inside the intervals.",
        ]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, show, and keep what is asked for; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.beyond", description=__doc__
    )
    parser.add_argument(
        "--keep", action="store_true", help="keep the results in docs/figures/"
    )
    parsed = parser.parse_args(arguments)
    if not DATA.is_dir():
        print("no benchmark data: set SHARED_DATA to its folder", file=sys.stderr)
        return 1
    found: dict[str, Any] = {"times": {}, "walks": walks()}
    for times in TIMES:
        rows = {}
        for name in FILES:
            one = SETS[name]
            assert isinstance(one, Everyday)
            ratios = compare(read_everyday(one), one.horizon, times)
            if ratios:
                rows[name] = ratios
                print(times, name, ratios, file=sys.stderr, flush=True)
        found["times"][str(times)] = rows
    print(sentences(found))
    if parsed.keep:
        keep("beyond", measured_today(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
