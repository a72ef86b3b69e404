"""Rows D of the faults, and what a person may try with a run, through the real program."""

import os
import resource
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lstmcast.runs import directory
from tests.cli.conftest import PROGRAM, Program, environment, run_program, write_months
from tests.faults.conftest import FIT, Refused, edit, run_inside, wait_for


@pytest.mark.usefixtures("run")
def test_d1_a_missing_run_and_a_place_without_one(
    refused: Refused, tmp_path: Path
) -> None:
    refused("predict", "rum", status=4, says=["no run at 'rum'", "did you mean 'run'"])
    (tmp_path / "photos").mkdir()
    refused(
        "predict",
        "photos",
        inside=True,
        status=4,
        says=["'photos' is not a run directory"],
    )
    refused(
        "runs",
        "check",
        "run/run.json",
        inside=True,
        status=4,
        says=["is a file, not a run directory"],
    )


def test_d2_a_run_without_its_manifest_was_interrupted(
    refused: Refused, run: Path
) -> None:
    (run / "run.json").unlink()
    refused("predict", "run", status=4, says=["'run' was interrupted", "delete it"])


def test_d3_a_corrupt_file_is_named(refused: Refused, run: Path) -> None:
    for number, name in enumerate(directory.open_run(run).files):
        data = (run / name).read_bytes()
        middle = len(data) // 2
        (run / name).write_bytes(
            data[:middle] + bytes([data[middle] ^ 16]) + data[middle + 1 :]
        )
        refused(
            "predict",
            "run",
            inside=number > 0,
            status=4,
            says=[name, "SHA-256 differs"],
        )
        (run / name).write_bytes(data)
    assert number == 4


def test_d3_an_edited_setting_and_a_cut_file_are_noticed(
    refused: Refused, run: Path
) -> None:
    edit(run, lambda manifest: manifest.update(horizon=13), seal=False)
    refused("predict", "run", status=4, says=["run.json", "SHA-256 differs"])
    edit(run, lambda manifest: manifest.update(horizon=12))
    with (run / "model.safetensors").open("r+b") as file:
        file.truncate(1000)
    refused(
        "predict",
        "run",
        inside=True,
        status=4,
        says=["model.safetensors", "1000 bytes"],
    )


def test_d3_parts_that_do_not_fit_together_are_run_errors(
    refused: Refused, run: Path
) -> None:
    edit(run, lambda manifest: manifest["members"][0].update(hidden=99_999))
    refused("predict", "run", status=4, says=["does not hold what it should"])
    edit(run, lambda manifest: manifest["members"][0].update(hidden=10**12))
    refused("predict", "run", inside=True, status=4, says=["impossible network shape"])


def test_d4_an_older_run_is_read_and_a_newer_one_names_what_reads_it(
    refused: Refused, lstmcast: Program, run: Path, tmp_path: Path
) -> None:
    now = run_inside("predict", "run", cwd=tmp_path).stdout

    def older(manifest: dict[str, Any]) -> None:
        manifest["schema_version"] = 1
        manifest["files"] = {
            name: entry["sha256"] for name, entry in manifest["files"].items()
        }

    edit(run, older)
    assert lstmcast("predict", "run").stdout == now != ""
    edit(run, lambda manifest: manifest.update(schema_version=99, needs="7.5"))
    refused(
        "predict",
        "run",
        status=4,
        says=["a newer lstmcast", "it needs lstmcast >= 7.5"],
    )


def limited(file_size: int) -> Callable[[], None]:
    """For `preexec_fn`: no file may grow beyond `file_size`, as on a disk that is full."""
    return lambda: resource.setrlimit(
        resource.RLIMIT_FSIZE, (file_size, resource.RLIM_INFINITY)
    )


@pytest.mark.usefixtures("run")
def test_d5_a_full_disk_keeps_the_run_that_was_there(
    refused: Refused, tmp_path: Path
) -> None:
    data = write_months(tmp_path / "m.csv", 60)
    fit = ("fit", data, *FIT, "--season", 4, "--out", "run", "--force", "-q")
    for size in (300, 20_000):
        refused(*fit, status=6, says=["File too large"], preexec_fn=limited(size))
    refused(
        "predict",
        "run",
        "-o",
        "x.csv",
        status=6,
        says=["x.csv"],
        preexec_fn=limited(10),
    )


def test_d5_a_place_that_cannot_be_written_to(refused: Refused, tmp_path: Path) -> None:
    data = write_months(tmp_path / "m.csv", 60)
    (tmp_path / "file").write_text("x")
    refused(
        "fit",
        data,
        *FIT,
        "--out",
        "file/run",
        "-q",
        status=6,
        says=["'", "Not a directory"],
    )
    refused(
        "fit",
        data,
        *FIT,
        "--out",
        "/proc/nothing/run",
        "-q",
        inside=True,
        status=6,
        says=["/proc"],
    )


def hold(place: Path) -> "subprocess.Popen[str]":
    code = """
import sys
from lstmcast.runs.lock import hold_write_lock
with hold_write_lock(sys.argv[1]):
    print(flush=True)
    sys.stdin.read()
"""
    line = [PROGRAM[0], "-c", code, str(place)]
    writer = subprocess.Popen(
        line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout
    writer.stdout.readline()
    return writer


def test_d6_a_second_writer_learns_who_writes_and_readers_do_not_wait(
    lstmcast: Program, run: Path, tmp_path: Path
) -> None:
    data = write_months(tmp_path / "m.csv", 60)
    with hold(run) as writer:
        done = lstmcast("fit", data, *FIT, "--out", "run", "--force")
        assert (done.returncode, done.stdout) == (8, "")
        assert f"'run' is being written by process {writer.pid} on " in done.stderr
        assert done.stderr.splitlines()[-1] == "  wait for it, or name another --out"
        assert lstmcast("predict", "run").returncode == 0
        writer.kill()
    assert (tmp_path / ".run.lock").exists()
    assert (
        run_inside(
            "fit", data, *FIT, "--out", "run", "--force", cwd=tmp_path
        ).returncode
        == 0
    )
    assert not (tmp_path / ".run.lock").exists()


def test_d6_two_cron_jobs_that_overlap_make_one_run_and_one_locked_error(
    tmp_path: Path,
) -> None:
    write_months(tmp_path / "m.csv", 60)
    line = [*PROGRAM, "fit", "m.csv", *map(str, FIT), "--out", "run", "-q"]
    jobs = [
        subprocess.Popen(
            line,
            cwd=tmp_path,
            env=environment(),
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    ends = sorted((job.wait(120), *job.communicate()) for job in jobs)
    assert ends[0] == (0, "run\n", "")
    assert ends[1][:2] == (8, "")
    assert "is being written by process" in ends[1][2]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["m.csv", "run"]


@pytest.mark.parametrize(
    ("name", "inside"),
    [
        ("näme ☃ new\nline [bold]*?", False),
        ("-", True),
        ("d" * 200 + "/" + "e" * 255, True),
    ],
)
def test_d7_a_run_may_have_any_path(
    name: str, inside: bool, fitted: Path, tmp_path: Path
) -> None:
    program = run_inside if inside else run_program
    done = program("fit", fitted / "old.csv", *FIT, "-q", "--out", name, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{name}\n", "")
    assert run_inside("predict", "--", name, cwd=tmp_path).stdout.startswith(
        "month,forecast,"
    )
    assert [entry.name for entry in tmp_path.iterdir()] == [name.partition("/")[0]]


def test_d8_symbolic_links_and_names_that_lead_outside_are_refused(
    refused: Refused, run: Path, tmp_path: Path
) -> None:
    (run / "metrics.json").rename(tmp_path / "elsewhere")
    (run / "metrics.json").symlink_to(tmp_path / "elsewhere")
    refused("predict", "run", status=4, says=["metrics.json", "is a symbolic link"])
    (run / "metrics.json").unlink()
    os.mkfifo(run / "metrics.json")
    refused(
        "predict",
        "run",
        inside=True,
        status=4,
        says=["metrics.json", "is not a plain file"],
    )
    edit(
        run,
        lambda manifest: manifest["files"].update(
            {"../elsewhere": {"bytes": 1, "sha256": "0"}}
        ),
    )
    refused(
        "predict", "run", inside=True, status=4, says=["names a file '../elsewhere'"]
    )


def test_check_35_force_keeps_what_is_not_the_runs_own(
    refused: Refused, lstmcast: Program, run: Path, fitted: Path
) -> None:
    fit = ("fit", fitted / "old.csv", *FIT, "-q", "--out")
    (run / "notes.txt").write_text("mine")
    refused(*fit, "run", inside=True, status=4, says=["holds a run already", "--force"])
    assert lstmcast(*fit, "run", "--force").returncode == 0
    assert (run / "notes.txt").read_text() == "mine"
    (run.parent / "thesis").mkdir()
    (run.parent / "thesis" / "metrics.json").write_text("mine")
    refused(*fit, "thesis", "--force", inside=True, status=4, says=["is in the way"])


def test_runs_check_reads_every_byte(
    refused: Refused, lstmcast: Program, run: Path
) -> None:
    (run / "notes.txt").write_text("mine")
    done = lstmcast("runs", "check", "run")
    assert done.returncode == 0
    assert done.stderr == "  not part of the run, not checked: notes.txt\n"
    assert [line.partition(":")[0] for line in done.stdout.splitlines()] == [
        "run.json",
        *directory.open_run(run).files,
    ]
    (run / "history.csv").write_bytes((run / "history.csv").read_bytes() + b"\n")
    refused(
        "runs",
        "check",
        "run",
        inside=True,
        status=4,
        says=["history.csv", "is not what was saved"],
    )


LONG = (
    "--target",
    "price",
    "--from=scratch",
    "--hidden=8",
    "--members=1",
    "--steps=20000",
    "--patience=999",
    "-j1",
)


def interrupted(folder: Path, *more: object) -> subprocess.CompletedProcess[str]:
    """A `fit` to the place `run` that takes a minute, ended by SIGTERM after a checkpoint."""
    line = [
        *PROGRAM,
        "fit",
        "m.csv",
        *LONG,
        *map(str, more),
        "--out",
        "run",
        "--checkpoint-every",
        "0.1s",
    ]
    with subprocess.Popen(
        line, cwd=folder, env=environment(), stderr=subprocess.PIPE, text=True
    ) as program:
        wait_for(
            lambda: (folder / "run" / "checkpoint" / "member-1.safetensors").exists()
        )
        program.send_signal(signal.SIGTERM)
        _, stderr = program.communicate(timeout=60)
    return subprocess.CompletedProcess(line, program.returncode, "", stderr)


def test_check_37_an_interrupted_fit_says_how_to_go_on_and_only_that_way(
    refused: Refused, tmp_path: Path
) -> None:
    write_months(tmp_path / "m.csv", 60)
    done = interrupted(tmp_path)
    assert done.returncode == 143
    assert done.stderr.endswith(
        "terminated\n  go on with `lstmcast fit --resume run`\n"
    )
    same = ("fit", "m.csv", *LONG, "--out", "run", "-q")
    refused(
        *same,
        status=4,
        says=["'run' was interrupted", "`lstmcast fit --resume run`, or give --force"],
    )
    refused(
        "predict",
        "run",
        inside=True,
        status=4,
        says=["'run' was interrupted", "lstmcast fit --resume run"],
    )
    refused(
        *same,
        "--lr",
        0.1,
        "--resume",
        inside=True,
        status=4,
        says=["begun with other settings"],
    )
    write_months(tmp_path / "m.csv", 61)
    refused(
        *same,
        "--resume",
        inside=True,
        status=4,
        says=["begun with other data", "lstmcast fit --resume run"],
    )
    refused(
        "fit",
        "--resume",
        "run",
        "-q",
        "--lr",
        0.1,
        inside=True,
        status=2,
        says=["own data and settings"],
    )
    refused(
        "fit",
        "--resume",
        "nowhere",
        "-q",
        inside=True,
        status=4,
        says=["'nowhere' holds no interrupted fit"],
    )
    short = ("--target", "price", "--steps", 0)
    assert (
        run_inside(
            "fit", "m.csv", *short, "--out", "run", "--force", cwd=tmp_path
        ).returncode
        == 0
    )
    assert not (tmp_path / "run" / "checkpoint").exists()
    again = run_inside("fit", "--resume", "run", cwd=tmp_path)
    assert (again.returncode, again.stdout) == (0, "run\n")
    assert "holds a run already: skipped" in again.stderr
