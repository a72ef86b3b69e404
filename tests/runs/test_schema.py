"""A value of JSON is of its type, or the first field that is not is named."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple, NotRequired, TypedDict

import pytest

from lstmcast.runs.schema import FieldError, Range, read_typed


@dataclass(frozen=True)
class Settings:
    kind: Literal["a", "b"]
    rate: float = 0.1
    names: tuple[str, ...] = ()
    limit: int | None = None
    budget: float | str | None = None


class Size(NamedTuple):
    width: int
    height: int = 1


class File(TypedDict):
    settings: Settings
    sizes: list[Size]
    weights: dict[str, list[list[float]]]
    share: Annotated[float, Range(0, 1)]
    pair: NotRequired[tuple[float, float]]


def file(**changes: Any) -> dict[str, Any]:
    return {
        "settings": {"kind": "a", "names": ["x"], "limit": 3},
        "sizes": [{"width": 2}],
        "weights": {"w": [[0.5, 1]]},
        "share": 1,
        **changes,
    }


def test_what_is_of_its_type_comes_back_as_it_is() -> None:
    content = file(pair=[0.1, 0.9])
    assert read_typed(content, File) == content


def test_fields_of_a_later_version_are_kept_in_files_and_left_out_of_records() -> None:
    content = file(later=1, settings={"kind": "b", "later": 1})
    assert read_typed(content, File) == file(later=1, settings={"kind": "b"})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"settings": 3}, "settings is a whole number (3), not an object"),
        ({"settings": {}}, "settings.kind is missing"),
        ({"settings": {"kind": "c"}}, "settings.kind is text ('c'), not one of a, b"),
        (
            {"settings": {"kind": "a", "names": [1]}},
            "settings.names[0] is a whole number (1), not text",
        ),
        (
            {"settings": {"kind": "a", "limit": True}},
            "settings.limit is true or false (True), not a whole number",
        ),
        (
            {"settings": {"kind": "a", "budget": []}},
            "settings.budget is a list of 0, not a number or text or nothing (null)",
        ),
        ({"sizes": {}}, "sizes is an object of 0, not a list"),
        ({"sizes": [{"width": 2.0}]}, "sizes[0].width is a number (2.0), not a whole"),
        ({"weights": {"w": [[1, None]]}}, "weights.w[0][1] is nothing (null), not a"),
        ({"weights": {"w": [[float("nan")]]}}, "weights.w[0][0] is a number (nan)"),
        ({"weights": {"w": [[10**400]]}}, "weights.w[0][0] is a whole number of 1,329"),
        ({"share": 1.5}, "share is a number (1.5), not a number from 0 to 1"),
        ({"share": "a" * 500}, "share is text ('aaa"),
        (
            {"settings": {"kind": "a", "names": ["x", "\ud800"]}},
            "settings.names[1] is text ('\\ud800'), not text",
        ),
        ({"pair": [1]}, "pair is a list of 1, not a list of 2"),
    ],
)
def test_the_first_wrong_field_is_named_with_what_it_is_and_should_be(
    changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(FieldError) as caught:
        read_typed(file(**changes), File)
    assert str(caught.value).startswith(message) and len(str(caught.value)) < 150


def test_null_is_a_number_that_is_missing_only_where_that_is_said() -> None:
    with pytest.raises(FieldError, match="rate is nothing"):
        read_typed({"kind": "a", "rate": None}, Settings)
    content = {"kind": "a", "rate": None}
    assert read_typed(content, Settings, null_is_missing=True) == content


@pytest.mark.parametrize("values", [[1, 2, True], [1, 2.0], [0, 9], [3, 2**63]])
def test_a_long_list_is_read_as_strictly_as_its_entries(values: list[Any]) -> None:
    kind = list[Annotated[int, Range(1)]]
    with pytest.raises(FieldError):
        read_typed(values, kind, "counts")
