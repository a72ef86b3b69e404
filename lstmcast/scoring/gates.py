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
    """One rule: a metric, a comparison and a limit.

    relative: the limit is a factor on the old value.
    """

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
        rule = _RULE_PATTERN.fullmatch(text)
        metric, sign, right = rule.groups() if rule else ("", "", "")

        number = right
        old = _OLD_VALUE_PATTERN.fullmatch(right)
        if old:
            # `old` alone is once the old value.
            number = old[1] or "1"
        try:
            limit = float(number)
        except ValueError:
            hint = f'write a metric, a sign and a number: "{example}"'
            raise UsageError(f"{option} {text!r} is not a rule", hint) from None

        name = metric.lower()
        if name not in known:
            raise UsageError(
                f"{option} {text!r}: unknown metric {metric!r}",
                suggest_similar(name, known),
            )
        return cls(name, sign, limit, relative=old is not None)

    def __str__(self) -> str:
        """The rule as it is typed."""
        limit = f"{self.limit:g}"
        if self.relative:
            limit = "old" if self.limit == 1 else f"{limit}*old"
        return f"{self.metric}{self.sign}{limit}"

    def holds(
        self, now: Mapping[str, float], old: Mapping[str, float] | None = None
    ) -> bool:
        """Whether the comparison is true of these figures; not where one is missing or NaN."""
        limit = self.limit
        if self.relative:
            old = old or {}
            limit *= old.get(self.metric, math.nan)

        compare = _COMPARISONS[self.sign]
        value = now.get(self.metric, math.nan)
        # No comparison with NaN is true.
        return compare(value, limit)
