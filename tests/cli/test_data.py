"""Names of runs, and columns that are found in the data."""

import os
from pathlib import Path

import pytest

from lstmcast.cli.data import default_run_path
from tests.cli.conftest import Program, write_months, write_shops


@pytest.mark.parametrize(
    ("source", "targets", "expected"),
    [
        ("data/air.csv", ("price",), "air-price"),
        ("data/air.2024.CSV.gz", ("a", "b"), "air.2024-a-b"),
        ("-", ("y",), "stdin-y"),
        ("sales/*.parquet", ("y",), "sales-y"),
        ("x.csv", ("../../etc/passwd",), "x-.._.._etc_passwd"),
        ("..hidden.csv", ("y",), "hidden-y"),
        ("con.csv", ("y",), "con-y"),
        ("a/sales.xlsx::May 24", ("y",), "sales-May_24-y"),
        ("shop.duckdb::sales", ("y",), "shop-sales-y"),
        ("https://example.org/price.csv?key=1", ("y",), "price-y"),
        ("s3://bucket/price.jsonl.gz", ("y",), "price-y"),
        ("con.x.csv", ("y",), "_con.x-y"),
        ("é.csv", ("größe (cm)",), "é-größe_cm_"),
    ],
)
def test_a_run_is_put_under_runs_by_the_name_of_its_file_and_target(
    source: str, targets: tuple[str, ...], expected: str
) -> None:
    assert default_run_path(source, targets) == Path("runs", expected)


def test_very_long_names_are_cut_and_stay_distinct() -> None:
    paths = {default_run_path("x.csv", ("é" * 300 + end,)) for end in "ab"}
    assert len(paths) == 2
    assert all(len(os.fsencode(path.name)) <= 100 for path in paths)


@pytest.mark.parametrize("command", ["fit", "forecast", "backtest", "tune"])
def test_the_target_may_be_left_out_where_one_column_holds_numbers(
    command: str, quickly: Program, tmp_path: Path
) -> None:
    write_months(tmp_path / "x.csv", 60)
    dry_run = [] if command == "forecast" else ["--dry-run"]
    done = quickly(command, "x.csv", *dry_run)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[:2] == [
        "reading x.csv",
        "  target is 'price', the only column of numbers",
    ]


def test_a_fit_without_a_target_is_named_and_resumed_as_with_one(
    quickly: Program, tmp_path: Path
) -> None:
    write_months(tmp_path / "x.csv", 60)
    named = quickly("fit", "x.csv", "--target", "price", "--steps", 0, "--out", "a")
    found = quickly("fit", "x.csv", "--steps", 0, "-q")
    assert (named.returncode, found.stdout) == (0, "runs/x-price\n")
    weights = [tmp_path / run / "model.safetensors" for run in ("a", "runs/x-price")]
    assert weights[0].read_bytes() == weights[1].read_bytes()
    again = quickly("fit", "x.csv", "--steps", 0, "--resume")
    assert (again.returncode, again.stdout) == (0, "runs/x-price\n")
    assert "holds a run already: skipped" in again.stderr


def test_several_columns_of_numbers_are_listed(
    quickly: Program, tmp_path: Path
) -> None:
    write_shops(tmp_path / "x.csv")
    done = quickly("fit", "x.csv")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[1:] == [
        "error: x.csv has 2 columns of numbers: 'sold', 'price'",
        "  name the one to forecast with --target, such as --target sold",
    ]


@pytest.mark.parametrize("command", ["fit", "forecast"])
def test_the_series_column_that_is_missing_is_proposed_and_does(
    command: str, quickly: Program, tmp_path: Path
) -> None:
    write_shops(tmp_path / "x.csv")
    done = quickly(command, "x.csv", "--target", "sold")
    assert (done.returncode, done.stdout) == (3, "")
    hint = done.stderr.splitlines()[-1].strip()
    assert hint == (
        "if these are several series, name them: --series shop; "
        "or say what to do with --duplicates first, last, mean or sum"
    )
    more = ["--dry-run"] if command == "fit" else []
    words = ("--target", "sold", "--series", "shop")
    assert quickly(command, "x.csv", *words, *more).returncode == 0
