"""Hours that naive stamps skip and repeat, days that move by an hour, and the zone they show."""

import numpy as np
import pandas as pd
import pytest

from lstmcast.ingest.timestamps import TimeColumn
from lstmcast.ingest.timetext.clock_changes import (
    days_of_zone_error,
    guess_zone_of_clocks,
    is_naive_time,
)
from lstmcast.ragged import Ints
from lstmcast.timeaxis.timestamp_format import TimestampFormat
from lstmcast.timeaxis.zones import to_local, to_microseconds


def wall(zone: str, periods: int = 9000) -> Ints:
    return to_local(
        to_microseconds(pd.date_range("2023-01-01", periods=periods, freq="h")), zone
    )


@pytest.mark.parametrize(
    "zone", ["Europe/Berlin", "Europe/London", "America/New_York", "Australia/Sydney"]
)
def test_the_zone_of_local_hours_is_found(zone: str) -> None:
    stamps = np.sort(wall(zone))
    codes = np.zeros(len(stamps), np.int64)
    guess = guess_zone_of_clocks(stamps, codes)
    assert guess is not None
    assert guess.zone == zone
    assert guess_zone_of_clocks(stamps[:500], codes[:500]) is None


def test_days_in_utc_name_the_option_that_reads_them() -> None:
    days = pd.date_range("2023-01-01", periods=300, freq="D", tz="Europe/Berlin")
    universal = to_microseconds(days.tz_convert("UTC").tz_localize(None))
    naive = TimeColumn(
        ("t",), "t", TimestampFormat("text", "%Y-%m-%d %H:%M"), universal
    )
    assert is_naive_time(naive)
    error = days_of_zone_error(naive, universal, "x:2")
    assert error is not None
    assert "--tz UTC:Europe/Berlin" in error.hint
    assert days_of_zone_error(naive, universal[:50], "x:2") is None
    stated = TimestampFormat("text", "%Y-%m-%d %H:%MZ", "UTC")
    error = days_of_zone_error(
        TimeColumn(("t",), "t", stated, universal), universal, "x:2"
    )
    assert error is not None
    assert "--tz Europe/Berlin" in error.hint
