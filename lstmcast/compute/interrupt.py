"""Signals that wait for a good moment: until what has been learnt is kept, or some seconds at most.

Knows neither what is kept nor what a signal does in the end.
"""

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, NoReturn

PATIENCE = 2.5
"""Seconds that a signal waits."""
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Waiting:
    """While inside, the first signal only calls `prepare`; the second, or PATIENCE running out, takes its course.

    Leaving the context lets a signal that waits take its course too. Outside of the main thread, which alone gets
    signals, nothing changes.
    """

    def __init__(self, prepare: Callable[[], None]) -> None:
        self.prepare = prepare
        self.number = 0
        self.before: dict[int, Any] = {}

    def __enter__(self) -> "Waiting":
        """Take over the signals, but for those that are ignored."""
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    self.before[number] = signal.signal(number, self._arrived)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Give the signals back, but for what was made to ignore them meanwhile."""
        self._give_back()
        if self.number and (kind is None or issubclass(kind, Exception)):
            self.go()

    def go(self) -> NoReturn:
        """Let the signal that waits take its course."""
        handler = self.before.get(self.number, signal.getsignal(self.number))
        self._give_back()
        if callable(handler):
            handler(self.number, None)
        signal.raise_signal(self.number)
        raise KeyboardInterrupt

    def _arrived(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        if self.number:
            self.go()
        self.number = number
        self.before[signal.SIGALRM] = signal.signal(signal.SIGALRM, self._arrived)
        signal.setitimer(signal.ITIMER_REAL, PATIENCE)
        try:
            self.prepare()
        except OSError:  # nothing can be kept, so there is nothing to wait for
            self.go()

    def _give_back(self) -> None:
        if signal.SIGALRM in self.before:
            signal.setitimer(signal.ITIMER_REAL, 0)
        while self.before:
            number, handler = self.before.popitem()
            if signal.getsignal(number) == self._arrived:
                signal.signal(number, handler)
