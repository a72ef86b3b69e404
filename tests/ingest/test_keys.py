"""Which series a row belongs to."""

import numpy as np
import pandas as pd
import pytest

from lstmcast.errors import DataError
from lstmcast.ingest.keys import factorize_keys
from lstmcast.tables.table import Table

FRAME = pd.DataFrame(
    {"shop": ["b", "a", "b", "a"], "item": [7, 7, 8, 7], "hole": ["x", None] * 2}
)


def test_codes_count_up_in_the_order_of_first_appearance() -> None:
    codes, keys = factorize_keys(Table(FRAME, "frame"), ["shop"])
    assert codes.tolist() == [0, 1, 0, 1]
    assert keys.keys == [("b",), ("a",)]


def test_several_columns_make_one_key_and_keep_their_types() -> None:
    codes, keys = factorize_keys(Table(FRAME, "frame"), ["shop", "item"])
    assert codes.tolist() == [0, 1, 2, 1]
    assert keys.keys == [("b", "7"), ("a", "7"), ("b", "8")]
    assert (keys.names, keys.types) == (("shop", "item"), ("str", "int64"))
    assert list(keys.labels()) == ["b/7", "a/7", "b/8"]


def test_without_key_columns_there_is_one_series_without_a_name() -> None:
    codes, keys = factorize_keys(Table(FRAME, "frame"), [])
    assert np.array_equal(codes, np.zeros(4))
    assert (keys.keys, keys.label(0)) == ([()], "the series")


def test_a_row_without_a_key_is_refused_with_its_place_and_count() -> None:
    with pytest.raises(
        DataError, match=r"column 'hole': the series has no name \(and 1 more\)"
    ):
        factorize_keys(Table(FRAME, "frame"), ["hole"])
