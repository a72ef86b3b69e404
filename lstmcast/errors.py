"""The few kinds of error that lstmcast raises, each with its exit code.

Knows nothing of the rest of the package. The command line turns these into text and exit status in
one place.
"""

import difflib
from collections.abc import Iterable, Sequence
from enum import IntEnum


class ExitCode(IntEnum):
    """Exit status of the command line: part of the contract, never renumbered."""

    OK = 0
    BUG = 1
    USAGE = 2
    DATA = 3
    RUN = 4
    DIVERGED = 5
    RESOURCE = 6
    GATE = 7
    LOCKED = 8
    INTERRUPTED = 130
    TERMINATED = 143


class LstmcastError(Exception):
    """Base of every error that a user can cause or mend.

    `message` says what is wrong (place, column, value, count); `hint` says what to do about it.
    """

    exit_code = ExitCode.BUG

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(LstmcastError, ValueError):
    """An option or a configuration that cannot be used."""

    exit_code = ExitCode.USAGE


class DataError(LstmcastError, ValueError):
    """Input data that cannot be understood or used."""

    exit_code = ExitCode.DATA


class RunError(LstmcastError):
    """A run directory that is missing, corrupt, foreign or in the way."""

    exit_code = ExitCode.RUN


class DivergedError(LstmcastError):
    """Training did not converge to usable weights."""

    exit_code = ExitCode.DIVERGED


class ResourceError(LstmcastError):
    """Input/output, memory or a worker process failed."""

    exit_code = ExitCode.RESOURCE


class GateError(LstmcastError):
    """A quality gate (`--fail-if`) was not met."""

    exit_code = ExitCode.GATE


class LockedError(LstmcastError):
    """Another process is writing to the run directory."""

    exit_code = ExitCode.LOCKED


def suggest_similar(word: str, known: Iterable[str]) -> str:
    """Say which of `known` the user may have meant, or what there is."""
    names = list(known)
    folded = {name.casefold(): name for name in names}
    close = difflib.get_close_matches(word.casefold(), folded, n=1, cutoff=0.6)
    if close:
        return f"did you mean {folded[close[0]]!r}?"
    shown = ", ".join(repr(name) for name in names[:12])
    return f"there is {shown}" + (f" and {len(names) - 12} more" if len(names) > 12 else "")


def format_names(names: Sequence[str], count: int | None = None, most: int = 3) -> str:
    """The first few of `count` names, and how many more there are."""
    count = len(names) if count is None else count
    return ", ".join(names[:most]) + (f" and {count - most:,} more" if count > most else "")


def format_more(count: int, what: str = "") -> str:
    """Say how many there are beside the one that is shown, as in " (and 3 more rows)"."""
    return f" (and {count - 1:,} more {what}".rstrip() + ")" if count > 1 else ""
