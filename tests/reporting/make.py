"""Tables of judged rows as `Detection.rows` has them, by hand and from the rows' own past."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from lstmcast.monitoring.detection import build_judged_rows
from lstmcast.monitoring.evidence.stream import EvidenceStream


def judge_values(
    values: Sequence[float], stamps: Any, rate: float = 0.001
) -> pd.DataFrame:
    """Judge the rows of one series without a network; a day without rows is a gap."""
    stream = EvidenceStream(rate)
    stamps = pd.Series(stamps)
    times = range(len(stamps))
    if pd.api.types.is_datetime64_any_dtype(stamps):
        times = stamps.to_numpy("M8[s]").astype(np.int64).tolist()
    actual = np.array(values, dtype=np.float64)
    judged = [
        stream.judge_row(float(value), float(time))
        for value, time in zip(actual, times, strict=True)
    ]
    return build_judged_rows({"time": stamps}, actual, judged, "event")


def make_panel_table(**series: pd.DataFrame) -> pd.DataFrame:
    """Put tables of single series one below the other, with their names in a column."""
    parts = []
    for name, rows in series.items():
        part = rows.copy()
        part.insert(0, "sensor", name)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def make_table(
    n_rows: int, events: dict[int, tuple[int, str, str]], stamps: Any = None
) -> pd.DataFrame:
    """A table of one series by hand: the value of row t is t modulo 10.

    events: by row, the number of its event, its kind and its reason.
    """
    values = np.arange(n_rows) % 10.0
    table = pd.DataFrame(
        {
            "day": pd.date_range("2026-01-01", periods=n_rows),
            "actual": values,
            "expected": values,
            "low": values - 3,
            "high": values + 3,
            "score": 0.5,
            "anomaly": 0,
            "kind": "",
            "event": pd.array([None] * n_rows, dtype="Int64"),
            "reason": "",
        }
    )
    if stamps is not None:
        table["day"] = stamps
    seen = set()
    for row, (number, kind, reason) in events.items():
        table.loc[row, ["kind", "event", "reason"]] = [kind, number, reason]
        table.loc[row, "score"] = 0.9999
        table.loc[row, "anomaly"] = int(number not in seen)
        seen.add(number)
    return table
