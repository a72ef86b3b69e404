"""Rows of a table in their order: nothing is laid on a grid, filled in or left out."""

import numpy as np
import pandas as pd
import pytest

from lstmcast import Columns, DataConfig, DataError
from lstmcast.monitoring.watch.rows import OrderedRows, read_ordered_rows
from lstmcast.tables.read import read_bytes
from lstmcast.tables.table import Table

IRREGULAR = """\
when,cpu
2024-05-01 10:03,1
2024-05-01 10:00,2
2024-05-01 10:00,NA
2024-05-04 23:59,4
"""


def read(text: str, target: str = "cpu", **options: object) -> OrderedRows:
    roles = {"series": options.pop("series", ())}
    config = DataConfig(**options)  # type: ignore[arg-type]
    columns = Columns(target=tuple(target.split()), **roles)  # type: ignore[arg-type]
    return read_ordered_rows(
        read_bytes(text.encode(), "x.csv", config), columns, config
    )


def test_rows_stay_in_the_order_of_the_file_with_duplicates_and_missing_values() -> (
    None
):
    rows = read(IRREGULAR)
    assert rows.values[[0, 1, 3]].tolist() == [1, 2, 4] and np.isnan(rows.values[2])
    assert rows.order_by_time().tolist() == [1, 2, 0, 3]
    assert rows.columns.time == ("when",)
    assert rows.stamps is not None
    texts = rows.form.texts(rows.stamps)
    assert texts == [line.split(",")[0] for line in IRREGULAR.splitlines()[1:]]


def test_the_targets_of_a_row_stand_side_by_side_as_series() -> None:
    rows = read("when,cpu,ram\n2024-01-01,1,2\n2024-01-03,3,4\n", "cpu ram")
    assert (rows.key_names, rows.keys) == (("target",), (("cpu",), ("ram",)))
    assert rows.codes.tolist() == [0, 1, 0, 1]
    assert rows.values.tolist() == [1, 2, 3, 4]
    assert list(rows.key_columns()["target"]) == ["cpu", "ram", "cpu", "ram"]


def test_series_are_named_by_their_columns_in_the_type_of_the_data() -> None:
    frame = pd.DataFrame({"site": [7, 9, 7], "t": [1, 1, 2], "cpu": [1.0, 2.0, 3.0]})
    columns = Columns(target=("cpu",), series=("site",))
    rows = read_ordered_rows(Table(frame, "frame"), columns)
    assert (rows.keys, rows.codes.tolist()) == ((("7",), ("9",)), [0, 1, 0])
    assert list(rows.key_columns()["site"]) == [7, 9, 7]
    assert rows.form.kind == "step"


def test_rows_without_times_are_in_order() -> None:
    rows = read("cpu\n5\n3\n")
    assert rows.stamps is None and rows.order_by_time().tolist() == [0, 1]
    assert any("no time column" in note for note in rows.notes)


def test_further_rows_are_read_in_the_form_of_those_before() -> None:
    # By itself the second text may be the 3rd of April, too.
    form = read("when,cpu\n25/03/2024,1\n").form
    table = read_bytes(b"when,cpu\n03/04/2024,1\n", "x.csv")
    columns = Columns(target=("cpu",))
    with pytest.raises(DataError, match="03/04/2024"):
        read_ordered_rows(table, columns)
    rows = read_ordered_rows(table, columns, like=form)
    assert rows.stamps is not None
    assert rows.stamps.astype("M8[us]")[0] == np.datetime64("2024-04-03")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("when,cpu\n2024-01-01,1\nsoon,2\n", "'soon' is not a date"),
        ("when,cpu\n2024-01-01,1\n,2\n", "the time is empty"),
        ("when,cpu\n2024-01-01,1\n2024-01-02,x\n", "x.csv:3: column 'cpu'"),
        ("when,ram\n2024-01-01,1\n", "no column 'cpu'"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(text)
