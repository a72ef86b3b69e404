"""Reported files about the regular grid: steps missed, closed, empty, ended or repeated."""

import json
import re
import shlex
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from lstmcast.cli.app import run_command_line
from tests.conftest import shared_file


class Done(NamedTuple):
    """What a command did: its exit status, and what it wrote to stdout and to stderr."""

    status: int
    out: str
    err: str

    @property
    def frame(self) -> pd.DataFrame:
        """The table on stdout."""
        return pd.read_csv(StringIO(self.out))


Run = Callable[..., Done]


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Run a command in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def call(*words: object) -> Done:
        capsys.readouterr()
        status = run_command_line([str(word) for word in words])
        out, err = capsys.readouterr()
        return Done(status, out, err)

    return call


def report(name: str) -> Path:
    return shared_file(f"reports/{name}.csv")


def hinted_options(err: str) -> list[str]:
    """The options that the hint of an error names, as words of a command line."""
    hint = err.strip().splitlines()[-1]
    first_way = re.split(r"[,;] or ", hint)[0]
    return shlex.split(" ".join(re.findall(r"--[a-z-]+ (?!--)[^\s,;]+", first_way)))


def test_times_that_are_some_seconds_off_lie_on_their_quarter_hours(run: Run) -> None:
    found = run("inspect", report("jitter15"), "--target", "temp", "--json")
    seen = json.loads(found.out)
    assert (seen["freq"], seen["steps"]) == ("15min", 1344)
    assert any("moved to the nearest" in note for note in seen["notes"])
    done = run("forecast", report("jitter15"), "--target", "temp", "--horizon", 3)
    stamps = ["2022-01-15 00:00:00", "2022-01-15 00:15:00", "2022-01-15 00:30:00"]
    assert done.frame["timestamp"].tolist() == stamps
    assert done.frame["forecast"].between(19, 22).all()


def test_periods_of_four_and_five_weeks_go_on_as_they_are(run: Run) -> None:
    file = report("c445")
    refused = run("forecast", file, "--target", "revenue")
    assert refused.status == 3
    options = hinted_options(refused.err)
    assert options == ["--time", "none", "--season", "12"]
    done = run("forecast", file, "--target", "revenue", *options)
    # All 72 periods are there, none is averaged, and the next year follows.
    data = pd.read_csv(file)
    last_year = data["revenue"].iloc[-12:].to_numpy()
    growth = done.frame["forecast"].to_numpy() / last_year
    assert len(growth) == 12
    assert np.abs(growth - 1).max() < 0.15


def test_days_of_a_zone_are_told_to_name_it(run: Run) -> None:
    file = report("daily_utc_of_london")
    refused = run("forecast", file, "--target", "y")
    options = hinted_options(refused.err)
    assert "--tz" in options
    assert "mean" not in refused.err
    found = run("inspect", file, "--target", "y", *options, "--json")
    seen = json.loads(found.out)
    rows = len(pd.read_csv(file))
    assert (seen["freq"], seen["steps"]) == ("D", rows)


def test_days_that_never_occur_are_not_forecast(run: Run) -> None:
    file = report("closed_sundays")
    done = run("forecast", file, "--target", "y", "--horizon", 14)
    days = pd.to_datetime(done.frame["Date"], format="%d-%b-%y")
    open_days = pd.date_range("2023-01-02", periods=16)
    assert days.tolist() == [day for day in open_days if day.weekday() != 6]
    assert "sun: closed" in done.err
    every_day = run(
        *("forecast", file, "--target", "y", "--horizon", 14, "--closed", "none")
    )
    assert every_day.frame["Date"].iloc[0] == "01-Jan-23"


def test_a_sum_of_no_rows_is_zero(run: Run) -> None:
    options = ("--target", "qty", "--resample", "D:sum")
    file = report("transactions")
    found = json.loads(run("inspect", file, *options, "--json").out)
    assert found["steps"] == 364
    assert "168 steps without rows: their sum is 0" in found["notes"]
    done = run("forecast", file, *options, "--horizon", 7)
    data = pd.read_csv(file)
    a_day = data["qty"].sum() / 364
    # The middle of days without sales and days with several is below their mean.
    assert (done.frame["forecast"] < a_day).all()


@pytest.mark.parametrize("rows", [600, 2000])
def test_minutes_have_a_horizon_that_suits_their_length(run: Run, rows: int) -> None:
    frame = pd.read_csv(report("min_2000")).iloc[:rows]
    frame.to_csv("minutes.csv", index=False)
    done = run("fit", "minutes.csv", "--target", "y", "--dry-run", "--json")
    facts = json.loads(done.out)
    assert (facts["steps"], facts["horizon"]) == (rows, 60)
    assert facts["context"] < rows / 2
    # The probe runs beside the other tests in this process, whose memory counts too.
    assert facts["memory"] < 5 * 2**30


def test_series_that_ended_before_the_others_are_said(run: Run) -> None:
    file = report("panel_lengths")
    options = ("--target", "units", "--series", "sku", "--horizon", 2)
    done = run("forecast", file, *options)
    assert "1 of 8 series end before 2023-06-30: gone" in done.err
    assert "--ended drop" in done.err
    found = run("inspect", file, *options[:4], "--json")
    assert any("end before" in note for note in json.loads(found.out)["notes"])

    fitted = run("fit", file, *options, "--steps", 0, "--out", "run")
    assert "end before 2023-06-30: gone" in fitted.err
    assert "end before 2023-06-30" in run("predict", "run").err

    dropped = run("forecast", file, *options, "--ended", "drop").frame
    assert set(done.frame["sku"]) - set(dropped["sku"]) == {"gone"}
    extended = run("forecast", file, *options, "--ended", "extend").frame
    assert extended.groupby("sku")["date"].first().eq("2023-07-01").all()
    assert extended["forecast"].notna().all()


def test_an_option_that_predict_names_is_one_that_it_has(run: Run) -> None:
    run("fit", report("n_train"), *("--target", "y", "--steps", 0, "--out", "run"))
    refused = run("predict", "run", report("n_dup"))
    assert refused.status == 3
    assert "--duplicates" in refused.err
    assert "--series" not in refused.err
    for policy in ("first", "last", "mean"):
        done = run("predict", "run", report("n_dup"), "--duplicates", policy)
        assert done.status == 0
        assert done.frame["date"].iloc[0] == "2022-11-27"
