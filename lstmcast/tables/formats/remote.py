"""Paths that are addresses, such as https:// and s3://, through fsspec.

Only kinds of addresses that are listed here are opened: neither chained addresses of fsspec, nor
those that lead back to this machine's files.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, NamedTuple

from lstmcast.errors import DataError, ResourceError, UsageError, suggest_similar
from lstmcast.extras import require_extra
from lstmcast.tables.source import Source, read_stream

_ADDRESS = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*)://")
_PACKAGE_BY_SCHEME = {
    "http": "aiohttp",
    "https": "aiohttp",
    "s3": "s3fs",
    "gs": "gcsfs",
    "abfs": "adlfs",
}
"""What fsspec needs for an address; the last two are installed apart."""
_PARQUET_SUFFIXES = (".parquet", ".pq")


class RemoteFile(NamedTuple):
    """A file behind an address, and what changes when it does."""

    address: str
    size: int
    version: str


def is_remote(place: str) -> bool:
    """Whether a path is an address."""
    return _ADDRESS.match(place) is not None


def open_remote_source(address: str, limit: int | None = None) -> Source:
    """Read a file behind an address.

    Raises DataError where there is none, ResourceError where it cannot be reached or holds more
    than its limit allows, UsageError where the kind of address is unknown or its package missing.
    """
    system, path = _open_system(address)
    with _as_errors(address), system.open(path, "rb") as stream:
        data = read_stream(stream, address, limit)
    return Source(address, data=data, limit=limit)


@contextmanager
def open_remote_file(address: str) -> Iterator[IO[bytes]]:
    """Open a file behind an address, to read parts of it; raises as `open_remote_source`."""
    system, path = _open_system(address)
    with _as_errors(address), system.open(path, "rb") as stream:
        yield stream


def is_remote_folder(address: str) -> bool:
    """Whether an address is that of several Parquet files: a folder or a pattern."""
    system, path = _open_system(address)
    if address.startswith(
        "http"
    ):  # which has no folders; its addresses may hold a question mark
        return False
    if is_remote_pattern(address):
        return True
    with _as_errors(address):
        return bool(system.isdir(path))


def is_remote_pattern(address: str) -> bool:
    """Whether an address has a place for any name, as in s3://sales/*.parquet."""
    return re.search(r"[*?\[]", address) is not None


def list_remote_parquet(address: str) -> list[RemoteFile]:
    """Return the Parquet files of a folder or pattern behind an address, by name.

    Files and folders that begin with a dot or an underscore are not data.
    """
    system, path = _open_system(address)
    scheme = address.partition("://")[0]
    with _as_errors(address):
        system.invalidate_cache()
        search = system.glob if is_remote_pattern(path) else system.find
        found = search(path, detail=True)
    root = path.rstrip("/")
    files = []
    for name, facts in sorted(found.items()):
        parts = name.removeprefix(root).strip("/").split("/")
        is_hidden = any(part.startswith((".", "_")) for part in parts)
        if name.endswith(_PARQUET_SUFFIXES) and not is_hidden:
            version = str(facts.get("ETag") or facts.get("LastModified") or "")
            size = int(facts.get("size") or 0)
            files.append(RemoteFile(f"{scheme}://{name}", size, version))
    return files


def _open_system(address: str) -> tuple[Any, str]:
    """Return the file system of an address, and the path in it."""
    match = _ADDRESS.match(address)
    scheme = match[1].lower() if match else ""
    package = _PACKAGE_BY_SCHEME.get(scheme)
    if package is None or "::" in address:
        raise UsageError(
            f"{address!r} is no address that is read",
            suggest_similar(
                f"{scheme}://", [f"{one}://" for one in _PACKAGE_BY_SCHEME]
            ),
        )
    require_extra(f"{scheme}:// needs", "remote", "fsspec", package)
    from fsspec.core import url_to_fs

    with _as_errors(address):
        system, path = url_to_fs(address)
    return system, str(path)


@contextmanager
def _as_errors(address: str) -> Iterator[None]:
    """Raise our own errors for those of fsspec and what it uses."""
    try:
        yield
    except (DataError, ResourceError, UsageError):
        raise
    except FileNotFoundError as error:
        cause = error.__cause__
        # fsspec says so of a server that does not answer, too.
        if isinstance(cause, OSError) and not isinstance(cause, FileNotFoundError):
            raise _unreachable_error(address, cause) from error
        raise DataError(
            f"there is no file {address!r}", "see whether the address is right"
        ) from None
    except PermissionError as error:
        raise DataError(
            f"{address!r} may not be read: {_describe(error)}",
            "give the keys of the store, as in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        ) from None
    # Each store has errors of its own: most are OSError, those of botocore are not.
    except Exception as error:
        raise _unreachable_error(address, error) from error


def _unreachable_error(address: str, error: Exception) -> ResourceError:
    return ResourceError(
        f"{address!r} cannot be read: {_describe(error)}",
        "see whether the address can be reached from here, or download the file",
    )


def _describe(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
