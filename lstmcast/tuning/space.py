"""What a search of settings may change, and how people write that.

Knows neither data nor the search.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from types import NoneType
from typing import Any, NamedTuple, get_args, get_type_hints

from lstmcast.config import Config
from lstmcast.errors import UsageError, suggest_similar

UNSEARCHED_SETTINGS = {
    "horizon",
    "season",
    "seed",
    "jobs",
    "device",
    "time_budget",
    "origins",
}
"""Settings that no search changes: what is forecast, what errors are measured in, and what changes
neither."""
LOG_RANGE_RATIO = 10
"""A range whose ends are so many times apart is searched by orders of magnitude."""
AUTO = "auto"
_SEARCHED_SECTIONS = ("window", "model", "train", "inputs")
_SETTING_ALIASES = {"from": "start"}
_BOOLEANS = {"yes": True, "true": True, "no": False, "false": False}


@dataclass(frozen=True)
class Dimension:
    """One setting and what it may be: one of `values`, or a number from `low` to `high`."""

    section: str
    name: str
    values: tuple[Any, ...] = ()
    low: float = 0.0
    high: float = 0.0
    whole: bool = False

    @property
    def log(self) -> bool:
        """Whether a range is searched by orders of magnitude."""
        return self.low > 0 and self.high >= LOG_RANGE_RATIO * self.low

    def holds(self, value: Any) -> bool:
        """Whether a value is among those to be tried."""
        if self.values:
            return value in self.values
        return isinstance(value, int | float) and self.low <= value <= self.high

    def words(self) -> str:
        """Return the dimension as `--param` takes it."""
        if self.values:
            values = ",".join(format_setting_value(value) for value in self.values)
            return f"{self.name}={values}"
        return f"{self.name}={self.low:g}..{self.high:g}"


Space = tuple[Dimension, ...]


class _ParamText(NamedTuple):
    """The text of one `--param`, and the setting that it names."""

    text: str
    section: str
    name: str
    kind: Any
    """Type of the setting."""

    def error(self, problem: str, hint: str) -> UsageError:
        """Return an error that names the text."""
        return UsageError(f"--param {self.text!r}: {problem}", hint)

    def accepts(self, kind: type) -> bool:
        """Whether the setting takes values of a type, perhaps beside others."""
        return kind is self.kind or kind in get_args(self.kind)


def format_setting_value(value: Any) -> str:
    """Return a value as people write it: auto for what is inferred, yes or no for a boolean."""
    if value is None:
        return AUTO
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def parse_params(texts: Sequence[str]) -> tuple[Space, bool]:
    """Return the dimensions that `--param` names, and whether those that the data suggest join.

    A text is a setting with its values or its range, `hidden=32,64,128` or `lr=1e-4..1e-2`; of a
    setting that is named twice the last counts. `auto`, or no text at all, stands for what the data
    suggest. Raises UsageError for a setting that is unknown or not to be searched, and for values
    out of its range.
    """
    named = [_parse_dimension(text) for text in texts if text.strip() != AUTO]
    by_name = {dimension.name: dimension for dimension in named}
    has_auto = len(named) < len(texts) or not texts
    return tuple(by_name.values()), has_auto


def with_trial_settings(
    config: Config, space: Space, settings: Mapping[str, Any]
) -> Config:
    """Return the configuration with the settings of a trial, by name.

    Raises UsageError where they contradict one another.
    """
    by_section: dict[str, dict[str, Any]] = {}
    for dimension in space:
        if dimension.name in settings:
            section = by_section.setdefault(dimension.section, {})
            section[dimension.name] = settings[dimension.name]
    changed = {
        section: replace(getattr(config, section), **values)
        for section, values in by_section.items()
    }
    return replace(config, **changed)


def get_setting(config: Config, dimension: Dimension) -> Any:
    """Return the value that a configuration has for a dimension's setting."""
    return getattr(getattr(config, dimension.section), dimension.name)


def space_to_dicts(space: Space) -> list[dict[str, Any]]:
    """Return the space in plain form, to compare."""
    return [asdict(dimension) for dimension in space]


def list_searchable_settings() -> dict[str, tuple[str, Any]]:
    """Return section and type of every setting that can be searched, by name."""
    config = Config()
    settings = {}
    for section in _SEARCHED_SECTIONS:
        options = getattr(config, section)
        types = get_type_hints(type(options))
        for field in fields(options):
            if field.name not in UNSEARCHED_SETTINGS:
                settings[field.name] = section, types[field.name]
    return settings


def _parse_dimension(text: str) -> Dimension:
    name, equals, values = (part.strip() for part in text.partition("="))
    # Settings are named as their options are typed: weight-decay.
    key = _SETTING_ALIASES.get(name, name.replace("-", "_"))
    searchable = list_searchable_settings()
    if not equals or not values:
        raise UsageError(
            f"--param {text!r} is no search",
            'write a setting and its values: "hidden=32,64,128"',
        )
    if key in UNSEARCHED_SETTINGS:
        raise UsageError(
            f"--param {text!r}: {name} is not searched",
            f"set it for all trials with --{name}",
        )
    if key not in searchable:
        hint = suggest_similar(key, searchable)
        raise UsageError(f"--param {text!r}: unknown setting {name!r}", hint)
    section, kind = searchable[key]
    param = _ParamText(text, section, key, kind)
    if ".." in values:
        return _parse_range(param, values)
    parsed = [_parse_value(param, part.strip(), kind) for part in values.split(",")]
    unique = tuple(dict.fromkeys(parsed))  # in the order in which they are written
    for value in unique:
        _check_value(param, value)
    return Dimension(section, key, unique)


def _parse_range(param: _ParamText, values: str) -> Dimension:
    """Return the dimension of a range, `1e-4..1e-2`."""
    low_text, _, high_text = (part.strip() for part in values.partition(".."))
    whole = param.accepts(int)
    if not whole and not param.accepts(float):
        raise param.error(
            f"{param.name} has no range", "list its values, with commas between them"
        )
    kind = int if whole else float
    low = _parse_value(param, low_text, kind)
    high = _parse_value(param, high_text, kind)
    if not low < high:
        raise param.error(
            f"{low_text} is not below {high_text}", "write the lower end first"
        )
    for end in (low, high):
        _check_value(param, end)
    return Dimension(param.section, param.name, (), low, high, whole)


def _parse_value(param: _ParamText, text: str, kind: Any) -> Any:
    """Return a value of a type from its text."""
    # An optional setting may be inferred; a union of literals is one kind.
    kinds = get_args(kind) if NoneType in get_args(kind) else (kind,)
    if NoneType in kinds and text == AUTO:
        return None
    if bool in kinds:
        if text.lower() not in _BOOLEANS:
            raise param.error(f"{text!r} is neither yes nor no", "give yes, no or both")
        return _BOOLEANS[text.lower()]
    for number in (int, float):
        if number in kinds:
            try:
                return number(text)
            except ValueError:
                raise param.error(
                    f"{text!r} is no number", "as in lr=1e-3 or hidden=64"
                ) from None
    return text


def _check_value(param: _ParamText, value: Any) -> None:
    """Raise UsageError where a setting does not take a value."""
    # The other losses are compared by MASE, a probability by its Brier score.
    if (param.name, value) == ("loss", "bernoulli"):
        raise param.error(
            "errors of probabilities are of another kind", "leave bernoulli out"
        )
    try:
        replace(getattr(Config(), param.section), **{param.name: value})
    except UsageError as error:
        raise param.error(error.message, error.hint) from None
