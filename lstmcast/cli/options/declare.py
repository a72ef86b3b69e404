"""How an option is declared, and how a group of options becomes options of a command."""

import dataclasses
import inspect
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, TypeVar, get_args, get_type_hints

from typer import Option

from lstmcast.errors import UsageError

COLUMNS, READING, WINDOW, MODEL = "Columns", "Reading", "Window", "Network"
TRAINING, OUTPUT, GENERAL = "Training", "Output", "General"
"""The headings under which a command's help lists its options."""

# What the help says of a default that is not a plain value.
DEFAULT_INFERRED = "inferred from the data"
DEFAULT_TUNED = "chosen by validation"
DEFAULT_NONE = "none"

_R = TypeVar("_R")


def make_option(
    heading: str,
    metavar: str,
    text: str,
    default: str | bool = True,
    *names: str,
    **more: Any,
) -> Any:
    """Declare an option that takes a value.

    `default` is what the help shows as the default; True shows the value itself. `names` are its
    flags, where they are not the parameter's name; `more` goes to `typer.Option`.
    """
    return Option(
        *names,
        metavar=metavar,
        help=text,
        show_default=default,
        rich_help_panel=heading,
        **more,
    )


def make_flag(heading: str, text: str, *names: str) -> Any:
    """Declare an option without a value: `--name`, or `--name/--no-name` to switch it off too."""
    return Option(*names, help=text, rich_help_panel=heading)


def refuse_address(place: str | None) -> str | None:
    """Return where a result goes; raise UsageError for an address, which is only read from.

    The callback of options that name such a place: a path would be made of the address.
    """
    if place is not None and "://" in place:
        raise UsageError(
            f"{place!r} is an address, and results are written to this machine",
            "give a path, and copy what it holds to the address",
        )
    return place


def list_choices(choices: Any) -> str:
    """Return the values of a Literal type as text: "a, b or c"."""
    *others, last = get_args(choices)
    return f"{', '.join(others)} or {last}"


def spread_option_groups(command: Callable[..., _R]) -> Callable[..., _R]:
    """Turn each parameter of a command that is a group into options, one for each of its fields.

    A group is a dataclass whose fields are options or groups themselves. Typer reads the signature
    of the returned function; when it calls it, the groups are built again from the values.
    """
    # With extras: what `Annotated` adds is the declaration of the option.
    hints = get_type_hints(command, include_extras=True)
    groups = {
        name: hint for name, hint in hints.items() if dataclasses.is_dataclass(hint)
    }
    parameters: list[inspect.Parameter] = []
    for name, parameter in inspect.signature(command).parameters.items():
        if name in groups:
            parameters += _group_parameters(groups[name])
        else:
            # Python wants parameters without a default first, except for keyword-only ones.
            keyword_only = inspect.Parameter.KEYWORD_ONLY
            parameters.append(
                parameter.replace(annotation=hints[name], kind=keyword_only)
            )

    # Fields of groups have names of their own, so all values fit in one call.
    @wraps(command)
    def call(**values: Any) -> _R:
        for name, group in groups.items():
            values[name] = _build_group(group, values)
        return command(**values)

    # Typer reads the annotations from here, and the rest from the signature.
    vars(call)["__signature__"] = inspect.Signature(parameters)
    call.__annotations__ = {
        parameter.name: parameter.annotation for parameter in parameters
    }
    return call


def _group_parameters(group: Any) -> Iterator[inspect.Parameter]:
    """Give the options of a group, those of the groups within it included, in their order."""
    hints = get_type_hints(group, include_extras=True)
    for field in dataclasses.fields(group):
        hint = hints[field.name]
        if dataclasses.is_dataclass(hint):
            yield from _group_parameters(hint)
        else:
            kind = inspect.Parameter.KEYWORD_ONLY
            yield inspect.Parameter(
                field.name, kind, default=field.default, annotation=hint
            )


def _build_group(group: Any, values: dict[str, Any]) -> Any:
    """Build a group from the values of its options, which are taken out of `values`."""
    # Without extras: of a hint only its class matters here.
    hints = get_type_hints(group)
    fields: dict[str, Any] = {}
    for field in dataclasses.fields(group):
        hint = hints[field.name]
        if dataclasses.is_dataclass(hint):
            fields[field.name] = _build_group(hint, values)
        else:
            fields[field.name] = values.pop(field.name)
    return group(**fields)
