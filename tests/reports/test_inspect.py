"""What `inspect` says of files that misled it, and the sensor that was stuck for four days."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Program, quickly  # noqa: F401
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
    [event] = content["events"]
    assert event["kind"] == "stuck"
    assert (event["from"], event["to"]) == ("2023-03-22 21:00", "2023-03-26 23:00")
    assert (event["value"], event["rows"], content["stuck"]) == (500.0, 99, 95)
