import sqlite3
from contextlib import closing
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from lstmcast.config import Columns, DataConfig
from lstmcast.errors import DataError, ResourceError
from lstmcast.panel.panel import Panel
from lstmcast.tables.read import read_bytes, read_table
from tests.conftest import ROOT

PRICES = ROOT / "sample_data" / "price.csv"


def write_sqlite(place: Path, *tables: str) -> Path:
    frame = pd.read_csv(PRICES)
    with closing(sqlite3.connect(place)) as database:
        for table in tables:
            frame.to_sql(table, database, index=False)
    return place


def write_duckdb(place: Path, *tables: str) -> Path:
    with closing(duckdb.connect(str(place))) as database:
        for name in tables:
            table = name.replace('"', '""')
            database.execute(
                f"CREATE TABLE \"{table}\" AS SELECT * FROM read_csv('{PRICES}')"
            )
    return place


@pytest.mark.parametrize(
    ("write", "kind"), [(write_sqlite, "SQLite"), (write_duckdb, "DuckDB")]
)
def test_a_table_gives_the_same_panel_as_its_csv(
    write: object, kind: str, tmp_path: Path
) -> None:
    place = write(tmp_path / "x.db", "prices")  # type: ignore[operator]
    table = read_table(place)
    assert table.notes == (f"{kind}, table 'prices'",)
    columns = Columns(("price",))
    panel = Panel.from_table(table, columns, DataConfig())
    csv = Panel.from_table(read_table(PRICES), columns, DataConfig())
    assert panel.values.tolist() == csv.values.tolist()
    assert panel.axis.freq == "D"


@pytest.mark.parametrize("write", [write_sqlite, write_duckdb])
def test_of_several_tables_one_is_named(write: object, tmp_path: Path) -> None:
    place = write(tmp_path / "x.db", "a b", 'it"s')  # type: ignore[operator]
    with pytest.raises(DataError, match="has 2 tables") as caught:
        read_table(place)
    assert "x.db::NAME; there is 'a b', 'it\"s'" in caught.value.hint
    assert len(read_table(f"{place}::a b")) == len(read_table(f'{place}::it"s'))
    with pytest.raises(DataError, match="has no table 'c'"):
        read_table(f"{place}::c")


@pytest.mark.parametrize("write", [write_sqlite, write_duckdb])
def test_a_database_is_never_written(write: object, tmp_path: Path) -> None:
    place = write(tmp_path / "x.db", "prices")  # type: ignore[operator]
    before = place.read_bytes()
    place.chmod(0o400)
    read_table(place)
    assert place.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["x.db"]


@pytest.mark.parametrize("write", [write_sqlite, write_duckdb])
def test_more_than_is_allowed_is_refused_before_it_is_read(
    write: object, tmp_path: Path
) -> None:
    place = write(tmp_path / "x.db", "prices")  # type: ignore[operator]
    message = "731 rows of 2 columns" if write is write_sqlite else "max_bytes"
    with pytest.raises(ResourceError, match=message):
        read_table(place, DataConfig(max_bytes=60_000))


@pytest.mark.parametrize("write", [write_sqlite, write_duckdb])
def test_damaged_empty_and_piped_databases_are_refused(
    write: object, tmp_path: Path
) -> None:
    place = write(tmp_path / "x.db", "prices")  # type: ignore[operator]
    data = place.read_bytes()
    with pytest.raises(DataError, match="read from a file only"):
        read_bytes(data, "stdin")
    (tmp_path / "cut.db").write_bytes(data[:300] + bytes(5000))
    with pytest.raises(DataError, match="damaged|no tables"):
        read_table(tmp_path / "cut.db")
    empty = write(tmp_path / "empty.db")  # type: ignore[operator]
    if empty.stat().st_size:
        with pytest.raises(DataError, match="no tables"):
            read_table(empty)


def test_a_view_of_a_database_cannot_read_other_files(tmp_path: Path) -> None:
    place = tmp_path / "x.duckdb"
    with closing(duckdb.connect(str(place))) as database:
        database.execute(f"CREATE VIEW v AS SELECT * FROM read_csv('{PRICES}')")
    with pytest.raises(DataError, match="damaged|disabled"):
        read_table(place)
