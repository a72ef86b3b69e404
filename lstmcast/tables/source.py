"""Where the bytes of a table come from: a file, standard input or a pipe, unpacked while they are read.

Knows not what the bytes mean. Never gives more of them than a limit: a small packed file cannot
fill the memory.
"""

import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO

import pyarrow as pa

from lstmcast.compute.memory import format_bytes, free_memory
from lstmcast.errors import DataError, ResourceError

BLOCK_BYTES = 1 << 23
"""Bytes read at a time."""
_COMPRESSION_MAGIC = ((b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"))
_FOREIGN_FORMATS = (
    (
        b"PK\x03\x04",
        "a zip archive or an Excel workbook",
        "save the sheet as CSV, or unpack the archive",
    ),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "save the sheet as CSV"),
    (b"BZh", "packed with bzip2", "unpack it, for example with bzcat FILE | lstmcast ... -"),
    (b"\xfd7zXZ", "packed with xz", "unpack it, for example with xzcat FILE | lstmcast ... -"),
    (b"SQLite format 3", "an SQLite database", "export the table as CSV"),
    (b"\x89HDF", "an HDF5 file", "export the table as Parquet or CSV"),
    (b"ORC", "an ORC file", "convert it to Parquet"),
    (b"FEA1", "a Feather file of version 1", "write it anew as Parquet or Arrow"),
    (b"%PDF", "a PDF document", "give the data themselves, as CSV or Parquet"),
    (
        b"<",
        "HTML or XML, perhaps the error page of a download",
        "download the data themselves, as CSV or Parquet",
    ),
    (b"{", "JSON", "convert it to CSV with a header line, or to Parquet"),
    (b"[", "JSON", "convert it to CSV with a header line, or to Parquet"),
)
_TEXT_MEMORY_FACTOR = 4
"""A table of text takes at most this many times its bytes while it is read."""


@dataclass(frozen=True)
class Source:
    """Bytes that can be read again and again: those of a file, or `data` where they came through a pipe.

    limit: most bytes that it may unpack to, where the user set one; otherwise the memory that is
    free sets it.
    """

    name: str
    path: Path | None = None
    data: bytes = b""
    limit: int | None = None

    @property
    def size(self) -> int:
        """Bytes as they lie, packed or not."""
        return self.path.stat().st_size if self.path else len(self.data)

    @cached_property
    def compression(self) -> str:
        """How the bytes are packed: "gzip", "zstd" or "" for not at all."""
        with self._open_raw() as stream:
            start = stream.read(4)
        return next((kind for magic, kind in _COMPRESSION_MAGIC if start.startswith(magic)), "")

    @cached_property
    def start(self) -> bytes:
        """The first bytes, unpacked: enough to know the format and the dialect by."""
        return next(self.blocks(1 << 17), b"")

    @cached_property
    def allowed(self) -> int:
        """Bytes that may be unpacked."""
        return self.limit if self.limit is not None else free_memory() // _TEXT_MEMORY_FACTOR

    def blocks(self, size: int = BLOCK_BYTES) -> Iterator[bytes]:
        """The unpacked bytes in blocks. DataError where they are damaged, ResourceError beyond the limit."""
        if not self.compression and self.size > self.allowed:
            raise self.too_large_error(self.size)
        count = 0
        with self._open_raw() as raw, self._open_unpacked(raw) as stream:
            while block := self._read_block(stream, size):
                count += len(block)
                if count > self.allowed:
                    raise self.too_large_error(count)
                yield block

    def read(self) -> bytes:
        """All bytes, unpacked."""
        return self.data if self.path is None and not self.compression else b"".join(self.blocks())

    def too_large_error(self, size: int, what: str = "") -> ResourceError:
        """The error for `size` bytes, or more, where fewer are allowed; `what` says what they are."""
        beyond = f"{what}, " * bool(what) + "more than " * bool(self.compression)
        if self.limit is not None:
            said = f"{self.name} holds {beyond}{format_bytes(size)}, and --max-bytes allows {format_bytes(self.limit)}"
            return ResourceError(
                said, "where the file can be trusted, allow more, as in --max-bytes 16GB"
            )
        return ResourceError(
            f"{self.name} holds {beyond}{format_bytes(size)}: too much for the {format_bytes(free_memory())} of memory free",
            "give a part of it, or fewer columns; or allow it with --max-bytes, as in --max-bytes 16GB",
        )

    def require_table_format(self) -> None:
        """Raise DataError where the first bytes are those of a format that is no table here."""
        for magic, what, hint in _FOREIGN_FORMATS:
            if self.start.startswith(magic):
                raise DataError(f"{self.name} is {what}, not CSV, Parquet or Arrow", hint)

    def _open_raw(self) -> IO[bytes]:
        return self.path.open("rb") if self.path else io.BytesIO(self.data)

    def _open_unpacked(self, raw: IO[bytes]) -> IO[bytes]:
        if self.compression == "gzip":
            return gzip.GzipFile(fileobj=raw)  # type: ignore[return-value]
        if self.compression == "zstd":
            stream: IO[bytes] = pa.CompressedInputStream(pa.PythonFile(raw, "r"), "zstd")
            return stream
        return raw

    def _read_block(self, stream: IO[bytes], size: int) -> bytes:
        if not self.compression:
            return stream.read(size)
        try:
            return stream.read(size)
        except (EOFError, OSError, zlib.error) as error:
            raise damaged_data_error(self.name, self.compression) from error


def damaged_data_error(name: str, kind: str) -> DataError:
    """The error for data that are not what their first bytes promise."""
    return DataError(
        f"{name}: the {kind} data are damaged or cut short", "copy or download the file again"
    )


def open_source(place: str, limit: int | None = None) -> Source:
    """The source at a path, or at "-" (stdin). A pipe is read at once. DataError where nothing can be read."""
    if place == "-":
        return Source("stdin", data=_read_pipe(sys.stdin.buffer, "stdin", limit), limit=limit)
    path = Path(place)
    try:
        if path.is_file():
            with path.open("rb"):
                return Source(place, path, limit=limit)
        with path.open("rb") as pipe:
            return Source(place, data=_read_pipe(pipe, place, limit), limit=limit)
    except OSError as error:
        raise DataError(
            f"cannot read {place}: {error.strerror or error}", "give a file that can be read"
        ) from error


def _read_pipe(stream: IO[bytes], name: str, limit: int | None) -> bytes:
    source, parts, count = Source(name, limit=limit), [], 0
    while block := stream.read(BLOCK_BYTES):
        parts.append(block)
        count += len(block)
        if count > source.allowed:
            raise source.too_large_error(count)
    return b"".join(parts)
