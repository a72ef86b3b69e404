"""Rows in the order of series and time, and several targets as series."""

import numpy as np

from lstmcast.ingest.keys import SeriesKeys
from lstmcast.ingest.rows import Rows, melt_targets, sort_rows
from lstmcast.ingest.timestamps import TimeColumn
from lstmcast.ragged import Ints
from lstmcast.timeaxis.timestamp_format import TimestampFormat


def time_of(instants: Ints | None) -> TimeColumn:
    return TimeColumn(("t",), "t", TimestampFormat("step"), instants)


def sort(codes: list[int], stamps: list[int] | None) -> tuple[Rows, tuple[str, ...]]:
    instants = None if stamps is None else np.array(stamps)
    values = np.arange(float(len(codes)))[:, None]
    return sort_rows(time_of(instants), np.array(codes), values)


def test_rows_in_order_stay_as_they_are_without_a_note() -> None:
    rows, notes = sort([0, 0, 1, 1], [1, 2, 1, 2])
    assert (rows.rows.tolist(), notes) == ([0, 1, 2, 3], ())


def test_mixed_series_are_sorted_without_a_note_where_each_is_in_order() -> None:
    rows, notes = sort([0, 1, 0, 1], [1, 1, 2, 2])
    assert (rows.rows.tolist(), notes) == ([0, 2, 1, 3], ())


def test_rows_newest_first_and_rows_in_no_order_are_sorted_and_noted() -> None:
    rows, notes = sort([0, 0, 0], [3, 2, 1])
    assert (rows.rows.tolist(), notes) == (
        [2, 1, 0],
        ("rows stood newest first: sorted",),
    )
    rows, notes = sort([0, 0, 0], [1, 3, 2])
    assert rows.rows.tolist() == [0, 2, 1]
    assert notes == ("rows were not in order of time: sorted",)


def test_without_a_time_column_the_rows_of_a_series_are_numbered_from_1() -> None:
    rows, _ = sort([0, 1, 0], None)
    assert (rows.codes.tolist(), rows.stamps.tolist()) == ([0, 0, 1], [1, 2, 1])


def test_several_targets_become_series_whose_key_ends_with_their_name() -> None:
    values = np.array([[1.0, 10.0], [2.0, 20.0]])
    rows = Rows(np.array([0, 1]), np.array([5, 6]), np.array([0, 1]), values)
    keys = SeriesKeys([("a",), ("b",)], ("shop",), ("str",))
    long, long_keys = melt_targets(rows, keys, ["sold", "returned"])
    assert long.values[:, 0].tolist() == [1, 10, 2, 20]
    assert (long.codes.tolist(), long.stamps.tolist()) == ([0, 1, 2, 3], [5, 5, 6, 6])
    assert long_keys.keys[:2] == [("a", "sold"), ("a", "returned")]
    assert long_keys.names == ("shop", "target")
