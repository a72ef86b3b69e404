"""Data of any kind become a table: frames of three libraries, a Series, an array."""

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from lstmcast.errors import ArgumentError, DataError, UsageError
from lstmcast.panel.frames.accept import accept_data, require_target
from lstmcast.panel.frames.native import FrameKind

FRAME = pd.DataFrame(
    {"ds": pd.date_range("2024-01-01", periods=4), "y": [1.0, 2, 3, 4]}
)


@pytest.mark.parametrize(
    ("data", "library"),
    [
        (FRAME, "pandas"),
        (FRAME.to_dict("list"), "pandas"),
        (pl.from_pandas(FRAME), pl),
        (pl.from_pandas(FRAME).lazy(), pl),
        (pa.Table.from_pandas(FRAME), pa),
    ],
    ids=["pandas", "dict", "polars", "lazy", "arrow"],
)
def test_a_frame_of_any_library_has_its_columns(data: Any, library: Any) -> None:
    accepted = accept_data(data)
    assert accepted.table.names == ["ds", "y"] and accepted.target == "y"
    assert accepted.library == library
    assert accepted.find_kind("ds") == FrameKind(library)


def test_columns_of_periods_are_known_with_their_frequency() -> None:
    weeks = pd.period_range("2024-01-01", periods=3, freq="W-WED")
    frame = pd.DataFrame({"week": weeks, "y": [1.0, 2, 3]})
    of_pandas = accept_data(frame)
    assert of_pandas.find_kind("week") == FrameKind("pandas", "week", "W-WED")
    assert of_pandas.find_kind("y") == FrameKind()
    of_arrow = accept_data(pa.Table.from_pandas(frame))
    assert of_arrow.find_kind("week") == FrameKind(pa, "week", "W-WED")
    months = pd.Series([1.0, 2], pd.period_range("2024-01", periods=2, freq="2M"))
    assert accept_data(months).find_kind("time") == FrameKind("pandas", "time", "2M")


def test_an_index_without_a_name_is_the_time_column_that_is_named() -> None:
    series = FRAME.set_index("ds")["y"].rename_axis(None)
    assert accept_data(series).table.names == ["time", "y"]
    assert accept_data(series, ("when",)).table.names == ["when", "y"]
    # An index of another name is another column.
    assert accept_data(series.rename_axis("day"), ("when",)).table.names == ["y"]
    frame = FRAME.set_axis(FRAME["ds"].rename(None))
    assert accept_data(frame, ("ds",)).table.names == ["ds", "y"]


@pytest.mark.parametrize(
    ("data", "names"),
    [
        (FRAME.set_index("ds"), ["ds", "y"]),
        (FRAME.set_index("ds")["y"], ["ds", "y"]),
        (FRAME["y"].rename(None), ["y"]),
        (FRAME.rename(columns={"y": "sales"}).set_index("ds"), ["ds", "sales"]),
        (FRAME.assign(i="a").set_index(["i", "ds"])["y"], ["i", "ds", "y"]),
        (pl.Series("sales", [1.0, 2, 3]), ["sales"]),
        (np.arange(4), ["y"]),
        ([1.0, 2.0], ["y"]),
        (np.ones((4, 1)), ["y"]),
    ],
)
def test_an_index_of_times_is_a_column_and_one_column_is_the_target(
    data: Any, names: list[str]
) -> None:
    accepted = accept_data(data)
    assert accepted.table.names == names and accepted.target == names[-1]


def test_levels_of_an_index_without_names_are_ids_and_times() -> None:
    frame = FRAME.assign(i="a").set_index(["i", "ds"])
    frame.index.names = [None, None]
    assert accept_data(frame).table.names == ["unique_id", "ds", "y"]


def test_data_are_left_as_they_are() -> None:
    frame = FRAME.set_index("ds")
    before = frame.copy()
    accept_data(frame)
    assert frame.equals(before)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("sales.csv", "pandas.read_csv"),
        (3, "cannot be used; give a frame"),
        (np.ones((3, 2)), "2 axes"),
        (np.array(["a", "b"]), "is not one series"),
    ],
)
def test_what_is_no_data_is_refused_with_what_to_give(data: Any, says: str) -> None:
    with pytest.raises(ArgumentError, match=says):
        accept_data(data)


def test_two_columns_of_one_name_are_refused() -> None:
    frame = pd.DataFrame([[1, 2]], columns=["y", "y"])
    with pytest.raises(DataError, match="'y' is there more than once"):
        accept_data(frame)


def test_without_a_target_the_columns_are_listed() -> None:
    frame = FRAME.rename(columns={"y": "sales"})
    roles = {"target": (), "series": ()}
    with pytest.raises(UsageError, match="target=...; there is 'ds', 'sales'"):
        require_target(roles, accept_data(frame))
