"""The tutorial's own script under cron, day by day, with only a PATH in its environment."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, SAMPLE_DATA

ROWS = (SAMPLE_DATA / "price.csv").read_text(encoding="utf-8").splitlines()


def write_day(folder: Path, rows: list[str]) -> None:
    (folder / "latest.csv").write_text(
        "\n".join([ROWS[0], *rows, ""]), encoding="utf-8"
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the script of the tutorial and the program on its PATH, its fits kept short."""
    tutorial = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    script = re.search(r"```sh\n(.*?)```", tutorial, re.DOTALL)
    assert script
    (tmp_path / "morning.sh").write_text(script[1])
    (tmp_path / "lstmcast.toml").write_text("steps = 0\n")
    (tmp_path / "bin").mkdir()
    program = (
        f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m lstmcast "$@"\n'
    )
    (tmp_path / "bin" / "lstmcast").write_text(program)
    (tmp_path / "bin" / "lstmcast").chmod(0o755)
    return tmp_path


def morning(folder: Path) -> tuple[int, str]:
    """Exit status of the job and what cron would mail."""
    line = [
        "env",
        "-i",
        f"PATH={folder / 'bin'}:/usr/bin:/bin",
        "/bin/sh",
        str(folder / "morning.sh"),
    ]
    done = subprocess.run(
        line,
        cwd="/",
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=300,
    )
    return done.returncode, done.stdout + done.stderr


def test_32_a_job_fits_once_forecasts_each_day_and_writes_mail_only_when_something_is_wrong(
    folder: Path,
) -> None:
    write_day(folder, ROWS[1:501])
    assert morning(folder) == (0, "")
    run = (folder / "runs" / "price" / "run.json").read_bytes()
    first = (folder / "forecast.csv").read_text()
    assert first.splitlines()[1].startswith("2024-05-15,")

    # A day without new rows, and one with a wild value: too early to judge by.
    assert morning(folder) == (0, "")
    assert (folder / "forecast.csv").read_text() == first
    write_day(folder, [*ROWS[1:501], ROWS[501].split(",")[0] + ",5000"])
    assert morning(folder) == (0, "")

    write_day(folder, ROWS[1:516])
    assert morning(folder) == (0, "")
    assert (
        (folder / "forecast.csv").read_text().splitlines()[1].startswith("2024-05-30,")
    )
    assert (folder / "scores.csv").read_text().startswith("method,mase")

    wild = [
        f"{row.split(',')[0]},{(-1) ** number * 5000}"
        for number, row in enumerate(ROWS[516:530])
    ]
    write_day(folder, ROWS[1:516] + wild)
    status, mail = morning(folder)
    assert status == 7 and len(mail.splitlines()) <= 3
    assert mail.startswith("error: quality gate not met: mase is ")

    write_day(folder, [*ROWS[1:516], "2024-05-30,sold out"])
    before = (folder / "forecast.csv").read_bytes()
    status, mail = morning(folder)
    assert status == 3 and 2 <= len(mail.splitlines()) <= 3
    assert "latest.csv:517" in mail and "'sold out'" in mail
    assert (folder / "forecast.csv").read_bytes() == before
    assert (folder / "runs" / "price" / "run.json").read_bytes() == run
