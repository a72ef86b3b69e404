"""Results come in the kind of frame that the caller has."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

from lstmcast.panel.frames.native import (
    FrameKind,
    from_periods,
    make_frame,
    to_native,
    with_periods,
)

FRAME = pd.DataFrame({"ds": pd.date_range("2024-01-01", periods=2), "y": [1.0, None]})


def test_a_frame_of_pandas_is_returned_as_it_is() -> None:
    assert to_native(FRAME, FrameKind()) is FRAME


def test_another_library_gets_a_frame_of_its_own_with_nulls() -> None:
    of_polars = to_native(FRAME, FrameKind(pl))
    assert of_polars["y"].to_list() == [1.0, None]
    of_arrow = to_native(FRAME, FrameKind(pa))
    assert isinstance(of_arrow, pa.Table) and of_arrow.column_names == ["ds", "y"]
    assert of_arrow.schema.metadata is None


def test_rows_by_name_become_a_frame() -> None:
    frame = make_frame({"naive": {"mae": 2.0}, "ours": {"mae": 1.0, "wql": 3.0}}, "who")
    assert frame.loc["ours", "wql"] == 3.0 and frame.index.name == "who"
    assert pd.isna(frame.loc["naive", "wql"])


def test_stamps_are_periods_where_the_caller_has_periods() -> None:
    quarters = pd.period_range("2024Q1", periods=3, freq="Q-MAR")
    starts = quarters.to_timestamp()
    frame = pd.DataFrame({"when": starts, "cutoff": starts, "other": starts})
    kind = FrameKind(time="when", period="Q-MAR")
    of_periods = to_native(frame, kind)
    assert of_periods["when"].tolist() == of_periods["cutoff"].tolist() == [*quarters]
    assert of_periods["other"].tolist() == [*starts]
    assert from_periods(of_periods).equals(frame)
    assert frame["when"].tolist() == [*starts], "the frame that is passed in stays"

    of_arrow = to_native(frame, FrameKind(pa, "when", "Q-MAR"))
    assert of_arrow.to_pandas()["when"].tolist() == [*quarters]


def test_stamps_within_a_period_stay_points_in_time() -> None:
    hours = pd.DataFrame({"ds": pd.date_range("2024-01-01", periods=30, freq="h")})
    daily = with_periods(hours, FrameKind(time="ds", period="D"))
    assert daily["ds"].equals(hours["ds"])
    steps = pd.DataFrame({"ds": np.arange(3)})
    assert with_periods(steps, FrameKind(time="ds", period="D")).equals(steps)
