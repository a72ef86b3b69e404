"""The time axis: frequency and seasons from stamps, the next stamps, calendar features."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmcast.config import DataConfig
from lstmcast.errors import DataError, UsageError
from lstmcast.ragged import Ints
from lstmcast.timeaxis.axis import CALENDAR_CYCLES, TimeAxis
from lstmcast.timeaxis.place import infer_axis
from lstmcast.timeaxis.timestamp_format import TimestampFormat
from lstmcast.timeaxis.zones import to_microseconds


def axis_of(
    stamps: pd.DatetimeIndex, freq: str | None = None, codes: Ints | None = None
) -> TimeAxis:
    codes = np.zeros(len(stamps), np.int64) if codes is None else codes
    return infer_axis(
        to_microseconds(stamps),
        codes,
        TimestampFormat("datetime", "us"),
        "ds",
        DataConfig(freq=freq),
    )[0]


FREQUENCIES = [
    ("s", "s", 60, 3600, 60),
    ("min", "min", 1440, 10080, 60),
    ("5min", "5min", 288, 2016, 288),
    ("30min", "30min", 48, 336, 48),
    ("h", "h", 24, 168, 24),
    ("6h", "6h", 4, 28, 4),
    ("D", "D", 7, 365, 14),
    ("2D", "2D", 1, 0, 1),
    ("B", "B", 5, 260, 5),
    ("W-SUN", "W-SUN", 1, 52, 8),
    ("W-WED", "W-WED", 1, 52, 8),
    ("MS", "MS", 12, 0, 12),
    ("ME", "ME", 12, 0, 12),
    ("2MS", "2MS", 6, 0, 6),
    ("QS", "QS", 4, 0, 4),
    ("QE", "QE", 4, 0, 4),
    ("QS-FEB", "QS-FEB", 4, 0, 4),
    ("YS", "YS", 1, 0, 4),
    ("YE", "YE", 1, 0, 4),
    ("YS-APR", "YS-APR", 1, 0, 4),
    ("BME", "BME", 12, 0, 12),
    ("BMS", "BMS", 12, 0, 12),
    ("BQE-DEC", "BQE", 4, 0, 4),
    ("BQS-FEB", "BQS-FEB", 4, 0, 4),
    ("BYE-DEC", "BYE", 1, 0, 4),
    ("4W-THU", "4W-THU", 1, 0, 1),
    ("2h", "2h", 12, 84, 12),
    ("15min", "15min", 96, 672, 96),
    ("10s", "10s", 6, 360, 60),
    ("6ME", "6ME", 2, 0, 2),
    ("2YS", "2YS", 1, 0, 1),
]


@pytest.mark.parametrize(
    ("freq", "alias", "season", "season2", "horizon"),
    FREQUENCIES,
    ids=[f[0] for f in FREQUENCIES],
)
def test_frequency_seasons_and_horizon_are_found_and_stamps_go_on(
    freq: str, alias: str, season: int, season2: int, horizon: int
) -> None:
    stamps = pd.date_range("2019-12-30", periods=40, freq=freq)
    axis = axis_of(stamps[:30])
    assert (axis.freq, axis.season, axis.second_season, axis.horizon) == (
        alias,
        season,
        season2,
        horizon,
    )
    ordinals = axis.ordinals(stamps[:30])
    assert np.diff(ordinals).tolist() == [1] * 29
    following = axis.stamps(ordinals[-1] + np.arange(1, 11))
    assert list(following) == list(stamps[30:])


@pytest.mark.parametrize("freq", [f[0] for f in FREQUENCIES])
def test_the_alias_of_an_axis_asks_for_the_same_axis(freq: str) -> None:
    stamps = pd.date_range("2019-12-30", periods=30, freq=freq)
    axis = axis_of(stamps)
    assert axis_of(stamps, axis.freq) == axis


@pytest.mark.parametrize("freq", [f[0] for f in FREQUENCIES])
def test_an_axis_survives_json(freq: str) -> None:
    axis = axis_of(pd.date_range("2019-12-30", periods=30, freq=freq))
    assert TimeAxis.from_dict(json.loads(json.dumps(axis.to_dict()))) == axis


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([f[0] for f in FREQUENCIES]), st.integers(0, 20000), st.data())
def test_gaps_change_neither_the_frequency_nor_the_distances(
    freq: str, day: int, data: st.DataObject
) -> None:
    first = pd.Timestamp("1960-01-01") + pd.Timedelta(days=day)
    stamps = pd.date_range(first, periods=40, freq=freq)
    gaps = data.draw(st.sets(st.integers(1, 38), max_size=6))
    present = [i for i in range(40) if i not in gaps]
    axis, ordinals, *_ = infer_axis(
        to_microseconds(stamps[present]),
        np.zeros(len(present), np.int64),
        TimestampFormat("datetime", "us"),
        "ds",
        DataConfig(),
    )
    assert (ordinals - ordinals[0]).tolist() == present
    assert list(axis.stamps(ordinals)) == list(stamps[present])


def test_monthly_data_on_the_31st_and_the_30th_go_on_with_existing_days() -> None:
    stamps = pd.DatetimeIndex(["2021-10-30", "2021-11-30", "2021-12-30", "2022-01-30"])
    axis = axis_of(stamps)
    following = axis.texts(axis.ordinals(stamps)[-1] + np.arange(1, 4))
    assert following == ["2022-02-28", "2022-03-30", "2022-04-30"]
    ends = pd.DatetimeIndex(["2023-12-31", "2024-01-31"])
    axis = axis_of(ends)
    assert axis.texts(axis.ordinals(ends)[-1] + np.arange(1, 3)) == [
        "2024-02-29",
        "2024-03-31",
    ]


def test_monthly_data_in_mid_month_keep_their_day_and_hour() -> None:
    stamps = pd.date_range("2021-01-15 06:00", periods=5, freq=pd.DateOffset(months=1))
    axis = axis_of(stamps)
    assert axis.freq == "MS"
    assert axis.texts(axis.ordinals(stamps)[-1:] + 1) == ["2021-06-15 06:00:00"]
    assert axis_of(stamps, "MS") == axis


def test_five_weekdays_are_daily_and_two_weeks_of_them_are_business_days() -> None:
    stamps = pd.bdate_range("2024-01-01", periods=10)
    assert axis_of(stamps[:5]).freq == "D"
    axis = axis_of(stamps)
    assert axis.freq == "B"
    assert axis.texts(axis.ordinals(stamps)[-1:] + 1) == ["2024-01-15"]


def test_the_grid_of_a_period_does_not_depend_on_where_the_data_begin() -> None:
    stamps = pd.date_range("2019-12-30", periods=40, freq="W-TUE")
    first, second = axis_of(stamps[:20]), axis_of(stamps[17:])
    assert first == second
    assert first.ordinals(stamps[18:19]) == second.ordinals(stamps[18:19])


def test_irregular_stamps_are_refused_with_an_example_and_a_count() -> None:
    odd = pd.DatetimeIndex(["2020-01-11 05:00", "2020-01-12 07:00"])
    stamps = pd.date_range("2020-01-01", periods=10).append(odd)
    with pytest.raises(
        DataError, match=r"'2020-01-11 05:00:00' is off .* daily \(and 1 more of 12\)"
    ) as caught:
        axis_of(stamps)
    assert "--freq" in caught.value.hint


def mixed(*parts: pd.DatetimeIndex) -> tuple[pd.DatetimeIndex, Ints]:
    codes = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    return parts[0].append(list(parts[1:])), codes


DAILY = pd.date_range("2020-01-01", periods=90)


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (pd.date_range("2020-01-01", periods=9, freq="MS"), "monthly"),
        (pd.date_range("2020-01-01 06:00", periods=9, freq="MS"), "monthly"),
        (pd.date_range("2020-01-01", periods=5, freq="QE"), r"quarterly \(month end\)"),
        (pd.date_range("2020-01-01", periods=9, freq="W"), "weekly"),
        (pd.date_range("2020-01-01", periods=48, freq="h"), "hourly"),
        (pd.date_range("2020-01-01", periods=9, freq="W").delete(4), "weekly"),
    ],
)
def test_series_of_different_frequencies_are_listed(
    other: pd.DatetimeIndex, words: str
) -> None:
    stamps, codes = mixed(DAILY, other, DAILY)
    with pytest.raises(DataError, match="series have different frequencies") as caught:
        axis_of(stamps, codes=codes)
    assert re.search(rf"{words}: 1(;|$)", caught.value.message)
    assert "daily: 0, 2" in caught.value.message
    assert "--resample" in caught.value.hint


def test_series_with_gaps_are_of_one_frequency() -> None:
    thin = DAILY[np.random.default_rng(0).random(90) < 0.3]
    stamps, codes = mixed(DAILY, thin, DAILY.delete(range(10, 50)))
    assert axis_of(stamps, codes=codes).freq == "D"


@pytest.mark.parametrize(
    ("freq", "requested"),
    [
        *(
            ("D", "MS"),
            ("MS", "ME"),
            ("ME", "MS"),
            ("W-SUN", "W-MON"),
            ("QS-FEB", "QS-JAN"),
        ),
        *(
            ("h", "D"),
            ("30min", "h"),
            ("BME", "ME"),
            ("ME", "BME"),
            ("D", "B"),
            ("15D", "W"),
        ),
        ("YE", "YE-JUN"),
    ],
)
def test_a_frequency_that_the_stamps_contradict_is_refused(
    freq: str, requested: str
) -> None:
    with pytest.raises(DataError, match=f"contradict the frequency {requested}"):
        axis_of(pd.date_range("2020-01-01", periods=40, freq=freq), requested)


def test_a_frequency_that_does_not_exist_is_refused() -> None:
    for unknown in ("fortnight", "0h", "W-ABC", "D-SUN", "2B", " "):
        with pytest.raises(UsageError, match=f"'{unknown}' is not known"):
            axis_of(pd.date_range("2020-01-01", periods=40), unknown)
    with pytest.raises(DataError, match="does not fit a time column of dates"):
        axis_of(pd.date_range("2020-01-01", periods=40), "1")


def test_a_single_stamp_is_too_few_unless_the_frequency_is_set() -> None:
    stamp = pd.date_range("2020-01-01", periods=1)
    with pytest.raises(DataError, match="too few"):
        axis_of(stamp)
    assert axis_of(stamp, "D").freq == "D"


def test_integer_steps_stay_integers() -> None:
    steps = np.array([5, 15, 25, 45])
    axis, ordinals, *_ = infer_axis(
        steps, np.zeros(4, np.int64), TimestampFormat("step"), "t"
    )
    assert (axis.kind, axis.freq, axis.season, axis.horizon) == ("integer", "10", 1, 10)
    assert ordinals.tolist() == [0, 1, 2, 4]
    assert axis.stamps(np.array([5])).tolist() == [55]
    assert not axis.calendar(ordinals).any()


def test_a_stamp_between_two_periods_belongs_to_the_earlier() -> None:
    stamps = pd.date_range("2020-01-31", periods=5, freq="ME")
    axis = axis_of(stamps)
    assert axis.floor("2020-03-30") == axis.ordinals("2020-02-29")[0]
    assert (
        axis.floor(pd.Timestamp("2020-03-31 01:00")) == axis.ordinals("2020-03-31")[0]
    )
    with pytest.raises(DataError, match="off the regular steps"):
        axis.ordinals("2020-03-30")
    with pytest.raises(DataError, match="not a time stamp"):
        axis.floor("yesterday evening")


@pytest.mark.parametrize(
    ("freq", "applies"),
    [
        ("h", "1111"),
        ("D", "0111"),
        ("B", "0111"),
        ("W-SUN", "0011"),
        ("MS", "0001"),
        ("QE", "0001"),
        ("YS", "0000"),
    ],
)
def test_calendar_features_apply_where_they_distinguish_periods(
    freq: str, applies: str
) -> None:
    stamps = pd.date_range("2019-03-05", periods=60, freq=freq)
    axis = axis_of(stamps)
    features = axis.calendar(axis.ordinals(stamps))
    assert features.shape == (60, 2 * len(CALENDAR_CYCLES))
    assert features.dtype == np.float32
    norms = np.hypot(features[:, ::2], features[:, 1::2])
    np.testing.assert_allclose(
        norms, [[float(flag) for flag in applies]] * 60, atol=1e-6
    )


def test_steps_that_lie_in_days_have_a_weekday() -> None:
    days = pd.date_range("2024-02-26 00:30", periods=60, freq="6h")
    axis = axis_of(days)
    ordinals = np.arange(60) + axis.floor(days[:1])
    weekdays = axis.weekdays(ordinals)
    assert weekdays is not None
    assert weekdays.tolist() == days.day_of_week.tolist()
    for freq in ("MS", "W-WED", "QE"):
        stamps = pd.date_range("2024-01-01", periods=20, freq=freq)
        assert axis_of(stamps).weekdays(np.arange(3)) is None


def test_calendar_features_give_the_hour_and_the_weekday() -> None:
    stamps = pd.date_range(
        "2024-01-01", periods=168, freq="h"
    )  # begins on a Monday at midnight
    features = axis_of(stamps).calendar(axis_of(stamps).ordinals(stamps))
    np.testing.assert_allclose(features[6, :2], [1, 0], atol=1e-6)
    np.testing.assert_allclose(features[0, 2:4], [0, 1], atol=1e-6)
    np.testing.assert_allclose(
        features[30, 2:4], [np.sin(2 * np.pi / 7), np.cos(2 * np.pi / 7)], atol=1e-6
    )


@pytest.mark.parametrize(
    ("first", "freq"), [("1600-01-01", "D"), ("2990-01-01", "ME"), ("9990-01-01", "YS")]
)
def test_far_years_are_dates_like_others(first: str, freq: str) -> None:
    stamps = pd.date_range(first, periods=6, freq=freq, unit="us")
    axis = axis_of(stamps[:5])
    assert list(axis.stamps(axis.ordinals(stamps[:5])[-1:] + 1)) == [stamps[5]]
