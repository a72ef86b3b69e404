"""A data set larger than memory as a table of some of its series, chosen at random.

It is read in pieces, of which only the rows of these series stay. Each network trains on some ten
thousand windows, whatever the number of series: of very many series it never sees most. Of
thousands, those left out are not missed; of hundreds, they are (measured in docs/scale.md). The
choice of series depends on their names and the seed only, not on how they lie in files.

Axes: n rows of a piece, N different series in it.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lstmcast.errors import DataError, UsageError
from lstmcast.tables.columnar import (
    list_parquet_files,
    to_table,
    with_partition_columns,
)
from lstmcast.tables.formats.remote import (
    is_remote,
    is_remote_pattern,
    list_remote_parquet,
    open_remote_file,
)
from lstmcast.tables.source import damaged_data_error
from lstmcast.tables.table import Table

Hashes = NDArray[np.uint64]

MAX_UNSAMPLED_ROWS = 20_000_000
"""Rows up to which all of a data set is read where the size is left open."""
DEFAULT_SAMPLE_ROWS = 5_000_000
"""Rows that are read of a larger one."""
MIN_SAMPLED_SERIES = 1000
"""Series beyond which no loss was found by a sample of them."""
_BATCH_ROWS = 1 << 20
"""Rows read at a time."""
_OVERSAMPLING_FACTOR = 1.3
"""How much more than requested is read while the lengths of the series are unknown."""
_MIN_SERIES = 20
"""Fewer series than this are no sample, unless there are no more."""
_HASH_RANGE = 2.0**64


class _HashedSeries(NamedTuple):
    """The series of each row [n] as a code, and a hash of each code's name and the seed [N]."""

    codes: NDArray[np.int64]
    hashes: Hashes


def choose_sample_rows(folder: str | Path, requested: int = 0) -> int | None:
    """How many rows of a folder of Parquet to keep; None where all of it is to be read.

    folder: a path, or the address of a folder or a pattern. requested: rows to keep, or 0 to let
    the size of the folder decide.
    """
    if requested:
        return requested
    is_large = count_parquet_rows(folder) > MAX_UNSAMPLED_ROWS
    return DEFAULT_SAMPLE_ROWS if is_large else None


def count_parquet_rows(folder: str | Path) -> int:
    """Number of rows of all Parquet files of a folder, by their footers."""
    rows = 0
    for file in _list_files(folder):
        with _open_parquet(file) as opened:
            rows += opened.metadata.num_rows
    return rows


def _list_files(folder: str | Path) -> list[Path] | list[str]:
    """The Parquet files of a folder here, or behind an address."""
    if is_remote(str(folder)):
        return [file.address for file in list_remote_parquet(str(folder))]
    return list_parquet_files(Path(folder))


def read_sample(
    folder: str | Path, series: Sequence[str], rows: int, seed: int
) -> Table:
    """Some of the series of a folder of Parquet, whole ones, together about `rows` rows.

    series: the columns that name them. Raises UsageError where there are none, DataError where a
    file is damaged or the series are so few and long that a sample of them makes no sense.
    """
    if not series:
        message = "a sample is one of series, and no column names any"
        raise UsageError(message, "give it with --series")

    files = _list_files(folder)
    root = None if is_remote_pattern(str(folder)) else folder
    total_rows = count_parquet_rows(folder)

    # Hashes are uniform: a share of the series has hashes below that share of their range.
    share = min(1.0, _OVERSAMPLING_FACTOR * rows / max(total_rows, 1))

    pieces: list[pa.Table] = []
    all_hashes = np.empty(0, np.uint64)
    for piece in _iter_pieces(files, root):
        codes, hashes = _hash_series(piece, series, seed)
        all_hashes = np.union1d(all_hashes, hashes)
        chosen = np.flatnonzero(hashes / _HASH_RANGE < share)
        if len(chosen):
            pieces.append(_rows_of_series(piece, codes, chosen))

    total_series = len(all_hashes)
    if not pieces:
        raise _too_few_series_error(total_series, total_rows)

    # Somewhat more series than fit, as their lengths were not known: the last of them go.
    oversample = pa.concat_tables(pieces, promote_options="default")
    sample, count = _trim_to_rows(oversample, series, rows, seed)
    if count < min(_MIN_SERIES, total_series):
        raise _too_few_series_error(total_series, total_rows)

    note = f"{count:,} of {total_series:,} series, chosen at random from {len(files):,} files"
    if count < min(MIN_SAMPLED_SERIES, total_series):
        note += f", which is few: --sample {2 * rows} would learn from twice as many"
    return to_table(sample, str(folder), (note,))


def _rows_of_series(
    columns: pa.Table, codes: NDArray[np.int64], chosen: NDArray[np.int64]
) -> pa.Table:
    """The rows of the chosen series; `codes` has the series of each row [n]."""
    is_chosen = np.isin(codes, chosen)
    return columns.filter(pa.array(is_chosen))


def _trim_to_rows(
    columns: pa.Table, series: Sequence[str], rows: int, seed: int
) -> tuple[pa.Table, int]:
    """The series that come first by their hashes and fit into `rows`, and how many they are."""
    codes, hashes = _hash_series(columns, series, seed)

    # Hashes are an order by lot, which is the same in every run and whatever the files.
    order = np.argsort(hashes)
    lengths = np.bincount(codes, minlength=len(hashes))
    rows_so_far = np.cumsum(lengths[order])
    chosen = order[rows_so_far <= rows]

    if len(chosen) < len(hashes):
        columns = _rows_of_series(columns, codes, chosen)
    return columns, len(chosen)


def _iter_pieces(
    files: Sequence[Path | str], root: Path | str | None
) -> Iterator[pa.Table]:
    """Some rows at a time of the files of a folder, one file after the other."""
    for file in files:
        with _open_parquet(file) as opened:
            for batch in opened.iter_batches(_BATCH_ROWS):
                piece = pa.Table.from_batches([batch])
                yield with_partition_columns(piece, file, root)


@contextmanager
def _open_parquet(file: Path | str) -> Iterator[pq.ParquetFile]:
    """Open a file to read parts of it. What is wrong with its content is a DataError."""
    address = str(file) if is_remote(str(file)) else None
    with open_remote_file(address) if address else nullcontext(file) as place:
        try:
            with pq.ParquetFile(place, page_checksum_verification=True) as opened:
                yield opened
        except pa.ArrowException as error:
            raise damaged_data_error(str(file), "Parquet") from error
        except OSError as error:
            # Behind an address it is the network that fails.
            if address:
                raise
            raise damaged_data_error(str(file), "Parquet") from error


def _hash_series(piece: pa.Table, series: Sequence[str], seed: int) -> _HashedSeries:
    columns = []
    for name in series:
        if name not in piece.column_names:
            hint = f"there are {', '.join(piece.column_names)}"
            raise DataError(f"there is no column {name!r}", hint)
        texts = pc.cast(piece[name], pa.string())
        columns.append(texts.combine_chunks().dictionary_encode())

    joint = _join_codes(columns)
    _, first_rows, codes = np.unique(joint, return_index=True, return_inverse=True)

    # Names are hashed once a series, not once a row.
    one_row_each = pa.array(first_rows)
    parts = [column.take(one_row_each).to_pylist() for column in columns]
    names = zip(*parts, strict=True)

    digests = b"".join(_hash_name(seed, name) for name in names)
    hashes = np.frombuffer(digests, "<u8").astype(np.uint64)
    return _HashedSeries(codes.astype(np.int64), hashes)


def _join_codes(columns: Sequence[pa.DictionaryArray]) -> NDArray[np.int64]:
    """A number for each row [n] that differs where one of the columns does."""
    joint = np.zeros(len(columns[0]), np.int64)
    for column in columns:
        # The codes are like the digits of a number; 0 is a missing name.
        base = len(column.dictionary) + 1
        digits = np.asarray(column.indices.fill_null(-1))
        joint = joint * base + digits + 1
    return joint


def _hash_name(seed: int, name: tuple[str | None, ...]) -> bytes:
    """Eight bytes that the seed and the name decide; another choice of hash is another sample."""
    text = repr((seed, name)).encode("utf-8", "surrogateescape")
    return hashlib.blake2b(text, digest_size=8).digest()


def _too_few_series_error(series: int, rows: int) -> DataError:
    return DataError(
        f"{series:,} series of {rows:,} rows are too few and too long for a sample of them",
        "give some of the series, or gather their rows into longer steps,"
        " as with --resample h:mean",
    )
