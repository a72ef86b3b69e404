"""What the tests of faults counted -> a table of docs/reliability.md. Pure.

`make reliability` runs those tests; each writes its counts into docs/figures/reliability.json.
"""

from collections.abc import Mapping
from typing import Any


def table(found: Mapping[str, Any]) -> str:
    """Rows of Markdown, one for each kind of fault."""
    lines = [
        f"Last run: {found['last_run']}.",
        "",
        "| what was done | times | what came of it |",
        "|---|---|---|",
    ]
    for action, outcomes in found["rows"].items():
        counts = ", ".join(f"{n:,} {what}" for what, n in sorted(outcomes.items()))
        lines.append(f"| {action} | {sum(outcomes.values()):,} | {counts} |")
    return "\n".join(lines)
