"""Files whose cells were read as something else than they are."""

import csv
import io
from pathlib import Path

import pytest

from tests.cli.conftest import run_program
from tests.conftest import shared_file

FORECAST = ("forecast", "--horizon", "2", "--target", "y")


def forecast(path: Path, *options: str) -> list[dict[str, str]]:
    done = run_program(*FORECAST, path, *options)
    assert done.returncode == 0, done.stderr
    return list(csv.DictReader(io.StringIO(done.stdout)))


@pytest.mark.parametrize("marker", ["-999", "-9.99e2"])
def test_a_number_that_means_missing_is_missing(marker: str, tmp_path: Path) -> None:
    path = shared_file("reports/na_num.csv")
    rows = forecast(path, "--na", marker)
    assert [round(float(row["forecast"])) for row in rows] == [110, 120]

    # As an empty cell, and in a file with blanks elsewhere, it is read the same.
    blank = tmp_path / "blank.csv"
    blank.write_text(path.read_text().replace(",-999", ","))
    assert forecast(blank) == rows
    both = tmp_path / "both.csv"
    both.write_text(path.read_text().replace(",-999", ",", 1))
    assert forecast(both, "--na", marker) == rows


def test_a_column_of_periods_is_read_as_periods() -> None:
    path = shared_file("reports/x_period.parquet")
    done = run_program("inspect", path)
    assert done.returncode == 0
    assert "daily (D), from 2021-01-01 to 2021-04-30" in done.stdout
    assert [row["date"] for row in forecast(path)] == ["2021-05-01", "2021-05-02"]
