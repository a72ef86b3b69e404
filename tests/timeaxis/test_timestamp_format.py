"""Forms of stamps: numbers that are dates, days and hours of a zone, plain steps."""

import numpy as np
import pandas as pd
import pytest

from lstmcast.errors import DataError
from lstmcast.timeaxis.calendar_fields import DAY, SECOND
from lstmcast.timeaxis.timestamp_format import TimestampFormat, parse_number_column


@pytest.mark.parametrize(
    ("numbers", "name", "layout"),
    [
        ([20240101, 20240102], "date", "%Y%m%d"),
        ([202401, 202402], "month", "%Y%m"),
        ([1999, 2000], "year", "%Y"),
        ([1700000000, 1700003600], "time", "s"),
        ([1700000000000, 1700003600000], "time", "ms"),
        ([1700000000000000], "time", "us"),
        ([1700000000000000000], "time", "ns"),
    ],
)
def test_numbers_that_are_dates_are_known_by_their_range_and_written_as_numbers(
    numbers: list[int], name: str, layout: str
) -> None:
    instants, form = parse_number_column(np.array(numbers), name)
    assert (form.kind, form.layout) == ("number", layout)
    assert form.write(instants).tolist() == numbers
    assert form.read(np.array(numbers)).tolist() == instants.tolist()


@pytest.mark.parametrize(
    ("numbers", "name"),
    [
        ([1999, 2000], "t"),
        ([1, 2], "year"),
        ([20241301], "x"),
        ([202454], "x"),
        ([-5, 3], "t"),
    ],
)
def test_other_numbers_are_plain_steps(numbers: list[int], name: str) -> None:
    instants, form = parse_number_column(np.array(numbers), name)
    assert form.kind == "step"
    assert instants.tolist() == numbers


def test_days_of_a_zone_follow_the_wall_clock_over_the_change_to_summer_time() -> None:
    stamps = pd.date_range("2024-03-29", periods=4, tz="Europe/Berlin")
    form = TimestampFormat("datetime", "us", "Europe/Berlin", wall=True)
    instants = form.read(stamps)
    assert set(np.diff(instants)) == {86_400_000_000}
    assert list(form.write(instants)) == list(stamps)


def test_hours_of_a_zone_count_in_utc_over_the_change_to_summer_time() -> None:
    stamps = pd.date_range("2024-03-30 22:00", periods=6, freq="h", tz="Europe/Berlin")
    form = TimestampFormat("datetime", "us", "Europe/Berlin", wall=False)
    instants = form.read(stamps)
    assert set(np.diff(instants)) == {3_600_000_000}
    assert list(form.write(instants)) == list(stamps)
    naive = form.read(pd.DatetimeIndex(["2024-03-30 22:00"]))
    assert naive[0] == instants[0]


def test_a_step_is_read_from_text_and_nothing_else_is() -> None:
    assert TimestampFormat("step").read(["5", "7"]).tolist() == [5, 7]
    with pytest.raises(DataError, match="not a whole number"):
        TimestampFormat("step").read("May")
    with pytest.raises(DataError, match="not a whole number"):
        TimestampFormat("step").read([1.5])


def test_a_clock_of_a_zone_that_would_pass_the_year_9999_is_an_error() -> None:
    form = TimestampFormat("datetime", zone="Asia/Tokyo", wall=False)
    last_hour = np.array([253_402_300_799 * SECOND], dtype=np.int64)
    with pytest.raises(DataError, match="reach beyond the years 1 to 9999"):
        form.local(last_hour)
    earlier = last_hour - 3 * DAY
    assert form.local(earlier) == earlier + 9 * 3600 * SECOND
