"""A run in words: sizes, skill and times as people say them."""

from typing import Any

import pytest

from lstmcast.cli.show.run_summary import (
    describe_skill,
    format_making_time,
    format_size,
    summarise_run,
)

FACTS: dict[str, Any] = {
    "horizon": 14,
    "season": 1,
    "data": {
        "columns": {"target": ["sold"]},
        "series": 1200,
        "steps": 98765,
        "freq": "D",
    },
    "verdict": None,
    "versions": {},
    "made": {},
    "files": {"a": {"bytes": 1000}, "b": {"bytes": 2000}},
}


def test_of_an_older_run_only_what_it_knows_is_said() -> None:
    assert summarise_run("runs/x", FACTS) == [
        "sold: 1,200 series, 98,765 steps (D)",
        "forecasts 14 steps ahead, no season",
        "made at an unknown time with lstmcast unknown, 3 KiB",
        "too short to say how good it is",
        "next: lstmcast predict runs/x",
    ]


def test_a_time_is_said_to_the_minute() -> None:
    made = {"at": "2026-01-31T09:30:59Z"}
    assert format_making_time(made) == "2026-01-31 09:30 UTC"


@pytest.mark.parametrize(
    ("skill", "words"),
    [
        (0.256, "26 % better than drift, mase 0.750"),
        (-0.051, "5 % worse than drift, mase 0.750"),
        (0.0, "as good as drift, mase 0.750"),
        (None, "not comparable with drift"),
    ],
)
def test_skill_is_said_in_words(skill: float | None, words: str) -> None:
    verdict = {"skill": skill, "best_baseline": "drift", "model": {"mase": 0.75}}
    assert describe_skill(verdict) == words


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (2048, "2 KiB"),
        (5 << 20, "5 MiB"),
        (9 << 40, "9216 GiB"),
    ],
)
def test_a_size_is_in_a_unit_that_suits_it(size: int, text: str) -> None:
    assert format_size(size) == text
