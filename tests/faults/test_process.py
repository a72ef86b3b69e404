"""Rows P and N of the faults: signals, kills, lack of memory, dead workers, clocks, overflows.

What a disk does is in test_crash.py.
"""

import contextlib
import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from lstmcast.runs import directory
from tests.cli.conftest import PROGRAM, environment, run_program, write_months
from tests.faults.conftest import FIT, Refused, contents, run_inside, wait_for
from tests.faults.test_crash import inject, traced

LONG = (
    "fit",
    "m.csv",
    "--target",
    "price",
    "--from=scratch",
    "--hidden=8",
    "--steps=100000",
    "--patience=9999",
)
KEPT = Path("run", "checkpoint", "member-1.safetensors")


class Ended(NamedTuple):
    """How a program ended: status, stderr, after how many seconds, and what it left running."""

    status: int
    stderr: str
    seconds: float
    orphans: list[str]


def running(session: int) -> list[int]:
    """Processes of a session."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:  # it has ended
                continue
            if int(fields[3]) == session and fields[0] != "Z":
                found.append(int(entry.name))
    return found


def heed_ctrl_c() -> None:
    """In a child: jobs in the background of a shell ignore Ctrl-C, and tests may be run by one."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def disturbed(
    folder: Path,
    line: tuple[object, ...],
    act: Callable[["subprocess.Popen[str]"], None],
) -> Ended:
    """Start a fit of many minutes in a session of its own, and `act` on it after a checkpoint."""
    write_months(folder / "m.csv", 60)
    command = [*PROGRAM, *map(str, line), "--out", "run", "--checkpoint-every", "0.1s"]
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=heed_ctrl_c,
    ) as program:
        try:
            wait_for(lambda: (folder / KEPT).exists() or program.poll() is not None)
            began = time.monotonic()
            act(program)
            _, stderr = program.communicate(timeout=180)
            seconds = time.monotonic() - began
        finally:
            program.kill()
    wait_for(lambda: not running(program.pid), 5)
    return Ended(
        program.returncode, stderr, seconds, [str(pid) for pid in running(program.pid)]
    )


@pytest.mark.parametrize(
    ("number", "jobs", "status", "word"),
    [(signal.SIGINT, 1, 130, "interrupted"), (signal.SIGTERM, 2, 143, "terminated")],
    ids=["Ctrl-C", "SIGTERM with workers"],
)
def test_p1_a_signal_while_training_keeps_what_was_learnt_and_ends_soon(
    number: int, jobs: int, status: int, word: str, tmp_path: Path
) -> None:
    ended = disturbed(
        tmp_path,
        (*LONG, "--members", 2, "-j", jobs),
        lambda program: program.send_signal(number),
    )
    assert (ended.status, ended.orphans) == (status, [])
    assert ended.stderr.endswith(
        f"  stopping: keeping what has been learnt\n{word}\n"
        "  go on with `lstmcast fit --resume run`\n"
    )
    assert ended.seconds < 5
    assert {entry.name for entry in tmp_path.iterdir()} == {"m.csv", "run"}
    assert not (tmp_path / "run" / directory.MANIFEST_FILE).exists()


def test_p1_a_second_ctrl_c_leaves_at_once(tmp_path: Path) -> None:
    def twice(program: "subprocess.Popen[str]") -> None:
        os.kill(program.pid, signal.SIGSTOP)  # both are there when it wakes up
        os.kill(program.pid, signal.SIGINT)
        os.kill(program.pid, signal.SIGCONT)
        assert program.stderr
        time.sleep(0.05)
        os.kill(program.pid, signal.SIGINT)

    ended = disturbed(tmp_path, (*LONG, "--members", 2, "-j", 2), twice)
    assert (ended.status, ended.orphans) == (130, [])
    assert ended.seconds < 2
    assert (tmp_path / KEPT).exists()


def test_p1_a_closed_terminal_while_reading_ends_the_program_and_leaves_nothing(
    tmp_path: Path,
) -> None:
    line = [*PROGRAM, "fit", "-", "--target", "y"]
    with subprocess.Popen(
        line,
        cwd=tmp_path,
        env=environment(),
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Under nohup the tests ignore this signal, and so would what they start.
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
    ) as program:
        assert program.stderr and program.stderr.readline() == "reading stdin\n"
        program.send_signal(signal.SIGHUP)
        began = time.monotonic()
        assert program.wait(30) == 143
        assert program.stderr.read().endswith("terminated\n")
    assert time.monotonic() - began < 5
    assert list(tmp_path.iterdir()) == []


@traced
def test_p1_a_signal_while_saving_leaves_the_old_run_or_the_new_one(
    run: Path, tmp_path: Path
) -> None:
    write_months(tmp_path / "m.csv", 48)
    before = contents(run)
    line = [*PROGRAM, "fit", "m.csv", *map(str, FIT), "--out", "run", "--force", "-q"]
    status, stderr, reached = inject(
        "rename,renameat2", "signal=TERM", 1, line, tmp_path / "log", cwd=tmp_path
    )
    assert reached and status == 143, stderr
    assert stderr.startswith("terminated\n")
    (tmp_path / "log").unlink()
    assert {entry.name for entry in tmp_path.iterdir()} == {"m.csv", "run"}
    assert run_inside("runs", "check", "run", cwd=tmp_path).returncode == 0
    assert contents(run) != before or not (run / "checkpoint").exists()


def test_p3_too_little_memory_is_an_error_with_a_hint(
    refused: Refused, run: Path, tmp_path: Path
) -> None:
    write_months(tmp_path / "m.csv", 48)

    def limited(size: int) -> Callable[[], None]:
        return lambda: resource.setrlimit(resource.RLIMIT_AS, (size << 20, size << 20))

    refused(
        "predict",
        run.name,
        status=6,
        says=["memory", "ulimit -v"],
        preexec_fn=limited(200),
    )
    fit = ("fit", "m.csv", *FIT, "--out", "new", "-q")
    refused(
        *fit, status=6, says=["out of memory", "ulimit -v"], preexec_fn=limited(600)
    )


def test_p4_a_reader_that_has_seen_enough_is_no_error(fitted: Path) -> None:
    levels = ",".join(
        f"{level / 1000:g}" for level in range(1, 1000)
    )  # more than a pipe holds
    predict = f"{' '.join(PROGRAM)} predict runs/old-price --quantiles {levels}"
    command = f"set -o pipefail; {predict} | head -c 26"
    done = subprocess.run(
        ["bash", "-c", command],
        capture_output=True,
        text=True,
        cwd=fitted,
        env=environment(),
    )
    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        "month,forecast,q0.1,q0.2,q",
        "",
    )


JUMPING = """
import itertools, time
jumps = itertools.cycle([0.0, 4e9, -86400.0, 1e6])
time.time = lambda now=time.time: now() + next(jumps)
time.time_ns = lambda: int(time.time() * 1e9)
"""


def test_p5_a_clock_that_jumps_makes_no_difference(tmp_path: Path) -> None:
    (tmp_path / "clock").mkdir()
    (tmp_path / "clock" / "sitecustomize.py").write_text(JUMPING)
    write_months(tmp_path / "m.csv", 48)
    path = os.pathsep.join(
        [str(tmp_path / "clock"), str(Path(directory.__file__).parents[2])]
    )
    fit = (
        "fit",
        "m.csv",
        "--target",
        "price",
        "--steps",
        3,
        "--members",
        1,
        "--time-budget",
        "1h",
        "-q",
        "--out",
    )
    jumped = run_program(*fit, "jumped", cwd=tmp_path, env={"PYTHONPATH": path})
    assert (jumped.returncode, jumped.stderr) == (0, "")
    assert run_inside(*fit, "calm", cwd=tmp_path).returncode == 0
    weights = [
        (tmp_path / name / "model.safetensors").read_bytes()
        for name in ("jumped", "calm")
    ]
    assert weights[0] == weights[1]
    seconds = [
        float(row.split(",")[1])
        for row in (tmp_path / "jumped" / "history.csv").read_text().splitlines()[1:]
    ]
    assert all(0 <= one < 100 for one in seconds)


def workers_of(program: "subprocess.Popen[str]") -> list[int]:
    found = []
    for pid in running(program.pid):
        with contextlib.suppress(OSError):
            found += (
                [pid]
                if b"popen_loky" in Path(f"/proc/{pid}/cmdline").read_bytes()
                else []
            )
    return found


def test_p6_a_worker_that_is_killed_is_replaced_and_the_fit_goes_on(
    tmp_path: Path,
) -> None:
    def kill_one(program: "subprocess.Popen[str]") -> None:
        workers = workers_of(program)
        assert len(workers) == 2
        os.kill(workers[0], signal.SIGKILL)

    line = (
        "--target",
        "price",
        "--from=scratch",
        "--hidden=8",
        "--steps=900",
        "--patience=9999",
        "--members",
        2,
    )
    ended = disturbed(tmp_path, ("fit", "m.csv", *line, "-j", 2, "-q"), kill_one)
    assert (ended.status, ended.orphans) == (0, [])
    assert len(run_inside("predict", "run", cwd=tmp_path).stdout.splitlines()) > 10


def test_p6_workers_that_are_killed_again_and_again_end_the_fit_and_leave_no_other(
    tmp_path: Path,
) -> None:
    def kill_all(program: "subprocess.Popen[str]") -> None:
        until = time.monotonic() + 60
        while program.poll() is None and time.monotonic() < until:
            for pid in workers_of(program)[:1]:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.3)

    ended = disturbed(tmp_path, (*LONG, "--members", 2, "-j", 2, "-q"), kill_all)
    assert (ended.status, ended.orphans) == (6, [])
    first, second, third = ended.stderr.splitlines()
    assert first == (
        "error: a worker process died over the same job each time, most likely for lack of memory"
    )
    assert second == "  use fewer jobs at a time (-j 1)"
    assert third == "  go on with `lstmcast fit --resume run`"
    assert ended.seconds < 60


def test_n1_a_training_that_explodes_is_tried_again_and_then_refused_and_never_saved(
    refused: Refused, tmp_path: Path
) -> None:
    write_months(tmp_path / "m.csv", 60)
    fit = (
        "fit",
        "m.csv",
        "--target",
        "price",
        "--from",
        "scratch",
        "--members",
        1,
        "--optimizer",
        "sgd",
        "-q",
    )
    refused(*fit, "--lr", 1e30, "--out", "run", status=5, says=["diverged", "--lr"])


def test_n2_a_network_that_forecasts_nonsense_is_left_out_and_noted(
    tmp_path: Path,
) -> None:
    write_months(tmp_path / "m.csv", 60)
    fit = (
        "fit",
        "m.csv",
        "--target",
        "price",
        "--from",
        "scratch",
        "--members",
        1,
        "--steps",
        3,
        "--lr",
        30,
    )
    done = run_program(*fit, "--grad-clip", 1000, "--out", "run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "The forecast is 0 % network" in done.stderr
    forecasts = [
        float(row.split(",")[1])
        for row in run_inside("predict", "run", cwd=tmp_path).stdout.split()[1:]
    ]
    assert all(100 < value < 250 for value in forecasts)


def test_a_cell_of_a_million_characters_is_refused_in_few_words(
    refused: Refused, tmp_path: Path
) -> None:
    months = write_months(tmp_path / "m.csv", 40).read_text()
    (tmp_path / "m.csv").write_text(months + f"2013-05,{'9' * 1_000_000}\n")
    assert len(refused("fit", "m.csv", "--target", "price", says=["m.csv:42"])) < 3000
    (tmp_path / "m.csv").write_text(months + f"2013-05,{'x' * 1_000_000}\n")
    assert (
        len(
            refused("fit", "m.csv", "--target", "price", inside=True, says=["m.csv:42"])
        )
        < 3000
    )
    (tmp_path / "m.csv").write_text(months + f"{'2' * 1_000_000},1\n")
    assert (
        len(
            refused("fit", "m.csv", "--target", "price", inside=True, says=["m.csv:42"])
        )
        < 3000
    )
