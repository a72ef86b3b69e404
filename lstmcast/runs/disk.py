"""Files that are whole or absent, on the disk and not only on their way to it. Knows nothing of what is in them."""

import contextlib
import ctypes
import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path


def write_file(path: str | Path, data: bytes) -> None:
    """Write a file that is whole or absent: beside its place, to the disk, then renamed. Devices are written to."""
    place = Path(os.path.realpath(path))
    if place.exists() and not place.is_file():
        place.write_bytes(data)
        return
    with _name_file_in_errors(place):
        _replace_file(place, data)
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
    """Write a file that must not be there yet, to the disk."""
    with _name_file_in_errors(file), file.open("xb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        with _name_file_in_errors(folder):
            os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def _name_file_in_errors(file: Path) -> Iterator[None]:
    """Let an error of the disk say which file it was about."""
    try:
        yield
    except OSError as error:
        error.filename = str(file)
        raise


def swap_folders(one: Path, other: Path) -> bool:
    """Let two folders trade names in one step, where the system can (Linux); False where it cannot."""
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    if (
        renameat2 is None
        or renameat2(here, os.fsencode(one), here, os.fsencode(other), exchange) == 0
    ):
        return renameat2 is not None
    code = ctypes.get_errno()
    if code in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
        return False
    raise OSError(code, os.strerror(code), str(other))


def hidden_sibling(place: Path, kind: str) -> Path:
    """Return a hidden sibling of `place`: one fixed name a kind, so that what a killed process left is found again."""
    name = (
        place.name if len(os.fsencode(place.name)) <= 200 else sha256_hex(os.fsencode(place.name))
    )
    return place.parent / f".{name}.{kind}"


def sha256_hex(data: bytes) -> str:
    """SHA-256."""
    return hashlib.sha256(data).hexdigest()
