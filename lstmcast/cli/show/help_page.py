"""The two pages of help: `-h` with what most people need, `--help` with all there is.

Knows options by name only, and neither what they do nor how they are parsed.
"""

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Annotated, Any, TypeVar

from typer import Context, Exit, Option, echo

_R = TypeVar("_R")

COMMON_OPTIONS = (
    *("target", "time", "series", "future", "future-data", "horizon", "level"),
    *("windows", "by", "rate", "gate", "rollback", "trials", "param", "top"),
    *("output", "out", "plot", "pictures", "dry-run", "fail-if", "origin"),
    *("host", "port", "token-file", "if-nothing-new", "min-rows"),
)
"""The options that `-h` shows, in every command that has them."""
_MAX_EXAMPLES = 3
_MAX_OPTIONS = 10
_FLAG_COLUMNS = 26
"""Columns that flags may take before their text goes to the next line."""


def show_short_help(context: Context, requested: bool) -> None:
    """Print the short help and end; callback of `-h`."""
    # While a line is being completed the callback is called, too, and must stay silent.
    if requested and not context.resilient_parsing:
        echo(format_short_help(context))
        raise Exit


def make_short_help_option() -> Any:
    """Declare `-h`."""
    return Option(
        "-h",
        help="Show what most people need and exit.",
        is_eager=True,
        callback=show_short_help,
    )


def with_short_help(command: Callable[..., _R]) -> Callable[..., _R]:
    """Return a command that has the option `-h` beside its own."""

    @wraps(command)
    def call(*, short_help: bool = False, **values: Any) -> _R:  # noqa: ARG001
        return command(**values)

    kind = inspect.Parameter.KEYWORD_ONLY
    hint = Annotated[bool, make_short_help_option()]
    option = inspect.Parameter("short_help", kind, default=False, annotation=hint)
    signature = inspect.signature(command)
    parameters = [*signature.parameters.values(), option]
    # Typer reads the annotations from here, and the rest from the signature.
    vars(call)["__signature__"] = inspect.Signature(parameters)
    call.__annotations__ = {one.name: one.annotation for one in parameters}
    return call


def format_short_help(context: Context) -> str:
    """Return what a command does, two examples or so, and its most used options."""
    formatter: Any = context.make_formatter()
    command: Any = context.command
    command.format_usage(context, formatter)
    summary = _first_sentence(command.help or "")
    formatter.write_paragraph()
    with formatter.indentation():
        formatter.write_text(summary)
    write_examples(formatter, command.examples, most=_MAX_EXAMPLES)
    common = getattr(command, "common_commands", ())
    if common:
        write_commands(formatter, "Commands", command.commands, common)

    records = [
        record
        for parameter in command.params
        if _is_common(parameter) and (record := _short_record(parameter, context))
    ]
    if records:
        with formatter.section("Options"):
            formatter.write_dl(records[:_MAX_OPTIONS], col_max=_FLAG_COLUMNS)
    formatter.write_paragraph()
    rest = "All commands" if common else "All options"
    formatter.write_text(f"{rest}: {context.command_path} --help")
    return str(formatter.getvalue()).rstrip("\n")


def write_examples(formatter: Any, examples: str, most: int | None = None) -> None:
    """Write examples as they are typed, one a line; with `most` the first ones only."""
    if examples:
        with formatter.section("Examples"):
            lines = examples.splitlines()[:most]
            formatter.write("".join(f"  {line.rstrip()}\n" for line in lines))


def write_commands(
    formatter: Any, heading: str, commands: Mapping[str, Any], names: Sequence[str]
) -> None:
    """Write some of the commands, each with its first sentence."""
    rows = [(name, _first_sentence(commands[name].help or "")) for name in names]
    with formatter.section(heading):
        formatter.write_dl(rows)


def _first_sentence(text: str) -> str:
    return text.strip().partition("\n\n")[0].partition("\f")[0].replace("\n", " ")


def _is_common(parameter: Any) -> bool:
    names = {flag.lstrip("-") for flag in parameter.opts}
    is_option = parameter.param_type_name == "option"
    return is_option and not names.isdisjoint(COMMON_OPTIONS)


def _short_record(parameter: Any, context: Context) -> tuple[str, str] | None:
    """Return flags and first clause of an option's help, without its default."""
    record = parameter.get_help_record(context)
    if not record:
        return None
    text = str(parameter.help or "").rstrip(".")
    return record[0], re.split(r"[;:,]| \(", text, maxsplit=1)[0]
