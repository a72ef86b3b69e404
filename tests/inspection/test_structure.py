"""Guesses about the columns are told from facts."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstmcast.config import DataConfig
from lstmcast.inspection.columns import infer_roles, profile_columns, with_column_roles
from lstmcast.inspection.finding import Finding
from lstmcast.inspection.findings import inspect_panel
from lstmcast.inspection.structure import list_guesses
from lstmcast.inspection.table_findings import find_in_table
from lstmcast.panel.panel import Panel
from lstmcast.tables.read import read_table

RNG = np.random.default_rng(0)


def findings(folder: Path, text: str, **requested: Any) -> dict[str, Finding]:
    path = folder / "x.csv"
    path.write_text(text)
    config = DataConfig()
    table = read_table(path, config)
    profiles = profile_columns(table)
    roles = infer_roles(table, profiles, requested)
    panel = Panel.from_table(table, roles, config)
    profiles = with_column_roles(table, profiles, panel.columns, config)
    seen = find_in_table(table, panel, profiles, requested, config)
    found = seen.add_to(inspect_panel(panel))
    return {finding.name: finding for finding in found.findings}


def days(*columns: str, count: int = 60) -> str:
    """A table of days, with columns of many numbers."""
    rows = [
        ",".join([f"2024-{1 + day // 28:02}-{1 + day % 28:02}", *map(str, numbers)])
        for day, numbers in enumerate(RNG.normal(9, 2, (count, len(columns))).round(2))
        if day < 28 * 12
    ]
    return "\n".join([",".join(["date", *columns]), *rows, ""])


def panel_text(key: str, names: list[str]) -> str:
    rows = [
        f"2024-01-{day:02},{name},{RNG.normal(9, 2):.2f}"
        for day in range(1, 29)
        for name in names
    ]
    return "\n".join([f"date,{key},y", *rows, ""])


def guesses(found: dict[str, Finding]) -> dict[str, str]:
    return dict(list_guesses(list(found.values())))


def test_one_column_of_dates_and_one_of_numbers_leave_nothing_to_guess(
    tmp_path: Path,
) -> None:
    assert guesses(findings(tmp_path, days("sold", count=28))) == {}


def test_of_several_columns_of_numbers_one_is_a_guess(tmp_path: Path) -> None:
    text = days("a", "b", "c", count=28)
    target = findings(tmp_path, text)["target"]
    assert (target.found, target.certainty) == ("a", "guess")
    assert set(target.alternatives) == {"--target b", "--target c"}
    assert guesses(findings(tmp_path, text, target=("b",))) == {}


def test_a_column_that_is_called_y_is_likely_the_target(tmp_path: Path) -> None:
    found = findings(tmp_path, days("x1", "y", count=28))
    assert (found["target"].found, found["target"].certainty) == ("y", "likely")


def test_a_key_of_texts_is_likely_and_one_of_numbers_a_guess(tmp_path: Path) -> None:
    assert guesses(findings(tmp_path, panel_text("shop", ["u", "v"]))) == {
        "series": "likely"
    }
    found = findings(tmp_path, panel_text("shop", ["101", "205", "333"]))
    assert found["series"].certainty == "guess"
    assert "--duplicates" in found["series"].alternatives[0]
    text = panel_text("shop", ["u", "v"])
    assert guesses(findings(tmp_path, text, series=("shop",))) == {}


@pytest.mark.parametrize(
    ("key", "names"),
    [
        ("slot", [str(hour) for hour in range(24)]),
        ("Stunde", ["a", "b"]),
        ("weekofyear", ["5", "9"]),
        ("at", ["00.00", "12.00"]),
    ],
)
def test_series_that_may_be_a_part_of_the_time_are_a_guess(
    key: str, names: list[str], tmp_path: Path
) -> None:
    found = findings(tmp_path, panel_text(key, names), series=())
    if found["series"].figures["count"] == 1:
        pytest.skip("read as a part of the time")
    assert found["series"].certainty == "guess"
    assert "part of the time" in found["series"].alternatives[0]


def test_rows_without_a_time_are_a_guess(tmp_path: Path) -> None:
    text = "y\n" + "\n".join(map(str, RNG.normal(9, 2, 40).round(2))) + "\n"
    found = findings(tmp_path, text)
    assert (
        found["time"].certainty == "guess" and "--time" in found["time"].alternatives[0]
    )


def test_of_two_columns_of_times_one_is_a_guess(tmp_path: Path) -> None:
    rows = [f"2024-01-{day:02},2024-02-{day:02},{day % 5}" for day in range(1, 29)]
    found = findings(tmp_path, "\n".join(["ordered,paid,y", *rows, ""]))
    assert found["time"].alternatives == ("--time paid",)


def test_a_target_of_0_and_1_is_still_one_finding(tmp_path: Path) -> None:
    rows = [f"2024-01-{day:02},{day % 3 // 2}" for day in range(1, 29)]
    found = findings(tmp_path, "\n".join(["date,rain", *rows, ""]))
    assert found["target"].found.startswith("rain: 0 and 1 only")
    assert found["target"].figures["target"] == ["rain"]
    assert "--loss bernoulli" in found["target"].done
