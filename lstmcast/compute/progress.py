"""Progress of long work, for whoever wants to show it.

Knows neither the work nor who shows it.
"""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Event:
    """What has just been done: step `step` of `total` of a phase, and the losses there."""

    phase: str
    message: str = ""
    step: int = 0
    total: int = 0
    loss: float | None = None
    validation: float | None = None


OnEvent = Callable[[Event], None]
