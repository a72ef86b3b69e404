"""Columns as numbers: booleans, units, separators, and what an error advises."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lstmcast.config import DataConfig
from lstmcast.errors import DataError
from lstmcast.tables.number_columns import to_float_column
from lstmcast.tables.read import read_table
from lstmcast.tables.table import Table
from tests.tables.files import ROWS, read_error, read_values, write_file


def test_missing_markers_become_missing_numbers(tmp_path: Path) -> None:
    numbers = read_values(tmp_path, "t,y\n1,\n2,NA\n3,nan\n4,#N/A\n5,5\n")
    assert np.isnan(numbers[:4]).all()
    assert numbers[4] == 5


def test_markers_of_missing_values_can_be_set(tmp_path: Path) -> None:
    table = read_table(write_file(tmp_path, "t,y\n1,-\n2,2\n"), DataConfig(na=("-",)))
    assert np.isnan(to_float_column(table, "y")[0])


def test_true_and_false_and_yes_and_no_are_one_and_zero(tmp_path: Path) -> None:
    assert read_values(tmp_path, "t,y\n1,TRUE\n2,false\n") == [1, 0]
    assert read_values(tmp_path, "t,y\n1,no\n2,Yes\n") == [0, 1]


def test_an_empty_line_of_a_single_column_is_a_missing_value(tmp_path: Path) -> None:
    assert np.isnan(read_values(tmp_path, "y\n1\n\n3\n\n")).tolist() == [
        False,
        True,
        False,
    ]


def test_a_value_that_is_no_number_is_named_with_line_column_and_count(
    tmp_path: Path,
) -> None:
    error = read_error(tmp_path, "t,y\n1,1\n2,abc\n3,-\n4,-\n")
    assert (
        "data.csv:3: column 'y': 'abc' is not a number (and 2 more: '-' 2 times, 'abc')"
        in error.message
    )
    assert "--na abc" in error.hint


@pytest.mark.parametrize(
    "value", ["inf", "-Infinity", "1e400", "1_000", "0x10", "12 34", "--", "1,234.5"]
)
def test_what_is_not_a_finite_decimal_number_is_refused(
    tmp_path: Path, value: str
) -> None:
    assert "data.csv:3" in read_error(tmp_path, f't,y\n1,1\n2,"{value}"\n3,4\n').message


def test_typed_columns_become_numbers_and_dates_do_not() -> None:
    frame = pd.DataFrame(
        {
            "i": [1, 2],
            "b": [True, False],
            "n": pd.array([1, None], "Int64"),
            "d": ["1.5", "NaN"],
        }
    )
    table = Table(
        frame.assign(when=pd.to_datetime(["2020", "2021"]), d=["1.5", None]), "frame"
    )
    assert to_float_column(table, "b").tolist() == [1, 0]
    assert np.isnan(to_float_column(table, "n")[1])
    assert to_float_column(table, "d")[0] == 1.5
    with pytest.raises(DataError, match="holds dates"):
        to_float_column(table, "when")
    with pytest.raises(DataError, match="row 1: column 'x': 'inf' is infinite"):
        to_float_column(Table(pd.DataFrame({"x": [1.0, np.inf]}), "frame"), "x")


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
def test_numbers_are_read_with_the_unit_sign_that_all_of_them_carry(
    tmp_path: Path, texts: list[str], thousands: str, decimal: str
) -> None:
    path = write_file(
        tmp_path,
        "t;y\n" + "".join(f"{place};{text}\n" for place, text in enumerate(texts)),
    )
    table = read_table(path, DataConfig(thousands=thousands, decimal=decimal))
    assert to_float_column(table, "y").tolist() == [1234.5, 987.25]


def test_thousands_are_grouped_as_in_india_where_their_mark_is_given(
    tmp_path: Path,
) -> None:
    path = write_file(tmp_path, 't,y\n1,"12,34,567.5"\n2,"1,234"\n')
    assert to_float_column(
        read_table(path, DataConfig(thousands=",")), "y"
    ).tolist() == [
        1234567.5,
        1234,
    ]


def test_a_unit_sign_that_only_some_numbers_carry_is_refused(tmp_path: Path) -> None:
    assert (
        "'5%' is not a number" in read_error(tmp_path, "t,y\n1,5%\n2,6\n3,7%\n").message
    )
    assert (
        "'$5' is not a number"
        in read_error(tmp_path, "t,y\n1,$5\n2,€6\n3,$7\n").message
    )


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
def test_an_error_says_how_such_a_number_is_read(
    tmp_path: Path, text: str, hint: str
) -> None:
    assert hint in read_error(tmp_path, f"t;y\n1;{text}\n2;{text}\n").hint


def test_units_or_a_second_header_are_distinguished_from_bad_values(
    tmp_path: Path,
) -> None:
    error = read_error(tmp_path, "\n".join(["date,y", "day,kWh", *ROWS]))
    assert error.message.endswith("data.csv:2: column 'y': 'kWh' is not a number")
    assert (
        "if line 2 holds units or a second header" in error.hint
        and "sed 2d " in error.hint
    )
    error = read_error(
        tmp_path, "\n".join(["date,y", *ROWS, "mean,16 kWh", "max,31 kWh"])
    )
    assert (
        "if lines 33 to 34 hold totals or remarks" in error.hint
        and "sed 33,34d " in error.hint
    )
    assert (
        "--na closed"
        in read_error(
            tmp_path, "\n".join(["date,y", *ROWS[:9], "2024-01-10,closed", *ROWS[10:]])
        ).hint
    )


def test_an_error_says_how_columns_that_blanks_separate_are_read(
    tmp_path: Path,
) -> None:
    table = read_table(
        write_file(tmp_path, "date        y\n2024-01-01  5\n2024-01-02  6\n")
    )
    with pytest.raises(DataError) as caught:
        to_float_column(table, table.names[0])
    assert "tr -s ' ' ," in caught.value.hint
