"""A data set larger than memory as a table of some of its series, chosen at random: read in pieces, kept in part.

Each network draws some ten thousand stretches, whatever the number of series: of very many it never
sees most. Of thousands of series those left out are not missed, of hundreds they are (measured:
docs/scale.md). Which series are kept depends on their names and the seed alone, not on how they lie
in files.

Axes: n rows of a piece, u different series in it.
"""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lstmcast.errors import DataError, UsageError
from lstmcast.tables.columnar import list_parquet_files, to_table, with_partition_columns
from lstmcast.tables.source import damaged_data_error
from lstmcast.tables.table import Table

Hashes = NDArray[np.uint64]

MAX_UNSAMPLED_ROWS = 20_000_000
"""Rows up to which all of a data set is read where nothing else is asked for."""
DEFAULT_SAMPLE_ROWS = 5_000_000
"""Rows that are kept of more."""
MIN_SAMPLED_SERIES = 1000
"""Series beyond which no loss was found by a sample of them."""
_BATCH_ROWS = 1 << 20
"""Rows read at a time."""
_OVERSAMPLING_FACTOR = 1.3
"""How much more than is wanted is kept while it is not yet known how long the series are."""
_HASH_RANGE = 2.0**64


def count_parquet_rows(folder: str | Path) -> int:
    """Rows of all Parquet files of a folder, by their footers."""
    return sum(_open_parquet(file).metadata.num_rows for file in list_parquet_files(Path(folder)))


def read_sample(folder: str | Path, series: Sequence[str], rows: int, seed: int) -> Table:
    """Some of the series of a folder of Parquet, whole, together about `rows` rows.

    series: the columns that name them. Raises UsageError where there are none, DataError where a
    file is damaged or the series are so few and long that a sample of them makes no sense.
    """
    if not series:
        raise UsageError(
            "a sample is one of series, and no column names any", "give it with --series"
        )
    root, files = Path(folder), list_parquet_files(Path(folder))
    total = count_parquet_rows(folder)
    below = min(1.0, _OVERSAMPLING_FACTOR * rows / max(total, 1))
    kept: list[pa.Table] = []
    known = np.empty(0, np.uint64)
    for file in files:
        for piece in _iter_batches(file, root):
            codes, hashes = _hash_series(piece, series, seed)
            known = np.union1d(known, hashes)
            if len(chosen := np.flatnonzero(hashes / _HASH_RANGE < below)):
                kept.append(piece.filter(pa.array(np.isin(codes, chosen))))
    if not kept:
        raise _too_few_series_error(len(known), total)
    some, count = _trim_to_rows(
        pa.concat_tables(kept, promote_options="default"), series, rows, seed
    )
    if count < min(20, len(known)):
        raise _too_few_series_error(len(known), total)
    note = f"{count:,} of {len(known):,} series, chosen at random from {len(files):,} files"
    if count < min(MIN_SAMPLED_SERIES, len(known)):
        note += f", which is few: --sample {2 * rows} would learn from twice as many"
    return to_table(some, str(folder), (note,))


def _trim_to_rows(
    whole: pa.Table, series: Sequence[str], rows: int, seed: int
) -> tuple[pa.Table, int]:
    """Of more series than are wanted those that come first by their hashes, and how many these are."""
    codes, hashes = _hash_series(whole, series, seed)
    order = np.argsort(hashes)
    count = np.bincount(codes, minlength=len(hashes))[order]
    some = order[np.cumsum(count) <= rows]
    return (
        whole.filter(pa.array(np.isin(codes, some))) if len(some) < len(hashes) else whole
    ), len(some)


def _iter_batches(file: Path, root: Path) -> Iterator[pa.Table]:
    try:
        with _open_parquet(file) as opened:
            for batch in opened.iter_batches(_BATCH_ROWS):
                yield with_partition_columns(pa.Table.from_batches([batch]), file, root)
    except (pa.ArrowException, OSError) as error:
        raise damaged_data_error(str(file), "Parquet") from error


def _open_parquet(file: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(file, page_checksum_verification=True)
    except (pa.ArrowException, OSError) as error:
        raise damaged_data_error(str(file), "Parquet") from error


def _hash_series(
    piece: pa.Table, series: Sequence[str], seed: int
) -> tuple[NDArray[np.int64], Hashes]:
    """Code of the series of each row [n], and a number for each series [u] that its name and the seed decide."""
    missing = [name for name in series if name not in piece.column_names]
    if missing:
        raise DataError(
            f"there is no column {missing[0]!r}", f"there are {', '.join(piece.column_names)}"
        )
    columns = [
        pc.cast(piece[name], pa.string()).combine_chunks().dictionary_encode() for name in series
    ]
    codes = np.zeros(len(piece), np.int64)
    for column in columns:
        codes = codes * (len(column.dictionary) + 1) + np.asarray(column.indices.fill_null(-1)) + 1
    unique, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    names = zip(*(column.take(pa.array(first)).to_pylist() for column in columns), strict=True)
    found = [
        hashlib.blake2b(repr((seed, name)).encode("utf-8", "surrogateescape"), digest_size=8)
        for name in names
    ]
    return inverse.astype(np.int64), np.frombuffer(
        b"".join(one.digest() for one in found), "<u8"
    ).astype(np.uint64)


def _too_few_series_error(series: int, rows: int) -> DataError:
    return DataError(
        f"{series:,} series of {rows:,} rows are too few and too long for a sample of them",
        "give some of the series, or gather their rows into longer steps, as with --resample h:mean",
    )
