"""Quality gates: `--fail-if "mase>1"` turns a bad verdict into exit status 7."""

import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lstmcast.errors import GateError, UsageError, suggest

if TYPE_CHECKING:
    from lstmcast.verdict import Verdict

_EVENTS = ("brier", "log_loss", "auc", "calibration", "log_likelihood")
METRICS = ("mase", "rmsse", "smape", "mape", "mae", "rmse", "wql", "coverage", "skill", *_EVENTS)
_TESTS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_RULE = re.compile(r"\s*([A-Za-z_]+)\s*(>=|<=|>|<)\s*(\S+)\s*")


@dataclass(frozen=True)
class Gate:
    """One rule: the metric, the comparison and the limit at which the command fails."""

    metric: str
    sign: str
    limit: float

    @classmethod
    def parse(cls, text: str, known: Sequence[str] = METRICS) -> "Gate":
        """Read `metric>limit`; raises UsageError for a metric or a form that is unknown."""
        found = _RULE.fullmatch(text)
        try:
            metric, sign, limit = found.groups() if found else ("", "", "")
            gate = cls(metric.lower(), sign, float(limit))
        except ValueError:
            raise UsageError(
                f"--fail-if {text!r} is no rule", 'write a metric, a sign and a number: "mase>1"'
            ) from None
        if gate.metric not in known:
            raise UsageError(f"--fail-if {text!r}: unknown metric {metric!r}", suggest(gate.metric, known))
        return gate

    def fails(self, value: float) -> bool:
        """Whether `value` trips the gate; a value that is not known (NaN) does."""
        return value != value or _TESTS[self.sign](value, self.limit)


def parse_gates(texts: Iterable[str] | None, known: Sequence[str] = METRICS) -> list[Gate]:
    """Read all `--fail-if` rules, before any work is done."""
    return [Gate.parse(text, known) for text in texts or ()]


def check_gates(gates: Iterable[Gate], verdict: "Verdict | None") -> None:
    """Raise GateError for the rules that the verdict trips; all of them where there is no verdict."""
    check_figures(gates, {**verdict.model, "skill": verdict.skill} if verdict else {})


def check_figures(gates: Iterable[Gate], figures: Mapping[str, float]) -> None:
    """Raise GateError for the rules that the figures trip; a figure that is not there trips its rules."""
    scores = dict.fromkeys(METRICS, float("nan")) | dict(figures)
    failed = [gate for gate in gates if gate.fails(scores[gate.metric])]
    if failed:
        said = ", ".join(f"{gate.metric} is {scores[gate.metric]:.4g}" for gate in failed)
        rules = ", ".join(f"{gate.metric}{gate.sign}{gate.limit:g}" for gate in failed)
        raise GateError(f"quality gate not met: {said}", f"--fail-if {rules}")
