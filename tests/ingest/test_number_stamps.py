import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from lstmcast.config import DataConfig
from lstmcast.errors import DataError
from lstmcast.ingest.number_stamps import (
    infer_number_layout,
    is_number_or_bool_column,
    parse_if_all_numbers,
    require_integer_steps,
)
from lstmcast.tables.table import Table


def table_of(values: list[float], name: str = "t") -> Table:
    return Table(pd.DataFrame({name: values}), "frame")


@pytest.mark.parametrize(
    ("texts", "numbers"),
    [
        (["1", "20", "-3"], [1, 20, -3]),
        ([" 1 ", "2"], [1, 2]),
        (["1.5", "2"], [1.5, 2.0]),
        (["2024-01-01", "2024-01-02"], None),
        (["1", "x"], None),
        (["0130", "1130"], None),
        ([], None),
    ],
)
def test_texts_are_numbers_only_if_all_of_them_are_and_lose_no_leading_zero(
    texts: list[str], numbers: list[float] | None
) -> None:
    parsed = parse_if_all_numbers(pa.array(texts, pa.string()))
    assert (None if parsed is None else parsed.tolist()) == numbers


def test_numbers_and_booleans_are_distinguished_from_texts_and_dates() -> None:
    assert is_number_or_bool_column(pd.Series([1, 2]))
    assert is_number_or_bool_column(pd.Series([True, False]))
    assert not is_number_or_bool_column(pd.Series(["1", "2"]))
    assert not is_number_or_bool_column(pd.Series(pd.to_datetime(["2024-01-01"])))


def test_a_requested_layout_counts_more_than_the_range() -> None:
    seconds = np.array([1_700_000_000, 1_700_000_060])
    assert infer_number_layout(seconds, "t", DataConfig(), None) == "s"
    assert infer_number_layout(seconds, "t", DataConfig(date_format="ms"), None) == "ms"


def test_whole_numbers_are_steps_and_a_fraction_is_named_with_its_row() -> None:
    steps = require_integer_steps(table_of([3.0, 4.0]), np.array([3.0, 4.0]), "t")
    assert (steps.tolist(), steps.dtype) == ([3, 4], np.dtype(np.int64))
    with pytest.raises(DataError, match="4.5 is no whole step") as raised:
        require_integer_steps(table_of([3.0, 4.5]), np.array([3.0, 4.5]), "t")
    assert "--date-format" in raised.value.hint


def test_large_numbers_in_a_column_called_date_are_not_taken_for_steps() -> None:
    values = np.array([31122024.0, 1012025.0])
    with pytest.raises(DataError, match="no times that can be recognised"):
        require_integer_steps(table_of([1.0, 2.0], "date"), values, "date")
