"""Judged rows as a page shows them: data of the chart inside the page, and a table of events.

Axes: T rows of a series.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from lstmcast.ragged import Bools
from lstmcast.reporting.detection_plot import get_look_name
from lstmcast.reporting.judged_series import (
    JudgedChoice,
    JudgedSeries,
    SeriesEvent,
    describe_choice,
    describe_counts,
    describe_rarity,
)
from lstmcast.reporting.pages.report_chart import encode_chart, round_values
from lstmcast.reporting.thinning import thin_series
from lstmcast.scoring.result_views import count_things

MAX_PAGE_SERIES = 50
"""Series in the chart of a page: those with most events."""
MAX_LISTED_EVENTS = 200
"""Events in the table of a page: the strongest."""
_MAX_ROWS, _MIN_ROWS_EACH = 6_000, 400
"""Rows in the chart of a page, and of each series however many there are."""
_ROWS_BESIDE_EVENTS = (100, 30, 10, 3)
"""Rows before and behind an event that are not thinned: the first of these that have room."""


class ListedEvent(NamedTuple):
    """A row of the table of events: the place of its series, its number, its cells."""

    series: int
    number: int
    cells: list[str]


class ShownDetection(NamedTuple):
    """Judged rows on a page.

    summary: a sentence. chart: JSON for the script of the page. header, events: the table. hidden:
    a sentence on events that are not in it, or "".
    """

    summary: str
    chart: str
    header: list[str]
    events: list[ListedEvent]
    hidden: str


def show_detection(choice: JudgedChoice) -> ShownDetection:
    """Prepare judged series, of `choose_judged_series`, for a page."""
    summary = f"{describe_counts(choice)[:1].upper()}{describe_counts(choice)[1:]}."
    shown = describe_choice(choice)
    if shown:
        summary += f" Shown: {shown}."
    is_panel = choice.n_series > 1
    header = ["event", "kind", "from", "to", "rows", "once in", "reason"]
    events = _list_events(choice.series, is_panel=is_panel)
    n_events = sum(len(series.events) for series in choice.series)
    hidden = ""
    if n_events > len(events):
        weaker = count_things(n_events - len(events), "weaker event")
        hidden = f"And {weaker}."
    return ShownDetection(
        summary=summary,
        chart=encode_chart(make_detection_data(choice)),
        header=["series", *header] if is_panel else header,
        events=events,
        hidden=hidden,
    )


def make_detection_data(choice: JudgedChoice) -> dict[str, Any]:
    """Return the chart as plain values: NaN is None; long series are thinned but for their events.

    series: for each its name, `count` of events in words, `beside` (rows shown beside an event that
    is looked at), `steps` (from one row to the next, in seconds or in the user's unit), the
    `labels` of its rows, `actual`, `expected`, `low`, `high`, `score`, the `reasons` of unusual
    rows, `breaks` (rows that end a gap), and its `events`.
    """
    room = max(_MAX_ROWS // max(len(choice.series), 1), _MIN_ROWS_EACH)
    return {"series": [_encode_series(one, room) for one in choice.series]}


def _encode_series(series: JudgedSeries, room: int) -> dict[str, Any]:
    whole, beside = _choose_whole_rows(series, room // 2)
    n_columns = max((room - int(whole.sum())) // 4, 1)
    drawn = thin_series(series, n_columns, whole) if len(series) > room else series
    at = drawn.coordinates
    steps = np.diff(at, prepend=at[0])
    if drawn.positions == "time":
        steps = steps / 1_000_000  # microseconds
    reasons = {
        str(row): drawn.reason[row] for row in np.flatnonzero(drawn.reason != "")
    }
    return {
        "name": drawn.name,
        "count": count_things(len(drawn.events), "event"),
        "beside": beside,
        "steps": [int(step) if step == int(step) else float(step) for step in steps],
        "labels": drawn.name_stamps(np.arange(len(drawn))),
        "actual": round_values(drawn.actual),
        "expected": round_values(drawn.expected),
        "low": round_values(drawn.low),
        "high": round_values(drawn.high),
        "score": [_round_score(score) for score in drawn.score.tolist()],
        "reasons": reasons,
        "breaks": np.flatnonzero(drawn.kind == "gap").tolist(),
        "events": [_encode_event(drawn, event) for event in drawn.events],
    }


def _choose_whole_rows(series: JudgedSeries, room: int) -> tuple[Bools, int]:
    """Choose rows [T] that are shown as they are: those of events, and some beside each.

    Returns them and how many those beside are: as many as fit.
    """
    whole = np.zeros(len(series), dtype=bool)
    for beside in _ROWS_BESIDE_EVENTS:
        near = np.zeros(len(series), dtype=bool)
        for event in series.events:
            near[max(0, event.first - beside) : event.last + beside + 1] = True
        if near.sum() <= room:
            return near, beside
    return whole, _ROWS_BESIDE_EVENTS[-1]


def _encode_event(series: JudgedSeries, event: SeriesEvent) -> dict[str, Any]:
    places = event.first + np.flatnonzero(
        series.kind[event.first : event.last + 1] == "gap"
    )
    begins = [(series.find_gap_begin(int(place)), int(place)) for place in places]
    return {
        "number": event.number,
        "look": get_look_name(event.kind),
        "reason": event.describe(),
        "value": round_values(np.array([event.value]))[0],
        "first": event.first,
        "opened": event.opened,
        "last": event.last,
        "gaps": [gap for gap in begins if gap[0] is not None],
    }


def _list_events(chosen: list[JudgedSeries], *, is_panel: bool) -> list[ListedEvent]:
    """List the strongest events, by series and in the order of time."""
    found = [
        (event.peak, place, event)
        for place, series in enumerate(chosen)
        for event in series.events
    ]
    strongest = sorted(found, key=lambda one: -one[0])[:MAX_LISTED_EVENTS]
    listed = []
    for _, place, event in sorted(strongest, key=lambda one: (one[1], one[2].number)):
        series = chosen[place]
        cells = [
            f"{event.number}",
            event.kind,
            *series.name_stamps([event.first, event.last]),
            f"{event.rows:,}",
            describe_rarity(event.peak).removeprefix("once in "),
            event.describe(),
        ]
        if is_panel:
            cells.insert(0, series.name)
        listed.append(ListedEvent(place, event.number, cells))
    return listed


def _round_score(score: float) -> float | None:
    """Keep the digits that say how rare a row is: few for ordinary rows."""
    if math.isnan(score):
        return None
    return round(score, 3 if score < 0.99 else 7)
