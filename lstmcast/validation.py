"""Checks of single settings: durations, levels, time zones, choices and ranges.

Knows settings by the names alone that other libraries have for them. Messages name a setting as
the option of the command line; an error as text names the argument, see `errors.to_python_words`.
"""

import re
from collections.abc import Collection, Mapping
from typing import Any, Literal, get_args, get_origin, get_type_hints
from zoneinfo import ZoneInfo, available_timezones

from lstmcast.errors import UsageError, suggest_similar

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


def require_choices(config: Any) -> None:
    """Raise UsageError for a value that is not among those of its field's Literal type."""
    # Of options the command line sees to this, but values come from files and code as well.
    for name, kind in get_type_hints(type(config)).items():
        if get_origin(kind) is not Literal:
            continue
        value = getattr(config, name)
        choices = get_args(kind)
        if value not in choices:
            raise UsageError(
                f"{option_name(name)} {str(value)!r} is unknown",
                suggest_similar(str(value), choices),
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
