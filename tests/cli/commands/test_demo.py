"""The sample that comes with the program."""

import json
import shlex
from pathlib import Path

from lstmcast.cli.commands.demo import SAMPLE_FILE
from tests.cli.conftest import Program
from tests.conftest import ROOT


def test_the_sample_in_the_package_is_that_of_the_repository() -> None:
    assert SAMPLE_FILE.read_bytes() == (ROOT / "sample_data/price.csv").read_bytes()


def test_the_sample_is_written_and_the_three_commands_to_type_all_run(
    quickly: Program, tmp_path: Path
) -> None:
    done = quickly("demo")
    assert (done.returncode, done.stdout) == (0, "price.csv\n")
    assert (tmp_path / "price.csv").read_bytes() == SAMPLE_FILE.read_bytes()
    heading, *commands = done.stderr.splitlines()
    assert heading == "now try:"
    assert len(commands) == 3
    for command in commands:
        words = shlex.split(command)
        more = ["--steps", "0"] if words[1] == "fit" else []
        assert quickly(*words[1:], *more).returncode == 0, command
    assert (tmp_path / "runs" / "price-price" / "run.json").exists()


def test_a_second_time_is_no_error_and_another_file_is_never_replaced(
    quickly: Program, tmp_path: Path
) -> None:
    assert quickly("demo", "-q").stderr == ""
    assert quickly("demo").returncode == 0
    (tmp_path / "price.csv").write_text("mine")
    done = quickly("demo")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[1] == (
        "  name another file: lstmcast demo price-2.csv"
    )
    assert (tmp_path / "price.csv").read_text() == "mine"
    assert quickly("demo", "price-2.csv").returncode == 0


def test_a_folder_gets_the_file_and_a_missing_one_is_named(
    quickly: Program, tmp_path: Path
) -> None:
    (tmp_path / "trial").mkdir()
    facts = json.loads(quickly("demo", "trial", "--json").stdout)
    assert facts["file"] == "trial/price.csv"
    assert facts["commands"][1] == "lstmcast forecast trial/price.csv"
    done = quickly("demo", "nowhere/price.csv")
    assert (done.returncode, done.stdout) == (6, "")
    assert "there is no folder 'nowhere'" in done.stderr
