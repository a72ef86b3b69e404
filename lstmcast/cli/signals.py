"""End the program soon on Ctrl-C, SIGTERM or a closed terminal, with a message and its status.

The first signal is raised as an exception, so that everything on the way out is tidied. The second
ends the process at once, and so does a first one that nothing handles in time: long work in a
library holds exceptions up, but not the thread that watches here. Worker processes notice, and end
too.
"""

import contextlib
import os
import signal
import socket
import threading
from types import FrameType

from lstmcast.compute.system import ENDING_SIGNALS, open_wakeup_channel
from lstmcast.errors import ExitCode

EXIT_DEADLINE_SECONDS = 4.0
"""Seconds in which a first signal has to end the process."""
_WAKE_SECONDS = 0.2
"""Seconds after a signal at which a main thread that waits for input is made to look at it.

A signal that came just before the wait began does not end it."""
_WAKING_SIGNAL = getattr(signal, "SIGURG", None)
"""A signal that does nothing but end a wait; not on Windows."""
_EXIT_STATUS = {
    **dict.fromkeys(ENDING_SIGNALS, ExitCode.TERMINATED),
    signal.SIGINT: ExitCode.INTERRUPTED,
}
raised_signals: list[BaseException] = []
"""The exceptions that signals were raised as. They may come out as something else, such as a failed
import."""


class Terminated(BaseException):
    """SIGTERM arrived, or what a closed terminal sends."""


def install_handlers() -> None:
    """Handle signals from now on; those that the parent process ignores (nohup) stay ignored."""
    for number in _EXIT_STATUS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _raise_signal)
    if _WAKING_SIGNAL is not None:
        signal.signal(_WAKING_SIGNAL, _do_nothing)
    # A thread reads the numbers of signals, even while a library holds up the handlers.
    channel = open_wakeup_channel()
    with contextlib.suppress(
        RuntimeError
    ):  # no memory for a thread: commands say so themselves
        threading.Thread(target=_watch_signals, args=(channel,), daemon=True).start()


def _raise_signal(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    error = KeyboardInterrupt() if number == signal.SIGINT else Terminated()
    raised_signals.append(error)
    raise error


def _do_nothing(number: int, frame: FrameType | None) -> None:
    """Handle the signal that ends a wait."""


def _wake_main_thread() -> None:
    main = threading.main_thread().ident
    if _WAKING_SIGNAL is not None and main is not None:
        signal.pthread_kill(main, _WAKING_SIGNAL)


def _watch_signals(channel: socket.socket) -> None:
    """End the process on a second signal, or when the first one is not handled in time."""
    count = 0
    while True:
        for number in channel.recv(64):
            if number not in _EXIT_STATUS:
                continue
            count += 1
            status = _EXIT_STATUS[signal.Signals(number)]
            if count > 1:
                os._exit(status)
            timer = threading.Timer(EXIT_DEADLINE_SECONDS, os._exit, (status,))
            timer.daemon = True
            timer.start()
            waker = threading.Timer(_WAKE_SECONDS, _wake_main_thread)
            waker.daemon = True
            waker.start()
