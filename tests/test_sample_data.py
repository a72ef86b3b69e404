"""The sample files are what their README says."""

import csv
import subprocess
import sys
from collections import defaultdict
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest

from tests.conftest import SAMPLE_DATA

INVENTED = ("price.csv", "shop.csv")


def rows(name: str) -> list[dict[str, str]]:
    with (SAMPLE_DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def made_again(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample_data")
    subprocess.run(
        [sys.executable, SAMPLE_DATA / "make.py", folder], check=True, timeout=60
    )
    return folder


@pytest.mark.parametrize("name", INVENTED)
def test_an_invented_file_is_made_again_byte_for_byte(
    made_again: Path, name: str
) -> None:
    assert (made_again / name).read_bytes() == (SAMPLE_DATA / name).read_bytes()


def test_the_readme_lists_exactly_the_files_there_are() -> None:
    text = (SAMPLE_DATA / "README.md").read_text(encoding="utf-8")
    listed = {
        line.split("`")[1] for line in text.splitlines() if line.startswith("| `")
    }
    assert listed == {path.name for path in SAMPLE_DATA.glob("*.csv")}


def test_the_price_has_one_row_for_each_day_of_two_years() -> None:
    days = [date.fromisoformat(row["date"]) for row in rows("price.csv")]
    assert (days[0], days[-1]) == (date(2023, 1, 1), date(2024, 12, 31))
    assert all((later - day).days == 1 for day, later in pairwise(days))


def test_every_shop_sells_until_the_end_of_the_year_and_plans_two_weeks_more() -> None:
    sold, planned = {}, defaultdict(list)
    for row in rows("shop.csv"):
        if row["sold"]:
            sold[row["shop"]] = row["date"]
        else:
            planned[row["shop"]].append(row["date"])
    assert sold == dict.fromkeys(sold, "2024-12-31")
    assert planned == dict.fromkeys(sold, [f"2025-01-{day:02}" for day in range(1, 15)])


def test_the_months_of_co2_follow_each_other_without_a_gap() -> None:
    months = [date.fromisoformat(row["month"]) for row in rows("co2.csv")]
    assert all(day.day == 1 for day in months)
    assert {
        (later.year - day.year) * 12 + later.month - day.month
        for day, later in pairwise(months)
    } == {1}


def test_the_years_of_sunspots_follow_each_other_without_a_gap() -> None:
    assert [int(row["year"]) for row in rows("sunspots.csv")] == list(range(1700, 2009))
