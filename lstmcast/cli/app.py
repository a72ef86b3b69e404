"""The program: its commands, and the one place where an error becomes text and an exit status."""

import errno
import json
import os
import platform
import re
import sys
import tempfile
import traceback
import warnings
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from typer.exceptions import TyperException
from typer.main import get_command

from lstmcast.cli import options, settings, signals
from lstmcast.cli.command import CONTEXT_SETTINGS, Command
from lstmcast.cli.commands import (
    backtest,
    completion,
    config,
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
from lstmcast.cli.show import console
from lstmcast.compute import memory
from lstmcast.compute.ranks import LostRankError, launched_rank_group
from lstmcast.errors import ExitCode, LstmcastError, ResourceError, UsageError, suggest_similar

Problem = tuple[ExitCode, str, str, str]
"""Exit code, kind, message and hint."""
_DISK_FULL_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}
_DISK_ERRORS = {
    *_DISK_FULL_ERRORS,
    errno.EROFS,
    errno.EACCES,
    errno.EPERM,
    errno.ENOTDIR,
    errno.ENOENT,
    errno.ENAMETOOLONG,
    errno.ELOOP,
}


app = typer.Typer(
    name="lstmcast",
    help="Forecast time series with a small recurrent network that must beat the classical baselines or say so.",
    epilog="Begin with `lstmcast inspect FILE`. `lstmcast COMMAND --help` has the options of a command; "
    "`lstmcast help exit-codes` what a status means.",
    rich_markup_mode=None,
    add_completion=False,
    context_settings=CONTEXT_SETTINGS,
)
for module in (
    *(
        fit,
        predict,
        forecast,
        evaluate,
        backtest,
        tune,
        detect,
        update,
        explain,
        inspect,
        report,
        export,
    ),
    *(serve, completion, help),
):
    name = module.__name__.rpartition(".")[2]
    app.command(name, cls=Command, epilog=module.EXAMPLES, context_settings=CONTEXT_SETTINGS)(
        options.spread_option_groups(getattr(module, name))
    )
app.command(
    completion.WORDS_COMMAND, hidden=True, context_settings={"ignore_unknown_options": True}
)(completion.complete_words)
for group in (runs, config):
    commands = typer.Typer(
        rich_markup_mode=None, context_settings=CONTEXT_SETTINGS, no_args_is_help=False
    )
    for name, examples in group.EXAMPLES.items():
        commands.command(name, cls=Command, epilog=examples, context_settings=CONTEXT_SETTINGS)(
            options.spread_option_groups(getattr(group, name))
        )
    app.add_typer(commands, name=group.__name__.rpartition(".")[2], help=group.HELP)


def _show_version(wanted: bool) -> None:
    if wanted:
        python = ".".join(map(str, sys.version_info[:3]))
        torch = version("torch")
        typer.echo(
            f"lstmcast {version('lstmcast')} (torch {torch}, Python {python}, {_guess_device(torch)})"
        )
        raise typer.Exit


def _guess_device(torch: str) -> str:
    """Say what torch would find to compute on, without loading it."""
    if sys.platform == "darwin":
        return "mps" if platform.machine() == "arm64" else "cpu"
    return "cuda" if "+cpu" not in torch and Path("/proc/driver/nvidia/version").exists() else "cpu"


@app.callback(invoke_without_command=True)
def _root_command(
    context: typer.Context,
    version: Annotated[  # noqa: ARG001
        bool,
        typer.Option(
            "--version", help="Show the versions and exit.", callback=_show_version, is_eager=True
        ),
    ] = False,
) -> None:
    if launched_rank_group().size > 1 and context.invoked_subcommand != "fit":
        hint = "leave out torchrun, or unset WORLD_SIZE"
        raise UsageError("torchrun has started many ranks, which nothing but a fit shares", hint)
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), err=True)
        raise typer.Exit(ExitCode.USAGE)


def main() -> NoReturn:
    """Run the program on the process's arguments and end the process with its status."""
    _hold_standard_streams()
    _silence_other_ranks()
    signals.install_handlers()
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # what a library mutters is not for users, in no process
        os.environ["PYTHONWARNINGS"] = "ignore"
    status = run_command_line(sys.argv[1:])
    if signals.raised_signals or (status and launched_rank_group().size > 1):
        os._exit(
            status
        )  # worker processes end by themselves; torchrun's signal to other ranks would come in between
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
        if "--debug" in arguments and not isinstance(error, SystemExit | BrokenPipeError):
            traceback.print_exception(raised)
        return _report_error(error, as_json="--json" in arguments)


def _invoke_command(arguments: Sequence[str]) -> int:
    # Without typer's own main, which turns interrupts, broken pipes and errors into exits of its
    # own kind.
    command = get_command(app)
    try:
        with command.make_context("lstmcast", list(arguments)) as context:
            command.invoke(context)
    except typer.Exit as done:
        return done.exit_code
    return ExitCode.OK


def _report_error(error: BaseException, *, as_json: bool) -> int:
    if isinstance(error, BrokenPipeError):  # the reader has all it wants
        _silence_stdout()
        return ExitCode.OK
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else ExitCode.BUG
    code, kind, message, hint = _describe_error(error)
    if (
        not launched_rank_group().first
        and not isinstance(error, LostRankError)
        and code in (ExitCode.BUG, ExitCode.RESOURCE)
    ):
        sys.stderr, message = (
            sys.__stderr__ or sys.stderr,
            f"rank {launched_rank_group().rank}: {message}",
        )
    hints = [*([hint] if hint else []), *getattr(error, "__notes__", [])][-2:]
    if as_json:
        fields = {
            "code": int(code),
            "kind": kind,
            "message": console.shorten_text(message),
            "hint": "; ".join(hints),
        }
        console.write_message(json.dumps(fields, ensure_ascii=True))
    elif kind == "signal":
        console.write_message(message, *(f"  {hint}" for hint in hints))
    else:
        console.write_error(message, *hints)
    _silence_stdout()
    return code


def _describe_error(error: BaseException) -> Problem:
    match error:
        case KeyboardInterrupt():
            return ExitCode.INTERRUPTED, "signal", "interrupted", ""
        case signals.Terminated():
            return ExitCode.TERMINATED, "signal", "terminated", ""
        case _ if memory.is_out_of_memory(error) and not isinstance(error, ResourceError):
            return ExitCode.RESOURCE, "resource", "out of memory", memory.MEMORY_HINT
        case LstmcastError():
            return error.exit_code, error.exit_code.name.lower(), error.message, error.hint
        case TyperException():
            return ExitCode.USAGE, "usage", *_describe_usage_error(error)
        case OSError():
            return ExitCode.RESOURCE, "resource", *_describe_system_error(error)
    return (
        ExitCode.BUG,
        "bug",
        f"a bug in lstmcast: {type(error).__name__}: {error}",
        _write_bug_log(error),
    )


def _describe_usage_error(error: TyperException) -> tuple[str, str]:
    """Say what is wrong with a command line, and what was perhaps meant."""
    message = error.format_message().rstrip(".")
    if isinstance(option := getattr(error, "option_name", None), str) and message.startswith(
        "No such option"
    ):
        return f"no option {option!r}", _suggest_option(
            getattr(error, "possibilities", None), error
        )
    if found := re.match(r"No such command '(.*?)'", message):
        return f"no command {found[1]!r}", suggest_similar(
            found[1], getattr(_command_of(error), "commands", {})
        )
    if found := re.match(
        r"Invalid value for '(.*?)': (?:Value error, )?'(.*)' is not one of (.*)", message
    ):
        return f"{found[1]} {found[2]!r} is unknown{_format_origin(error)}", suggest_similar(
            found[2], re.findall(r"'(.*?)'", found[3])
        )
    if found := re.match(r"Invalid value for '(.*?)': ([^,]*)", message):
        return (
            f"{found[1]}: {found[2][0].lower()}{found[2][1:]}{_format_origin(error)}",
            _point_to_help(error),
        )
    return f"{message[0].lower()}{message[1:]}", _point_to_help(error)


def _suggest_option(close: Sequence[str] | None, error: TyperException) -> str:
    return f"did you mean {close[0]}?" if close else _point_to_help(error)


def _command_of(error: TyperException) -> Any:
    context = getattr(error, "ctx", None)
    return context.command if context else None


def _format_origin(error: TyperException) -> str:
    """Say where the value of an option was set, if that is not on the command line."""
    context, parameter = getattr(error, "ctx", None), getattr(error, "param", None)
    origin = settings.origin_of(context, parameter.name) if context and parameter else ""
    return f" (set in {origin})" if origin else ""


def _point_to_help(error: TyperException) -> str:
    context = getattr(error, "ctx", None)
    return f"see `{context.command_path if context else 'lstmcast'} --help`"


def _describe_system_error(error: OSError) -> tuple[str, str]:
    place = "input or output failed" if error.filename is None else repr(str(error.filename))
    hint = "write somewhere else with --out or -o" if error.errno in _DISK_ERRORS else ""
    return (
        f"{place}: {error.strerror or error}",
        f"make room, or {hint}" if error.errno in _DISK_FULL_ERRORS else hint,
    )


def _write_bug_log(error: BaseException) -> str:
    """Keep the traceback of a bug where it can be sent from."""
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="lstmcast-", suffix=".log", delete=False
        ) as log:
            log.write("".join(traceback.format_exception(error)))
    except OSError:
        return "run it again with --debug to see where"
    return f"please report it with {log.name}"


def _hold_standard_streams() -> None:
    """Give a closed stdin, stdout or stderr a place, so that no data file is opened under its number.

    A closed stdout gets one that cannot be written to: losing data is an error.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            os.open(os.devnull, os.O_WRONLY if name == "stderr" else os.O_RDONLY)
            stream = os.fdopen(
                number, "r" if name == "stdin" else "w", encoding="utf-8", closefd=False
            )
            setattr(sys, name, stream)


def _silence_other_ranks() -> None:
    """Keep the ranks of a fit quiet but for the first; errors that are a rank's own are still told, see `_fail`."""
    if launched_rank_group().size > 1:
        os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    if not launched_rank_group().first:
        sys.stdout = sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8")


def _silence_stdout() -> None:
    """Let the interpreter's last flush of stdout go nowhere, where it would only complain again."""
    try:
        sys.stdout.flush()
    except OSError:
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
