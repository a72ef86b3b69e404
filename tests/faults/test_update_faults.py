"""What goes wrong while a run is updated: the run is the old one or the new one, and whole."""

import signal
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import PROGRAM, environment, write_months
from tests.faults.conftest import Refused, contents, run_inside
from tests.faults.test_crash import FAULTS, inject, traced

UPDATE = ("update", "run", "later.csv", "--gate", "mase>0")


@pytest.fixture
def later(run: Path, tmp_path: Path) -> Path:
    """90 months, of which the run `run` has 60."""
    assert run == tmp_path / "run"
    return write_months(tmp_path / "later.csv", 90)


def test_changed_values_are_named_with_series_stamp_column_and_values(
    refused: Refused, later: Path
) -> None:
    lines = later.read_text().splitlines()
    lines[14] = "2011-02,1.5"
    lines[20] = "2011-08,"
    later.write_text("\n".join(lines) + "\n")
    says = [
        "values of rows that the run already has have changed: 2011-02, price: ",
        " -> 1.5 (and 1 more)",
        "--revised",
    ]
    refused(*UPDATE, "-q", says=says)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("month,price\n2017-01,inf\n", ["later.csv:2", "'inf'"]),
        ("month,cost\n2017-01,1\n", ["no column 'price'"]),
        ("month,price\n2017-01-01,1\n2017-01-02,1\n2017-01-03,1\n", ["later.csv"]),
    ],
)
def test_data_that_are_not_of_the_run_leave_it_as_it_was(
    text: str, says: list[str], refused: Refused, later: Path
) -> None:
    later.write_text(text)
    refused(*UPDATE, "-q", inside=True, says=says)


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, 143), (signal.SIGKILL, -9)]
)
def test_p1_p2_an_update_interrupted_while_it_trains_leaves_the_run_as_it_was(
    number: int, status: int, run: Path, tmp_path: Path
) -> None:
    before = contents(run)
    line = [*PROGRAM, *UPDATE, "--steps", "100000"]
    with subprocess.Popen(
        line, cwd=tmp_path, env=environment(), stderr=subprocess.PIPE, text=True
    ) as program:
        assert program.stderr
        assert "training\n" in iter(program.stderr.readline, "")
        program.send_signal(number)
        assert program.wait(30) == status
    assert contents(run) == before
    assert run_inside(*UPDATE, "--steps", 1, "-q", cwd=tmp_path).returncode == 0


@traced
@pytest.mark.slow
@pytest.mark.usefixtures("later")
@pytest.mark.parametrize(
    "name", ["a kill at a rename", "an fsync that fails", "a kill at a removal"]
)
def test_p2_d5_whatever_fails_the_old_run_or_the_new_one_is_there(
    name: str, run: Path, tmp_path: Path
) -> None:
    calls, fault = FAULTS[name]
    old = (run / "run.json").read_bytes()
    for number in range(1, 40):
        line = [*PROGRAM, *UPDATE, "--steps", "1", "-q"]
        status, stderr, reached = inject(
            calls, fault, number, line, tmp_path / "log", cwd=tmp_path
        )
        assert run_inside("runs", "check", "run", cwd=tmp_path).returncode == 0, stderr
        if (run / "run.json").read_bytes() != old:
            assert (run / "previous" / "run.json").read_bytes() == old
            assert (
                run_inside("update", "run", "--rollback", "-q", cwd=tmp_path).returncode
                == 0
            )
            assert (run / "run.json").read_bytes() == old
        else:
            assert status != 0
        if not reached:
            break
    assert number > 1 and status == 0
