"""Progress of what takes long, for whoever wants to show it. Knows nothing of what is done nor of who looks."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Event:
    """What has just been done: of which phase, which step of how many, and the losses there."""

    phase: str
    message: str = ""
    step: int = 0
    total: int = 0
    loss: float | None = None
    validation: float | None = None


OnEvent = Callable[[Event], None]
