"""Quality gates: `--fail-if "mase>1"` turns a bad verdict into exit status 7."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from lstmcast.errors import GateError, UsageError
from lstmcast.ragged import NAN
from lstmcast.scoring.gates import GATE_METRICS, Gate

if TYPE_CHECKING:
    from lstmcast.scoring.verdict import Verdict


def parse_gates(texts: Iterable[str] | None, known: Sequence[str] = GATE_METRICS) -> list[Gate]:
    """Read all `--fail-if` rules, before any work is done."""
    gates = [Gate.parse(text, known=known) for text in texts or ()]
    for gate in gates:
        if gate.relative:
            raise UsageError(
                f"--fail-if '{gate}': there is nothing old to compare with", "give a number"
            )
    return gates


def check_gates(gates: Iterable[Gate], verdict: "Verdict | None") -> None:
    """Raise GateError for the rules that the verdict trips; all of them where there is no verdict."""
    check_figures(gates, {**verdict.model, "skill": verdict.skill} if verdict else {})


def check_figures(gates: Iterable[Gate], figures: Mapping[str, float]) -> None:
    """Raise GateError for the rules that the figures trip; a figure that is not known (NaN) or not there trips its."""
    scores = dict.fromkeys(GATE_METRICS, NAN) | dict(figures)
    failed = [
        gate for gate in gates if scores[gate.metric] != scores[gate.metric] or gate.holds(scores)
    ]
    if failed:
        said = ", ".join(f"{gate.metric} is {scores[gate.metric]:.4g}" for gate in failed)
        raise GateError(f"quality gate not met: {said}", f"--fail-if {', '.join(map(str, failed))}")
