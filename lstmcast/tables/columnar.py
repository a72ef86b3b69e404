"""Typed formats to a table: Parquet and Arrow, one file or many as one data set.

Knows not what a column means. Checks what a file would unpack to before it unpacks it.
"""

import re
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lstmcast.errors import DataError
from lstmcast.tables.source import Source, damaged_data_error, open_source
from lstmcast.tables.table import Table

COLUMNAR_SIGNATURES = (
    (b"PAR1", "Parquet"),
    (b"ARROW1", "Arrow"),
    (b"\xff\xff\xff\xff", "Arrow stream"),
)
_PANDAS_INDEX_NAME = re.compile(r"__index_level_\d+__")
_HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"
_BYTES_PER_CELL = 8
"""Bytes that a cell takes, or its place where it holds text."""


def read_columnar_file(source: Source, kind: str, notes: tuple[str, ...] = ()) -> Table:
    """Read one file. DataError where it is damaged, ResourceError where it holds more than the limit allows."""
    return to_table(_read_columns(source, kind), source.name, notes)


def list_parquet_files(folder: Path) -> list[Path]:
    """The Parquet files of a folder, by name; those that begin with a dot or an underscore are not data."""
    files = (
        file for file in folder.rglob("*") if file.suffix in (".parquet", ".pq") and file.is_file()
    )
    return sorted(file for file in files if not file.name.startswith((".", "_")))


def read_parquet_dataset(
    files: list[Path], name: str, limit: int | None, root: Path | None = None
) -> Table:
    """Read Parquet files as one table; folders like `shop=7` below `root` become columns of text.

    Raises DataError where a file is no Parquet or the files have different columns.
    """
    parts, rest = [], limit
    for file in files:
        source = open_source(str(file), rest)
        if not source.start.startswith(COLUMNAR_SIGNATURES[0][0]):
            raise DataError(
                f"{file} is not Parquet, and only Parquet files are read as one",
                "give one file, or Parquet files",
            )
        part = _read_columns(source, "Parquet")
        rest = None if rest is None else max(rest - part.nbytes, 0)
        parts.append(with_partition_columns(part, file, root))
    try:
        whole = pa.concat_tables(parts, promote_options="default")
    except pa.ArrowException as error:
        raise DataError(
            f"the files of {name} do not have the same columns", "give files of one data set"
        ) from error
    return to_table(whole, name, (f"{len(files)} Parquet files",))


def _read_columns(source: Source, kind: str) -> pa.Table:
    """The columns of one file, lists and structs left out, once it is sure that they fit."""
    try:
        table = _read_parquet(source) if kind == "Parquet" else _read_arrow(source)
    except (pa.ArrowException, OSError) as error:
        raise damaged_data_error(source.name, kind) from error
    widest = sum(_count_unpacked_bytes(column) for column in table.columns)
    if widest > source.allowed:
        raise source.too_large_error(widest)
    return table


def _read_parquet(source: Source) -> pa.Table:
    place = (
        str(source.path) if source.path and not source.compression else pa.py_buffer(source.read())
    )
    with pq.ParquetFile(_to_parquet_input(place), page_checksum_verification=True) as file:
        schema, rows = file.schema_arrow, file.metadata.num_rows
    names = _select_flat_columns(schema, source.name)
    if rows * len(names) * _BYTES_PER_CELL > source.allowed:
        raise source.too_large_error(
            rows * len(names) * _BYTES_PER_CELL, f"{rows:,} rows of {len(names)} columns"
        )
    texts = [name for name in names if _is_text(schema.field(name).type)]
    with pq.ParquetFile(
        _to_parquet_input(place), read_dictionary=texts, page_checksum_verification=True
    ) as file:
        return file.read(names if len(names) < len(schema) else None)


def _to_parquet_input(place: str | pa.Buffer) -> str | pa.BufferReader:
    return place if isinstance(place, str) else pa.BufferReader(place)


def _read_arrow(source: Source) -> pa.Table:
    data = source.read()
    batches, count = [], 0
    if data.startswith(COLUMNAR_SIGNATURES[1][0]):
        file = pa.ipc.open_file(pa.BufferReader(data))
        schema, parts = (
            file.schema,
            (file.get_batch(place) for place in range(file.num_record_batches)),
        )
    else:
        stream = pa.ipc.open_stream(pa.BufferReader(data))
        schema, parts = stream.schema, iter(stream)
    for batch in parts:
        batches.append(batch)
        count += batch.nbytes
        if count > source.allowed:
            raise source.too_large_error(count)
    table = pa.Table.from_batches(batches, schema)
    table.validate(full=True)
    return table.select(_select_flat_columns(schema, source.name))


def _select_flat_columns(schema: pa.Schema, name: str) -> list[str]:
    """The columns that are no lists or structs; DataError where a name is there twice."""
    double = sorted({column for column in schema.names if schema.names.count(column) > 1})
    if double:
        raise DataError(
            f"{name}: column {double[0]!r} is there more than once", "rename one of them"
        )
    return [field.name for field in schema if not pa.types.is_nested(field.type)]


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _count_unpacked_bytes(column: pa.ChunkedArray) -> int:
    """Bytes of a column whose dictionary is written out."""
    if not pa.types.is_dictionary(column.type):
        return int(column.nbytes)
    longest = max(
        (pc.max(pc.binary_length(chunk.dictionary)).as_py() or 0 for chunk in column.chunks),
        default=0,
    )
    if longest <= _BYTES_PER_CELL:
        return len(column) * _BYTES_PER_CELL
    lengths = (
        pc.take(pc.binary_length(chunk.dictionary), chunk.indices) for chunk in column.chunks
    )
    return sum(pc.sum(one).as_py() or 0 for one in lengths)


def with_partition_columns(part: pa.Table, file: Path, root: Path | None) -> pa.Table:
    """The columns of one file of a data set, with those that the names of its folders give."""
    for folder in file.relative_to(root).parts[:-1] if root else ():
        column, mark, value = folder.partition("=")
        if mark and unquote(column) not in part.column_names:
            text = None if value == _HIVE_NULL else unquote(value)
            codes = (
                pa.array([0] * len(part), pa.int32())
                if text is not None
                else pa.nulls(len(part), pa.int32())
            )
            part = part.append_column(
                unquote(column), pa.DictionaryArray.from_arrays(codes, pa.array([text or ""]))
            )
    return part


def to_table(columns: pa.Table, name: str, notes: tuple[str, ...]) -> Table:
    """The columns as a table; an index that pandas stored without a name is kept where it holds stamps."""
    columns = columns.replace_schema_metadata(None)
    for field in columns.schema:
        if _PANDAS_INDEX_NAME.fullmatch(field.name):
            if not pa.types.is_timestamp(field.type) or "time" in columns.column_names:
                columns = columns.drop_columns(field.name)
            else:
                columns = columns.rename_columns({field.name: "time"})
    if not len(columns):
        raise DataError(f"{name} has no rows", "give a file with rows")
    return Table(columns, name, notes)
