"""Holidays and joint targets in the real program: fitted, saved, refused where they do not fit."""

import csv
from io import StringIO
from pathlib import Path

import pytest

from tests.cli.conftest import Program


def write_days(path: Path, days: int = 60) -> Path:
    """Two columns of daily values, to 29 April 2024."""
    rows = [
        f"2024-{3 + i // 31:02}-{i % 31 + 1:02},{100 + i % 7},{50 + i % 5}"
        for i in range(days)
    ]
    path.write_text("\n".join(["day,a,b", *rows, ""]))
    return path


def test_a_run_with_holidays_and_joint_targets_forecasts_without_the_options(
    quickly: Program, tmp_path: Path
) -> None:
    write_days(tmp_path / "shop.csv")
    fitted = quickly(
        "fit",
        "shop.csv",
        "--target",
        "a",
        "--target",
        "b",
        "--joint",
        "--holidays",
        "DE",
        "--steps",
        0,
    )
    assert fitted.returncode == 0, fitted.stderr
    done = quickly("predict", fitted.stdout.strip(), "--horizon", 30)
    rows = list(csv.DictReader(StringIO(done.stdout)))
    assert (done.returncode, len(rows)) == (0, 60)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--holidays", "Atlantis"), "no holidays are known of that country"),
        (("--joint",), "more than one target"),
    ],
    ids=["country", "joint"],
)
def test_what_cannot_apply_is_refused_in_words(
    options: tuple[str, ...], message: str, quickly: Program, tmp_path: Path
) -> None:
    write_days(tmp_path / "shop.csv")
    done = quickly("fit", "shop.csv", "--target", "a", "--steps", 0, *options, "-q")
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert len(done.stderr.splitlines()) <= 3
    assert not list(tmp_path.glob("runs/*/run.json"))


def test_a_fit_says_what_a_forecast_will_need_and_the_forecast_names_what_is_missing(
    quickly: Program, tmp_path: Path
) -> None:
    write_days(tmp_path / "shop.csv")
    done = quickly("fit", "shop.csv", "--target", "a", "--future", "b", "--steps", 0)
    assert done.stderr.splitlines()[-1] == (
        "saved; next: lstmcast predict runs/shop-a --future-data FILE, with b for 14 steps"
    )
    (tmp_path / "plan.csv").write_text("day,b\n2025-01-01,3\n2025-01-02,4\n")
    done = quickly("predict", "runs/shop-a", "--future-data", "plan.csv")
    assert (done.returncode, done.stdout) == (3, "")
    assert (
        "known ahead: 2 of 2 rows come after the data, from 2025-01-01 to 2025-01-02"
        in done.stderr
    )
    assert (
        "covariates known ahead (b) are missing for 2024-04-30 to 2024-05-13 (14 steps)"
        in done.stderr
    )
