"""What `inspect` says of files that misled it, and the sensor that was stuck for four days."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Program
from tests.conftest import shared_file


def report_file(name: str) -> Path:
    return shared_file(f"reports/{name}")


@pytest.fixture
def inspected(quickly: Program) -> Any:
    """Return a function that inspects one of the files, as JSON."""

    def run(name: str, *options: object) -> dict[str, Any]:
        done = quickly("inspect", report_file(name), *options, "--json", "-q")
        assert done.returncode == 0, done.stderr
        content: dict[str, Any] = json.loads(done.stdout)
        return content

    return run


def test_a_sensor_stuck_for_four_days_is_one_event(quickly: Program) -> None:
    train = report_file("det_train.csv")
    options = ("--target", "v", "--steps", 0, "--out", "run", "-q")
    assert quickly("fit", train, *options).returncode == 0
    done = quickly("detect", "run", report_file("det_stuck.csv"), "--json", "-q")
    content = json.loads(done.stdout)
    [event] = [one for one in content["events"] if one["kind"] == "stuck"]
    assert len(content["events"]) <= 2 and content["anomalies"] <= 2
    assert (event["from"], event["to"]) == ("2023-03-22 21:00", "2023-03-26 23:00")
    assert (event["value"], event["rows"], content["stuck"]) == (500.0, 99, 95)


@pytest.mark.parametrize(
    ("name", "value"),
    [("last_row_partial.csv", 12.0), ("last_row_typo.csv", 10_990.0)],
)
def test_an_unlikely_last_value_is_named(
    name: str, value: float, inspected: Any
) -> None:
    newest = inspected(name)["findings"]["newest"]
    assert (newest["value"], newest["last"], newest["time"]) == (
        value,
        True,
        "2022-07-19",
    )
    assert newest["expected"] == pytest.approx(109, abs=8)
    assert "the last value" in newest["found"] and newest["done"]


def test_an_unlikely_value_in_the_last_season_is_named(inspected: Any) -> None:
    found = inspected("out_7.csv")["findings"]
    assert found["outliers"]["farthest"][0]["value"] == 100_000
    assert (found["newest"]["value"], found["newest"]["last"]) == (100_000, False)
    assert "withstand" not in found["outliers"]["done"]


def test_a_jump_five_days_ago_is_a_jump_and_no_outlier(inspected: Any) -> None:
    found = inspected("v_shift_recent.csv")["findings"]
    assert found["jump"]["time"] == "2022-07-15"
    assert found["outliers"]["count"] == 0


def test_a_number_that_means_missing_is_named_with_its_option(inspected: Any) -> None:
    content = inspected("m999.csv")
    sentinel = content["findings"]["sentinel"]
    assert sentinel["found"].startswith("-999 5 times")
    assert sentinel["done"] == "missing? then say --na -999"
    assert content["findings"]["outliers"]["count"] == 0
    with_option = inspected("m999.csv", "--na", "-999")
    if with_option["findings"]["gaps"]["steps"] == 5:  # as it was read
        assert "sentinel" not in with_option["findings"]


def test_counts_are_proposed_their_own_loss(inspected: Any) -> None:
    for name in ("int_10.csv", "v_count_small.csv"):
        assert inspected(name)["findings"]["counts"]["loss"] == "negative-binomial"
    assert "counts" not in inspected("last_row_partial.csv")["findings"]


@pytest.mark.parametrize("name", ["airquality_like.csv", "w_year_weekofyear.csv"])
def test_a_part_of_the_time_is_no_series_or_at_least_a_guess(
    name: str, inspected: Any
) -> None:
    content = inspected(name)
    if content["n_series"] > 1:
        series = content["findings"]["series"]
        assert series["certainty"] == "guess"
        assert "part of the time" in series["alternatives"][0]
        assert content["guesses"]["series"] == "guess"


def test_a_series_that_ended_90_days_before_the_others_is_told(inspected: Any) -> None:
    ended = inspected("panel_lengths.csv")["findings"]["ended"]
    assert (ended["series"], ended["longest"]) == (["gone"], 90)
