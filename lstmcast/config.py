"""Every setting of lstmcast, its default and its range, as frozen dataclasses.

The only home of defaults. Knows neither pandas nor torch nor terminals. `None` means "found from
the data".
"""

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args, get_origin, get_type_hints
from zoneinfo import ZoneInfo, available_timezones

from lstmcast.errors import UsageError, suggest_similar

Device = Literal["auto", "cpu", "cuda"]
Precision = Literal["auto", "float32", "bfloat16"]
Duplicates = Literal["error", "first", "last", "mean", "sum"]
Fill = Literal["none", "forward", "linear", "zero"]
Aggregate = Literal["mean", "sum", "min", "max", "median", "first", "last", "count"]
AGGREGATES: tuple[str, ...] = get_args(Aggregate)
BadRows = Literal["error", "skip"]
Cell = Literal["lstm", "gru", "rnn"]
Loss = Literal["quantile", "mse", "mae", "huber", "student-t", "negative-binomial", "bernoulli"]
UNTRANSFORMED_LOSSES = ("negative-binomial", "bernoulli")
"""Losses of the target's own numbers, which no transform may change."""
QUANTILE_SOURCES: dict[Loss, Literal["own", "residuals", "likelihood", "none"]] = {
    "quantile": "own",
    "mse": "residuals",
    "mae": "residuals",
    "huber": "residuals",
    "student-t": "likelihood",
    "negative-binomial": "likelihood",
    "bernoulli": "none",
}
"""Where the quantiles of a network with this loss come from: its own outputs, errors that must be
measured, the distribution that it puts out, or nowhere, where the target is 0 or 1."""
Backend = Literal["loky", "threading", "dask", "ray"]
Optimizer = Literal["adamw", "adam", "sgd", "rmsprop"]
LearningRateSchedule = Literal["constant", "cosine", "onecycle"]
Scale = Literal["causal", "standard", "robust", "minmax", "none"]
Transform = Literal["auto", "log", "none"]
NETWORK_QUANTILES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
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
            raise UsageError(
                "no target column given", "name the column to forecast with --target COL"
            )
        seen: dict[str, str] = {}
        for role in ("target", "time", "series", "past", "future", "static"):
            for name in getattr(self, role):
                if name in seen and (seen[name], role) != (
                    "series",
                    "static",
                ):  # a part of the key says something, too
                    raise UsageError(
                        f"column {name!r} is given both as --{seen[name]} and as --{role}",
                        "give each column one role",
                    )
                seen[name] = role


@dataclass(frozen=True)
class DataConfig:
    """How the input is understood; each `None` is found out and reported.

    header: whether the first line of a text file holds names. thousands: what stands between
    thousands in its numbers.
    bad_rows: what to do about rows of another width. max_bytes: most bytes that a file may unpack
    to; `None` is as many as the memory that is free can take.
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
        _require_choices(self)
        _require_at_least(self, 1, "max_bytes")
        self._require_separators()
        if self.tz is not None:
            _require_time_zone(self.tz)
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

    def _require_separators(self) -> None:
        for name, marks in (("delimiter", ""), ("decimal", ".,"), ("thousands", ".,' _")):
            value = getattr(self, name)
            if value is not None and (
                len(value) != 1 or value in '\r\n"' or value not in (marks or value)
            ):
                shown = " ".join(repr(mark) for mark in marks) or "one character, such as ';'"
                raise UsageError(f"--{name} {value!r} cannot be used", f"give {shown}")
        if self.thousands is not None and self.thousands == self.decimal:
            raise UsageError(
                f"--thousands and --decimal are both {self.decimal!r}", "give each mark one meaning"
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
    far as they tell the steps apart: for cycles longer than the season, such as the year of daily
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
"""Share of ordinary rows that a search for anomalies may flag."""
CHECKPOINT_INTERVAL_SECONDS = 30.0
"""Seconds between two states that an unfinished fit keeps: no part of a run, since it makes no
difference to it."""


DEFAULT_TRIALS, DEFAULT_TUNING_WINDOWS, DEFAULT_UNSEEN_WINDOWS = 20, 3, 3
"""Of a search of settings: trials, past windows that each learns at, newest windows that the search
does not see."""


@dataclass(frozen=True)
class WindowConfig:
    """The sliding window: context and horizon in steps, season in steps."""

    horizon: int | None = None
    """Steps to forecast, 1 or more. None: the frequency's usual one, or one season where steps have
    no calendar."""
    context: int | None = None
    """Steps that the network looks back, 1 or more. None: two seasons and the horizon at least."""
    season: int | None = None
    """Steps of the main season, 1 or more; 1 is none. None: as the calendar proposes and the values
    show."""
    validation: int | None = None
    """Last steps of each series that are held back to stop by, choose, weigh and judge, 1 or more.
    None: four horizons or a season, a quarter of a series at most (rolling origins: Tashman
    2000)."""

    def __post_init__(self) -> None:
        _require_at_least(self, 1, "horizon", "context", "season", "validation")


@dataclass(frozen=True)
class ModelConfig:
    """The network, and the scale on which it sees the series. docs/model.md shows each with what it is worth."""

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
    """Read the context of each origin both ways (Schuster & Paliwal 1997); nothing after the origin
    is seen."""
    attention: bool = False
    """Let each origin look back on all states of its context (Luong et al. 2015)."""
    layer_norm: bool = False
    """Normalise what each recurrent layer puts out (Ba et al. 2016)."""
    dropout: float = 0.1
    """Share of units left out in training, 0 to below 1 (Srivastava et al. 2014)."""
    scale: Scale = "causal"
    """What errors are divided by: causal, by what the past of each step knows; standard, by the
    deviation of each series' training part; robust, by its interquartile range; minmax, by its
    range; none, by nothing."""
    transform: Transform = "auto"
    """log forecasts the logarithm of the series (Box & Cox 1964), auto does where a series was
    never negative."""

    def __post_init__(self) -> None:
        _require_choices(self)
        _require_at_least(self, 1, "layers", "hidden")
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
    fit the network that is asked for, else scratch."""
    loss: Loss = "quantile"
    """What is minimised: quantile (pinball: Koenker & Bassett 1978), mse, mae, huber (Huber 1964), or the negative
    log-likelihood of student-t (Lange et al. 1989), negative-binomial for counts (Salinas et al.
    2020), or bernoulli for a target of 0 and 1, which is cross-entropy."""
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
    for adamw, none for the others, where it is a part of the gradient and would drown the rest of
    it."""
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
    """Where training runs: cpu, cuda (a GPU), or auto, a GPU where torch can use one. Forecasts
    need none."""
    precision: Precision = "auto"
    """Of the matrix products of an LSTM while it trains; auto is bfloat16 where the processor has
    it (Micikevicius et al. 2018), and float32 on a GPU."""

    def __post_init__(self) -> None:
        _require_choices(self)
        _require_at_least(self, 0, "steps", "seed", "weight_decay")
        _require_at_least(self, 1, "batch_size", "origins", "patience", "members", "jobs")
        if self.time_budget is not None:
            object.__setattr__(
                self, "time_budget", parse_duration(self.time_budget, "--time-budget")
            )
        for name in ("lr", "grad_clip"):
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                raise UsageError(
                    f"--{name.replace('_', '-')} {value} is out of range", "give a number above 0"
                )


@dataclass(frozen=True)
class Config:
    """All settings of one fit."""

    data: DataConfig = field(default_factory=DataConfig)
    window: WindowConfig = field(default_factory=WindowConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    inputs: InputConfig = field(default_factory=InputConfig)

    def __post_init__(self) -> None:
        if self.train.loss in UNTRANSFORMED_LOSSES and self.model.transform == "log":
            raise UsageError(
                f"--loss {self.train.loss} does not go with --transform log",
                "leave out --transform",
            )
        if self.train.precision == "bfloat16" and self.model.cell != "lstm":
            raise UsageError(
                f"--precision bfloat16 does not go with --cell {self.model.cell}",
                "leave out --precision, or take lstm",
            )

    def to_dict(self) -> dict[str, Any]:
        """Plain nested dictionary that `from_dict` reads back."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Config":
        """Rebuild from `to_dict`'s form; raises UsageError for unknown keys, with a suggestion."""
        sections = get_type_hints(cls)
        _require_known_keys(data, sections, "section")
        return cls(
            **{name: _parse_section(sections[name], values) for name, values in data.items()}
        )


def _parse_section(kind: type, values: Mapping[str, Any]) -> Any:
    _require_known_keys(values, [f.name for f in dataclasses.fields(kind)], "setting")
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})


def _require_known_keys(data: Mapping[str, Any], known: Any, what: str) -> None:
    for key in data:
        if key not in known:
            raise UsageError(f"unknown {what} {key!r}", suggest_similar(key, known))


def _require_time_zone(name: str) -> None:
    """Raise UsageError for what is no time zone: neither a name like Europe/Berlin nor an offset like +01:00."""
    if re.fullmatch(r"[+-]\d\d:\d\d", name):
        return
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, or no possible name
        raise UsageError(
            f"time zone {name!r} is not known", suggest_similar(name, available_timezones())
        ) from None


def parse_duration(duration: float | str, name: str) -> float:
    """A duration as seconds, above 0: a number, or text like 90s, 5m, 1.5h; raises UsageError for anything else."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*([smh]?)\s*", str(duration))
    value = float(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[found[2]] if found else 0.0
    if not 0 < value < float("inf"):
        raise UsageError(
            f"{name} {str(duration)!r} is no duration",
            "give one above 0, for example 60s, 5m or 1h",
        )
    return value


def parse_quantile_levels(text: str, name: str = "quantiles") -> tuple[float, ...]:
    """Quantile levels, ascending, from text like 0.1,0.5; raises UsageError for what is not between 0 and 1."""
    try:
        levels = tuple(sorted({float(part) for part in text.split(",")}))
    except ValueError:
        levels = ()
    if not levels or not all(0 < level < 1 for level in levels):
        raise UsageError(
            f"{name} {text!r} is out of range",
            "give levels between 0 and 1, for example 0.1,0.5,0.9",
        )
    return levels


def _require_choices(config: Any) -> None:
    """Refuse a value that is not among those of its field's Literal type."""
    for name, kind in get_type_hints(type(config)).items():
        value, known = getattr(config, name), get_args(kind)
        if get_origin(kind) is Literal and value not in known:
            raise UsageError(
                f"--{name.replace('_', '-')} {str(value)!r} is unknown",
                suggest_similar(str(value), known),
            )


def _require_at_least(config: Any, low: float, *names: str) -> None:
    for name in names:
        value = getattr(config, name)
        if value is not None and not value >= low:
            raise UsageError(
                f"--{name.replace('_', '-')} {value} is out of range", f"give {low} or more"
            )
