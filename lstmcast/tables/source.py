"""Where the bytes of a table come from: a file, standard input or a pipe, unpacked when read.

Does not know what the bytes mean. Never returns more of them than a limit, so that a small packed
file cannot fill the memory.
"""

import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, NamedTuple

import pyarrow as pa

from lstmcast.compute.memory import format_bytes, free_memory
from lstmcast.errors import DataError, ResourceError

BLOCK_BYTES = 1 << 23
"""Bytes read at a time."""
_START_BYTES = 1 << 17
"""Bytes that are enough to know a format and a dialect by."""
_TEXT_MEMORY_FACTOR = 4
"""A table of text takes at most this many times its bytes while it is read."""
_COMPRESSION_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
"""First bytes of packed files."""


class _ForeignFormat(NamedTuple):
    """A format that is not read: the first bytes of such a file, what it is, what to do instead."""

    magic: bytes
    what: str
    hint: str


_FOREIGN_FORMATS = (
    _ForeignFormat(
        b"PK\x03\x04",
        "a zip archive, and no workbook",
        "unpack it, or save the sheet as CSV",
    ),
    _ForeignFormat(
        b"BZh",
        "packed with bzip2",
        "unpack it, for example with bzcat FILE | lstmcast ... -",
    ),
    _ForeignFormat(
        b"\xfd7zXZ",
        "packed with xz",
        "unpack it, for example with xzcat FILE | lstmcast ... -",
    ),
    _ForeignFormat(b"\x89HDF", "an HDF5 file", "export the table as Parquet or CSV"),
    _ForeignFormat(b"ORC", "an ORC file", "convert it to Parquet"),
    _ForeignFormat(
        b"FEA1", "a Feather file of version 1", "write it anew as Parquet or Arrow"
    ),
    _ForeignFormat(
        b"%PDF", "a PDF document", "give the data themselves, as CSV or Parquet"
    ),
    _ForeignFormat(
        b"<",
        "HTML or XML, perhaps the error page of a download",
        "download the data themselves, as CSV or Parquet",
    ),
)


@dataclass(frozen=True)
class Source:
    """Bytes that can be read again and again: those of a file, or `data` that a pipe delivered.

    limit: most bytes that it may unpack to, where the user set one; otherwise the free memory sets
    it.
    """

    name: str
    path: Path | None = None
    data: bytes = b""
    limit: int | None = None

    @property
    def size(self) -> int:
        """Number of bytes as stored, packed or not."""
        return self.path.stat().st_size if self.path else len(self.data)

    @cached_property
    def compression(self) -> str:
        """How the bytes are packed: "gzip", "zstd" or "" for not at all."""
        with self._open_raw() as stream:
            start = stream.read(4)
        for magic, kind in _COMPRESSION_MAGIC.items():
            if start.startswith(magic):
                return kind
        return ""

    @cached_property
    def start(self) -> bytes:
        """The first bytes, unpacked: enough to know the format and the dialect by."""
        return next(self.blocks(_START_BYTES), b"")

    @cached_property
    def allowed(self) -> int:
        """Most bytes that may be unpacked."""
        if self.limit is not None:
            return self.limit
        return free_memory() // _TEXT_MEMORY_FACTOR

    def blocks(self, size: int = BLOCK_BYTES) -> Iterator[bytes]:
        """The unpacked bytes in blocks of at most `size`.

        Raises DataError where they are damaged, ResourceError where there are more than the limit.
        """
        # Without compression the size is known before anything is read.
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
        """All bytes, unpacked. Raises what `blocks` raises."""
        if self.path is None and not self.compression:
            return self.data
        return b"".join(self.blocks())

    def too_large_error(self, size: int, what: str = "") -> ResourceError:
        """The error for `size` bytes where fewer are allowed; `what` describes them."""
        amount = format_bytes(size)
        if self.compression:  # it was unpacked only so far
            amount = f"more than {amount}"
        if what:
            amount = f"{what}, {amount}"

        if self.limit is None:
            return ResourceError(
                f"{self.name} holds {amount}:"
                f" too much for the {format_bytes(free_memory())} of memory free",
                "give a part of it, or fewer columns;"
                " or allow it with --max-bytes, as in --max-bytes 16GB",
            )
        return ResourceError(
            f"{self.name} holds {amount}, and --max-bytes allows {format_bytes(self.limit)}",
            "where the file can be trusted, allow more, as in --max-bytes 16GB",
        )

    def require_table_format(self) -> None:
        """Raise DataError where the first bytes are those of a format that is not read."""
        for known in _FOREIGN_FORMATS:
            if self.start.startswith(known.magic):
                message = f"{self.name} is {known.what}, which is not read"
                raise DataError(message, known.hint)

    def _open_raw(self) -> IO[bytes]:
        return self.path.open("rb") if self.path else io.BytesIO(self.data)

    def _open_unpacked(self, raw: IO[bytes]) -> IO[bytes]:
        if self.compression == "gzip":
            return gzip.GzipFile(fileobj=raw)  # type: ignore[return-value]
        if self.compression == "zstd":
            file = pa.PythonFile(raw, "r")
            stream: IO[bytes] = pa.CompressedInputStream(file, "zstd")
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
    message = f"{name}: the {kind} data are damaged or cut short"
    return DataError(message, "copy or download the file again")


def open_source(place: str, limit: int | None = None) -> Source:
    """The source at a path, or standard input for "-". A pipe is read at once.

    Raises DataError where nothing can be read, ResourceError where a pipe delivers more than
    `limit`.
    """
    if place == "-":
        data = read_stream(sys.stdin.buffer, "stdin", limit)
        return Source("stdin", data=data, limit=limit)

    path = Path(place)
    try:
        if path.is_file():
            with path.open("rb"):  # raises now where it may not be read
                return Source(place, path, limit=limit)
        with path.open("rb") as pipe:
            data = read_stream(pipe, place, limit)
            return Source(place, data=data, limit=limit)
    except OSError as error:
        message = f"cannot read {place}: {error.strerror or error}"
        raise DataError(message, "give a file that can be read") from error


def read_stream(stream: IO[bytes], name: str, limit: int | None) -> bytes:
    """Return all bytes of a stream; raises ResourceError where they are more than the limit."""
    source = Source(name, limit=limit)
    blocks = []
    count = 0
    while block := stream.read(BLOCK_BYTES):
        blocks.append(block)
        count += len(block)
        if count > source.allowed:
            raise source.too_large_error(count)
    return b"".join(blocks)
