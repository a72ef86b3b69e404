"""Series and groups of rows end to end: ranges, medians, fills and aggregates."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from lstmcast.config import AGGREGATES
from lstmcast.ragged import (
    aggregate_groups,
    carry_forward,
    choose_evenly,
    concat_ranges,
    median_by_series,
    offsets_from_lengths,
)

VALUES = st.lists(
    st.one_of(st.just(np.nan), st.floats(-1e6, 1e6)), min_size=1, max_size=30
)


@given(VALUES, st.sets(st.integers(1, 29)), st.sampled_from(AGGREGATES))
def test_groups_are_aggregated_as_pandas_does(
    values: list[float], cuts: set[int], how: str
) -> None:
    starts = np.array([0, *sorted(cut for cut in cuts if cut < len(values))])
    group = np.repeat(np.arange(len(starts)), np.diff(np.r_[starts, len(values)]))
    frame = pd.DataFrame({"a": values, "b": values[::-1]})
    empty = frame.groupby(group).count().to_numpy() == 0  # whose sum pandas takes for 0
    expected = np.where(
        empty, np.nan, frame.groupby(group).agg(how).to_numpy(np.float64)
    )
    np.testing.assert_allclose(
        aggregate_groups(frame.to_numpy(), starts, how), expected, atol=1e-6
    )


def test_values_are_carried_forward_along_an_axis_and_leading_gaps_stay() -> None:
    values = np.array([[np.nan, 1.0, np.nan], [2.0, np.nan, np.nan]])
    along_columns = [[np.nan, 1.0, 1.0], [2.0, 2.0, 2.0]]
    along_rows = [[np.nan, 1.0, np.nan], [2.0, 1.0, np.nan]]
    np.testing.assert_array_equal(carry_forward(values, axis=1), along_columns)
    np.testing.assert_array_equal(carry_forward(values, axis=0), along_rows)
    np.testing.assert_array_equal(carry_forward(values[0]), along_columns[0])


def test_offsets_say_where_each_series_begins_and_the_last_one_ends() -> None:
    assert offsets_from_lengths(np.array([3, 0, 2])).tolist() == [0, 3, 3, 5]
    assert offsets_from_lengths(np.array([], dtype=np.int64)).tolist() == [0]


def test_ranges_are_laid_end_to_end() -> None:
    starts, lengths = np.array([5, 0, 9]), np.array([2, 0, 3])
    assert concat_ranges(starts, lengths).tolist() == [5, 6, 9, 10, 11]
    assert concat_ranges(starts[:0], lengths[:0]).tolist() == []


def test_the_median_of_a_series_is_that_of_its_observed_values() -> None:
    values = np.array([3.0, np.nan, 1.0, 2.0, 7.0, 5.0, np.nan])
    medians = median_by_series(values, np.array([0, 4, 7]))
    assert medians.tolist() == [2.0, 7.0]  # the upper one of two


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
