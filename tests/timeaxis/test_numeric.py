"""Numbers that are times: known by their range, and written as they were."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmcast.timeaxis.calendar_fields import SECOND
from lstmcast.timeaxis.numeric import (
    EPOCH_UNITS_PER_SECOND,
    infer_number_format,
    instants_to_numbers,
    numbers_to_instants,
)


@pytest.mark.parametrize(
    ("numbers", "name", "layout", "first"),
    [
        ([20240229, 20240301], "x", "%Y%m%d", "2024-02-29"),
        ([2024022923, 2024030100], "x", "%Y%m%d%H", "2024-02-29 23:00"),
        ([202402292345, 202403010000], "x", "%Y%m%d%H%M", "2024-02-29 23:45"),
        ([20240229234559, 20240301000000], "x", "%Y%m%d%H%M%S", "2024-02-29 23:45:59"),
        ([202402, 202403], "x", "%Y%m", "2024-02"),
        ([1601, 1602], "x", "%Y", "1601-01-01"),
        ([160704000, 160707600], "x", "s", "1975-02-04"),
        ([1700000000.5, 1700000001.5], "x", "s", "2023-11-14 22:13:20.5"),
        ([1700000000123], "x", "ms", "2023-11-14 22:13:20.123"),
        ([2024060, 2024061], "x", "%Y%j", "2024-02-29"),
        ([1949.0, 1949.083333, 1949.17], "time", "years", "1949-01-01"),
        ([45000, 45001], "Date", "excel", "2023-03-15"),
        ([45000.0416666667, 45000.0833333333], "date", "excel", "2023-03-15 01:00"),
    ],
)
def test_times_are_known_by_their_range(
    numbers: list[float], name: str, layout: str, first: str
) -> None:
    values = np.array(numbers)
    assert infer_number_format(values, name) == layout
    assert numbers_to_instants(values, layout)[0] == pd.Timestamp(first).as_unit(
        "us"
    ).asm8.astype(np.int64)


@pytest.mark.parametrize(
    ("numbers", "name"),
    [
        ([45000, 45001], "users"),
        ([45000.5, 46000.25], "price"),
        ([1999, 2000], "t"),
        ([5, 7], "date"),
        ([], "date"),
    ],
)
def test_what_may_be_anything_counts_plain_steps(
    numbers: list[float], name: str
) -> None:
    assert infer_number_format(np.array(numbers), name) == ""


@given(
    st.integers(10**8, 4 * 10**9), st.sampled_from([*EPOCH_UNITS_PER_SECOND, "excel"])
)
def test_numbers_of_seconds_survive_being_read(second: int, unit: str) -> None:
    instants = np.array([second, second + 3600]) * SECOND
    numbers = instants_to_numbers(instants, unit)
    assert numbers_to_instants(numbers, unit).tolist() == instants.tolist()
    assert unit == "excel" or numbers.dtype == np.int64


def test_fractions_of_years_are_months() -> None:
    years = 1949 + np.arange(40) / 12
    instants = numbers_to_instants(years, "years")
    expected = pd.date_range("1949-01-01", periods=40, freq="MS")
    assert list(pd.DatetimeIndex(instants.view("M8[us]"))) == list(expected)
    np.testing.assert_allclose(instants_to_numbers(instants, "years"), years)
