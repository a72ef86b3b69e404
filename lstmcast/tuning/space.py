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
        widest_even = LOG_RANGE_RATIO * self.low
        return self.low > 0 and self.high >= widest_even

    def holds(self, value: Any) -> bool:
        """Whether a value is among those to be tried."""
        if self.values:
            return value in self.values
        if not isinstance(value, int | float):
            return False
        return self.low <= value <= self.high

    def words(self) -> str:
        """Return the dimension as `--param` takes it."""
        if self.values:
            texts = [format_setting_value(value) for value in self.values]
            listed = ",".join(texts)
            return f"{self.name}={listed}"
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
        alternatives = get_args(self.kind)
        return kind is self.kind or kind in alternatives


def format_setting_value(value: Any) -> str:
    """Return a value as people write it: auto for what is inferred, yes or no for a boolean."""
    if value is None:
        return AUTO
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)


def parse_params(texts: Sequence[str]) -> tuple[Space, bool]:
    """Return the dimensions that `--param` names, and whether those that the data suggest join.

    A text is a setting with its values or its range, `hidden=32,64,128` or `lr=1e-4..1e-2`; of a
    setting that is named twice the last counts. `auto`, or no text at all, stands for what the data
    suggest. Raises UsageError for a setting that is unknown or not to be searched, and for values
    out of its range.
    """
    by_name = {}
    has_auto = not texts
    for text in texts:
        if text.strip() == AUTO:
            has_auto = True
        else:
            dimension = _parse_dimension(text)
            by_name[dimension.name] = dimension
    return tuple(by_name.values()), has_auto


def with_trial_settings(
    config: Config, space: Space, settings: Mapping[str, Any]
) -> Config:
    """Return the configuration with the settings of a trial, by name.

    Raises UsageError where they contradict one another.
    """
    by_section: dict[str, dict[str, Any]] = {}
    for dimension in space:
        name = dimension.name
        # A trial of the default may lack some: those stay as they are.
        if name in settings:
            values = by_section.setdefault(dimension.section, {})
            values[name] = settings[name]

    changed = {}
    # All settings of a section at once: those of a trial are checked together.
    for section, values in by_section.items():
        before = getattr(config, section)
        changed[section] = replace(before, **values)
    return replace(config, **changed)


def get_setting(config: Config, dimension: Dimension) -> Any:
    """Return the value that a configuration has for a dimension's setting."""
    section = getattr(config, dimension.section)
    return getattr(section, dimension.name)


def get_settings(config: Config, space: Space) -> dict[str, Any]:
    """Return the values that a configuration has for the settings of a space, by name."""
    return {dimension.name: get_setting(config, dimension) for dimension in space}


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
            name = field.name
            if name not in UNSEARCHED_SETTINGS:
                settings[name] = (section, types[name])
    return settings


def _parse_dimension(text: str) -> Dimension:
    name, values = _split_in_two(text, "=")
    # Settings are named as their options are typed: weight-decay.
    key = _SETTING_ALIASES.get(name, name.replace("-", "_"))
    searchable = list_searchable_settings()
    if not values:
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
    return _parse_choices(param, values)


def _parse_choices(param: _ParamText, values: str) -> Dimension:
    """Return the dimension of listed values, `32,64,128`."""
    parsed = []
    for part in values.split(","):
        value = _parse_value(param, part.strip(), param.kind)
        parsed.append(value)
    unique = tuple(dict.fromkeys(parsed))  # in the order in which they are written
    # Before the search begins: no trial should fail by a value that nobody can use.
    for value in unique:
        _check_value(param, value)
    return Dimension(param.section, param.name, unique)


def _split_in_two(text: str, separator: str) -> tuple[str, str]:
    """Return what is before a separator and what is after it: nothing where it is missing."""
    before, _, after = text.partition(separator)
    return before.strip(), after.strip()


def _parse_range(param: _ParamText, values: str) -> Dimension:
    """Return the dimension of a range, `1e-4..1e-2`."""
    low_text, high_text = _split_in_two(values, "..")
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

    # What a setting takes is a range itself: both ends within it are enough.
    for end in (low, high):
        _check_value(param, end)
    return Dimension(param.section, param.name, (), low, high, whole)


def _parse_value(param: _ParamText, text: str, kind: Any) -> Any:
    """Return a value of a type from its text."""
    # An optional setting may be inferred; a union of literals is one kind.
    kinds = get_args(kind)
    if NoneType not in kinds:
        kinds = (kind,)
    if NoneType in kinds and text == AUTO:
        return None
    if bool in kinds:
        if text.lower() not in _BOOLEANS:
            raise param.error(f"{text!r} is neither yes nor no", "give yes, no or both")
        return _BOOLEANS[text.lower()]
    # Whole numbers first: a setting that takes both keeps 64 as it is written.
    for number in (int, float):
        if number in kinds:
            try:
                return number(text)
            except ValueError:
                problem = f"{text!r} is no number"
                raise param.error(problem, "as in lr=1e-3 or hidden=64") from None
    return text


def _check_value(param: _ParamText, value: Any) -> None:
    """Raise UsageError where a setting does not take a value."""
    # The other losses are compared by MASE, a probability by its Brier score.
    if (param.name, value) == ("loss", "bernoulli"):
        raise param.error(
            "errors of probabilities are of another kind", "leave bernoulli out"
        )
    section = getattr(Config(), param.section)
    setting = {param.name: value}
    try:
        replace(section, **setting)
    except UsageError as error:
        raise param.error(error.message, error.hint) from None
