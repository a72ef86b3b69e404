"""Rows S1 to S9 of the faults: sizes, panels, covariates, and what is new at predict."""

import csv
import datetime
import math
import re
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from tests.cli.conftest import run_program
from tests.faults.conftest import Refused, Seen, days

HEADER = "shop,day,sold,price,event,region"
LENGTH = 60
AHEAD = 7


def sold(shop: str, i: int) -> float:
    return round(
        100 + 20 * math.sin(2 * math.pi * i / 7) + 3 * math.sin(5 * i + ord(shop)), 2
    )


def row(shop: str, i: int, **other: object) -> str:
    """Day number i of a shop; days from LENGTH on have no sales yet. `other` replaces cells."""
    cells = {
        "shop": shop,
        "day": datetime.date(2024, 1, 1) + datetime.timedelta(i),
        "sold": sold(shop, i) if i < LENGTH else "",
        "price": 4 + i % 2,
        "event": ("no", "fair", "sale")[i % 3],
        "region": {"a": "south", "b": "north"}.get(shop, "south"),
    }  # fmt: skip
    return ",".join(str(value) for value in (cells | other).values())


def write(path: Path, rows: Iterable[str], header: str = HEADER) -> Path:
    path.write_text("\n".join([header, *rows, ""]))
    return path


def plan(shops: str = "ab", steps: int = LENGTH + AHEAD, **other: object) -> list[str]:
    return [row(shop, i, **other) for shop in shops for i in range(steps)]


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of shops a and b, 60 days each, with numbers and categories known ahead and static."""
    folder = tmp_path_factory.mktemp("shops")
    write(folder / "old.csv", plan(steps=LENGTH))
    roles = (
        "--series",
        "shop",
        "--future",
        "price",
        "--future",
        "event",
        "--static",
        "region",
    )
    done = run_program(
        "fit",
        "old.csv",
        "--target",
        "sold",
        *roles,
        "--horizon",
        AHEAD,
        "--steps",
        0,
        "--seed",
        3,
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr
    return folder / "runs/old-sold"


Predicted = Callable[..., tuple[list[dict[str, str]], str]]


@pytest.fixture
def predicted(tmp_path: Path, run: Path) -> Predicted:
    """`predicted(rows)` is the forecast table that the run makes of them, and what was said."""

    def predict(
        rows: Iterable[str], header: str = HEADER, more: Iterable[object] = ()
    ) -> tuple[list[dict[str, str]], str]:
        write(tmp_path / "new.csv", rows, header)
        done = run_program("predict", run, "new.csv", *more, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        table = list(csv.DictReader(done.stdout.splitlines()))
        assert all(math.isfinite(float(line["forecast"])) for line in table)
        return table, done.stderr

    return predict  # fmt: skip


def test_s1_one_row_is_refused_with_what_is_needed_and_there(
    tmp_path: Path, refused: Refused
) -> None:
    (tmp_path / "one.csv").write_text(days(1, y=float))
    refused(
        "fit", "one.csv", "--target", "y", says=["need 3, have 1", "no context fits"]
    )


def test_s1_fewer_rows_than_context_and_horizon_name_the_context_that_fits(
    tmp_path: Path, refused: Refused
) -> None:
    (tmp_path / "few.csv").write_text(days(20, y=float))
    asked = ("fit", "few.csv", "--target", "y", "--context", 15, "--horizon", 8)
    refused(
        *asked, says=["need 23 (context 15 and horizon 8)", "has 20", "--context 12"]
    )
    refused(
        "fit",
        "few.csv",
        "--target",
        "y",
        "--horizon",
        20,
        says=["need 21", "--horizon 19"],
    )


def test_s1_a_short_but_usable_series_shrinks_the_context_by_itself(
    tmp_path: Path,
) -> None:
    (tmp_path / "few.csv").write_text(days(20, y=lambda day: day + day % 3))
    done = run_program("forecast", "few.csv", "--target", "y", cwd=tmp_path)
    assert done.returncode == 0
    assert "the network looks back 20 steps, not 28: no series is longer" in done.stderr


def test_s2_many_series_in_one_file_are_read_at_once(
    tmp_path: Path, seen: Seen
) -> None:
    rows = (f"s{n},{day},{n + day}" for n in range(20_000) for day in range(2000, 2005))
    write(tmp_path / "many.csv", rows, "id,year,y")
    found = seen("many.csv", "--target", "y", "--series", "id", timeout=30)
    assert (found["n_series"], found["steps"]) == (20_000, 100_000)


def test_s3_series_of_other_length_and_scale_are_forecast_and_the_skipped_ones_listed(
    tmp_path: Path,
) -> None:
    lengths = {"long": 200, "short": 12, "tiny": 2, "once": 1, "big": 60}
    scale = {"big": 1e9}
    start = datetime.date(2024, 1, 1)
    rows = [
        f"{name},{start + datetime.timedelta(i)},{scale.get(name, 1) * (10 + i % 7)}"
        for name, length in lengths.items()
        for i in range(length)
    ]
    write(tmp_path / "mixed.csv", rows, "id,day,y")
    done = run_program(
        "forecast", "mixed.csv", "--target", "y", "--series", "id", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert "skipped 2 of 5 series with fewer than 3 values: tiny, once" in done.stderr
    ratio: dict[str, set[bool]] = {}
    for line in csv.DictReader(done.stdout.splitlines()):
        value = float(line["forecast"]) / scale.get(line["id"], 1)
        ratio.setdefault(line["id"], set()).add(9 < value < 17)
    assert ratio == {"long": {True}, "short": {True}, "big": {True}}


def test_s4_an_unseen_series_is_forecast_from_its_own_history(
    predicted: Predicted,
) -> None:
    table, said = predicted([*plan(), *plan("c", region="west")])
    assert {line["shop"] for line in table} == {"a", "b", "c"}
    assert (
        "not seen in training: 1 of 3 series (c); forecast from their own history"
        in said
    )
    assert "covariate 'region' has values not seen in training: 'west'" in said


def test_s5_a_series_that_is_missing_or_ends_earlier_is_said_and_starts_at_its_own_end(
    predicted: Predicted,
) -> None:
    late = [row("a", i) for i in range(LENGTH + AHEAD)]
    early = [
        row("c", i, **({"sold": ""} if i >= 50 else {})) for i in range(50 + AHEAD)
    ]
    table, said = predicted([*late, *early])
    assert "missing here: 1 of 2 series (b)" in said
    assert (
        "end before 2024-02-29: 1 of 2 series (c);"
        " each is forecast from its own end, as from 2024-02-19" in said
    )
    first = {line["shop"]: line["day"] for line in reversed(table)}
    assert first == {"a": "2024-03-01", "c": "2024-02-20"}


def test_s6_a_history_shorter_than_the_context_is_forecast_from_with_what_there_is(
    predicted: Predicted,
) -> None:
    table, said = predicted(
        [*plan("a"), *(row("c", i) for i in range(LENGTH - 5, LENGTH + AHEAD))]
    )
    assert len(table) == 2 * AHEAD
    assert re.search(
        r"too short to look back \d+ steps: 1 of 2 series \(c\); forecast from what there is",
        said,
    )


def test_s6_new_rows_alone_are_forecast_from_with_the_past_that_the_run_kept(
    predicted: Predicted,
) -> None:
    later = [row(shop, i) for shop in "ab" for i in range(LENGTH - 2, LENGTH + AHEAD)]
    table, said = predicted(later)
    assert re.search(
        r"too short to look back \d+ steps: 2 of 2 series \(a, b\); the run's own past goes before",
        said,
    )
    whole, quiet = predicted(plan())
    assert (table, "too short" in quiet) == (whole, False)


def test_s7_covariates_missing_ahead_are_refused_with_series_and_dates(
    tmp_path: Path, run: Path, refused: Refused
) -> None:
    write(tmp_path / "short.csv", [*plan("a"), *plan("b", LENGTH + 2)])
    refused(
        "predict",
        run,
        "short.csv",
        says=["'b'", "2024-03-03 to 2024-03-07 (5 steps)", "price, event", "have 2"],
    )
    hole = [
        row("a", i, **({"price": ""} if i == LENGTH + 3 else {}))
        for i in range(LENGTH + AHEAD)
    ]
    write(tmp_path / "hole.csv", hole)
    refused(
        "predict",
        run,
        "hole.csv",
        says=["(price)", "'a'", "2024-03-04:", "--future-data"],
    )


def test_s8_extra_and_reordered_columns_make_no_difference(
    predicted: Predicted,
) -> None:
    expected, _ = predicted(plan())
    turned = (",".join([*reversed(line.split(",")), "junk"]) for line in plan())
    table, said = predicted(turned, ",".join([*reversed(HEADER.split(",")), "extra"]))
    assert table == expected
    assert said == "reading new.csv\n"


@pytest.mark.parametrize(
    ("column", "value", "now", "then"),
    [
        ("price", "dear", "text", "numbers"),
        ("event", 7, "numbers", "categories"),
        ("sold", "many", "text", "numbers"),
    ],
)
def test_s9_a_column_whose_type_has_changed_is_refused_as_not_of_the_run(
    column: str,
    value: object,
    now: str,
    then: str,
    tmp_path: Path,
    run: Path,
    refused: Refused,
) -> None:
    write(tmp_path / "new.csv", plan("a", **{column: value}))
    refused(
        "predict",
        run,
        "new.csv",
        status=4,
        says=[f"column {column!r} holds {now}, but held {then}"],
    )


def test_s9_a_new_category_and_a_changed_static_value_are_said(
    predicted: Predicted,
) -> None:
    rows = [*plan("a", region="north"), *plan("b", event="strike")]
    _, said = predicted(rows)
    assert "covariate 'event' has values not seen in training: 'strike'" in said
    assert "static covariate 'region' changed since training: 1 of 2 series (a)" in said


def test_evaluate_of_new_rows_alone_joins_the_history_of_the_run(
    tmp_path: Path, run: Path
) -> None:
    def evaluate(rows: Iterable[str]) -> subprocess.CompletedProcess[str]:
        write(tmp_path / "new.csv", rows)
        return run_program("evaluate", run, "new.csv", cwd=tmp_path)

    rows = {
        i: [row(shop, i, sold=100 + i % 7) for shop in "ab"]
        for i in range(LENGTH, LENGTH + 14)
    }
    alone = evaluate(line for lines in rows.values() for line in lines)
    assert alone.returncode == 0, alone.stderr
    whole = evaluate(
        [*plan(steps=LENGTH), *(line for lines in rows.values() for line in lines)]
    )
    assert alone.stdout == whole.stdout
