"""A table becomes the fields of a panel, with a note on everything that was done to it."""

import numpy as np
import pandas as pd
import pytest

from lstmcast.config import Columns, DataConfig
from lstmcast.errors import DataError
from lstmcast.ingest.assemble import AssembledPanel, assemble_panel
from lstmcast.tables.table import Table

DAYS = pd.date_range("2024-01-01", periods=6)


def assemble(frame: pd.DataFrame, config: DataConfig = DataConfig()) -> AssembledPanel:  # noqa: B008
    roles = Columns(("y",), ("day",), ("id",), future=("price",), static=("kind",))
    return assemble_panel(Table(frame, "frame"), roles, config)


def two_series() -> pd.DataFrame:
    """Series a and b of six days; the last of a has no value but a price, the third of b is out."""
    frame = pd.DataFrame({"id": np.repeat(["a", "b"], 6), "day": np.tile(DAYS, 2)})
    frame = frame.assign(
        y=np.arange(12.0), price=np.arange(12.0), kind=np.repeat([1.0, 2.0], 6)
    )
    frame.loc[5, "y"] = np.nan
    return frame.drop(index=8)


def test_series_lie_end_to_end_with_their_known_future_behind_them() -> None:
    panel = assemble(two_series())
    assert panel.keys == (("a",), ("b",))
    assert panel.offsets.tolist() == [0, 5, 11]
    assert panel.future_offsets.tolist() == [0, 6, 12]
    assert panel.static.tolist() == [[1.0], [2.0]]
    np.testing.assert_array_equal(panel.values[:7], [0, 1, 2, 3, 4, 6, 7])
    assert np.isnan(panel.values[7])


def test_notes_are_in_the_order_of_the_steps() -> None:
    frame = two_series().iloc[::-1].reset_index(drop=True)
    short = pd.DataFrame(
        {"id": "c", "day": DAYS[:2], "y": 1.0, "price": 1.0, "kind": 3.0}
    )
    panel = assemble(pd.concat([frame, short], ignore_index=True))
    words = [
        "sorted",
        "skipped 1 of 3 series with fewer than 3 values: c",
        "missing rows: 1 in one",
    ]
    places = [
        next(i for i, note in enumerate(panel.notes) if word in note) for word in words
    ]
    assert places == sorted(places)


def test_filled_values_are_noted_as_such() -> None:
    panel = assemble(two_series(), DataConfig(fill="linear"))
    assert np.isnan(panel.values[7])
    assert panel.fill == "linear"
    zero = assemble(two_series(), DataConfig(fill="zero"))
    assert (zero.values[7], zero.fill) == (0.0, "none")
    assert any("one gap, filled: linear" in note for note in panel.notes)


def test_a_series_most_of_which_is_missing_is_refused_with_a_wider_step() -> None:
    day = [0, 100, 200, 300]
    frame = pd.DataFrame(
        {"id": "a", "day": DAYS[0] + pd.to_timedelta(day, "D"), "kind": 1.0}
    )
    frame = frame.assign(y=1.0, price=1.0)
    with pytest.raises(
        DataError, match="more than half of a is missing: 297 of 301"
    ) as caught:
        assemble(frame, DataConfig(freq="D"))
    assert "--resample" in caught.value.hint
