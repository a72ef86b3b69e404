"""Text tables read strictly: encodings, quotes, rows of another width, and lines of faults."""

from pathlib import Path

import pytest

from lstmcast.config import DataConfig
from lstmcast.errors import UsageError
from lstmcast.tables.number_columns import to_float_column
from lstmcast.tables.read import read_table
from tests.tables.files import ROWS, read_error, write_file


def test_lines_are_right_after_quoted_newlines_and_empty_lines(tmp_path: Path) -> None:
    error = read_error(
        tmp_path, 't,note,y\n1,"two\nlines",1\n\n2,x,1\n3,"a\nb\nc",bad\n'
    )
    assert "data.csv:6: " in error.message


def test_a_row_of_another_width_is_refused_with_its_line(tmp_path: Path) -> None:
    short = read_error(tmp_path, "t,y\n1,1\n2\n3,1,5\n")
    assert (
        "data.csv:3: 1 value where the header names 2 columns (and 1 more such lines)"
        in short.message
    )
    assert "decimal commas" in read_error(tmp_path, "t,y\n1,1,5\n2,2,5\n").hint


def test_an_open_quote_is_refused_with_its_line(tmp_path: Path) -> None:
    assert (
        "data.csv:3: a quote is opened"
        in read_error(tmp_path, 't,y\n1,1\n"2,1\n3,1\n').message
    )


def test_a_quote_inside_a_cell_is_text(tmp_path: Path) -> None:
    path = write_file(tmp_path, 'pipe,y\n5" wide,1\nthin,2\n')
    assert read_table(path).frame["pipe"].tolist() == ['5" wide', "thin"]
    path = write_file(tmp_path, '5" pipe,y\nx,1\n')
    assert list(read_table(path).frame) == ['5" pipe', "y"]


def test_an_encoding_that_is_set_is_used(tmp_path: Path) -> None:
    path = write_file(tmp_path, "café,y\n1,2\n".encode("latin-1"))
    assert "café" in read_table(path, DataConfig(encoding="latin-1")).frame
    path = write_file(tmp_path, "t,y\n1,2\n".encode("utf-16"))
    assert to_float_column(
        read_table(path, DataConfig(encoding="utf-16")), "y"
    ).tolist() == [2]
    with pytest.raises(UsageError, match="not known"):
        read_table(path, DataConfig(encoding="klingon"))


def test_lines_above_the_names_are_distinguished_from_short_rows(
    tmp_path: Path,
) -> None:
    error = read_error(
        tmp_path, "\n".join(["Sales of 2024", "by the office", "", "date,y", *ROWS])
    )
    assert "data.csv:4: 2 values, as in most lines, where line 1 has 1" in error.message
    assert "tail -n +4 " in error.hint


def test_lines_that_end_in_a_separator_are_distinguished_from_wide_rows(
    tmp_path: Path,
) -> None:
    error = read_error(tmp_path, "\n".join(["date,y", *(f"{row}," for row in ROWS)]))
    assert "sed '1s/\\r*$/,/' " in error.hint


@pytest.mark.parametrize("below", ["", "2024-02-01,32,\n2024-02-02,bad,\n"])
def test_empty_rows_that_a_spreadsheet_leaves_are_left_out_and_noted(
    tmp_path: Path, below: str
) -> None:
    text = "\n".join(["date,y,z", *(f"{row},0" for row in ROWS), ",,", ",,\r", below])
    table = read_table(write_file(tmp_path, text))
    assert "empty rows left out: 2" in table.notes
    assert len(table) == (33 if below else 31)
    if below:
        assert "data.csv:36: column 'y': 'bad'" in read_error(tmp_path, text).message


def test_lines_are_right_in_files_of_old_macs(tmp_path: Path) -> None:
    assert (
        "data.csv:3: column 'y': 'x'"
        in read_error(tmp_path, "t,y\r1,2\r2,x\r3,4\r").message
    )
