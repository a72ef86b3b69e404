"""What updates gain on a year of bike rentals, week by week: `python -m benchmarks.updating`.

One network is fitted to the first year. Then, each week of the second year, the days of the week
are forecast from the midnights before them: by the run as it was fitted, which sees the newest rows
all the same; by the run that is updated with each week's rows; and by a run that is fitted from
scratch every four weeks. Nothing was chosen on these weeks.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.figures import keep, measured_today
from benchmarks.sets import DATA
from benchmarks.simple import forecasts
from lstmcast.config import Config, TrainConfig
from lstmcast.forecasting.predictor import Predictor
from lstmcast.monitoring.update import update
from lstmcast.panel.panel import Panel
from lstmcast.scoring.verdict import actuals_after_origins
from lstmcast.training.forecaster import Forecaster

FILE = "everyday/bike_sharing_hourly.csv"
DAY, WEEK = 24, 168
FIRST, WEEKS, AGAIN = 52, 52, 4
"""Weeks that are fitted to at first, weeks that follow, and weeks between two fits from scratch."""
QUARTER = 13
LABELS = {
    "fitted": "fitted once, never updated",
    "updated": "**updated each week**",
    "again": f"fitted from scratch every {AGAIN} weeks",
}


def story(panel: Panel, weeks: int = WEEKS, first: int = FIRST) -> dict[str, Any]:
    """Return each way's mean absolute error by week [weeks] and CPU seconds, and updates kept."""
    config = Config(train=TrainConfig(jobs=1))
    begun, spent = time.process_time(), {"fit": 0.0, "updated": 0.0, "again": 0.0}
    fitted: Predictor = Forecaster(config).fit(_until(panel, first))
    spent["fit"] = time.process_time() - begun
    updated = again = fitted
    n_kept, errors = 0, {name: [] for name in LABELS}  # type: ignore[var-annotated]
    for week in range(weeks):
        end = (first + week) * WEEK
        if week:
            begun = time.process_time()
            done = update(updated, _until(panel, first + week))
            spent["updated"] += time.process_time() - begun
            updated, n_kept = done.forecaster, n_kept + bool(done.kept)
        if week and week % AGAIN == 0:
            begun = time.process_time()
            again = Forecaster(config).fit(_until(panel, first + week))
            spent["again"] += time.process_time() - begun
        origins = np.arange(end - 1, end - 1 + WEEK, DAY)
        series, actual = (
            np.zeros_like(origins),
            actuals_after_origins(panel, np.zeros_like(origins), origins, DAY),
        )
        for name, run in (("fitted", fitted), ("updated", updated), ("again", again)):
            errors[name].append(
                _error(
                    run.quantiles(panel, series, origins, levels=(0.5,))[..., 0], actual
                )
            )
        for name, error in simple_errors(panel, first + week).items():
            errors.setdefault(name, []).append(error)
        print(
            week,
            *(f"{name} {row[-1]:.1f}" for name, row in errors.items()),
            file=sys.stderr,
            flush=True,
        )
    return {"errors": errors, "seconds": spent, "kept": n_kept, "weeks": weeks}


def simple_errors(panel: Panel, week: int) -> dict[str, float]:
    """Return the errors of the simple methods on the days of a week."""
    end = week * WEEK
    origins = np.arange(end - 1, end - 1 + WEEK, DAY)
    series = np.zeros_like(origins)
    actual = actuals_after_origins(panel, series, origins, DAY)
    where = (panel.values, panel.offsets, series, origins, DAY)
    return {
        name: _error(forecast, actual)
        for name, forecast in forecasts(*where, (DAY, WEEK))
    }


def _until(panel: Panel, weeks: int) -> Panel:
    return panel.head(np.array([weeks * WEEK]))


def _error(forecast: np.ndarray, actual: np.ndarray) -> float:
    return float(np.nanmean(np.abs(forecast - actual)))


def summary(found: dict[str, Any]) -> dict[str, Any]:
    """Return mean errors of quarters and of all weeks, and how often updates were better."""
    errors = {name: np.array(row) for name, row in found["errors"].items()}
    quarters = range(0, found["weeks"], QUARTER)
    rows = {
        name: {
            "quarters": [float(row[q : q + QUARTER].mean()) for q in quarters],
            "all": float(row.mean()),
        }
        for name, row in errors.items()
    }
    seconds, count = found["seconds"], found["weeks"] - 1
    spent = {
        "fit": seconds["fit"],
        "each_update": seconds["updated"] / count,
        "each_fit": seconds["again"] / (count // AGAIN),
    }
    better = int((errors["updated"] < errors["fitted"]).sum())
    counts = {"weeks": found["weeks"], "kept": found["kept"], "better": better}
    return {**counts, "rows": rows, "seconds": spent}


def table(found: dict[str, Any]) -> str:
    """Rows of Markdown, and what they say."""
    starts = range(1, found["weeks"] + 1, QUARTER)
    heads = " | ".join(
        f"weeks {first} to {min(first + QUARTER - 1, found['weeks'])}"
        for first in starts
    )
    lines = [
        f"| mean absolute error | {heads} | all | CPU seconds |",
        "|---|" + "---|" * (len(starts) + 2),
    ]
    seconds, count, rows = found["seconds"], found["weeks"] - 1, found["rows"]
    spent = {
        "fitted": f"{seconds['fit']:.0f}",
        "updated": f"{seconds['each_update']:.1f} an update",
        "again": f"{seconds['each_fit']:.0f} a fit",
    }
    simple = min(rows.keys() - LABELS.keys(), key=lambda name: rows[name]["all"])
    for name, label in {simple: f"best simple method: {simple}", **LABELS}.items():
        row = rows[name]
        parts = " | ".join(f"{x:.1f}" for x in (*row["quarters"], row["all"]))
        lines.append(f"| {label} | {parts} | {spent.get(name, '-')} |")
    once = rows["fitted"]["all"]
    less = {name: 1 - rows[name]["all"] / once for name in ("updated", "again")}
    return "\n".join(
        [
            *lines,
            "",
            f"{found['kept']} of {count} updates were kept; {found['better']} of {count} weeks"
            f" were forecast better for it. Updates changed the error by"
            f" {-100 * less['updated']:+.0f} %,"
            f" fits from scratch by {-100 * less['again']:+.0f} %.",
        ]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, show, and write the page where that is asked for; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.updating", description=__doc__
    )
    parser.add_argument(
        "--weeks",
        type=int,
        default=WEEKS,
        help=f"weeks to go on for (default: {WEEKS})",
    )
    parser.add_argument(
        "--keep", action="store_true", help="keep the results in docs/figures/"
    )
    parsed = parser.parse_args(arguments)
    if not DATA.is_dir():
        print("no benchmark data: set SHARED_DATA to its folder", file=sys.stderr)
        return 1
    frame = pd.read_csv(DATA / FILE)
    panel = Panel.from_frame(frame, target="users", time="date_time")
    told = story(panel, parsed.weeks)
    found = summary(told) | {"errors": told["errors"]}
    if parsed.keep:
        keep("updating", measured_today(found))
    print(table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
