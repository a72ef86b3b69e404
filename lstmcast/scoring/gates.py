"""Rules on figures of a verdict: `mase>1`, or `mase<=1.02*old` where there is one to compare with.

Knows no verdicts: only the names and the values of their figures.
"""

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from lstmcast.errors import UsageError, suggest_similar

_PROBABILITY_METRICS = ("brier", "log_loss", "auc", "calibration", "log_likelihood")
GATE_METRICS = (
    "mase",
    "rmsse",
    "smape",
    "mape",
    "mae",
    "rmse",
    "wql",
    "coverage",
    "skill",
    *_PROBABILITY_METRICS,
)
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_RULE_PATTERN = re.compile(r"\s*([A-Za-z_]+)\s*(>=|<=|>|<)\s*(\S.*?)\s*")
_OLD_VALUE_PATTERN = re.compile(r"(?:([^*\s]+)\s*\*\s*)?old", re.IGNORECASE)


@dataclass(frozen=True)
class Gate:
    """One rule: the metric, the comparison and the limit, which with `relative` is a factor on the old value."""

    metric: str
    sign: str
    limit: float
    relative: bool = False

    @classmethod
    def parse(
        cls,
        text: str,
        option: str = "--fail-if",
        *,
        example: str = "mase>1",
        known: Sequence[str] = GATE_METRICS,
    ) -> "Gate":
        """Read `metric>limit`; raises UsageError for a metric or a form that is unknown."""
        found = _RULE_PATTERN.fullmatch(text)
        try:
            metric, sign, right = found.groups() if found else ("", "", "")
            old = _OLD_VALUE_PATTERN.fullmatch(right)
            gate = cls(
                metric.lower(), sign, float((old[1] or 1) if old else right), old is not None
            )
        except ValueError:
            raise UsageError(
                f"{option} {text!r} is no rule", f'write a metric, a sign and a number: "{example}"'
            ) from None
        if gate.metric not in known:
            raise UsageError(
                f"{option} {text!r}: unknown metric {metric!r}", suggest_similar(gate.metric, known)
            )
        return gate

    def __str__(self) -> str:
        """The rule as it is typed."""
        factor = "" if self.limit == 1 else f"{self.limit:g}*"
        return f"{self.metric}{self.sign}{f'{factor}old' if self.relative else f'{self.limit:g}'}"

    def holds(self, now: Mapping[str, float], old: Mapping[str, float] | None = None) -> bool:
        """Whether the comparison is true of these figures; of one that is not known (NaN) it is not."""
        limit = self.limit * (old or {}).get(self.metric, math.nan) if self.relative else self.limit
        return _COMPARISONS[self.sign](now.get(self.metric, math.nan), limit)
