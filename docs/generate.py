"""Write `docs/commands.md` from the program's own help: `python docs/generate.py [--check]`.

With `--check` nothing is written; the exit status is 1 where the file is not what the help says
today.
"""

import difflib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import typer.main

from lstmcast.cli.app import app

PAGE = Path(__file__).with_name("commands.md")
PLAIN = {
    "COLUMNS": "100",
    "TERMINAL_WIDTH": "100",
    "TERM": "dumb",
    "NO_COLOR": "1",
    "LC_ALL": "C.UTF-8",
}
HEAD = """\
# Commands

Written by `make docs` from the program's own help; do not edit.
Reading the results: [guide.md](guide.md).
"""


def command_names() -> list[str]:
    """Names of all commands in the order of the help, with those of the groups."""
    names = []
    for name, command in getattr(typer.main.get_command(app), "commands", {}).items():
        if not command.hidden:
            names.append(name)
            names += [f"{name} {sub}" for sub in getattr(command, "commands", {})]
    return names


def help_text(command: str) -> str:
    """What `lstmcast COMMAND --help` prints into a pipe 100 columns wide."""
    line = [sys.executable, "-m", "lstmcast", *command.split(), "--help"]
    done = subprocess.run(
        line, capture_output=True, text=True, check=True, env=os.environ | PLAIN
    )
    return "\n".join(text.rstrip() for text in done.stdout.strip("\n").splitlines())


def page() -> str:
    """The whole page as it should be."""
    names = ["", *command_names()]
    with ThreadPoolExecutor(2) as pool:
        texts = pool.map(help_text, names)
    return HEAD + "".join(
        f"\n## {f'lstmcast {name}'.strip()}\n\n```text\n{text}\n```\n"
        for name, text in zip(names, texts, strict=True)
    )


def main() -> int:
    """Write the page, or with `--check` say how it differs."""
    new, old = page(), PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(new, encoding="utf-8")
        return 0
    diff = list(
        difflib.unified_diff(
            old.splitlines(),
            new.splitlines(),
            "docs/commands.md",
            "today's help",
            lineterm="",
        )
    )
    if diff:
        print(
            "\n".join(
                [*diff[:60], "docs/commands.md is stale: run `make docs` and commit it"]
            ),
            file=sys.stderr,
        )
    return int(bool(diff))


if __name__ == "__main__":
    sys.exit(main())
