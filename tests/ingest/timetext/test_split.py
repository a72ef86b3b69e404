"""Stamps in several columns: parts of a date, days and clocks, and which columns they are."""

import pandas as pd
import pytest

from lstmcast.config import DataConfig
from lstmcast.errors import DataError
from lstmcast.ingest.timetext.split import find_date_parts, read_split_timestamps
from lstmcast.tables.table import Table


def test_parts_of_a_date_are_put_in_order_and_unknown_ones_are_none() -> None:
    assert find_date_parts(["month", "year"]) == {"year": "Y", "month": "m"}
    assert find_date_parts(["year", "price"]) == {}
    assert find_date_parts(["month", "day"]) == {}
    frame = pd.DataFrame({"day": [30, 31], "month": [1, 1], "year": [2024, 2024]})
    names = ("day", "month", "year")
    column = read_split_timestamps(Table(frame, "frame"), names, DataConfig(), None)
    assert column.form.texts(column.instants) == ["2024-01-30", "2024-01-31"]


def test_a_part_that_makes_no_date_is_refused() -> None:
    frame = pd.DataFrame({"year": [2023, 2023], "month": [2, 2], "day": [28, 29]})
    with pytest.raises(DataError, match="'2023 2 29' is not a date"):
        read_split_timestamps(
            Table(frame, "f"), ("year", "month", "day"), DataConfig(), None
        )
