"""The table of judged rows, its figures, and its words."""

import math

import numpy as np
import pandas as pd

from lstmcast import Detection
from lstmcast.monitoring.detection import build_judged_rows, describe_figures
from lstmcast.monitoring.evidence.stream import JudgedRow, make_unjudged_row
from lstmcast.monitoring.rates import Alarm


def row(event: int, kind: str = "", *reasons: str, opens: bool = False) -> JudgedRow:
    return JudgedRow(0.9, 1.0, 5.0, 4.0, 6.0, event, opens, reasons, kind, False)


ROWS = [
    make_unjudged_row("warm-up"),
    row(0),
    row(1, "value", "range", "error", opens=True),
    row(1, "value", "spread"),
    row(2, "stuck", "stuck", opens=True),
    row(3, "gap", "gap", opens=True),
]


def table(alarm: Alarm) -> pd.DataFrame:
    stamps = np.arange(len(ROWS))
    return build_judged_rows({"t": stamps}, np.full(len(ROWS), 7.0), ROWS, alarm)


def test_kinds_reasons_and_numbers_are_those_of_the_rows() -> None:
    rows = table("event")
    kinds = ["warm-up", "", "point", "run", "stuck", "gap"]
    assert rows["kind"].tolist() == kinds
    assert rows["reason"].tolist()[2] == "range, error"
    assert rows["event"].fillna(0).tolist() == [0, 0, 1, 1, 2, 3]
    assert math.isnan(rows["score"][0]) and rows["score"][1] == 0.9
    assert rows["actual"].tolist() == [7.0] * len(ROWS)


def test_a_row_is_flagged_where_it_opens_an_event_or_belongs_to_one() -> None:
    assert table("event")["anomaly"].tolist() == [0, 0, 1, 0, 1, 1]
    assert table("row")["anomaly"].tolist() == [0, 0, 1, 1, 1, 1]


def test_figures_count_events_and_rows_of_each_kind() -> None:
    figures = Detection(table("event")).figures
    counts = {"points": 1, "runs": 1, "stuck": 1, "gaps": 1}
    totals = {"anomalies": 3, "events": 3, "judged": 5, "share": 0.6}
    assert figures == {**counts, **totals}
    kinds = "1 single, 1 in runs, 1 stuck, 1 after gaps"
    words = f"3 events in 5 rows judged, with unusual rows: {kinds}"
    assert describe_figures(figures) == words
    assert describe_figures({"events": 0, "judged": 12}) == "no event in 12 rows judged"
