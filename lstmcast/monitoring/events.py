"""Unusual rows gathered into events: what began when, ended when, and why.

Axes: K rows of a series.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

KINDS = ("point", "run", "gap", "stuck")
"""Kinds of a row in an event. An event is named after its first row, or stuck if any is."""
COLUMNS = ("event", "kind", "from", "to", "rows", "peak", "reason", "value")
"""Columns of the table of events, beside those of the series."""


def find_events(rows: pd.DataFrame) -> pd.DataFrame:
    """Gather the events of a table of judged rows.

    An event has the columns of its series, `event` (its number), `kind` (of its first row, or
    stuck), `from` and `to` (times of its first and its last unusual row), `rows` (all from the one
    to the other), `peak` (its largest score), `reason` (of the row of the peak), and `value` where
    it is stuck at one. A stuck event has the rows of that value alone, also the first ones, which
    could not be called stuck yet.
    """
    keys, time = find_stamp_columns(rows)
    events = []
    for key, series in split_by_series(rows):
        names_of_series = dict(zip(keys, key, strict=True))
        for event in _gather_events(series.reset_index(drop=True), time):
            events.append({**names_of_series, **event})
    return pd.DataFrame(events, columns=[*keys, *COLUMNS])


def find_stamp_columns(rows: pd.DataFrame) -> tuple[list[str], str]:
    """Names of the series columns of a table of judged rows, and of the time column behind them."""
    names = [str(name) for name in rows.columns]
    place = names.index("actual") - 1
    return names[:place], names[place]


def split_by_series(
    rows: pd.DataFrame,
) -> Iterator[tuple[tuple[Any, ...], pd.DataFrame]]:
    """Yield the key of each series, () of a single one, and its rows, in the order of the table."""
    keys, _ = find_stamp_columns(rows)
    if keys:
        yield from rows.groupby(keys, sort=False)
    else:
        yield (), rows


def count_events(rows: pd.DataFrame) -> int:
    """How many events a table of judged rows has, which is found sooner than what they are."""
    keys, _ = find_stamp_columns(rows)
    is_unusual = rows["event"].notna()
    return len(rows.loc[is_unusual, [*keys, "event"]].drop_duplicates())


def _gather_events(rows: pd.DataFrame, time: str) -> list[dict[str, Any]]:
    """Gather the events of the rows of one series."""
    numbers = rows["event"].fillna(0).to_numpy(np.int64)
    values = rows["actual"].to_numpy(np.float64)
    kinds = rows["kind"].tolist()
    scores = rows["score"].to_numpy(np.float64)

    events = []
    for number in np.unique(numbers[numbers > 0]).tolist():
        places = np.flatnonzero(numbers == number)
        stuck = np.array([place for place in places if kinds[place] == "stuck"])
        first, last = int(places[0]), int(places[-1])
        kind = kinds[first]
        stuck_at = np.nan
        if len(stuck):
            kind, places = "stuck", stuck
            first = _find_run_start(values, int(stuck[0]))
            last = int(stuck[-1])
            stuck_at = values[last]
        peak = int(places[np.argmax(scores[places])])
        events.append(
            {
                "event": number,
                "kind": kind,
                "from": rows[time].iloc[first],
                "to": rows[time].iloc[last],
                "rows": last - first + 1,
                "peak": scores[peak],
                "reason": rows["reason"].iloc[peak],
                "value": stuck_at,
            }
        )
    return events


def _find_run_start(values: np.ndarray, row: int) -> int:
    """First row of the run of equal values that a row is in; missing rows do not end a run."""
    start = row
    for place in range(row - 1, -1, -1):
        if np.isnan(values[place]):
            continue
        if values[place] != values[row]:
            break
        start = place
    return start
