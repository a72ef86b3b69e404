"""Labelled anomalies, and which detectors find them: `python -m benchmarks.detection [FILE ...]`.

The Numenta Anomaly Benchmark (Lavin & Ahmad 2015), two groups of its files. Each file is split at
15 % of its rows; the detectors know only what is before. A run is learnt there with `--steps 0`:
the network as it ships, nothing trained. Each detector is measured with limits fixed there, and
with limits that go on learning from unlabelled rows as they pass. Constants were chosen on invented
series and on realAWSCloudwatch, none on realKnownCause.
"""

import argparse
import json
import math
import re
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.figures import keep, measured_today
from benchmarks.sets import DATA
from lstmcast import Config, DataError, Forecaster, Panel, TrainConfig
from lstmcast.monitoring.detect import Detector
from lstmcast.monitoring.evidence.rarity import RarityScale
from lstmcast.ragged import Bools, Floats

RATE = 0.001
PROBATION = 0.15
MAX_PROBATION_ROWS = 750
"""The benchmark's own cap: 15 % of 5,000 rows, so that long files are judged early, too."""
FALSE, MISSED = 0.11, 1.0
"""Costs of a false alarm and of a missed window in the benchmark's standard profile; a window found
gives up to 1."""
DETECTORS = ("lstmcast", "seasonal naive", "z-score")
LIMITS = ("fixed", "learning")


@dataclass(frozen=True, eq=False)
class Case:
    """A file: values by step, the step of each row, labelled windows as first and last row."""

    group: str
    name: str
    panel: Panel
    step: NDArray[np.int64]
    windows: tuple[tuple[int, int], ...]


def cases(data: Path, wanted: Sequence[str] = ()) -> list[Case]:
    """The files of the benchmark, or those whose name has one of `wanted` in it."""
    labels = json.loads((data / "nab" / "labels" / "combined_windows.json").read_text())
    found = sorted((data / "nab").glob("real*/*.csv"))
    chosen = [
        path
        for path in found
        if not wanted or any(part in path.name for part in wanted)
    ]
    return [_case(path, labels[f"{path.parent.name}/{path.name}"]) for path in chosen]


def _case(path: Path, labels: Sequence[Sequence[str]]) -> Case:
    frame = pd.read_csv(path)
    roles: dict[str, Any] = {"target": "value", "time": "timestamp"}
    try:
        panel = Panel.from_frame(frame, duplicates="mean", **roles)
    except DataError as error:  # as the program advises
        found = re.search(r"--resample (\S+)", error.hint)
        panel = Panel.from_frame(
            frame, resample=found[1] if found else "5min:mean", **roles
        )
    stamps = pd.to_datetime(frame["timestamp"])
    step = (
        np.array([panel.axis.floor(text) for text in frame["timestamp"]])
        - panel.start[0]
    )
    windows = []
    for first, last in labels:
        inside = np.flatnonzero(
            (stamps >= pd.Timestamp(first)) & (stamps <= pd.Timestamp(last))
        )
        windows.append((int(inside[0]), int(inside[-1])))
    return Case(path.parent.name, path.stem, panel, step, tuple(windows))


def probation(case: Case) -> int:
    """Rows of a file that detectors may learn from, and in which no alarm counts."""
    return min(math.floor(PROBATION * len(case.step)), MAX_PROBATION_ROWS)


class Judged(NamedTuple):
    """What a detector says of the rows of a file: scores, 0 where not judged, and alarms."""

    score: Floats
    alarm: Bools


def judge_by_each(case: Case) -> dict[str, Judged]:
    """Return what each detector with each kind of limit says of the rows of a file."""
    steps = int(case.step[probation(case)])
    past = case.panel.head(np.array([steps]))
    forecaster = Forecaster(Config(train=TrainConfig(steps=0))).fit(past)
    remember(forecaster)
    values = case.panel.series(0)
    season = forecaster.season
    naive = np.r_[np.full(season, np.nan), np.abs(values[season:] - values[:-season])]
    known = values[:steps]
    plain = np.abs(values - np.nanmean(known)) / (np.nanstd(known) or 1.0)
    out = {}
    for kind in LIMITS:
        adapt = kind == "learning"
        rows = Detector(forecaster, rate=RATE, adapt=adapt).judge(case.panel).rows
        score = np.zeros(len(values))
        alarm = np.zeros(len(values), dtype=bool)
        begin = len(values) - len(rows)
        score[begin:] = rows["score"].fillna(0.0)
        alarm[begin:] = rows["anomaly"] == 1
        out[f"lstmcast, {kind}"] = Judged(score[case.step], alarm[case.step])
        for name, errors in (("seasonal naive", naive), ("z-score", plain)):
            excess = divide_by_limits(errors, steps, adapt)[case.step]
            out[f"{name}, {kind}"] = Judged(excess, excess >= 1)
    return out


def remember(forecaster: Forecaster) -> None:
    """Let the same forecasts, asked for again, be the ones that were made."""
    cache: dict[tuple[Any, ...], Floats] = {}
    make = forecaster.quantiles

    def once(
        panel: Panel,
        series: Any,
        origins: Any,
        horizon: int,
        levels: Any,
        **how: Any,
    ) -> Floats:
        key = (horizon, len(panel.values), origins.tobytes())
        if key not in cache:
            cache[key] = make(panel, series, origins, horizon, levels, **how)
        return cache[key]

    forecaster.quantiles = once  # type: ignore[method-assign, assignment]


def divide_by_limits(errors: Floats, steps: int, adapt: bool) -> Floats:
    """Return errors over the limit that is learnt from the first `steps` of them."""
    scale = RarityScale(errors[:steps][~np.isnan(errors[:steps])].tolist())
    out = np.zeros(len(errors))
    for t in range(steps, len(errors)):
        if not np.isnan(errors[t]):
            limit = scale.find_limit(-math.log10(RATE))
            out[t] = errors[t] / limit if limit > 0 else 2.0 * (errors[t] > 0)
            if adapt:
                scale.learn(float(errors[t]))
    return out


def credit(position: float) -> float:
    """Return an alarm's worth by place: -1 is a window's first row, 0 its end, 3 far behind it."""
    return -1.0 if position >= 3 else 2 / (1 + math.exp(5 * position)) - 1


@cache
def rewards(case: Case) -> tuple[Floats, NDArray[np.int64]]:
    """Return each row's worth by the paper's scoring function, and the window it is in, or -1."""
    worth, owner = np.empty(len(case.step)), np.full(len(case.step), -1)
    for number, (first, last) in enumerate(case.windows):
        owner[first : last + 1] = number
    behind: tuple[int, int] | None = None
    for row in range(len(worth)):
        if owner[row] >= 0:
            first, last = case.windows[owner[row]]
            worth[row] = credit(-(last - row + 1) / (last - first + 1)) / credit(-1.0)
            behind = first, last
        elif behind is None:
            worth[row] = -FALSE
        else:
            worth[row] = FALSE * credit((row - behind[1]) / (behind[1] - behind[0]))
    return worth, owner


def measure(case: Case, alarms: Bools) -> dict[str, float]:
    """What the alarms in the rows of one file are worth; those on probation do not count."""
    worth, owner = rewards(case)
    begin = probation(case)
    raw, found = 0.0, 0
    real = [number for number, (_, last) in enumerate(case.windows) if last >= begin]
    for number in real:
        inside = np.flatnonzero((owner == number) & alarms)
        inside = inside[inside >= begin]
        raw += float(worth[inside].max()) if len(inside) else -MISSED
        found += bool(len(inside))
    false = alarms & (owner < 0)
    false[:begin] = False
    raw += float(worth[false].sum())
    begun = int((false & ~np.r_[False, false[:-1]]).sum())
    counts = {
        "windows": len(real),
        "found": found,
        "false": begun,
        "flagged": int(false.sum()),
    }
    return {**counts, "ordinary": int((owner[begin:] < 0).sum()), "raw": raw}


def summary(measured: Sequence[dict[str, float]]) -> dict[str, float]:
    """Return precision, recall, F1 by window, the score, and the share of ordinary rows flagged."""
    total = {name: sum(one[name] for one in measured) for name in measured[0]}
    found, windows = total["found"], total["windows"]
    precision = found / max(found + total["false"], 1)
    recall = found / max(windows, 1)
    return {
        **total,
        "precision": precision,
        "recall": recall,
        "f1": 2 * precision * recall / max(precision + recall, 1e-12),
        "score": 100 * (total["raw"] + MISSED * windows) / ((1 + MISSED) * windows),
        "rate": total["flagged"] / total["ordinary"],
    }


def best(found: Sequence[tuple[Case, Floats]]) -> float:
    """Return the score with the best threshold for all files, as in the benchmark's tables.

    Every score is tried as a threshold, from the highest down: a row that joins the alarms adds its
    cost outside of windows, and inside what it is worth more than the best alarm before it.
    """
    rows: list[tuple[float, float, tuple[int, int] | None]] = []
    for number, (case, values) in enumerate(found):
        worth, owner = rewards(case)
        for row in range(probation(case), len(values)):
            window = (number, int(owner[row])) if owner[row] >= 0 else None
            rows.append((float(values[row]), float(worth[row]), window))
    rows.sort(key=lambda row: -row[0])

    earned = {window: -MISSED for _, _, window in rows if window}
    n_windows = len(earned)
    silent = -MISSED * n_windows
    raw = highest = silent
    for place, (value, worth_of_row, window) in enumerate(rows):
        if window is None:
            raw += worth_of_row
        elif worth_of_row > earned[window]:
            raw += worth_of_row - earned[window]
            earned[window] = worth_of_row
        # Rows of one score become alarms together.
        is_last_of_score = place + 1 == len(rows) or rows[place + 1][0] < value
        if is_last_of_score:
            highest = max(highest, raw)

    return 100 * (highest - silent) / ((1 + MISSED) * max(n_windows, 1))


def read_scoreboard_case(
    path: Path, labels: Sequence[Sequence[str]]
) -> tuple[Case, Floats]:
    """Return a file and its values row by row, as the public scoreboard has them: on no grid."""
    frame = pd.read_csv(path)
    stamps = pd.to_datetime(frame["timestamp"])
    windows = []
    for first, last in labels:
        is_inside = (stamps >= pd.Timestamp(first)) & (stamps <= pd.Timestamp(last))
        inside = np.flatnonzero(is_inside)
        windows.append((int(inside[0]), int(inside[-1])))
    steps = np.arange(len(frame))
    values = frame["value"].to_numpy(dtype=float)
    panel = Panel.from_frame(
        pd.DataFrame({"step": steps, "value": values}), target="value"
    )
    case = Case(path.parent.name, path.stem, panel, steps, tuple(windows))
    return case, values


def evaluate(
    chosen: Sequence[Case], tell: Callable[[str], None]
) -> list[dict[str, Any]]:
    """A row of figures for each group, detector and kind of limit."""
    scored = []
    for case in chosen:
        begun = time.monotonic()
        by_detector = judge_by_each(case)
        scored.append((case, by_detector))
        shown = " ".join(
            f"{name}: {measure(case, judged.alarm)['raw']:+.2f}"
            for name, judged in by_detector.items()
        )
        tell(f"{case.name}: {time.monotonic() - begun:.1f} s, {shown}")
    rows = []
    for group in (*sorted({case.group for case in chosen}), "both"):
        for name in (
            f"{detector}, {kind}" for kind in LIMITS for detector in DETECTORS
        ):
            mine = [
                (case, values[name])
                for case, values in scored
                if group in (case.group, "both")
            ]
            figures = summary([measure(case, judged.alarm) for case, judged in mine])
            highest = best([(case, judged.score) for case, judged in mine])
            rows.append({"group": group, "detector": name, **figures, "best": highest})
    return rows


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Rows of Markdown."""
    lines = [
        "| group | detector, limits | windows found | false alarms | precision | recall | F1 |"
        " ordinary rows flagged |"
        " NAB score | with the best threshold |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        lines.append(
            f"| {row['group']} | {row['detector']} | {row['found']} of {row['windows']} |"
            f" {row['false']} | {row['precision']:.2f} | {row['recall']:.2f} | {row['f1']:.2f} |"
            f" {100 * row['rate']:.2f} % |"
            f" {row['score']:.1f} | {row['best']:.1f} |"
        )
    return "\n".join(lines)


def kept_table(found: dict[str, Any]) -> str:
    """The table from what is kept."""
    return table(found["rows"])


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, show, and write the page where that is asked for; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.detection", description=__doc__
    )
    parser.add_argument(
        "files", nargs="*", metavar="FILE", help="part of a file's name (default: all)"
    )
    parser.add_argument(
        "--keep", action="store_true", help="keep the results in docs/figures/"
    )
    parsed = parser.parse_args(arguments)
    if not (DATA / "nab").is_dir():
        print("no benchmark data: set SHARED_DATA to its folder", file=sys.stderr)
        return 1
    rows = evaluate(
        cases(DATA, parsed.files), lambda line: print(line, file=sys.stderr, flush=True)
    )
    print(table(rows))
    if parsed.keep:
        keep("detection", measured_today({"rows": rows}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
