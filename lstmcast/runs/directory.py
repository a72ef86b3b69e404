"""A run on disk: files of data only, published whole or not at all, and verified before they are used.

A run is written into a hidden folder beside its place and then moved there in one step, so its
place holds the old run or the new one and never a mix. Knows nothing of how a run was trained or of
what its files mean.
"""

import contextlib
import errno
import json
import os
import re
import shlex
import stat
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from lstmcast.errors import RunError, suggest_similar
from lstmcast.runs.disk import hidden_sibling, sha256_hex, sync_folder, write_new_file
from lstmcast.runs.lock import find_lock_holder

SCHEMA_VERSION = 2
"""2: the manifest holds the size of every file too."""
MIN_READER_VERSION = "0.1.0"
"""The first lstmcast that reads SCHEMA_VERSION; older ones name it when they refuse a newer run."""
MANIFEST_FILE = "run.json"
RUN_FILES = ("model.safetensors", "scaler.json", "context.parquet", "history.csv", "metrics.json")
"""Names of a run's other files."""
REPORT_FILE, GRAPH_FILE = "report.html", "model.onnx"
DERIVED_FILES = (REPORT_FILE, GRAPH_FILE, "model.json")
"""Not of the run's files, but made of it: a new run takes its place without them."""
CHECKPOINT_FOLDER = "checkpoint"
"""Folder of an unfinished fit; see checkpoint.py."""
PREVIOUS_FOLDER = "previous"
"""Folder of the run that an update replaced; a run itself."""
PreviousVersion = Literal["none", "same", "replaced"]
MAX_MANIFEST_BYTES = 1 << 28
"""Bytes of the largest manifest that is read."""
MAX_FILE_BYTES = 1 << 34
"""Bytes of the largest other file that is read."""
_CHECKPOINT_FILE_NAME = re.compile(r"context\.parquet|stop|\w+-\d+\.safetensors|\..+\.new")
_RECORDED_LIBRARIES = ("lstmcast", "torch", "numpy", "pandas", "pyarrow", "safetensors")
_NAME_A_RUN_HINT = "name the directory that `lstmcast fit` printed"


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
        weakref.finalize(self, _close_handles, self.handles)

    @property
    def files(self) -> list[str]:
        """Names of the run's files, but for its manifest."""
        return list(self.manifest["files"])

    def read(self, name: str) -> bytes:
        """Return the bytes of a file of the run; raises RunError unless they are those that were published."""
        expected = self.manifest["files"].get(name)
        if expected is None:
            raise RunError(f"the run {str(self.path)!r} has no file {name!r}", "fit it again")
        data = _read_contents(
            self.handles[name], self.path / name, expected["bytes"], MAX_FILE_BYTES
        )
        if sha256_hex(data) != expected["sha256"]:
            raise _corrupt_error(self.path / name, "is not what was saved (SHA-256 differs)")
        return data


def has_run(path: str | Path) -> bool:
    """Whether a published run is at `path`."""
    return settled_place(Path(path)).joinpath(MANIFEST_FILE).is_file()


def open_run(path: str | Path) -> Run:
    """Open the run at `path`; raises RunError where there is none, or one that this version cannot trust or read."""
    while True:
        place = settled_place(Path(path))
        if not place.exists():
            raise RunError(f"no run at {str(path)!r}", _suggest_run(Path(path)))
        if not place.is_dir():
            raise RunError(f"{str(path)!r} is a file, not a run directory", _NAME_A_RUN_HINT)
        with contextlib.suppress(FileNotFoundError), _open_folder(place) as folder:
            try:
                return _open_run_in_folder(place, folder)
            except RunError:
                if os.path.samestat(os.fstat(folder), place.stat()):
                    raise  # else it was replaced between two of its files: what is there now is whole


@contextlib.contextmanager
def _open_folder(place: Path) -> Iterator[int]:
    handle = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield handle
    finally:
        os.close(handle)


def _open_run_in_folder(place: Path, folder: int) -> Run:
    """The run in an open folder."""
    try:
        handle = _open_plain_file(place / MANIFEST_FILE, folder)
    except FileNotFoundError:
        raise _unfinished_error(place) from None
    handles = {MANIFEST_FILE: handle}
    try:
        manifest = _parse_manifest(
            _read_contents(handle, place / MANIFEST_FILE), place / MANIFEST_FILE
        )
        for name in manifest["files"]:
            require_file_name(name, place)
        for name in manifest["files"]:
            try:
                handles[name] = _open_plain_file(place / name, folder)
            except FileNotFoundError:
                raise _corrupt_error(place / name, "is missing") from None
    except BaseException:
        _close_handles(handles)
        raise
    return Run(place, manifest, handles)


def write_run_files(stage: Path, files: Mapping[str, bytes], manifest: Mapping[str, Any]) -> None:
    """Make a folder of files and, last, the manifest that has their sizes and SHA-256."""
    stage.mkdir(parents=True)
    for name, data in files.items():
        write_new_file(stage / name, data)
    full = {
        "schema_version": SCHEMA_VERSION,
        "needs": MIN_READER_VERSION,
        "versions": library_versions(),
        **manifest,
        "files": {
            name: {"bytes": len(data), "sha256": sha256_hex(data)} for name, data in files.items()
        },
    }
    full["sha256"] = _manifest_digest(full)
    text = json.dumps(full, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    write_new_file(stage / MANIFEST_FILE, text.encode("utf-8", "surrogatepass"))
    sync_folder(stage)


def settled_place(place: Path) -> Path:
    """Where the run of `place` lies: beside it, if a replacement was cut off between its two renames."""
    aside = hidden_sibling(Path(os.path.realpath(place)), "old")
    return aside if not place.exists() and aside.exists() else place


def _parse_manifest(data: bytes, file: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(data)
    except (ValueError, RecursionError):
        raise _corrupt_error(file, "is not readable") from None
    if not isinstance(manifest, dict) or not isinstance(manifest.get("schema_version"), int):
        raise _corrupt_error(file, "is not the manifest of a run")
    if manifest["schema_version"] > SCHEMA_VERSION:
        raise RunError(
            f"the run {str(file.parent)!r} was written by a newer lstmcast",
            f"it needs lstmcast >= {manifest.get('needs', 'the one that wrote it')}",
        )
    if manifest.get("sha256") != _manifest_digest(manifest) or not isinstance(
        manifest.get("files"), dict
    ):
        raise _corrupt_error(file, "is not what was saved (SHA-256 differs)")
    if manifest["schema_version"] < 2:
        manifest["files"] = {
            name: {"bytes": None, "sha256": sha256} for name, sha256 in manifest["files"].items()
        }
    if not all(
        isinstance(entry, dict) and entry.keys() >= {"bytes", "sha256"}
        for entry in manifest["files"].values()
    ):
        raise _corrupt_error(file, "is not the manifest of a run")
    return manifest


def read_plain_file(file: Path, limit: int) -> bytes:
    """Bytes of a plain file, `limit` at most; raises RunError."""
    try:
        handle = _open_plain_file(file)
    except FileNotFoundError:
        raise _corrupt_error(file, "is missing") from None
    try:
        return _read_contents(handle, file, limit=limit)
    finally:
        os.close(handle)


def _open_plain_file(file: Path, folder: int | None = None) -> int:
    """Open a plain file, by its name in an open folder if there is one; raises RunError for anything else."""
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        handle = os.open(file if folder is None else file.name, flags, dir_fd=folder)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        raise RunError(
            f"{str(file)!r} is a symbolic link", "a run holds plain files only"
        ) from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise RunError(f"{str(file)!r} is not a plain file", "a run holds plain files only")
    return handle


def _read_contents(
    handle: int, file: Path, size: int | None = None, limit: int | None = None
) -> bytes:
    """Bytes of an open file, of `size` if that is known, and of `limit` at most (MANIFEST_LIMIT); raises RunError."""
    found = os.fstat(handle).st_size
    if found > (limit or MAX_MANIFEST_BYTES) or size not in (None, found):
        raise _corrupt_error(file, f"is not what was saved ({found} bytes)")
    with os.fdopen(handle, "rb", closefd=False) as stream:
        stream.seek(0)
        return stream.read()


def _close_handles(handles: Mapping[str, int]) -> None:
    for handle in handles.values():
        os.close(handle)


def require_file_name(name: str, place: Path) -> None:
    if not name or name in (".", "..", MANIFEST_FILE) or re.search(r"[/\\\0]", name):
        raise RunError(
            f"the run {str(place)!r} names a file {name!r}",
            "a run holds plain files only; do not use it",
        )


def _unfinished_error(place: Path) -> RunError:
    if writer := find_lock_holder(place):
        return RunError(f"the run {str(place)!r} is still being made, by {writer}", "wait for it")
    if (place / CHECKPOINT_FOLDER / MANIFEST_FILE).is_file():
        return interrupted_error(place)
    if (place / "model.safetensors").exists() or (place / CHECKPOINT_FOLDER).exists():
        return RunError(f"the run {str(place)!r} was interrupted", "delete it and fit again")
    return RunError(f"{str(place)!r} is not a run directory", _NAME_A_RUN_HINT)


def interrupted_error(path: str | Path, purpose: str = "") -> RunError:
    go_on = f"go on with `lstmcast fit --resume {shlex.quote(str(path))}`"
    other = f"give --force{purpose}" if purpose else "delete it"
    return RunError(f"the fit of {str(path)!r} was interrupted", f"{go_on}, or {other}")


def _suggest_run(path: Path) -> str:
    try:
        runs = [
            str(path.with_name(entry.name))
            for entry in path.parent.iterdir()
            if (entry / MANIFEST_FILE).is_file()
        ]
    except OSError:
        runs = []
    return suggest_similar(str(path), sorted(runs)) if runs else "make one with `lstmcast fit`"


def _corrupt_error(file: Path, what: str) -> RunError:
    return RunError(f"{str(file)!r} {what}", "take the run from a backup, or fit it again")


def library_versions() -> dict[str, str]:
    """Versions of what a run depends on."""
    from importlib import metadata  # slow to import

    found = {}
    for name in _RECORDED_LIBRARIES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def _manifest_digest(manifest: Mapping[str, Any]) -> str:
    rest = {key: value for key, value in manifest.items() if key != "sha256"}
    return sha256_hex(json.dumps(rest, sort_keys=True).encode())
