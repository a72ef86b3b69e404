"""Tables of SQLite and DuckDB files to columns; the files are opened for reading only."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa

from lstmcast.errors import DataError, suggest_similar
from lstmcast.extras import require_extra
from lstmcast.tables.formats.columns import make_column
from lstmcast.tables.source import Source, damaged_data_error

_SQLITE_MAGIC = b"SQLite format 3\0"
_DUCKDB_MAGIC, _DUCKDB_OFFSET = b"DUCK", 8
_CELL_BYTES = 64
"""Bytes that a cell takes while it is read, as a value of Python in a list."""


def find_database_kind(source: Source) -> str:
    """Return which database a file is: "SQLite", "DuckDB", or "" for none."""
    if source.start.startswith(_SQLITE_MAGIC):
        return "SQLite"
    if source.start[_DUCKDB_OFFSET:].startswith(_DUCKDB_MAGIC):
        return "DuckDB"
    return ""


def read_database(
    source: Source, kind: str, table: str = ""
) -> tuple[pa.Table, tuple[str, ...]]:
    """Return the columns of a table or view, which may be left out where there is only one.

    Raises DataError where the file is damaged or locked, or the table is not there; ResourceError
    where it holds more than its limit allows; UsageError without DuckDB's package.
    """
    if source.path is None or source.compression:
        raise DataError(
            f"{source.name} is {kind}, which is read from a file only",
            "save it as a file, unpacked",
        )
    read = _read_sqlite if kind == "SQLite" else _read_duckdb
    columns, name = read(source, source.path.absolute(), table)
    return columns, (f"{kind}, table {name!r}",)


def _read_sqlite(source: Source, path: Path, table: str) -> tuple[pa.Table, str]:
    # As an address, which can say that nothing is to be written; it is not taken for a pattern.
    address = f"{path.as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True)) as database:
            found = database.execute(
                "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')"
                " AND name NOT LIKE 'sqlite_%' ORDER BY name"
            )
            name = _choose_table([row[0] for row in found], table, source.name)
            [[count]] = database.execute(f"SELECT count(*) FROM {_quote(name)}")
            cursor = database.execute(f"SELECT * FROM {_quote(name)}")
            columns = [column[0] for column in cursor.description]
            _require_size(source, count, len(columns))
            rows = cursor.fetchall()
    except sqlite3.Error as error:
        raise _database_error(source, "SQLite", error) from error
    _require_rows(source, name, len(rows))
    values = zip(*rows, strict=True)
    made = map(make_column, values)
    return pa.table(dict(zip(columns, made, strict=True))), name


def _read_duckdb(source: Source, path: Path, table: str) -> tuple[pa.Table, str]:
    require_extra("DuckDB files need", "duckdb", "duckdb")
    import duckdb

    # A view in a file must not read other files.
    config: Any = {"enable_external_access": "false"}
    try:
        with closing(duckdb.connect(str(path), read_only=True, config=config)) as data:
            found = data.execute(
                "SELECT table_name FROM information_schema.tables"
                " WHERE table_schema = 'main' ORDER BY table_name"
            ).fetchall()
            name = _choose_table([row[0] for row in found], table, source.name)
            selected = data.sql(f"SELECT * FROM {_quote(name)}")
            [[count]] = data.execute(f"SELECT count(*) FROM {_quote(name)}").fetchall()
            _require_size(source, count, len(selected.columns))
            columns: pa.Table = selected.to_arrow_table()
    except duckdb.Error as error:
        raise _database_error(source, "DuckDB", error) from error
    _require_rows(source, name, len(columns))
    return columns, name


def _quote(name: str) -> str:
    """Return the name of a table as SQL has it; it is one that the file lists."""
    escaped = name.replace('"', '""')
    return f'"{escaped}"'


def _choose_table(names: Sequence[str], table: str, file: str) -> str:
    if not names:
        raise DataError(f"{file} has no tables", "give a file with a table")
    if table:
        if table not in names:
            hint = suggest_similar(table, names)
            raise DataError(f"{file} has no table {table!r}", hint)
        return table
    if len(names) > 1:
        listed = suggest_similar("", names)
        raise DataError(
            f"{file} has {len(names)} tables", f"name one, as in {file}::NAME; {listed}"
        )
    return names[0]


def _require_size(source: Source, rows: int, columns: int) -> None:
    size = rows * columns * _CELL_BYTES
    # What is allowed is meant for text, of which a table takes four times as much.
    most = source.allowed * 4 if source.limit is None else source.allowed
    if size > most:
        raise source.too_large_error(size, f"{rows:,} rows of {columns} columns")


def _require_rows(source: Source, table: str, count: int) -> None:
    if not count:
        message = f"{source.name}: table {table!r} has no rows"
        raise DataError(message, "give a table with rows")


def _database_error(source: Source, kind: str, error: Exception) -> DataError:
    reason = str(error).splitlines()[0]
    if "lock" in reason.lower():
        return DataError(
            f"{source.name} is in use by another program: {reason}",
            "close it there, or give a copy",
        )
    damaged = damaged_data_error(source.name, kind)
    return DataError(f"{damaged.message}: {reason}", damaged.hint)
