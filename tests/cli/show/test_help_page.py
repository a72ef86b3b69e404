"""The short help; what it holds for each command is in the contract's tests."""

import typer
from typer.testing import CliRunner

from lstmcast.cli.command import CONTEXT_SETTINGS, Command
from lstmcast.cli.options.declare import OUTPUT, make_option
from lstmcast.cli.show.help_page import with_short_help


def small(
    data: str = typer.Argument(metavar="DATA"),
    *,
    target: str = make_option(OUTPUT, "COL", "Column to forecast; repeatable."),
    cell: str = make_option(OUTPUT, "CELL", "Recurrent cell."),
) -> None:
    """Do a thing.

    More about it.
    """
    typer.echo(f"{data} {target} {cell}")


def invoke(*arguments: str) -> str:
    app = typer.Typer(rich_markup_mode=None, add_completion=False)
    examples = "\n".join(f"small {name}.csv" for name in "abcd")
    app.command(cls=Command, epilog=examples, context_settings=CONTEXT_SETTINGS)(
        with_short_help(small)
    )
    return CliRunner().invoke(app, arguments, prog_name="small").stdout


def test_the_short_help_has_one_sentence_three_examples_and_the_most_used_options() -> (
    None
):
    assert invoke("-h").splitlines() == [
        "Usage: small DATA [OPTIONS]",
        "",
        "  Do a thing.",
        "",
        "Examples:",
        "  small a.csv",
        "  small b.csv",
        "  small c.csv",
        "",
        "Options:",
        "  --target COL  Column to forecast",
        "",
        "All options: small --help",
    ]


def test_the_long_help_has_everything_with_the_examples_first() -> None:
    text = invoke("--help")
    parts = ["More about it.", "small d.csv", "DATA", "--target", "--cell", "-h "]
    places = [text.index(part) for part in parts[:2]]
    assert places == sorted(places)
    assert all(part in text for part in parts)
    assert text.index("Examples:") < text.index("Arguments:") < text.index("Output:")


def test_a_command_runs_as_without_the_short_help() -> None:
    assert invoke("x", "--target", "y", "--cell", "z") == "x y z\n"
