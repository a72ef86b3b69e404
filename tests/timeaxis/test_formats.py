"""Written dates to instants and back: layouts, their padding, days that do not exist."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmcast.errors import UsageError
from lstmcast.timeaxis.formats import format_timestamps, parse_timestamps
from lstmcast.timeaxis.layouts import DATE_FORMATS, TIMESTAMP_FORMATS, match_formats

CLOCKS = (
    *("", " %H:%M", "T%H:%M:%S", " %H:%M:%S.%f", " %I:%M %p"),
    *("T%H:%M:%SZ", " %H:%M%z", " %H:%M:%S UTC"),
)
LAYOUTS = [
    date + clock
    for date in DATE_FORMATS
    for clock in CLOCKS
    if "%d" in date or not clock
]
LAYOUTS += TIMESTAMP_FORMATS


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_layout_is_known_by_what_it_writes_and_reads_it_back(layout: str) -> None:
    instants = np.array([pd.Timestamp("2023-10-25 13:45:30.125").value // 1000])
    text = format_timestamps(layout, instants)
    candidates = match_formats(text[0])
    assert layout.replace("%-z", "%z") in [
        candidate.replace("%-z", "%z") for candidate in candidates
    ]
    parsed = parse_timestamps(layout, pa.array(text))
    assert parsed.good.all()
    assert format_timestamps(layout, parsed.instants) == text


@given(
    st.dates(),
    st.sampled_from(
        [layout for layout in DATE_FORMATS if "%d" in layout and "%Y" in layout]
    ),
)
def test_every_day_survives_being_written(day: object, layout: str) -> None:
    instants = np.array([np.datetime64(str(day), "us").astype(np.int64)])
    parsed = parse_timestamps(layout, pa.array(format_timestamps(layout, instants)))
    assert parsed.good.all()
    assert parsed.instants == instants


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
    parsed = parse_timestamps(layout, pa.array([text]))
    assert bool(parsed.good[0]) == (day is not None)
    if day:
        assert str(parsed.instants.view("M8[us]")[0])[:10] == day


def test_numbers_without_leading_zeros_are_written_so_again() -> None:
    parsed = parse_timestamps(
        "%d/%m/%y %H:%M", pa.array(["1/7/20 9:05", "12/11/20 10:05"])
    )
    assert format_timestamps(parsed.layout, parsed.instants) == [
        "1/7/20 9:05",
        "12/11/20 10:05",
    ]


def test_an_unknown_directive_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="%J is not known"):
        parse_timestamps("%Y %J", pa.array(["2000 1"]))
    with pytest.raises(UsageError, match="no year"):
        parse_timestamps("%d.%m", pa.array(["01.02"]))


def test_offsets_from_utc_are_read_and_written_as_they_were() -> None:
    texts = ["2024-01-01 00:00+05:30", "2024-01-01 00:00-03:00", "2024-01-01 00:00Z"]
    parsed = parse_timestamps("%Y-%m-%d %H:%M%z", pa.array(texts))
    assert parsed.offsets is not None
    assert parsed.offsets.tolist() == [330, -180, 0]
    hours = (parsed.instants - parsed.universal()) / 3_600_000_000
    assert hours.tolist() == [5.5, -3, 0]
    written = format_timestamps(parsed.layout, parsed.instants, parsed.offsets)
    assert written == [*texts[:2], "2024-01-01 00:00+00:00"]


def test_a_text_that_fits_several_layouts_matches_them_all() -> None:
    assert match_formats("01/02/2024") == ["%d/%m/%Y", "%m/%d/%Y"]
    assert match_formats("3-12") == ["%N-%m"]
    assert match_formats("yesterday") == []
