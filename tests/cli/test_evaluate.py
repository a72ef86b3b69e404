import csv
import json
import subprocess
from pathlib import Path

from tests.cli.conftest import on_terminal, run_program


def evaluate(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return run_program("evaluate", "runs/old-price", *arguments, cwd=folder)


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.splitlines()))


def test_the_model_and_each_baseline_have_a_row_of_scores(fitted: Path) -> None:
    done = evaluate(fitted, "new.csv")
    assert done.returncode == 0
    scores = {row["method"]: row for row in rows(done.stdout)}
    assert list(scores) == ["model", "naive", "seasonal_naive", "drift"]
    assert list(scores["model"]) == ["method", "mase", "rmsse", "smape", "mae", "rmse", "wql", "coverage"]
    assert all(float(row["mae"]) > 0 for row in scores.values())
    assert (scores["model"]["coverage"] != "", scores["naive"]["coverage"]) == (True, "")
    assert done.stderr.startswith("reading new.csv\n") and " that of " in done.stderr


def test_by_step_has_a_row_for_each_step_of_the_horizon(fitted: Path) -> None:
    scores = rows(evaluate(fitted, "new.csv", "--by-step", "-q").stdout)
    assert [row["step"] for row in scores] == [str(step) for step in range(1, 13)]


def test_windows_and_steps_choose_the_origins(fitted: Path) -> None:
    said = json.loads(evaluate(fitted, "new.csv", "--json", "--step", 3, "--windows", 1).stdout)
    assert said["verdict"]["windows"] == 1
    assert said["command"] == "evaluate"


def test_nothing_newer_is_a_data_error(fitted: Path) -> None:
    done = evaluate(fitted, "old.csv")
    assert (done.returncode, done.stdout) == (3, "")
    assert "nothing newer than what the run was trained on" in done.stderr
    assert len(done.stderr.splitlines()) == 3


def test_a_gate_that_trips_exits_7_with_the_scores_on_stdout(fitted: Path) -> None:
    done = evaluate(fitted, "new.csv", "-q", "--fail-if", "skill<1")
    assert done.returncode == 7
    assert len(rows(done.stdout)) == 4
    assert done.stderr.startswith("error: quality gate not met: skill is ")


def test_a_terminal_gets_a_table_of_scores(fitted: Path) -> None:
    seen = on_terminal(["evaluate", "runs/old-price", "new.csv", "-q"], fitted, only="stdout")
    assert seen.status == 0
    assert seen.text.split()[:3] == ["method", "mase", "rmsse"]
