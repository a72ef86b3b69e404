"""Stamps on the axis of a panel: moved to steps, left out at closed times, or refused."""

import numpy as np
import pandas as pd
import pytest

from lstmcast.config import DataConfig
from lstmcast.errors import DataError
from lstmcast.timeaxis.place import PlacedStamps, infer_axis
from lstmcast.timeaxis.timestamp_format import TimestampFormat
from lstmcast.timeaxis.zones import to_microseconds

QUARTERS = pd.date_range("2022-01-01", periods=400, freq="15min")
SECONDS = pd.to_timedelta(np.random.default_rng(0).integers(-30, 31, 400), unit="s")
DAYS = pd.date_range("2020-01-01", "2020-12-31")
SIX_DAYS = pd.DatetimeIndex([day for day in DAYS if day.weekday() != 6])


def placed(
    stamps: pd.DatetimeIndex, like: PlacedStamps | None = None, **options: object
) -> PlacedStamps:
    return infer_axis(
        to_microseconds(stamps),
        np.zeros(len(stamps), np.int64),
        TimestampFormat("datetime", "us"),
        "ds",
        DataConfig(**options),  # type: ignore[arg-type]
        like=like.axis if like else None,
    )


def test_a_little_jitter_is_moved_and_said() -> None:
    found = placed(QUARTERS + SECONDS)
    assert found.axis.freq == "15min"
    assert (np.diff(found.ordinals) == 1).all()
    [note] = found.notes
    assert "moved to the nearest (every 15min); --no-snap" in note


def test_the_step_may_be_given_and_the_jitter_refused() -> None:
    given = placed(QUARTERS + SECONDS, freq="15min")
    assert given.axis == placed(QUARTERS + SECONDS).axis
    with pytest.raises(DataError, match="off the regular steps"):
        placed(QUARTERS + SECONDS, snap=False)


def test_more_than_a_tenth_of_a_step_has_to_be_asked_for() -> None:
    far = QUARTERS + 6 * SECONDS
    with pytest.raises(DataError) as caught:
        placed(far)
    assert "--snap" in caught.value.hint
    found = placed(far, snap=True)
    assert found.axis.freq == "15min"
    assert (np.diff(found.ordinals) == 1).all()


def test_later_data_are_moved_to_the_steps_of_the_axis() -> None:
    first = placed(QUARTERS + SECONDS)
    later = QUARTERS[:3] + pd.Timedelta(days=5) + SECONDS[:3]
    found = placed(later, like=first)
    assert found.axis == first.axis
    assert np.diff(found.ordinals).tolist() == [1, 1]
    with pytest.raises(DataError, match="contradict the frequency 15min"):
        placed(QUARTERS[:3] + pd.Timedelta(minutes=5), like=first)


def test_hours_are_not_moved_into_days() -> None:
    days = placed(DAYS)
    hours = pd.date_range("2021-01-01 01:00", periods=2, freq="h")
    with pytest.raises(DataError, match="contradict the frequency D"):
        placed(hours, like=days)


def test_closed_days_are_no_steps_and_later_rows_on_them_are_known() -> None:
    found = placed(SIX_DAYS)
    assert found.axis.grid.closed == "sun"
    assert (found.axis.season, found.axis.horizon) == (6, 12)
    assert (np.diff(found.ordinals) == 1).all()
    later = placed(pd.date_range("2021-01-01", periods=4), like=found)
    assert later.is_open.tolist() == [True, True, False, True]
    open_ordinals = later.ordinals[later.is_open]
    assert (open_ordinals - found.ordinals[-1]).tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("options", "closed"),
    [
        ({"closed": "none"}, ""),
        ({"closed": "sun,aug"}, "sun,aug"),
        ({"fill": "zero"}, ""),  # missing days are meant as days
        ({"freq": "D"}, "sun"),
    ],
)
def test_closed_days_are_as_requested(options: dict[str, str], closed: str) -> None:
    assert placed(SIX_DAYS, **options).axis.grid.closed == closed


def test_business_days_are_one_of_the_kinds() -> None:
    working = pd.bdate_range("2020-01-01", "2020-12-31")
    axis = placed(working).axis
    assert placed(working, closed="sat-sun").axis == axis
    assert placed(DAYS, closed="sat,sun").axis == axis
    assert placed(working, closed="none").axis.freq == "D"
    without_august = placed(working, closed="aug").axis.grid
    assert without_august.closed == "sat-sun,aug"


def test_blank_cells_on_weekends_are_no_steps() -> None:
    observed = np.array([day.weekday() < 5 for day in DAYS])
    found = infer_axis(
        to_microseconds(DAYS),
        np.zeros(len(DAYS), np.int64),
        TimestampFormat("datetime", "us"),
        "ds",
        observed=observed,
    )
    assert found.axis.freq == "B"
    assert found.is_open.tolist() == observed.tolist()
    with pytest.raises(DataError, match="contradict the frequency B"):
        placed(DAYS, freq="B")


def test_days_that_are_regular_at_their_open_times_only_are_found() -> None:
    three = pd.DatetimeIndex([day for day in DAYS if day.weekday() in (0, 2, 4)])
    found = placed(three)
    assert found.axis.grid.closed == "tue,thu,sat-sun"
    assert (np.diff(found.ordinals) == 1).all()
    following = found.axis.texts(found.ordinals[-1:] + np.arange(1, 4))
    assert following == ["2021-01-01", "2021-01-04", "2021-01-06"]


def test_hours_of_a_zone_whose_clocks_change_cannot_be_closed_by_hand() -> None:
    hours = pd.date_range("2020-01-01", periods=100, freq="h")
    form = TimestampFormat("datetime", "us", zone="Europe/Berlin")
    with pytest.raises(DataError, match="counted in UTC"):
        infer_axis(
            to_microseconds(hours),
            np.zeros(100, np.int64),
            form,
            "ds",
            DataConfig(closed="0-9"),
        )
