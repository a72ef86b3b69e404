"""Files and streams to tables: dialects, compression, types, and errors that name the line."""

import gzip
import io
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmcast.config import DataConfig
from lstmcast.errors import DataError, LstmcastError, UsageError
from lstmcast.tables.number_columns import to_float_column
from lstmcast.tables.read import read_table
from lstmcast.tables.table import Table


def written(folder: Path, data: bytes | str, name: str = "data.csv") -> Path:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def values(folder: Path, data: bytes | str, column: str = "y") -> list[float]:
    return to_float_column(read_table(written(folder, data)), column).tolist()


def failure(folder: Path, data: bytes | str, config: DataConfig = DataConfig()) -> DataError:  # noqa: B008
    with pytest.raises(DataError) as caught:
        to_float_column(read_table(written(folder, data), config), "y")
    return caught.value


PLAIN = "t,y\n1,1.5\n2,-2\n3,1e3\n"


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
    + ["semicolon and decimal comma", "comma and decimal comma", "spaces around values"],
)
def test_the_same_table_is_read_from_every_dialect(tmp_path: Path, data: str) -> None:
    assert values(tmp_path, data) == [1.5, -2, 1000]


def test_what_was_found_out_is_noted(tmp_path: Path) -> None:
    assert read_table(written(tmp_path, "t;y\n1;1,5\n")).notes == (
        "semicolon-separated",
        "decimal comma",
    )
    assert read_table(written(tmp_path, "\ufefft,y\n1,2\n")).notes == ("byte-order mark skipped",)
    assert read_table(written(tmp_path, PLAIN)).notes == ()


def test_text_tables_keep_every_cell_as_text(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "id,y\n007,1\nNA,2\n"))
    assert table.text
    assert table.frame["id"].tolist()[0] == "007"
    assert table.frame["id"].isna().tolist() == [False, True]
    assert table.verbatim("id").tolist() == ["007", "NA"]


def test_missing_markers_become_missing_numbers(tmp_path: Path) -> None:
    found = values(tmp_path, "t,y\n1,\n2,NA\n3,nan\n4,#N/A\n5,5\n")
    assert np.isnan(found[:4]).all()
    assert found[4] == 5


def test_own_missing_markers_can_be_given(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "t,y\n1,-\n2,2\n"), DataConfig(na=("-",)))
    assert np.isnan(to_float_column(table, "y")[0])


def test_true_and_false_and_yes_and_no_are_one_and_zero(tmp_path: Path) -> None:
    assert values(tmp_path, "t,y\n1,TRUE\n2,false\n") == [1, 0]
    assert values(tmp_path, "t,y\n1,no\n2,Yes\n") == [0, 1]


def test_an_empty_line_of_a_single_column_is_a_missing_value(tmp_path: Path) -> None:
    assert np.isnan(values(tmp_path, "y\n1\n\n3\n\n")).tolist() == [False, True, False]


def test_gzip_and_zstd_are_known_by_content(tmp_path: Path) -> None:
    data = PLAIN.encode()
    packed = pa.Codec("zstd").compress(data, asbytes=True)
    for bytes_, note in ((gzip.compress(data), "gzip-compressed"), (packed, "zstd-compressed")):
        table = read_table(written(tmp_path, bytes_))
        assert to_float_column(table, "y").tolist() == [1.5, -2, 1000]
        assert note in table.notes


def test_parquet_and_arrow_are_known_by_content(tmp_path: Path) -> None:
    table = pa.table({"t": [1, 2], "y": [1.5, None]})
    pq.write_table(table, tmp_path / "parquet.csv")
    with (
        pa.OSFile(str(tmp_path / "arrow.csv"), "wb") as sink,
        pa.ipc.new_file(sink, table.schema) as writer,
    ):
        writer.write_table(table)
    with (
        pa.OSFile(str(tmp_path / "stream.csv"), "wb") as sink,
        pa.ipc.new_stream(sink, table.schema) as writer,
    ):
        writer.write_table(table)
    for name in ("parquet.csv", "arrow.csv", "stream.csv"):
        read = read_table(tmp_path / name)
        assert not read.text
        assert read.frame["t"].dtype == np.int64
        assert to_float_column(read, "y")[0] == 1.5
        assert read.locate(16).endswith(f"{name} row 16")


def test_a_folder_and_a_glob_of_parquet_are_one_table(tmp_path: Path) -> None:
    for part in range(3):
        pq.write_table(
            pa.table({"t": [part], "y": [float(part)]}), tmp_path / f"part{part}.parquet"
        )
    assert to_float_column(read_table(tmp_path), "y").tolist() == [0, 1, 2]
    assert to_float_column(read_table(f"{tmp_path}/part[12].parquet"), "y").tolist() == [1, 2]


def test_a_dash_reads_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(PLAIN.encode())))
    table = read_table("-")
    assert table.name == "stdin"
    assert table.locate(0) == "stdin:2"


def test_a_value_that_is_no_number_is_named_with_line_column_and_count(tmp_path: Path) -> None:
    error = failure(tmp_path, "t,y\n1,1\n2,abc\n3,-\n4,-\n")
    assert (
        "data.csv:3: column 'y': 'abc' is not a number (and 2 more: '-' 2 times, 'abc')"
        in error.message
    )
    assert "--na abc" in error.hint


@pytest.mark.parametrize(
    "value", ["inf", "-Infinity", "1e400", "1_000", "0x10", "12 34", "--", "1,234.5"]
)
def test_what_is_not_a_finite_decimal_number_is_refused(tmp_path: Path, value: str) -> None:
    assert "data.csv:3" in failure(tmp_path, f't,y\n1,1\n2,"{value}"\n3,4\n').message


def test_a_thousands_separator_is_not_taken_for_a_decimal_comma(tmp_path: Path) -> None:
    error = failure(tmp_path, "t;y\n1;1,234\n2;5,678\n")
    assert "'1,234' is not a number" in error.message
    assert (
        error.hint
        == "if the comma separates thousands, add --thousands ,; if that is a decimal comma, --decimal ,"
    )
    path = written(tmp_path, "t;y\n1;1,234\n")
    assert to_float_column(read_table(path, DataConfig(decimal=",")), "y").tolist() == [1.234]
    assert to_float_column(read_table(path, DataConfig(thousands=",")), "y").tolist() == [1234]


def test_lines_are_right_after_quoted_newlines_and_empty_lines(tmp_path: Path) -> None:
    error = failure(tmp_path, 't,note,y\n1,"two\nlines",1\n\n2,x,1\n3,"a\nb\nc",bad\n')
    assert "data.csv:6: " in error.message


def test_a_row_of_another_width_is_refused_with_its_line(tmp_path: Path) -> None:
    short = failure(tmp_path, "t,y\n1,1\n2\n3,1,5\n")
    assert (
        "data.csv:3: 1 value where the header names 2 columns (and 1 more such lines)"
        in short.message
    )
    assert "decimal commas" in failure(tmp_path, "t,y\n1,1,5\n2,2,5\n").hint


def test_an_open_quote_is_refused_with_its_line(tmp_path: Path) -> None:
    assert "data.csv:3: a quote is opened" in failure(tmp_path, 't,y\n1,1\n"2,1\n3,1\n').message


def test_a_quote_inside_a_cell_is_text(tmp_path: Path) -> None:
    path = written(tmp_path, 'pipe,y\n5" wide,1\nthin,2\n')
    assert read_table(path).frame["pipe"].tolist() == ['5" wide', "thin"]
    path = written(tmp_path, '5" pipe,y\nx,1\n')
    assert list(read_table(path).frame) == ['5" pipe', "y"]


@pytest.mark.parametrize(
    ("data", "said"),
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
    tmp_path: Path, data: bytes, said: str
) -> None:
    error = failure(tmp_path, data)
    assert said in error.message
    assert error.hint


def test_a_given_encoding_is_used(tmp_path: Path) -> None:
    path = written(tmp_path, "café,y\n1,2\n".encode("latin-1"))
    assert "café" in read_table(path, DataConfig(encoding="latin-1")).frame
    path = written(tmp_path, "t,y\n1,2\n".encode("utf-16"))
    assert to_float_column(read_table(path, DataConfig(encoding="utf-16")), "y").tolist() == [2]
    with pytest.raises(UsageError, match="not known"):
        read_table(path, DataConfig(encoding="klingon"))


def test_a_given_delimiter_is_used(tmp_path: Path) -> None:
    assert list(
        read_table(written(tmp_path, "a,b;y\n1,2;3\n"), DataConfig(delimiter=";")).frame
    ) == ["a,b", "y"]
    assert "--delimiter" in failure(tmp_path, "a,b;y\n1,2;3\n").hint


def test_a_missing_file_names_a_near_one(tmp_path: Path) -> None:
    written(tmp_path, PLAIN, "prices.csv")
    with pytest.raises(DataError) as caught:
        read_table(tmp_path / "price.csv")
    assert caught.value.hint == "did you mean 'prices.csv'?"


def test_a_folder_without_parquet_says_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="without Parquet"):
        read_table(tmp_path)
    written(tmp_path, PLAIN, "prices.csv")
    with pytest.raises(DataError, match="a folder of 1 text files") as caught:
        read_table(tmp_path)
    assert "prices.csv" in caught.value.hint


def test_a_missing_column_names_a_near_one(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read_table(written(tmp_path, "date,price\n2020-01-01,2\n")).require(("pric",))
    assert caught.value.hint == "did you mean 'price'?"


def test_typed_columns_become_numbers_and_dates_do_not() -> None:
    frame = pd.DataFrame(
        {"i": [1, 2], "b": [True, False], "n": pd.array([1, None], "Int64"), "d": ["1.5", "NaN"]}
    )
    table = Table(frame.assign(when=pd.to_datetime(["2020", "2021"]), d=["1.5", None]), "frame")
    assert to_float_column(table, "b").tolist() == [1, 0]
    assert np.isnan(to_float_column(table, "n")[1])
    assert to_float_column(table, "d")[0] == 1.5
    with pytest.raises(DataError, match="holds dates"):
        to_float_column(table, "when")
    with pytest.raises(DataError, match="row 1: column 'x': 'inf' is infinite"):
        to_float_column(Table(pd.DataFrame({"x": [1.0, np.inf]}), "frame"), "x")


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
    path = written(tmp_path_factory.mktemp("fuzz"), data)
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
            st.text("ab,;\"\n\r '", max_size=6), st.floats(allow_nan=False, allow_infinity=False)
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


ROWS = [f"2024-01-{day:02},{day}" for day in range(1, 32)]


@pytest.mark.parametrize(
    ("texts", "thousands", "decimal"),
    [
        (["1.234,50 €", "987,25 €"], ".", ","),
        (["$1,234.50", "$987.25"], ",", "."),
        (["1’234.50", "987.25"], "'", "."),
        (["1\u202f234,50", "987,25"], " ", ","),
        (["1,234.50%", "987.25 %"], ",", "."),
    ],
)
def test_numbers_are_read_with_the_signs_that_all_of_them_carry(
    tmp_path: Path, texts: list[str], thousands: str, decimal: str
) -> None:
    path = written(
        tmp_path, "t;y\n" + "".join(f"{place};{text}\n" for place, text in enumerate(texts))
    )
    table = read_table(path, DataConfig(thousands=thousands, decimal=decimal))
    assert to_float_column(table, "y").tolist() == [1234.5, 987.25]


def test_thousands_are_grouped_as_in_india_where_their_mark_is_given(tmp_path: Path) -> None:
    path = written(tmp_path, 't,y\n1,"12,34,567.5"\n2,"1,234"\n')
    assert to_float_column(read_table(path, DataConfig(thousands=",")), "y").tolist() == [
        1234567.5,
        1234,
    ]


def test_a_sign_that_only_some_numbers_carry_is_refused(tmp_path: Path) -> None:
    assert "'5%' is not a number" in failure(tmp_path, "t,y\n1,5%\n2,6\n3,7%\n").message
    assert "'$5' is not a number" in failure(tmp_path, "t,y\n1,$5\n2,€6\n3,$7\n").message


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("1.234.567,50", "--thousands . --decimal ,"),
        ("1.234,50 €", "--thousands . --decimal ,"),
        ("1'234.50", '--thousands "\'"'),
        ("1’234.50", '--thousands "\'"'),
        ("1\u00a0234,50", "--thousands ' ' --decimal ,"),
        ("$1,234.50", "--thousands ,"),
        ("(15)", "write a minus sign"),
    ],
)
def test_an_error_says_how_such_a_number_is_read(tmp_path: Path, text: str, hint: str) -> None:
    assert hint in failure(tmp_path, f"t;y\n1;{text}\n2;{text}\n").hint


def test_units_or_a_second_header_below_the_names_are_told_from_bad_values(tmp_path: Path) -> None:
    error = failure(tmp_path, "\n".join(["date,y", "day,kWh", *ROWS]))
    assert error.message.endswith("data.csv:2: column 'y': 'kWh' is not a number")
    assert "if line 2 holds units or a second header" in error.hint and "sed 2d " in error.hint
    error = failure(tmp_path, "\n".join(["date,y", *ROWS, "mean,16 kWh", "max,31 kWh"]))
    assert "if lines 33 to 34 hold totals or remarks" in error.hint and "sed 33,34d " in error.hint
    assert (
        "--na closed"
        in failure(tmp_path, "\n".join(["date,y", *ROWS[:9], "2024-01-10,closed", *ROWS[10:]])).hint
    )


def test_lines_above_the_names_are_told_from_short_rows(tmp_path: Path) -> None:
    error = failure(tmp_path, "\n".join(["Sales of 2024", "by the office", "", "date,y", *ROWS]))
    assert "data.csv:4: 2 values, as in most lines, where line 1 has 1" in error.message
    assert "tail -n +4 " in error.hint


def test_lines_that_end_in_a_separator_are_told_from_wide_rows(tmp_path: Path) -> None:
    error = failure(tmp_path, "\n".join(["date,y", *(f"{row}," for row in ROWS)]))
    assert "sed '1s/\\r*$/,/' " in error.hint


@pytest.mark.parametrize("below", ["", "2024-02-01,32,\n2024-02-02,bad,\n"])
def test_empty_rows_that_a_sheet_leaves_behind_are_left_out_and_said(
    tmp_path: Path, below: str
) -> None:
    text = "\n".join(["date,y,z", *(f"{row},0" for row in ROWS), ",,", ",,\r", below])
    table = read_table(written(tmp_path, text))
    assert "empty rows left out: 2" in table.notes
    assert len(table) == (33 if below else 31)
    if below:
        assert "data.csv:36: column 'y': 'bad'" in failure(tmp_path, text).message


def test_the_line_by_which_spreadsheets_name_the_separator_is_heeded(tmp_path: Path) -> None:
    text = "sep=;\r\nt;y\r\n1;2,5\r\n2;x\r\n"
    table = read_table(written(tmp_path, text))
    assert (table.names, "semicolon-separated" in table.notes) == (["t", "y"], True)
    assert "data.csv:4: column 'y': 'x'" in failure(tmp_path, text).message
    assert values(tmp_path, text.replace("x", "3")) == [2.5, 3]


def test_points_that_may_stand_between_thousands_are_said(tmp_path: Path) -> None:
    rows = "".join(f"{day};{day}.{500 + day}\n" for day in range(1, 20))
    note = "numbers like 1.501 have decimals: if the point separates thousands, add --thousands ."
    assert note in read_table(written(tmp_path, "t;y\n" + rows)).notes
    assert note not in read_table(written(tmp_path, "t;y\n" + rows + "20;20.5\n")).notes
    given = read_table(written(tmp_path, "t;y\n" + rows), DataConfig(thousands="."))
    assert to_float_column(given, "y")[0] == 1501


def test_lines_are_right_in_files_of_old_macs(tmp_path: Path) -> None:
    assert "data.csv:3: column 'y': 'x'" in failure(tmp_path, "t,y\r1,2\r2,x\r3,4\r").message


def test_columns_that_blanks_separate_are_told_how_to_be_read(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "date        y\n2024-01-01  5\n2024-01-02  6\n"))
    with pytest.raises(DataError) as caught:
        to_float_column(table, table.names[0])
    assert "tr -s ' ' ," in caught.value.hint
