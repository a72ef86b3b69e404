"""Quality gates: `--fail-if "mase>1"` turns a bad verdict into exit status 7."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from lstmcast.errors import GateError, UsageError
from lstmcast.scoring.gates import GATE_METRICS, Gate

if TYPE_CHECKING:
    from lstmcast.scoring.verdict import Verdict


def parse_gates(
    rules: Iterable[str] | None, metrics: Sequence[str] = GATE_METRICS
) -> list[Gate]:
    """Read all `--fail-if` rules, before any work is done; raises UsageError."""
    gates = [Gate.parse(rule, known=metrics) for rule in rules or ()]
    for gate in gates:
        if gate.relative:
            raise UsageError(
                f"--fail-if '{gate}': there is nothing old to compare with",
                "give a number",
            )
    return gates


def check_gates(gates: Iterable[Gate], verdict: "Verdict | None") -> None:
    """Raise GateError for the rules that the verdict meets; for all where there is no verdict."""
    figures = {**verdict.model, "skill": verdict.skill} if verdict else {}
    check_figures(gates, figures)


def check_figures(gates: Iterable[Gate], figures: Mapping[str, float]) -> None:
    """Raise GateError for the rules that the figures meet.

    A rule about a figure that is unknown (NaN) or absent is met too: a gate lets nothing pass that
    it cannot check.
    """
    scores = dict.fromkeys(GATE_METRICS, math.nan) | dict(figures)
    failed = []
    for gate in gates:
        score = scores[gate.metric]
        if math.isnan(score) or gate.holds(scores):
            failed.append(gate)
    if failed:
        rules = ", ".join(str(gate) for gate in failed)
        values = ", ".join(
            f"{gate.metric} is {scores[gate.metric]:.4g}" for gate in failed
        )
        raise GateError(f"quality gate not met: {values}", f"--fail-if {rules}")
