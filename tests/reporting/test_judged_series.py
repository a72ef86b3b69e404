"""Judged rows by series: their events, their places in time, and which series are shown."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from lstmcast.errors import UsageError
from lstmcast.reporting.judged_series import (
    choose_judged_series,
    describe_choice,
    describe_counts,
    describe_rarity,
)
from lstmcast.timeaxis.timestamp_format import TimestampFormat
from tests.reporting.make import make_panel_table, make_table

POINT = (1, "point", "error, range")


def names(choice: Any) -> list[str]:
    return [series.name for series in choice.series]


def test_an_event_has_its_rows_its_peak_and_what_it_is_stuck_at() -> None:
    events = {3: (1, "point", "error"), 5: (1, "run", "mean"), 8: (2, "stuck", "stuck")}
    rows = make_table(20, events)
    rows.loc[5, "score"] = 0.99999
    [series] = choose_judged_series(rows).series
    first, second = series.events
    assert (first.number, first.first, first.last, first.rows) == (1, 3, 5, 3)
    assert (first.peak, first.reason, first.describe()) == (0.99999, "mean", "mean")
    assert np.isnan(first.value)
    assert (second.value, second.describe()) == (8, "stuck at 8")


def test_series_of_a_panel_are_shown_in_the_order_of_the_file() -> None:
    table = make_panel_table(
        a=make_table(9, {}), b=make_table(9, {5: POINT}), c=make_table(9, {})
    )
    choice = choose_judged_series(table)
    assert names(choice) == ["a", "b", "c"] and describe_choice(choice) == ""
    assert names(choose_judged_series(table, most=1)) == ["b"]
    assert names(choose_judged_series(table, "worst")) == ["b", "a", "c"]
    assert names(choose_judged_series(table, "c,a")) == ["c", "a"]
    some = choose_judged_series(table, "2")
    assert names(some) == ["a", "b"] and describe_choice(some) == "2 of 3 series"
    with pytest.raises(UsageError, match="no series is called 'd'"):
        choose_judged_series(table, "d")


def test_events_and_judged_rows_are_counted_in_all_series() -> None:
    table = make_panel_table(a=make_table(9, {4: POINT}), b=make_table(9, {5: POINT}))
    table.loc[0, "score"] = np.nan
    choice = choose_judged_series(table, "a")
    assert describe_counts(choice) == "2 events in 17 rows judged"
    quiet = choose_judged_series(make_table(9, {}))
    assert describe_counts(quiet) == "no event in 9 rows judged"


@pytest.mark.parametrize(
    ("stamps", "positions"),
    [
        (pd.date_range("2026-01-01", periods=4, freq="h"), "time"),
        (["2026-01-01T00:00+01:00", *(f"2026-01-0{i}T00:00Z" for i in "234")], "time"),
        # The hour that comes twice when the clocks go back.
        (
            pd.date_range("2026-10-25", periods=4, freq="h", tz="Europe/Berlin"),
            "time",
        ),
        ([10, 20, 20, 35], "number"),
        ([3, 2, 1, 0], "row"),
        (["01.02.2026"] * 4, "row"),
        (["2026-01-02", "2026-01-01", "2026-01-03", "2026-01-04"], "row"),
    ],
)
def test_rows_lie_where_their_stamps_are_if_these_can_be_read(
    stamps: Any, positions: str
) -> None:
    [series] = choose_judged_series(make_table(4, {}, stamps)).series
    assert series.positions == positions
    assert (np.diff(series.coordinates) >= 0).all()


def test_the_users_own_form_of_stamps_is_read_where_it_is_known() -> None:
    texts = [f"0{day}.02.2026" for day in range(1, 5)]
    form = TimestampFormat("text", "%d.%m.%Y")
    [series] = choose_judged_series(make_table(4, {}, texts), form=form).series
    assert series.positions == "time"
    assert series.at[3] == np.datetime64("2026-02-04")
    assert series.name_stamps([0, 3]) == ["01.02.2026", "04.02.2026"]
    texts[1] = "99.99.2026"
    [counted] = choose_judged_series(make_table(4, {}, texts), form=form).series
    assert counted.positions == "row" and counted.at.tolist() == [1, 2, 3, 4]


def test_days_are_named_without_their_clock() -> None:
    [series] = choose_judged_series(make_table(3, {})).series
    assert series.name_stamps([2]) == ["2026-01-03"]
    hourly = make_table(3, {}, pd.date_range("2026-01-01", periods=3, freq="h"))
    [series] = choose_judged_series(hourly).series
    assert series.name_stamps([0]) == ["2026-01-01 00:00:00"]


def test_a_shorter_history_keeps_the_events_that_reach_into_it() -> None:
    events = {3: POINT, 8: (2, "run", "mean"), 12: (2, "run", "mean")}
    rows = make_table(20, events)
    [series] = choose_judged_series(rows, n_history=10).series
    assert len(series) == 10 and series.actual[0] == 0
    [event] = series.events
    assert (event.number, event.first, event.last) == (2, 0, 2)


def test_the_begin_of_a_gap_is_the_last_value_before_it() -> None:
    rows = make_table(9, {5: (1, "gap", "gap")})
    rows.loc[3:4, "actual"] = np.nan
    [series] = choose_judged_series(rows).series
    assert series.find_gap_begin(5) == 2
    assert series.find_gap_begin(0) is None


@pytest.mark.parametrize(
    ("score", "words"),
    [
        (0.5, "once in 2 rows"),
        (0.999, "once in 1,000 rows"),
        (0.99987, "once in 7,700 rows"),
        (1.0, "once in over 1,000,000 rows"),
    ],
)
def test_a_score_is_said_as_a_frequency(score: float, words: str) -> None:
    assert describe_rarity(score) == words


def test_a_wide_band_does_not_flatten_the_values() -> None:
    rows = make_table(100, {})
    rows["low"], rows["high"] = -1000.0, 1000.0
    [series] = choose_judged_series(rows).series
    limits = series.find_limits()
    assert limits and -5 < limits[0] < 0 and 9 < limits[1] < 14
    rows["low"] = rows["high"] = np.nan
    [series] = choose_judged_series(rows).series
    limits = series.find_limits()
    assert limits and limits[0] < 0 and limits[1] > 9
    rows["actual"] = np.nan
    assert choose_judged_series(rows).series[0].find_limits() is None
