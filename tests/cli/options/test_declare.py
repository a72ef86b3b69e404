"""How groups of options become options of a command."""

import inspect
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from lstmcast.cli.options.declare import (
    OUTPUT,
    list_choices,
    make_option,
    spread_option_groups,
)


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
