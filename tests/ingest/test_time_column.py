"""Which column is the time, how its stamps are written, and that they go on in the same form."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lstmcast.config import DataConfig
from lstmcast.errors import DataError
from lstmcast.panel.panel import Panel
from lstmcast.tables.read import read_table
from lstmcast.timeaxis.formats import format_timestamps
from lstmcast.timeaxis.zones import (
    COMMON_ZONES,
    is_repeated_time,
    to_local,
    to_microseconds,
)
from tests.make import dated, from_text


@pytest.mark.parametrize(
    ("days", "following"),
    [
        (["1/7/20", "2/7/20", "13/7/20"], "14/7/20"),
        (["31/12/2020", "01/01/2021", "02/01/2021"], "03/01/2021"),
        (["04/30/2021", "04/23/2021", "04/9/2021", "04/16/2021"], "05/7/2021"),
        (["Jan 1 2000", "Feb 1 2000", "Mar 1 2000"], "Apr 1 2000"),
        (["1949-01", "1949-02", "1949-03"], "1949-04"),
        (["20240131", "20240229", "20240331"], "20240430"),
        (
            ["2011-12-31T22:00:00Z", "2011-12-31T22:30:00Z", "2011-12-31T23:00:00Z"],
            "2011-12-31T23:30:00Z",
        ),
        (
            [
                "2020-03-28 23:00+01:00",
                "2020-03-29 00:00+01:00",
                "2020-03-29 01:00+01:00",
            ],
            "2020-03-29 02:00+01:00",
        ),
        (["1-10", "1-11", "1-12"], "2-01"),
        (
            [
                "2020-01-01 00:00:00.000",
                "2020-01-01 00:00:00.500",
                "2020-01-01 00:00:01.000",
            ],
            "2020-01-01 00:00:01.500",
        ),
        (["2019Q3", "2019Q4", "2020Q1"], "2020Q2"),
        (["2020-W52", "2020-W53", "2021-W01"], "2021-W02"),
        (["1700000000", "1700003600", "1700007200"], "1700010800"),
        (["2001", "2002", "2003"], "2004"),
        (["3000-12-30", "3000-12-31", "3001-01-01"], "3001-01-02"),
        (["5", "6", "7"], "8"),
    ],
)
def test_stamps_go_on_in_the_users_own_form(
    tmp_path: Path, days: list[str], following: str
) -> None:
    gaps = "13/7/20" in days
    text = dated(days) if not gaps else dated([f"{i}/7/20" for i in range(1, 14)])
    panel = from_text(tmp_path, text)
    ordinals = panel.start + panel.lengths
    assert panel.axis.texts(ordinals) == [following]
    assert str(panel.axis.stamps(ordinals)[0]) == following
    assert panel.axis.ordinals(following).tolist() == ordinals.tolist()


def test_ambiguous_dates_are_refused_and_settled_by_a_format(
    tmp_path: Path,
) -> None:
    text = dated(["01/02/2020", "02/02/2020", "03/02/2020"])
    with pytest.raises(DataError, match="day and month are ambiguous") as caught:
        from_text(tmp_path, text)
    assert "--date-format %d/%m/%Y" in caught.value.hint
    assert (
        from_text(tmp_path, text, DataConfig(date_format="%d/%m/%Y")).axis.freq == "D"
    )
    assert (
        from_text(tmp_path, text, DataConfig(date_format="%m/%d/%Y")).axis.freq == "MS"
    )


def test_a_date_that_does_not_exist_or_is_written_otherwise_is_refused_with_its_line(
    tmp_path: Path,
) -> None:
    days = ["2023-02-27", "2023-02-28", "2023-02-29", "2023-03-01"]
    with pytest.raises(
        DataError, match=r"data.csv:4: column 'date': '2023-02-29' is not a date"
    ):
        from_text(tmp_path, dated(days))
    mixed = ["2023-02-27", "2023-02-28", "01.03.2023", "2023-03-02"]
    with pytest.raises(
        DataError,
        match=r"data.csv:4: column 'date' mixes date formats: '2023-02-27' and '01.03.2023'",
    ):
        from_text(tmp_path, dated(mixed))
    with pytest.raises(
        DataError, match=r"data.csv:3: column 'date': the time is empty"
    ):
        from_text(tmp_path, dated(["2023-02-27", "", "2023-03-01"]))
    with pytest.raises(DataError, match="column 'date' does not read as time: 'soon'"):
        from_text(tmp_path, dated(["soon", "later", "never"]))


def test_digits_that_are_no_known_date_ask_how_they_are_written(tmp_path: Path) -> None:
    for form in ("%d%m%Y", "%y%m%d"):
        days = list(pd.date_range("2024-01-28", periods=9).strftime(form))
        with pytest.raises(DataError, match=r"data.csv:2: column 'date'") as caught:
            from_text(tmp_path, dated(days[:8]))
        assert "--date-format" in caught.value.hint
        panel = from_text(tmp_path, dated(days[:8]), DataConfig(date_format=form))
        assert panel.axis.texts(panel.start + 8) == [days[8]]


def test_numbers_count_what_the_date_format_says(tmp_path: Path) -> None:
    for unit, texts in {
        "excel": ["1.5", "2.5", "3.5"],
        "s": ["0", "60", "120"],
        "years": ["3000", "3000.5", "3001"],
    }.items():
        panel = from_text(tmp_path, dated(texts), DataConfig(date_format=unit))
        assert panel.axis.form.layout == unit


def test_the_hour_beside_the_day_is_part_of_the_time_and_24_ends_the_day(
    tmp_path: Path,
) -> None:
    text = "date,hour,y\n" + "".join(
        f"2024-02-{28 + i // 24},{i % 24 + 1},{i}\n" for i in range(48)
    )
    for options in ({}, {"time": ["date", "hour"]}):
        panel = from_text(tmp_path, text, **options)
        assert (panel.axis.freq, panel.axis.texts(panel.start + 47)) == (
            "h",
            ["2024-02-29 24"],
        )


def test_several_time_columns_are_listed_and_counts_are_not_among_them(
    tmp_path: Path,
) -> None:
    text = "from,to,y,users\n" + "".join(
        f"2020-01-0{i},2020-01-0{i + 1},{i},{2000 + i}\n" for i in range(1, 6)
    )
    with pytest.raises(
        DataError, match="several columns could be the time: 'from', 'to'"
    ):
        from_text(tmp_path, text)
    assert from_text(tmp_path, text, time=["to"]).axis.name == "to"
    text = "users,y\n2000,1\n2001,2\n2002,3\n"
    panel = from_text(tmp_path, text)
    assert panel.columns.time == ("none",)
    assert "no time column: rows are taken in order" in panel.notes
    assert panel.axis.texts(panel.start + panel.lengths) == ["4"]


def test_a_column_named_as_the_time_is_never_ignored_silently(tmp_path: Path) -> None:
    text = "id,t,y\n" + "".join(f"{key},{i},{i}\n" for key in "ab" for i in range(5))
    with pytest.raises(DataError, match="5 rows repeat a time stamp") as caught:
        from_text(tmp_path, text)
    assert "--series" in caught.value.hint
    for values in ("0.5 1.5 2.5", "1 x 3"):
        with pytest.raises(DataError, match="column 't' does not read as time"):
            from_text(tmp_path, dated(values.split(), "t,y"))
        assert (
            len(from_text(tmp_path, dated(values.split(), "t,y"), time=["none"]).values)
            == 3
        )
    hours = "hour,y\n" + "".join(f"{i % 24},{i}\n" for i in range(50))
    assert from_text(tmp_path, hours).columns.time == ("none",)


def test_time_split_over_columns_is_joined(tmp_path: Path) -> None:
    text = "year,month,day,hour,y\n" + "".join(
        f"2020,1,{9 + i // 24},{i % 24},{i}\n" for i in range(40)
    )
    for panel in (
        from_text(tmp_path, text),
        from_text(tmp_path, text, time=["year", "month", "day", "hour"]),
    ):
        assert panel.axis.freq == "h"
        assert panel.columns.time == ("year", "month", "day", "hour")
        assert panel.axis.texts(panel.start) == ["2020-01-09 00:00"]
    text = "d,clock,y\n" + "".join(f"9.1.2020,{i:02d}:30,{i}\n" for i in range(5))
    panel = from_text(tmp_path, text, time=["d", "clock"])
    assert panel.axis.texts(panel.start + 5) == ["9.1.2020 05:30"]


def test_days_with_summer_and_winter_offsets_are_daily(tmp_path: Path) -> None:
    days = [
        "2020-03-28T00:00:00+01:00",
        "2020-03-29T00:00:00+01:00",
        "2020-03-30T00:00:00+02:00",
    ]
    panel = from_text(tmp_path, dated(days))
    assert panel.axis.freq == "D"
    assert panel.axis.texts(panel.start + 3) == ["2020-03-31T00:00:00+02:00"]
    hours = [
        "2020-03-29T00:00:00+01:00",
        "2020-03-29T01:00:00+01:00",
        "2020-03-29T03:00:00+02:00",
    ]
    panel = from_text(tmp_path, dated(hours))
    assert (panel.axis.freq, panel.lengths.tolist()) == ("h", [3])
    assert panel.axis.texts(panel.start + 3) == ["2020-03-29T04:00:00+02:00"]
    assert any("several time-zone offsets" in note for note in panel.notes)


def test_files_with_other_offsets_lie_on_the_same_axis(tmp_path: Path) -> None:
    winter = from_text(
        tmp_path, dated([f"2020-03-28T0{i}:00:00+01:00" for i in range(5)])
    )
    path = tmp_path / "later.csv"
    path.write_text(dated([f"2020-03-30T0{i}:00:00+02:00" for i in range(5)]))
    summer = Panel.from_table(read_table(path), winter.columns, like=winter)
    assert (summer.start - winter.start).tolist() == [47]
    path.write_text(dated([f"2020-03-30T0{i}:00:00" for i in range(5)]))
    with pytest.raises(DataError, match="have no time zone"):
        Panel.from_table(read_table(path), winter.columns, like=winter)


SHORT = ("s", "10s", "min", "5min", "15min", "30min", "h", "2h", "6h")
MONTHLY = (
    "MS",
    "ME",
    "BMS",
    "BME",
    "2MS",
    "QS",
    "QE",
    "QS-FEB",
    "BQE-DEC",
    "YS",
    "YE",
    "YS-APR",
    "6MS",
)
LONG = (
    "D",
    "2D",
    "10D",
    "B",
    *(f"W-{day}" for day in ("MON", "WED", "SAT", "SUN")),
    "2W-FRI",
    "4W-TUE",
    *MONTHLY,
)
CLOCKS = (
    *(
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%dT%H:%M:%SZ",
        "%Y-%m-%d %H:%M:%S%z",
        "%Y/%m/%d %H:%M:%S",
        "%Y%m%d%H%M%S",
    ),
    *(
        "%d.%m.%Y %H:%M:%S",
        "%d/%m/%Y %H:%M:%S",
        "%m/%d/%Y %H:%M:%S",
        "%b %d, %Y %I:%M:%S %p",
        "%d-%b-%Y %H:%M:%S",
    ),
)
DAYS = (
    *(
        "%Y-%m-%d",
        "%Y/%m/%d",
        "%Y.%m.%d",
        "%Y%m%d",
        "%d.%m.%Y",
        "%d/%m/%Y",
        "%m/%d/%Y",
        "%d-%m-%Y",
    ),
    *(
        "%b %d %Y",
        "%B %d, %Y",
        "%d %b %Y",
        "%d-%b-%Y",
        "%d%b%Y",
        "%a, %d %b %Y",
        "%Y-%m-%d 00:00",
        "%Y-%m-%dT%H:%MZ",
    ),
)
MONTHS = ("%Y-%m", "%Y/%m", "%b %Y", "%B %Y", "%m/%Y", "%YM%m", "%Y%m")
WRITTEN = {
    **dict.fromkeys(SHORT, CLOCKS),
    **dict.fromkeys(LONG, DAYS),
    **dict.fromkeys(("MS", "2MS", "6MS"), DAYS + MONTHS),
    "QS": (*DAYS, *MONTHS, "%YQ%q", "%Y-Q%q", "Q%q %Y"),
    "W-MON": (*DAYS, "%G-W%V", "%GW%V"),
}


@st.composite
def written_axes(draw: st.DrawFn) -> tuple[str, list[str], list[str]]:
    """A frequency, the written times of a series, and those of the three steps after it."""
    freq = draw(st.sampled_from(SHORT + LONG))
    layout = draw(st.sampled_from(WRITTEN[freq]))
    years = (1601, 2070) if layout in ("%Y%m", "%Y%m%d%H%M%S") else (1601, 9800)
    start = draw(
        st.datetimes(pd.Timestamp(years[0], 1, 1), pd.Timestamp(years[1], 12, 31))
    )
    first = pd.Timestamp(start).as_unit("us").floor("s" if freq in SHORT else "D")
    stamps = pd.date_range(
        first, periods=draw(st.integers(15, 40)) + 3, freq=freq, unit="us"
    )
    texts = format_timestamps(layout.replace("00:00", "%H:%M"), to_microseconds(stamps))
    return freq, texts[:-3], texts[-3:]


def of_texts(texts: list[str], seed: int | None = None, **options: Any) -> Panel:
    frame = pd.DataFrame({"date": texts, "y": np.arange(float(len(texts)))})
    shown = frame if seed is None else frame.sample(frac=1, random_state=seed)
    return Panel.from_frame(shown, target="y", **options)


@settings(max_examples=150, deadline=None)
@given(written_axes(), st.integers(0, 99))
def test_times_however_written_lead_to_the_times_that_follow(
    axis: tuple[str, list[str], list[str]], seed: int
) -> None:
    freq, texts, following = axis
    try:
        panel = of_texts(texts)
    except DataError as error:
        assert "day and month are ambiguous" in error.message
        assert any(mark in texts[0] for mark in "/-")
        return
    assert panel.lengths.tolist() == [len(texts)]
    ahead = panel.start + panel.lengths + np.arange(3)
    assert panel.axis.texts(ahead) == following, freq
    assert panel.axis.ordinals(following).tolist() == ahead.tolist()
    assert (
        np.diff(panel.axis.grid.instants(np.r_[panel.start + panel.lengths - 1, ahead]))
        > 0
    ).all()
    shuffled = of_texts(texts, seed)
    assert (shuffled.axis, shuffled.fingerprint()) == (panel.axis, panel.fingerprint())
    assert of_texts(texts, freq=panel.axis.freq).axis == panel.axis


@cache
def changes(zone: str) -> list[int]:
    """Instants, to half a day before, at which the clocks of a zone changed from 1995 to 2035."""
    hours = to_microseconds(pd.date_range("1995-01-01", "2035-01-01", freq="12h"))
    return hours[:-1][np.diff(to_local(hours, zone) - hours) != 0].tolist()


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(
        [(zone, change) for zone in COMMON_ZONES for change in changes(zone)]
    ),
    st.integers(3, 12),
    st.sampled_from(["15min", "30min", "h"]),
    st.sampled_from(["%Y-%m-%d %H:%M", "%d.%m.%Y %H:%M", "%Y-%m-%dT%H:%M:%S%z"]),
)
def test_local_times_are_regular_in_their_zone_whatever_its_clocks_do(
    change: tuple[str, int], before: int, freq: str, layout: str
) -> None:
    zone, instant = change
    first = pd.Timestamp(instant, unit="us") - pd.Timedelta(hours=before)
    utc = to_microseconds(pd.date_range(first, periods=100, freq=freq))
    wall = to_local(utc, zone)
    texts = format_timestamps(layout, wall, (wall - utc) // 60_000_000)
    assume(not is_repeated_time(wall[:1], zone).any())
    panel = of_texts(texts[:97], tz=zone)
    assert panel.lengths.tolist() == [97]
    assert panel.axis.texts(panel.start + 97 + np.arange(3)) == texts[97:]
