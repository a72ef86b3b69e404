"""Wall clocks and UTC: hours that come twice or never, and the zone that they point to."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmcast.ragged import Ints
from lstmcast.timeaxis.zones import (
    COMMON_ZONES,
    guess_zone,
    guess_zone_of_days,
    is_repeated_time,
    is_second_occurrence,
    is_skipped_time,
    to_local,
    to_microseconds,
    to_utc,
    utc_offset_minutes,
)


def at(*stamps: str) -> Ints:
    return to_microseconds(pd.DatetimeIndex(stamps))


@given(st.integers(-(10**9), 2 * 10**9), st.sampled_from(COMMON_ZONES))
def test_wall_clock_time_leads_back_to_utc_but_for_the_second_of_two_equal_hours(
    second: int, zone: str
) -> None:
    instants = np.array([second * 1_000_000])
    wall = to_local(instants, zone)
    assert not is_skipped_time(wall, zone).any()
    later = is_repeated_time(wall, zone) & (to_utc(wall, zone) != instants)
    assert to_utc(wall, zone, later).tolist() == instants.tolist()


def test_offsets_are_those_of_the_day() -> None:
    assert utc_offset_minutes(
        at("2024-01-15", "2024-07-15"), "Europe/Berlin"
    ).tolist() == [60, 120]


@pytest.mark.parametrize("newest_first", [False, True])
def test_of_an_hour_that_comes_twice_the_order_of_rows_shows_the_second(
    newest_first: bool,
) -> None:
    utc = to_microseconds(pd.date_range("2024-10-26 22:00", periods=6, freq="30min"))
    order = np.arange(6)[::-1] if newest_first else np.arange(6)
    wall = to_local(np.tile(utc[order], 2), "Europe/Berlin")
    later = is_second_occurrence(wall, np.repeat([0, 1], 6), "Europe/Berlin")
    assert (
        to_utc(wall, "Europe/Berlin", later).tolist() == np.tile(utc[order], 2).tolist()
    )


NONE = np.zeros(0, np.int64)


def zone_of(skipped: Ints = NONE, repeated: Ints = NONE, present: Ints = NONE) -> str:
    guess = guess_zone(skipped, repeated, present)
    return guess.zone if guess else ""


def test_the_zone_is_known_by_the_hours_that_its_clocks_skip_or_repeat() -> None:
    assert zone_of(at("2014-03-09 02:30")) == "America/New_York"
    assert zone_of(at("2014-03-30 01:30")) == "Europe/London"
    guess = guess_zone(NONE, at("2014-10-26 02:30", "2014-10-27 02:30"), NONE)
    assert guess is not None
    assert (guess.zone, guess.explained) == ("Europe/Berlin", 1)
    assert zone_of(repeated=at("2014-06-01 02:30")) == ""


def test_a_zone_must_explain_all_changes_and_skip_no_hour_that_is_there() -> None:
    skipped = at("2021-03-14 02:30", "2022-03-13 02:30")
    repeated = at("2021-11-07 01:30", "2022-11-06 01:30")
    guess = guess_zone(skipped, repeated, NONE)
    assert guess is not None
    assert (guess.zone, guess.explained) == ("America/New_York", 4)
    assert "America/Chicago" in guess.others
    assert "America/Chicago" in guess.words
    present = at("2021-03-28 02:30", "2021-03-14 02:30")
    assert zone_of(repeated=at("2021-10-31 02:30"), present=present) != "Europe/Berlin"


@pytest.mark.parametrize(
    "zone", ["Europe/London", "Europe/Berlin", "America/New_York", "Australia/Sydney"]
)
def test_days_of_a_zone_are_known_by_their_beginnings_in_utc(zone: str) -> None:
    days = pd.date_range("2020-01-01", periods=400, freq="D", tz=zone)
    universal = to_microseconds(days.tz_convert("UTC").tz_localize(None))
    guess = guess_zone_of_days(universal)
    assert guess is not None
    assert guess.zone == zone
    assert guess_zone_of_days(universal[:20]) is None  # clocks do not change in January
    twice = np.sort(np.r_[universal, universal + 3_600_000_000])
    assert guess_zone_of_days(twice) is None
