"""A table's columns as text, codes and units, and where its rows stand."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from lstmcast.errors import DataError
from lstmcast.tables.read import read_table
from lstmcast.tables.table import Table, to_text_array
from tests.tables.files import write_file


def test_text_tables_keep_every_cell_as_text(tmp_path: Path) -> None:
    table = read_table(write_file(tmp_path, "id,y\n007,1\nNA,2\n"))
    assert table.is_text
    assert table.frame["id"].tolist()[0] == "007"
    assert table.frame["id"].isna().tolist() == [False, True]
    assert table.verbatim("id").tolist() == ["007", "NA"]


def test_a_missing_column_names_a_near_one(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read_table(write_file(tmp_path, "date,price\n2020-01-01,2\n")).require(
            ("pric",)
        )
    assert caught.value.hint == "did you mean 'price'?"


def test_codes_count_up_in_the_order_of_first_appearance(tmp_path: Path) -> None:
    text = read_table(write_file(tmp_path, "id,k,y\nb,7,1\na,7,2\nb,3,3\n"))
    assert text.codes("id").codes.tolist() == [0, 1, 0]
    assert text.codes("id").labels == ["b", "a"]
    assert text.codes("k")[1:] == (["7", "3"], "str")
    typed = Table(pa.table({"id": ["b", None, "a", "b"], "k": [7, 7, 3, 9]}), "arrow")
    assert typed.codes("id").codes.tolist() == [0, -1, 1, 0]
    assert typed.codes("k")[1:] == (["7", "3", "9"], "int64")


def test_a_unit_sign_is_that_of_every_cell(tmp_path: Path) -> None:
    table = read_table(write_file(tmp_path, "a,b,c,y\n$5,5%,$1,1\n$6,6 %,2,2\n"))
    assert [table.unit_sign(name) for name in table.names] == ["$", "%", "", ""]


def test_typed_columns_are_handed_out_as_they_are_stored() -> None:
    days = pa.array([0, 1], pa.date32())
    stamps = pa.array([0, 1_000_000], pa.timestamp("us"))
    zoned = pa.array([0, 1], pa.timestamp("us", "UTC"))
    columns = {
        "i": [1, 2],
        "gap": [1, None],
        "b": [True, None],
        "d": days,
        "s": stamps,
        "z": zoned,
    }
    table = Table(pa.table(columns), "arrow")
    assert [table.stored_integers(name) is not None for name in columns] == [True] + [
        False
    ] * 5
    assert table.stored_numbers("b").tolist()[0] == 1  # type: ignore[union-attr]
    assert np.isnan(table.stored_numbers("gap")).tolist() == [False, True]  # type: ignore[arg-type]
    found = {name: table.stored_timestamps(name) for name in columns}
    assert {name for name, read in found.items() if read is not None} == {"d", "s"}
    instants, form = table.stored_timestamps("d")  # type: ignore[misc]
    assert (instants.tolist(), form.kind) == ([0, 86_400_000_000], "date")


@pytest.mark.parametrize("values", [[np.nan] * 3, [np.nan, 1.5], [], ["a", None]])
def test_a_column_is_one_array_of_text_whatever_is_missing(
    values: list[object],
) -> None:
    array = to_text_array(pd.Series(values, dtype=None if values else "float64"))
    assert array.type == pa.large_string()
    wanted = [None if pd.isna(value) else str(value) for value in values]
    assert array.to_pylist() == wanted


def test_names_that_are_joined_by_commas_are_told_from_a_wrong_one() -> None:
    table = Table(pa.table({"a": [1], "b": [2]}), "a.csv")
    with pytest.raises(DataError, match="no column 'a,b'.*once for each of several"):
        table.require(("a,b",))
    with pytest.raises(DataError) as missing:
        table.require(("c",))
    assert "once for each" not in str(missing.value)
