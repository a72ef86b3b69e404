"""A data set larger than memory as a table of some of its series, chosen at random: read in pieces, kept in part.

Each network draws some ten thousand stretches, whatever the number of series: of very many it never sees most. Of
thousands of series those left out are not missed, of hundreds they are (measured: docs/scale.md). Which series are kept
depends on their names and the seed alone, not on how they lie in files.

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
from lstmcast.tables.columnar import parquet_files, partitioned, table_of
from lstmcast.tables.source import damaged
from lstmcast.tables.table import Table

Hashes = NDArray[np.uint64]

MANY = 20_000_000
"""Rows up to which all of a data set is read where nothing else is asked for."""
SOME = 5_000_000
"""Rows that are kept of more."""
PLENTY = 1000
"""Series beyond which no loss was found by a sample of them."""
_PIECE = 1 << 20
"""Rows read at a time."""
_MARGIN = 1.3
"""How much more than is wanted is kept while it is not yet known how long the series are."""
_WHOLE = 2.0**64


def rows_of(folder: str | Path) -> int:
    """Rows of all Parquet files of a folder, by their footers."""
    return sum(_opened(file).metadata.num_rows for file in parquet_files(Path(folder)))


def read_sample(folder: str | Path, series: Sequence[str], rows: int, seed: int) -> Table:
    """Some of the series of a folder of Parquet, whole, together about `rows` rows.

    series: the columns that name them. Raises UsageError where there are none, DataError where a file is damaged or
    the series are so few and long that a sample of them makes no sense.
    """
    if not series:
        raise UsageError("a sample is one of series, and no column names any", "give it with --series")
    root, files = Path(folder), parquet_files(Path(folder))
    total = rows_of(folder)
    below = min(1.0, _MARGIN * rows / max(total, 1))
    kept: list[pa.Table] = []
    known = np.empty(0, np.uint64)
    for file in files:
        for piece in _pieces(file, root):
            codes, hashes = _hashed(piece, series, seed)
            known = np.union1d(known, hashes)
            if len(chosen := np.flatnonzero(hashes / _WHOLE < below)):
                kept.append(piece.filter(pa.array(np.isin(codes, chosen))))
    if not kept:
        raise _few(len(known), total)
    some, count = _trimmed(pa.concat_tables(kept, promote_options="default"), series, rows, seed)
    if count < min(20, len(known)):
        raise _few(len(known), total)
    note = f"{count:,} of {len(known):,} series, chosen at random from {len(files):,} files"
    if count < min(PLENTY, len(known)):
        note += f", which is few: --sample {2 * rows} would learn from twice as many"
    return table_of(some, str(folder), (note,))


def _trimmed(whole: pa.Table, series: Sequence[str], rows: int, seed: int) -> tuple[pa.Table, int]:
    """Of more series than are wanted those that come first by their hashes, and how many these are."""
    codes, hashes = _hashed(whole, series, seed)
    order = np.argsort(hashes)
    count = np.bincount(codes, minlength=len(hashes))[order]
    some = order[np.cumsum(count) <= rows]
    return (whole.filter(pa.array(np.isin(codes, some))) if len(some) < len(hashes) else whole), len(some)


def _pieces(file: Path, root: Path) -> Iterator[pa.Table]:
    try:
        with _opened(file) as opened:
            for batch in opened.iter_batches(_PIECE):
                yield partitioned(pa.Table.from_batches([batch]), file, root)
    except (pa.ArrowException, OSError) as error:
        raise damaged(str(file), "Parquet") from error


def _opened(file: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(file, page_checksum_verification=True)
    except (pa.ArrowException, OSError) as error:
        raise damaged(str(file), "Parquet") from error


def _hashed(piece: pa.Table, series: Sequence[str], seed: int) -> tuple[NDArray[np.int64], Hashes]:
    """Code of the series of each row [n], and a number for each series [u] that its name and the seed decide."""
    missing = [name for name in series if name not in piece.column_names]
    if missing:
        raise DataError(f"there is no column {missing[0]!r}", f"there are {', '.join(piece.column_names)}")
    columns = [pc.cast(piece[name], pa.string()).combine_chunks().dictionary_encode() for name in series]
    codes = np.zeros(len(piece), np.int64)
    for column in columns:
        codes = codes * (len(column.dictionary) + 1) + np.asarray(column.indices.fill_null(-1)) + 1
    unique, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    names = zip(*(column.take(pa.array(first)).to_pylist() for column in columns), strict=True)
    found = [hashlib.blake2b(repr((seed, name)).encode("utf-8", "surrogateescape"), digest_size=8) for name in names]
    return inverse.astype(np.int64), np.frombuffer(b"".join(one.digest() for one in found), "<u8").astype(np.uint64)


def _few(series: int, rows: int) -> DataError:
    return DataError(
        f"{series:,} series of {rows:,} rows are too few and too long for a sample of them",
        "give some of the series, or gather their rows into longer steps, as with --resample h:mean",
    )
