"""Every setting of lstmcast, its default and its range, as frozen dataclasses.

The only home of defaults. Knows neither pandas nor torch nor terminals. `None` means "found from the data".
"""

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args, get_type_hints
from zoneinfo import ZoneInfo, available_timezones

from lstmcast.errors import UsageError, suggest

Precision = Literal["auto", "float32", "bfloat16"]
Duplicates = Literal["error", "first", "last", "mean", "sum"]
Fill = Literal["none", "forward", "linear", "zero"]
Aggregate = Literal["mean", "sum", "min", "max", "median", "first", "last", "count"]
AGGREGATES: tuple[str, ...] = get_args(Aggregate)
BadRows = Literal["error", "skip"]
QUANTILES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Levels that the network learns; any other level is interpolated between them."""


@dataclass(frozen=True)
class Columns:
    """Names and roles of the columns. An empty `time` is found: the only column that parses as time."""

    target: tuple[str, ...]
    time: tuple[str, ...] = ()
    series: tuple[str, ...] = ()
    past: tuple[str, ...] = ()
    future: tuple[str, ...] = ()
    static: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.target:
            raise UsageError("no target column given", "name the column to forecast with --target COL")
        seen: dict[str, str] = {}
        for role in ("target", "time", "series", "past", "future", "static"):
            for name in getattr(self, role):
                if name in seen and (seen[name], role) != ("series", "static"):  # a part of the key says something, too
                    raise UsageError(
                        f"column {name!r} is given both as --{seen[name]} and as --{role}",
                        "give each column one role",
                    )
                seen[name] = role


@dataclass(frozen=True)
class DataConfig:
    """How the input is understood; each `None` is found out and reported.

    header: whether the first line of a text file holds names. thousands: what stands between thousands in its numbers.
    bad_rows: what to do about rows of another width. max_bytes: most bytes that a file may unpack to; `None` is as
    many as the memory that is free can take.
    """

    delimiter: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    encoding: str | None = None
    header: bool | None = None
    bad_rows: BadRows = "error"
    max_bytes: int | None = None
    na: tuple[str, ...] = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "#N/A")
    freq: str | None = None
    tz: str | None = None
    date_format: str | None = None
    duplicates: Duplicates = "error"
    fill: Fill = "none"
    resample: str | None = None

    def __post_init__(self) -> None:
        _at_least(self, 1, "max_bytes")
        self._check_marks()
        if self.tz is not None:
            _zone(self.tz)
        if self.resample is None:
            return
        rule, how = self.resampling
        if how not in AGGREGATES:
            raise UsageError(f"--resample {self.resample}: {how!r} is not known", suggest(how, AGGREGATES))
        if self.freq is not None:
            raise UsageError(f"--freq {self.freq} and --resample {rule} both say what the step is", "leave out --freq")

    def _check_marks(self) -> None:
        for name, marks in (("delimiter", ""), ("decimal", ".,"), ("thousands", ".,' _")):
            value = getattr(self, name)
            if value is not None and (len(value) != 1 or value in '\r\n"' or value not in (marks or value)):
                shown = " ".join(repr(mark) for mark in marks) or "one character, such as ';'"
                raise UsageError(f"--{name} {value!r} cannot be used", f"give {shown}")
        if self.thousands is not None and self.thousands == self.decimal:
            raise UsageError(f"--thousands and --decimal are both {self.decimal!r}", "give each mark one meaning")

    @property
    def resampling(self) -> tuple[str, str]:
        """Rule and aggregate of `resample`; the mean where it names none."""
        rule, _, how = (self.resample or "").partition(":")
        return rule, how or "mean"


@dataclass(frozen=True)
class InputConfig:
    """What the network reads besides the series itself and the covariates of the table."""

    holidays: str | None = None
    """Country whose holidays are covariates known ahead: `DE`, or `DE-BY` for a part of it."""
    joint: bool = False
    """Whether several targets of one table are forecast from one another's past as well."""


@dataclass(frozen=True)
class WindowConfig:
    """The sliding window: context and horizon in steps, season in steps."""

    horizon: int | None = None
    context: int | None = None
    season: int | None = None
    validation: int | None = None

    def __post_init__(self) -> None:
        _at_least(self, 1, "horizon", "context", "season", "validation")


@dataclass(frozen=True)
class ModelConfig:
    """The network. `None` takes the size of the weights that training starts from."""

    cell: Literal["lstm"] = "lstm"
    layers: int | None = None
    hidden: int | None = None
    dropout: float = 0.1

    def __post_init__(self) -> None:
        _at_least(self, 1, "layers", "hidden")
        if not 0 <= self.dropout < 1:
            raise UsageError(f"--dropout {self.dropout} is out of range", "give a share from 0 up to, not including, 1")


@dataclass(frozen=True)
class TrainConfig:
    """The training. `steps`, `lr` and `members` are chosen by validation where they are `None`.

    batch_size: chunks of history in a step; origins: windows that each of them yields. precision: of the encoder's
    matrix products while training ("auto": bfloat16 where the processor has it, as in Micikevicius et al. 2018).
    """

    start: str = "pretrained"
    steps: int | None = None
    lr: float | None = None
    batch_size: int = 16
    origins: int = 16
    weight_decay: float = 0.01
    grad_clip: float = 1.0
    patience: int = 3
    members: int | None = None
    seed: int = 0
    jobs: int | None = None
    precision: Precision = "auto"

    def __post_init__(self) -> None:
        _at_least(self, 0, "steps", "seed", "weight_decay")
        _at_least(self, 1, "batch_size", "origins", "patience", "members", "jobs")
        for name in ("lr", "grad_clip"):
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                raise UsageError(f"--{name.replace('_', '-')} {value} is out of range", "give a number above 0")


@dataclass(frozen=True)
class Config:
    """All settings of one fit."""

    data: DataConfig = field(default_factory=DataConfig)
    window: WindowConfig = field(default_factory=WindowConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    inputs: InputConfig = field(default_factory=InputConfig)

    def to_dict(self) -> dict[str, Any]:
        """Plain nested dictionary that `from_dict` reads back."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Config":
        """Rebuild from `to_dict`'s form; raises UsageError for unknown keys, with a suggestion."""
        sections = get_type_hints(cls)
        _known(data, sections, "section")
        return cls(**{name: _section(sections[name], values) for name, values in data.items()})


def _section(kind: type, values: Mapping[str, Any]) -> Any:
    _known(values, [f.name for f in dataclasses.fields(kind)], "setting")
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})


def _known(data: Mapping[str, Any], known: Any, what: str) -> None:
    for key in data:
        if key not in known:
            raise UsageError(f"unknown {what} {key!r}", suggest(key, known))


def _zone(name: str) -> None:
    """Raise UsageError for what is no time zone: neither a name like Europe/Berlin nor an offset like +01:00."""
    if re.fullmatch(r"[+-]\d\d:\d\d", name):
        return
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, or no possible name
        raise UsageError(f"time zone {name!r} is not known", suggest(name, available_timezones())) from None


def _at_least(config: Any, low: float, *names: str) -> None:
    for name in names:
        value = getattr(config, name)
        if value is not None and not value >= low:
            raise UsageError(f"--{name.replace('_', '-')} {value} is out of range", f"give {low} or more")
