"""The years that can be written, in every unit in which instants are counted."""

import numpy as np
import pytest

from lstmcast.timeaxis.year_range import are_outside_years, format_count


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
