"""The door to tables: a path or a stream in, a table out, known by its content.

CSV, TSV, Parquet, Arrow, JSON, workbooks and databases, also packed with gzip or zstd and behind
addresses; and the decision whether a folder is read whole or as a sample. Does not know what a
column means. Text tables keep every cell as text,
so that an id `007` stays what it is.
"""

import glob
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lstmcast.config import DataConfig
from lstmcast.errors import DataError, UsageError, suggest_similar
from lstmcast.tables.columnar import (
    COLUMNAR_SIGNATURES,
    list_parquet_files,
    read_columnar_file,
    read_parquet_dataset,
    to_table,
)
from lstmcast.tables.csv_fast import parse_csv_fast
from lstmcast.tables.csv_strict import TextTable, parse_csv_strictly
from lstmcast.tables.formats.databases import find_database_kind, read_database
from lstmcast.tables.formats.json_rows import looks_like_json, read_json
from lstmcast.tables.formats.remote import (
    is_remote,
    is_remote_folder,
    is_remote_pattern,
    list_remote_parquet,
    open_remote_source,
)
from lstmcast.tables.formats.workbooks import find_workbook_kind, read_workbook
from lstmcast.tables.sampling import choose_sample_rows, read_sample
from lstmcast.tables.source import Source, open_source
from lstmcast.tables.table import Table, TextSource

_TEXT_SUFFIXES = (".csv", ".tsv", ".txt")

__all__ = ["Table", "read_bytes", "read_table"]


def read_table(
    source: str | Path,
    config: DataConfig = DataConfig(),  # noqa: B008
    *,
    sample: int | None = None,
    series: Sequence[str] = (),
    seed: int = 0,
) -> Table:
    """Read a path, a folder or glob of Parquet, or "-" (standard input).

    The format is known by the content: CSV in any dialect, Parquet, Arrow (file or stream, and
    Feather), JSON and JSON lines, each also packed with gzip or zstd; workbooks (`sales.xlsx::May`
    names the sheet); SQLite and DuckDB files (`data.db::sales` names the table). A path may be
    an address: https://, s3://. What `config` leaves open for a text file is inferred, and noted
    in the table.

    sample: rows to keep of a folder, in whole series that `seed` chooses at random; 0 for all of a
    folder that is not too large and some of a larger one, as the command line does; None for all.
    series: the columns that name series, which a sample needs.

    Raises DataError where it cannot be read as a table, naming file, line, column and value as far
    as they are known; ResourceError where it unpacks to more than `config.max_bytes`, or than the
    free memory can take; UsageError for a sample of what is no folder, or without `series`.
    """
    name = str(source)
    if is_remote(name):
        return _read_remote(name, config, sample, series, seed)
    path = Path(name)
    is_folder = name != "-" and path.is_dir()

    if sample and not is_folder:
        raise _unsampled_file_error()

    if is_folder:
        rows = None if sample is None else choose_sample_rows(path, sample)
        if rows is None:
            table = _read_folder(path, config)
        else:
            table = read_sample(name, series, rows, seed)
        return replace(table, na=config.na)

    if name == "-" or path.exists():
        return _read_source(open_source(name, config.max_bytes), config)

    file, mark, part = name.rpartition("::")
    if mark and Path(file).is_file():
        return _read_source(open_source(file, config.max_bytes), config, part)

    matches = sorted(Path(match) for match in glob.glob(name, recursive=True))  # noqa: PTH207 (absolute patterns)
    if not matches:
        raise _missing_file_error(path)
    if len(matches) == 1:
        return read_table(matches[0], config)
    table = read_parquet_dataset(matches, name, config.max_bytes)
    return replace(table, na=config.na)


def read_bytes(data: bytes, name: str, config: DataConfig = DataConfig()) -> Table:  # noqa: B008
    """Read the bytes of a file or a stream, as `read_table` does; `name` is what errors call it."""
    return _read_source(Source(name, data=data, limit=config.max_bytes), config)


def _unsampled_file_error() -> UsageError:
    return UsageError("--sample is for a folder of Parquet", "leave it out")


def _missing_file_error(path: Path) -> DataError:
    folder = path.parent
    names = []
    if folder.is_dir():
        names = sorted(entry.name for entry in folder.iterdir())

    hint = f"there is no folder {str(folder)!r}"
    if names:
        hint = suggest_similar(path.name, names)
    return DataError(f"there is no file {str(path)!r}", hint)


def _read_folder(folder: Path, config: DataConfig) -> Table:
    """The Parquet files of a folder as one table. DataError where there are none."""
    parquet_files = list_parquet_files(folder)
    if parquet_files:
        return read_parquet_dataset(
            parquet_files, str(folder), config.max_bytes, root=folder
        )

    text_files = sorted(file for file in folder.rglob("*") if _is_text_file(file))
    if not text_files:
        message = f"{folder} is a folder without Parquet files"
        raise DataError(message, "give a file, or a folder of .parquet files")
    raise DataError(
        f"{folder} is a folder of {len(text_files)} text files,"
        " and only Parquet files are read as one",
        f"give one of them, as in {text_files[0]},"
        " or join them into one file with a column for what tells them apart",
    )


def _is_text_file(file: Path) -> bool:
    """Whether a file is a text table by its name, and not hidden."""
    is_hidden = file.name.startswith((".", "_"))
    return not is_hidden and file.name.removesuffix(".gz").endswith(_TEXT_SUFFIXES)


def _read_remote(
    address: str,
    config: DataConfig,
    sample: int | None,
    series: Sequence[str],
    seed: int,
) -> Table:
    """One file behind an address, or the Parquet files of a folder as one table."""
    if not is_remote_folder(address):
        if sample:
            raise _unsampled_file_error()
        return _read_source(open_remote_source(address, config.max_bytes), config)
    files = [file.address for file in list_remote_parquet(address)]
    if not files:
        message = f"there are no Parquet files in {address!r}"
        raise DataError(message, "give a file, or a folder of .parquet files")
    rows = None if sample is None else choose_sample_rows(address, sample)
    if rows is not None:
        table = read_sample(address, series, rows, seed)
        return replace(table, na=config.na)
    root = None if is_remote_pattern(address) else address
    table = read_parquet_dataset(files, address, config.max_bytes, root=root)
    return replace(table, na=config.na)


def _read_typed_format(source: Source, part: str) -> Table | None:
    """A table of a format that is neither text nor Arrow; None for any other."""
    workbook = find_workbook_kind(source)
    if workbook:
        columns, notes = read_workbook(source, workbook, part)
        return to_table(columns, source.name, notes)
    database = find_database_kind(source)
    if database:
        columns, notes = read_database(source, database, part)
        return to_table(columns, source.name, notes)
    if part:
        raise UsageError(
            f"{source.name}::{part}: only workbooks and databases have parts",
            f"leave out ::{part}",
        )
    if looks_like_json(source.start):
        columns, form = read_json(source)
        return to_table(columns, source.name, (form,))
    return None


def _read_source(source: Source, config: DataConfig, part: str = "") -> Table:
    """A table in any format; `part` names the sheet or the table of a file that has several."""
    notes = (f"{source.compression}-compressed",) if source.compression else ()

    for magic, kind in COLUMNAR_SIGNATURES:
        if source.start.startswith(magic):
            table = read_columnar_file(source, kind, (*notes, kind))
            return replace(table, na=config.na)

    typed = _read_typed_format(source, part)
    if typed is not None:
        return replace(
            typed,
            decimal=config.decimal or ".",
            na=config.na,
            notes=notes + typed.notes,
        )

    if config.encoding is None:  # the first bytes of another encoding may be anything
        source.require_table_format()

    def read_strictly() -> TextTable:
        return parse_csv_strictly(source.read(), source.name, config)

    typed_table = parse_csv_fast(source, config)
    origin = TextSource(config.na, read_strictly, typed_table)
    parsed = typed_table or origin.texts
    return Table(
        parsed.columns,
        source.name,
        notes + parsed.notes,
        parsed.dialect.decimal,
        parsed.dialect.thousands,
        origin,
        config.na,
    )
