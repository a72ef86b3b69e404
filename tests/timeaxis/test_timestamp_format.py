"""Written dates to instants and back: layouts, their padding, numbers that are dates, zones."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmcast.errors import DataError, UsageError
from lstmcast.timeaxis.formats import (
    DATE_FORMATS,
    TIMESTAMP_FORMATS,
    format_timestamps,
    match_formats,
    parse_timestamps,
)
from lstmcast.timeaxis.timestamp_format import TimestampFormat, parse_number_column

CLOCKS = (
    "",
    " %H:%M",
    "T%H:%M:%S",
    " %H:%M:%S.%f",
    " %I:%M %p",
    "T%H:%M:%SZ",
    " %H:%M%z",
    " %H:%M:%S UTC",
)


LAYOUTS = [date + clock for date in DATE_FORMATS for clock in CLOCKS if "%d" in date or not clock]
LAYOUTS += TIMESTAMP_FORMATS


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_layout_is_known_by_what_it_writes_and_reads_it_back(layout: str) -> None:
    instants = np.array([pd.Timestamp("2023-10-25 13:45:30.125").value // 1000])
    text = format_timestamps(layout, instants)
    candidates = match_formats(text[0])
    assert layout.replace("%-z", "%z") in [
        candidate.replace("%-z", "%z") for candidate in candidates
    ]
    read = parse_timestamps(layout, pa.array(text))
    assert read.good.all()
    assert format_timestamps(layout, read.instants) == text


@given(
    st.dates(),
    st.sampled_from([layout for layout in DATE_FORMATS if "%d" in layout and "%Y" in layout]),
)
def test_every_day_survives_being_written(day: object, layout: str) -> None:
    instants = np.array([np.datetime64(str(day), "us").astype(np.int64)])
    read = parse_timestamps(layout, pa.array(format_timestamps(layout, instants)))
    assert read.good.all()
    assert read.instants == instants


@pytest.mark.parametrize(
    ("text", "layout", "day"),
    [
        ("2023-02-29", "%Y-%m-%d", None),
        ("30/02/2020", "%d/%m/%Y", None),
        ("2020-13-01", "%Y-%m-%d", None),
        ("2021-W53", "%G-W%V", None),
        ("2020-W53", "%G-W%V", "2020-12-28"),
        ("2000-Q3", "%Y-Q%q", "2000-07-01"),
        ("sept 2000", "%b %Y", None),
        ("SEP 2000", "%b %Y", "2000-09-01"),
        ("1/7/68", "%d/%m/%y", "2068-07-01"),
        ("1/7/69", "%d/%m/%y", "1969-07-01"),
        ("2020-060", "%Y-%j", "2020-02-29"),
        ("2021-366", "%Y-%j", None),
    ],
)
def test_only_days_that_exist_are_read(text: str, layout: str, day: str | None) -> None:
    read = parse_timestamps(layout, pa.array([text]))
    assert bool(read.good[0]) == (day is not None)
    if day:
        assert str(read.instants.view("M8[us]")[0])[:10] == day


def test_numbers_without_leading_zeros_are_written_so_again() -> None:
    read = parse_timestamps("%d/%m/%y %H:%M", pa.array(["1/7/20 9:05", "12/11/20 10:05"]))
    assert format_timestamps(read.layout, read.instants) == ["1/7/20 9:05", "12/11/20 10:05"]


def test_an_unknown_directive_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="%k is not known"):
        parse_timestamps("%Y %k", pa.array(["2000 1"]))
    with pytest.raises(UsageError, match="no year"):
        parse_timestamps("%d.%m", pa.array(["01.02"]))


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
def test_numbers_that_are_dates_are_told_by_their_range_and_written_as_numbers(
    numbers: list[int], name: str, layout: str
) -> None:
    instants, form = parse_number_column(np.array(numbers), name)
    assert (form.kind, form.layout) == ("number", layout)
    assert form.write(instants).tolist() == numbers
    assert form.read(np.array(numbers)).tolist() == instants.tolist()


@pytest.mark.parametrize(
    ("numbers", "name"),
    [([1999, 2000], "t"), ([1, 2], "year"), ([20241301], "x"), ([202413], "x"), ([-5, 3], "t")],
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
