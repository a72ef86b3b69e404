"""The right to write at a place: one process at a time holds it, and says who it is."""

import contextlib
import fcntl
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from lstmcast.errors import LockedError
from lstmcast.runs.disk import hidden_sibling, sync_folder

_HELD_PLACES: set[str] = set()


@contextlib.contextmanager
def hold_write_lock(
    path: str | Path, hint: str = "wait for it, or name another --out"
) -> Iterator[None]:
    """Hold the right to write at `path`; raises LockedError, with the hint, while another process holds it.

    The kernel lets go of the lock when its process ends in any way, so a lock file left behind
    binds nobody. Taking it again inside is allowed. Readers need no lock. Folders that were made
    for it go again if nothing came of it.
    """
    place = Path(os.path.realpath(path))
    if str(place) in _HELD_PLACES:
        yield
        return
    made = _make_parents(place)
    try:
        handle = _acquire_lock(hidden_sibling(place, "lock"), str(path), hint)
        _HELD_PLACES.add(str(place))
        try:
            yield
        finally:
            _HELD_PLACES.discard(str(place))
            hidden_sibling(place, "lock").unlink(missing_ok=True)
            os.close(handle)
    finally:
        for folder in made:
            with contextlib.suppress(OSError):
                folder.rmdir()


@contextlib.contextmanager
def hold_file_lock(file: str | Path) -> Iterator[None]:
    """Hold a file, made where it is not there, until other processes that hold it so are done with it."""
    with Path(file).open("ab") as opened:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield


def find_lock_holder(path: str | Path) -> str | None:
    """Who is writing at `path`, None if nobody is."""
    try:
        handle = os.open(
            hidden_sibling(Path(os.path.realpath(path)), "lock"), os.O_RDONLY | os.O_NOFOLLOW
        )
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return None
    except BlockingIOError:
        return _read_lock_owner(handle)
    finally:
        os.close(handle)


def _make_parents(place: Path) -> list[Path]:
    """Make the folders above a place, each for good; returns those that were not there, the innermost first."""
    missing = [folder for folder in place.parents if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)
    return missing


def _acquire_lock(file: Path, shown: str, hint: str) -> int:
    while True:
        handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_same_file(handle, file):
                _write_lock_owner(handle, file)
                return handle
        except BlockingIOError:
            holder = _read_lock_owner(handle)
            os.close(handle)
            raise LockedError(f"{shown!r} is being written by {holder}", hint) from None
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)  # its holder removed it while we waited: try the new one


def _write_lock_owner(handle: int, file: Path) -> None:
    try:
        os.ftruncate(handle, 0)
        os.write(handle, json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode())
    except OSError:
        file.unlink(missing_ok=True)
        raise


def _is_same_file(handle: int, file: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), file.lstat())
    except FileNotFoundError:
        return False


def _read_lock_owner(handle: int) -> str:
    try:
        found = json.loads(os.pread(handle, 1000, 0))
        return f"process {int(found['pid'])} on {found['host']}"
    except (ValueError, KeyError, TypeError):
        return "another process"
