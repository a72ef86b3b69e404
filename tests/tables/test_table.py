"""A table's columns as text, codes and units, and where its rows stand."""

from pathlib import Path

import pytest

from lstmcast.errors import DataError
from lstmcast.tables.read import read_table
from tests.tables.files import write_file


def test_text_tables_keep_every_cell_as_text(tmp_path: Path) -> None:
    table = read_table(write_file(tmp_path, "id,y\n007,1\nNA,2\n"))
    assert table.text
    assert table.frame["id"].tolist()[0] == "007"
    assert table.frame["id"].isna().tolist() == [False, True]
    assert table.verbatim("id").tolist() == ["007", "NA"]


def test_a_missing_column_names_a_near_one(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read_table(write_file(tmp_path, "date,price\n2020-01-01,2\n")).require(("pric",))
    assert caught.value.hint == "did you mean 'price'?"
