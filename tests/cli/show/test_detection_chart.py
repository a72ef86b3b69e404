"""Judged rows on a terminal: spikes, events and gaps are seen in any width."""

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lstmcast.cli.show.detection_chart import (
    draw_detection_chart,
    show_detection_charts,
    tabulate_events,
)
from lstmcast.reporting.judged_series import JudgedSeries, choose_judged_series
from tests.reporting.make import make_panel_table, make_table

POINT = (1, "point", "error, range")


def series_of(rows: pd.DataFrame) -> JudgedSeries:
    return choose_judged_series(rows).series[0]


def strip_colours(lines: list[str]) -> list[str]:
    return [re.sub(r"\x1b\[\d+m", "", line) for line in lines]


@pytest.mark.parametrize("columns", [30, 80, 140])
def test_one_spike_of_many_rows_is_seen_in_any_width(columns: int) -> None:
    rows = make_table(20_000, {12_345: POINT}, pd.RangeIndex(20_000))
    rows.loc[12_345, "actual"] = 60
    lines = draw_detection_chart(series_of(rows), columns)
    assert max(map(len, lines)) <= columns
    place = lines[-2].index("^1")
    assert all(lines[row][place] in "▄█" for row in range(1, 9))
    without = draw_detection_chart(series_of(make_table(20_000, {})), columns)
    assert "^" not in "".join(without) and len(without) == len(lines) - 1


def test_stuck_values_and_gaps_have_marks_of_their_own() -> None:
    stamps = pd.date_range("2026-01-01", periods=70).delete(range(20, 30))
    events = {20: (1, "gap", "gap")}
    events |= dict.fromkeys(range(40, 48), (2, "stuck", "stuck"))
    lines = draw_detection_chart(series_of(make_table(60, events, stamps)), 80)
    marks = lines[-2]
    axis = lines[0].index("┤") + 1
    assert re.fullmatch(r" +/{9,11}1 +={6,9}2", marks)
    # Nothing is drawn where there are no rows.
    gap = slice(marks.index("/") + 1, marks.rindex("/"))
    assert not "".join(line[gap] for line in lines[:-2]).strip()
    assert lines[-1][axis:].startswith("2026-01-01") and lines[-1].endswith(
        "2026-03-11"
    )


def test_events_have_colours_and_nothing_else_has_theirs() -> None:
    rows = make_table(60, {30: POINT})
    rows.loc[30, "actual"] = 40
    lines = draw_detection_chart(series_of(rows), 80, coloured=True)
    assert "\x1b[91m^1\x1b[0m" in lines[-2] and "\x1b[91m" in lines[2]
    calm = draw_detection_chart(series_of(make_table(60, {})), 80, coloured=True)
    assert "\x1b[91m" not in "".join(calm)
    assert strip_colours(lines) == draw_detection_chart(series_of(rows), 80)


def test_a_terminal_without_blocks_gets_ascii() -> None:
    lines = draw_detection_chart(series_of(make_table(60, {30: POINT})), 60, plain=True)
    assert "".join(lines).isascii()


def test_numbers_that_would_run_together_are_left_out() -> None:
    events = {row: (row, "point", "error") for row in (30, 32, 50)}
    lines = draw_detection_chart(series_of(make_table(60, events)), 80)
    assert re.fullmatch(r" +\^ \^32 +\^50", lines[-2])


def test_missing_values_alone_are_no_chart_and_one_row_is_one() -> None:
    rows = make_table(5, {})
    assert len(draw_detection_chart(series_of(rows[:1]), 40)) == 13
    rows["actual"] = np.nan
    assert draw_detection_chart(series_of(rows), 40) == []


def test_the_table_of_events_says_when_how_rare_and_why() -> None:
    rows = make_table(60, {30: POINT, 33: (1, "run", "mean")})
    series = series_of(rows)
    cells = {
        column.name: column.cells[0]
        for column in tabulate_events(series, list(series.events))
    }
    assert cells == {
        "event": ["1"],
        "kind": ["point"],
        "from": ["2026-01-31"],
        "to": ["2026-02-03"],
        "rows": ["4"],
        "once in": ["10,000 rows"],
        "reason": ["error, range"],
    }


def test_the_charts_of_a_panel_are_named_and_long_lists_are_cut(
    capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    events = {row: (row, "point", "error") for row in range(100, 112)}
    table = make_panel_table(
        boiler=make_table(200, {}), **{"do\x1bor": make_table(200, events)}
    )
    choice = choose_judged_series(table, most=1)
    show_detection_charts(choice, "celsius")
    shown = capsys.readouterr().err
    assert shown.startswith(
        "celsius: 12 events in 400 rows judged; 1 of 2 series shown\ndo\\x1bor\n"
    )
    assert "and 2 weaker events; --events lists all" in shown
    assert "boiler" not in shown and "\x1b" not in shown
