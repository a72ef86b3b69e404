"""Figures of the last full run of the crash harness, which writes them to docs/reliability.md."""

import fcntl
import os
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

PAGE = os.environ.get("FIGURES", "")
"""The page to write to; nothing is written where this is empty, as in every run but `make
reliability`."""
_TABLE = re.compile(r"(?<=<!-- figures -->\n).*(?=<!-- end of figures -->)", re.DOTALL)
_HEAD = ("| what was done | times | what came of it |", "|---|---|---|")


def record(action: str, outcomes: Mapping[str, int]) -> None:
    """Print how often an action had which outcome, and write it as a row of the page's table."""
    counts = ", ".join(
        f"{count:,} {outcome}" for outcome, count in sorted(outcomes.items())
    )
    row = f"| {action} | {sum(outcomes.values()):,} | {counts} |"
    print(row)
    if not PAGE:
        return
    with Path(PAGE).open("r+", encoding="utf-8") as page:
        fcntl.flock(page, fcntl.LOCK_EX)
        text = page.read()
        found = _TABLE.search(text)
        assert found, f"{PAGE} has no place for figures"
        rows = {
            line.split(" | ")[0]: line
            for line in found[0].splitlines()
            if line.startswith("| ")
        }
        rows.pop(_HEAD[0].split(" | ")[0], None)
        rows[row.split(" | ")[0]] = row
        page.seek(0)
        page.truncate()
        table = "\n".join([_describe_last_run(), "", *_HEAD, *rows.values(), ""])
        page.write(_TABLE.sub(lambda _: table, text))


def _describe_last_run() -> str:
    python = ".".join(map(str, sys.version_info[:3]))
    day = datetime.now(UTC).date().isoformat()
    versions = (
        f"lstmcast {version('lstmcast')}, torch {version('torch')}, Python {python}"
    )
    return f"Last run: {day}, {versions}, Linux."
