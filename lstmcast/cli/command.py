"""How every command behaves on the command line: its help, and its settings from files and the environment."""

import re
from typing import Any

from typer.core import TyperCommand

from lstmcast.cli import options, settings
from lstmcast.compute import memory
from lstmcast.errors import UsageError

CONTEXT_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class Command(TyperCommand):
    """A command whose help shows its options under headings, and its examples as they are typed."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments, then options by heading, each with its default and its environment variable."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            if record := parameter.get_help_record(ctx):
                heading = getattr(parameter, "rich_help_panel", None) or options.SHOWING
                argument = parameter.param_type_name == "argument"
                left, right = record
                right = re.sub(r"\[default: \((.*?)\)", r"[default: \1", right)
                if not argument and (variable := settings.environment_variable(parameter)):
                    right = (
                        f"{right[:-1]}; {variable}]"
                        if right.endswith("]")
                        else f"{right}  [{variable}]"
                    )
                sections.setdefault("Arguments" if argument else heading, []).append((left, right))
        for heading, records in sections.items():
            with formatter.section(heading):
                formatter.write_dl(records, col_max=26)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        """Write the examples."""
        if self.epilog:
            with formatter.section("Examples"):
                formatter.write("".join(f"  {line}\n" for line in self.epilog.splitlines()))

    def invoke(self, ctx: Any) -> Any:
        """Run the command; an error about an option says where its value was set."""
        memory.require_memory()
        try:
            return super().invoke(ctx)
        except UsageError as error:
            raise settings.with_setting_origin(error, ctx) from error.__cause__
