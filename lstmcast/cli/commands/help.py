"""`lstmcast help`: a command's help, and what the exit codes mean."""

from typing import Annotated

from typer import Argument, Context

from lstmcast.cli.show.output import write_stdout
from lstmcast.errors import ExitCode, UsageError, suggest_similar

EXAMPLES = """\
lstmcast help exit-codes
lstmcast help fit"""
EXIT_CODE_MEANINGS = {
    ExitCode.OK: "done",
    ExitCode.BUG: "a bug in lstmcast; the path of a log is shown",
    ExitCode.USAGE: "usage or configuration",
    ExitCode.DATA: "input data",
    ExitCode.RUN: "run directory",
    ExitCode.DIVERGED: "training diverged",
    ExitCode.RESOURCE: "input/output, memory or a lost worker",
    ExitCode.GATE: "a quality gate (--fail-if) was not met",
    ExitCode.LOCKED: "another process writes to the run",
    ExitCode.INTERRUPTED: "Ctrl-C",
    ExitCode.TERMINATED: "SIGTERM",
}
Topic = Annotated[
    str | None,
    Argument(metavar="TOPIC", help="A command, or exit-codes.", show_default="all"),
]


def help(context: Context, topic: Topic = None) -> None:
    """Show the help of a command, or what the exit codes mean."""
    root = context.parent or context
    commands = getattr(root.command, "commands", {})
    if topic is None:
        text = root.get_help()
    elif topic == "exit-codes":
        text = "\n".join(f"{code:>3}  {EXIT_CODE_MEANINGS[code]}" for code in ExitCode)
    elif topic in commands:
        command = commands[topic]
        # Resilient, since the arguments that the command requires are not there.
        with command.make_context(
            topic, [], parent=root, resilient_parsing=True
        ) as inner:
            text = inner.get_help()
    else:
        raise UsageError(
            f"no help on {topic!r}", suggest_similar(topic, [*commands, "exit-codes"])
        )
    write_stdout(f"{text}\n".encode())
