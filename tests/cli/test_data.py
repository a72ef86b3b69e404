"""Names of runs."""

import os
from pathlib import Path

import pytest

from lstmcast.cli.data import default_run_path


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
