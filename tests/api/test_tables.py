"""Tables that are returned have the columns and rows that they promise."""

import numpy as np
import pandas as pd

from lstmcast.api.tables import make_future_frame, tabulate_paths, to_nixtla_columns
from lstmcast.panel.panel import Panel
from tests.make import panel_of

PANEL = panel_of([np.arange(6.0), np.arange(4.0)])


def test_columns_are_renamed_as_nixtla_has_them() -> None:
    table = pd.DataFrame(
        {"id": ["s0"], "cutoff": [1], "t": [2], "actual": [3.0], "forecast": [4.0]}
    ).assign(q10=1.0, q50=4.0, q90=5.0)
    named = to_nixtla_columns(table, PANEL, [80])
    assert list(named) == [
        *("id", "t", "cutoff", "y"),
        *("lstmcast", "lstmcast-lo-80", "lstmcast-hi-80"),
    ]
    assert named.iloc[0, 3:].tolist() == [3.0, 4.0, 1.0, 5.0]


def test_paths_stand_one_under_another() -> None:
    paths = np.arange(12.0).reshape(2, 3, 2)
    table = tabulate_paths(PANEL, paths)
    assert table["y"].tolist() == list(range(12))
    assert table["path"].tolist() == [0, 0, 1, 1, 2, 2] * 2
    second = table[table["id"] == "s1"]
    assert second["t"].iloc[0] == pd.Timestamp("2001-05-01")


def test_a_future_frame_has_what_is_known_and_leaves_the_rest_open() -> None:
    frame = pd.DataFrame(
        {
            "ds": pd.date_range("2024-01-01", periods=5),
            "y": [1.0, 2, 3, np.nan, np.nan],
            "price": [1.0, 2, 3, 4, 5],
        }
    )
    ahead = make_future_frame(Panel.from_frame(frame, future="price"), 3)
    assert list(ahead) == ["ds", "price"]
    assert ahead["ds"].iloc[0] == pd.Timestamp("2024-01-04")
    assert ahead["price"].tolist()[:2] == [4, 5] and np.isnan(ahead["price"].iloc[2])


def test_several_targets_share_the_rows_of_the_future() -> None:
    frame = pd.DataFrame(
        {
            "unique_id": ["a"] * 4,
            "ds": pd.date_range("2024-01-01", periods=4),
            "y": np.arange(4.0),
            "z": np.arange(4.0),
        }
    )
    panel = Panel.from_frame(frame, target=["y", "z"])
    ahead = make_future_frame(panel, 2)
    assert list(ahead) == ["unique_id", "ds"] and len(ahead) == 2
