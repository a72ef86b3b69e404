"""Dialects of text tables: delimiter, marks in numbers and header, inferred or set."""

from pathlib import Path

import pytest

from lstmcast.config import DataConfig
from lstmcast.tables.number_columns import to_float_column
from lstmcast.tables.read import read_table
from tests.tables.files import PLAIN, read_error, read_values, write_file


@pytest.mark.parametrize(
    "data",
    [
        PLAIN,
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        "\ufeff" + PLAIN,
        PLAIN.rstrip("\n"),
        PLAIN.replace(",", "\t"),
        PLAIN.replace(",", "|"),
        PLAIN.replace("\n", "\n\n"),
        "\n" + PLAIN,
        PLAIN.replace("t,y", " t , y "),
        't;y\n1;1,5\n2;"-2"\n3;1e3\n',
        't,y\n1,"1,5"\n2,-2\n3,1e3\n',
        't,y\n1," 1.5 "\n2,-2\n3,+1e3\n',
    ],
    ids=[
        "lf",
        "crlf",
        "cr",
        "bom",
        "no last newline",
        "tab",
        "bar",
        "empty lines",
        "empty line first",
        "spaces",
    ]
    + [
        "semicolon and decimal comma",
        "comma and decimal comma",
        "spaces around values",
    ],
)
def test_the_same_table_is_read_from_every_dialect(tmp_path: Path, data: str) -> None:
    assert read_values(tmp_path, data) == [1.5, -2, 1000]


def test_what_was_inferred_is_noted(tmp_path: Path) -> None:
    assert read_table(write_file(tmp_path, "t;y\n1;1,5\n")).notes == (
        "semicolon-separated",
        "decimal comma",
    )
    assert read_table(write_file(tmp_path, "\ufefft,y\n1,2\n")).notes == (
        "byte-order mark skipped",
    )
    assert read_table(write_file(tmp_path, PLAIN)).notes == ()


def test_a_thousands_separator_is_not_taken_for_a_decimal_comma(tmp_path: Path) -> None:
    error = read_error(tmp_path, "t;y\n1;1,234\n2;5,678\n")
    assert "'1,234' is not a number" in error.message
    assert (
        error.hint == "if the comma separates thousands, add --thousands ,;"
        " if that is a decimal comma, --decimal ,"
    )
    path = write_file(tmp_path, "t;y\n1;1,234\n")
    assert to_float_column(read_table(path, DataConfig(decimal=",")), "y").tolist() == [
        1.234
    ]
    assert to_float_column(
        read_table(path, DataConfig(thousands=",")), "y"
    ).tolist() == [1234]


def test_a_delimiter_that_is_set_is_used(tmp_path: Path) -> None:
    assert list(
        read_table(
            write_file(tmp_path, "a,b;y\n1,2;3\n"), DataConfig(delimiter=";")
        ).frame
    ) == ["a,b", "y"]
    assert "--delimiter" in read_error(tmp_path, "a,b;y\n1,2;3\n").hint


def test_the_line_by_which_spreadsheets_name_the_separator_is_heeded(
    tmp_path: Path,
) -> None:
    text = "sep=;\r\nt;y\r\n1;2,5\r\n2;x\r\n"
    table = read_table(write_file(tmp_path, text))
    assert (table.names, "semicolon-separated" in table.notes) == (["t", "y"], True)
    assert "data.csv:4: column 'y': 'x'" in read_error(tmp_path, text).message
    assert read_values(tmp_path, text.replace("x", "3")) == [2.5, 3]


def test_points_that_may_separate_thousands_are_noted(tmp_path: Path) -> None:
    rows = "".join(f"{day};{day}.{500 + day}\n" for day in range(1, 20))
    note = "numbers like 1.501 have decimals: if the point separates thousands, add --thousands ."
    assert note in read_table(write_file(tmp_path, "t;y\n" + rows)).notes
    assert (
        note not in read_table(write_file(tmp_path, "t;y\n" + rows + "20;20.5\n")).notes
    )
    table = read_table(write_file(tmp_path, "t;y\n" + rows), DataConfig(thousands="."))
    assert to_float_column(table, "y")[0] == 1501
