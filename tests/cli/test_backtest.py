import csv
import json
import subprocess
from pathlib import Path

import pandas as pd

from tests.cli.conftest import Program

TINY = ("--target", "price", "--steps", 2, "--members", 1, "--from", "scratch", "--hidden", 4, "--horizon", 4)


def test_the_same_bytes_at_any_number_of_jobs(lstmcast: Program, tmp_path: Path, fitted: Path) -> None:
    done: list[subprocess.CompletedProcess[str]] = []
    for jobs in (1, 2):
        line = ("backtest", fitted / "old.csv", *TINY, "--windows", 2, "-j", jobs, "-o", f"{jobs}.csv")
        done.append(lstmcast(*line))
        assert done[-1].returncode == 0, done[-1].stderr
    assert done[0].stdout == done[1].stdout
    assert [row["method"] for row in csv.DictReader(done[0].stdout.splitlines())][0] == "model"
    assert (tmp_path / "1.csv").read_bytes() == (tmp_path / "2.csv").read_bytes()
    assert "8 rows written to '1.csv'" in done[0].stderr
    forecasts = pd.read_csv(tmp_path / "1.csv")
    assert list(forecasts)[:4] == ["cutoff", "month", "actual", "forecast"]
    assert forecasts["cutoff"].tolist() == ["2014-04"] * 4 + ["2014-08"] * 4


def test_one_fit_and_a_rolling_window_are_options(lstmcast: Program, fitted: Path) -> None:
    line = (
        "backtest",
        fitted / "old.csv",
        *TINY,
        "--windows",
        2,
        "--step",
        2,
        "--no-refit",
        "--rolling",
        "--json",
        "-q",
    )
    done = lstmcast(*line)
    said = json.loads(done.stdout)
    assert (said["command"], said["verdict"]["windows"], done.stderr) == ("backtest", 2, "")


def test_too_short_a_series_says_what_is_needed(lstmcast: Program, fitted: Path) -> None:
    done = lstmcast("backtest", fitted / "old.csv", *TINY, "--horizon", 59)
    assert (done.returncode, done.stdout) == (3, "")
    assert "error: " in done.stderr
