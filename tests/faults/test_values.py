"""Rows V1 and V4 to V7 of the faults: missing, constant, extreme and 0/1 values of the target."""

import csv
import math
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import run_program
from tests.faults.conftest import Refused, Seen, days

Forecast = Callable[..., tuple[list[float], str]]


@pytest.fixture
def forecast(tmp_path: Path) -> Forecast:
    """`forecast(text, *options)`: the forecast of column y of a file of this text, and stderr."""

    def run(text: str, *options: object) -> tuple[list[float], str]:
        (tmp_path / "x.csv").write_text(text)
        done = run_program("forecast", "x.csv", "--target", "y", *options, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        rows = [
            {name: float(value) for name, value in row.items() if name != "date"}
            for row in csv.DictReader(done.stdout.splitlines())
        ]
        assert all(math.isfinite(value) for row in rows for value in row.values())
        assert all(row["q10"] <= row["forecast"] <= row["q90"] for row in rows)
        return [row["forecast"] for row in rows], done.stderr

    return run


def wave(day: int) -> float:
    return round(100 + 20 * math.sin(2 * math.pi * day / 7) + 3 * math.sin(5 * day), 1)


def test_v1_missing_values_are_noted_and_left_missing(
    forecast: Forecast, seen: Seen
) -> None:
    text = days(31, y=lambda day: "" if day in (5, 6, 20) else wave(day))
    values, said = forecast(text)
    assert "missing target values: 3, left missing" in said
    assert all(60 < value < 140 for value in values)
    gaps = seen("x.csv")["findings"]["gaps"]
    assert (gaps["steps"], gaps["count"], "--fill" in gaps["done"]) == (3, 2, True)


@pytest.mark.parametrize("value", [0, -7.25])
def test_v4_a_constant_series_is_forecast_as_that_constant(
    value: float, forecast: Forecast
) -> None:
    values, _ = forecast(days(31, y=lambda _: value))
    assert values == pytest.approx([value] * len(values), rel=1e-2)


@pytest.mark.parametrize("unit", ["1e298", "1e-322", "-1e298"])
def test_v5_values_at_the_ends_of_floating_point_neither_overflow_nor_vanish(
    unit: str, forecast: Forecast
) -> None:
    values, _ = forecast(days(31, y=lambda day: f"{wave(day) * float(unit)!r}"))
    assert all(60 < value / float(unit) < 140 for value in values)


def test_v7_a_target_of_categories_is_refused(tmp_path: Path, refused: Refused) -> None:
    (tmp_path / "x.csv").write_text(
        days(31, y=lambda day: "high" if day % 3 else "low")
    )
    refused(
        "fit",
        "x.csv",
        "--target",
        "y",
        says=[
            "x.csv:2",
            "column 'y': 'high' is not a number",
            "'low' 10 times",
            "a 0/1 column",
        ],
    )


def test_v6_logarithms_of_values_that_have_none_are_refused_before_training(
    tmp_path: Path, refused: Refused
) -> None:
    (tmp_path / "x.csv").write_text(
        days(31, y=lambda day: 0 if day == 9 else wave(day))
    )
    says = ["--transform log needs values above 0: 0 at 2024-03-09", "choose none"]
    refused("fit", "x.csv", "--target", "y", "--transform", "log", status=2, says=says)


@pytest.mark.parametrize("words", [("0", "1"), ("false", "true"), ("no", "yes")])
def test_v7_a_boolean_target_is_refused_unless_a_probability_is_requested(
    words: tuple[str, str], tmp_path: Path, refused: Refused
) -> None:
    (tmp_path / "x.csv").write_text(days(31, y=lambda day: words[day % 3 == 0]))
    refused(
        "fit",
        "x.csv",
        "--target",
        "y",
        says=["the target holds only 0 and 1", "--loss bernoulli"],
    )


def test_v7_a_boolean_target_gives_a_probability_on_request(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(days(31, y=lambda day: str(day % 3 == 0)))
    done = run_program(
        "fit",
        "x.csv",
        "--target",
        "y",
        "--loss",
        "bernoulli",
        "--steps",
        0,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    made = run_program("predict", "runs/x-y", cwd=tmp_path)
    rows = list(csv.DictReader(made.stdout.splitlines()))
    assert rows and all(0 < float(row["probability"]) < 1 for row in rows)
