"""The options that commands share, each declared once, and the configuration that they make.

A command takes whole groups as parameters; `grouped` spreads their fields out as options of their own. Ranges and
defaults are those of `config`, which also checks them.
"""

import dataclasses
import inspect
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Annotated, Any, TypeVar, get_args, get_type_hints

from typer import Argument, Context, Exit, Option, echo

from lstmcast.cli.settings import load
from lstmcast.config import (
    BadRows,
    Cell,
    Columns,
    Config,
    DataConfig,
    Decay,
    Device,
    Duplicates,
    Fill,
    InputConfig,
    Loss,
    ModelConfig,
    Optimizer,
    Precision,
    Scale,
    TrainConfig,
    Transform,
    WindowConfig,
)
from lstmcast.errors import UsageError

COLUMNS, READING, WINDOW, MODEL = "Columns", "Reading", "Window", "Network"
TRAINING, OUTPUT, SHOWING = "Training", "Output", "General"
FOUND = "found from the data"
TUNED = "chosen by validation"
FITS = "pretrained, where it fits"
SAME = "as in the weights it starts from"
NONE = "none"
FREE = "what fits in memory"


def help_on_terminal(context: Context, value: str | None) -> str | None:
    """With `-` and a terminal on stdin nobody would know that the program waits for data: show the help instead."""
    if value == "-" and sys.stdin is not None and sys.stdin.isatty() and not context.resilient_parsing:
        echo(context.get_help(), err=True)
        raise Exit(2)
    return value


def _option(panel: str, metavar: str, what: str, default: str | bool, *names: str) -> Any:
    return Option(*names, metavar=metavar, help=what, show_default=default, rich_help_panel=panel)


def _switch(panel: str, what: str, name: str) -> Any:
    return Option(f"--{name}/--no-{name}", help=what, rich_help_panel=panel)


def _one_of(choices: Any) -> str:
    """The values of a Literal type as text: "a, b or c"."""
    *others, last = get_args(choices)
    return f"{', '.join(others)} or {last}"


def _flag(what: str, *names: str) -> Any:
    return Option(*names, help=what, rich_help_panel=SHOWING)


_SETTINGS = Option(
    "--config",
    metavar="FILE",
    help="Settings: a TOML file, or a run whose settings to take.",
    show_default="./lstmcast.toml, then your own",
    rich_help_panel=SHOWING,
    is_eager=True,
    callback=load,
)
DATA_FILE = "CSV, TSV, Parquet or Arrow file (also .gz, .zst), a folder or glob of Parquet, or - for stdin."
_RULE = 'Exit 7 if a metric is so, for example "mase>1"; any of > >= < <=; repeatable.'
_PLACE = "Write to this file; its extension is the format: .csv .tsv .json .jsonl .parquet."
_PICTURE = "Draw a picture too: .png, .svg or .pdf (needs lstmcast[plot])."
_FORMS = "csv, tsv, json, jsonl, parquet or table."
_DATES = "Form of the times: like %d/%m/%Y, or what numbers count: s, ms, us, ns, excel, years."
_ZONE = "Zone of times that name none, and to count days in: like Europe/Berlin, UTC or +01:00."
_GAPS = "Missing values of the target: none (left, and the network sees it), forward, linear or zero."
_GATHER = "Gather rows into steps, as D:sum; mean, sum, min, max, median, first, last or count."
_HEADER = "Whether the first line of a text file holds the names of the columns."
_BAD_ROWS = "What to make of rows of another width: error, or skip."
_PRECISION = "Of products in training: float32, bfloat16, or auto (the latter where it is fast)."
_POLICY = "What to make of two rows of one time: error, first, last, mean or sum."

Data = Annotated[str, Argument(metavar="DATA", help=DATA_FILE, callback=help_on_terminal)]
OptionalData = Annotated[
    str | None,
    Argument(metavar="DATA", help=DATA_FILE, show_default="the end of the training data", callback=help_on_terminal),
]
RunPath = Annotated[str, Argument(metavar="RUN", help="Run directory, as printed by `lstmcast fit`.")]
FailIf = Annotated[list[str] | None, _option(OUTPUT, "RULE", _RULE, NONE)]
Windows = Annotated[int | None, _option(WINDOW, "N", "Forecast origins, 1 or more.", "as many as fit")]
Step = Annotated[int | None, _option(WINDOW, "STEPS", "Steps between origins, 1 or more.", "the horizon")]
Horizon = Annotated[int | None, _option(WINDOW, "STEPS", "Steps to forecast, 1 or more.", FOUND)]
Jobs = Annotated[int | None, _option(TRAINING, "N", "Processes at work, 1 or more.", "as pays", "--jobs", "-j")]
OutFile = Annotated[str | None, _option(OUTPUT, "FILE", _PLACE, "stdout", "--output", "-o")]
_SAFE = "Write an apostrophe before texts that a spreadsheet would take for a formula."
SkipRows = Annotated[BadRows | None, _option(READING, "POLICY", _BAD_ROWS, "as for the training")]
ExcelSafe = Annotated[bool, Option("--excel-safe", help=_SAFE, rich_help_panel=OUTPUT)]
Format = Annotated[str | None, _option(OUTPUT, "FORMAT", _FORMS, "a table on a terminal, else csv")]

Plot = Annotated[str | None, _option(OUTPUT, "FILE", _PICTURE, NONE)]

_Names = list[str] | None
_Text = str | None
_Whole = int | None


@dataclass(frozen=True)
class ColumnOptions:
    """Names and roles of columns."""

    target: Annotated[_Names, _option(COLUMNS, "COL", "Column to forecast; repeatable, each as a series.", NONE)] = None
    time: Annotated[
        _Names, _option(COLUMNS, "COL", "Column of times; year,month,day where split; none: in order.", FOUND)
    ] = None
    series: Annotated[_Names, _option(COLUMNS, "COL", "Column that names the series of a panel; repeatable.", NONE)] = (
        None
    )
    past: Annotated[_Names, _option(COLUMNS, "COL", "Covariate known up to now; repeatable.", NONE)] = None
    future: Annotated[_Names, _option(COLUMNS, "COL", "Covariate known ahead, as holidays are; repeatable.", NONE)] = (
        None
    )
    static: Annotated[_Names, _option(COLUMNS, "COL", "Covariate with one value a series; repeatable.", NONE)] = None

    def columns(self) -> Columns:
        """Columns by role; raises UsageError without a target."""
        return Columns(**{"target": ()} | self.given())

    def given(self) -> dict[str, tuple[str, ...]]:
        """The roles that were given, with their columns."""
        given = {name: tuple(names) for name, names in vars(self).items() if names}
        if len(given.get("time", ())) == 1:
            given["time"] = tuple(name.strip() for name in given["time"][0].split(","))
        return given


@dataclass(frozen=True)
class InputOptions:
    """What the network reads besides the columns."""

    calendar: Annotated[
        bool,
        Option("--calendar", help="Hour, day and month are known ahead, where they matter.", rich_help_panel=COLUMNS),
    ] = False
    holidays: Annotated[
        _Text, _option(COLUMNS, "COUNTRY", "Holidays of a country, known ahead: DE, or DE-BY for a part of it.", NONE)
    ] = None
    joint: Annotated[
        bool,
        Option("--joint", help="Forecast several targets from one another's past, too.", rich_help_panel=COLUMNS),
    ] = False

    def config(self) -> InputConfig:
        """The same as configuration."""
        return InputConfig(**vars(self))


@dataclass(frozen=True)
class DataOptions:
    """How the file is understood."""

    freq: Annotated[
        _Text, _option(READING, "FREQ", "Step of time: h, D, B, W-SUN, MS, ME, QS, YS, 30min...", FOUND)
    ] = None
    tz: Annotated[_Text, _option(READING, "ZONE", _ZONE, "as in the data")] = None
    date_format: Annotated[_Text, _option(READING, "FORMAT", _DATES, FOUND)] = None
    delimiter: Annotated[
        _Text, _option(READING, "CHAR", "What separates the columns of a text file; tab for a tab.", FOUND)
    ] = None
    decimal: Annotated[_Text, _option(READING, "CHAR", "Decimal mark of a text file: . or ,", FOUND)] = None
    thousands: Annotated[
        _Text, _option(READING, "CHAR", "Separator of thousands in a text file: , . ' or blank.", NONE)
    ] = None
    encoding: Annotated[_Text, _option(READING, "NAME", "Encoding of a text file, for example latin-1.", "utf-8")] = (
        None
    )
    na: Annotated[_Names, _option(READING, "TEXT", "Means missing, as empty, NA and null do; repeatable.", NONE)] = None
    header: Annotated[bool | None, _option(READING, "", _HEADER, FOUND, "--header/--no-header")] = None
    bad_rows: Annotated[BadRows, _option(READING, "POLICY", _BAD_ROWS, True)] = DataConfig.bad_rows
    max_bytes: Annotated[_Text, _option(READING, "SIZE", "Most that a file may unpack to, as 16GB.", FREE)] = None
    duplicates: Annotated[Duplicates, _option(READING, "POLICY", _POLICY, True)] = DataConfig.duplicates
    fill: Annotated[Fill, _option(READING, "POLICY", _GAPS, True)] = DataConfig.fill
    resample: Annotated[_Text, _option(READING, "RULE:HOW", _GATHER, "rows as they are; mean")] = None

    def config(self) -> DataConfig:
        """The same as configuration."""
        given = {**vars(self), "na": tuple(dict.fromkeys((*DataConfig.na, *(self.na or ()))))}
        mark = "\t" if self.delimiter in ("tab", "\\t") else self.delimiter
        return DataConfig(**{**given, "delimiter": mark, "max_bytes": size(self.max_bytes)})


def size(text: str | None, name: str = "--max-bytes") -> int | None:
    """Bytes of a size like 500MB; raises UsageError."""
    if text is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?([kMGT]?)i?B?", text.strip(), re.IGNORECASE)
    if not found:
        raise UsageError(f"{name} {text!r} is no size", "give bytes, or a size like 500MB or 16GB")
    return int(float(found[1]) * 1000 ** "kmgt".find(found[2].lower()) * 1000) if found[2] else int(float(found[1]))


@dataclass(frozen=True)
class WindowOptions:
    """The sliding window."""

    horizon: Horizon = None
    season: Annotated[_Whole, _option(WINDOW, "STEPS", "Main season, 1 or more; 1 is none.", FOUND)] = None
    context: Annotated[_Whole, _option(WINDOW, "STEPS", "Steps the network looks back, 1 or more.", FOUND)] = None
    validation: Annotated[_Whole, _option(WINDOW, "STEPS", "Last steps, kept for validation, 1 or more.", FOUND)] = None

    def config(self) -> WindowConfig:
        """The same as configuration."""
        return WindowConfig(**vars(self))


@dataclass(frozen=True)
class ModelOptions:
    """The network."""

    cell: Annotated[Cell, _option(MODEL, "CELL", f"Memory cell: {_one_of(Cell)}.", True)] = ModelConfig.cell
    layers: Annotated[_Whole, _option(MODEL, "N", "Recurrent layers, 1 or more.", SAME)] = None
    hidden: Annotated[_Whole, _option(MODEL, "N", "Width of a layer, 1 or more.", SAME)] = None
    bidirectional: Annotated[bool, _switch(MODEL, "Read each origin's context both ways.", "bidirectional")] = (
        ModelConfig.bidirectional
    )
    attention: Annotated[bool, _switch(MODEL, "Let each origin look back on its context.", "attention")] = (
        ModelConfig.attention
    )
    layer_norm: Annotated[bool, _switch(MODEL, "Normalise what each layer puts out.", "layer-norm")] = (
        ModelConfig.layer_norm
    )
    dropout: Annotated[float, _option(MODEL, "SHARE", "Units left out in training, 0 to below 1.", True)] = (
        ModelConfig.dropout
    )
    scale: Annotated[Scale, _option(MODEL, "SCALE", f"Scale of a series: {_one_of(Scale)}.", True)] = ModelConfig.scale
    transform: Annotated[Transform, _option(MODEL, "HOW", f"Transform of a series: {_one_of(Transform)}.", True)] = (
        ModelConfig.transform
    )

    def config(self) -> ModelConfig:
        """The same as configuration."""
        return ModelConfig(**vars(self))


@dataclass(frozen=True)
class TrainOptions:
    """The training."""

    start: Annotated[
        _Text, _option(TRAINING, "WEIGHTS", "Start from: pretrained, scratch or a run.", FITS, "--from")
    ] = TrainConfig.start
    loss: Annotated[Loss, _option(TRAINING, "LOSS", f"What is minimised: {_one_of(Loss)}.", True)] = TrainConfig.loss
    steps: Annotated[_Whole, _option(TRAINING, "N", "Training steps, 0 or more.", TUNED)] = None
    lr: Annotated[float | None, _option(TRAINING, "RATE", "Learning rate, above 0.", TUNED)] = None
    batch_size: Annotated[int, _option(TRAINING, "N", "Chunks in a batch, 1 or more.", True)] = TrainConfig.batch_size
    optimizer: Annotated[Optimizer, _option(TRAINING, "NAME", f"{_one_of(Optimizer)}.", True)] = TrainConfig.optimizer
    schedule: Annotated[
        Decay, _option(TRAINING, "NAME", f"Learning rate after the warm-up: {_one_of(Decay)}.", True)
    ] = TrainConfig.schedule
    patience: Annotated[int, _option(TRAINING, "N", "Validations without progress before a stop, 1 or more.", True)] = (
        TrainConfig.patience
    )
    weight_decay: Annotated[
        float | None, _option(TRAINING, "RATE", "Decay of the weights, 0 or more.", "0.01, of adamw alone")
    ] = None
    grad_clip: Annotated[float, _option(TRAINING, "NORM", "Largest norm of a gradient, above 0.", True)] = (
        TrainConfig.grad_clip
    )
    time_budget: Annotated[_Text, _option(TRAINING, "TIME", "Stop training after so long: 60s, 5m, 1h.", NONE)] = None
    members: Annotated[_Whole, _option(TRAINING, "N", "Networks in the ensemble, 1 or more.", TUNED)] = None
    device: Annotated[Device, _option(TRAINING, "DEVICE", f"Where to train: {_one_of(Device)}.", True)] = (
        TrainConfig.device
    )
    precision: Annotated[Precision, _option(TRAINING, "FORMAT", _PRECISION, True)] = TrainConfig.precision
    seed: Annotated[int, _option(TRAINING, "N", "Seed of all that is random, 0 or more.", True)] = TrainConfig.seed
    jobs: Jobs = None

    def config(self) -> TrainConfig:
        """The same as configuration."""
        return TrainConfig(**vars(self))


@dataclass(frozen=True)
class ShowOptions:
    """What is said beside the result, all of it on stderr."""

    quiet: Annotated[bool, _flag("Say nothing on success.", "--quiet", "-q")] = False
    verbose: Annotated[bool, _flag("Say more.", "--verbose", "-v")] = False
    json: Annotated[bool, _flag("One JSON object on stdout; an error as JSON on stderr.", "--json")] = False
    no_color: Annotated[bool, _flag("No colours.", "--no-color")] = False
    debug: Annotated[bool, _flag("Show the traceback of an error.", "--debug")] = False
    config: Annotated[str | None, _SETTINGS] = None

    def __post_init__(self) -> None:
        if self.quiet and self.verbose:
            raise UsageError("--quiet and --verbose contradict each other", "give one of them")


def configuration(
    data: DataOptions,
    window: WindowOptions,
    model: ModelOptions,
    train: TrainOptions,
    inputs: InputOptions = InputOptions(),  # noqa: B008 - frozen
) -> Config:
    """All settings of one fit."""
    return Config(data.config(), window.config(), model.config(), train.config(), inputs.config())


_R = TypeVar("_R")


def grouped(command: Callable[..., _R]) -> Callable[..., _R]:
    """Let a command have groups of options as parameters: each field of a group becomes an option of the command."""
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {name: hint for name, hint in hints.items() if dataclasses.is_dataclass(hint)}
    parameters = [
        flat
        for name, parameter in inspect.signature(command).parameters.items()
        for flat in (_fields(groups[name]) if name in groups else [parameter.replace(annotation=hints[name])])
    ]

    @wraps(command)
    def call(**values: Any) -> _R:
        for name, group in groups.items():
            values[name] = group(**{field.name: values.pop(field.name) for field in dataclasses.fields(group)})
        return command(**values)

    flat_parameters = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in parameters]
    vars(call)["__signature__"] = inspect.Signature(flat_parameters)
    call.__annotations__ = {one.name: one.annotation for one in parameters}
    return call


def _fields(group: Any) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    kind = inspect.Parameter.KEYWORD_ONLY
    return [
        inspect.Parameter(field.name, kind, default=field.default, annotation=hints[field.name])
        for field in dataclasses.fields(group)
    ]
