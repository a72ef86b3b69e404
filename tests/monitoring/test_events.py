"""Unusual rows of one number are one event."""

import numpy as np
import pandas as pd

from lstmcast.monitoring.events import find_events


def judged(
    kinds: list[str], events: list[int], values: list[float], **keys: object
) -> pd.DataFrame:
    hours = pd.date_range("2024-01-01", periods=len(kinds), freq="h")
    numbers = np.array(events)
    return pd.DataFrame(
        {
            **keys,
            "t": hours,
            "actual": values,
            "score": np.linspace(0.9, 0.99, len(kinds)),
            "kind": kinds,
            "event": pd.arrays.IntegerArray(numbers, numbers == 0),
            "reason": [f"reason {row}" for row in range(len(kinds))],
        }
    )


def spans(rows: pd.DataFrame) -> list[tuple[int, str, int, int]]:
    events = find_events(rows)
    hours = events["from"].dt.hour
    columns = (events["event"], events["kind"], hours, events["rows"])
    return list(zip(*columns, strict=True))


def test_an_event_reaches_from_its_first_to_its_last_row_and_is_named_by_the_first() -> (
    None
):
    kinds = ["", "point", "", "run", "", "point"]
    rows = judged(kinds, [0, 1, 0, 1, 0, 2], [1, 2, 3, 4, 5, 6])
    assert spans(rows) == [(1, "point", 1, 3), (2, "point", 5, 1)]
    events = find_events(rows)
    assert events["peak"].tolist() == rows["score"][[3, 5]].tolist()
    assert events["reason"].tolist() == ["reason 3", "reason 5"]


def test_a_stuck_value_is_an_event_of_all_its_rows() -> None:
    kinds = ["point", "", "", "", "stuck", "missing", "stuck", "run"]
    values = [9.0, 5, np.nan, 5, 5, np.nan, 5, 8]
    rows = judged(kinds, [1, 0, 0, 0, 2, 0, 2, 2], values)
    assert spans(rows) == [(1, "point", 0, 1), (2, "stuck", 1, 6)]
    assert find_events(rows)["value"].fillna(0).tolist() == [0, 5]


def test_series_have_events_of_their_own_and_none_are_an_empty_table() -> None:
    both = pd.concat(
        [
            judged(["", "run"], [0, 1], [1, 2], shop="a"),
            judged(["gap", ""], [1, 0], [1, 2], shop="b"),
        ]
    )
    found = find_events(both)
    assert found["shop"].tolist() == ["a", "b"]
    assert found["kind"].tolist() == ["run", "gap"]
    names = ["event", "kind", "from", "to", "rows", "peak", "reason", "value"]
    assert list(found) == ["shop", *names]
    assert len(find_events(judged(["", ""], [0, 0], [1, 2]))) == 0
