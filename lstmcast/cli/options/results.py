"""Arguments that most commands have, and options for where results go and what is printed."""

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Context, Exit, Option, echo

from lstmcast.cli.options.complete import complete_format
from lstmcast.cli.options.declare import (
    DEFAULT_NONE,
    GENERAL,
    OUTPUT,
    WINDOW,
    make_flag,
    make_option,
)
from lstmcast.cli.settings import load_settings
from lstmcast.cli.show import output
from lstmcast.errors import UsageError

if TYPE_CHECKING:
    from lstmcast.cli.show.console import Reporter
    from lstmcast.cli.show.output import Columnar

_DATA_HELP = (
    "CSV, TSV, Parquet or Arrow file (also .gz, .zst), a folder or glob of Parquet, "
    "or - for stdin."
)


def show_help_on_terminal(context: Context, value: str | None) -> str | None:
    """Show the help if DATA is `-` and stdin a terminal, where nobody knows that it waits."""
    # A program without a console has no stdin at all.
    is_terminal = sys.stdin is not None and sys.stdin.isatty()
    waits = value == "-" and is_terminal
    # While a line is being completed the callback is called, too, and must stay silent.
    if waits and not context.resilient_parsing:
        echo(context.get_help(), err=True)
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
        "Write to this file; its extension is the format: .csv .tsv .json .jsonl .parquet.",
        "stdout",
        "--output",
        "-o",
    ),
]
Format = Annotated[
    str | None,
    make_option(
        OUTPUT,
        "FORMAT",
        "csv, tsv, json, jsonl, parquet or table.",
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
DryRun = Annotated[
    bool,
    make_flag(
        OUTPUT,
        "Say what it would do, how long it would take and how much memory; write nothing.",
        "--dry-run",
    ),
]


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
            "four horizons or two seasons",
            "--plot-history",
            min=1,
        ),
    ] = None

    def __post_init__(self) -> None:
        from lstmcast.cli.show.pictures import check_forecast_picture

        check_forecast_picture(self.plot)


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
