"""The door to tables: any file is a table or a clear error, and a large folder a sample."""

import gzip
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmcast.config import DataConfig
from lstmcast.errors import DataError, LstmcastError
from lstmcast.tables.number_columns import to_float_column
from lstmcast.tables.read import read_table
from tests.tables.files import PLAIN, read_error, write_file


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b't,"y\n1,2\n', "a quote is opened here"),
        (b't,y"' + b"x" * 200_000 + b"\n1,2\n", "no header"),
        (b"t,y\n", "has a header but no rows"),
        (b"t,y,y\n1,2,3\n", "column 'y' is there 2 times"),
        (b"t,y\n1,\xe9\n", "byte 6 (0xe9) is not UTF-8"),
        (b"t,y\n1,\0\n", "byte 6 is NUL"),
        ("t,y\n1,2\n".encode("utf-16"), "UTF-16"),
        (gzip.compress(PLAIN.encode() * 99, mtime=0)[:-20], "damaged or cut short"),
        (b"PAR1" + b"\0" * 40, "damaged or cut short"),
        (b"ARROW1" + b"\0" * 40, "damaged or cut short"),
        (b"\x28\xb5\x2f\xfd" + b"\1" * 40, "damaged or cut short"),
    ],
)
def test_a_file_that_is_no_table_is_refused_with_the_reason(
    tmp_path: Path, data: bytes, message: str
) -> None:
    error = read_error(tmp_path, data)
    assert message in error.message
    assert error.hint


def test_a_missing_file_names_a_near_one(tmp_path: Path) -> None:
    write_file(tmp_path, PLAIN, "prices.csv")
    with pytest.raises(DataError) as caught:
        read_table(tmp_path / "price.csv")
    assert caught.value.hint == "did you mean 'prices.csv'?"


def test_a_folder_without_parquet_says_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="without Parquet"):
        read_table(tmp_path)
    write_file(tmp_path, PLAIN, "prices.csv")
    with pytest.raises(DataError, match="a folder of 1 text files") as caught:
        read_table(tmp_path)
    assert "prices.csv" in caught.value.hint


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.text('ty,;\t"\r\n 0123456789.-NA\ufeff', max_size=80).map(str.encode),
    )
)
def test_any_bytes_give_a_table_or_a_clear_error(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = write_file(tmp_path_factory.mktemp("fuzz"), data)
    try:
        table = read_table(path)
        for column in table.frame:
            to_float_column(table, str(column))
    except LstmcastError as error:
        assert error.message
        assert error.hint


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.text("ab,;\"\n\r '", max_size=6),
            st.floats(allow_nan=False, allow_infinity=False),
        ),
        min_size=1,
    )
)
def test_quoted_cells_come_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, float]]
) -> None:
    frame = pd.DataFrame(rows, columns=["note", "y"])
    path = tmp_path_factory.mktemp("fuzz") / "data.csv"
    frame.to_csv(path, index=False, quoting=2)
    table = read_table(path, DataConfig(delimiter=",", decimal="."))
    assert table.verbatim("note").tolist() == frame["note"].tolist()
    assert to_float_column(table, "y").tolist() == frame["y"].tolist()
    lines = path.read_bytes()
    for row in range(len(frame)):
        line = int(table.locate(row).rpartition(":")[2])
        assert 2 <= line <= lines.count(b"\n") + lines.count(b"\r") + 1
