"""What a search of settings may change, and how people write that. Knows neither data nor the search."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from types import NoneType
from typing import Any, get_args, get_type_hints

from lstmcast.config import Config
from lstmcast.errors import UsageError, suggest_similar

UNSEARCHED_SETTINGS = {"horizon", "season", "seed", "jobs", "device", "time_budget", "origins"}
"""Settings that no search changes: what is forecast and what errors are measured in, or what has no
say in either."""
LOG_RANGE_RATIO = 10
"""A range whose ends are so many times apart is searched by orders of magnitude."""
AUTO = "auto"
_SETTING_ALIASES = {"from": "start"}


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
        """The dimension as `--param` takes it."""
        if self.values:
            return f"{self.name}={','.join(format_setting_value(value) for value in self.values)}"
        return f"{self.name}={self.low:g}..{self.high:g}"


Space = tuple[Dimension, ...]


def format_setting_value(value: Any) -> str:
    """A value as people write it: auto for what is found, yes or no."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "auto" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def parse_params(texts: Sequence[str]) -> tuple[Space, bool]:
    """The dimensions that `--param` names, and whether `auto` is among them: all that the data suggest.

    A text is a setting with its values or its range, `hidden=32,64,128` or `lr=1e-4..1e-2`; of a
    setting that is named twice the last counts. Raises UsageError for a setting that is unknown or
    not to be searched, and for values out of its range.
    """
    named = [_parse_dimension(text) for text in texts if text.strip() != AUTO]
    return tuple({one.name: one for one in named}.values()), len(named) < len(texts) or not texts


def with_trial_settings(config: Config, space: Space, settings: Mapping[str, Any]) -> Config:
    """The configuration with the settings of a trial, by name. Raises UsageError where they contradict one another."""
    sections: dict[str, dict[str, Any]] = {}
    for one in space:
        if one.name in settings:
            sections.setdefault(one.section, {})[one.name] = settings[one.name]
    return replace(
        config,
        **{name: replace(getattr(config, name), **given) for name, given in sections.items()},
    )


def get_setting(config: Config, one: Dimension) -> Any:
    """What a configuration says of a dimension's setting."""
    return getattr(getattr(config, one.section), one.name)


def space_to_dicts(space: Space) -> list[dict[str, Any]]:
    """Plain form, to compare."""
    return [asdict(one) for one in space]


def list_searchable_settings() -> dict[str, tuple[str, Any]]:
    """Section and type of every setting that can be searched."""
    config = Config()
    sections = ("window", "model", "train", "inputs")
    return {
        one.name: (section, get_type_hints(type(getattr(config, section)))[one.name])
        for section in sections
        for one in fields(getattr(config, section))
        if one.name not in UNSEARCHED_SETTINGS
    }


def _parse_dimension(text: str) -> Dimension:
    name, equals, values = (part.strip() for part in text.partition("="))
    key = _SETTING_ALIASES.get(name, name.replace("-", "_"))
    there = list_searchable_settings()
    if not equals or not values:
        raise UsageError(
            f"--param {text!r} is no search", 'write a setting and its values: "hidden=32,64,128"'
        )
    if key in UNSEARCHED_SETTINGS:
        raise UsageError(
            f"--param {text!r}: {name} is not searched", f"set it for all trials with --{name}"
        )
    if key not in there:
        raise UsageError(f"--param {text!r}: unknown setting {name!r}", suggest_similar(key, there))
    section, kind = there[key]
    if ".." in values:
        return _parse_range(text, section, key, kind, values)
    parts = tuple(
        dict.fromkeys(_parse_value(text, kind, part.strip()) for part in values.split(","))
    )
    for part in parts:
        _check_value(text, section, key, part)
    return Dimension(section, key, parts)


def _parse_range(text: str, section: str, key: str, kind: Any, values: str) -> Dimension:
    low, _, high = (part.strip() for part in values.partition(".."))
    whole = int in (kind, *get_args(kind))
    if not whole and float not in (kind, *get_args(kind)):
        raise UsageError(
            f"--param {text!r}: {key} has no range", "list its values, with commas between them"
        )
    ends = [_parse_value(text, int if whole else float, end) for end in (low, high)]
    if not ends[0] < ends[1]:
        raise UsageError(
            f"--param {text!r}: {low} is not below {high}", "write the lower end first"
        )
    for end in ends:
        _check_value(text, section, key, end)
    return Dimension(section, key, (), ends[0], ends[1], whole)


def _parse_value(text: str, kind: Any, part: str) -> Any:
    """A value of a setting's type from its text."""
    kinds = get_args(kind) if NoneType in get_args(kind) else (kind,)
    if NoneType in kinds and part == "auto":
        return None
    switch = {"yes": True, "true": True, "no": False, "false": False}
    if bool in kinds:
        if part.lower() not in switch:
            raise UsageError(
                f"--param {text!r}: {part!r} is neither yes nor no", "give yes, no or both"
            )
        return switch[part.lower()]
    for number in (int, float):
        if number in kinds:
            try:
                return number(part)
            except ValueError:
                raise UsageError(
                    f"--param {text!r}: {part!r} is no number", "as in lr=1e-3 or hidden=64"
                ) from None
    return part


def _check_value(text: str, section: str, key: str, value: Any) -> None:
    if (key, value) == ("loss", "bernoulli"):
        raise UsageError(
            f"--param {text!r}: errors of probabilities are of another kind", "leave bernoulli out"
        )
    try:
        replace(getattr(Config(), section), **{key: value})
    except UsageError as wrong:
        raise UsageError(f"--param {text!r}: {wrong.message}", wrong.hint) from None
