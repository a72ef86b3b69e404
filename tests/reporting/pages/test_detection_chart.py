"""Judged rows inside a page: light, whole around events, with a table of the strongest."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lstmcast.reporting.judged_series import choose_judged_series
from lstmcast.reporting.pages import detection_chart
from lstmcast.reporting.pages.detection_chart import (
    MAX_PAGE_SERIES,
    make_detection_data,
    show_detection,
)
from tests.reporting.make import make_panel_table, make_table

POINT = (1, "point", "error, range")


def chart_of(rows: pd.DataFrame) -> Any:
    return make_detection_data(choose_judged_series(rows))


def test_a_row_has_its_stamp_its_values_and_its_reason() -> None:
    rows = make_table(9, {5: POINT})
    rows.loc[2, ["actual", "expected", "low", "high", "score"]] = np.nan
    [series] = chart_of(rows)["series"]
    assert series["labels"][5] == "2026-01-06" and series["steps"] == [0] + 8 * [86400]
    assert series["actual"][:4] == [0, 1, None, 3] and series["low"][2] is None
    assert series["score"][1:3] == [0.5, None] and series["score"][5] == 0.9999
    assert series["reasons"] == {"5": "error, range"}
    [event] = series["events"]
    assert (event["number"], event["look"], event["opened"]) == (1, "value", 5)


def test_gaps_and_stuck_values_are_told_from_other_events() -> None:
    events = {4: (1, "gap", "gap"), 12: (2, "stuck", "stuck")}
    [series] = chart_of(make_table(20, events))["series"]
    gap, stuck = series["events"]
    assert (gap["look"], gap["gaps"], gap["value"]) == ("gap", [(3, 4)], None)
    assert (stuck["look"], stuck["gaps"], stuck["value"]) == ("stuck", [], 2)
    assert series["breaks"] == [4]


def test_a_long_file_is_light_and_whole_around_its_events() -> None:
    n_rows = 80_000  # days that every pandas can count
    rows = make_table(n_rows, {60_000: POINT}, pd.RangeIndex(n_rows))
    rows.loc[30_000, "actual"] = 77
    shown = show_detection(choose_judged_series(rows))
    assert len(shown.chart) < 600_000
    [series] = json.loads(shown.chart)["series"]
    assert 77 in series["actual"]
    [event] = series["events"]
    place = event["opened"]
    beside = series["labels"][place - series["beside"] : place + series["beside"] + 1]
    assert beside == [str(row) for row in range(59_900, 60_101)]


def test_the_table_has_the_strongest_events_in_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(detection_chart, "MAX_LISTED_EVENTS", 2)
    rows = make_table(40, {row: (row, "point", "error") for row in (10, 20, 30)})
    rows.loc[20, "score"] = 0.999
    shown = show_detection(choose_judged_series(rows))
    assert [event.number for event in shown.events] == [10, 30]
    assert shown.hidden == "And 1 weaker event."
    assert dict(zip(shown.header, shown.events[0].cells, strict=True)) == {
        "event": "10",
        "kind": "point",
        "from": "2026-01-11",
        "to": "2026-01-11",
        "rows": "1",
        "once in": "10,000 rows",
        "reason": "error",
    }


def test_a_panel_names_the_series_of_its_events() -> None:
    table = make_panel_table(a=make_table(9, {}), b=make_table(9, {5: POINT}))
    shown = show_detection(choose_judged_series(table, most=MAX_PAGE_SERIES))
    assert shown.header[0] == "series" and shown.events[0].cells[0] == "b"
    assert shown.events[0].series == 1
    assert shown.summary == "1 event in 18 rows judged." and shown.hidden == ""
    some = show_detection(choose_judged_series(table, "b"))
    assert some.summary.endswith("Shown: 1 of 2 series.")
