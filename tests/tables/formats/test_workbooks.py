import datetime as dt
import io
import zipfile
from pathlib import Path

import pandas as pd
import pytest
import xlsxwriter

from lstmcast.config import Columns, DataConfig
from lstmcast.errors import DataError, ResourceError, UsageError
from lstmcast.panel.panel import Panel
from lstmcast.tables.read import read_bytes, read_table
from tests.conftest import ROOT

PRICES = ROOT / "sample_data" / "price.csv"


def write_prices(place: Path, engine: str) -> Path:
    frame = pd.read_csv(PRICES, parse_dates=["date"])
    with pd.ExcelWriter(place, engine=engine) as writer:  # type: ignore[arg-type]
        frame.to_excel(writer, sheet_name="prices", index=False)
        frame.head(3).to_excel(writer, sheet_name="few", index=False)
    return place


@pytest.mark.parametrize(
    ("name", "engine", "kind"),
    [
        ("x.xlsx", "xlsxwriter", "Excel workbook"),
        ("x.ods", "odf", "OpenDocument sheet"),
    ],
)
def test_a_real_workbook_gives_the_same_panel_as_its_csv(
    name: str, engine: str, kind: str, tmp_path: Path
) -> None:
    place = write_prices(tmp_path / name, engine)
    table = read_table(place)
    assert table.notes == (f"{kind}, sheet 'prices' of 2",)
    columns = Columns(("price",))
    panel = Panel.from_table(table, columns, DataConfig())
    csv = Panel.from_table(read_table(PRICES), columns, DataConfig())
    assert panel.values.tolist() == csv.values.tolist()
    assert (panel.axis.freq, panel.columns.time) == ("D", ("date",))
    assert len(read_table(f"{place}::few")) == 3
    assert len(read_bytes(place.read_bytes(), "stdin")) == len(table)


def workbook(*rows: list[object], sheet: str = "Sheet1") -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        opened = book.add_worksheet(sheet)
        for number, row in enumerate(rows):
            opened.write_row(number, 0, row)
    return buffer.getvalue()


def test_empty_rows_and_columns_around_a_table_are_no_part_of_it() -> None:
    data = workbook([], ["", "day", "", "sold"], [], ["", "2024-01-01", "", 5])
    table = read_bytes(data, "x.xlsx")
    assert table.names == ["day", "sold"]
    assert table.frame["sold"].tolist() == [5]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([["day", "sold"]], "has no rows below a line of names"),
        ([["Sales 2024"], ["day", "sold"], [1, 2]], "1 of 2 columns have no name"),
        ([["a", "a"], [1, 2]], "'a' is there more than once"),
    ],
)
def test_a_sheet_that_is_no_table_is_refused(
    rows: list[list[object]], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        read_bytes(workbook(*rows), "x.xlsx")


def test_a_sheet_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.xlsx").write_bytes(workbook(["a"], [1], sheet="Sales"))
    with pytest.raises(DataError, match="has no sheet 'Sale'") as caught:
        read_table(f"{tmp_path}/x.xlsx::Sale")
    assert caught.value.hint == "did you mean 'Sales'?"


def test_a_part_of_a_file_without_parts_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UsageError, match="only workbooks and databases have parts"):
        read_table(f"{tmp_path}/x.csv::Sale")


def test_damaged_and_foreign_archives_are_refused() -> None:
    data = workbook(["a"], [1])
    with pytest.raises(DataError, match="damaged|no workbook"):
        read_bytes(data[: len(data) // 2], "x.xlsx")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("x.csv", "a,b")
    with pytest.raises(DataError, match="a zip archive, and no workbook"):
        read_bytes(buffer.getvalue(), "x.zip")
    with pytest.raises(DataError, match="damaged"):
        read_bytes(b"\xd0\xcf\x11\xe0" + bytes(600), "x.xls")


def test_what_unpacks_to_more_than_is_allowed_is_refused_before_it_is_unpacked() -> (
    None
):
    rows = [["day", "note"], *(["2024-01-01", "x" * 200] for _ in range(500))]
    data = workbook(*rows)
    limit = DataConfig(max_bytes=len(data) + 1000)
    with pytest.raises(ResourceError, match="max.bytes"):
        read_bytes(data, "x.xlsx", limit)


def test_days_and_times_keep_their_kind() -> None:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        form = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        sheet.write_row(0, 0, ["when", "v"])
        for row in range(1, 30):
            stamp = dt.datetime(2024, 1, 1) + dt.timedelta(hours=row)
            sheet.write_datetime(row, 0, stamp, form)
            sheet.write(row, 1, row)
    table = read_bytes(buffer.getvalue(), "x.xlsx")
    panel = Panel.from_table(table, Columns(("v",)), DataConfig())
    assert panel.axis.freq == "h"
