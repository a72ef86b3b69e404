"""Results come in the kind of frame that the caller has."""

import pandas as pd
import polars as pl
import pyarrow as pa

from lstmcast.panel.frames.native import make_frame, to_native

FRAME = pd.DataFrame({"ds": pd.date_range("2024-01-01", periods=2), "y": [1.0, None]})


def test_a_frame_of_pandas_is_returned_as_it_is() -> None:
    assert to_native(FRAME, "pandas") is FRAME


def test_another_library_gets_a_frame_of_its_own_with_nulls() -> None:
    of_polars = to_native(FRAME, pl)
    assert of_polars["y"].to_list() == [1.0, None]
    of_arrow = to_native(FRAME, pa)
    assert isinstance(of_arrow, pa.Table) and of_arrow.column_names == ["ds", "y"]
    assert of_arrow.schema.metadata is None


def test_rows_by_name_become_a_frame() -> None:
    frame = make_frame({"naive": {"mae": 2.0}, "ours": {"mae": 1.0, "wql": 3.0}}, "who")
    assert frame.loc["ours", "wql"] == 3.0 and frame.index.name == "who"
    assert pd.isna(frame.loc["naive", "wql"])
