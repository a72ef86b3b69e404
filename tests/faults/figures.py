"""The figures of the last full run of the crash harness: it writes them to docs/reliability.md itself."""

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


def record(what: str, outcomes: Mapping[str, int]) -> None:
    """Show how often something was done and what came of it; keep it as the row `what` of the page's table."""
    came = ", ".join(f"{count:,} {outcome}" for outcome, count in sorted(outcomes.items()))
    row = f"| {what} | {sum(outcomes.values()):,} | {came} |"
    print(row)
    if not PAGE:
        return
    with Path(PAGE).open("r+", encoding="utf-8") as page:
        fcntl.flock(page, fcntl.LOCK_EX)
        text = page.read()
        found = _TABLE.search(text)
        assert found, f"{PAGE} has no place for figures"
        rows = {
            line.split(" | ")[0]: line for line in found[0].splitlines() if line.startswith("| ")
        }
        rows.pop(_HEAD[0].split(" | ")[0], None)
        rows[row.split(" | ")[0]] = row
        page.seek(0)
        page.truncate()
        page.write(_TABLE.sub(lambda _: "\n".join([_when(), "", *_HEAD, *rows.values(), ""]), text))


def _when() -> str:
    python = ".".join(map(str, sys.version_info[:3]))
    day = datetime.now(UTC).date().isoformat()
    return f"Last run: {day}, lstmcast {version('lstmcast')}, torch {version('torch')}, Python {python}, Linux."
