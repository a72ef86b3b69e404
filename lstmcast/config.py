"""Every setting of lstmcast, its default and its range, as frozen dataclasses.

The only home of defaults. Knows neither pandas nor torch nor terminals. `None` means that a setting
is inferred from the data.
"""

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args, get_type_hints

from lstmcast.errors import ArgumentError, UsageError, suggest_similar
from lstmcast.validation import (
    OTHER_NAMES,
    option_name,
    require_at_least,
    require_kinds,
    require_known_keys,
    require_time_zone,
)
from lstmcast.validation import parse_duration as parse_duration
from lstmcast.validation import parse_quantile_levels as parse_quantile_levels

Device = Literal["auto", "cpu", "cuda", "mps"]
Precision = Literal["auto", "float32", "bfloat16"]
Duplicates = Literal["error", "first", "last", "mean", "sum"]
Fill = Literal["none", "forward", "linear", "zero"]
Last = Literal["auto", "keep", "drop"]
Aggregate = Literal["mean", "sum", "min", "max", "median", "first", "last", "count"]
AGGREGATES: tuple[str, ...] = get_args(Aggregate)
BadRows = Literal["error", "skip"]
Ended = Literal["keep", "drop", "extend"]
Cell = Literal["lstm", "gru", "rnn"]
Loss = Literal[
    "quantile", "mse", "mae", "huber", "student-t", "negative-binomial", "bernoulli"
]
UNTRANSFORMED_LOSSES = ("negative-binomial", "bernoulli")
"""Losses of the target as it is, which no transform may change."""
QUANTILE_SOURCES: dict[Loss, Literal["own", "residuals", "likelihood", "none"]] = {
    "quantile": "own",
    "mse": "residuals",
    "mae": "residuals",
    "huber": "residuals",
    "student-t": "likelihood",
    "negative-binomial": "likelihood",
    "bernoulli": "none",
}
"""Where the quantiles of a network with this loss come from: its own outputs, measured residuals,
the distribution that it outputs, or nowhere, where the target is 0 or 1."""
Backend = Literal["loky", "threading", "dask", "ray"]
Optimizer = Literal["adamw", "adam", "sgd", "rmsprop"]
LearningRateSchedule = Literal["constant", "cosine", "onecycle"]
Scale = Literal["causal", "standard", "robust", "minmax", "none"]
Transform = Literal["auto", "log", "none"]
_CLOSED_PART = re.compile(
    r"[a-z]{3,9}(-[a-z]{3,9})?|([a-z]{3,9}(-[a-z]{3,9})? )?\d\d?(:\d\d)?-\d\d?(:\d\d)?",
    re.IGNORECASE,
)
"""A part of closed times: a weekday or month or several, hours, or both."""
NETWORK_QUANTILES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Levels that the network learns; other levels are interpolated between them."""


@dataclass(frozen=True)
class Columns:
    """Names and roles of the columns.

    An empty `time` is inferred: it is the only column that parses as time. Raises UsageError where
    there is no target, or a column has two roles; only a series column may be static, too.
    """

    target: tuple[str, ...]
    time: tuple[str, ...] = ()
    series: tuple[str, ...] = ()
    past: tuple[str, ...] = ()
    future: tuple[str, ...] = ()
    static: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.target:
            raise UsageError(
                "no target column given",
                "name the column to forecast with --target COL",
            )
        role_of: dict[str, str] = {}
        for role in ("target", "time", "series", "past", "future", "static"):
            for name in getattr(self, role):
                other = role_of.get(name)
                # A part of a series' key may be one of its properties, too.
                if other is not None and (other, role) != ("series", "static"):
                    raise UsageError(
                        f"column {name!r} is given both as --{other} and as --{role}",
                        "give each column one role",
                    )
                role_of[name] = role


@dataclass(frozen=True)
class DataConfig:
    """How the input is read; settings that are `None` are inferred from it and reported.

    header: whether the first line of a text file holds names. thousands: the mark between thousands
    in its numbers. bad_rows: what to do about rows of another width. max_bytes: most bytes that a
    file may unpack to; `None` is as many as free memory can take. na: texts that stand for a
    missing value. last: whether the newest values count: auto leaves those out of a forecast that
    the past makes unlikely, keep counts them all, drop takes the last one of each series as
    missing.
    """

    delimiter: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    encoding: str | None = None
    header: bool | None = None
    bad_rows: BadRows = "error"
    max_bytes: int | None = None
    na: tuple[str, ...] = (
        "",
        "NA",
        "N/A",
        "NaN",
        "nan",
        "null",
        "NULL",
        "None",
        "#N/A",
    )
    freq: str | None = None
    tz: str | None = None
    date_format: str | None = None
    duplicates: Duplicates = "error"
    fill: Fill = "none"
    last: Last = "auto"
    resample: str | None = None
    snap: bool | None = None
    """Whether rows move to the nearest regular step. None: where all miss it by a tenth at most."""
    closed: str = "auto"
    """Times that never occur and are not forecast, as `sun` or `0-9,17-24`; auto: those on which no
    value ever falls; none: every step counts."""
    ended: Ended = "keep"
    """What becomes of series that end before the others: keep forecasts each from its own end, drop
    leaves them out, extend goes on with missing values to where the others end."""

    def __post_init__(self) -> None:
        require_kinds(self)
        require_at_least(self, 1, "max_bytes")
        self._require_closed_times()
        self._require_separators()
        if self.tz is not None:
            require_time_zone(self.tz.removeprefix(UTC_PREFIX))
        if self.resample is None:
            return
        rule, how = self.resampling
        if how not in AGGREGATES:
            raise UsageError(
                f"--resample {self.resample}: {how!r} is not known",
                suggest_similar(how, AGGREGATES),
            )
        if self.freq is not None:
            raise UsageError(
                f"--freq {self.freq} and --resample {rule} both say what the step is",
                "leave out --freq",
            )

    def _require_closed_times(self) -> None:
        for part in self.closed.split(","):
            words = part.strip()
            if not words or not _CLOSED_PART.fullmatch(words):
                raise UsageError(
                    f"--closed {self.closed!r}: {words!r} is not a time",
                    "give auto, none, or times like sun, 0-9, 'sat 13-24' or nov-mar",
                )

    def _require_separators(self) -> None:
        marks_of = {"decimal": ".,", "thousands": ".,' _"}
        for name in ("delimiter", "decimal", "thousands"):
            value = getattr(self, name)
            marks = marks_of.get(name)
            if value is None:
                continue
            is_mark = len(value) == 1 and value not in '\r\n"'
            if not is_mark or (marks is not None and value not in marks):
                choices = "one character, such as ';'"
                if marks is not None:
                    choices = " ".join(repr(mark) for mark in marks)
                raise UsageError(
                    f"--{name} {value!r} cannot be used", f"give {choices}"
                )
        if self.thousands is not None and self.thousands == self.decimal:
            raise UsageError(
                f"--thousands and --decimal are both {self.decimal!r}",
                "give each mark one meaning",
            )

    @property
    def resampling(self) -> tuple[str, str]:
        """Rule and aggregate of `resample`; the mean where it names none."""
        rule, _, how = (self.resample or "").partition(":")
        return rule, how or "mean"


@dataclass(frozen=True)
class InputConfig:
    """What the network reads besides the series itself and the covariates of the table."""

    calendar: bool = False
    """Whether time of day, day of week, of month and month of year are covariates known ahead, as
    far as they differ between steps: for cycles longer than the season, such as the year of daily
    data."""
    holidays: str | None = None
    """Country whose holidays are covariates known ahead: `DE`, or `DE-BY` for a part of it. None:
    no holidays."""
    joint: bool = False
    """Whether several targets of one table are forecast from one another's past as well."""


DEFAULT_QUANTILE_LEVELS = (0.1, 0.5, 0.9)
"""Levels of the quantiles that a forecast shows."""
DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 8000
"""Where forecasts are served: to this machine alone."""
MAX_REQUEST_BYTES = 10_000_000
"""Most bytes of a request over HTTP."""
DEFAULT_FALSE_ALARM_RATE = 0.001
"""Share of ordinary rows that anomaly detection may flag."""
CHECKPOINT_INTERVAL_SECONDS = 30.0
"""Seconds between two checkpoints of an unfinished fit; not part of a run, whose result does not
depend on it."""
UTC_PREFIX = "UTC:"
"""Before a time zone: stamps that name none are UTC, and days are those of the zone."""
DEFAULT_TRIALS, DEFAULT_TUNING_WINDOWS, DEFAULT_UNSEEN_WINDOWS = 20, 3, 3
"""Of a search of settings: trials, past windows that each is scored on, and newest windows that are
held out of the search."""


@dataclass(frozen=True)
class WindowConfig:
    """The sliding window: context and horizon in steps, season in steps."""

    horizon: int | None = None
    """Steps to forecast, 1 or more. None: what is usual for the frequency, or one season where
    steps have no calendar."""
    context: int | None = None
    """Steps that the network looks back, 1 or more. None: two seasons and the horizon at least."""
    season: int | None = None
    """Steps of the main season, 1 or more; 1 is none. None: the one that the calendar proposes and
    the values show."""
    validation: int | None = None
    """Last steps of each series in the hold-out, which decides when to stop, what to choose and how
    to weigh and judge it, 1 or more. None: four horizons or a season, of a long series a tenth
    up to 24 horizons, and a quarter of a series at most (rolling origins: Tashman 2000)."""

    def __post_init__(self) -> None:
        require_kinds(self)
        require_at_least(self, 1, "horizon", "context", "season", "validation")


@dataclass(frozen=True)
class ModelConfig:
    """The network, and the scale on which it sees the series.

    docs/model.md shows each setting, and what it is worth.
    """

    cell: Cell = "lstm"
    """Memory cell: lstm (Hochreiter & Schmidhuber 1997), gru (Cho et al. 2014), or rnn, a plain
    tanh (Elman 1990)."""
    layers: int | None = None
    """Recurrent layers on top of each other (Graves 2013), 1 or more; from the third on with
    residual connections (He et al. 2016). None: as in the weights that training starts from, else
    2."""
    hidden: int | None = None
    """Width of each layer and of the decoder, 1 or more. None: as in the weights that training
    starts from, else 64."""
    bidirectional: bool = False
    """Read the context of each origin in both directions (Schuster & Paliwal 1997); nothing after
    the origin is seen."""
    attention: bool = False
    """Let each origin look back on all states of its context (Luong et al. 2015)."""
    layer_norm: bool = False
    """Normalise the outputs of each recurrent layer (Ba et al. 2016)."""
    dropout: float = 0.1
    """Share of units left out in training, 0 to below 1 (Srivastava et al. 2014)."""
    scale: Scale = "causal"
    """What errors are divided by: causal, the scale of the past of each step; standard, the
    deviation of each series' training part; robust, its interquartile range; minmax, its range;
    none, nothing."""
    transform: Transform = "auto"
    """log forecasts the logarithm of the series (Box & Cox 1964), auto does where a series was
    never negative."""

    def __post_init__(self) -> None:
        require_kinds(self)
        require_at_least(self, 1, "layers", "hidden")
        if not 0 <= self.dropout < 1:
            raise UsageError(
                f"--dropout {self.dropout} is out of range",
                "give a share from 0 up to, not including, 1",
            )


@dataclass(frozen=True)
class TrainConfig:
    """The training. `steps`, `lr` and `members` are chosen by validation where they are `None`."""

    start: str | None = None
    """Weights to start from: pretrained, scratch, or the path of a run. None: pretrained where they
    fit the network requested, else scratch."""
    loss: Loss = "quantile"
    """What is minimised: quantile (pinball: Koenker & Bassett 1978), mse, mae, huber (Huber 1964),
    or the negative log-likelihood of student-t (Lange et al. 1989), negative-binomial for counts
    (Salinas et al. 2020), or bernoulli for a target of 0 and 1, which is cross-entropy."""
    steps: int | None = None
    """Updates of the weights, 0 or more."""
    lr: float | None = None
    """Learning rate, above 0."""
    batch_size: int = 16
    """Chunks of series in an update, 1 or more."""
    origins: int = 16
    """Forecast origins drawn from each chunk, 1 or more."""
    optimizer: Optimizer = "adamw"
    """adamw (Loshchilov & Hutter 2019), adam (Kingma & Ba 2015), sgd with Nesterov's momentum
    (Sutskever et al. 2013), or rmsprop (Tieleman & Hinton 2012)."""
    schedule: LearningRateSchedule = "constant"
    """Learning rate after its warm-up: constant, cosine (Loshchilov & Hutter 2017) or onecycle
    (Smith & Topin 2019)."""
    weight_decay: float | None = None
    """Decay of the weights, 0 or more; decoupled from the gradient for adamw only. None: about 0.01
    for adamw, none for the others, where it is a part of the gradient and would outweigh the rest
    of it."""
    grad_clip: float = 1.0
    """Largest norm of a gradient, above 0 (Pascanu et al. 2013)."""
    patience: int = 3
    """Validations without progress before a stop, 1 or more (Prechelt 1998)."""
    time_budget: float | str | None = None
    """Time after which training stops with what it has, in seconds or as text: 60s, 5m, 1h. What it
    reaches depends on the machine, so the same seed may give another result."""
    members: int | None = None
    """Networks in the ensemble, 1 or more (Lakshminarayanan et al. 2017)."""
    seed: int = 0
    """Seed of all that is random, 0 or more."""
    jobs: int | None = None
    """Processes at work, 1 or more; any number gives the same result."""
    device: Device = "auto"
    """Where training runs: cpu, cuda (a GPU), mps (the GPU of an Apple computer), or auto, which is
    cuda where torch can use it and else cpu. Forecasts need none."""
    precision: Precision = "auto"
    """Of the matrix products of an LSTM while it trains; auto is bfloat16 where the processor has
    it (Micikevicius et al. 2018), and float32 on a GPU."""

    def __post_init__(self) -> None:
        require_kinds(self)
        require_at_least(self, 0, "steps", "seed", "weight_decay")
        require_at_least(
            self, 1, "batch_size", "origins", "patience", "members", "jobs"
        )
        if self.time_budget is not None:
            seconds = parse_duration(self.time_budget, "--time-budget")
            object.__setattr__(self, "time_budget", seconds)  # of a frozen class
        for name in ("lr", "grad_clip"):
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                raise UsageError(
                    f"{option_name(name)} {value} is out of range",
                    "give a number above 0",
                )


@dataclass(frozen=True, init=False)
class Config:
    """All settings of one fit, as sections: `Config(model=ModelConfig(cell="gru"))`.

    A setting may also be given by its own name: `Config(cell="gru", horizon=14)`. Raises
    ArgumentError for an unknown name and for a section of another kind, UsageError for a value out
    of range and for settings that contradict each other.
    """

    data: DataConfig = field(default_factory=DataConfig)
    window: WindowConfig = field(default_factory=WindowConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    inputs: InputConfig = field(default_factory=InputConfig)

    def __init__(
        self,
        data: DataConfig | None = None,
        window: WindowConfig | None = None,
        model: ModelConfig | None = None,
        train: TrainConfig | None = None,
        inputs: InputConfig | None = None,
        **settings: Any,
    ) -> None:
        given = (data, window, model, train, inputs)
        changes = group_settings(settings)
        for part, value in zip(dataclasses.fields(self), given, strict=True):
            kind = SECTIONS[part.name]
            section = kind() if value is None else value
            if not isinstance(section, kind):
                raise ArgumentError(
                    f"{part.name}={section!r} is no {kind.__name__}",
                    f"give {part.name}={kind.__name__}(...), or a setting by its own name:"
                    ' Config(cell="gru", horizon=14)',
                )
            if part.name in changes:
                section = dataclasses.replace(section, **changes[part.name])
            object.__setattr__(self, part.name, section)  # of a frozen class
        self.__post_init__()

    def __post_init__(self) -> None:
        # Settings that are right by themselves, but not together.
        train = self.train
        model = self.model
        if train.loss in UNTRANSFORMED_LOSSES and model.transform == "log":
            raise UsageError(
                f"--loss {train.loss} does not go with --transform log",
                "leave out --transform",
            )
        if train.device == "mps" and train.loss in UNTRANSFORMED_LOSSES:
            raise UsageError(
                f"--device mps does not go with --loss {train.loss}, which needs float64",
                "leave out --device",
            )
        if train.precision == "bfloat16" and model.cell != "lstm":
            raise UsageError(
                f"--precision bfloat16 does not go with --cell {model.cell}",
                "leave out --precision, or take lstm",
            )

    def to_dict(self) -> dict[str, Any]:
        """Plain nested dictionary that `from_dict` reads back."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Config":
        """Rebuild from `to_dict`'s form; raises UsageError for unknown keys, with a suggestion."""
        require_known_keys(data, SECTIONS, "section")
        # A section that is missing has its defaults.
        parsed = {
            name: _parse_section(SECTIONS[name], values)
            for name, values in data.items()
        }
        return cls(**parsed)


def _parse_section(section: type, values: Mapping[str, Any]) -> Any:
    known = [field.name for field in dataclasses.fields(section)]
    require_known_keys(values, known, "setting")
    # JSON and TOML have lists where settings have tuples.
    settings = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in values.items()
    }
    return section(**settings)


SECTIONS: dict[str, Any] = get_type_hints(Config)
"""Classes of the sections of a configuration, by name."""
SECTION_OF: dict[str, str] = {
    setting.name: name
    for name, section in SECTIONS.items()
    for setting in dataclasses.fields(section)
}
"""The section of each setting: no two settings have one name."""


def group_settings(settings: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Group settings by section, whether named `steps` or `train__steps`.

    Raises ArgumentError for an unknown name, and says which may have been meant.
    """
    groups: dict[str, dict[str, Any]] = {}
    for name, value in settings.items():
        section, mark, setting = name.partition("__")
        if not mark:
            section, setting = SECTION_OF.get(name, ""), name
        if SECTION_OF.get(setting, "") != section or not section:
            raise unknown_setting_error(name)
        if isinstance(value, list):
            value = tuple(value)
        groups.setdefault(section, {})[setting] = value
    return groups


def unknown_setting_error(name: str) -> ArgumentError:
    """The error for a name that is no setting, with the one that may have been meant."""
    meant = OTHER_NAMES.get(name)
    if meant is not None:
        hint = f"it is called {meant!r} here: {meant}=..."
    elif "__" in name:
        long_names = [
            f"{section}__{setting}" for setting, section in SECTION_OF.items()
        ]
        hint = suggest_similar(name, long_names)
    else:
        hint = suggest_similar(name, SECTION_OF)
    return ArgumentError(f"unknown setting {name!r}", hint)
