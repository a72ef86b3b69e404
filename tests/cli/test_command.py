"""What all commands share; the contract on help is in `test_contract_help`."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from lstmcast.cli import app
from lstmcast.cli.command import hint_for_command
from lstmcast.cli.options.reading import RunDataOptions
from tests.cli.conftest import Program
from tests.conftest import ROOT

PACKAGE = ROOT / "lstmcast"


def test_options_stand_under_headings_with_their_variables(quickly: Program) -> None:
    lines = quickly("fit", "--help").stdout.splitlines()
    headings = [line for line in lines if line and not line.startswith(" ")]
    assert headings[1:] == [
        "Examples:", "Arguments:", "Columns:", "Reading:", "Window:", "Network:",
        "Training:", "Output:", "General:",
    ]  # fmt: skip
    text = " ".join(" ".join(lines).split())
    assert "[default: inferred from the data; LSTMCAST_FREQ]" in text
    assert "--force Replace an existing run." in text  # an act, which no variable sets


def test_an_error_about_an_option_says_where_it_was_set(
    quickly: Program, tmp_path: Path
) -> None:
    (tmp_path / "lstmcast.toml").write_text("horizon = 0\n")
    done = quickly("fit", "x.csv", "--target", "y")
    assert done.returncode == 2
    assert "--horizon 0 is out of range (set in lstmcast.toml)" in done.stderr


OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
OTHER_PROGRAMS = {
    *(
        "--nproc-per-node",
        "--insecure",
        "--data-binary",
        "--origins",
        "--no-",
        "--start",
    ),
}
"""Options of torchrun, dask, curl and the pretraining; a name that is put together begins so."""


@cache
def commands() -> dict[str, Any]:
    root = get_command(app.app)
    return {
        str(name): command
        for name, command in root.commands.items()
        if not hasattr(command, "commands")
    }


def flags(command: Any) -> set[str]:
    return {
        flag
        for parameter in command.params
        for flag in (*parameter.opts, *parameter.secondary_opts)
    } | {"--help", "--version"}


def text_of(node: ast.AST) -> str:
    """The words of a text in the code, without what is put into it."""
    parts = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant)]
    return "".join(part for part in parts if isinstance(part, str))


@cache
def trees() -> dict[str, ast.Module]:
    """Every module of the package, by its path in it."""
    return {
        str(path.relative_to(PACKAGE)): ast.parse(path.read_text())
        for path in sorted(PACKAGE.rglob("*.py"))
    }


def texts_for_users() -> Iterator[tuple[str, str]]:
    """Each text in the package that names an option, docstrings left out, and its place."""
    for path, tree in trees().items():
        docstrings = {
            id(node.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        }
        for node in ast.walk(tree):
            is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
            if is_text and id(node) not in docstrings and OPTION.search(node.value):
                yield f"{path}:{node.lineno}", node.value


def hints() -> Iterator[tuple[str, str]]:
    """The hint of each error that the package raises, and its place."""
    for path, tree in trees().items():
        for node in ast.walk(tree):
            is_error = isinstance(node, ast.Call) and re.fullmatch(
                r"\w+Error", getattr(node.func, "id", "")
            )
            if is_error and len(node.args) > 1:
                hint = text_of(node.args[1])
                if OPTION.search(hint):
                    yield f"{path}:{node.lineno}", hint


def test_every_option_that_is_named_exists() -> None:
    known = OTHER_PROGRAMS.union(*map(flags, commands().values()))
    known |= {"--config", "--origin", "--json", "--sort"}
    named = {
        (place, option)
        for place, text in texts_for_users()
        for option in OPTION.findall(text)
    }
    assert len(named) > 100
    unknown = {
        (place, option)
        for place, option in named
        if option not in known and not option.endswith("-")
    }
    assert not unknown


def test_hints_name_options_that_the_command_has() -> None:
    found = list(hints())
    assert len(found) > 50
    fit = commands()["fit"]
    for command, (place, hint) in product(commands().values(), found):
        # Options that no fit has are of one command, which is where such an error comes from.
        if not set(OPTION.findall(hint)) <= flags(fit):
            continue
        shown = hint_for_command(hint, command, fit)
        sends_to_fit = shown.startswith(
            ("fit a run for such data", "with lstmcast fit")
        )
        missing = set(OPTION.findall(shown)) - flags(command)
        assert sends_to_fit or not missing or "lstmcast " in shown, (place, shown)


@pytest.mark.parametrize(
    ("name", "hint", "shown"),
    [
        ("fit", "give --freq, or --tz", "give --freq, or --tz"),
        ("predict", "give --freq, or --tz UTC", "--tz UTC"),
        ("predict", "give --freq", "fit a run for such data: give --freq"),
        ("forecast", "try --loss mse", "with lstmcast fit: try --loss mse"),
        (
            "serve",
            "use --duplicates sum",
            "fit a run for such data: use --duplicates sum",
        ),
    ],
)
def test_a_hint_names_what_can_be_done_here(name: str, hint: str, shown: str) -> None:
    found = commands()
    assert hint_for_command(hint, found[name], found["fit"]) == shown


def test_commands_that_read_new_data_of_a_run_say_how() -> None:
    reading = {f"--{name.replace('_', '-')}" for name in vars(RunDataOptions())}
    readers = [
        name
        for name, command in commands().items()
        if {"run", "data"} <= {parameter.name for parameter in command.params}
        and "--past" not in flags(command)
    ]
    assert {"predict", "evaluate", "detect", "update", "report"} <= set(readers)
    for name in readers:
        assert reading <= flags(commands()[name]), name


@pytest.mark.parametrize(
    ("name", "pieces"),
    [
        ("fit", ["DATA", "[OPTIONS]"]),
        ("predict", ["RUN", "[DATA]", "[OPTIONS]"]),
        ("detect", ["[RUN]", "DATA", "[OPTIONS]"]),
    ],
)
def test_the_usage_says_which_arguments_may_be_left_out(
    name: str, pieces: list[str]
) -> None:
    assert commands()[name].collect_usage_pieces(None) == pieces
