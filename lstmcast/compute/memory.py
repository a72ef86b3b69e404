"""How much memory is free, and whether a failure was due to too little of it.

Libraries report that in many ways, and some end the process without a message. Knows nothing of
what the memory is for.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from lstmcast.compute import system
from lstmcast.errors import ResourceError

MIN_ADDRESS_SPACE_BYTES = 300 << 20
"""Address space in bytes below which the libraries cannot even report that they lack memory."""
MEMORY_HINT = (
    "free or allow more memory (ulimit -v, the container's limit),"
    " or give fewer series or rows, or -j 1"
)
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


_MAX_ADDRESS_SPACE_SHARE = 0.7
"""Share of the allowed address space in use above which an unclear failure is put down to it."""
_MAX_ERROR_CHAIN = 20
"""Errors behind an error that are looked at."""
_BYTES_BY_UNIT = {"TB": 10**12, "GB": 10**9, "MB": 10**6, "kB": 10**3}
"""The largest first."""


def require_memory() -> None:
    """Raise ResourceError where too little memory is allowed to load the libraries at all."""
    allowed = system.address_space_limit()
    if allowed < MIN_ADDRESS_SPACE_BYTES:
        raise ResourceError(
            f"only {allowed >> 20:.0f} MB of memory are allowed here", MEMORY_HINT
        )


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error, or one behind it, is due to too little memory."""
    for cause in _error_chain(error):
        if isinstance(cause, MemoryError) or _has_memory_phrase(cause):
            return True
    # Errors of libraries that failed to load or start may have no message about it.
    if not isinstance(error, ImportError | RuntimeError | SystemError):
        return False
    limit = system.address_space_limit()
    return system.address_space_used() > _MAX_ADDRESS_SPACE_SHARE * limit


def _has_memory_phrase(error: BaseException) -> bool:
    if not isinstance(error, ImportError | RuntimeError | OSError | SystemError):
        return False
    message = str(error).casefold()
    return any(phrase in message for phrase in _OUT_OF_MEMORY_PHRASES)


def _error_chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and those behind it, the nearest first."""
    for _ in range(_MAX_ERROR_CHAIN):
        if error is None:
            return
        yield error
        error = error.__cause__ or error.__context__


def free_memory() -> int:
    """Bytes that this process may still take: of the machine, its control group, its own limit."""
    own = system.address_space_limit() - system.address_space_used()
    free = min(system.available_memory(), _cgroup_free_memory(), own)
    return max(free, 0)


def _cgroup_free_memory() -> int:
    """Bytes that a container's limit leaves (cgroup v2)."""
    limit = _read_first_line("/sys/fs/cgroup/memory.max", "max")
    used = _read_first_line("/sys/fs/cgroup/memory.current", "max")
    if limit.isdigit() and used.isdigit():
        return int(limit) - int(used)
    return sys.maxsize


def _read_first_line(path: str, default: str) -> str:
    lines = _read_lines(path)
    return lines[0] if lines else default


def _read_lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def format_bytes(size: int) -> str:
    """A number of bytes in the unit that people would use, such as "1.5 GB"."""
    for unit, factor in _BYTES_BY_UNIT.items():
        if size >= factor:
            return f"{size / factor:.3g} {unit}"
    return f"{size} bytes"
