"""The README does what it says: its examples run, its map is complete, its links lead somewhere."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from lstmcast.errors import ExitCode
from tests.conftest import ROOT, SAMPLE_DATA

PAGES = (
    ROOT / "README.md",
    ROOT / "docs" / "guide.md",
    ROOT / "docs" / "tutorial.md",
    ROOT / "docs" / "howto.md",
    ROOT / "docs" / "schemas.md",
    ROOT / "docs" / "run-directory.md",
    ROOT / "docs" / "contributing.md",
    ROOT / "docs" / "changelog.md",
    SAMPLE_DATA / "README.md",
)
README = PAGES[0].read_text(encoding="utf-8")
GUIDE = PAGES[1].read_text(encoding="utf-8")


class Example(NamedTuple):
    """A fenced block; `slow` where the page says so in a comment before it."""

    language: str
    text: str
    slow: bool


def examples(page: str) -> list[Example]:
    found = re.findall(
        r"^(<!-- slow -->\n)?```(console|python)\n(.*?)^```$",
        page,
        re.DOTALL | re.MULTILINE,
    )
    return [Example(language, text, bool(slow)) for slow, language, text in found]


SHORT_TRAINING = {"LSTMCAST_STEPS": "10"}
"""Settings with which a command trains for a moment instead of as long as it wants."""


def marked(page: str) -> list[object]:
    """Parameters of a test: each example, the environment it runs in, its name and its mark.

    Of those that take long the commands run twice: with a short training, and in the slow tests as
    they stand.
    """
    found = []
    for example in examples(page):
        name = example.text.splitlines()[0][:60]
        marks = [pytest.mark.slow] if example.slow else []
        found.append(pytest.param(example, {}, id=name, marks=marks))
        if example.slow and example.language == "console":
            found.append(pytest.param(example, SHORT_TRAINING, id=f"briefly: {name}"))
    return found


def commands(text: str) -> list[tuple[str, list[str]]]:
    """Each `$ command` of a console example with the lines of output shown under it."""
    parts = re.split(r"^\$ ", text, flags=re.MULTILINE)
    return [
        (command, shown)
        for command, *shown in (part.splitlines() for part in parts[1:])
    ]


def check_output(shown: list[str], printed: list[str]) -> None:
    """What is shown is what was printed; `...` stands for the rest."""
    if shown and shown[-1] == "...":
        shown, printed = shown[:-1], printed[: len(shown) - 1]
    if shown:
        assert printed == shown


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(SAMPLE_DATA, tmp_path / "sample_data")
    return tmp_path


def run(command: list[str], folder: Path, settings: dict[str, str]) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"PATH": path} | settings,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.mark.parametrize(("example", "settings"), [*marked(README), *marked(GUIDE)])
def test_an_example_runs_and_prints_what_is_shown(
    example: Example, settings: dict[str, str], folder: Path
) -> None:
    if example.language == "python":
        line = [sys.executable, "-W", "error", "-c", example.text]
        assert run(line, folder, settings)
        return
    for command, shown in commands(example.text):
        line = ["bash", "-o", "pipefail", "-c", command]
        check_output(shown, run(line, folder, settings).splitlines())


def test_every_command_of_the_readme_runs_in_every_run_of_the_tests() -> None:
    quick = [entry for entry in marked(README) if not entry.marks]
    texts = {entry.values[0].text for entry in quick}
    assert texts == {example.text for example in examples(README)}


def test_there_are_five_examples() -> None:
    assert len(examples(README)) == 5
    assert all(
        commands(example.text)
        for example in examples(README)
        if example.language == "console"
    )


def test_the_map_names_every_file_of_the_package_and_no_other() -> None:
    rows = re.findall(
        r"^\| \[?(`.*?) \|", README.partition("## The map")[2], re.MULTILINE
    )
    listed = [name.rstrip("/") for row in rows for name in re.findall(r"`(.+?)`", row)]
    package = {path.name for path in (ROOT / "lstmcast").iterdir()}
    assert sorted(listed) == sorted(package - {"__pycache__", "py.typed"})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


TORCHRUN = {
    "--nproc-per-node",
    "--nnodes",
    "--rdzv-backend",
    "--rdzv-endpoint",
    "--max-restarts",
}
"""Options of the program that starts ranks."""
PIP = {"--no-compile"}


@pytest.mark.parametrize("page", PAGES[:-1], ids=lambda page: page.name)
def test_every_option_that_a_page_names_is_in_the_help(page: Path) -> None:
    known = set(
        re.findall(
            r"(?<!\S)--?[a-z][a-z-]*",
            (ROOT / "docs" / "commands.md").read_text(encoding="utf-8"),
        )
    )
    code = " ".join(
        re.findall(
            r"`[^`]+`|^\$.*lstmcast.*", page.read_text(encoding="utf-8"), re.MULTILINE
        )
    )
    assert (
        set(re.findall(r"(?<!\S)--[a-z][a-z-]*", code.replace("`", " ")))
        <= known | TORCHRUN | PIP
    )


def test_the_guide_lists_every_exit_code_and_no_other() -> None:
    listed = re.findall(r"^\| ([\d, ]+) \|", GUIDE, re.MULTILINE)
    assert sorted(int(code) for codes in listed for code in codes.split(",")) == sorted(
        ExitCode
    )
