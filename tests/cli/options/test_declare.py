"""How groups of options become options of a command."""

import inspect
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest

from lstmcast.cli import app
from lstmcast.cli.options.declare import (
    OUTPUT,
    list_choices,
    make_option,
    refuse_address,
    spread_option_groups,
)
from lstmcast.errors import UsageError


@dataclass(frozen=True)
class Inner:
    """Two options."""

    width: Annotated[int, make_option(OUTPUT, "N", "Width.")] = 3
    color: Annotated[str | None, make_option(OUTPUT, "NAME", "Colour.", "none")] = None


@dataclass(frozen=True)
class Outer:
    """A group within the group, and an option."""

    inner: Inner = Inner()
    height: Annotated[int, make_option(OUTPUT, "N", "Height.")] = 5


def command(data: str, outer: Outer, *, flag: bool = False) -> tuple[Any, ...]:
    """Return what it is called with."""
    return data, outer, flag


def test_each_field_of_a_group_becomes_an_option_in_its_place() -> None:
    parameters = inspect.signature(spread_option_groups(command)).parameters
    assert list(parameters) == ["data", "width", "color", "height", "flag"]
    assert [parameters[name].default for name in ("width", "color", "height")] == [
        3,
        None,
        5,
    ]


def test_the_command_gets_its_groups_built_from_the_values() -> None:
    values = {"data": "x", "width": 1, "color": "red", "height": 2, "flag": True}
    assert spread_option_groups(command)(**values) == (
        "x",
        Outer(Inner(1, "red"), 2),
        True,
    )


def test_choices_are_listed_as_a_sentence_has_them() -> None:
    assert list_choices(Literal["a", "b", "c"]) == "a, b or c"


def test_a_result_is_not_written_to_an_address() -> None:
    for place in (None, "out/", "s3:notes", "C:/out"):
        assert refuse_address(place) == place
    with pytest.raises(UsageError, match="'s3://sales/out/' is an address") as error:
        refuse_address("s3://sales/out/")
    assert "give a path" in error.value.hint


@pytest.mark.parametrize(
    "words",
    [
        ("predict", "run", "-o", "s3://b/out.csv"),
        ("predict", "run", "--plot", "https://x/a.png"),
        ("forecast", "x.csv", "-o", "s3://b/out/"),
        ("detect", "run", "x.csv", "-o", "s3://b/out.csv"),
        ("inspect", "x.csv", "--plot", "s3://b/a.png"),
        ("tune", "x.csv", "--plot", "s3://b/a.png"),
        ("fit", "x.csv", "-o", "s3://b/run"),
        ("tune", "x.csv", "-o", "s3://b/tuning"),
        ("backtest", "x.csv", "-o", "s3://b/scores.csv"),
        ("report", "run", "-o", "s3://b/page.html"),
        ("report", "run", "--pictures", "s3://b/pictures"),
        ("export", "run", "-o", "s3://b/run.onnx"),
    ],
)
def test_every_command_refuses_to_write_to_an_address(
    words: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert app.run_command_line(list(words)) == 2
    assert "results are written to this machine" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
