"""The contract's row on shell completion, 14: what is offered, in each shell, and how lightly."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from lstmcast.cli import app
from lstmcast.cli.commands.completion import complete_line
from tests.cli.conftest import environment, run_program
from tests.test_architecture import HEAVY, modules_loaded

ROOT: Any = get_command(app.app)
HEADER = "day,wind speed,$(touch evil),`touch evil`;x,price\n1,2,3,4,5\n"


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the program prints for each shell."""
    place = tmp_path_factory.mktemp("scripts")
    return {
        shell: run_program("completion", shell, cwd=place).stdout
        for shell in ("bash", "zsh", "fish")
    }


@pytest.fixture
def folder(
    tmp_path: Path, scripts: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A folder with a file of awkward columns, and the program on the PATH."""
    (tmp_path / "my data.csv").write_text(HEADER)
    monkeypatch.chdir(tmp_path)
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    (bin_folder / "lstmcast").write_text(
        f'#!/bin/sh\nexec "{sys.executable}" -m lstmcast "$@"\n'
    )
    (bin_folder / "lstmcast").chmod(0o755)
    for shell, script in scripts.items():
        (tmp_path / f"script.{shell}").write_text(script)
    return tmp_path


def in_shell(command: list[str], folder: Path) -> str:
    if shutil.which(command[0]) is None:
        pytest.skip(f"needs a shell: there is no {command[0]} on the PATH")
    env = environment(
        PATH=f"{folder / 'bin'}:{environment()['PATH']}", HOME=str(folder)
    )
    done = subprocess.run(
        command,
        cwd=folder,
        env=env,
        text=True,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert not (folder / "evil").exists()
    return done.stdout


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        (["fo"], ["forecast"]),
        (["runs", "s"], ["show"]),
        (["fit", "my data.csv", "--tar"], ["--target"]),
        (["fit", "my data.csv", "--past", "w"], ["wind speed"]),
        (["fit", "my data.csv", "--past=p"], ["price"]),
        (["fit", "--duplicates", "f"], ["first"]),
        (["fit", "x", "--if-exists", ""], ["fail", "number", "skip"]),
        (["backtest", "x", "--no-re"], ["--no-refit"]),
        (["predict", "run", "--format", "j"], ["json", "jsonl"]),
        (["fit", "no.csv", "--target", ""], []),
        (["fit", ""], []),
        (["compl"], ["completion"]),
        (["evaluate", "run", "my data.csv", "--by", "s"], ["series", "step"]),
        (["fit", "--target", "price", "my data.csv", "--past", "pr"], ["price"]),
        (["fit", "my data.csv", "--steps", "many", "--past", "pr"], ["price"]),
        (["fit", "--target", "x", "--json", "--js"], []),
    ],
)
@pytest.mark.usefixtures("folder")
def test_14_commands_options_values_and_columns_are_offered(
    line: list[str], offered: list[str]
) -> None:
    assert complete_line(ROOT, line) == offered


def test_14_completion_loads_neither_torch_nor_pandas(folder: Path) -> None:
    line = [
        "completion-words",
        "--",
        "fit",
        str(folder / "my data.csv"),
        "--target",
        "",
    ]
    assert modules_loaded("-m", "lstmcast", *line) & HEAVY == set()


def test_14_bash_takes_the_words_as_words(folder: Path) -> None:
    ask = (
        "source script.bash; COMP_WORDS=(lstmcast fit 'my\\ data.csv' --past ''); COMP_CWORD=4;"
        " _lstmcast;"
        ' printf "%s\\n" "${COMPREPLY[@]}"'
    )
    assert in_shell(["bash", "--norc", "-c", ask], folder).splitlines() == [
        "\\$\\(touch\\ evil\\)", "\\`touch\\ evil\\`\\;x", "day", "price", "wind\\ speed",
    ]  # fmt: skip


def test_14_fish_takes_the_words_as_words(folder: Path) -> None:
    ask = "source script.fish; complete -C 'lstmcast fit my\\ data.csv --past '"
    offered = in_shell(["fish", "--no-config", "-c", ask], folder).splitlines()
    assert {"wind speed", "price", "day"} <= set(offered)


def test_14_zsh_takes_the_words_as_words(folder: Path) -> None:
    ask = (
        "compdef() { :; }; compadd() { print -rl -- ${@[3,-1]}; }; _files() { print files; };"
        "source script.zsh; words=(lstmcast fit 'my\\ data.csv' --past ''); CURRENT=5; _lstmcast"
    )
    assert in_shell(["zsh", "-f", "-c", ask], folder).splitlines() == [
        "\\$\\(touch\\ evil\\)", "\\`touch\\ evil\\`\\;x", "day", "price", "wind\\ speed",
    ]  # fmt: skip
