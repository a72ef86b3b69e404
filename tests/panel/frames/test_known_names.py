"""Columns whose names say their role need no option."""

import pytest

from lstmcast.config import Columns
from lstmcast.panel.frames.known_names import complete_columns, find_known_target

NIXTLA = ["unique_id", "ds", "y", "price"]


def test_the_target_is_known_by_its_name() -> None:
    assert find_known_target(NIXTLA) == "y"
    assert find_known_target(["item_id", "timestamp", "target"]) == "target"
    assert find_known_target(["date", "sales"]) is None


def test_series_and_time_are_known_beside_any_target() -> None:
    completed = complete_columns(Columns(("price",)), NIXTLA)
    assert completed == Columns(("price",), time=("ds",), series=("unique_id",))


@pytest.mark.parametrize(
    "columns",
    [
        Columns(("y",), time=("ds",), series=("shop",)),
        Columns(("y",), time=("day",), static=("unique_id",), series=("shop",)),
    ],
)
def test_a_role_that_is_named_stays(columns: Columns) -> None:
    assert complete_columns(columns, [*NIXTLA, "shop", "day"]) == columns


def test_ds_alone_may_be_anything() -> None:
    columns = Columns(("sales",))
    assert complete_columns(columns, ["ds", "date", "sales"]) == columns
    assert complete_columns(Columns(("y",)), ["ds", "y"]).time == ("ds",)
