"""Signals that wait until what has been trained is saved, or some seconds at most.

Knows neither what is saved nor what a signal does in the end.
"""

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, NoReturn

from lstmcast.compute.system import ALARM_SIGNAL, ENDING_SIGNALS, set_alarm

MAX_SIGNAL_DELAY_SECONDS = 2.5
"""Seconds that a signal waits at most."""


class SignalDeferral:
    """In its block, the first signal calls `prepare` and waits; a second one is delivered at once.

    A signal that waits is delivered after MAX_SIGNAL_DELAY_SECONDS at the latest, and where the
    block is left. Outside of the main thread, which alone receives signals, nothing changes.
    """

    def __init__(self, prepare: Callable[[], None]) -> None:
        self.prepare = prepare
        self.number = 0
        self.before: dict[int, Any] = {}

    def __enter__(self) -> "SignalDeferral":
        """Take over the signals, except for those that are ignored."""
        if threading.current_thread() is threading.main_thread():
            for number in ENDING_SIGNALS:
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    self.before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Restore the handlers, except where a signal has been given another one meanwhile."""
        self._restore_handlers()
        # Another interruption, such as KeyboardInterrupt, ends the program by itself.
        if self.number and (kind is None or issubclass(kind, Exception)):
            self.deliver_signal()

    def deliver_signal(self) -> NoReturn:
        """Deliver the signal that waits to the handler that it had before."""
        handler = self.before.get(self.number, signal.getsignal(self.number))
        self._restore_handlers()
        if callable(handler):
            handler(self.number, None)
        # A handler that returns, or the system's own: neither may let the block go on.
        signal.raise_signal(self.number)
        raise KeyboardInterrupt

    def _on_signal(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        if self.number:
            self.deliver_signal()
        self.number = number
        # The alarm arrives as if it were a second signal.
        self.before[ALARM_SIGNAL] = signal.signal(ALARM_SIGNAL, self._on_signal)
        set_alarm(MAX_SIGNAL_DELAY_SECONDS)
        try:
            self.prepare()
        except OSError:  # nothing can be saved, so there is nothing to wait for
            self.deliver_signal()

    def _restore_handlers(self) -> None:
        if ALARM_SIGNAL in self.before:
            set_alarm(0)
        while self.before:
            number, handler = self.before.popitem()
            if signal.getsignal(number) == self._on_signal:
                signal.signal(number, handler)
