"""Progress of long work, for whoever wants to show it.

Knows neither the work nor who shows it.
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

MIN_SECONDS_BETWEEN_WRITES = 1.0
"""Seconds from one report of a job in another process to the next, at least."""


@dataclass(frozen=True)
class Event:
    """What has just been done: step `step` of `total` of a phase, and the losses there.

    part: how much of the steps after it is done too, in steps: several may be at work.
    """

    phase: str
    message: str = ""
    step: int = 0
    total: int = 0
    loss: float | None = None
    validation: float | None = None
    part: float = 0.0


OnEvent = Callable[[Event], None]


@dataclass
class ShareFile:
    """Writes how far a job in another process is into a file, for whoever waits for the job.

    On another machine the folder is not there: then nothing is written, and the work goes on.
    """

    file: Path
    share: float = 0.0
    written: float = 0.0

    def __call__(self, event: Event) -> None:
        """Take over an event of the job; the file is written once a second at most."""
        self.share = max(self.share, _measure_share(event))
        now = time.monotonic()
        if now - self.written < MIN_SECONDS_BETWEEN_WRITES:
            return
        self.written = now
        with contextlib.suppress(OSError):
            self.file.write_text(f"{self.share:.4f}", encoding="ascii")


class JobShares:
    """Progress inside jobs, here or in other processes, as events of one phase.

    Each job gets a callback for its own events (`of_job`). What all of them have done so far is
    reported as `part`: at once for a job of this process, else whenever `report` is called.
    """

    def __init__(self, folder: Path | None, on_event: OnEvent, event: Event) -> None:
        self.folder = folder
        self.on_event = on_event
        self.event = event
        self.shares: dict[int, float] = {}

    def of_job(self, number: int) -> OnEvent:
        """Return the callback for the events of a job."""
        if self.folder is not None:
            return ShareFile(self.folder / f"{number}")

        def report_here(event: Event) -> None:
            share = _measure_share(event)
            self.shares[number] = max(share, self.shares.get(number, 0.0))
            self.report()

        return report_here

    def finish_job(self, number: int) -> None:
        """Count a job as a whole step, and report that."""
        self.shares.pop(number, None)
        if self.folder is not None:
            (self.folder / f"{number}").unlink(missing_ok=True)
        self.event = replace(self.event, step=self.event.step + 1)
        self.report()

    def report(self) -> None:
        """Report what is done by now."""
        if self.folder is not None:
            self.shares = dict(enumerate(map(_read_share, self.folder.iterdir())))
        part = sum(self.shares.values())
        self.on_event(replace(self.event, part=part))


@contextlib.contextmanager
def follow_jobs(
    on_event: OnEvent | None, event: Event, *, inline: bool
) -> Iterator[JobShares]:
    """Follow jobs from within, as a phase that begins with `event`.

    inline: whether the jobs run in this process, one at a time; others write files for it.
    """
    # Only long work needs it: the start stays quick.
    import tempfile

    show = on_event or (lambda _: None)
    with contextlib.ExitStack() as stack:
        folder = None
        if not inline:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        shares = JobShares(folder, show, event)
        shares.report()
        yield shares


def _measure_share(event: Event) -> float:
    done = event.step + event.part
    return min(1.0, done / event.total) if event.total else 0.0


def _read_share(file: Path) -> float:
    # Another process may be writing it, or have just ended.
    try:
        return float(file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0.0
