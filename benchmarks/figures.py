"""Where results of benchmarks lie: one small JSON file each, from which pages are made.

A file says itself how it came about: `measured` with a date and the version of the source, or
`source` where figures were written down from a page that was older than these files.
"""

import json
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.sets import ROOT

FOLDER = ROOT / "docs" / "figures"


def kept(name: str, folder: Path = FOLDER) -> dict[str, Any]:
    """Return the results of a benchmark; nothing where it has never run."""
    path = folder / f"{name}.json"
    if not path.exists():
        return {}
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def measured_today(results: dict[str, Any]) -> dict[str, Any]:
    """Say of results when they were measured."""
    return {"measured": date.today().isoformat(), **results}


def keep(name: str, results: dict[str, Any], folder: Path = FOLDER) -> None:
    """Write the results of a benchmark, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / f"{name}.part"
    text = json.dumps(results, indent=1, ensure_ascii=False, allow_nan=False)
    unfinished.write_text(text + "\n", encoding="utf-8")
    unfinished.replace(folder / f"{name}.json")
