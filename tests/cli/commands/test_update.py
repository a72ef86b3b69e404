"""`lstmcast update`: what a person and a cron job see of it."""

import json
import shutil
from pathlib import Path

import pytest

from lstmcast.runs.lock import hold_write_lock
from tests.cli.conftest import run_program, write_months
from tests.faults.conftest import run_inside

LEARN = ("--steps", "2", "--gate", "mase>0")


@pytest.fixture
def run(fitted: Path, tmp_path: Path) -> Path:
    """A run of its own for each test: of 60 months, its network as it was shipped."""
    write_months(tmp_path / "later.csv", 90)
    return Path(shutil.copytree(fitted / "runs" / "old-price", tmp_path / "run"))


def test_a_run_learns_and_can_be_put_back(run: Path, tmp_path: Path) -> None:
    before = run_inside("predict", "run", cwd=tmp_path).stdout
    line = ("update", "run", "later.csv", *LEARN, "--plot", "now.html")
    done = run_program(*line, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "run\n"), done.stderr
    *lines, drawn = done.stderr.splitlines()
    assert drawn == "picture written to 'now.html'"
    # The picture is of the forecast that follows the new rows.
    assert '"2017-07"' in Path(tmp_path, "now.html").read_text()
    assert lines[0] == "reading later.csv"
    assert "30 new rows; they go to 2017-06" in lines
    assert any(
        line.startswith("learnt from 15 rows; on the newest 4 windows mase 0.")
        for line in lines
    )
    assert "kept, since mase>0" in lines
    assert (
        lines[-1]
        == "what it replaced is in 'previous'; back to it: lstmcast update run --rollback"
    )
    assert (
        run_inside("predict", "run", cwd=tmp_path)
        .stdout.splitlines()[1]
        .startswith("2017-07,")
    )
    assert run_inside("predict", run / "previous", cwd=tmp_path).stdout == before
    assert run_inside("runs", "check", "run", cwd=tmp_path).stderr == ""

    again = run_inside("update", "run", "later.csv", cwd=tmp_path)
    assert again.returncode == 0
    assert (
        again.stderr.splitlines()[-1]
        == "nothing new: 'run' goes to 2017-06 already, and stays as it is"
    )

    strict = ("later.csv", "--if-nothing-new", "fail")
    failed = run_inside("update", "run", *strict, cwd=tmp_path)
    assert (failed.returncode, failed.stdout) == (3, "")
    message = "error: nothing new: 'run' goes to 2017-06 already"
    assert message in failed.stderr.splitlines()

    back = run_inside("update", "run", "--rollback", "--json", cwd=tmp_path)
    assert json.loads(back.stdout)["rolled_back"] is True
    assert run_inside("predict", "run", cwd=tmp_path).stdout == before


def test_worse_networks_are_not_kept_and_the_run_continues_all_the_same(
    run: Path, tmp_path: Path
) -> None:
    weights = (run / "model.safetensors").read_bytes()
    done = run_inside(
        "update",
        "run",
        "later.csv",
        "--steps",
        2,
        "--gate",
        "mase<0",
        "--json",
        cwd=tmp_path,
    )
    content = json.loads(done.stdout)
    assert (content["kept"], content["gates"], content["rows"]) == (
        False,
        ["mase<0"],
        30,
    )
    assert content["was"]["model"]["mase"] > 0 and content["now"]["model"]["mase"] > 0
    assert "not kept, since not mase<0: the networks stay as they were" in done.stderr
    assert (run / "model.safetensors").read_bytes() == weights and not (
        run / "previous"
    ).exists()
    assert (
        run_inside("predict", "run", cwd=tmp_path)
        .stdout.splitlines()[1]
        .startswith("2017-07,")
    )


def test_a_previous_version_outlives_updates_that_learn_nothing(
    run: Path, tmp_path: Path
) -> None:
    write_months(tmp_path / "some.csv", 80)
    assert (
        run_inside("update", "run", "some.csv", *LEARN, "-q", cwd=tmp_path).stderr == ""
    )
    manifest = (run / "previous" / "run.json").read_bytes()
    done = run_inside("update", "run", "later.csv", "--steps", 0, cwd=tmp_path)
    assert "nothing learnt: no training steps were requested" in done.stderr
    assert (run / "previous" / "run.json").read_bytes() == manifest


def test_a_dry_run_says_what_there_is_to_learn_and_writes_nothing(
    run: Path, tmp_path: Path
) -> None:
    before = (run / "run.json").read_bytes()
    done = run_inside("update", "run", "later.csv", "--dry-run", cwd=tmp_path)
    assert (
        done.stderr.splitlines()[-1]
        == "it would learn from 15 rows, and check that on 4 windows after them"
    )
    assert (run / "run.json").read_bytes() == before


def test_a_gate_of_the_job_can_end_it(run: Path, tmp_path: Path) -> None:
    done = run_inside(
        "update", "run", "later.csv", *LEARN, "--fail-if", "mase>0", cwd=tmp_path
    )
    assert (done.returncode, done.stdout) == (7, "run\n")
    assert (run / "previous").is_dir()


def test_series_that_come_and_go_are_reported(tmp_path: Path, sample: Path) -> None:
    lines = (sample / "shop.csv").read_text().splitlines()
    head, rows = (
        lines[0],
        [line for line in lines[1:] if line.split(",")[0] < "2023-06-01"],
    )
    shop = head.split(",").index("shop")
    for name, absent, last in (
        ("old", "harbour", "2023-05-01"),
        ("new", "airport", "2023-06-01"),
    ):
        others = [
            row
            for row in rows
            if row.split(",")[shop] != absent and row.split(",")[0] < last
        ]
        (tmp_path / f"{name}.csv").write_text("\n".join([head, *others, ""]))
    fit = (
        "fit",
        "old.csv",
        "--target",
        "sold",
        "--series",
        "shop",
        "--steps",
        0,
        "--out",
        "run",
        "-q",
    )
    assert run_inside(*fit, cwd=tmp_path).returncode == 0
    done = run_inside("update", "run", "new.csv", "--steps", 0, cwd=tmp_path)
    assert (
        "  series of the run that are missing here: 1 of 3 series (airport); they stay as they are"
        in done.stderr
    )
    assert "  new series: 1 of 3 series (harbour)" in done.stderr
    lines = run_inside("predict", "run", cwd=tmp_path).stdout.splitlines()
    assert {line.split(",")[0] for line in lines[1:]} == {
        "airport",
        "old town",
        "station",
        "harbour",
    }


def test_d6_two_updates_at_once_do_no_harm(run: Path, tmp_path: Path) -> None:
    before = (run / "run.json").read_bytes()
    with hold_write_lock(run):
        done = run_program("update", "run", "later.csv", cwd=tmp_path)
        back = run_program("update", "run", "--rollback", cwd=tmp_path)
    for one in (done, back):
        assert (one.returncode, one.stdout) == (8, "")
        assert (
            "is being written by process" in one.stderr
            and len(one.stderr.splitlines()) == 2
        )
        assert (
            one.stderr.splitlines()[-1]
            == "  run the same command again when it is done"
        )
    assert (run / "run.json").read_bytes() == before
