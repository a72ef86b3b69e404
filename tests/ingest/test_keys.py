"""Which series a row belongs to."""

import numpy as np
import pandas as pd
import pyarrow as pa
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


@pytest.mark.parametrize(
    "column",
    [
        pd.Series(["a", None, "b", "a"], dtype="category"),
        pd.Series([1, None, 2, 1], dtype="category"),
        pd.Series(["a", None, "b", "a"], dtype=object),
        pd.Series(["a", np.nan, "b", "a"], dtype="str"),
        pd.Series([1, None, 2, 1], dtype="Int64"),
        pd.Series([1.0, np.nan, 2.0, 1.0]),
    ],
    ids=["categories", "coded numbers", "objects", "texts", "integers", "floats"],
)
def test_a_missing_key_is_no_series_called_nan_whatever_its_type(
    column: pd.Series,
) -> None:
    frame = pd.DataFrame({"id": column, "y": [1.0, 2.0, 3.0, 4.0]})
    arrow = pa.Table.from_pandas(frame)
    for table, place in ((Table(frame, "f"), "f"), (Table(arrow, "t"), "t")):
        with pytest.raises(DataError, match=f"{place} row 1: column 'id'.*no name"):
            factorize_keys(table, ("id",))
        codes = table.codes("id")
        assert codes.codes.tolist() == [0, -1, 1, 0]
        assert not {"nan", "None", "<NA>"} & set(codes.labels)
