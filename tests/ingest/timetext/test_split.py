"""Stamps in several columns: parts of a date, days and clocks, and which columns they are."""

import numpy as np
import pandas as pd
import pytest

from lstmcast.config import DataConfig
from lstmcast.errors import DataError
from lstmcast.ingest.timetext.split import find_date_parts, read_split_timestamps
from lstmcast.tables.table import Table
from lstmcast.timeaxis.zones import to_microseconds


def test_parts_of_a_date_are_put_in_order_and_unknown_ones_are_none() -> None:
    assert find_date_parts(["month", "year"]) == {"year": "Y", "month": "m"}
    assert find_date_parts(["year", "price"]) == {}
    assert find_date_parts(["month", "day"]) == {}
    frame = pd.DataFrame({"day": [30, 31], "month": [1, 1], "year": [2024, 2024]})
    names = ("day", "month", "year")
    column = read_split_timestamps(Table(frame, "frame"), names, DataConfig(), None)
    assert column.form.texts(column.instants) == ["2024-01-30", "2024-01-31"]


def test_a_part_that_makes_no_date_is_refused() -> None:
    frame = pd.DataFrame({"year": [2023, 2023], "month": [2, 2], "day": [28, 29]})
    with pytest.raises(DataError, match="'2023 2 29' is not a date"):
        read_split_timestamps(
            Table(frame, "f"), ("year", "month", "day"), DataConfig(), None
        )


def calendar_weeks(weekday: int, first: str, count: int) -> pd.DataFrame:
    """Weeks of ISO beside the years of the calendar, both of one weekday of each week."""
    days = pd.date_range(first, periods=count, freq="7D") + pd.Timedelta(weekday, "D")
    weeks = days.isocalendar()["week"].to_numpy(np.int64)
    return pd.DataFrame({"year": days.year, "week": weeks, "day": days})


@pytest.mark.parametrize("weekday", [0, 6])
@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("copies", [1, 3])
@pytest.mark.parametrize("count", [104, 105, 260])
def test_a_year_of_the_calendar_beside_a_week_of_iso_is_corrected_and_said(
    weekday: int, newest_first: bool, copies: int, count: int
) -> None:
    frame = calendar_weeks(weekday, "2018-01-01", count)
    if newest_first:
        frame = frame[::-1]
    frame = frame.loc[frame.index.repeat(copies)].reset_index(drop=True)
    column = read_split_timestamps(
        Table(frame, "f"), ("year", "week"), DataConfig(), None
    )
    mondays = frame["day"] - pd.Timedelta(weekday, "D")
    assert (
        column.instants.tolist() == to_microseconds(pd.DatetimeIndex(mondays)).tolist()
    )
    years = pd.DatetimeIndex(mondays).isocalendar()["year"].to_numpy(np.int64)
    is_said = any("of the year beside the one that is given" in n for n in column.notes)
    assert is_said == bool((years != frame["year"]).any())


def test_years_of_iso_stay_also_where_one_series_ends_and_the_next_begins() -> None:
    days = pd.date_range("2018-01-01", "2020-12-21", freq="7D")
    iso = days.isocalendar().reset_index(drop=True).astype(np.int64)
    frame = pd.concat([iso, iso], ignore_index=True)
    column = read_split_timestamps(
        Table(frame, "f"), ("year", "week"), DataConfig(), None
    )
    assert column.instants.tolist() == 2 * to_microseconds(days).tolist()
    assert not any("beside the one" in note for note in column.notes)
