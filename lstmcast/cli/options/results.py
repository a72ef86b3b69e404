"""Arguments that most commands have, and options for where results go and what is printed."""

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from typer import Argument, Context, Exit, Option, echo

from lstmcast.cli.options.complete import complete_format
from lstmcast.cli.options.declare import (
    DEFAULT_NONE,
    GENERAL,
    OUTPUT,
    READING,
    WINDOW,
    make_flag,
    make_option,
    refuse_address,
)
from lstmcast.cli.settings import load_settings
from lstmcast.cli.show import output
from lstmcast.cli.show.help_page import format_short_help
from lstmcast.config import DEFAULT_QUANTILE_LEVELS, parse_quantile_levels
from lstmcast.errors import UsageError

if TYPE_CHECKING:
    from lstmcast.cli.show.console import Reporter
    from lstmcast.cli.show.output import Columnar

_DATA_HELP = (
    "CSV, TSV, Parquet, Arrow or JSON file (also .gz, .zst), a workbook or database "
    "(x.xlsx::SHEET, x.db::TABLE), an https:// or s3:// address, a folder or glob of Parquet, "
    "or - for stdin."
)


def show_help_on_terminal(context: Context, value: str | None) -> str | None:
    """Show the help if DATA is `-` and stdin a terminal, where nobody knows that it waits."""
    # A program without a console has no stdin at all.
    is_terminal = sys.stdin is not None and sys.stdin.isatty()
    waits = value == "-" and is_terminal
    # While a line is being completed the callback is called, too, and must stay silent.
    if waits and not context.resilient_parsing:
        echo(format_short_help(context), err=True)
        raise Exit(2)
    return value


def make_data_argument(default: str | bool = True) -> Any:
    """Declare DATA; `default` is what the help shows as the default."""
    return Argument(
        metavar="DATA",
        help=_DATA_HELP,
        show_default=default,
        callback=show_help_on_terminal,
    )


Data = Annotated[str, make_data_argument()]
OptionalData = Annotated[str | None, make_data_argument("the end of the training data")]
RunPath = Annotated[
    str, Argument(metavar="RUN", help="Run directory, as printed by `lstmcast fit`.")
]
Step = Annotated[
    int | None,
    make_option(WINDOW, "STEPS", "Steps between origins, 1 or more.", "the horizon"),
]
OutFile = Annotated[
    str | None,
    make_option(
        OUTPUT,
        "FILE",
        "Write to this file; its extension is the format: .csv .tsv .json .jsonl .parquet .xlsx.",
        "stdout",
        "--output",
        "-o",
        callback=refuse_address,
    ),
]
Format = Annotated[
    str | None,
    make_option(
        OUTPUT,
        "FORMAT",
        "csv, tsv, json, jsonl, parquet, xlsx or table.",
        "a table on a terminal, else csv",
        autocompletion=complete_format,
    ),
]
Plot = Annotated[
    str | None,
    make_option(
        OUTPUT,
        "FILE",
        "Draw a picture too: .png, .svg or .pdf (needs lstmcast[plot]).",
        DEFAULT_NONE,
        callback=refuse_address,
    ),
]
Against = Annotated[
    str,
    make_option(
        OUTPUT,
        "METHOD",
        "The simple method to compare with, by its name in the table of scores.",
        "the best of them",
    ),
]
FailIf = Annotated[
    list[str] | None,
    make_option(
        OUTPUT,
        "RULE",
        'Exit with 7 if a metric meets this rule, such as "mase>1"; any of > >= < <=; repeatable.',
        DEFAULT_NONE,
    ),
]
IfNothingNew = Annotated[
    Literal["fail", "skip"],
    make_option(
        READING,
        "POLICY",
        "If no row of DATA is newer than the training: fail, or skip and exit with 0.",
    ),
]
SKIP_HINT = ", or let a day without them be no error: --if-nothing-new skip"
"""What follows the hint of the error that `IfNothingNew` is about."""
DryRun = Annotated[
    bool,
    make_flag(
        OUTPUT,
        "Say what it would do, how long it would take and how much memory; write nothing.",
        "--dry-run",
    ),
]


@dataclass(frozen=True)
class QuantileOptions:
    """Which quantiles a forecast has: by their levels, or by the width of intervals."""

    quantiles: Annotated[
        str | None,
        make_option(
            OUTPUT,
            "LEVELS",
            "Quantile levels between 0 and 1, such as 0.05,0.95.",
            "0.1,0.5,0.9",
        ),
    ] = None
    level: Annotated[
        str | None,
        make_option(
            OUTPUT,
            "PERCENT",
            "Intervals around the median, in percent, such as 80,95; 80 is q10 to q90.",
            "80",
        ),
    ] = None

    def levels(self) -> tuple[float, ...]:
        """Return the quantile levels, ascending; raises UsageError."""
        if self.quantiles and self.level:
            raise UsageError(
                f"--quantiles {self.quantiles} and --level {self.level} both say which quantiles",
                "give one of them",
            )
        if self.level:
            return parse_interval_levels(self.level)
        if self.quantiles:
            return parse_quantile_levels(self.quantiles, "--quantiles")
        return DEFAULT_QUANTILE_LEVELS

    def refuse_for_probability(self) -> None:
        """Raise UsageError where any were asked for: a probability has no quantiles."""
        if self.levels() == DEFAULT_QUANTILE_LEVELS:
            return
        asked = f"--quantiles {self.quantiles}"
        if self.level:
            asked = f"--level {self.level}"
        raise UsageError(f"{asked}: a probability has none", "leave it out")


def parse_interval_levels(text: str) -> tuple[float, ...]:
    """Return the quantile levels of central intervals like "80,95", the median among them.

    The interval of 80 % lies between the quantiles 0.1 and 0.9. Raises UsageError for what is no
    percentage from 1 to below 100.
    """
    try:
        widths = [float(part.strip().removesuffix("%")) for part in text.split(",")]
    except ValueError:
        widths = []
    # Below 1 it is rather a share, 0.8 for 80 %.
    if not widths or not all(1 <= width < 100 for width in widths):
        raise UsageError(
            f"--level {text!r} is out of range",
            "give percent from 1 to below 100, such as 80,95",
        )
    levels = {0.5}
    for width in widths:
        # Rounded: 1 - 0.025 must be the level that 0.975 is.
        low = round((100 - width) / 200, 9)
        levels |= {low, round(1 - low, 9)}
    return tuple(sorted(levels))


@dataclass(frozen=True)
class PlotOptions:
    """Whether to draw a picture of a forecast, and what is on it."""

    plot: Annotated[
        str | None,
        make_option(
            OUTPUT,
            "FILE",
            "Draw a picture too: .png, .svg or .pdf (needs lstmcast[plot]), .html to point at and "
            "zoom, or - for the terminal.",
            DEFAULT_NONE,
            "--plot",
            callback=refuse_address,
        ),
    ] = None
    plot_series: Annotated[
        str | None,
        make_option(
            OUTPUT,
            "WHICH",
            "Series to draw: their names, such as A,B; a number of them; worst or best, by the "
            "verdict.",
            "the first 4, in .html all",
            "--plot-series",
        ),
    ] = None
    plot_history: Annotated[
        int | None,
        make_option(
            OUTPUT,
            "STEPS",
            "Past steps to draw, 1 or more.",
            "some horizons or seasons",
            "--plot-history",
            min=1,
        ),
    ] = None

    def __post_init__(self) -> None:
        if self.plot is None:
            return
        from lstmcast.cli.show.pictures import check_forecast_picture  # loads numpy

        check_forecast_picture(self.plot)


@dataclass(frozen=True)
class DetectionPlotOptions(PlotOptions):
    """Whether to draw a picture of judged rows, and what is on it."""

    plot_series: Annotated[
        str | None,
        make_option(
            OUTPUT,
            "WHICH",
            "Series to draw: their names, such as A,B; a number of them; worst or best, by their "
            "events.",
            "the 4 with most events, in .html the 50",
            "--plot-series",
        ),
    ] = None
    plot_history: Annotated[
        int | None,
        make_option(
            OUTPUT,
            "STEPS",
            "Newest rows to draw, 1 or more.",
            "all",
            "--plot-history",
            min=1,
        ),
    ] = None


@dataclass(frozen=True)
class ResultOptions:
    """Where a command writes its table, and in which format."""

    output_file: OutFile = None
    format: Format = None

    def choose_format(self) -> str:
        """Return the format to write, see `output.choose_format`."""
        return output.choose_format(self.output_file, self.format)

    def write(self, table: "Columnar", form: str) -> None:
        """Write the table; on a terminal a long one is cut short unless a format is requested."""
        whole = self.format is not None
        output.write_frame(table, self.output_file, form, whole=whole)


@dataclass(frozen=True)
class TableOptions(ResultOptions):
    """The same for a table whose texts come from the user's data."""

    excel_safe: Annotated[
        bool,
        make_flag(
            OUTPUT,
            "Write an apostrophe before texts that a spreadsheet would take for a formula.",
            "--excel-safe",
        ),
    ] = False

    def write_escaped(self, table: "Columnar", form: str, report: "Reporter") -> None:
        """Write the table; texts that look like formulas are escaped, or reported."""
        escaped = output.with_escaped_formulas(
            table, form, report, safe=self.excel_safe
        )
        self.write(escaped, form)


@dataclass(frozen=True)
class ShowOptions:
    """What is printed beside the result, all of it on stderr."""

    quiet: Annotated[
        bool, make_flag(GENERAL, "Print nothing on success.", "--quiet", "-q")
    ] = False
    verbose: Annotated[bool, make_flag(GENERAL, "Print more.", "--verbose", "-v")] = (
        False
    )
    json: Annotated[
        bool,
        make_flag(
            GENERAL, "One JSON object on stdout; an error as JSON on stderr.", "--json"
        ),
    ] = False
    no_color: Annotated[bool, make_flag(GENERAL, "No colours.", "--no-color")] = False
    debug: Annotated[
        bool, make_flag(GENERAL, "Show the traceback of an error.", "--debug")
    ] = False
    config: Annotated[
        str | None,
        Option(
            "--config",
            metavar="FILE",
            help="Settings: a TOML file, or a run whose settings to use.",
            show_default="./lstmcast.toml, then your own",
            rich_help_panel=GENERAL,
            # Eager: the values of the file become defaults before the other options are read.
            is_eager=True,
            callback=load_settings,
        ),
    ] = None

    def __post_init__(self) -> None:
        # Groups are built before the command begins: nothing has been read or written yet.
        if self.quiet and self.verbose:
            raise UsageError(
                "--quiet and --verbose contradict each other", "give one of them"
            )
