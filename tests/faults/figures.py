"""Counts of the last full run of the crash harness, which keeps them for docs/reliability.md."""

import fcntl
import json
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

FILE = os.environ.get("FIGURES", "")
"""The file of JSON to write to; nothing is written where this is empty, as in every run but `make
reliability`."""


def record(action: str, outcomes: Mapping[str, int]) -> None:
    """Print how often an action had which outcome, and keep it in place of the last counts."""
    print(f"{action}: {sum(outcomes.values()):,}, {dict(sorted(outcomes.items()))}")
    if not FILE:
        return
    with Path(FILE).open("r+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        found = json.load(file)
        found["last_run"] = _describe_run()
        found["rows"][action] = dict(sorted(outcomes.items()))
        file.seek(0)
        file.truncate()
        json.dump(found, file, indent=1, ensure_ascii=False)
        file.write("\n")


def _describe_run() -> str:
    python = ".".join(map(str, sys.version_info[:3]))
    day = datetime.now(UTC).date().isoformat()
    versions = (
        f"lstmcast {version('lstmcast')}, torch {version('torch')}, Python {python}"
    )
    return f"{day}, {versions}, Linux"
