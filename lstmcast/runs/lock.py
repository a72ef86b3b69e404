"""Locks: one process at a time may write at a place, and others are told which one it is.

Knows nothing of what is written.
"""

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
"""Places whose locks this process holds."""
_MAX_OWNER_BYTES = 1000
"""Bytes that are read of what a lock file says of its owner."""


@contextlib.contextmanager
def hold_write_lock(
    path: str | Path, hint: str = "wait for it, or name another --out"
) -> Iterator[None]:
    """Hold the right to write at `path` in this block.

    The kernel releases the lock when its process ends in any way, so a lock file left behind binds
    nobody. The same process may take it again inside. Readers need no lock. Folders made for it are
    removed again if nothing was written into them. Raises LockedError, with the hint, while another
    process holds the lock.
    """
    place = Path(os.path.realpath(path))
    if str(place) in _HELD_PLACES:
        yield
        return
    new_folders = _make_parents(place)
    lock_file = hidden_sibling(place, "lock")
    try:
        handle = _acquire_lock(lock_file, str(path), hint)
        _HELD_PLACES.add(str(place))
        try:
            yield
        finally:
            _HELD_PLACES.discard(str(place))
            # Removed while it is held: whoever locks it next sees that its name is gone.
            lock_file.unlink(missing_ok=True)
            os.close(handle)
    finally:
        for folder in new_folders:
            with contextlib.suppress(OSError):
                folder.rmdir()


@contextlib.contextmanager
def hold_file_lock(file: str | Path) -> Iterator[None]:
    """Hold a file in this block, and wait for other processes that do; it is made if missing."""
    with Path(file).open("ab") as opened:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield


def find_lock_holder(path: str | Path) -> str | None:
    """Describe the process that is writing at `path`; None if there is none."""
    lock_file = hidden_sibling(Path(os.path.realpath(path)), "lock")
    try:
        handle = os.open(lock_file, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return None
    # A shared lock is enough to ask with: those who ask do not take each other for a writer.
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return None
    except BlockingIOError:
        return _read_lock_owner(handle)
    finally:
        os.close(handle)


def _make_parents(place: Path) -> list[Path]:
    """Make the folders above a place, through to the disk; returns them, the innermost first."""
    missing = [folder for folder in place.parents if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)
    return missing


def _acquire_lock(file: Path, shown: str, hint: str) -> int:
    """Lock a file that names this process as its owner, and return it open."""
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
        # Its holder removed the file between our opening and locking it: try a new one.
        os.close(handle)


def _write_lock_owner(handle: int, file: Path) -> None:
    try:
        os.ftruncate(handle, 0)
        owner = {"pid": os.getpid(), "host": socket.gethostname()}
        os.write(handle, json.dumps(owner).encode())
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
        owner = json.loads(os.pread(handle, _MAX_OWNER_BYTES, 0))
        return f"process {int(owner['pid'])} on {owner['host']}"
    except (ValueError, KeyError, TypeError):
        return "another process"
