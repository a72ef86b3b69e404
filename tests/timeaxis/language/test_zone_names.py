"""Names of clocks: their offsets, those with several meanings, and how one is named again."""

import pytest

from lstmcast.timeaxis.language.zone_names import (
    OFFSET_MINUTES_BY_NAME,
    ZONES_BY_AMBIGUOUS_NAME,
    find_offset_minutes,
    is_zone_name,
    name_clock,
)


def test_no_name_is_both_sure_and_ambiguous() -> None:
    assert not OFFSET_MINUTES_BY_NAME.keys() & ZONES_BY_AMBIGUOUS_NAME.keys()
    assert is_zone_name("CEST")
    assert is_zone_name("IST")
    assert not is_zone_name("SKU")


@pytest.mark.parametrize(
    ("name", "zone", "minutes"),
    [
        ("CET", None, 60),
        ("EST", None, -300),
        ("IST", None, None),
        ("IST", "Asia/Kolkata", 330),
        ("IST", "Asia/Jerusalem", 120),
        ("CST", "America/Chicago", -360),
        ("CST", "Asia/Shanghai", 480),
        ("CST", "+01:00", None),
    ],
)
def test_a_zone_says_what_a_name_means(
    name: str, zone: str | None, minutes: int | None
) -> None:
    assert find_offset_minutes(name, zone) == minutes


@pytest.mark.parametrize("name", ZONES_BY_AMBIGUOUS_NAME)
def test_zones_that_are_proposed_know_the_name(name: str) -> None:
    for zone in ZONES_BY_AMBIGUOUS_NAME[name]:
        assert find_offset_minutes(name, zone) is not None, zone


def test_a_clock_is_named_in_the_family_of_the_known_ones() -> None:
    assert name_clock(-240, {"EST": -300}) == "EDT"
    assert name_clock(120, {"CET": 60}) == "CEST"
    assert name_clock(345, {"EST": -300}) == "+0545"
    assert name_clock(330, {"IST": 330}) == "IST"
