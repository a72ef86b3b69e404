"""What an error means to a user: its exit status, a message, and a hint at what to do."""

import errno
import re
import tempfile
import traceback
from typing import Any, NamedTuple

from typer.exceptions import TyperException

from lstmcast.cli import settings, signals
from lstmcast.cli.options.synonyms import suggest_command, suggest_option
from lstmcast.compute import memory
from lstmcast.errors import (
    ExitCode,
    LstmcastError,
    ResourceError,
    shorten_long_parts,
    suggest_similar,
)
from lstmcast.extras import EXTRA_OF_PACKAGE, is_installed, missing_package_error

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
"""Errors that go away where the output goes somewhere else."""
_FLAGS = "('.*?'(?: / '.*?')*)"
"""How Typer names an option: each of its flags in quotes."""


class Problem(NamedTuple):
    """An error as the command line reports it."""

    code: ExitCode
    kind: str
    message: str
    hint: str


def describe_error(error: BaseException) -> Problem:
    """Return what to tell the user of an error, whatever it is."""
    match error:
        case KeyboardInterrupt():
            return Problem(ExitCode.INTERRUPTED, "signal", "interrupted", "")
        case signals.Terminated():
            return Problem(ExitCode.TERMINATED, "signal", "terminated", "")
        # Libraries report a lack of memory in many ways; a ResourceError says more than this.
        case _ if memory.is_out_of_memory(error) and not isinstance(
            error, ResourceError
        ):
            return Problem(
                ExitCode.RESOURCE, "resource", "out of memory", memory.MEMORY_HINT
            )
        case ModuleNotFoundError(name=str(name)) if _is_missing_package(name):
            package = name.partition(".")[0]
            extra = EXTRA_OF_PACKAGE[package]
            return describe_error(missing_package_error("this needs", package, extra))
        case LstmcastError():
            kind = error.exit_code.name.lower()
            return Problem(error.exit_code, kind, error.message, error.hint)
        case TyperException():
            return _describe_usage_error(error)
        case OSError():
            return _describe_system_error(error)
    message = f"a bug in lstmcast: {type(error).__name__}: {error}"
    message = shorten_long_parts(message)
    return Problem(ExitCode.BUG, "bug", message, _write_bug_log(error))


def _is_missing_package(module: str) -> bool:
    """Whether a module that was not found is of a package that may be absent, and is."""
    package = module.partition(".")[0]
    return package in EXTRA_OF_PACKAGE and not is_installed(package)


def _describe_usage_error(error: TyperException) -> Problem:
    """Say what is wrong with a command line, and what was perhaps meant."""
    message = error.format_message().rstrip(".")
    option = getattr(error, "option_name", None)
    if isinstance(option, str) and message.startswith("No such option"):
        return _usage_problem(f"no option {option!r}", _suggest_option(error, option))

    match = re.match(r"No such command '(.*?)'", message)
    if match:
        name = match[1]
        hint = suggest_command(name) or suggest_similar(name, _subcommands(error))
        return _usage_problem(f"no command {name!r}", hint)

    # A value that is none of the choices. Typer quotes each choice.
    match = re.match(
        rf"Invalid value for {_FLAGS}: (?:Value error, )?'(.*)' is not one of (.*)",
        message,
    )
    if match:
        option = _longest_flag(match[1])
        value = match[2]
        choices = re.findall(r"'(.*?)'", match[3])
        unknown = f"{option} {value!r} is unknown{_format_origin(error)}"
        return _usage_problem(unknown, suggest_similar(value, choices))

    # Any other value that cannot be used. The part after a comma repeats it.
    match = re.match(rf"Invalid value for {_FLAGS}: ([^,]*)", message)
    if match:
        reason = _uncapitalise(match[2])
        invalid = f"{_longest_flag(match[1])}: {reason}{_format_origin(error)}"
        return _usage_problem(invalid, _point_to_help(error))
    return _usage_problem(_uncapitalise(message), _point_to_help(error))


def _longest_flag(quoted: str) -> str:
    """Return the long one of flags like "'--horizon' / '-H'"."""
    flags: list[str] = re.findall(r"'(.*?)'", quoted)
    return max(flags, key=len)


def _suggest_option(error: TyperException, flag: str) -> str:
    """Return what an unknown option may have been meant for."""
    context = getattr(error, "ctx", None)
    name = flag.lstrip("-")
    if context:
        others = {
            str(command.name): settings.options_of(command)
            for command in settings.iter_commands(context.find_root().command)
            if not command.hidden
        }
        has = [settings.option_name(one) for one in context.command.params]
        hint = suggest_option(name, has, others)
        if hint:
            return hint
    similar = getattr(error, "possibilities", None)
    return f"did you mean {similar[0]}?" if similar else _point_to_help(error)


def _usage_problem(message: str, hint: str) -> Problem:
    shown = shorten_long_parts(message)
    return Problem(ExitCode.USAGE, "usage", shown, shorten_long_parts(hint))


def _uncapitalise(text: str) -> str:
    return f"{text[0].lower()}{text[1:]}"


def _subcommands(error: TyperException) -> dict[str, Any]:
    """Return the commands among which one was looked for."""
    context = getattr(error, "ctx", None)
    return getattr(context.command, "commands", {}) if context else {}


def _format_origin(error: TyperException) -> str:
    """Say where the value of an option was set, if that is not on the command line."""
    context = getattr(error, "ctx", None)
    parameter = getattr(error, "param", None)
    if not context or not parameter:
        return ""
    origin = settings.origin_of(context, parameter.name)
    return f" (set in {origin})" if origin else ""


def _point_to_help(error: TyperException) -> str:
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "lstmcast"
    return f"see `{command} --help`"


def _describe_system_error(error: OSError) -> Problem:
    place = "input or output failed"
    if error.filename is not None:
        place = repr(str(error.filename))
    hint = ""
    if error.errno in _DISK_ERRORS:
        hint = "write somewhere else with --out or -o"
    if error.errno in _DISK_FULL_ERRORS:
        hint = f"make room, or {hint}"
    message = f"{place}: {error.strerror or error}"
    return Problem(ExitCode.RESOURCE, "resource", message, hint)


def _write_bug_log(error: BaseException) -> str:
    """Write the traceback of a bug to a file that can be sent; returns a hint that names it."""
    try:
        with tempfile.NamedTemporaryFile(
            "w",
            encoding="utf-8",
            errors="replace",
            prefix="lstmcast-",
            suffix=".log",
            delete=False,
        ) as log:
            log.write("".join(traceback.format_exception(error)))
    except OSError:
        return "run it again with --debug to see where"
    return f"please report it with {log.name}"
