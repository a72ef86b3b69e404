"""Files that are whole or absent, and written through to the disk.

Knows nothing of what is in them.
"""

import contextlib
import ctypes
import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from lstmcast.compute.system import find_system_function, open_folder

_MAX_NAME_BYTES = 200
"""Longest name that goes into that of a sibling: file systems take 255 bytes."""


def write_file(path: str | Path, data: bytes) -> None:
    """Write a file that is whole or absent, even after a crash; a device is written to as it is.

    It is written beside its place and through to the disk, then renamed.
    """
    place = Path(os.path.realpath(path))
    # A device or pipe, such as /dev/stdout, must not be replaced by a file.
    if place.exists() and not place.is_file():
        place.write_bytes(data)
        return
    with _name_file_in_errors(place):
        _replace_file(place, data)
    # Only then is the new name on the disk, too.
    sync_folder(place.parent)


def _replace_file(place: Path, data: bytes) -> None:
    draft = hidden_sibling(place, f"{os.getpid()}.new")
    try:
        write_new_file(draft, data)
        if place.exists():
            shutil.copymode(place, draft)
        draft.replace(place)
    finally:
        draft.unlink(missing_ok=True)


def write_new_file(file: Path, data: bytes) -> None:
    """Write a file that must not exist yet, through to the disk; raises OSError, with its name."""
    with _name_file_in_errors(file), file.open("xb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def sync_folder(folder: Path) -> None:
    """Flush the entries of a folder to the disk, where the system can open one."""
    with open_folder(folder) as handle, _name_file_in_errors(folder):
        if handle is not None:
            os.fsync(handle)


@contextlib.contextmanager
def _name_file_in_errors(file: Path) -> Iterator[None]:
    """Let an error of the disk name the file that it is about, which fsync and write do not."""
    try:
        yield
    except OSError as error:
        error.filename = str(file)
        raise


def swap_folders(first: Path, second: Path) -> bool:
    """Let two folders trade names in one step, where the system can (Linux); False elsewhere."""
    renameat2 = find_system_function("renameat2")
    if renameat2 is None:
        return False
    at_current_folder, exchange = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of linux/fs.h
    names = os.fsencode(first), os.fsencode(second)
    if (
        renameat2(at_current_folder, names[0], at_current_folder, names[1], exchange)
        == 0
    ):
        return True
    code = ctypes.get_errno()
    if code in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
        return False
    raise OSError(code, os.strerror(code), str(second))


def hidden_sibling(place: Path, kind: str) -> Path:
    """Return the hidden sibling of `place` for one kind of file.

    The name is fixed, so that what a killed process left behind is found again.
    """
    name = place.name
    if len(os.fsencode(name)) > _MAX_NAME_BYTES:
        name = sha256_hex(os.fsencode(name))
    return place.parent / f".{name}.{kind}"


def sha256_hex(data: bytes) -> str:
    """SHA-256 in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()
