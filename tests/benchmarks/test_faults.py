"""Invented series, ordinary and with a fault."""

import numpy as np
import pytest

from benchmarks.faults import FAULTS, SERIES, make_faulty_series, make_series


@pytest.mark.parametrize("kind", SERIES)
def test_series_are_whole_and_follow_from_their_seed(kind: str) -> None:
    values = make_series(kind, 1)
    assert values.shape == (5_000,) and np.isfinite(values).all()
    assert np.array_equal(values, make_series(kind, 1))
    assert not np.array_equal(values, make_series(kind, 2))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_changes_its_own_rows_and_no_others(fault: str) -> None:
    series = make_faulty_series("noisy day", fault, 1)
    ordinary = make_series("noisy day", 1)
    changed = np.flatnonzero(series.values != ordinary)
    assert changed[0] >= series.first >= 1_500
    assert changed[-1] <= series.last < 5_000
