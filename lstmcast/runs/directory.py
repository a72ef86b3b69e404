"""Open the directory of a run, and verify every file of it before it is used.

A run holds files of data only, and its manifest their sizes and hashes. Knows nothing of how a run
was trained or of what its files mean; `publish` puts runs in their place.
"""

import contextlib
import json
import os
import re
import shlex
import stat
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired, TypedDict
from zoneinfo import TZPATH

from lstmcast.compute import system
from lstmcast.compute.system import open_folder
from lstmcast.errors import RunError, suggest_similar
from lstmcast.runs.disk import hidden_sibling, sha256_hex, sync_folder, write_new_file
from lstmcast.runs.lock import find_lock_holder
from lstmcast.runs.schema import FieldError, Range, read_typed

SCHEMA_VERSION = 3
"""Version of the manifest: from 2 on it holds the size of every file, from 3 on the forecast may be
a simple method's, and times may be closed."""
MIN_READER_VERSION = "0.2.0"
"""The first lstmcast that reads SCHEMA_VERSION; older ones name it when they refuse a newer run."""
MANIFEST_FILE = "run.json"
RUN_FILES = (
    "model.safetensors",
    "scaler.json",
    "context.parquet",
    "history.csv",
    "metrics.json",
)
"""Names of a run's other files."""
REPORT_FILE, GRAPH_FILE = "report.html", "model.onnx"
DERIVED_FILES = (REPORT_FILE, GRAPH_FILE, "model.json")
"""Files made from a run that are not part of it: a run that replaces it does not keep them."""
CHECKPOINT_FOLDER = "checkpoint"
"""Folder of an unfinished fit; see `training/checkpoint.py`."""
PREVIOUS_FOLDER = "previous"
"""Folder of the run that an update replaced, which is a run directory itself."""
PreviousVersion = Literal["none", "same", "replaced"]
MAX_MANIFEST_BYTES = 1 << 28
"""Largest manifest that is read, in bytes."""
MAX_FILE_BYTES = 1 << 34
"""Largest other file that is read, in bytes."""
_RECORDED_LIBRARIES = (
    *("lstmcast", "torch", "numpy", "pandas", "pyarrow", "safetensors"),
    *("holidays", "tzdata"),
)
_NAME_A_RUN_HINT = "name the directory that `lstmcast fit` printed"


class _VersionFields(TypedDict):
    """What tells a manifest from other files, of whatever version."""

    schema_version: Annotated[int, Range(1)]


class _FileFields(TypedDict):
    """Size and hash of a file; runs of the first version have no sizes."""

    bytes: Annotated[int, Range(0)] | None
    sha256: str


class _ManifestFields(TypedDict):
    """What the manifest of every run and of every unfinished fit has."""

    schema_version: int
    needs: NotRequired[str]
    versions: NotRequired[dict[str, str]]
    files: dict[str, _FileFields]
    sha256: str


@dataclass(frozen=True)
class Run:
    """A published run: its place, its manifest, and its files, which stay open.

    So all that is read is of one run, even where another has taken its place meanwhile. Where open
    files keep a folder from being renamed (Windows), their contents are kept instead.
    """

    path: Path
    manifest: dict[str, Any]
    handles: dict[str, int] = field(default_factory=dict, repr=False, compare=False)
    kept: dict[str, bytes] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Close the files when nobody has the run any more."""
        weakref.finalize(self, _close_handles, self.handles)

    @property
    def files(self) -> list[str]:
        """Names of the run's files, except for its manifest."""
        return list(self.manifest["files"])

    def read(self, name: str) -> bytes:
        """Return the bytes of a file of the run, as they were published.

        Raises RunError where the run has no such file, or its contents have changed.
        """
        expected = self.manifest["files"].get(name)
        if expected is None:
            raise RunError(
                f"the run {str(self.path)!r} has no file {name!r}", "fit it again"
            )
        file = self.path / name
        if name in self.kept:
            contents = self.kept[name]
        else:
            contents = _read_contents(
                self.handles[name], file, MAX_FILE_BYTES, expected["bytes"]
            )
        if sha256_hex(contents) != expected["sha256"]:
            raise damaged_file_error(file, "is not what was saved (SHA-256 differs)")
        return contents


def has_run(path: str | Path) -> bool:
    """Whether a published run is at `path`."""
    manifest_file = settled_place(Path(path)) / MANIFEST_FILE
    return manifest_file.is_file()


def open_run(path: str | Path) -> Run:
    """Open the run at `path`.

    Raises RunError where there is none, or where this version cannot trust or read it.
    """
    while True:
        place = settled_place(Path(path))
        if not place.exists():
            raise RunError(f"no run at {str(path)!r}", _suggest_run(Path(path)))
        if not place.is_dir():
            raise RunError(
                f"{str(path)!r} is a file, not a run directory", _NAME_A_RUN_HINT
            )
        with contextlib.suppress(FileNotFoundError), open_folder(place) as folder:
            opened = place.stat() if folder is None else os.fstat(folder)
            try:
                return _open_run_in_folder(place, folder)
            except RunError:
                # A run that is replaced while its files are opened looks damaged: then the one
                # that is there now is opened.
                if os.path.samestat(opened, place.stat()):
                    raise


def settled_place(place: Path) -> Path:
    """Where the run of `place` is: beside it, if a replacement was cut off between two renames."""
    aside = hidden_sibling(Path(os.path.realpath(place)), "old")
    if not place.exists() and aside.exists():
        return aside
    return place


def _open_run_in_folder(place: Path, folder: int | None) -> Run:
    """The run in an open folder, whose files are opened by their names in it."""
    manifest_file = place / MANIFEST_FILE
    try:
        handle = _open_plain_file(manifest_file, folder)
    except FileNotFoundError:
        raise _unfinished_error(place) from None
    handles = {MANIFEST_FILE: handle}
    try:
        contents = _read_contents(handle, manifest_file, MAX_MANIFEST_BYTES)
        manifest = _parse_manifest(contents, manifest_file)
        for name in manifest["files"]:
            require_file_name(name, place)
        for name in manifest["files"]:
            try:
                handles[name] = _open_plain_file(place / name, folder)
            except FileNotFoundError:
                raise damaged_file_error(place / name, "is missing") from None
    except BaseException:
        _close_handles(handles)
        raise
    if system.CAN_REPLACE_OPEN_FILES:
        return Run(place, manifest, handles)
    # Open files would keep others from replacing the run.
    try:
        kept = {
            name: _read_contents(handle, place / name, MAX_FILE_BYTES)
            for name, handle in handles.items()
        }
    finally:
        _close_handles(handles)
    return Run(place, manifest, kept=kept)


def write_run_files(
    stage: Path, files: Mapping[str, bytes], manifest: Mapping[str, Any]
) -> None:
    """Make a folder of files and, last, the manifest that has their sizes and SHA-256."""
    stage.mkdir(parents=True)
    # Without a manifest a folder is not a run, so a write that is cut short leaves none.
    for name, contents in files.items():
        write_new_file(stage / name, contents)
    full_manifest = {
        "schema_version": SCHEMA_VERSION,
        "needs": MIN_READER_VERSION,
        "versions": library_versions(),
        **manifest,
        "files": {
            name: {"bytes": len(contents), "sha256": sha256_hex(contents)}
            for name, contents in files.items()
        },
    }
    full_manifest["sha256"] = manifest_digest(full_manifest)
    text = (
        json.dumps(full_manifest, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    )
    # Names from a command line that are not valid UTF-8 are text with surrogates.
    write_new_file(stage / MANIFEST_FILE, text.encode("utf-8", "surrogatepass"))
    sync_folder(stage)


def manifest_digest(manifest: Mapping[str, Any]) -> str:
    """SHA-256 of a manifest, without the one that it holds of itself."""
    rest = {key: value for key, value in manifest.items() if key != "sha256"}
    text = json.dumps(rest, sort_keys=True)
    return sha256_hex(text.encode())


def _parse_manifest(contents: bytes, file: Path) -> dict[str, Any]:
    """Return a manifest whose hash is right, and what every manifest has of its type."""
    try:
        manifest = json.loads(contents, parse_constant=refuse_constant)
        digest = manifest_digest(manifest) if isinstance(manifest, dict) else ""
    except (ValueError, RecursionError):
        raise damaged_file_error(file, "is not readable") from None
    with fields_of_file(file):
        schema_version = read_typed(manifest, _VersionFields)["schema_version"]
    if schema_version > SCHEMA_VERSION:
        needed = str(manifest.get("needs", "the one that wrote it"))[:40]
        raise RunError(
            f"the run {str(file.parent)!r} was written by a newer lstmcast",
            f"it needs lstmcast >= {needed}",
        )
    if manifest.get("sha256") != digest:
        raise damaged_file_error(file, "is not what was saved (SHA-256 differs)")
    # The first version had only hashes.
    if schema_version < 2 and isinstance(manifest.get("files"), dict):
        manifest["files"] = {
            name: {"bytes": None, "sha256": sha256}
            for name, sha256 in manifest["files"].items()
        }
    with fields_of_file(file):
        checked: dict[str, Any] = read_typed(manifest, _ManifestFields)
    return checked


def refuse_constant(name: str) -> Any:
    """For `json.loads`: raise ValueError for NaN and infinity, which are no JSON."""
    raise ValueError(f"{name} is no JSON")


@contextlib.contextmanager
def fields_of_file(file: Path) -> Iterator[None]:
    """Raise RunError that names a file for whatever field of it is not what it should be."""
    try:
        yield
    except FieldError as error:
        problem = f"does not hold what it should: {error}"
        raise damaged_file_error(file, problem) from None


def read_plain_file(file: Path, limit: int) -> bytes:
    """Return the bytes of a plain file of at most `limit` bytes; raises RunError otherwise."""
    try:
        handle = _open_plain_file(file)
    except FileNotFoundError:
        raise damaged_file_error(file, "is missing") from None
    try:
        return _read_contents(handle, file, limit)
    finally:
        os.close(handle)


def _open_plain_file(file: Path, folder: int | None = None) -> int:
    """Open a plain file, by its name in an open folder if there is one; raises RunError."""
    try:
        handle = system.open_plain(file, os.O_RDONLY, folder)
    except system.IsALinkError:
        raise RunError(
            f"{str(file)!r} is a symbolic link", "a run holds plain files only"
        ) from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise RunError(
            f"{str(file)!r} is not a plain file", "a run holds plain files only"
        )
    return handle


def _read_contents(
    handle: int, file: Path, limit: int, expected: int | None = None
) -> bytes:
    """Bytes of an open file: at most `limit`, and as many as expected where that is known."""
    size = os.fstat(handle).st_size
    if size > limit or (expected is not None and size != expected):
        raise damaged_file_error(file, f"is not what was saved ({size} bytes)")
    with os.fdopen(handle, "rb", closefd=False) as stream:
        stream.seek(0)
        return stream.read()


def _close_handles(handles: Mapping[str, int]) -> None:
    for handle in handles.values():
        os.close(handle)


def require_file_name(name: str, place: Path) -> None:
    """Raise RunError unless a name is that of a file in the folder of a run itself."""
    is_reserved = name in ("", ".", "..", MANIFEST_FILE)
    if is_reserved or re.search(r"[/\\\0]", name):
        raise RunError(
            f"the run {str(place)!r} names a file {name!r}",
            "a run holds plain files only; do not use it",
        )


def interrupted_error(path: str | Path, purpose: str = "") -> RunError:
    """The error of a fit that can be resumed; `purpose` says what --force would be given for."""
    resume = f"go on with `lstmcast fit --resume {shlex.quote(str(path))}`"
    otherwise = f"give --force{purpose}" if purpose else "delete it"
    return RunError(
        f"the fit of {str(path)!r} was interrupted", f"{resume}, or {otherwise}"
    )


def _unfinished_error(place: Path) -> RunError:
    """The error of a folder without a manifest, by what is in it."""
    if writer := find_lock_holder(place):
        return RunError(
            f"the run {str(place)!r} is still being made, by {writer}", "wait for it"
        )
    checkpoint = place / CHECKPOINT_FOLDER
    if (checkpoint / MANIFEST_FILE).is_file():
        return interrupted_error(place)
    if (place / "model.safetensors").exists() or checkpoint.exists():
        return RunError(
            f"the run {str(place)!r} was interrupted", "delete it and fit again"
        )
    return RunError(f"{str(place)!r} is not a run directory", _NAME_A_RUN_HINT)


def _suggest_run(path: Path) -> str:
    """Name the run that may have been meant: of those beside a path."""
    runs: list[str] = []
    with contextlib.suppress(OSError):
        runs = [
            str(path.with_name(entry.name))
            for entry in path.parent.iterdir()
            if (entry / MANIFEST_FILE).is_file()
        ]
    return (
        suggest_similar(str(path), sorted(runs))
        if runs
        else "make one with `lstmcast fit`"
    )


def damaged_file_error(file: Path, problem: str) -> RunError:
    """The error of a file of a run that cannot be used."""
    return RunError(
        f"{str(file)!r} {problem}", "take the run from a backup, or fit it again"
    )


def library_versions() -> dict[str, str]:
    """Versions of lstmcast and of the libraries that a run depends on, where installed."""
    from importlib import metadata  # slow to import

    versions = {}
    for name in _RECORDED_LIBRARIES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[name] = metadata.version(name)
    # The zones of the system go before those of the package.
    if system := _system_zones_version():
        versions["tzdata"] = system
    return versions


def _system_zones_version() -> str:
    """Version of the time zones that the system has, empty where Python takes its own package."""
    for folder in TZPATH:
        if not Path(folder, "UTC").exists():
            continue
        with contextlib.suppress(OSError, UnicodeDecodeError):
            with Path(folder, "tzdata.zi").open(encoding="utf-8") as file:
                found = re.match(r"# version (\w+)", file.readline(100))
            if found:
                return f"{found[1]} of the system"
        return "of the system"
    return ""
