"""How every command behaves: its help, and its settings from files and the environment."""

import re
from typing import Any

from typer.core import TyperCommand

from lstmcast.cli import settings
from lstmcast.cli.options.declare import GENERAL
from lstmcast.compute import memory
from lstmcast.errors import LstmcastError, UsageError

_OPTION_NAME = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
_COMMAND_NAME = re.compile(r"lstmcast (?!fit)[a-z]+")
"""A command that a hint names by itself: its options are of that command."""
CONTEXT_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class Command(TyperCommand):
    """A command whose help lists its options under headings, and its examples as typed."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments, then options by heading, each with its default and its variable."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record:
                entry = _with_environment_variable(parameter, record)
                sections.setdefault(_heading_of(parameter), []).append(entry)
        for heading, entries in sections.items():
            with formatter.section(heading):
                formatter.write_dl(entries, col_max=26)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        """Write the examples."""
        if self.epilog:
            with formatter.section("Examples"):
                formatter.write(
                    "".join(f"  {line}\n" for line in self.epilog.splitlines())
                )

    def invoke(self, ctx: Any) -> Any:
        """Run the command; an error about an option says where its value was set.

        What an error tells the user to do is something that this command can do.
        """
        memory.require_memory()
        try:
            return super().invoke(ctx)
        except UsageError as error:
            error.hint = _adapt_hint(error.hint, ctx)
            raise settings.with_setting_origin(error, ctx) from error.__cause__
        except LstmcastError as error:
            error.hint = _adapt_hint(error.hint, ctx)
            raise


def _adapt_hint(hint: str, context: Any) -> str:
    fit = context.find_root().command.commands["fit"]
    return hint_for_command(hint, context.command, fit)


def hint_for_command(hint: str, command: Any, fit: Any) -> str:
    """A hint that names options of a command, or says that a fit has those that it lacks.

    command, fit: commands of Typer; `fit` is the one that trains.
    """
    lacking = set(_OPTION_NAME.findall(hint)) - _flags_of(command)
    lacking &= _flags_of(fit)
    if not lacking or _COMMAND_NAME.search(hint):
        return hint

    # Of several ways out, those that this command has.
    possible = []
    for way in re.split(r"[,;] or ", hint):
        options = set(_OPTION_NAME.findall(way))
        if options and not options & lacking:
            possible.append(way)
    if possible:
        return ", or ".join(possible)

    # What a run was fitted with cannot be changed by reading its data in another way.
    takes_run = any(parameter.name == "run" for parameter in command.params)
    where = "fit a run for such data" if takes_run else "with lstmcast fit"
    return f"{where}: {hint}"


def _flags_of(command: Any) -> set[str]:
    flags: set[str] = set()
    for parameter in command.params:
        flags.update(parameter.opts, parameter.secondary_opts)
    return flags


def _heading_of(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return "Arguments"
    return getattr(parameter, "rich_help_panel", None) or GENERAL


def _with_environment_variable(
    parameter: Any, record: tuple[str, str]
) -> tuple[str, str]:
    """Return a line of the help, with the environment variable of an option added to it."""
    flags, text = record
    # Typer puts a default that is described in words in round brackets of its own.
    text = re.sub(r"\[default: \((.*?)\)", r"[default: \1", text)
    if parameter.param_type_name == "argument":
        return flags, text
    variable = settings.environment_variable(parameter)
    if not variable:
        return flags, text
    # Some texts end in brackets already, with the default or the range in them.
    return flags, f"{text[:-1]}; {variable}]" if text.endswith(
        "]"
    ) else f"{text}  [{variable}]"
