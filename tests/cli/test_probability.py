"""A target of 0 and 1 through the program: probabilities out, judged beside the base rate."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.cli.conftest import Program, run_program

MEASURES = "method,brier,log_loss,auc,calibration"


def write_days(path: Path, days: int) -> Path:
    rows = [f"{date(2024, 1, 1) + timedelta(i)},{int(i % 5 == 0)}" for i in range(days)]
    path.write_text("\n".join(["day,wet", *rows, ""]))
    return path


@pytest.fixture(scope="module")
def rain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `old.csv` (60 days), `new.csv` (80 days) and the run `run` of the former."""
    folder = tmp_path_factory.mktemp("rain")
    write_days(folder / "old.csv", 60)
    write_days(folder / "new.csv", 80)
    line = (
        "fit",
        "old.csv",
        "--target",
        "wet",
        "--loss",
        "bernoulli",
        "--steps",
        0,
        "--horizon",
        10,
        "--out",
        "run",
    )
    done = run_program(*line, cwd=folder)
    assert (done.returncode, done.stdout) == (0, "run\n"), done.stderr
    assert "base rate" in done.stderr
    assert [line.split()[0] for line in done.stderr.splitlines()[-4:-1]] == [
        "method",
        "model",
        "base_rate",
    ]
    return folder


def test_the_forecast_is_a_probability_and_has_no_quantiles(
    rain: Path, lstmcast: Program
) -> None:
    lines = lstmcast("predict", rain / "run").stdout.splitlines()
    assert lines[0] == "day,probability"
    assert [line.split(",")[0] for line in lines[1:]] == [
        str(date(2024, 3, 1) + timedelta(i)) for i in range(10)
    ]
    assert all(0 <= float(line.split(",")[1]) <= 1 for line in lines[1:])
    refused = lstmcast("predict", rain / "run", "--quantiles", "0.2,0.8")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert (
        refused.stderr
        == "error: --quantiles 0.2,0.8: a probability has none\n  leave it out\n"
    )


def test_an_evaluation_compares_with_the_base_rate_and_gates_can_ask_for_it(
    rain: Path, lstmcast: Program
) -> None:
    done = lstmcast(
        "evaluate",
        rain / "run",
        rain / "new.csv",
        "--fail-if",
        "auc<0",
        "--fail-if",
        "brier>=0",
    )
    lines = done.stdout.splitlines()
    assert (done.returncode, lines[0]) == (7, MEASURES)
    assert [line.split(",")[0] for line in lines[1:]] == ["model", "base_rate"]
    assert "quality gate not met: brier is" in done.stderr
    verdict = json.loads(
        lstmcast("evaluate", rain / "run", rain / "new.csv", "--json").stdout
    )["verdict"]
    assert (verdict["best_baseline"], verdict["model"]["mase"]) == ("base_rate", None)


def test_other_targets_are_refused_before_anything_is_learnt(
    tmp_path: Path, lstmcast: Program
) -> None:
    write_days(tmp_path / "x.csv", 40).write_text(
        (tmp_path / "x.csv").read_text().replace(",1", ",7")
    )
    done = lstmcast("fit", "x.csv", "--target", "wet", "--loss", "bernoulli")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-2:] == [
        "error: --loss bernoulli needs a target of 0 and 1; it has 7 (and 7 more)",
        "  choose another --loss",
    ]  # fmt: skip


@pytest.mark.parametrize("command", ["predict", "evaluate", "detect"])
def test_newer_values_that_are_neither_0_nor_1_are_an_error_of_the_data(
    command: str, rain: Path, quickly: Program, tmp_path: Path
) -> None:
    write_days(tmp_path / "new.csv", 79)
    with (tmp_path / "new.csv").open("a") as file:
        file.write("2024-03-20,-1e308\n")
    done = quickly(command, rain / "run", "new.csv")
    assert done.returncode == 3
    *_, message, hint = done.stderr.splitlines()
    assert message == (
        "error: the run was trained on a target of 0 and 1: -1e+308 at 2024-03-20"
    )
    assert hint == "  give 0, 1, or nothing where it is not known"
