"""Is memory what a failure was for want of? Libraries say so in many ways, and one ends the process without a word."""

import contextlib
import resource
from collections.abc import Iterator
from pathlib import Path

from lstmcast.errors import ResourceError

LEAST = 300 << 20
"""Bytes of address space below which the libraries cannot even say that they lack memory."""
ADVICE = "free or allow more memory (ulimit -v, the container's limit), or give fewer series or rows, or -j 1"
_WORDS = (
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


def require() -> None:
    """Raise ResourceError where so little memory is allowed that loading a library would end the process."""
    allowed = _allowed()
    if allowed < LEAST:
        raise ResourceError(f"only {allowed >> 20:.0f} MB of memory are allowed here", ADVICE)


def is_short(error: BaseException) -> bool:
    """Whether an error, or one behind it, comes of too little memory."""
    if any(isinstance(one, MemoryError) or _speaks_of_it(one) for one in _chain(error)):
        return True
    return isinstance(error, ImportError | RuntimeError | SystemError) and _used() > 0.7 * _allowed()


def _speaks_of_it(error: BaseException) -> bool:
    words = str(error).casefold()
    return isinstance(error, ImportError | RuntimeError | OSError | SystemError) and any(w in words for w in _WORDS)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    for _ in range(20):
        if error is None:
            return
        yield error
        error = error.__cause__ or error.__context__


def _allowed() -> int:
    soft = resource.getrlimit(resource.RLIMIT_AS)[0]
    return 1 << 62 if soft == resource.RLIM_INFINITY else soft


def _used() -> int:
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    return 0
