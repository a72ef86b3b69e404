from collections.abc import Collection
from typing import Any

import pytest
from typer.main import get_command

from lstmcast.cli import app, settings
from lstmcast.cli.options import synonyms
from lstmcast.cli.options.synonyms import (
    find_option,
    suggest_command,
    suggest_option,
)


def options_by_command() -> dict[str, Collection[str]]:
    root: Any = get_command(app.app)
    return {
        str(name): settings.options_of(command)
        for name, command in root.commands.items()
        if not hasattr(command, "commands")
    }


@pytest.mark.parametrize(
    ("name", "command", "words"),
    [
        ("h", "fit", "--horizon"),
        ("periods", "forecast", "--horizon"),
        ("prediction-length", "predict", "--horizon"),
        ("id", "fit", "--series"),
        ("group", "fit", "--series"),
        ("date", "fit", "--time"),
        ("exog", "fit", "--future (known ahead) or --past (known up to now)"),
        ("hist-exog", "fit", "--past"),
        ("epochs", "fit", "--steps"),
        ("epochs", "predict", "--steps of `lstmcast fit`"),
        ("cv", "fit", "`lstmcast backtest`"),
        ("cv", "backtest", "--windows"),
        ("train", "predict", "`lstmcast fit`"),
        ("level", "fit", "--level of `lstmcast forecast`"),
        ("levels", "predict", "--level"),
        ("frequency", "fit", "--freq"),
        ("outfile", "predict", "--output"),
        ("outfile", "fit", "--out"),
    ],
)
def test_what_other_tools_call_an_option_leads_to_its_name(
    name: str, command: str, words: str
) -> None:
    others = options_by_command()
    suggested = suggest_option(name, others[command], others)
    if words not in ("--output", "--out"):  # which no file may set
        assert suggested == f"did you mean {words}?"
    else:
        has = {*others[command], words.lstrip("-")}
        assert suggest_option(name, has, others) == f"did you mean {words}?"


def test_a_name_that_nobody_uses_leads_nowhere() -> None:
    others = options_by_command()
    assert suggest_option("xyzzy", others["fit"], others) == ""
    assert suggest_command("xyzzy") == ""
    assert find_option("xyzzy") == ""


def test_every_name_that_is_suggested_exists() -> None:
    root: Any = get_command(app.app)
    flags = {
        settings.option_name(parameter)
        for command in settings.iter_commands(root)
        for parameter in command.params
    }
    for options in synonyms._OPTION_SYNONYMS:
        assert set(options) <= flags
    for command in synonyms._COMMAND_SYNONYMS:
        found = root
        for word in command.split():
            found = found.commands[word]


def test_no_synonym_is_an_option_of_ours() -> None:
    flags = {name for names in options_by_command().values() for name in names}
    # An alias of an option that stands elsewhere would never be looked up.
    assert flags & set(synonyms._OPTION_BY_SYNONYM) == set()
