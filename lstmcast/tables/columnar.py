"""Typed formats to a table: Parquet and Arrow, one file or many as one data set.

Does not know what a column means. Checks what a file would unpack to before it unpacks it.
"""

import json
import re
import warnings
from collections.abc import Sequence
from pathlib import Path, PurePath
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lstmcast.errors import DataError
from lstmcast.tables.formats.remote import is_remote, open_remote_source
from lstmcast.tables.source import Source, damaged_data_error, open_source
from lstmcast.tables.table import Table

_PARQUET_MAGIC = b"PAR1"
_ARROW_FILE_MAGIC = b"ARROW1"
_ARROW_STREAM_MAGIC = b"\xff\xff\xff\xff"
COLUMNAR_SIGNATURES = (
    (_PARQUET_MAGIC, "Parquet"),
    (_ARROW_FILE_MAGIC, "Arrow"),
    (_ARROW_STREAM_MAGIC, "Arrow stream"),
)
"""First bytes of a file, and what it then is."""
_PANDAS_INDEX_NAME = re.compile(r"__index_level_\d+__")
_PERIOD_EXTENSION = "pandas.period"
_HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"
"""Value of a folder's name that stands for missing."""
_BYTES_PER_CELL = 8
"""Bytes that a cell takes; of a cell of text its offset."""


def read_columnar_file(source: Source, kind: str, notes: tuple[str, ...] = ()) -> Table:
    """Read one file of a kind of COLUMNAR_SIGNATURES.

    Raises DataError where it is damaged, ResourceError where it holds more than its limit allows.
    """
    return to_table(_read_columns(source, kind), source.name, notes)


def list_parquet_files(folder: Path) -> list[Path]:
    """The Parquet files of a folder and those below it, by name.

    Files that begin with a dot or an underscore are not data.
    """
    found = []
    for path in folder.rglob("*"):
        is_parquet = path.suffix in (".parquet", ".pq")
        is_hidden = path.name.startswith((".", "_"))
        if is_parquet and not is_hidden and path.is_file():
            found.append(path)
    return sorted(found)


def read_parquet_dataset(
    files: Sequence[Path | str],
    name: str,
    limit: int | None,
    root: Path | str | None = None,
) -> Table:
    """Read Parquet files as one table; folders like `shop=7` below `root` become columns of text.

    files, root: paths, or addresses. limit: most bytes that all of them may hold. Raises DataError
    where a file is no Parquet or the files have different columns, ResourceError where they hold
    more than the limit allows.
    """
    parts = []
    bytes_left = limit
    for file in files:
        source = _open_file(str(file), bytes_left)
        if not source.start.startswith(_PARQUET_MAGIC):
            message = f"{file} is not Parquet, and only Parquet files are read as one"
            raise DataError(message, "give one file, or Parquet files")

        part = _read_columns(source, "Parquet")
        if bytes_left is not None:
            bytes_left = max(bytes_left - part.nbytes, 0)
        parts.append(with_partition_columns(part, file, root))

    try:
        whole = pa.concat_tables(parts, promote_options="default")
    except pa.ArrowException as error:
        message = f"the files of {name} do not have the same columns"
        raise DataError(message, "give files of one data set") from error

    return to_table(whole, name, (f"{len(files)} Parquet files",))


def _read_columns(source: Source, kind: str) -> pa.Table:
    """The columns of one file, lists and structs left out, once it is sure that they fit."""
    read = _read_parquet if kind == "Parquet" else _read_arrow
    try:
        table = read(source)
    except DataError:
        raise
    # Types of other libraries, like pandas' periods, raise what they like.
    except (pa.ArrowException, OSError, LookupError, TypeError, ValueError) as error:
        raise damaged_data_error(source.name, kind) from error

    unpacked = sum(_count_unpacked_bytes(column) for column in table.columns)
    if unpacked > source.allowed:
        raise source.too_large_error(unpacked)
    return _decode_number_dictionaries(table)


def _decode_number_dictionaries(table: pa.Table) -> pa.Table:
    """Write out dictionaries of anything but text: they are columns of their values."""
    for place, field in enumerate(table.schema):
        kind = field.type
        if pa.types.is_dictionary(kind) and not _is_text_like(kind.value_type):
            values = table.column(place).cast(kind.value_type)
            table = table.set_column(place, field.name, values)
    return table


def _read_parquet(source: Source) -> pa.Table:
    is_plain_file = source.path and not source.compression
    place = str(source.path) if is_plain_file else pa.py_buffer(source.read())

    # The footer first: it has the number of rows, before any of them is unpacked.
    with _open_parquet(place) as file:
        schema = file.schema_arrow
        rows = file.metadata.num_rows

    names = _select_flat_columns(schema, source.name)
    least_bytes = rows * len(names) * _BYTES_PER_CELL
    if least_bytes > source.allowed:
        what = f"{rows:,} rows of {len(names)} columns"
        raise source.too_large_error(least_bytes, what)

    text_names = [name for name in names if _is_text(schema.field(name).type)]
    # Columns are only named where some are left out.
    has_nested = len(names) < len(schema)
    with _open_parquet(place, text_names) as file:
        table = file.read(names if has_nested else None)
    _require_valid_text(table, text_names, source.name)
    return table


def _require_valid_text(table: pa.Table, text_names: list[str], name: str) -> None:
    """Raise DataError where a column of text holds bytes that are none.

    Else whoever uses the text first would fail.
    """
    for column in text_names:
        try:
            table.column(column).validate(full=True)
        except pa.ArrowInvalid as error:
            message = f"{name}: column {column!r} holds text that is not UTF-8"
            raise DataError(message, "write it in UTF-8, or drop the column") from error


def _open_parquet(
    place: str | pa.Buffer, text_names: list[str] | None = None
) -> pq.ParquetFile:
    """Open a path or bytes; the columns of text come as dictionaries, which share equal texts."""
    file = place if isinstance(place, str) else pa.BufferReader(place)
    return pq.ParquetFile(
        file, read_dictionary=text_names, page_checksum_verification=True
    )


def _read_arrow(source: Source) -> pa.Table:
    data = source.read()
    reader = pa.BufferReader(data)

    if data.startswith(_ARROW_FILE_MAGIC):
        file = pa.ipc.open_file(reader)
        schema = file.schema
        all_batches = map(file.get_batch, range(file.num_record_batches))
    else:
        stream = pa.ipc.open_stream(reader)
        schema = stream.schema
        all_batches = iter(stream)

    batches = []
    count = 0
    # One by one, so that no more is unpacked than may be.
    for batch in all_batches:
        batches.append(batch)
        count += batch.nbytes
        if count > source.allowed:
            raise source.too_large_error(count)

    table = pa.Table.from_batches(batches, schema)
    table.validate(full=True)
    names = _select_flat_columns(schema, source.name)
    return table.select(names)


def _select_flat_columns(schema: pa.Schema, name: str) -> list[str]:
    """The columns that are no lists or structs. DataError where a name is there twice."""
    names = schema.names
    repeated = sorted({column for column in names if names.count(column) > 1})
    if repeated:
        message = f"{name}: column {repeated[0]!r} is there more than once"
        raise DataError(message, "rename one of them")

    return [field.name for field in schema if not _is_nested(field.type)]


def _is_nested(kind: pa.DataType) -> bool:
    values = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_nested(values))


def _is_text_like(kind: pa.DataType) -> bool:
    return bool(
        _is_text(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind)
    )


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _count_unpacked_bytes(column: pa.ChunkedArray) -> int:
    """Bytes of a column whose dictionary is written out."""
    if not pa.types.is_dictionary(column.type):
        return int(column.nbytes)
    if not _is_text_like(column.type.value_type):
        return len(column) * _BYTES_PER_CELL

    lengths_by_chunk = [pc.binary_length(chunk.dictionary) for chunk in column.chunks]
    longest = 0
    for lengths in lengths_by_chunk:
        longest = max(longest, pc.max(lengths).as_py() or 0)

    # Texts as short as a number are counted as one, which spares a look at every row.
    if longest <= _BYTES_PER_CELL:
        return len(column) * _BYTES_PER_CELL

    total = 0
    for lengths, chunk in zip(lengths_by_chunk, column.chunks, strict=True):
        lengths_of_rows = pc.take(lengths, chunk.indices)
        total += pc.sum(lengths_of_rows).as_py() or 0
    return total


def _open_file(place: str, limit: int | None) -> Source:
    """The source of a path or an address."""
    return (open_remote_source if is_remote(place) else open_source)(place, limit)


def with_partition_columns(
    part: pa.Table, file: Path | str, root: Path | str | None
) -> pa.Table:
    """The columns of one file of a data set, with those that the names of its folders give.

    Folders are named as in Hive: `shop=7`, and below it the rows of shop 7.
    """
    if root is None:
        return part
    # Of an address the part after its scheme is a path as any other.
    for folder in PurePath(file).relative_to(PurePath(root)).parts[:-1]:
        column, mark, value = folder.partition("=")
        name = unquote(column)
        if not mark or name in part.column_names:
            continue

        is_missing = value == _HIVE_NULL
        text = "" if is_missing else unquote(value)
        code = pa.scalar(None if is_missing else 0, pa.int32())

        # A dictionary of one text, instead of the text on every row.
        codes = pa.repeat(code, len(part))
        texts = pa.DictionaryArray.from_arrays(codes, pa.array([text]))
        part = part.append_column(name, texts)
    return part


def decode_periods(columns: pa.Table, name: str) -> pa.Table:
    """The columns, those of pandas' periods as the stamps at which each period begins.

    pandas stores a period as the integer that counts it from 1970 on, which could be anything.
    Raises DataError for a frequency that is not pandas', and for a period that has no stamp.
    """
    for place, field in enumerate(columns.schema):
        freq = _find_period_frequency(field)
        if freq is None:
            continue
        column = columns.column(place)
        stamps = _to_period_starts(column, freq, field.name, name)
        columns = columns.set_column(place, field.name, stamps)
    return columns


def find_period_columns(schema: pa.Schema) -> dict[str, str]:
    """Return the frequencies of pandas' periods by the names of their columns.

    A frequency is "" where what pandas wrote of it is damaged.
    """
    frequencies = {field.name: _find_period_frequency(field) for field in schema}
    return {name: freq for name, freq in frequencies.items() if freq is not None}


def _find_period_frequency(field: pa.Field) -> str | None:
    """The frequency of a column of periods; None for any other, "" where it is damaged."""
    kind = field.type
    if isinstance(
        kind, pa.BaseExtensionType
    ):  # as pandas has it, once that has written some
        extension = kind.extension_name
        facts = kind.__arrow_ext_serialize__()
    else:
        metadata = field.metadata or {}
        extension = metadata.get(b"ARROW:extension:name", b"").decode(errors="replace")
        facts = metadata.get(b"ARROW:extension:metadata", b"")
    if extension != _PERIOD_EXTENSION:
        return None
    try:
        return str(json.loads(facts)["freq"])
    except (ValueError, KeyError, TypeError):
        return ""


def _to_period_starts(
    column: pa.ChunkedArray, freq: str, name: str, file: str
) -> pa.ChunkedArray:
    import pandas as pd

    if isinstance(column.type, pa.BaseExtensionType):
        chunks = [chunk.storage for chunk in column.chunks]
        column = pa.chunked_array(chunks, type=column.type.storage_type)
    present = column.is_valid()
    try:
        counts = pc.cast(column, pa.int64()).fill_null(0).to_numpy()
        with warnings.catch_warnings():
            # pandas means to give up periods of working days.
            warnings.simplefilter("ignore", FutureWarning)
            periods = pd.PeriodIndex.from_ordinals(counts, freq=freq)  # type: ignore[attr-defined]
            starts = pa.array(periods.to_timestamp())
    except (ValueError, OverflowError, TypeError, pa.ArrowException) as error:
        raise DataError(
            f"{file}: column {name!r} holds periods ({freq}) that are no dates",
            "write it as dates, in pandas with .dt.to_timestamp()",
        ) from error
    return pc.if_else(present, pa.chunked_array([starts]), None)


def to_table(columns: pa.Table, name: str, notes: tuple[str, ...]) -> Table:
    """The columns as a table. Raises DataError where there are no rows.

    An index that pandas stored without a name becomes the column "time" where it holds stamps, and
    is left out elsewhere.
    """
    columns = decode_periods(columns, name).replace_schema_metadata(None)
    for field in columns.schema:
        name_in_file = field.name
        if not _PANDAS_INDEX_NAME.fullmatch(name_in_file):
            continue

        has_time = "time" in columns.column_names
        if pa.types.is_timestamp(field.type) and not has_time:
            columns = columns.rename_columns({name_in_file: "time"})
        else:
            columns = columns.drop_columns(name_in_file)

    if not len(columns):
        raise DataError(f"{name} has no rows", "give a file with rows")
    return Table(columns, name, notes)
