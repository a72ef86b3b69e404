"""Anomalies that follow each other, gathered into events: what began when, and ended when.

Axes: K rows of a series.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lstmcast.ragged import Floats

ANOMALY_KINDS = ("point", "run", "stuck")
"""Kinds of a row that is an anomaly; an event is named after the last of these among its rows."""


@dataclass
class _Event:
    """Rows first to last of a series, and their kind."""

    first: int
    last: int
    kind: str


def find_events(rows: pd.DataFrame) -> pd.DataFrame:
    """Gather the anomalies of a table of judged rows that follow each other.

    An event has the columns of its series, `kind`, `from` and `to` (times of its first and its last
    row), `rows`, and `value` where it is stuck at one. A stuck event begins with the first row of
    its value, which could not be called stuck yet. Missing rows do not end an event.
    """
    names = [str(name) for name in rows.columns]
    place = names.index("actual") - 1
    time = names[place]
    keys = names[:place]
    groups = rows.groupby(keys, sort=False) if keys else [((), rows)]

    events = []
    for key, series in groups:
        names_of_series = dict(zip(keys, key, strict=True))
        kinds = series["kind"].tolist()
        stamps = series[time]
        values = series["actual"].to_numpy(np.float64)

        for event in _gather_events(kinds, values):
            is_stuck = event.kind == "stuck"
            events.append(
                {
                    **names_of_series,
                    "kind": event.kind,
                    "from": stamps.iloc[event.first],
                    "to": stamps.iloc[event.last],
                    "rows": event.last - event.first + 1,
                    "value": values[event.last] if is_stuck else np.nan,
                }
            )

    return pd.DataFrame(events, columns=[*keys, "kind", "from", "to", "rows", "value"])


def _gather_events(kinds: list[str], values: Floats) -> list[_Event]:
    """Gather the events of rows of these kinds [K] and values [K]."""
    events: list[_Event] = []
    is_open = False  # whether the next anomaly belongs to the last event

    # The run of equal values that a row is in.
    value = np.nan
    began = 0

    for row, kind in enumerate(kinds):
        is_new_value = not np.isnan(values[row]) and values[row] != value
        if is_new_value:
            value = values[row]
            began = row
            # Another value ends what was stuck at one.
            is_open = is_open and events[-1].kind != "stuck"

        if kind not in ANOMALY_KINDS:
            is_open = is_open and kind == "missing"
            continue

        newest = events[-1] if is_open else None
        is_stuck = kind == "stuck"
        if newest is None or (is_stuck and newest.kind != "stuck"):
            first = began if is_stuck else row
            _cut_before(events, first)
            event = _Event(first, row, kind)
            events.append(event)
            is_open = True
        else:
            newest.last = row
            newest.kind = max(newest.kind, kind, key=ANOMALY_KINDS.index)

    return events


def _cut_before(events: list[_Event], first: int) -> None:
    """End the last event before the row `first`, which begins another.

    What was an anomaly among the rows of a value before it could be called stuck belongs to that.
    """
    if not events:
        return

    newest = events[-1]
    newest.last = min(newest.last, first - 1)
    if newest.last < newest.first:
        events.pop()
