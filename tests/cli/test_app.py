import errno
import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lstmcast.cli import app, signals
from lstmcast.compute import memory
from lstmcast.errors import DataError, RunError
from tests.cli.conftest import PROGRAM, Program, environment

COMMANDS = ("fit", "predict", "evaluate", "backtest", "inspect", "help")


def failing(
    error: BaseException, monkeypatch: pytest.MonkeyPatch, *arguments: str
) -> int:
    """Exit status of a program whose command raises `error`."""

    def invoke(_: object) -> int:
        raise error

    monkeypatch.setattr(app, "_invoke_command", invoke)
    return app.run_command_line(list(arguments))


def test_no_command_shows_the_help_and_is_a_usage_error(lstmcast: Program) -> None:
    done = lstmcast()
    assert (done.returncode, done.stdout) == (2, "")
    assert "Commands:" in done.stderr


def test_help_of_a_topic(lstmcast: Program) -> None:
    assert lstmcast("help", "fit").stdout == lstmcast("fit", "--help").stdout
    assert lstmcast("help").stdout == lstmcast("--help").stdout
    assert "did you mean 'fit'" in lstmcast("help", "fitt").stderr


def test_a_missing_run_is_a_run_error(lstmcast: Program) -> None:
    for command in (["predict", "nowhere"], ["evaluate", "nowhere", "x.csv"]):
        done = lstmcast(*command)
        assert (done.returncode, done.stdout) == (4, "")
        assert (
            done.stderr
            == "error: no run at 'nowhere'\n  make one with `lstmcast fit`\n"
        )


def test_debug_shows_the_traceback_before_the_error(lstmcast: Program) -> None:
    done = lstmcast("predict", "nowhere", "--debug")
    assert done.returncode == 4
    assert done.stderr.startswith("Traceback")
    assert done.stderr.endswith(
        "error: no run at 'nowhere'\n  make one with `lstmcast fit`\n"
    )


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (
            DataError("bad \x1b[31mcell\u202e", "mend it"),
            3,
            "error: bad \\x1b[31mcell\\u202e\n  mend it\n",
        ),
        (RunError("no [/red] [usd]"), 4, "error: no [/red] [usd]\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (signals.Terminated(), 143, "terminated\n"),
        (MemoryError(), 6, f"error: out of memory\n  {memory.MEMORY_HINT}\n"),
        (
            OSError(errno.EIO, "Input/output error", "x"),
            6,
            "error: 'x': Input/output error\n"
            "  make room, or write somewhere else with --out or -o\n",
        ),
        (BrokenPipeError(), 0, ""),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_each_kind_of_error_has_its_status_and_its_words(
    error: BaseException,
    status: int,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert failing(error, monkeypatch) == status
    assert capsys.readouterr() == ("", message)


def test_a_broken_stderr_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stderr", Gone())
    assert failing(DataError("x"), monkeypatch) == 3


def shell(script: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [
        "bash",
        "-c",
        f'set -o pipefail; run() {{ {" ".join(PROGRAM)} "$@"; }}; {script}',
    ]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=cwd,
        env=environment(),
        timeout=60,
        check=False,
    )


def test_29_a_full_or_closed_stdout_is_one_line_and_status_6(tmp_path: Path) -> None:
    full = shell("run help exit-codes >/dev/full", tmp_path)
    assert (full.returncode, full.stderr.count("\n")) == (6, 1)
    assert "No space left on device" in full.stderr
    closed = shell("run help exit-codes >&-", tmp_path)
    assert (closed.returncode, closed.stderr.count("\n")) == (6, 1)


def test_closed_stdin_and_stderr_do_no_harm(tmp_path: Path) -> None:
    assert shell("run help exit-codes <&- 2>&-", tmp_path).returncode == 0
    assert shell("run predict nowhere 2>&-", tmp_path).returncode == 4


def test_a_reader_that_has_enough_is_no_error(tmp_path: Path) -> None:
    done = shell("run fit --help | true", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("sent", "status", "word"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
)
def test_26_27_a_signal_ends_the_program_with_a_word(
    sent: signal.Signals, status: int, word: str, tmp_path: Path
) -> None:
    line = [*PROGRAM, "fit", "-", "--target", "y"]
    with subprocess.Popen(
        line,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=environment(),
    ) as program:
        assert program.stderr
        assert (
            program.stderr.readline() == "reading stdin\n"
        )  # its first word, before torch and pandas are loaded
        while not _loaded(program.pid, "pyarrow"):
            assert program.poll() is None
        os.kill(program.pid, sent)
        _, stderr = program.communicate(timeout=30)
    assert (program.returncode, stderr.splitlines()[-1]) == (status, word)
    assert list(tmp_path.iterdir()) == []


def _loaded(pid: int, library: str) -> bool:
    return library in Path(f"/proc/{pid}/maps").read_text()
