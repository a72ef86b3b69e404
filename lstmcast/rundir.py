"""A run on disk: files of data only, published whole or not at all, and verified before they are used.

A run is written into a hidden folder beside its place and then moved there in one step, so its place holds the old run
or the new one and never a mix. Knows nothing of how a run was trained or of what its files mean.
"""

import contextlib
import ctypes
import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from lstmcast.errors import LockedError, RunError, suggest

SCHEMA_VERSION = 1
NEEDS = "0.1.0"
"""The first lstmcast that reads SCHEMA_VERSION; older ones name it when they refuse a newer run."""
MANIFEST = "run.json"
REPORT = "report.html"
"""Not of the run's files, but made of it: a new run takes its place without it."""
OWN_FOLDERS = {"checkpoint"}
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\.|$)")
_LIBRARIES = ("lstmcast", "torch", "numpy", "pandas", "pyarrow", "safetensors")
_SUFFIXES = re.compile(r"(?i)(\.(csv|tsv|txt|parquet|arrow|feather|gz|zst))+$")
_NAME_A_RUN = "name the directory that `lstmcast fit` printed"
_held: set[str] = set()


@dataclass(frozen=True)
class Run:
    """A published run: where it is and what its manifest says."""

    path: Path
    manifest: dict[str, Any]

    def read(self, name: str) -> bytes:
        """Return the bytes of a file of the run; raises RunError unless they are those that were published."""
        expected = self.manifest["files"].get(name)
        if expected is None:
            raise RunError(f"the run {str(self.path)!r} has no file {name!r}", "fit it again")
        data = _read_regular(self.path / name)
        if _digest(data) != expected:
            raise _corrupt(self.path / name, "is not what was saved (SHA-256 differs)")
        return data


def default_path(source: str, targets: tuple[str, ...]) -> Path:
    """Where a run goes unless told: `runs/<file stem>-<target>`, always one plain file name under `runs`."""
    stem = "stdin" if source == "-" else _SUFFIXES.sub("", _name(source))
    name = re.sub(r"[^\w.+-]+", "_", "-".join((stem, *targets))).lstrip(".")
    if len(os.fsencode(name)) > 100:
        name = f"{os.fsencode(name)[:80].decode(errors='ignore')}-{_digest(os.fsencode(name))[:8]}"
    return Path("runs", f"_{name}" if _RESERVED.match(name) else name)


def holds_run(path: str | Path) -> bool:
    """Whether a published run is at `path`."""
    return _settled(Path(path)).joinpath(MANIFEST).is_file()


def refuse_taken(path: str | Path, *, force: bool = False) -> None:
    """Raise RunError where `publish` would refuse to write: said before the training, not after it."""
    place = Path(path)
    if place.exists() and not place.is_dir():
        raise RunError(f"{str(path)!r} is a file", "name a folder with --out")
    if force:
        return
    if holds_run(place):
        raise RunError(f"{str(path)!r} holds a run already", "give --force to replace it, or another --out")
    if place.is_dir() and any(place.iterdir()):
        raise RunError(f"{str(path)!r} is not empty and holds no run", "name another --out, or give --force")


def publish(path: str | Path, files: Mapping[str, bytes], manifest: Mapping[str, Any], *, force: bool = False) -> Path:
    """Write a run to `path` in one step, its manifest last; a run that was there stays whole until then.

    With `force` a run there is replaced, and files in the folder that are not the run's own are kept. Returns `path`.
    Raises RunError where the place is taken, LockedError while another process writes there.
    """
    for name in files:
        _check_name(name, Path(path))
    place = Path(os.path.realpath(path))
    with lock(place):
        _recover(place)
        refuse_taken(place, force=force)
        stage = _beside(place, "new")
        shutil.rmtree(stage, ignore_errors=True)
        try:
            _fill(stage, files, manifest)
            if place.exists():
                _keep_foreign(place, stage)
            _swap(stage, place)
        finally:
            shutil.rmtree(stage, ignore_errors=True)
        _sync_folder(place.parent)
    return Path(path)


def open_run(path: str | Path) -> Run:
    """Open the run at `path`; raises RunError where there is none, or one that this version cannot trust or read."""
    place = _settled(Path(path))
    if not place.exists():
        raise RunError(f"no run at {str(path)!r}", _neighbours(Path(path)))
    if not place.is_dir():
        raise RunError(f"{str(path)!r} is a file, not a run directory", _NAME_A_RUN)
    if not (place / MANIFEST).exists():
        raise _unfinished(place)
    manifest = _parse(place / MANIFEST)
    for name in manifest["files"]:
        _check_name(name, place)
        if not (place / name).exists():
            raise _corrupt(place / name, "is missing")
    return Run(place, manifest)


@contextlib.contextmanager
def lock(path: str | Path) -> Iterator[None]:
    """Hold the right to write at `path`; raises LockedError while another process holds it.

    The kernel lets go of the lock when its process ends in any way, so a lock file left behind binds nobody. Taking
    it again inside is allowed. Readers need no lock.
    """
    place = Path(os.path.realpath(path))
    if str(place) in _held:
        yield
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    file = _beside(place, "lock")
    handle = _acquire(file, str(path))
    _held.add(str(place))
    try:
        yield
    finally:
        _held.discard(str(place))
        file.unlink(missing_ok=True)
        os.close(handle)


def write_file(path: str | Path, data: bytes) -> None:
    """Write a file that is whole or absent: beside its place, to the disk, then renamed. Devices are written to."""
    place = Path(os.path.realpath(path))
    if place.exists() and not place.is_file():
        place.write_bytes(data)
        return
    beside = _beside(place, f"{os.getpid()}.new")
    try:
        _write_new(beside, data)
        if place.exists():
            shutil.copymode(place, beside)
        beside.replace(place)
    finally:
        beside.unlink(missing_ok=True)
    _sync_folder(place.parent)


def _fill(stage: Path, files: Mapping[str, bytes], manifest: Mapping[str, Any]) -> None:
    stage.mkdir(parents=True)
    for name, data in files.items():
        _write_new(stage / name, data)
    full = {
        "schema_version": SCHEMA_VERSION,
        "needs": NEEDS,
        "versions": _versions(),
        **manifest,
        "files": {name: _digest(data) for name, data in files.items()},
    }
    full["sha256"] = _seal(full)
    text = json.dumps(full, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    _write_new(stage / MANIFEST, text.encode("utf-8", "surrogatepass"))
    _sync_folder(stage)


def _keep_foreign(old: Path, stage: Path) -> None:
    own = {MANIFEST, REPORT} | OWN_FOLDERS
    if (old / MANIFEST).is_file():
        own |= _own_names(old, stage)
    for entry in old.iterdir():
        if entry.name in own:
            continue
        if (stage / entry.name).exists():
            raise RunError(f"{str(entry)!r} is in the way and is not the run's own", "move it, or name another --out")
        if entry.is_dir() and not entry.is_symlink():
            shutil.copytree(entry, stage / entry.name, symlinks=True, copy_function=_link)
        else:
            _link(entry, stage / entry.name)


def _own_names(old: Path, stage: Path) -> set[str]:
    try:
        return set(_parse(old / MANIFEST)["files"])
    except RunError:  # a manifest that cannot be read: what a run has by that name was the run's
        return {entry.name for entry in stage.iterdir()}


def _link(source: str | Path, target: str | Path) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:  # a file system without hard links
        shutil.copy2(source, target, follow_symlinks=False)


def _swap(stage: Path, place: Path) -> None:
    """Put `stage` at `place`; what was there is at `stage` afterwards."""
    if not place.exists() or not any(place.iterdir()):
        stage.rename(place)
    elif not _exchange(stage, place):
        aside = _beside(place, "old")  # for an instant the run is there alone: see _settled
        shutil.rmtree(aside, ignore_errors=True)
        place.rename(aside)
        stage.rename(place)
        aside.rename(stage)


def _exchange(one: Path, other: Path) -> bool:
    """Let two folders trade names in one step, where the system can (Linux); False where it cannot."""
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    if renameat2 is None or renameat2(here, os.fsencode(one), here, os.fsencode(other), exchange) == 0:
        return renameat2 is not None
    code = ctypes.get_errno()
    if code in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
        return False
    raise OSError(code, os.strerror(code), str(other))


def _settled(place: Path) -> Path:
    """Where the run of `place` lies: beside it, if a replacement was cut off between its two renames."""
    aside = _beside(place, "old")
    return aside if not place.exists() and (aside / MANIFEST).exists() else place


def _recover(place: Path) -> None:
    if _settled(place) != place:
        _settled(place).rename(place)


def _acquire(file: Path, shown: str) -> int:
    while True:
        handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _same_file(handle, file):
                os.ftruncate(handle, 0)
                os.write(handle, json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode())
                return handle
        except BlockingIOError:
            holder = _holder(handle)
            os.close(handle)
            raise LockedError(f"{shown!r} is being written by {holder}", "wait for it, or name another --out") from None
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)  # its holder removed it while we waited: try the new one


def _same_file(handle: int, file: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), file.lstat())
    except FileNotFoundError:
        return False


def _holder(handle: int) -> str:
    try:
        found = json.loads(os.pread(handle, 1000, 0))
        return f"process {int(found['pid'])} on {found['host']}"
    except (ValueError, KeyError, TypeError):
        return "another process"


def _parse(file: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(_read_regular(file))
    except ValueError:
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
    return manifest


def _read_regular(file: Path) -> bytes:
    try:
        handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        raise _corrupt(file, "is missing") from None
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        raise RunError(f"{str(file)!r} is a symbolic link", "a run holds plain files only") from None
    with os.fdopen(handle, "rb") as stream:
        return stream.read()


def _write_new(file: Path, data: bytes) -> None:
    with file.open("xb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _beside(place: Path, kind: str) -> Path:
    """Return a hidden sibling of `place`: one fixed name a kind, so that what a killed process left is found again."""
    name = place.name if len(os.fsencode(place.name)) <= 200 else _digest(os.fsencode(place.name))
    return place.with_name(f".{name}.{kind}")


def _check_name(name: str, place: Path) -> None:
    if not name or name in (".", "..", MANIFEST) or re.search(r"[/\\\0]", name):
        raise RunError(f"the run {str(place)!r} names a file {name!r}", "a run holds plain files only; do not use it")


def _unfinished(place: Path) -> RunError:
    if (place / "model.safetensors").exists() or (place / "checkpoint").exists():
        return RunError(f"the run {str(place)!r} was interrupted", "delete it and fit again")
    return RunError(f"{str(place)!r} is not a run directory", _NAME_A_RUN)


def _neighbours(path: Path) -> str:
    try:
        runs = [str(path.with_name(entry.name)) for entry in path.parent.iterdir() if (entry / MANIFEST).is_file()]
    except OSError:
        runs = []
    return suggest(str(path), sorted(runs)) if runs else "make one with `lstmcast fit`"


def _corrupt(file: Path, what: str) -> RunError:
    return RunError(f"{str(file)!r} {what}", "take the run from a backup, or fit it again")


def _name(source: str) -> str:
    """Return the last part of a path that names something: of the pattern `sales/*.parquet` it is `sales`."""
    pattern = not Path(source).exists()
    parts = [part for part in Path(source).parts if not (pattern and re.search(r"[*?\[]", part))]
    return Path(*parts).resolve().name if parts else "data"


def _versions() -> dict[str, str]:
    found = {}
    for name in _LIBRARIES:
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def _seal(manifest: Mapping[str, Any]) -> str:
    rest = {key: value for key, value in manifest.items() if key != "sha256"}
    return _digest(json.dumps(rest, sort_keys=True).encode())


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
