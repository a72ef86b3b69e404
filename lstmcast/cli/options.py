"""The options that commands share, each declared once, and the configuration that they make.

A command takes whole groups as parameters; `grouped` spreads their fields out as options of their
own. Ranges and defaults are those of `config`, which also checks them.
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

from lstmcast.cli.settings import load_settings
from lstmcast.config import (
    BadRows,
    Cell,
    Columns,
    Config,
    DataConfig,
    Device,
    Duplicates,
    Fill,
    InputConfig,
    LearningRateSchedule,
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
DEFAULT_INFERRED = "found from the data"
DEFAULT_TUNED = "chosen by validation"
DEFAULT_PRETRAINED = "pretrained, where it fits"
DEFAULT_SAME_AS_START = "as in the weights it starts from"
DEFAULT_NONE = "none"
DEFAULT_FITS_MEMORY = "what fits in memory"


def help_on_terminal(context: Context, value: str | None) -> str | None:
    """With `-` and a terminal on stdin nobody would know that the program waits for data: show the help instead."""
    if (
        value == "-"
        and sys.stdin is not None
        and sys.stdin.isatty()
        and not context.resilient_parsing
    ):
        echo(context.get_help(), err=True)
        raise Exit(2)
    return value


def _make_option(panel: str, metavar: str, what: str, default: str | bool, *names: str) -> Any:
    return Option(*names, metavar=metavar, help=what, show_default=default, rich_help_panel=panel)


def _make_switch(panel: str, what: str, name: str) -> Any:
    return Option(f"--{name}/--no-{name}", help=what, rich_help_panel=panel)


def _list_choices(choices: Any) -> str:
    """The values of a Literal type as text: "a, b or c"."""
    *others, last = get_args(choices)
    return f"{', '.join(others)} or {last}"


def _make_flag(what: str, *names: str) -> Any:
    return Option(*names, help=what, rich_help_panel=SHOWING)


_CONFIG_OPTION = Option(
    "--config",
    metavar="FILE",
    help="Settings: a TOML file, or a run whose settings to take.",
    show_default="./lstmcast.toml, then your own",
    rich_help_panel=SHOWING,
    is_eager=True,
    callback=load_settings,
)
DATA_HELP = (
    "CSV, TSV, Parquet or Arrow file (also .gz, .zst), a folder or glob of Parquet, or - for stdin."
)
_FAIL_IF_HELP = 'Exit 7 if a metric is so, for example "mase>1"; any of > >= < <=; repeatable.'
_OUTPUT_HELP = "Write to this file; its extension is the format: .csv .tsv .json .jsonl .parquet."
_PLOT_HELP = "Draw a picture too: .png, .svg or .pdf (needs lstmcast[plot])."
_FORMAT_HELP = "csv, tsv, json, jsonl, parquet or table."
_DATE_FORMAT_HELP = (
    "Form of the times: like %d/%m/%Y, or what numbers count: s, ms, us, ns, excel, years."
)
_TZ_HELP = "Zone of times that name none, and to count days in: like Europe/Berlin, UTC or +01:00."
_FILL_HELP = (
    "Missing values of the target: none (left, and the network sees it), forward, linear or zero."
)
_RESAMPLE_HELP = (
    "Gather rows into steps, as D:sum; mean, sum, min, max, median, first, last or count."
)
_HEADER_HELP = "Whether the first line of a text file holds the names of the columns."
_BAD_ROWS_HELP = "What to make of rows of another width: error, or skip."
_PRECISION_HELP = (
    "Of products in training: float32, bfloat16, or auto (the latter where it is fast)."
)
_DUPLICATES_HELP = "What to make of two rows of one time: error, first, last, mean or sum."

Data = Annotated[str, Argument(metavar="DATA", help=DATA_HELP, callback=help_on_terminal)]
OptionalData = Annotated[
    str | None,
    Argument(
        metavar="DATA",
        help=DATA_HELP,
        show_default="the end of the training data",
        callback=help_on_terminal,
    ),
]
RunPath = Annotated[
    str, Argument(metavar="RUN", help="Run directory, as printed by `lstmcast fit`.")
]
FailIf = Annotated[list[str] | None, _make_option(OUTPUT, "RULE", _FAIL_IF_HELP, DEFAULT_NONE)]
Windows = Annotated[
    int | None, _make_option(WINDOW, "N", "Forecast origins, 1 or more.", "as many as fit")
]
Step = Annotated[
    int | None, _make_option(WINDOW, "STEPS", "Steps between origins, 1 or more.", "the horizon")
]
Horizon = Annotated[
    int | None, _make_option(WINDOW, "STEPS", "Steps to forecast, 1 or more.", DEFAULT_INFERRED)
]
Jobs = Annotated[
    int | None,
    _make_option(TRAINING, "N", "Processes at work, 1 or more.", "as pays", "--jobs", "-j"),
]
OutFile = Annotated[
    str | None, _make_option(OUTPUT, "FILE", _OUTPUT_HELP, "stdout", "--output", "-o")
]
_EXCEL_SAFE_HELP = "Write an apostrophe before texts that a spreadsheet would take for a formula."
SkipRows = Annotated[
    BadRows | None, _make_option(READING, "POLICY", _BAD_ROWS_HELP, "as for the training")
]
ExcelSafe = Annotated[bool, Option("--excel-safe", help=_EXCEL_SAFE_HELP, rich_help_panel=OUTPUT)]
Format = Annotated[
    str | None, _make_option(OUTPUT, "FORMAT", _FORMAT_HELP, "a table on a terminal, else csv")
]

Plot = Annotated[str | None, _make_option(OUTPUT, "FILE", _PLOT_HELP, DEFAULT_NONE)]

_Names = list[str] | None
_Text = str | None
_Whole = int | None


@dataclass(frozen=True)
class ColumnOptions:
    """Names and roles of columns."""

    target: Annotated[
        _Names,
        _make_option(
            COLUMNS, "COL", "Column to forecast; repeatable, each as a series.", DEFAULT_NONE
        ),
    ] = None
    time: Annotated[
        _Names,
        _make_option(
            COLUMNS,
            "COL",
            "Column of times; year,month,day where split; none: in order.",
            DEFAULT_INFERRED,
        ),
    ] = None
    series: Annotated[
        _Names,
        _make_option(
            COLUMNS, "COL", "Column that names the series of a panel; repeatable.", DEFAULT_NONE
        ),
    ] = None
    past: Annotated[
        _Names, _make_option(COLUMNS, "COL", "Covariate known up to now; repeatable.", DEFAULT_NONE)
    ] = None
    future: Annotated[
        _Names,
        _make_option(
            COLUMNS, "COL", "Covariate known ahead, as holidays are; repeatable.", DEFAULT_NONE
        ),
    ] = None
    static: Annotated[
        _Names,
        _make_option(
            COLUMNS, "COL", "Covariate with one value a series; repeatable.", DEFAULT_NONE
        ),
    ] = None

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
        Option(
            "--calendar",
            help="Hour, day and month are known ahead, where they matter.",
            rich_help_panel=COLUMNS,
        ),
    ] = False
    holidays: Annotated[
        _Text,
        _make_option(
            COLUMNS,
            "COUNTRY",
            "Holidays of a country, known ahead: DE, or DE-BY for a part of it.",
            DEFAULT_NONE,
        ),
    ] = None
    joint: Annotated[
        bool,
        Option(
            "--joint",
            help="Forecast several targets from one another's past, too.",
            rich_help_panel=COLUMNS,
        ),
    ] = False

    def config(self) -> InputConfig:
        """The same as configuration."""
        return InputConfig(**vars(self))


@dataclass(frozen=True)
class DataOptions:
    """How the file is understood."""

    freq: Annotated[
        _Text,
        _make_option(
            READING,
            "FREQ",
            "Step of time: h, D, B, W-SUN, MS, ME, QS, YS, 30min...",
            DEFAULT_INFERRED,
        ),
    ] = None
    tz: Annotated[_Text, _make_option(READING, "ZONE", _TZ_HELP, "as in the data")] = None
    date_format: Annotated[
        _Text, _make_option(READING, "FORMAT", _DATE_FORMAT_HELP, DEFAULT_INFERRED)
    ] = None
    delimiter: Annotated[
        _Text,
        _make_option(
            READING,
            "CHAR",
            "What separates the columns of a text file; tab for a tab.",
            DEFAULT_INFERRED,
        ),
    ] = None
    decimal: Annotated[
        _Text,
        _make_option(READING, "CHAR", "Decimal mark of a text file: . or ,", DEFAULT_INFERRED),
    ] = None
    thousands: Annotated[
        _Text,
        _make_option(
            READING, "CHAR", "Separator of thousands in a text file: , . ' or blank.", DEFAULT_NONE
        ),
    ] = None
    encoding: Annotated[
        _Text,
        _make_option(READING, "NAME", "Encoding of a text file, for example latin-1.", "utf-8"),
    ] = None
    na: Annotated[
        _Names,
        _make_option(
            READING, "TEXT", "Means missing, as empty, NA and null do; repeatable.", DEFAULT_NONE
        ),
    ] = None
    header: Annotated[
        bool | None,
        _make_option(READING, "", _HEADER_HELP, DEFAULT_INFERRED, "--header/--no-header"),
    ] = None
    bad_rows: Annotated[BadRows, _make_option(READING, "POLICY", _BAD_ROWS_HELP, True)] = (
        DataConfig.bad_rows
    )
    max_bytes: Annotated[
        _Text,
        _make_option(
            READING, "SIZE", "Most that a file may unpack to, as 16GB.", DEFAULT_FITS_MEMORY
        ),
    ] = None
    duplicates: Annotated[Duplicates, _make_option(READING, "POLICY", _DUPLICATES_HELP, True)] = (
        DataConfig.duplicates
    )
    fill: Annotated[Fill, _make_option(READING, "POLICY", _FILL_HELP, True)] = DataConfig.fill
    resample: Annotated[
        _Text, _make_option(READING, "RULE:HOW", _RESAMPLE_HELP, "rows as they are; mean")
    ] = None

    def config(self) -> DataConfig:
        """The same as configuration."""
        given = {**vars(self), "na": tuple(dict.fromkeys((*DataConfig.na, *(self.na or ()))))}
        mark = "\t" if self.delimiter in ("tab", "\\t") else self.delimiter
        return DataConfig(**{**given, "delimiter": mark, "max_bytes": parse_size(self.max_bytes)})


def parse_size(text: str | None, name: str = "--max-bytes") -> int | None:
    """Bytes of a size like 500MB; raises UsageError."""
    if text is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?([kMGT]?)i?B?", text.strip(), re.IGNORECASE)
    if not found:
        raise UsageError(f"{name} {text!r} is no size", "give bytes, or a size like 500MB or 16GB")
    return (
        int(float(found[1]) * 1000 ** "kmgt".find(found[2].lower()) * 1000)
        if found[2]
        else int(float(found[1]))
    )


@dataclass(frozen=True)
class WindowOptions:
    """The sliding window."""

    horizon: Horizon = None
    season: Annotated[
        _Whole,
        _make_option(WINDOW, "STEPS", "Main season, 1 or more; 1 is none.", DEFAULT_INFERRED),
    ] = None
    context: Annotated[
        _Whole,
        _make_option(WINDOW, "STEPS", "Steps the network looks back, 1 or more.", DEFAULT_INFERRED),
    ] = None
    validation: Annotated[
        _Whole,
        _make_option(
            WINDOW, "STEPS", "Last steps, kept for validation, 1 or more.", DEFAULT_INFERRED
        ),
    ] = None

    def config(self) -> WindowConfig:
        """The same as configuration."""
        return WindowConfig(**vars(self))


@dataclass(frozen=True)
class ModelOptions:
    """The network."""

    cell: Annotated[
        Cell, _make_option(MODEL, "CELL", f"Memory cell: {_list_choices(Cell)}.", True)
    ] = ModelConfig.cell
    layers: Annotated[
        _Whole, _make_option(MODEL, "N", "Recurrent layers, 1 or more.", DEFAULT_SAME_AS_START)
    ] = None
    hidden: Annotated[
        _Whole, _make_option(MODEL, "N", "Width of a layer, 1 or more.", DEFAULT_SAME_AS_START)
    ] = None
    bidirectional: Annotated[
        bool, _make_switch(MODEL, "Read each origin's context both ways.", "bidirectional")
    ] = ModelConfig.bidirectional
    attention: Annotated[
        bool, _make_switch(MODEL, "Let each origin look back on its context.", "attention")
    ] = ModelConfig.attention
    layer_norm: Annotated[
        bool, _make_switch(MODEL, "Normalise what each layer puts out.", "layer-norm")
    ] = ModelConfig.layer_norm
    dropout: Annotated[
        float, _make_option(MODEL, "SHARE", "Units left out in training, 0 to below 1.", True)
    ] = ModelConfig.dropout
    scale: Annotated[
        Scale, _make_option(MODEL, "SCALE", f"Scale of a series: {_list_choices(Scale)}.", True)
    ] = ModelConfig.scale
    transform: Annotated[
        Transform,
        _make_option(MODEL, "HOW", f"Transform of a series: {_list_choices(Transform)}.", True),
    ] = ModelConfig.transform

    def config(self) -> ModelConfig:
        """The same as configuration."""
        return ModelConfig(**vars(self))


@dataclass(frozen=True)
class TrainOptions:
    """The training."""

    start: Annotated[
        _Text,
        _make_option(
            TRAINING,
            "WEIGHTS",
            "Start from: pretrained, scratch or a run.",
            DEFAULT_PRETRAINED,
            "--from",
        ),
    ] = TrainConfig.start
    loss: Annotated[
        Loss, _make_option(TRAINING, "LOSS", f"What is minimised: {_list_choices(Loss)}.", True)
    ] = TrainConfig.loss
    steps: Annotated[
        _Whole, _make_option(TRAINING, "N", "Training steps, 0 or more.", DEFAULT_TUNED)
    ] = None
    lr: Annotated[
        float | None, _make_option(TRAINING, "RATE", "Learning rate, above 0.", DEFAULT_TUNED)
    ] = None
    batch_size: Annotated[
        int, _make_option(TRAINING, "N", "Chunks in a batch, 1 or more.", True)
    ] = TrainConfig.batch_size
    optimizer: Annotated[
        Optimizer, _make_option(TRAINING, "NAME", f"{_list_choices(Optimizer)}.", True)
    ] = TrainConfig.optimizer
    schedule: Annotated[
        LearningRateSchedule,
        _make_option(
            TRAINING,
            "NAME",
            f"Learning rate after the warm-up: {_list_choices(LearningRateSchedule)}.",
            True,
        ),
    ] = TrainConfig.schedule
    patience: Annotated[
        int,
        _make_option(TRAINING, "N", "Validations without progress before a stop, 1 or more.", True),
    ] = TrainConfig.patience
    weight_decay: Annotated[
        float | None,
        _make_option(
            TRAINING,
            "RATE",
            "Decay of the weights, 0 or more.",
            "0.01, of adamw alone",
        ),
    ] = None
    grad_clip: Annotated[
        float, _make_option(TRAINING, "NORM", "Largest norm of a gradient, above 0.", True)
    ] = TrainConfig.grad_clip
    time_budget: Annotated[
        _Text,
        _make_option(TRAINING, "TIME", "Stop training after so long: 60s, 5m, 1h.", DEFAULT_NONE),
    ] = None
    members: Annotated[
        _Whole, _make_option(TRAINING, "N", "Networks in the ensemble, 1 or more.", DEFAULT_TUNED)
    ] = None
    device: Annotated[
        Device, _make_option(TRAINING, "DEVICE", f"Where to train: {_list_choices(Device)}.", True)
    ] = TrainConfig.device
    precision: Annotated[Precision, _make_option(TRAINING, "FORMAT", _PRECISION_HELP, True)] = (
        TrainConfig.precision
    )
    seed: Annotated[
        int, _make_option(TRAINING, "N", "Seed of all that is random, 0 or more.", True)
    ] = TrainConfig.seed
    jobs: Jobs = None

    def config(self) -> TrainConfig:
        """The same as configuration."""
        return TrainConfig(**vars(self))


@dataclass(frozen=True)
class ShowOptions:
    """What is said beside the result, all of it on stderr."""

    quiet: Annotated[bool, _make_flag("Say nothing on success.", "--quiet", "-q")] = False
    verbose: Annotated[bool, _make_flag("Say more.", "--verbose", "-v")] = False
    json: Annotated[
        bool, _make_flag("One JSON object on stdout; an error as JSON on stderr.", "--json")
    ] = False
    no_color: Annotated[bool, _make_flag("No colours.", "--no-color")] = False
    debug: Annotated[bool, _make_flag("Show the traceback of an error.", "--debug")] = False
    config: Annotated[str | None, _CONFIG_OPTION] = None

    def __post_init__(self) -> None:
        if self.quiet and self.verbose:
            raise UsageError("--quiet and --verbose contradict each other", "give one of them")


def build_config(
    data: DataOptions,
    window: WindowOptions,
    model: ModelOptions,
    train: TrainOptions,
    inputs: InputOptions = InputOptions(),  # noqa: B008 - frozen
) -> Config:
    """All settings of one fit."""
    return Config(data.config(), window.config(), model.config(), train.config(), inputs.config())


_R = TypeVar("_R")


def spread_option_groups(command: Callable[..., _R]) -> Callable[..., _R]:
    """Let a command have groups of options as parameters: each field of a group becomes an option of the command."""
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {
        name: hint for name, hint in hints.items() if dataclasses.is_dataclass(hint)
    }
    parameters = [
        flat
        for name, parameter in inspect.signature(command).parameters.items()
        for flat in (
            _group_parameters(groups[name])
            if name in groups
            else [parameter.replace(annotation=hints[name])]
        )
    ]

    @wraps(command)
    def call(**values: Any) -> _R:
        for name, group in groups.items():
            values[name] = group(
                **{field.name: values.pop(field.name) for field in dataclasses.fields(group)}
            )
        return command(**values)

    flat_parameters = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in parameters]
    vars(call)["__signature__"] = inspect.Signature(flat_parameters)
    call.__annotations__ = {one.name: one.annotation for one in parameters}
    return call


def _group_parameters(group: Any) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    kind = inspect.Parameter.KEYWORD_ONLY
    return [
        inspect.Parameter(field.name, kind, default=field.default, annotation=hints[field.name])
        for field in dataclasses.fields(group)
    ]
