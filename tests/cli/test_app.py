import errno
import io
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lstmcast.cli import app, memory, signals
from lstmcast.cli.help import MEANINGS
from lstmcast.errors import DataError, ExitCode, RunError
from tests.cli.conftest import PROGRAM, Program, environment, on_terminal

COMMANDS = ("fit", "predict", "evaluate", "backtest", "inspect", "help")


def failing(error: BaseException, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Exit status of a program whose command raises `error`."""

    def invoke(_: object) -> int:
        raise error

    monkeypatch.setattr(app, "_invoke", invoke)
    return app.run(list(arguments))


def test_no_command_shows_the_help_and_is_a_usage_error(lstmcast: Program) -> None:
    done = lstmcast()
    assert (done.returncode, done.stdout) == (2, "")
    assert "Commands:" in done.stderr


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_goes_to_stdout(flag: str, lstmcast: Program) -> None:
    done = lstmcast(flag)
    assert (done.returncode, done.stderr) == (0, "")
    assert all(command in done.stdout for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_has_two_examples(command: str, lstmcast: Program) -> None:
    done = lstmcast(command, "-h")
    assert done.returncode == 0
    examples = done.stdout.partition("Examples:\n")[2].splitlines()
    assert len(examples) >= 2
    assert all(line.startswith(f"  lstmcast {command} ") for line in examples)


@pytest.mark.parametrize("command", COMMANDS[:-1])
def test_each_option_that_takes_a_value_says_its_default(command: str, lstmcast: Program) -> None:
    records = re.split(r"\n(?:  |\n\S+\n  )(?=-)", lstmcast(command, "--help").stdout)[1:]
    valued = [record for record in records if re.match(r"--?\S+(, --\S+)? [A-Z]+\s", record)]
    assert len(valued) >= 1
    assert [record for record in valued if "[default:" not in record] == []


def test_version_names_the_tool_torch_and_python(lstmcast: Program) -> None:
    done = lstmcast("--version")
    assert re.fullmatch(r"lstmcast \S+ \(torch \S+, Python 3\.\d+\.\d+\)\n", done.stdout)


def test_every_exit_code_is_unique_and_documented(lstmcast: Program) -> None:
    assert len({int(code) for code in ExitCode}) == len(ExitCode.__members__)
    assert set(MEANINGS) == set(ExitCode)
    lines = lstmcast("help", "exit-codes").stdout.splitlines()
    assert [int(line.split()[0]) for line in lines] == sorted(ExitCode)


def test_help_of_a_topic(lstmcast: Program) -> None:
    assert lstmcast("help", "fit").stdout == lstmcast("fit", "--help").stdout
    assert lstmcast("help").stdout == lstmcast("--help").stdout
    assert "did you mean 'fit'" in lstmcast("help", "fitt").stderr


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["fitt"], "no command 'fitt'", "did you mean 'fit'?"),
        (["fit"], "missing argument 'DATA'", "see `lstmcast fit --help`"),
        (["fit", "x", "y"], "unexpected extra argument", "see `lstmcast fit --help`"),
        (["fit", "x", "--taget", "y"], "no option '--taget'", "did you mean --target?"),
        (["fit", "x", "--lr"], "'--lr' requires an argument", "--help`"),
        (["fit", "x", "--target", "y", "--duplicates", "frist"], "--duplicates 'frist'", "did you mean 'first'?"),
        (["fit", "x", "--target", "y", "--horizon", "0"], "--horizon 0 is out of range", "give 1 or more"),
        (["fit", "x", "--target", "y", "--horizon", "z"], "--horizon: input should be a valid integer", "see"),
        (["fit", "x", "--target", "y", "--lr", "nan"], "--lr nan is out of range", "above 0"),
        (["fit", "x", "--target", "y", "--dropout", "1"], "--dropout 1.0 is out of range", "0 up to"),
        (["fit", "x", "--target", "y", "-q", "-v"], "contradict", "one of them"),
        (["fit", "x"], "no target column", "--target COL"),
        (["fit", "x", "--target", "y", "--past", "y"], "given both as --target and as --past", "one role"),
        (["fit", "x", "--target", "y", "--fail-if", "masse>1"], "unknown metric 'masse'", "did you mean 'mase'?"),
        (["fit", "x", "--target", "y", "--fail-if", "mase=1"], "'mase=1' is no rule", '"mase>1"'),
        (["fit", "x", "--target", "y", "--fail-if", "mase>one"], "'mase>one' is no rule", '"mase>1"'),
        (["predict", "x", "--quantiles", "0.1,2"], "--quantiles '0.1,2' is out of range", "between 0 and 1"),
        (["predict", "x", "--format", "cvs"], "unknown --format 'cvs'", "did you mean 'csv'?"),
        (["predict", "x", "-o", "x.xlsx"], "no format is known by the extension of 'x.xlsx'", ".parquet"),
    ],
)
def test_a_wrong_command_line_is_told_what_is_wrong_and_what_to_do(
    arguments: list[str], message: str, hint: str, lstmcast: Program, tmp_path: Path
) -> None:
    done = lstmcast(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    first, second = done.stderr.splitlines()
    assert first.startswith("error: ") and message in first
    assert hint in second
    assert list(tmp_path.iterdir()) == []


def test_a_missing_run_is_a_run_error(lstmcast: Program) -> None:
    for command in (["predict", "nowhere"], ["evaluate", "nowhere", "x.csv"]):
        done = lstmcast(*command)
        assert (done.returncode, done.stdout) == (4, "")
        assert done.stderr == "error: no run at 'nowhere'\n  make one with `lstmcast fit`\n"


def test_json_turns_an_error_into_one_json_line(lstmcast: Program) -> None:
    done = lstmcast("predict", "no\nwhere", "--json")
    assert json.loads(done.stderr) == {
        "code": 4,
        "kind": "run",
        "message": "no run at 'no\\nwhere'",
        "hint": "make one with `lstmcast fit`",
    }
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (4, "", 1)


def test_debug_shows_the_traceback_before_the_error(lstmcast: Program) -> None:
    done = lstmcast("predict", "nowhere", "--debug")
    assert done.returncode == 4
    assert done.stderr.startswith("Traceback")
    assert done.stderr.endswith("error: no run at 'nowhere'\n  make one with `lstmcast fit`\n")


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (DataError("bad \x1b[31mcell\u202e", "mend it"), 3, "error: bad \\x1b[31mcell\\u202e\n  mend it\n"),
        (RunError("no [/red] [usd]"), 4, "error: no [/red] [usd]\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (signals.Terminated(), 143, "terminated\n"),
        (MemoryError(), 6, f"error: out of memory\n  {memory.ADVICE}\n"),
        (
            OSError(errno.EIO, "Input/output error", "x"),
            6,
            "error: 'x': Input/output error\n  make room, or write somewhere else with --out or -o\n",
        ),
        (BrokenPipeError(), 0, ""),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_each_kind_of_error_has_its_status_and_its_words(
    error: BaseException,
    status: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert failing(error, monkeypatch) == status
    assert capsys.readouterr() == ("", said)


def test_a_bug_keeps_its_traceback_in_a_log_and_exits_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert failing(ZeroDivisionError("division\nby zero"), monkeypatch) == 1
    first, second = capsys.readouterr().err.splitlines()
    assert first == "error: a bug in lstmcast: ZeroDivisionError: division\\nby zero"
    log = Path(second.rpartition(" ")[2])
    assert log.parent == tmp_path
    assert "Traceback" in log.read_text() and "ZeroDivisionError" in log.read_text()


def test_a_broken_stderr_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stderr", Gone())
    assert failing(DataError("x"), monkeypatch) == 3


def shell(script: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = ["bash", "-c", f'set -o pipefail; run() {{ {" ".join(PROGRAM)} "$@"; }}; {script}']
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=environment(), timeout=60, check=False)


def test_a_full_or_closed_stdout_is_one_line_and_status_6(tmp_path: Path) -> None:
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


def test_a_dash_on_a_terminal_shows_the_help(tmp_path: Path) -> None:
    seen = on_terminal(["fit", "-", "--target", "y"], tmp_path, only="stdin")
    assert seen.status == 2
    assert "Usage: lstmcast fit" in seen.text


@pytest.mark.parametrize(
    ("sent", "status", "word"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]
)
def test_a_signal_ends_the_program_with_a_word(sent: signal.Signals, status: int, word: str, tmp_path: Path) -> None:
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
        assert program.stderr.readline() == "reading stdin\n"  # its first word, before torch and pandas are loaded
        while not _loaded(program.pid, "pyarrow"):
            assert program.poll() is None
        os.kill(program.pid, sent)
        _, said = program.communicate(timeout=30)
    assert (program.returncode, said.splitlines()[-1]) == (status, word)
    assert list(tmp_path.iterdir()) == []


def _loaded(pid: int, library: str) -> bool:
    return library in Path(f"/proc/{pid}/maps").read_text()
