import numpy as np

from lstmcast.features.rows import are_first_steps, series_of_rows

OFFSETS = np.array([0, 3, 3, 5])


def test_each_row_knows_its_series() -> None:
    assert series_of_rows(OFFSETS).tolist() == [0, 0, 0, 2, 2]


def test_the_first_steps_of_each_series_are_counted_from_its_own_start() -> None:
    first = are_first_steps(OFFSETS, np.array([2, 4, 1]))
    assert first.tolist() == [True, True, False, True, False]
    assert not are_first_steps(OFFSETS, np.zeros(3, np.int64)).any()
