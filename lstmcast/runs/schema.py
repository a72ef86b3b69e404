"""Read values of JSON by the types that they should have, field by field.

A type is a dataclass, a named tuple, a `TypedDict`, a container or a plain type of Python, so that
what describes a file is the same that the program works with. Knows no files.
"""

import dataclasses
import math
import re
from functools import cache
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    NamedTuple,
    NotRequired,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

MAX_INTEGER = 2**63 - 1
"""Largest whole number: what comes of it must fit into 64 bits."""
_MAX_SHOWN = 40
"""Characters of a wrong value that a message shows."""
_HALF_CHARACTER = re.compile("[\ud800-\udc7f\udd00-\udfff]")
"""What no text holds; the rest of this range stands for bytes of names that are not UTF-8."""
_PLAIN_WORDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    NoneType: "nothing (null)",
}
"""What a value of a plain type is called in messages."""
_FOUND_WORDS = _PLAIN_WORDS | {list: "a list", dict: "an object"}


class Range(NamedTuple):
    """Least and largest value of a number, as a note in `Annotated`."""

    low: float = -math.inf
    high: float = math.inf


class FieldError(ValueError):
    """A field that does not hold what it should: its place, what it is, and what it should be."""


def read_typed(
    value: Any, kind: Any, place: str = "", *, null_is_missing: bool = False
) -> Any:
    """Return a value read from JSON if it is of a type; raises FieldError for the first that isn't.

    Numbers are finite. Fields that a dataclass or a named tuple does not know are left out: a later
    version may write more.

    Args:
        value: what `json.loads` returned.
        kind: the type that it should have.
        place: name of the value in messages, as "panel.lengths".
        null_is_missing: whether a number may be null, where it is NaN in the program.
    """
    reader = _Reader(null_is_missing)
    return reader.read(value, kind, place)


class _Reader:
    def __init__(self, null_is_missing: bool) -> None:
        self.null_is_missing = null_is_missing

    def read(self, value: Any, kind: Any, place: str) -> Any:
        """Return a value of a kind; raises FieldError."""
        if kind is Any:
            return value

        # A note or a choice of types stands around the type of the value itself.
        origin = get_origin(kind)
        if origin is Annotated:
            return self._read_annotated(value, kind, place)
        if origin in (Union, UnionType):
            return self._read_union(value, kind, place)

        if origin is Literal:
            # Of another type it is no choice, even where Python calls it equal: 1.0 is not 1.
            if isinstance(value, str | int) and value in get_args(kind):
                return value
            raise _wrong_kind(value, kind, place)

        if origin in (list, tuple):
            return self._read_list(value, kind, place)
        if origin is dict:
            return self._read_mapping(value, kind, place)
        if _is_record(kind):
            return self._read_record(value, kind, place)
        return self._read_plain(value, kind, place)

    def _read_plain(self, value: Any, kind: Any, place: str) -> Any:
        if value is None and kind is float and self.null_is_missing:
            return None

        # Exact types: to Python True is an integer, too. JSON may write 2.0 as 2.
        is_whole_float = kind is float and type(value) is int
        fits = type(value) is kind or is_whole_float
        if not fits:
            raise _wrong_kind(value, kind, place)

        if kind in (int, float) and not _is_usable_number(value):
            raise _wrong_kind(value, kind, place)
        if kind is str and _HALF_CHARACTER.search(value):
            raise _wrong_kind(value, kind, place)
        return value

    def _read_annotated(self, value: Any, kind: Any, place: str) -> Any:
        inner, limits = get_args(kind)
        found = self.read(value, inner, place)
        if found is None:
            return None

        is_within = limits.low <= found <= limits.high
        if not is_within:
            raise _wrong_kind(value, kind, place)
        return found

    def _read_union(self, value: Any, kind: Any, place: str) -> Any:
        choices = get_args(kind)
        if value is None and NoneType in choices:
            return None

        others = [choice for choice in choices if choice is not NoneType]
        # Of a single type the message names the very field inside it.
        if len(others) == 1:
            return self.read(value, others[0], place)

        for choice in others:
            try:
                return self.read(value, choice, place)
            except FieldError:
                continue
        raise _wrong_kind(value, kind, place)

    def _read_list(self, value: Any, kind: Any, place: str) -> Any:
        if type(value) is not list:
            raise _wrong_kind(value, kind, place)

        arguments = get_args(kind)
        has_one_kind = get_origin(kind) is list or arguments[-1] is Ellipsis
        if has_one_kind:
            inner = arguments[0]
            if _holds_only(value, inner):
                return value
            arguments = (inner,) * len(value)
        if len(arguments) != len(value):
            raise _wrong_kind(value, kind, place)

        entries = []
        pairs = zip(value, arguments, strict=True)
        for number, (entry, inner) in enumerate(pairs):
            found = self.read(entry, inner, f"{place}[{number}]")
            entries.append(found)
        return entries

    def _read_mapping(self, value: Any, kind: Any, place: str) -> Any:
        if type(value) is not dict:
            raise _wrong_kind(value, kind, place)

        _, inner = get_args(kind)  # names are text in any file of JSON
        found = {}
        for name, entry in value.items():
            inner_place = _join(place, name)
            found[name] = self.read(entry, inner, inner_place)
        return found

    def _read_record(self, value: Any, kind: Any, place: str) -> Any:
        if type(value) is not dict:
            raise _wrong_kind(value, kind, place)
        # What is missing is told before what is wrong.
        fields, needed = _fields_of(kind)
        for name in fields:
            if name in needed and name not in value:
                raise FieldError(f"{_join(place, name)} is missing")

        known = {}
        for name, inner in fields.items():
            if name in value:
                inner_place = _join(place, name)
                known[name] = self.read(value[name], inner, inner_place)

        # Of a file, what is unknown is kept: it is written again as it was.
        return {**value, **known} if is_typeddict(kind) else known


def _is_record(kind: Any) -> bool:
    is_named_tuple = isinstance(kind, type) and hasattr(kind, "_field_defaults")
    return dataclasses.is_dataclass(kind) or is_typeddict(kind) or is_named_tuple


@cache
def _fields_of(kind: Any) -> tuple[dict[str, Any], frozenset[str]]:
    """Return the types of a record's fields by name, and the names of those that it must have."""
    fields = get_type_hints(kind, include_extras=True)
    if is_typeddict(kind):
        fields = {name: _without_note(inner) for name, inner in fields.items()}
        return fields, frozenset(kind.__required_keys__)

    if dataclasses.is_dataclass(kind):
        all_fields = dataclasses.fields(kind)
        needed = {field.name for field in all_fields if _is_needed(field)}
        return fields, frozenset(needed)

    optional = kind._field_defaults.keys()
    return fields, frozenset(fields.keys() - optional)


def _is_needed(field: Any) -> bool:
    has_default = field.default is not dataclasses.MISSING
    return not has_default and field.default_factory is dataclasses.MISSING


def _without_note(kind: Any) -> Any:
    """Return a type without the note that its field may be missing."""
    return get_args(kind)[0] if get_origin(kind) is NotRequired else kind


def _holds_only(values: list[Any], kind: Any) -> bool:
    """Whether a list surely holds entries of a kind: fast, for the lists of many series."""
    limits = Range()
    if get_origin(kind) is Annotated:
        kind, limits = get_args(kind)
    if not isinstance(kind, type):
        return False

    found = set(map(type, values))
    if kind is float:
        found.discard(int)  # JSON may write 2.0 as 2
    is_plain = kind in (bool, int, float, str)
    if not is_plain or not found <= {kind}:
        return False

    if kind is str:
        return not any(map(_HALF_CHARACTER.search, values))
    if kind is bool or not values:
        return True

    # First: of NaN there is no least and no largest.
    if not all(map(_is_usable_number, values)):
        return False
    least = min(values)
    largest = max(values)
    return bool(limits.low <= least and largest <= limits.high)


def _is_usable_number(value: float) -> bool:
    if isinstance(value, int):
        return abs(value) <= MAX_INTEGER
    return math.isfinite(value)


def _join(place: str, name: str) -> str:
    shown = name
    if len(name) > _MAX_SHOWN:
        shown = f"{name[:_MAX_SHOWN]}..."
    return f"{place}.{shown}" if place else shown


def _wrong_kind(value: Any, kind: Any, place: str) -> FieldError:
    what = place or "it"
    found = _describe_value(value)
    wanted = _describe_kind(kind)
    return FieldError(f"{what} is {found}, not {wanted}")


def _describe_value(value: Any) -> str:
    if value is None:
        return _PLAIN_WORDS[NoneType]

    word = _FOUND_WORDS.get(type(value), "something else")
    if isinstance(value, list | dict):
        return f"{word} of {len(value):,}"
    # Python refuses to write out a whole number of thousands of digits.
    if isinstance(value, int) and abs(value) > MAX_INTEGER:
        return f"{word} of {value.bit_length():,} bits"

    shown = repr(value)
    if len(shown) > _MAX_SHOWN:
        shown = f"{shown[:_MAX_SHOWN]}..."
    return f"{word} ({shown})"


def _describe_kind(kind: Any) -> str:
    """Say in words what a value of a kind is."""
    origin = get_origin(kind)
    arguments = get_args(kind)
    if origin is Annotated:
        inner, limits = arguments
        return f"{_describe_kind(inner)}{_describe_range(limits)}"
    if origin in (Union, UnionType):
        choices = map(_describe_kind, arguments)
        return " or ".join(choices)
    if origin is Literal:
        choices = map(str, arguments)
        return f"one of {', '.join(choices)}"

    if origin is tuple and arguments[-1] is not Ellipsis:
        return f"a list of {len(arguments)}"
    if origin in (list, tuple):
        return "a list"
    if origin is dict or _is_record(kind):
        return "an object"
    return _PLAIN_WORDS.get(kind, "a value")


def _describe_range(limits: Range) -> str:
    low, high = limits
    if math.isinf(high):
        return f" of {low:g} or more"
    return f" from {low:g} to {high:,.15g}"
