"""The examples of the tutorial and the how-tos run in order and print what is shown."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.test_readme import check_output, commands, examples, folder

__all__ = ["folder"]
TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
HOWTO = (ROOT / "docs" / "howto.md").read_text(encoding="utf-8")
SECTIONS = re.split(r"^## ", HOWTO, flags=re.MULTILINE)[1:]


def follow(page: str, folder: Path, **settings: str) -> int:
    """Do all that a page says, in one folder; returns how many commands that were."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("LSTMCAST_")
    }
    count = 0
    for example in examples(page):
        if example.language == "python":
            line = [sys.executable, "-W", "error", "-c", example.text]
            assert subprocess.run(
                line, cwd=folder, timeout=300, check=True, capture_output=True
            ).stdout
            count += 1
            continue
        for command, shown in commands(example.text):
            env = kept | {"PATH": path} | settings
            done = subprocess.run(
                ["bash", "-o", "pipefail", "-c", command],
                cwd=folder, env=env, capture_output=True, text=True,
                timeout=300, check=False,
            )  # fmt: skip
            assert done.returncode == 0, f"{command}\n{done.stderr[-2000:]}"
            check_output(shown, done.stdout.splitlines())
            count += 1
    return count


def test_the_tutorial_can_be_followed(folder: Path) -> None:
    assert follow(TUTORIAL, folder, LSTMCAST_STEPS="0") >= 8


@pytest.mark.slow
def test_the_tutorial_can_be_followed_with_all_its_training(folder: Path) -> None:
    assert follow(TUTORIAL, folder) >= 8


@pytest.mark.parametrize(
    "section", SECTIONS, ids=lambda section: section.partition("\n")[0]
)
def test_a_how_to_does_what_it_says(section: str, folder: Path) -> None:
    quick = {} if "config show" in section else {"LSTMCAST_STEPS": "0"}
    assert bool(follow(section, folder, **quick)) is bool(examples(section))
