"""The parts of a data set: files of a folder here, or of one behind an address."""

from pathlib import Path, PurePath, PurePosixPath
from typing import Any, NamedTuple

from lstmcast.errors import DataError
from lstmcast.tables.columnar import list_parquet_files
from lstmcast.tables.formats.remote import RemoteFile, is_remote, list_remote_parquet


class Shard(NamedTuple):
    """A part of a data set.

    name: also that of its result file. files: its Parquet files, absolute or addresses. root: the
    folder of the whole data set. remote: of files behind addresses, what the store says of them.
    """

    name: str
    files: tuple[str, ...]
    root: str
    remote: tuple[RemoteFile, ...] = ()

    def state(self) -> list[list[Any]]:
        """Return what changes when a file does: its name, size and time of modification."""
        rows: list[list[Any]] = []
        if self.remote:
            return [list(file) for file in self.remote]
        for file in map(Path, self.files):
            stat = file.stat()
            rows.append([file.name, stat.st_size, stat.st_mtime_ns])
        return rows


def find_shards(folder: str | Path) -> list[Shard]:
    """Return the shards of a folder or of an address, sorted by name, with absolute paths.

    Raises DataError where the folder holds no Parquet.
    """
    if is_remote(str(folder)):
        return _find_remote_shards(str(folder))
    root = Path(folder).absolute()
    files_by_name: dict[str, list[str]] = {}
    for file in list_parquet_files(root):
        name = _name_shard(file.relative_to(root))
        files_by_name.setdefault(name, []).append(str(file))
    if not files_by_name:
        raise DataError(
            f"{folder} is a folder without Parquet files",
            "give a folder of .parquet files",
        )
    named = sorted(files_by_name.items())
    return [Shard(name, tuple(files), str(root)) for name, files in named]


def _find_remote_shards(address: str) -> list[Shard]:
    root = PurePosixPath(address)
    files_by_name: dict[str, list[RemoteFile]] = {}
    for file in list_remote_parquet(address):
        name = _name_shard(PurePosixPath(file.address).relative_to(root))
        files_by_name.setdefault(name, []).append(file)
    if not files_by_name:
        raise DataError(
            f"there are no Parquet files in {address!r}",
            "give a folder of .parquet files",
        )
    return [
        Shard(name, tuple(file.address for file in files), address, tuple(files))
        for name, files in sorted(files_by_name.items())
    ]


def _name_shard(file: PurePath) -> str:
    """Return the shard that a file belongs to; the path is relative to the data set."""
    # Hive's layout: all files of the folder `shop=7` are one shard.
    is_partition = "=" in file.parent.name
    return str(file.parent if is_partition else file.with_suffix(""))
