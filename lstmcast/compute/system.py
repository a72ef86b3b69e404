"""What differs from system to system (Linux, macOS, Windows), and what stands in where it lacks.

The only module that asks which system this is, or whether it has something; docs/reliability.md
says what that means for a user.
"""

import contextlib
import ctypes
import errno
import io
import os
import platform
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]


def _list_signals(*names: str) -> tuple[signal.Signals, ...]:
    """Return those of the signals that this system has."""
    return tuple(getattr(signal, name) for name in names if hasattr(signal, name))


ENDING_SIGNALS = _list_signals("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
"""Signals that end the program: Ctrl-C, a request, and a closed terminal or Ctrl-Break."""
_HAS_TIMER = hasattr(signal, "SIGALRM") and hasattr(signal, "setitimer")
ALARM_SIGNAL = signal.SIGALRM if _HAS_TIMER else signal.SIGABRT
"""What `set_alarm` sends."""
CAN_OPEN_FOLDERS = hasattr(os, "O_DIRECTORY") and os.open in os.supports_dir_fd
"""Whether a folder can be opened, to flush its entries and to open files by their names in it."""
CAN_REPLACE_OPEN_FILES = hasattr(os, "O_DIRECTORY")
"""Whether files that somebody has open can be renamed or removed, and their folder too."""
ARE_LOCKS_ADVISORY = hasattr(os, "O_DIRECTORY")
"""Whether a file that is locked can still be read and written by those who do not ask."""
_RENAME_SECONDS = 5.0
"""Seconds in which those who read a folder have to let it go, where it cannot be renamed before."""
_UNLIMITED = 1 << 62

_alarms: list[threading.Timer] = []
"""The alarm that is set, where the system has no timers of its own."""


def set_alarm(seconds: float) -> None:
    """Send ALARM_SIGNAL to this process after some seconds; 0 takes that back."""
    if _HAS_TIMER:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        return
    from _thread import interrupt_main

    while _alarms:
        _alarms.pop().cancel()
    if seconds:
        # Not a real signal, but its handler runs in the main thread all the same.
        alarm = threading.Timer(seconds, interrupt_main, (ALARM_SIGNAL,))
        alarm.daemon = True
        alarm.start()
        _alarms.append(alarm)


def open_wakeup_channel() -> socket.socket:
    """Return a socket that receives the number of each signal, as a byte.

    The interpreter sends them even while a library holds up the handlers. A socket, since Windows
    takes nothing else for it.
    """
    receiver, sender = socket.socketpair()
    sender.setblocking(False)
    # It has to live as long as the process.
    signal.set_wakeup_fd(sender.detach(), warn_on_full_buffer=False)
    return receiver


def is_process_alive(pid: int) -> bool:
    """Whether a process of this number exists on this machine, whoever's it is."""
    import psutil

    return bool(psutil.pid_exists(pid))


def is_parent_alive(parent: int) -> bool:
    """Whether the process that started this one, whose number was `parent`, still exists."""
    # Elsewhere than on Windows an orphan gets another parent; there it keeps the number.
    return os.getppid() == parent and (os.name != "nt" or is_process_alive(parent))


def count_usable_cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def available_memory() -> int:
    """Bytes of memory that the machine can give to new work without swapping."""
    import psutil

    return int(psutil.virtual_memory().available)


def address_space_limit() -> int:
    """Bytes of address space that this process may use (`ulimit -v`); very many where unlimited."""
    if resource is None:
        return _UNLIMITED
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return _UNLIMITED if limit == resource.RLIM_INFINITY else limit


def address_space_used() -> int:
    """Bytes of address space of this process; 0 where the system does not tell (not Linux)."""
    if resource is None:
        return 0
    # Without any library: this is asked when memory has run out.
    with contextlib.suppress(OSError, ValueError, IndexError):
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[0]
        return int(pages) * resource.getpagesize()
    return 0


def peak_memory() -> int:
    """Largest resident set of this process so far, in bytes."""
    if resource is None:
        import psutil

        return int(psutil.Process().memory_info().peak_wset)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # macOS counts bytes, Linux KiB.
    unit = 1 if sys.platform == "darwin" else 1024
    return peak * unit


def open_plain(file: Path, flags: int, folder: int | None = None) -> int:
    """Open a file by its descriptor, in binary, and neither follow a link nor wait for a pipe.

    folder: an open folder that it is opened in by its name; None for the whole path. Raises
    FileNotFoundError where there is none, IsALinkError for a symbolic link.
    """
    for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY", "O_NOINHERIT"):
        flags |= getattr(os, name, 0)
    # Where links cannot be refused while a file is opened, an instant is left between both.
    if not hasattr(os, "O_NOFOLLOW") and file.is_symlink():
        raise _link_error(file)
    try:
        if folder is None:
            return os.open(file, flags, 0o666)
        return os.open(file.name, flags, 0o666, dir_fd=folder)
    except OSError as error:
        # What Linux and macOS say of a link that is not to be followed.
        if not isinstance(error, FileNotFoundError) and file.is_symlink():
            raise _link_error(file) from None
        raise


class IsALinkError(OSError):
    """A symbolic link where a plain file is expected."""


def _link_error(file: Path) -> IsALinkError:
    return IsALinkError(errno.ELOOP, "is a symbolic link", str(file))


@contextlib.contextmanager
def open_folder(folder: Path) -> Iterator[int | None]:
    """Open a folder by its descriptor; None where the system cannot, as on Windows."""
    if not CAN_OPEN_FOLDERS:
        yield None
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield handle
    finally:
        os.close(handle)


def read_at(handle: int, start: int, count: int) -> bytes:
    """Return at most `count` bytes of an open file from `start` on."""
    os.lseek(handle, start, os.SEEK_SET)
    return os.read(handle, count)


def rename_folder(source: Path, target: Path) -> None:
    """Rename a folder; an empty one at the target is replaced.

    Where a folder cannot be renamed while somebody reads a file in it, this waits some seconds for
    the reader.
    """
    if CAN_REPLACE_OPEN_FILES:
        source.rename(target)
        return
    if target.exists():
        target.rmdir()
    deadline = time.monotonic() + _RENAME_SECONDS
    while True:
        try:
            source.rename(target)
            return
        except PermissionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def find_system_function(name: str) -> Callable[..., Any] | None:
    """Return a function of the C library, or None where the system has none of that name."""
    try:
        library = ctypes.CDLL(None, use_errno=True)
    except (OSError, TypeError):  # Windows has no such library
        return None
    return getattr(library, name, None)


def keep_freed_memory() -> None:
    """Ask glibc to keep freed memory.

    Returning it to the system after every step costs a third of the time on long chunks.
    """
    if sys.platform != "linux":
        return
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):  # another C library
        return
    # Numbers of the parameters in glibc's malloc.h.
    mmap_threshold = -3
    trim_threshold = -1
    mallopt(mmap_threshold, 1 << 30)
    mallopt(trim_threshold, (1 << 31) - 1)


def guess_accelerator() -> Literal["cpu", "cuda", "mps"]:
    """Return the device that torch may compute on, without loading torch."""
    if sys.platform == "darwin":
        return "mps" if platform.machine() == "arm64" else "cpu"
    has_driver = Path("/proc/driver/nvidia/version").exists()
    return "cuda" if has_driver else "cpu"


def write_escapes_on_narrow_streams() -> None:
    """Let stdout and stderr write what their encoding lacks as escapes, not as an error.

    Consoles and pipes of Windows have 256 characters, such as those of cp1252.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.encoding.lower() != "utf-8":
            stream.reconfigure(errors="backslashreplace")


def describe_processor() -> dict[str, str]:
    """Return what the bytes of a forecast depend on besides settings and versions.

    device: cpu. precision: float32. processor: its family, and the kind of it that BLAS computes
    for.
    """
    from threadpoolctl import threadpool_info

    kinds = {pool.get("architecture") for pool in threadpool_info()}
    blas = " ".join(sorted(kind for kind in kinds if kind)) or "unknown"
    processor = f"{platform.machine()}, BLAS for {blas}"
    return {"device": "cpu", "precision": "float32", "processor": processor}
