"""What updates gain on a year of bike rentals, week by week: `python -m benchmarks.updating`.

One network is fitted to the first year. Then, each week of the second year, the days of the week
are forecast from the midnights before them: by the run as it was fitted, which sees the newest rows
all the same; by the run that is updated with each week's rows; and by a run that is fitted from
scratch every four weeks. Nothing was chosen on these weeks. The table is written into docs/howto.md
between its marks.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.covariates import write
from benchmarks.sets import DATA, ROOT
from lstmcast.config import Config, TrainConfig
from lstmcast.forecasting.predictor import Predictor
from lstmcast.monitoring.update import update
from lstmcast.panel.panel import Panel
from lstmcast.scoring.baselines import seasonal_naive_forecast
from lstmcast.scoring.verdict import actuals_after_origins
from lstmcast.training.forecaster import Forecaster

PAGE = ROOT / "docs" / "howto.md"
BEGIN, END = "<!-- benchmarks.updating: begin -->", "<!-- benchmarks.updating: end -->"
FILE = "everyday/bike_sharing_hourly.csv"
DAY, WEEK = 24, 168
FIRST, WEEKS, AGAIN = 52, 52, 4
"""Weeks that are fitted to at first, weeks that follow, and weeks between two fits from scratch."""
QUARTER = 13
LABELS = {
    "seasonal_naive": "repeating the week before",
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
        simple = seasonal_naive_forecast(
            panel.values, panel.offsets, series, origins, DAY, WEEK
        )
        errors["seasonal_naive"].append(_error(simple, actual))
        print(
            week,
            *(f"{name} {row[-1]:.1f}" for name, row in errors.items()),
            file=sys.stderr,
            flush=True,
        )
    return {"errors": errors, "seconds": spent, "kept": n_kept, "weeks": weeks}


def _until(panel: Panel, weeks: int) -> Panel:
    return panel.head(np.array([weeks * WEEK]))


def _error(forecast: np.ndarray, actual: np.ndarray) -> float:
    return float(np.nanmean(np.abs(forecast - actual)))


def table(found: dict[str, Any]) -> str:
    """Rows of Markdown."""
    quarters = -(-found["weeks"] // QUARTER)
    heads = " | ".join(
        f"weeks {q * QUARTER + 1} to {min((q + 1) * QUARTER, found['weeks'])}"
        for q in range(quarters)
    )
    lines = [
        f"| mean absolute error | {heads} | all | CPU seconds |",
        "|---|" + "---|" * (quarters + 2),
    ]
    seconds, count = found["seconds"], found["weeks"] - 1
    spent = {
        "seasonal_naive": "-",
        "fitted": f"{seconds['fit']:.0f}",
        "updated": f"{seconds['updated'] / count:.1f} an update",
        "again": f"{seconds['again'] / (count // AGAIN):.0f} a fit",
    }
    for name, label in LABELS.items():
        row = np.array(found["errors"][name])
        parts = [row[q * QUARTER : (q + 1) * QUARTER].mean() for q in range(quarters)]
        lines.append(
            f"| {label} | {' | '.join(f'{x:.1f}' for x in (*parts, row.mean()))} | {spent[name]} |"
        )
    once, often = (np.array(found["errors"][name]) for name in ("fitted", "updated"))
    better = int((often < once).sum())
    lines += [
        "",
        f"{found['kept']} of {count} updates were kept; {better} of {count} weeks were forecast"
        " better for it.",
    ]
    return "\n".join(lines)


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
        "--results",
        metavar="FILE",
        help="keep what was measured as JSON; taken from there if it is",
    )
    parser.add_argument(
        "--write",
        action="store_true",
        help=f"write the table into {PAGE.relative_to(ROOT)}",
    )
    parsed = parser.parse_args(arguments)
    file = Path(parsed.results) if parsed.results else None
    if file and file.exists():
        found = json.loads(file.read_text(encoding="utf-8"))
    elif not DATA.is_dir():
        print("no benchmark data: set SHARED_DATA to its folder", file=sys.stderr)
        return 1
    else:
        found = story(
            Panel.from_frame(
                pd.read_csv(DATA / FILE), target="users", time="date_time"
            ),
            parsed.weeks,
        )
        if file:
            file.write_text(json.dumps(found), encoding="utf-8")
    print(table(found))
    if parsed.write:
        write(PAGE, table(found), BEGIN, END)
    return 0


if __name__ == "__main__":
    sys.exit(main())
