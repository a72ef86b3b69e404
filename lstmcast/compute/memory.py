"""Is memory what a failure was for want of? Libraries say so in many ways, and one ends the process without a word."""

import contextlib
import resource
import sys
from collections.abc import Iterator
from pathlib import Path

from lstmcast.errors import ResourceError

MIN_ADDRESS_SPACE_BYTES = 300 << 20
"""Bytes of address space below which the libraries cannot even say that they lack memory."""
MEMORY_HINT = "free or allow more memory (ulimit -v, the container's limit), or give fewer series or rows, or -j 1"
_OUT_OF_MEMORY_PHRASES = (
    "failed to map segment",
    "cannot allocate",
    "can't allocate",
    "unable to allocate",
    "not enough memory",
    "out of memory",
    "bad_alloc",
    "could not create a primitive",
    "can't start new thread",
)


def require_memory() -> None:
    """Raise ResourceError where so little memory is allowed that loading a library would end the process."""
    allowed = _address_space_limit()
    if allowed < MIN_ADDRESS_SPACE_BYTES:
        raise ResourceError(f"only {allowed >> 20:.0f} MB of memory are allowed here", MEMORY_HINT)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error, or one behind it, comes of too little memory."""
    if any(isinstance(one, MemoryError) or _has_memory_phrase(one) for one in _error_chain(error)):
        return True
    return (
        isinstance(error, ImportError | RuntimeError | SystemError)
        and _address_space_used() > 0.7 * _address_space_limit()
    )


def _has_memory_phrase(error: BaseException) -> bool:
    words = str(error).casefold()
    return isinstance(error, ImportError | RuntimeError | OSError | SystemError) and any(
        w in words for w in _OUT_OF_MEMORY_PHRASES
    )


def _error_chain(error: BaseException | None) -> Iterator[BaseException]:
    for _ in range(20):
        if error is None:
            return
        yield error
        error = error.__cause__ or error.__context__


def _address_space_limit() -> int:
    soft = resource.getrlimit(resource.RLIMIT_AS)[0]
    return 1 << 62 if soft == resource.RLIM_INFINITY else soft


def _address_space_used() -> int:
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    return 0


def free_memory() -> int:
    """Bytes that this process may still take: of the machine, of its control group, of its own limit."""
    free = [_machine_free_memory(), _cgroup_free_memory()]
    bound, _ = resource.getrlimit(resource.RLIMIT_AS)
    if bound != resource.RLIM_INFINITY:
        free.append(
            bound
            - int(_read_first_line("/proc/self/statm", "0").split()[0]) * resource.getpagesize()
        )
    return max(min(free), 0)


def _machine_free_memory() -> int:
    for line in _read_lines("/proc/meminfo"):
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return sys.maxsize


def _cgroup_free_memory() -> int:
    """What a container's limit leaves (cgroup v2)."""
    bound, used = (
        _read_first_line(f"/sys/fs/cgroup/memory.{name}", "max") for name in ("max", "current")
    )
    return int(bound) - int(used) if bound.isdigit() and used.isdigit() else sys.maxsize


def _read_first_line(path: str, default: str) -> str:
    return next(iter(_read_lines(path)), default)


def _read_lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def format_bytes(size: int) -> str:
    """A number of bytes as people say it."""
    for unit, factor in (("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= factor:
            return f"{size / factor:.3g} {unit}"
    return f"{size} bytes"
