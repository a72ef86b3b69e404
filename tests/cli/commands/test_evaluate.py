import csv
import json
import subprocess
from pathlib import Path

from tests.cli.conftest import Program, on_terminal, run_program


def evaluate(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return run_program("evaluate", "runs/old-price", *arguments, cwd=folder)


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.splitlines()))


def test_the_model_and_each_baseline_have_a_row_of_scores(fitted: Path) -> None:
    done = evaluate(fitted, "new.csv")
    assert done.returncode == 0
    scores = {row["method"]: row for row in rows(done.stdout)}
    assert list(scores) == [
        *("model", "naive", "seasonal_naive", "drift"),
        *("mean", "median", "seasonal_mean", "theta"),
    ]
    assert list(scores["model"]) == [
        "method",
        "mase",
        "rmsse",
        "smape",
        "mae",
        "rmse",
        "wql",
        "coverage",
    ]
    assert all(float(row["mae"]) > 0 for row in scores.values())
    assert (scores["model"]["coverage"] != "", scores["naive"]["coverage"]) == (
        True,
        "",
    )
    assert done.stderr.startswith("reading new.csv\n") and " that of " in done.stderr


def test_by_step_has_a_row_for_each_step_of_the_horizon(fitted: Path) -> None:
    scores = rows(evaluate(fitted, "new.csv", "--by", "step", "-q").stdout)
    assert [row["step"] for row in scores] == [str(step) for step in range(1, 13)]


def test_windows_and_steps_choose_the_origins(fitted: Path) -> None:
    content = json.loads(
        evaluate(fitted, "new.csv", "--json", "--step", 3, "--windows", 1).stdout
    )
    assert content["verdict"]["windows"] == 1
    assert content["command"] == "evaluate"


def test_nothing_newer_is_a_data_error(fitted: Path) -> None:
    done = evaluate(fitted, "old.csv")
    assert (done.returncode, done.stdout) == (3, "")
    assert "nothing newer than what the run was trained on" in done.stderr
    assert len(done.stderr.splitlines()) == 3


def test_a_terminal_gets_a_table_of_scores(fitted: Path) -> None:
    screen = on_terminal(
        ["evaluate", "runs/old-price", "new.csv", "-q"], fitted, only="stdout"
    )
    assert screen.status == 0
    assert screen.text.split()[:3] == ["method", "mase", "rmsse"]


def test_by_series_has_a_row_for_each_series_under_its_own_key(
    quickly: Program, tmp_path: Path
) -> None:
    months = [f"{2018 + i // 12}-{i % 12 + 1:02}-01" for i in range(36)]
    lines = [
        f"{shop},{m},{i * k % 7 + 3}"
        for shop, k in (("north", 2), ("south", 3))
        for i, m in enumerate(months)
    ]
    (tmp_path / "old.csv").write_text("\n".join(["shop,month,sold", *lines, ""]))
    more = [
        f"{shop},2021-{m:02}-01,{m + 3}"
        for shop in ("north", "south")
        for m in range(1, 4)
    ]
    (tmp_path / "new.csv").write_text("\n".join(["shop,month,sold", *lines, *more, ""]))
    options = (
        "--target",
        "sold",
        "--series",
        "shop",
        "--horizon",
        3,
        "--steps",
        0,
        "--out",
        "run",
        "-q",
    )
    assert quickly("fit", "old.csv", *options, cwd=tmp_path).returncode == 0
    verdict = json.loads((tmp_path / "run" / "metrics.json").read_text())["verdict"]
    assert [row["key"] for row in verdict["by_series"]] == [["north"], ["south"]]
    scores = rows(
        quickly(
            "evaluate", "run", "new.csv", "--by", "series", "-q", cwd=tmp_path
        ).stdout
    )
    assert [row["shop"] for row in scores] == ["north", "south"]
    assert all(
        float(row["mae"]) > 0 and float(row["baseline_mae"]) > 0 and row["skill"]
        for row in scores
    )


def test_a_day_without_new_rows_is_no_error_where_that_is_said(fitted: Path) -> None:
    gate = ("--fail-if", "mase>0", "--if-nothing-new", "skip")
    done = evaluate(fitted, "old.csv", *gate)
    assert (done.returncode, done.stdout) == (0, "")
    assert "skipped: nothing newer than" in done.stderr
    quiet = evaluate(fitted, "old.csv", *gate, "-q")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
    content = json.loads(evaluate(fitted, "old.csv", *gate, "--json").stdout)
    assert (content["new_rows"], content["verdict"]) == (0, None)
    hint = evaluate(fitted, "old.csv").stderr.splitlines()[-1]
    assert "--if-nothing-new skip" in hint


def test_a_gate_waits_for_as_many_new_rows_as_are_asked_for(fitted: Path) -> None:
    gate = ("--fail-if", "mase>0")
    early = evaluate(fitted, "new.csv", *gate, "--min-rows", 13)
    assert early.returncode == 0
    assert early.stdout.startswith("method,mase")
    assert "--fail-if does not count yet: 12 of 13 newer rows" in early.stderr
    due = evaluate(fitted, "new.csv", *gate, "--min-rows", 12)
    assert (due.returncode, due.stdout) == (7, early.stdout)
    assert evaluate(fitted, "new.csv", "--min-rows", 0).returncode == 2


def test_forecasts_of_newer_rows_are_drawn_beside_them(
    quickly: Program, fitted: Path, tmp_path: Path
) -> None:
    place = tmp_path / "newer.svg"
    line = ("evaluate", "runs/old-price", "new.csv", "--plot", place, "-q")
    done = quickly(*line, "--plot-history", 5, cwd=fitted)
    assert done.returncode == 0, done.stderr
    text = place.read_text()
    assert "Forecasts of price from past dates" in text and "80 % interval" in text
