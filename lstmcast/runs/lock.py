"""Locks: one process at a time may write at a place, and others are told which one it is.

Knows nothing of what is written.
"""

import contextlib
import json
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from lstmcast.compute import system
from lstmcast.errors import LockedError
from lstmcast.runs.disk import hidden_sibling, sync_folder

_HELD_PLACES: set[str] = set()
"""Places whose locks this process holds."""
_ATTEMPTS, _ATTEMPT_SECONDS = 3, 0.01
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
            _release_lock(lock_file, handle)
    finally:
        for folder in new_folders:
            with contextlib.suppress(OSError):
                folder.rmdir()


@contextlib.contextmanager
def hold_file_lock(file: str | Path) -> Iterator[None]:
    """Hold a file in this block, and wait for other processes that do; it is made if missing."""
    from filelock import lock_descriptor  # slow to import

    place = Path(os.path.realpath(file))
    if system.ARE_LOCKS_ADVISORY:
        with place.open("ab") as opened:
            lock_descriptor(opened.fileno())
            yield
        return

    # Nobody could read the file itself while it is locked: another one stands for it.
    place.touch()
    lock_file = hidden_sibling(place, "lock")
    try:
        with lock_file.open("ab") as opened:
            lock_descriptor(opened.fileno())
            yield
    finally:
        # Those who wait for it have it open, and then it stays.
        with contextlib.suppress(OSError):
            lock_file.unlink()


def find_lock_holder(path: str | Path) -> str | None:
    """Describe the process that is writing at `path`; None if there is none."""
    lock_file = hidden_sibling(Path(os.path.realpath(path)), "lock")
    try:
        handle = system.open_plain(lock_file, os.O_RDWR)
    except OSError:
        return None
    try:
        return None if _try_lock(handle) else _read_lock_owner(handle)
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
        handle = system.open_plain(file, os.O_RDWR | os.O_CREAT)
        try:
            if not _try_lock(handle):
                holder = _read_lock_owner(handle)
                raise LockedError(f"{shown!r} is being written by {holder}", hint)
            if _is_same_file(handle, file):
                _write_lock_owner(handle, file)
                return handle
        except BaseException:
            os.close(handle)
            raise
        # Its holder removed the file between our opening and locking it: try a new one.
        os.close(handle)


def _try_lock(handle: int) -> bool:
    """Lock an open file unless another process has; returns whether it is locked."""
    from filelock import lock_descriptor  # slow to import

    # Those who only ask hold the lock for an instant, and are not to be taken for a writer.
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(_ATTEMPT_SECONDS)
        if lock_descriptor(handle, blocking=False):
            return True
    return False


def _release_lock(file: Path, handle: int) -> None:
    """Remove a lock file and release it."""
    if system.CAN_REPLACE_OPEN_FILES:
        # Removed while it is held: whoever locks it next sees that its name is gone.
        file.unlink(missing_ok=True)
        os.close(handle)
        return
    os.close(handle)
    # Somebody else may have it by now, and then it stays.
    with contextlib.suppress(OSError):
        file.unlink()


def _write_lock_owner(handle: int, file: Path) -> None:
    try:
        os.ftruncate(handle, 0)
        owner = {"pid": os.getpid(), "host": socket.gethostname()}
        # The first byte is the one that Windows locks, and that nobody else can read then.
        os.write(handle, b" " + json.dumps(owner).encode())
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
        owner = json.loads(system.read_at(handle, 1, _MAX_OWNER_BYTES))
        return f"process {int(owner['pid'])} on {owner['host']}"
    except (ValueError, KeyError, TypeError):
        return "another process"
