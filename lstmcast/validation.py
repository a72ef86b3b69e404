"""Checks of single settings: durations, levels, time zones, choices and ranges.

Knows settings by the names alone that other libraries have for them. Messages name a setting as
the option of the command line; an error as text names the argument, see `errors.to_python_words`.
"""

import re
from collections.abc import Collection, Mapping
from numbers import Integral, Real
from typing import Any, Literal, get_args, get_origin, get_type_hints
from zoneinfo import ZoneInfo, available_timezones

from lstmcast.errors import ArgumentError, UsageError, suggest_similar

_PLAIN_KINDS = {
    int: "a whole number",
    float: "a number",
    bool: "True or False",
    str: "text",
    type(None): "",
}
"""Types of plain settings, in words."""
_SECONDS_BY_UNIT = {"": 1, "s": 1, "m": 60, "h": 3600}
"""Units of a duration; without one it is in seconds."""
OTHER_NAMES = {
    **dict.fromkeys(("h", "fh", "prediction_length", "output_chunk_length"), "horizon"),
    **dict.fromkeys(("input_size", "context_length", "input_chunk_length"), "context"),
    **dict.fromkeys(("max_steps", "n_steps", "epochs", "n_epochs"), "steps"),
    **dict.fromkeys(("hidden_size", "hidden_dim", "encoder_hidden_size"), "hidden"),
    **dict.fromkeys(("num_layers", "n_layers", "n_rnn_layers"), "layers"),
    **dict.fromkeys(("random_state", "random_seed"), "seed"),
    **dict.fromkeys(("learning_rate", "max_lr"), "lr"),
    **dict.fromkeys(("season_length", "seasonality", "sp", "m"), "season"),
    **dict.fromkeys(("n_jobs", "num_workers"), "jobs"),
    **dict.fromkeys(("from", "from_", "init"), "start"),
    **{"frequency": "freq", "model": "cell", "rnn_type": "cell", "cell_type": "cell"},
}
"""What other libraries call a setting; the answer to one of these names is its name here."""


def require_known_keys(
    data: Mapping[str, Any], known: Collection[str], kind: str
) -> None:
    """Raise UsageError for the first key that is not known, with the one that may be meant."""
    for key in data:
        if key not in known:
            hint = suggest_similar(key, known)
            raise UsageError(f"unknown {kind} {key!r}", hint)


def require_time_zone(name: str) -> None:
    """Raise UsageError unless `name` is a zone like Europe/Berlin or an offset like +01:00."""
    if re.fullmatch(r"[+-]\d\d:\d\d", name):
        return
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, or not a possible name
        raise UsageError(
            f"time zone {name!r} is not known",
            suggest_similar(name, available_timezones()),
        ) from None


def parse_duration(duration: float | str, name: str) -> float:
    """A duration above 0 in seconds, of a number or text like 90s, 5m, 1.5h; raises UsageError."""
    seconds = 0.0  # also of what does not match
    if match := re.fullmatch(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*([smh]?)\s*", str(duration)):
        number, unit = match.groups()
        seconds = float(number) * _SECONDS_BY_UNIT[unit]
    if not 0 < seconds < float("inf"):
        raise UsageError(
            f"{name} {str(duration)!r} is not a duration",
            "give one above 0, for example 60s, 5m or 1h",
        )
    return seconds


def parse_quantile_levels(text: str, name: str = "quantiles") -> tuple[float, ...]:
    """Quantile levels of text like 0.1,0.5, ascending; raises UsageError outside of 0 to 1."""
    try:
        # A level that is given twice would be two columns of one name.
        distinct = {float(part) for part in text.split(",")}
    except ValueError:
        distinct = set()
    levels = tuple(sorted(distinct))
    in_range = all(0 < level < 1 for level in levels)
    if not levels or not in_range:
        raise UsageError(
            f"{name} {text!r} is out of range",
            "give levels between 0 and 1, for example 0.1,0.5,0.9",
        )
    return levels


def require_kinds(config: Any) -> None:
    """Raise for a value that is not of its field's type.

    UsageError where it is not among the choices of a Literal type, ArgumentError where it is of
    another kind than the number, text, or True or False that it should be.
    """
    # Of options the command line sees to this, but values come from files and code as well.
    for name, kind in get_type_hints(type(config)).items():
        value = getattr(config, name)
        if get_origin(kind) is Literal:
            _require_choice(name, value, get_args(kind))
        else:
            _require_plain_value(name, value, set(get_args(kind) or (kind,)))


def _require_choice(name: str, value: Any, choices: tuple[Any, ...]) -> None:
    if value not in choices:
        raise UsageError(
            f"{option_name(name)} {str(value)!r} is unknown",
            suggest_similar(str(value), choices),
        )


def _require_plain_value(name: str, value: Any, kinds: set[Any]) -> None:
    """Raise ArgumentError for a value of none of the kinds, where they are all plain."""
    if not kinds <= set(_PLAIN_KINDS):
        return
    is_truth = isinstance(value, bool) or type(value).__name__ in ("bool", "bool_")
    fitting = {
        int: isinstance(value, Integral) and not is_truth,
        float: isinstance(value, Real) and not is_truth,
        bool: is_truth or (isinstance(value, Integral) and value in (0, 1)),
        str: isinstance(value, str),
        type(None): value is None,
    }
    if any(fitting[kind] for kind in kinds):
        return
    wanted = [words for kind, words in _PLAIN_KINDS.items() if kind in kinds and words]
    raise ArgumentError(
        f"{option_name(name)} {value!r} of type {type(value).__name__!r} cannot be used",
        f"give {' or '.join(wanted)}",
    )


def require_at_least(config: Any, low: float, *names: str) -> None:
    """Raise UsageError for a number below the least; None is none."""
    for name in names:
        value = getattr(config, name)
        # Not `value < low`, which NaN is not.
        if value is not None and not value >= low:
            raise UsageError(
                f"{option_name(name)} {value} is out of range", f"give {low} or more"
            )


def option_name(setting: str) -> str:
    """The name of a setting as an option of the command line."""
    return f"--{setting.replace('_', '-')}"
