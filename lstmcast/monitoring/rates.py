"""How many false alarms are allowed, as a share of ordinary rows or in words; what an alarm is."""

from typing import Literal

from lstmcast.config import DEFAULT_FALSE_ALARM_RATE
from lstmcast.errors import UsageError, suggest_similar

Alarm = Literal["event", "row"]
"""Which rows are flagged: the one that opens an event, or every row that belongs to one."""
Sensitivity = Literal["low", "normal", "high"]
SENSITIVITY_RATES: dict[Sensitivity, float] = {
    "low": 0.0003,
    "normal": DEFAULT_FALSE_ALARM_RATE,
    "high": 0.003,
}
"""Rates in words: once in some 3,000, 1,000 and 300 ordinary rows."""


def require_rate(rate: float) -> None:
    """Raise UsageError for a share of ordinary rows that is none, or is nearly all of them."""
    if not 0 < rate < 0.5:
        raise UsageError(
            f"--rate {rate:g} is out of range",
            "give a share above 0 and below 0.5, such as 0.001",
        )


def resolve_rate(rate: float | None, sensitivity: Sensitivity | None) -> float:
    """Rate of false alarms from one of two ways to say it; the normal one where neither is given.

    Raises UsageError where both are given, and for a sensitivity that is not known.
    """
    if sensitivity is None:
        return DEFAULT_FALSE_ALARM_RATE if rate is None else rate
    if rate is not None:
        raise UsageError(
            "--rate and --sensitivity say the same in two ways", "give one of them"
        )
    if sensitivity not in SENSITIVITY_RATES:
        hint = suggest_similar(sensitivity, SENSITIVITY_RATES)
        raise UsageError(f"--sensitivity {sensitivity!r} is unknown", hint)
    return SENSITIVITY_RATES[sensitivity]
