"""A run on disk: files of data only, published whole or not at all, and verified before they are used.

A run is written into a hidden folder beside its place and then moved there in one step, so its place holds the old run
or the new one and never a mix. Knows nothing of how a run was trained or of what its files mean.
"""

import contextlib
import errno
import json
import os
import re
import shlex
import shutil
import stat
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from lstmcast.runs.disk import beside
from lstmcast.runs.disk import digest
from lstmcast.runs.disk import exchange
from lstmcast.runs.disk import sync_folder
from lstmcast.runs.disk import write_new
from lstmcast.errors import RunError, suggest
from lstmcast.runs.lock import holder
from lstmcast.runs.lock import lock

SCHEMA_VERSION = 2
"""2: the manifest holds the size of every file too."""
NEEDS = "0.1.0"
"""The first lstmcast that reads SCHEMA_VERSION; older ones name it when they refuse a newer run."""
MANIFEST = "run.json"
FILES = ("model.safetensors", "scaler.json", "context.parquet", "history.csv", "metrics.json")
"""Names of a run's other files."""
REPORT, GRAPH = "report.html", "model.onnx"
MADE = (REPORT, GRAPH, "model.json")
"""Not of the run's files, but made of it: a new run takes its place without them."""
CHECKPOINT = "checkpoint"
"""Folder of an unfinished fit; see checkpoint.py."""
PREVIOUS = "previous"
"""Folder of the run that an update replaced; a run itself."""
Previous = Literal["none", "same", "replaced"]
MANIFEST_LIMIT = 1 << 28
"""Bytes of the largest manifest that is read."""
FILE_LIMIT = 1 << 34
"""Bytes of the largest other file that is read."""
_OF_CHECKPOINTS = re.compile(r"context\.parquet|stop|\w+-\d+\.safetensors|\..+\.new")
_LIBRARIES = ("lstmcast", "torch", "numpy", "pandas", "pyarrow", "safetensors")
_NAME_A_RUN = "name the directory that `lstmcast fit` printed"


@dataclass(frozen=True)
class Run:
    """A published run: where it is, what its manifest says, and its files, which stay open.

    So all that is read of it is of one run, even where another has taken its place by now.
    """

    path: Path
    manifest: dict[str, Any]
    handles: dict[str, int] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Let go of the files when nobody has the run any more."""
        weakref.finalize(self, _close, self.handles)

    @property
    def files(self) -> list[str]:
        """Names of the run's files, but for its manifest."""
        return list(self.manifest["files"])

    def read(self, name: str) -> bytes:
        """Return the bytes of a file of the run; raises RunError unless they are those that were published."""
        expected = self.manifest["files"].get(name)
        if expected is None:
            raise RunError(f"the run {str(self.path)!r} has no file {name!r}", "fit it again")
        data = _contents(self.handles[name], self.path / name, expected["bytes"], FILE_LIMIT)
        if digest(data) != expected["sha256"]:
            raise _corrupt(self.path / name, "is not what was saved (SHA-256 differs)")
        return data


def holds_run(path: str | Path) -> bool:
    """Whether a published run is at `path`."""
    return _settled(Path(path)).joinpath(MANIFEST).is_file()






def open_run(path: str | Path) -> Run:
    """Open the run at `path`; raises RunError where there is none, or one that this version cannot trust or read."""
    while True:
        place = _settled(Path(path))
        if not place.exists():
            raise RunError(f"no run at {str(path)!r}", _neighbours(Path(path)))
        if not place.is_dir():
            raise RunError(f"{str(path)!r} is a file, not a run directory", _NAME_A_RUN)
        with contextlib.suppress(FileNotFoundError), _folder(place) as folder:
            try:
                return _opened(place, folder)
            except RunError:
                if os.path.samestat(os.fstat(folder), place.stat()):
                    raise  # else it was replaced between two of its files: what is there now is whole


@contextlib.contextmanager
def _folder(place: Path) -> Iterator[int]:
    handle = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield handle
    finally:
        os.close(handle)


def _opened(place: Path, folder: int) -> Run:
    """The run in an open folder."""
    try:
        handle = _open_regular(place / MANIFEST, folder)
    except FileNotFoundError:
        raise _unfinished(place) from None
    handles = {MANIFEST: handle}
    try:
        manifest = _parse(_contents(handle, place / MANIFEST), place / MANIFEST)
        for name in manifest["files"]:
            _check_name(name, place)
        for name in manifest["files"]:
            try:
                handles[name] = _open_regular(place / name, folder)
            except FileNotFoundError:
                raise _corrupt(place / name, "is missing") from None
    except BaseException:
        _close(handles)
        raise
    return Run(place, manifest, handles)


def fill(stage: Path, files: Mapping[str, bytes], manifest: Mapping[str, Any]) -> None:
    """Make a folder of files and, last, the manifest that has their sizes and SHA-256."""
    stage.mkdir(parents=True)
    for name, data in files.items():
        write_new(stage / name, data)
    full = {
        "schema_version": SCHEMA_VERSION,
        "needs": NEEDS,
        "versions": versions(),
        **manifest,
        "files": {name: {"bytes": len(data), "sha256": digest(data)} for name, data in files.items()},
    }
    full["sha256"] = _seal(full)
    text = json.dumps(full, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    write_new(stage / MANIFEST, text.encode("utf-8", "surrogatepass"))
    sync_folder(stage)


















def _settled(place: Path) -> Path:
    """Where the run of `place` lies: beside it, if a replacement was cut off between its two renames."""
    aside = beside(Path(os.path.realpath(place)), "old")
    return aside if not place.exists() and aside.exists() else place




def _parse(data: bytes, file: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(data)
    except (ValueError, RecursionError):
        raise _corrupt(file, "is not readable") from None
    if not isinstance(manifest, dict) or not isinstance(manifest.get("schema_version"), int):
        raise _corrupt(file, "is not the manifest of a run")
    if manifest["schema_version"] > SCHEMA_VERSION:
        raise RunError(
            f"the run {str(file.parent)!r} was written by a newer lstmcast",
            f"it needs lstmcast >= {manifest.get('needs', 'the one that wrote it')}",
        )
    if manifest.get("sha256") != _seal(manifest) or not isinstance(manifest.get("files"), dict):
        raise _corrupt(file, "is not what was saved (SHA-256 differs)")
    if manifest["schema_version"] < 2:
        manifest["files"] = {name: {"bytes": None, "sha256": sha256} for name, sha256 in manifest["files"].items()}
    if not all(isinstance(entry, dict) and entry.keys() >= {"bytes", "sha256"} for entry in manifest["files"].values()):
        raise _corrupt(file, "is not the manifest of a run")
    return manifest


def read_regular(file: Path, limit: int) -> bytes:
    """Bytes of a plain file, `limit` at most; raises RunError."""
    try:
        handle = _open_regular(file)
    except FileNotFoundError:
        raise _corrupt(file, "is missing") from None
    try:
        return _contents(handle, file, limit=limit)
    finally:
        os.close(handle)


def _open_regular(file: Path, folder: int | None = None) -> int:
    """Open a plain file, by its name in an open folder if there is one; raises RunError for anything else."""
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        handle = os.open(file if folder is None else file.name, flags, dir_fd=folder)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        raise RunError(f"{str(file)!r} is a symbolic link", "a run holds plain files only") from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise RunError(f"{str(file)!r} is not a plain file", "a run holds plain files only")
    return handle


def _contents(handle: int, file: Path, size: int | None = None, limit: int | None = None) -> bytes:
    """Bytes of an open file, of `size` if that is known, and of `limit` at most (MANIFEST_LIMIT); raises RunError."""
    found = os.fstat(handle).st_size
    if found > (limit or MANIFEST_LIMIT) or size not in (None, found):
        raise _corrupt(file, f"is not what was saved ({found} bytes)")
    with os.fdopen(handle, "rb", closefd=False) as stream:
        stream.seek(0)
        return stream.read()


def _close(handles: Mapping[str, int]) -> None:
    for handle in handles.values():
        os.close(handle)


def _check_name(name: str, place: Path) -> None:
    if not name or name in (".", "..", MANIFEST) or re.search(r"[/\\\0]", name):
        raise RunError(f"the run {str(place)!r} names a file {name!r}", "a run holds plain files only; do not use it")


def _unfinished(place: Path) -> RunError:
    if writer := holder(place):
        return RunError(f"the run {str(place)!r} is still being made, by {writer}", "wait for it")
    if (place / CHECKPOINT / MANIFEST).is_file():
        return _interrupted(place)
    if (place / "model.safetensors").exists() or (place / CHECKPOINT).exists():
        return RunError(f"the run {str(place)!r} was interrupted", "delete it and fit again")
    return RunError(f"{str(place)!r} is not a run directory", _NAME_A_RUN)


def _interrupted(path: str | Path, purpose: str = "") -> RunError:
    go_on = f"go on with `lstmcast fit --resume {shlex.quote(str(path))}`"
    other = f"give --force{purpose}" if purpose else "delete it"
    return RunError(f"the fit of {str(path)!r} was interrupted", f"{go_on}, or {other}")


def _neighbours(path: Path) -> str:
    try:
        runs = [str(path.with_name(entry.name)) for entry in path.parent.iterdir() if (entry / MANIFEST).is_file()]
    except OSError:
        runs = []
    return suggest(str(path), sorted(runs)) if runs else "make one with `lstmcast fit`"


def _corrupt(file: Path, what: str) -> RunError:
    return RunError(f"{str(file)!r} {what}", "take the run from a backup, or fit it again")


def versions() -> dict[str, str]:
    """Versions of what a run depends on."""
    from importlib import metadata  # slow to import

    found = {}
    for name in _LIBRARIES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def _seal(manifest: Mapping[str, Any]) -> str:
    rest = {key: value for key, value in manifest.items() if key != "sha256"}
    return digest(json.dumps(rest, sort_keys=True).encode())
