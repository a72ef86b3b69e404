"""Rows judged online, without a network: `python -m benchmarks.online_detection [GROUP ...]`.

The Numenta Anomaly Benchmark (Lavin & Ahmad 2015) as its public scoreboard has it: every row in
its order, on no grid, and the first 15 % of a file, 750 rows at most, not counted. The constants
were chosen on invented series (`benchmarks.faults`) and on realAWSCloudwatch, not on
realKnownCause. Two detectors of the scoreboard stand beside it: their scores check the scoring.
"""

import argparse
import json
import sys
import time
from typing import Any, NamedTuple

import numpy as np

from benchmarks.detection import (
    Case,
    best,
    measure,
    probation,
    read_scoreboard_case,
    rewards,
    summary,
)
from benchmarks.figures import keep, measured_today
from benchmarks.scoreboard import PUBLISHED, score_as_published
from benchmarks.sets import DATA
from lstmcast.config import DEFAULT_FALSE_ALARM_RATE
from lstmcast.monitoring.evidence.stream import EvidenceStream
from lstmcast.ragged import Bools, Floats

ROWS_PER_WEEK = 2_016
"""Rows of a week of five-minute steps, which most of the files have."""


class Judged(NamedTuple):
    """A file, the evidence of its rows, which of them open an event, and the seconds it took."""

    case: Case
    evidence: Floats
    opens: Bools
    seconds: float


def judge_online(values: Floats) -> tuple[Floats, Bools]:
    """Evidence of each row, 0 where it was not judged, and whether it opens an event, [T] each."""
    stream = EvidenceStream(DEFAULT_FALSE_ALARM_RATE)
    rows = [stream.judge_row(float(value)) for value in values]
    evidence = np.nan_to_num([row.evidence for row in rows])
    return np.asarray(evidence), np.array([row.opens for row in rows])


def count_early(case: Case, alarms: Bools) -> int:
    """Windows with an alarm in their first half."""
    _, owner = rewards(case)
    n_early = 0
    for number, (first, last) in enumerate(case.windows):
        middle = (first + last) // 2
        begin = max(first, probation(case))
        inside = (owner == number) & alarms
        n_early += bool(inside[begin : middle + 1].any())
    return n_early


def evaluate_group(
    group: str, judged: list[Judged], read: list[tuple[Case, Floats]]
) -> dict[str, Any]:
    """A row of figures of a group of files; read: its files with their values."""
    own = summary([measure(one.case, one.opens) for one in judged])
    n_rows = sum(len(one.evidence) for one in judged)
    seconds = sum(one.seconds for one in judged)
    return {
        "group": group,
        "published": {one.name: score_as_published(one, read) for one in PUBLISHED},
        "best": best([(one.case, one.evidence) for one in judged]),
        "own": own["score"],
        "windows": own["windows"],
        "found": own["found"],
        "early": sum(count_early(one.case, one.opens) for one in judged),
        "false_a_week": own["false"] / own["ordinary"] * ROWS_PER_WEEK,
        "rows_a_second": n_rows / seconds,
    }


def kept_table(found: dict[str, Any]) -> str:
    """Rows of Markdown."""
    lines = [
        f"| group | {' | '.join(f'{one.name} (published)' for one in PUBLISHED)} |"
        " best threshold |"
        " own flags | windows found | found in their first half |"
        " false alarms in 2,016 rows | rows a second |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in found["rows"]:
        others = [
            f"{row['published'][one.name]:.1f} ({one.scores.get(row['group'], 0):.1f})"
            for one in PUBLISHED
        ]
        lines.append(
            f"| {row['group']} | {' | '.join(others)} |"
            f" {row['best']:.1f} | {row['own']:.1f} |"
            f" {row['found']} of {row['windows']} | {row['early']} |"
            f" {row['false_a_week']:.2f} | {row['rows_a_second']:,.0f} |"
        )
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Measure, show, and keep the results where that is asked for; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.online_detection", description=__doc__
    )
    parser.add_argument("groups", nargs="*", metavar="GROUP", help="default: all")
    parser.add_argument("--keep", action="store_true", help="keep the results")
    parsed = parser.parse_args(arguments)
    if not (DATA / "nab").is_dir():
        print("no benchmark data: set SHARED_DATA to its folder", file=sys.stderr)
        return 1

    labels_path = DATA / "nab" / "labels" / "combined_windows.json"
    labels = json.loads(labels_path.read_text())
    rows = []
    folders = sorted((DATA / "nab").glob("real*"))
    for folder in folders:
        if parsed.groups and folder.name not in parsed.groups:
            continue
        judged = []
        read = []
        for path in sorted(folder.glob("*.csv")):
            windows = labels[f"{folder.name}/{path.name}"]
            case, values = read_scoreboard_case(path, windows)
            begun = time.process_time()
            evidence, opens = judge_online(values)
            seconds = time.process_time() - begun
            judged.append(Judged(case, evidence, opens, seconds))
            read.append((case, values))
        rows.append(evaluate_group(folder.name, judged, read))

    print(kept_table({"rows": rows}))
    if parsed.keep:
        keep("online_detection", measured_today({"rows": rows}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
