"""Anomalies that follow each other are one event."""

import numpy as np
import pandas as pd

from lstmcast.monitoring.events import find_events


def judged(kinds: list[str], values: list[float], **keys: object) -> pd.DataFrame:
    hours = pd.date_range("2024-01-01", periods=len(kinds), freq="h")
    return pd.DataFrame(
        {**keys, "t": hours, "actual": values, "anomaly": 0, "kind": kinds}
    )


def starts(kinds: list[str], values: list[float]) -> list[tuple[str, int, int]]:
    events = find_events(judged(kinds, values))
    hours = events["from"].dt.hour
    return list(zip(events["kind"], hours, events["rows"], strict=True))


def test_rows_in_a_row_are_one_event_named_by_what_lasts() -> None:
    kinds = ["", "point", "run", "run", "", "point"]
    assert starts(kinds, [1, 2, 3, 4, 5, 6]) == [("run", 1, 3), ("point", 5, 1)]


def test_missing_rows_do_not_end_an_event() -> None:
    kinds = ["run", "missing", "run", "", "missing", "run"]
    values = [1, np.nan, 3, 4, np.nan, 6]
    assert starts(kinds, values) == [("run", 0, 3), ("run", 5, 1)]


def test_a_stuck_value_is_an_event_from_its_first_row_on() -> None:
    kinds = ["point", "point", "", "", "stuck", "stuck", "run"]
    values = [9.0, 5, 5, 5, 5, 5, 8]
    found = [("point", 0, 1), ("stuck", 1, 5), ("run", 6, 1)]
    assert starts(kinds, values) == found
    events = find_events(judged(kinds, values))
    assert events["value"].fillna(0).tolist() == [0, 5, 0]


def test_two_values_that_are_stuck_one_after_the_other_are_two_events() -> None:
    kinds = ["", "stuck", "stuck", "", "stuck"]
    values = [5, 5, 5, 6, 6.0]
    assert starts(kinds, values) == [("stuck", 0, 3), ("stuck", 3, 2)]


def test_series_have_events_of_their_own_and_none_are_an_empty_table() -> None:
    both = pd.concat(
        [
            judged(["", "run"], [1, 2], shop="a"),
            judged(["run", ""], [1, 2], shop="b"),
        ]
    )
    found = find_events(both)
    assert found["shop"].tolist() == ["a", "b"]
    assert list(found) == ["shop", "kind", "from", "to", "rows", "value"]
    assert len(find_events(judged(["", ""], [1, 2]))) == 0
