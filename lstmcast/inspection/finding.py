"""One finding: what was seen, how certain that is, what else it could be, what is done about it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Certainty = Literal["fact", "likely", "guess"]
"""fact: counted in the data, or requested. likely: the data show it, though they may mislead.
guess: something else is about as possible."""


@dataclass(frozen=True)
class Finding:
    """One finding, in words and in figures, and what is done about it.

    alternatives: what else it could be, with the option that says so where there is one.
    """

    name: str
    found: str
    done: str = ""
    figures: Mapping[str, Any] = field(default_factory=dict)
    certainty: Certainty = "fact"
    alternatives: tuple[str, ...] = ()


def findings_to_dicts(
    findings: tuple[Finding, ...],
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the findings by name, ready for JSON."""
    for finding in findings:
        words = {
            "found": finding.found,
            "done": finding.done,
            "certainty": finding.certainty,
            "alternatives": list(finding.alternatives),
        }
        # Figures beside the words: a figure named as one of these would be hidden.
        yield finding.name, {**finding.figures, **words}
