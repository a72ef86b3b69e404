"""How long work will still take, from how fast it went so far.

Knows neither the work nor how it is shown.
"""

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lstmcast.compute.progress import Event

MIN_SHARE = 0.005
"""Share of the work that must be done before the rest is estimated."""


@dataclass
class _PhaseBegin:
    """When a phase began, how far it was then, and how far it has come."""

    time: float
    share: float
    latest: float


@dataclass
class Pace:
    """The pace of each phase of some work; times are seconds of any one clock."""

    phases: dict[str, _PhaseBegin] = field(default_factory=dict)

    def estimate_seconds(self, event: "Event", now: float) -> float:
        """Take over an event, and return the seconds that its phase still takes; NaN if unknown.

        A phase that falls back, such as the training of the next fold, begins anew.
        """
        share = (event.step + event.part) / event.total
        begin = self.phases.get(event.phase)
        if begin is None or share < begin.latest:
            self.phases[event.phase] = _PhaseBegin(now, share, share)
            return math.nan

        begin.latest = share
        done = share - begin.share
        if done < MIN_SHARE:
            return math.nan
        elapsed = now - begin.time
        return elapsed * (1 - share) / done


def format_seconds_left(seconds: float) -> str:
    """Return how long work still takes, in words that promise no more than is known."""
    if math.isnan(seconds):
        return ""
    if seconds < 60:
        return "under 1 min left"
    if seconds < 90 * 60:
        return f"about {seconds / 60:.0f} min left"
    return f"about {seconds / 3600:.1f} h left"
