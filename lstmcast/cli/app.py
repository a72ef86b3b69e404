"""The program: its commands, and the one place where an error becomes text and an exit status."""

import json
import os
import sys
import traceback
import warnings
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType
from typing import Annotated, NoReturn

import typer
from typer.main import get_command

from lstmcast.cli import signals
from lstmcast.cli.command import (
    CONTEXT_SETTINGS,
    GROUP_CONTEXT_SETTINGS,
    Command,
    RootGroup,
)
from lstmcast.cli.commands import (
    backtest,
    completion,
    config,
    demo,
    detect,
    evaluate,
    explain,
    export,
    fit,
    forecast,
    help,
    inspect,
    predict,
    report,
    runs,
    serve,
    tune,
    update,
)
from lstmcast.cli.options.declare import spread_option_groups
from lstmcast.cli.problems import Problem, describe_error
from lstmcast.cli.show import console
from lstmcast.cli.show.help_page import (
    format_short_help,
    make_short_help_option,
    with_short_help,
)
from lstmcast.compute.ranks import LostRankError, launched_rank_group
from lstmcast.compute.system import (
    guess_accelerator,
    write_escapes_on_narrow_streams,
)
from lstmcast.errors import ExitCode, UsageError

# In the order in which the help lists them.
_BEGIN = (demo, inspect, forecast)
_MODELS = (fit, predict, evaluate, backtest, tune)
_LATER = (detect, update, explain, report, export, serve)
_HELP = (completion, help)
_COMMANDS = (*_BEGIN, *_MODELS, *_LATER, *_HELP)
_COMMAND_GROUPS = (runs, config)


def _name_of(module: ModuleType) -> str:
    return module.__name__.rpartition(".")[2]


class _Program(RootGroup):
    """lstmcast: its commands, in the order in which people meet them."""

    examples = """\
lstmcast demo
lstmcast forecast sales.csv -t units -o forecast.csv
lstmcast fit sales.csv -t units"""
    common_commands = (*map(_name_of, _BEGIN), "fit", "predict", "evaluate")
    command_groups = {
        "To begin": [*map(_name_of, _BEGIN)],
        "Models": [*map(_name_of, _MODELS)],
        "Models in use": [*map(_name_of, (*_LATER, runs))],
        "Settings and help": [*map(_name_of, (config, *_HELP))],
    }


app = typer.Typer(
    cls=_Program,
    name="lstmcast",
    help="Forecast time series with a small recurrent network "
    "that must beat the classical baselines or say so.",
    epilog="`lstmcast COMMAND -h` shows the most used options of a command, --help all; "
    "`lstmcast help exit-codes` says what a status means.",
    rich_markup_mode=None,
    add_completion=False,
    context_settings=CONTEXT_SETTINGS,
)


def _add_command(
    parent: typer.Typer, module: ModuleType, name: str, examples: str
) -> None:
    """Add the function `name` of a module as a command."""
    function = with_short_help(spread_option_groups(getattr(module, name)))
    parent.command(
        name, cls=Command, epilog=examples, context_settings=CONTEXT_SETTINGS
    )(function)


for module in _COMMANDS:
    _add_command(app, module, _name_of(module), module.EXAMPLES)
app.command(
    completion.WORDS_COMMAND,
    hidden=True,
    context_settings={"ignore_unknown_options": True},
)(completion.complete_words)
for module in _COMMAND_GROUPS:
    group = typer.Typer(
        rich_markup_mode=None,
        context_settings=GROUP_CONTEXT_SETTINGS,
        no_args_is_help=False,
    )
    for name, examples in module.EXAMPLES.items():
        _add_command(group, module, name, examples)
    app.add_typer(group, name=_name_of(module), help=module.HELP)


def _show_version(requested: bool) -> None:
    if requested:
        python = ".".join(map(str, sys.version_info[:3]))
        torch = _find_version("torch")
        device = "cpu" if "+cpu" in torch or not torch else guess_accelerator()
        parts = (
            f"{f'torch {torch}' if torch else 'no torch'}, Python {python}, {device}"
        )
        typer.echo(f"lstmcast {version('lstmcast')} ({parts})")
        raise typer.Exit


def _find_version(package: str) -> str:
    """Return the version of a package that need not be installed; empty if it is not."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


@app.callback(invoke_without_command=True)
def _root_command(
    context: typer.Context,
    version: Annotated[  # noqa: ARG001
        bool,
        typer.Option(
            "--version",
            "-V",
            help="Show the versions and exit.",
            callback=_show_version,
            is_eager=True,
        ),
    ] = False,
    short_help: Annotated[bool, make_short_help_option()] = False,  # noqa: ARG001
) -> None:
    if launched_rank_group().size > 1 and context.invoked_subcommand != "fit":
        raise UsageError(
            "torchrun has started many ranks, and only a fit can share work among them",
            "leave out torchrun, or unset WORLD_SIZE",
        )
    if context.invoked_subcommand is None:
        typer.echo(format_short_help(context), err=True)
        raise typer.Exit(ExitCode.USAGE)


def main() -> NoReturn:
    """Run the program on the process's arguments and end the process with its status."""
    _reopen_closed_streams()
    write_escapes_on_narrow_streams()
    _silence_other_ranks()
    signals.install_handlers()
    if not sys.warnoptions:
        # Warnings of libraries are not for users, neither here nor in worker processes.
        warnings.simplefilter("ignore")
        os.environ["PYTHONWARNINGS"] = "ignore"
    status = run_command_line(sys.argv[1:])
    if signals.raised_signals or (status and launched_rank_group().size > 1):
        # At once: worker processes end by themselves, and torchrun's signal to the other ranks
        # would arrive while this one tidies up.
        os._exit(status)
    sys.exit(status)


def run_command_line(arguments: Sequence[str]) -> int:
    """Run one command line; returns its exit status, after saying on stderr what went wrong."""
    try:
        status = _invoke_command(arguments)
        sys.stdout.flush()
        return status
    except BaseException as raised:
        # A signal may come out as anything, for example as the ImportError of a module that was
        # being loaded.
        error = signals.raised_signals[0] if signals.raised_signals else raised
        if "--debug" in arguments and not isinstance(
            error, SystemExit | BrokenPipeError
        ):
            traceback.print_exception(raised)
        return _report_error(error, as_json="--json" in arguments)


def _invoke_command(arguments: Sequence[str]) -> int:
    # Without Typer's own main, which turns interrupts, broken pipes and errors into exits of its
    # own kind.
    command = get_command(app)
    try:
        with command.make_context("lstmcast", list(arguments)) as context:
            command.invoke(context)
    except typer.Exit as done:
        return done.exit_code
    return ExitCode.OK


def _report_error(error: BaseException, *, as_json: bool) -> int:
    """Write what an error means to stderr; returns the exit status."""
    if isinstance(error, BrokenPipeError):  # the reader has all it wants
        _silence_stdout()
        return ExitCode.OK
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else ExitCode.BUG
    problem = describe_error(error)
    if _concerns_this_rank_only(error, problem.code):
        sys.stderr = sys.__stderr__ or sys.stderr
        rank = launched_rank_group().rank
        problem = problem._replace(message=f"rank {rank}: {problem.message}")
    hints = [problem.hint] if problem.hint else []
    hints = [*hints, *getattr(error, "__notes__", [])][-2:]
    if as_json:
        console.write_message(_error_to_json(problem, hints))
    elif problem.kind == "signal":
        indented = [f"  {hint}" for hint in hints]
        console.write_message(problem.message, *indented)
    else:
        console.write_error(problem.message, *hints)
    _silence_stdout()
    return problem.code


def _concerns_this_rank_only(error: BaseException, code: ExitCode) -> bool:
    """Whether a rank other than the first, which is silent otherwise, has to report an error.

    Usage and data are the same on all ranks, and a lost rank is reported by the first.
    """
    return (
        not launched_rank_group().first
        and not isinstance(error, LostRankError)
        and code in (ExitCode.BUG, ExitCode.RESOURCE)
    )


def _error_to_json(problem: Problem, hints: Sequence[str]) -> str:
    fields = {
        "code": int(problem.code),
        "kind": problem.kind,
        "message": console.shorten_text(problem.message),
        "hint": "; ".join(hints),
    }
    return json.dumps(fields, ensure_ascii=True)


def _reopen_closed_streams() -> None:
    """Open a stdin, stdout or stderr that is closed, so that no data file gets its number.

    A closed stdout is opened for reading only: to lose data must be an error.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is not None:
            continue
        # A file that is opened gets the lowest free descriptor: that of the closed stream.
        os.open(os.devnull, os.O_WRONLY if name == "stderr" else os.O_RDONLY)
        mode = "r" if name == "stdin" else "w"
        stream = os.fdopen(number, mode, encoding="utf-8", closefd=False)
        setattr(sys, name, stream)


def _silence_other_ranks() -> None:
    """Let only the first rank of a fit write; for errors of the others see `_report_error`."""
    if launched_rank_group().size > 1:
        os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    if not launched_rank_group().first:
        devnull = os.open(os.devnull, os.O_WRONLY)
        sys.stdout = sys.stderr = os.fdopen(devnull, "w", encoding="utf-8")


def _silence_stdout() -> None:
    """Keep the interpreter from reporting once more, at its end, that stdout cannot be written."""
    try:
        sys.stdout.flush()
    except OSError:
        with Path(os.devnull).open("w") as devnull:
            os.dup2(devnull.fileno(), sys.stdout.fileno())
