"""Single settings are checked: names, zones, choices, ranges; durations and levels are read."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pytest

from lstmcast.errors import ArgumentError, UsageError
from lstmcast.validation import (
    option_name,
    parse_duration,
    parse_quantile_levels,
    require_at_least,
    require_kinds,
    require_known_keys,
    require_time_zone,
)


@dataclass
class Settings:
    colour: Literal["red", "blue"] = "red"
    batch_size: float | None = None


@dataclass
class Kinds:
    count: int | None = None
    share: float = 0.5
    is_on: bool = False
    name: str | None = None
    either: float | str | None = None
    names: tuple[str, ...] = ()


def test_a_setting_is_named_as_its_option() -> None:
    assert option_name("batch_size") == "--batch-size"


def test_a_key_that_is_not_known_is_refused_with_the_one_that_may_be_meant() -> None:
    require_known_keys({"loss": 1}, ["loss"], "setting")
    with pytest.raises(UsageError, match="unknown setting 'los'; did you mean 'loss'"):
        require_known_keys({"los": 1}, ["loss"], "setting")


def test_a_value_that_is_no_choice_of_its_type_is_refused() -> None:
    require_kinds(Settings("blue"))
    with pytest.raises(UsageError, match="colour='rde' is unknown; .*'red'"):
        require_kinds(Settings("rde"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"count": "7"}, "count='7' of type 'str' cannot be used; give a whole number"),
        ({"count": 2.5}, "give a whole number"),
        ({"count": True}, "give a whole number"),
        ({"share": None}, "share=None .* give a number"),
        ({"share": "a"}, "give a number"),
        ({"is_on": "yes"}, "give True or False"),
        ({"name": 3}, "give text"),
        ({"either": ()}, "give a number or text"),
    ],
)
def test_a_value_of_another_kind_is_refused_with_the_kind_that_is_wanted(
    values: dict[str, Any], message: str
) -> None:
    with pytest.raises(ArgumentError, match=message):
        require_kinds(Kinds(**values))
    assert issubclass(ArgumentError, TypeError)


def test_values_of_their_kind_may_be_those_of_numpy() -> None:
    require_kinds(Kinds(np.int64(3), np.float32(0.5), np.bool_(True), "a", 1.5))
    require_kinds(Kinds(is_on=0, share=1))  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [0, -1, float("nan")])
def test_a_number_below_the_least_is_refused_and_so_is_none_at_all(
    value: float,
) -> None:
    with pytest.raises(UsageError, match="out of range; give 1 or more"):
        require_at_least(Settings(batch_size=value), 1, "batch_size")
    require_at_least(Settings(batch_size=None), 1, "batch_size")


@pytest.mark.parametrize("zone", ["Europe/Berlin", "+01:00", "UTC"])
def test_zones_and_offsets_are_time_zones(zone: str) -> None:
    require_time_zone(zone)


@pytest.mark.parametrize("zone", ["Europe/Berln", "../etc", "+1"])
def test_other_texts_are_not(zone: str) -> None:
    with pytest.raises(UsageError, match="is not known"):
        require_time_zone(zone)


def test_durations_and_levels_are_read_from_text() -> None:
    assert parse_duration("1.5h", "--time-budget") == 5400
    assert parse_quantile_levels("0.9,0.1") == (0.1, 0.9)
