"""Calendar fields of instants and back, as Python's own calendar has them."""

import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmcast.errors import UsageError
from lstmcast.ragged import Ints
from lstmcast.timeaxis.calendar_fields import (
    DAY,
    are_outside_years,
    calendar_field,
    format_count,
    instants_from_fields,
    month_lengths,
    month_starts,
    months_since_epoch,
    weekdays,
)

MOMENTS = st.datetimes(datetime.datetime(1601, 1, 1), datetime.datetime(2500, 1, 1))


def at(moment: datetime.datetime) -> Ints:
    return np.array([np.datetime64(moment, "us").astype(np.int64)])


def fields(instants: Ints, codes: str) -> dict[str, Ints]:
    return {code: calendar_field(code, instants) for code in codes}


@given(MOMENTS)
def test_fields_are_those_of_the_calendar(moment: datetime.datetime) -> None:
    year, week, weekday = moment.isocalendar()
    found = fields(at(moment), "YmdjHMSfGVuaq")
    expected = {
        **{
            "Y": moment.year,
            "m": moment.month,
            "d": moment.day,
            "j": moment.timetuple().tm_yday,
        },
        **{
            "H": moment.hour,
            "M": moment.minute,
            "S": moment.second,
            "f": moment.microsecond,
        },
        **{
            "G": year,
            "V": week,
            "u": weekday,
            "a": weekday - 1,
            "q": (moment.month + 2) // 3,
        },
    }
    assert {code: values.tolist() for code, values in found.items()} == {
        code: [value] for code, value in expected.items()
    }


@pytest.mark.parametrize("codes", ["YmdHMSf", "YjHMSf", "GVuHMSf", "YmdIpMSf"])
@given(moment=MOMENTS)
def test_fields_lead_back_to_the_instant(codes: str, moment: datetime.datetime) -> None:
    instants = at(moment)
    found, exists = instants_from_fields(fields(instants, codes))
    assert exists.all()
    assert found.tolist() == instants.tolist()


@pytest.mark.parametrize(
    ("values", "exists"),
    [
        ({"Y": 2023, "m": 2, "d": 29}, False),
        ({"Y": 2024, "m": 2, "d": 29}, True),
        ({"Y": 2023, "j": 366}, False),
        ({"G": 2021, "V": 53}, False),
        ({"Y": 2024, "H": 24}, True),
        ({"Y": 2024, "H": 24, "M": 1}, False),
        ({"Y": 2024, "I": 13}, False),
    ],
)
def test_days_and_hours_that_do_not_exist_are_marked(
    values: dict[str, int], exists: bool
) -> None:
    _, good = instants_from_fields(
        {code: np.array([value]) for code, value in values.items()}
    )
    assert good.tolist() == [exists]


def test_midnight_at_the_end_of_a_day_begins_the_next() -> None:
    instants, _ = instants_from_fields({"Y": np.array([1970]), "H": np.array([24])})
    assert instants.tolist() == [DAY]


def test_fields_without_a_year_are_refused() -> None:
    with pytest.raises(UsageError, match="no year"):
        instants_from_fields({"m": np.array([1])})


def test_months_and_weekdays_count_from_1970() -> None:
    instants = np.array([-1, 0, 31 * DAY])
    assert months_since_epoch(instants).tolist() == [-1, 0, 1]
    assert month_starts(np.array([-1, 0, 1])).tolist() == [-31, 0, 31]
    assert month_lengths(np.array([1, 25])).tolist() == [28, 29]
    assert weekdays(np.array([0, 4])).tolist() == [3, 0]


@pytest.mark.parametrize("unit", ["D", "s", "ms", "us"])
def test_only_the_years_1_to_9999_can_be_written(unit: str) -> None:
    edges = ["0000-12-31", "0001-01-01", "9999-12-31", "10000-01-01"]
    counts = np.array(edges, dtype=f"M8[{unit}]").astype(np.int64)
    assert are_outside_years(counts, unit).tolist() == [True, False, False, True]
    assert are_outside_years(counts, unit, zoned=True).all()


def test_nanoseconds_never_reach_that_far() -> None:
    limits = np.iinfo(np.int64)
    counts = np.array([limits.min + 1, limits.max])
    assert not are_outside_years(counts, "ns").any()


def test_an_instant_of_any_year_has_a_text() -> None:
    assert format_count(10**8, "D") == "275760-09-13"
