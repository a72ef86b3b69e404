"""The newest numbers in sorted order."""

import numpy as np

from lstmcast.monitoring.evidence.sorted_window import SortedWindow


def test_it_holds_the_newest_numbers_sorted_whatever_their_order() -> None:
    numbers = np.random.default_rng(0).integers(0, 30, 200).astype(float).tolist()
    window = SortedWindow(50)
    for count, number in enumerate(numbers, 1):
        window.add(number)
        newest = numbers[max(count - 50, 0) : count]
        assert window.arrived == newest
        assert window.largest(5) == sorted(newest)[-5:]
        assert window.median() == sorted(newest)[len(newest) // 2]
        assert window.count_from(15) == sum(one >= 15 for one in newest)
    assert len(window) == 50


def test_a_window_made_of_many_numbers_is_that_of_the_newest() -> None:
    window = SortedWindow(3, [9.0, 1.0, 5.0, 4.0])
    assert window.arrived == [1.0, 5.0, 4.0]
    assert window.largest(3) == [1.0, 4.0, 5.0]
