"""One fit by many ranks under torchrun: the result of one process, reported and written once."""

import csv
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Program, environment, run_program, write_shops

TORCHRUN = (
    sys.executable,
    "-m",
    "torch.distributed.run",
    "--standalone",
    "--nproc-per-node=2",
)
PANEL = ("panel.csv", "--target", "sold", "--series", "shop", "--members", "1")
EXACT = ("--dropout", "0", "--precision", "float32")
"""What makes one process and many ranks learn alike: ranks drop out other units, and bfloat16
rounds early."""


LONG = (
    "fit",
    *PANEL,
    "--steps",
    "60",
    "--patience",
    "9",
    "--checkpoint-every",
    "0.1s",
    "--out",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `panel.csv`."""
    return write_shops(tmp_path_factory.mktemp("ranks") / "panel.csv").parent


def together(
    *arguments: str, cwd: Path, torchrun: tuple[str, ...] = ()
) -> "subprocess.CompletedProcess[str]":
    line = [*TORCHRUN, *torchrun, "-m", "lstmcast", *arguments]
    return subprocess.run(
        line,
        cwd=cwd,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def curve(run: Path) -> list[tuple[str, int, float, float]]:
    """Member, step, loss and validation of each line of a history, without its seconds."""
    with run.joinpath("history.csv").open() as lines:
        return [
            (
                row["member"],
                int(row["step"]),
                float(row["loss"]),
                float(row["validation"]),
            )
            for row in csv.DictReader(lines)
        ]


def alike(one: Path, other: Path) -> bool:
    """Whether two fits went the same way to within rounding, and came to the same verdict."""
    verdicts = [
        json.loads(run.joinpath("metrics.json").read_text())["verdict"]["model"]
        for run in (one, other)
    ]
    assert verdicts[0] == pytest.approx(verdicts[1], rel=1e-3)
    pairs = list(zip(curve(one), curve(other), strict=True))
    names = all(a[:2] == b[:2] for a, b in pairs)
    return names and all(
        a[2:] == pytest.approx(b[2:], rel=1e-5, nan_ok=True) for a, b in pairs
    )


def test_two_ranks_learn_what_one_process_learns_and_only_the_first_reports_and_writes(
    folder: Path,
) -> None:
    options = ("fit", *PANEL, *EXACT, "--steps", "12", "--out")
    single, ranks = (
        run_program(*options, "one", cwd=folder),
        together(*options, "two", cwd=folder),
    )
    assert (single.returncode, ranks.returncode) == (0, 0), ranks.stderr
    assert ranks.stdout == "two\n"
    assert ranks.stderr == single.stderr.replace("predict one", "predict two")
    assert alike(folder / "one", folder / "two")
    assert not list(folder.glob(".*"))
    assert {path.name for path in (folder / "two").iterdir()} == {
        path.name for path in (folder / "one").iterdir()
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        ("--loss", "mse"),
        ("--loss", "student-t"),
        ("--future", "price", "--from", "scratch"),
        ("--batch-size", "2"),
    ],
    ids=" ".join,
)
def test_ranks_learn_the_same_whatever_is_learnt_and_however_little_falls_on_each(
    folder: Path, options: tuple[str, ...]
) -> None:
    options, name = (
        ("fit", *PANEL, *EXACT, *options, "--steps", "8", "--out"),
        "-".join(options).strip("-"),
    )
    single, ranks = (
        run_program(*options, f"{name}-1", cwd=folder),
        together(*options, f"{name}-2", cwd=folder),
    )
    assert (single.returncode, ranks.returncode) == (0, 0), ranks.stderr
    assert alike(folder / f"{name}-1", folder / f"{name}-2")


@pytest.mark.slow
def test_all_ranks_stop_when_the_time_budget_is_spent(folder: Path) -> None:
    options = (
        "--steps",
        "5000",
        "--patience",
        "999",
        "--time-budget",
        "4s",
        "--out",
        "soon",
    )
    done = together("fit", *PANEL, *options, cwd=folder)
    assert (done.returncode, done.stdout) == (0, "soon\n"), done.stderr
    assert "the time budget of 4 s stopped training" in done.stderr


@pytest.fixture(scope="module")
def uncut(folder: Path) -> bytes:
    """The weights that a fit of two ranks learns which nothing interrupts."""
    done = together(*LONG, "uncut", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder.joinpath("uncut", "model.safetensors").read_bytes()


def killed(
    folder: Path, out: str, victim: int | None, *torchrun: str
) -> "tuple[int, str, str, float]":
    """Fit with two ranks, once something is kept kill one, or ask torchrun to end (None).

    Returns status, stdout, stderr, seconds after that.
    """
    line = [*TORCHRUN, *torchrun, "-m", "lstmcast", *LONG, out]
    with subprocess.Popen(
        line,
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        limit = time.monotonic() + 120
        while not list(folder.glob(f"{out}/checkpoint/*.safetensors")):
            assert program.poll() is None and time.monotonic() < limit
            time.sleep(0.1)
        if victim is None:
            program.terminate()
        else:
            os.kill(_rank(program.pid, victim), signal.SIGKILL)
        began = time.monotonic()
        stdout, stderr = program.communicate(timeout=240)
        return program.returncode, stdout, stderr, time.monotonic() - began


def _rank(torchrun: int, rank: int) -> int:
    children = Path(f"/proc/{torchrun}/task/{torchrun}/children").read_text().split()
    for child in children:
        if f"RANK={rank}".encode() in Path(f"/proc/{child}/environ").read_bytes().split(
            b"\0"
        ):
            return int(child)
    raise AssertionError(f"torchrun has no rank {rank} among {children}")


@pytest.mark.slow
def test_a_lost_rank_ends_the_fit_soon_and_resume_goes_on_to_the_same_end(
    folder: Path, uncut: bytes
) -> None:
    status, stdout, stderr, seconds = killed(folder, "cut", 1)
    assert (
        status == 1 and seconds < 30
    )  # torchrun's own status; that of the rank that was left is in its report
    assert stdout == ""
    assert (
        "exitcode  : 6 " in stderr
        and "error: another rank of this fit was lost" in stderr
    )
    assert "lstmcast fit --resume cut" in stderr
    gone_on = together("fit", "--resume", "cut", cwd=folder)
    assert (gone_on.returncode, gone_on.stdout) == (0, "cut\n"), gone_on.stderr
    assert (folder / "cut" / "model.safetensors").read_bytes() == uncut


IMPATIENT = """\
from lstmcast.compute import ranks
from lstmcast.cli.app import main
ranks.MAX_RANK_SILENCE_SECONDS = 8.0
main()
"""


@pytest.mark.slow
@pytest.mark.parametrize("silent", [0, 1])
def test_a_rank_that_falls_silent_is_waited_for_no_longer_than_patience_lasts(
    folder: Path, silent: int
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    meeting = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    line, name = [sys.executable, "-c", IMPATIENT, *LONG], f"silent-{silent}"
    ranks = [
        subprocess.Popen(
            [*line, name],
            cwd=folder,
            env=environment(RANK=str(rank), **meeting),
            stderr=subprocess.PIPE,
        )
        for rank in range(2)
    ]
    with ranks[0], ranks[1]:
        try:
            while not list(folder.glob(f"{name}/checkpoint/*.safetensors")):
                assert ranks[0].poll() is None and ranks[1].poll() is None
                time.sleep(0.1)
            ranks[silent].send_signal(signal.SIGSTOP)
            began, left = time.monotonic(), ranks[1 - silent]
            stderr = left.communicate(timeout=60)[1].decode()
        finally:
            for rank in ranks:
                rank.kill()
    assert left.returncode == 6 and time.monotonic() - began < 30
    assert ("or is silent" in stderr) == (silent == 1)  # the first rank alone speaks


@pytest.mark.slow
def test_a_signal_to_torchrun_waits_until_the_first_rank_has_saved_what_was_learnt(
    folder: Path, uncut: bytes
) -> None:
    _, stdout, stderr, seconds = killed(folder, "stopped", None)
    assert stdout == "" and seconds < 30
    assert (
        stderr.count("terminated\n") == 1 and "lstmcast fit --resume stopped" in stderr
    )
    gone_on = together("fit", "--resume", "stopped", cwd=folder)
    assert (gone_on.returncode, gone_on.stdout) == (0, "stopped\n"), gone_on.stderr
    assert (folder / "stopped" / "model.safetensors").read_bytes() == uncut


@pytest.mark.slow
@pytest.mark.parametrize("victim", [0, 1])
def test_torchrun_starts_the_ranks_again_and_they_go_on_to_the_same_end(
    folder: Path, uncut: bytes, victim: int
) -> None:
    status, stdout, stderr, _ = killed(
        folder, f"again-{victim}", victim, "--max-restarts=1"
    )
    assert (status, stdout) == (0, f"again-{victim}\n"), stderr
    assert not (folder / f"again-{victim}" / "checkpoint").exists()
    assert (folder / f"again-{victim}" / "model.safetensors").read_bytes() == uncut


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("predict", "runs/x"), "only a fit"),
        (("fit", "-", "--target", "sold"), "cannot read standard input"),
        (("fit", *PANEL, "--dry-run"), "cannot be a dry run"),
        (("fit", *PANEL, "-j", "2"), "cannot hand jobs to other processes"),
    ],
)
def test_what_ranks_cannot_do_together_is_refused(
    quickly: Program,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    word: str,
) -> None:
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    done = quickly(*arguments, cwd=folder)
    assert done.returncode == 2
    assert word in done.stderr and "torchrun" in done.stderr


@pytest.mark.slow
def test_few_series_are_not_shared_and_the_first_rank_says_so_once(
    folder: Path,
) -> None:
    few = folder / "panel.csv"
    short = "".join(
        line
        for line in few.read_text().splitlines(keepends=True)
        if line[:2] in ("sh", "s1")
    )
    (folder / "few.csv").write_text(short)
    done = together("fit", "few.csv", *PANEL[1:], "--out", "few", cwd=folder)
    assert done.stderr.count("2 ranks need 20 series or more; there are 11") == 1
    assert "exitcode  : 2 " in done.stderr
    assert not (folder / "few").exists()
    (folder / "few.csv").unlink()
