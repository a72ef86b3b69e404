"""A file or a stream becomes a table: CSV, TSV, Parquet and Arrow, also gz and zst, known by their content.

Knows not what a column means. Text tables keep every cell as text, so that an id `007` stays what
it is.
"""

import glob
from pathlib import Path
from typing import TYPE_CHECKING

from lstmcast.config import Columns, Config, DataConfig
from lstmcast.errors import DataError, UsageError, suggest_similar
from lstmcast.tables.columnar import (
    COLUMNAR_SIGNATURES,
    list_parquet_files,
    read_columnar_file,
    read_parquet_dataset,
)
from lstmcast.tables.csv_fast import parse_csv_fast
from lstmcast.tables.csv_strict import TextTable, parse_csv_strictly
from lstmcast.tables.source import Source, open_source
from lstmcast.tables.table import Table, TextSource

if TYPE_CHECKING:
    pass

__all__ = ["Table", "read_bytes", "read_table"]


def read_table(source: str | Path, config: DataConfig = DataConfig()) -> Table:  # noqa: B008
    """Read a path, a folder or glob of Parquet, or "-" (stdin).

    The format is known by the content: CSV in any dialect, Parquet, Arrow (file or stream), each
    also packed with gzip or zstd. What `config` does not say of a text file is found out, and noted
    in the table.

    Raises DataError where it cannot be read as a table, naming file, line, column and value as far
    as they are known; ResourceError where it unpacks to more than `config.max_bytes`, or than the
    memory that is free can take.
    """
    name = str(source)
    path = Path(name)
    if name != "-" and path.is_dir():
        return _read_folder(path, config)
    if name != "-" and not path.exists():
        matches = sorted(Path(match) for match in glob.glob(name, recursive=True))  # noqa: PTH207 (absolute patterns)
        if not matches:
            raise _missing_file_error(path)
        return (
            read_table(matches[0], config)
            if len(matches) == 1
            else read_parquet_dataset(matches, name, config.max_bytes)
        )
    return _read_source(open_source(name, config.max_bytes), config)


def read_bytes(data: bytes, name: str, config: DataConfig = DataConfig()) -> Table:  # noqa: B008
    """Read what a file or a stream held, as `read_table` does; `name` is what errors call it."""
    return _read_source(Source(name, data=data, limit=config.max_bytes), config)


def _missing_file_error(path: Path) -> DataError:
    folder = path.parent
    names = sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []
    hint = suggest_similar(path.name, names) if names else f"there is no folder {str(folder)!r}"
    return DataError(f"there is no file {str(path)!r}", hint)


def _read_folder(folder: Path, config: DataConfig) -> Table:
    """The Parquet files of a folder as one table; files that begin with a dot or an underscore are not data."""
    if parquet := list_parquet_files(folder):
        return read_parquet_dataset(parquet, str(folder), config.max_bytes, root=folder)
    files = (file for file in folder.rglob("*") if not file.name.startswith((".", "_")))
    tables = sorted(
        file for file in files if file.name.removesuffix(".gz").endswith((".csv", ".tsv", ".txt"))
    )
    if not tables:
        raise DataError(
            f"{folder} is a folder without Parquet files",
            "give a file, or a folder of .parquet files",
        )
    raise DataError(
        f"{folder} is a folder of {len(tables)} text files, and only Parquet files are read as one",
        f"give one of them, as in {tables[0]}, or join them into one file with a column for what tells them apart",
    )


def _read_source(source: Source, config: DataConfig) -> Table:
    notes = (f"{source.compression}-compressed",) if source.compression else ()
    kind = next(
        (kind for magic, kind in COLUMNAR_SIGNATURES if source.start.startswith(magic)), None
    )
    if kind:
        return read_columnar_file(source, kind, (*notes, kind))
    if config.encoding is None:
        source.require_table_format()
    bulk = parse_csv_fast(source, config)

    def strict() -> TextTable:
        return parse_csv_strictly(source.read(), source.name, config)

    origin = TextSource(config.na, strict, bulk)
    found = bulk or origin.texts
    dialect = found.dialect
    return Table(
        found.columns, source.name, notes + found.notes, dialect.decimal, dialect.thousands, origin
    )


def _read_table_or_sample(
    data: str, columns: Columns, config: DataConfig, sample: int, fit: Config | None
) -> "Table":
    """All of a file or of a folder that is not too large; of a larger one some series."""
    pass
    from lstmcast.tables.sampling import (
        DEFAULT_SAMPLE_ROWS,
        MAX_UNSAMPLED_ROWS,
        count_parquet_rows,
        read_sample,
    )

    folder = Path(data).is_dir()
    if sample and not folder:
        raise UsageError("--sample is for a folder of Parquet", "leave it out")
    if not folder or not (sample or count_parquet_rows(data) > MAX_UNSAMPLED_ROWS):
        return read_table(data, config)
    return read_sample(
        data, columns.series, sample or DEFAULT_SAMPLE_ROWS, fit.train.seed if fit else 0
    )
