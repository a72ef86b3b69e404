"""How every command behaves: its help, and its settings from files and the environment."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from typer.core import TyperCommand, TyperGroup

from lstmcast.cli import settings
from lstmcast.cli.options.declare import GENERAL
from lstmcast.cli.show.help_page import write_commands, write_examples
from lstmcast.compute import memory
from lstmcast.errors import LstmcastError, UsageError

_OPTION_NAME = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
_COMMAND_NAME = re.compile(r"lstmcast (?!fit)[a-z]+")
"""A command that a hint names by itself: its options are of that command."""
# Short help has an option of its own, see `help_page`.
CONTEXT_SETTINGS = {"help_option_names": ["--help"], "max_content_width": 100}
GROUP_CONTEXT_SETTINGS = CONTEXT_SETTINGS | {"help_option_names": ["-h", "--help"]}


class Command(TyperCommand):
    """A command whose help begins with examples, and lists its options under headings."""

    @property
    def examples(self) -> str:
        """Command lines to begin with, one a line."""
        return self.epilog or ""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:  # noqa: ARG002
        """Return what follows the command in its usage: arguments, those in brackets optional."""
        arguments = [one for one in self.params if one.param_type_name == "argument"]
        pieces = [
            str(one.metavar) if one.required else f"[{one.metavar}]"
            for one in arguments
        ]
        # Where the first of several may be left out, the last may not: [RUN] DATA.
        if len(arguments) > 1 and not arguments[0].required:
            pieces[-1] = str(arguments[-1].metavar)
        return [*pieces, "[OPTIONS]"]

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write usage, description, examples and all options."""
        self.format_usage(ctx, formatter)
        self.format_help_text(ctx, formatter)
        write_examples(formatter, self.examples)
        self.format_options(ctx, formatter)

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


class RootGroup(TyperGroup):
    """The program itself, whose help lists the commands by what they are for."""

    examples = ""
    common_commands: Sequence[str] = ()
    """Names of the commands that `-h` shows."""
    command_groups: Mapping[str, Sequence[str]] = {}
    """Names of all commands, by heading."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write usage, description, examples, commands by heading, and options."""
        self.format_usage(ctx, formatter)
        self.format_help_text(ctx, formatter)
        write_examples(formatter, self.examples)
        self.format_options(ctx, formatter)
        self.format_epilog(ctx, formatter)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the commands by heading, and the options that stand before a command."""
        for heading, names in self.command_groups.items():
            write_commands(formatter, heading, self.commands, names)
        records = [option.get_help_record(ctx) for option in self.get_params(ctx)]
        with formatter.section("Options"):
            formatter.write_dl([record for record in records if record])


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
    takes_run = any(parameter.name in ("run", "runs") for parameter in command.params)
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
