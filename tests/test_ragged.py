"""Rows made one by group, and missing values filled."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmcast.config import AGGREGATES
from lstmcast.ragged import aggregate_groups, choose_evenly, fill_missing

VALUES = st.lists(st.one_of(st.just(np.nan), st.floats(-1e6, 1e6)), min_size=1, max_size=30)


@given(VALUES, st.sets(st.integers(1, 29)), st.sampled_from(AGGREGATES))
def test_groups_are_made_one_as_pandas_makes_them(
    values: list[float], cuts: set[int], how: str
) -> None:
    starts = np.array([0, *sorted(cut for cut in cuts if cut < len(values))])
    group = np.repeat(np.arange(len(starts)), np.diff(np.r_[starts, len(values)]))
    frame = pd.DataFrame({"a": values, "b": values[::-1]})
    nothing = frame.groupby(group).count().to_numpy() == 0  # of which pandas says that its sum is 0
    expected = np.where(nothing, np.nan, frame.groupby(group).agg(how).to_numpy(np.float64))
    np.testing.assert_allclose(aggregate_groups(frame.to_numpy(), starts, how), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("none", [1, np.nan, np.nan, 4, 7, np.nan, 9]),
        ("forward", [1, 1, 1, 4, 7, 7, 9]),
        ("linear", [1, 2, 3, 4, 7, 8, 9]),
        ("zero", [1, 0, 0, 4, 7, 0, 9]),
    ],
)
def test_missing_values_are_filled_as_asked_and_the_input_is_left_alone(
    how: str, expected: list[float]
) -> None:
    values = np.array([1, np.nan, np.nan, 4, 7, np.nan, 9])
    before = values.copy()
    np.testing.assert_array_equal(fill_missing(values, how), expected)
    np.testing.assert_array_equal(values, before)


@given(st.integers(1, 3000), st.integers(1, 1000), st.booleans())
def test_evenly_chosen_places_are_those_of_evenly_spaced_numbers(
    count: int, most: int, round_down: bool
) -> None:
    spaced = np.linspace(0, count - 1, most)
    expected = np.unique((spaced if round_down else spaced.round()).astype(np.int64))
    chosen = choose_evenly(count, most, round_down=round_down)
    if most >= 2:
        np.testing.assert_array_equal(chosen, expected)
    assert len(chosen) == min(count, most) and (np.diff(chosen) > 0).all()


def test_of_no_more_than_the_most_all_are_chosen() -> None:
    assert choose_evenly(0, 5).tolist() == []
    assert choose_evenly(5, 5).tolist() == [0, 1, 2, 3, 4]
    assert choose_evenly(7, 3).tolist() == [0, 3, 6]
