"""The kinds of error that lstmcast raises, each with its exit code, and words for their hints.

Knows nothing of the rest of the package. The command line turns errors into text and exit status in
one place.
"""

import difflib
import re
from collections.abc import Iterable, Sequence
from enum import IntEnum

_MIN_SIMILARITY = 0.6
"""Share of letters that a word must have in common with the one that may have been meant."""
_MAX_QUOTED_CHARS = 160
"""Characters of a quoted value up to which a message has all of it."""
_KEPT_CHARS = 60
"""Characters that are left at the beginning of a longer one."""
_LONG_QUOTED = re.compile(r"'(?:[^'\\/]|\\.){160,}'|\"(?:[^\"\\/]|\\.){160,}\"")
"""A quoted value too long to read; one with a slash may be a path, which is needed whole."""
_LONG_WORD = re.compile(r"\S{500,}")
_MAX_SUGGESTIONS = 12
"""Words that are listed where none is similar."""
_OPTION = re.compile(r"(?<![\w-])--([a-z][a-z0-9-]*)(?: ('[^']*'|[^\s,;:)]+))?")
"""An option of the command line, and the word after it, which may be its value."""
_NO_VALUE = frozenset(
    {
        *(
            "a",
            "allows",
            "and",
            "applies",
            "are",
            "beside",
            "both",
            "by",
            "can",
            "cannot",
        ),
        *(
            "does",
            "for",
            "from",
            "goes",
            "has",
            "have",
            "in",
            "is",
            "it",
            "needs",
            "not",
        ),
        *("of", "or", "takes", "that", "to", "was", "where", "with"),
    }
)
"""Words of a sentence that may follow an option; any other word is taken for its value."""
_PLACEHOLDERS = frozenset(
    {
        "COL",
        "COUNTRY",
        "DATA",
        "DIR",
        "FILE",
        "FREQ",
        "N",
        "ROWS",
        "RUN",
        "TIME",
        "ZONE",
    }
)
"""Words that stand for a value."""
_ARGUMENT_OF = {
    "from": "start",
    "future_data": "future",
    "plot_history": "history",
    "plot_series": "series",
}
"""Arguments whose name is not that of their option."""


class ExitCode(IntEnum):
    """Exit status of the command line; scripts rely on it, so it is never renumbered."""

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
    """Base of every error that a user can cause or fix.

    `message` says what is wrong (place, column, value, count); `hint` says what to do about it.
    Both speak of options as the command line has them; as text, the error has both in one line and
    names arguments: `loss='mse'` where they have `--loss mse`.
    """

    exit_code = ExitCode.BUG

    def __init__(self, message: str, hint: str = "") -> None:
        # A cell, a name or an option may hold megabytes.
        self.message = shorten_long_parts(message)
        self.hint = shorten_long_parts(hint)
        super().__init__(self.message)

    def __str__(self) -> str:
        parts = [self.message, self.hint]
        return "; ".join(to_python_words(part) for part in parts if part)


class UsageError(LstmcastError, ValueError):
    """An option or a configuration that cannot be used."""

    exit_code = ExitCode.USAGE


class ArgumentError(UsageError, TypeError):
    """An argument that a function does not know, or of a kind that it does not take."""


class NotFittedError(UsageError, AttributeError):
    """A forecaster that is asked for what only `fit` gives it."""


class DataError(LstmcastError, ValueError):
    """Input data that cannot be understood or used."""

    exit_code = ExitCode.DATA


class RunError(LstmcastError):
    """A run directory that is missing, damaged, of another program or in the way."""

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


def to_python_words(text: str) -> str:
    """Name arguments where a text names options: `batch_size=8` for `--batch-size 8`."""
    return _OPTION.sub(_to_argument, text)


def _to_argument(match: re.Match[str]) -> str:
    """The argument of an option, with its value where one follows."""
    option, value = match.groups()
    is_negated = option.startswith("no-")
    name = option.removeprefix("no-").replace("-", "_")
    name = _ARGUMENT_OF.get(name, name)
    rest = "" if value is None else f" {value}"
    if is_negated:
        return f"{name}=False{rest}"
    if value is None or value in _NO_VALUE:
        return f"{name}{rest}"
    if value in _PLACEHOLDERS:
        value = "..."
    elif not _is_literal(value):
        value = repr(value)
    return f"{name}={value}"


def _is_literal(value: str) -> bool:
    """Whether a word is a number or a quoted text, which Python reads as it stands."""
    if value.startswith(("'", '"')):
        return True
    return re.fullmatch(r"-?\d+(\.\d+)?(e-?\d+)?|None|nan", value) is not None


def shorten_long_parts(text: str) -> str:
    """Leave out the middle of each quoted value, and of each word, that is too long to read."""
    if len(text) <= _MAX_QUOTED_CHARS:
        return text
    text = _LONG_QUOTED.sub(lambda match: _shorten(match[0]), text)
    return _LONG_WORD.sub(lambda match: _shorten(match[0]), text)


def _shorten(text: str) -> str:
    """The two ends of a text, and how long it is."""
    return f"{text[:_KEPT_CHARS]} ... ({len(text):,} characters) ... {text[-10:]}"


def suggest_similar(word: str, known: Iterable[str]) -> str:
    """Say which of the known words the user may have meant, or which there are."""
    names = list(known)
    # Case makes no difference to what is similar, but is kept in what is suggested.
    name_of = {name.casefold(): name for name in names}
    matches = difflib.get_close_matches(
        word.casefold(), name_of, n=1, cutoff=_MIN_SIMILARITY
    )
    if matches:
        return f"did you mean {name_of[matches[0]]!r}?"
    quoted = [repr(name) for name in names]
    return f"there is {format_names(quoted, most=_MAX_SUGGESTIONS)}"


def format_names(names: Sequence[str], count: int | None = None, most: int = 3) -> str:
    """The first names, and how many more there are, as in "a, b, c and 4 more".

    count: how many names there are, where `names` holds only the first of them.
    """
    if count is None:
        count = len(names)
    shown = ", ".join(shorten_long_parts(name) for name in names[:most])
    rest = count - most
    if rest > 0:
        return f"{shown} and {rest:,} more"
    return shown


def format_more(count: int, unit: str = "") -> str:
    """Say how many there are besides the one shown, as in " (and 3 more rows)"; empty for none."""
    rest = count - 1
    if rest < 1:
        return ""
    more = f"{rest:,} more {unit}".rstrip()
    return f" (and {more})"
