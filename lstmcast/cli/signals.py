"""End the program soon on Ctrl-C, SIGTERM or a closed terminal, with a message and its status.

The first signal is raised as an exception, so that everything on the way out is tidied. The second
ends the process at once, and so does a first one that nothing handles in time: long work in a
library holds exceptions up, but not the thread that watches here. Worker processes notice, and end
too.
"""

import contextlib
import os
import signal
import threading
from types import FrameType

from lstmcast.errors import ExitCode

EXIT_DEADLINE_SECONDS = 4.0
"""Seconds in which a first signal has to end the process."""
_EXIT_STATUS = {
    signal.SIGINT: ExitCode.INTERRUPTED,
    signal.SIGTERM: ExitCode.TERMINATED,
    signal.SIGHUP: ExitCode.TERMINATED,
}
raised_signals: list[BaseException] = []
"""The exceptions that signals were raised as. They may come out as something else, such as a failed
import."""


class Terminated(BaseException):
    """SIGTERM or SIGHUP arrived."""


def install_handlers() -> None:
    """Handle signals from now on; those that the parent process ignores (nohup) stay ignored."""
    for number in _EXIT_STATUS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _raise_signal)
    # The interpreter writes the number of each signal to this pipe, even while a library holds up
    # the handlers; a thread reads it.
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
    with contextlib.suppress(
        RuntimeError
    ):  # no memory for a thread: commands say so themselves
        threading.Thread(target=_watch_signals, args=(read_end,), daemon=True).start()


def _raise_signal(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    error = KeyboardInterrupt() if number == signal.SIGINT else Terminated()
    raised_signals.append(error)
    raise error


def _watch_signals(read_end: int) -> None:
    """End the process on a second signal, or when the first one is not handled in time."""
    count = 0
    while True:
        for number in os.read(read_end, 64):
            if number not in _EXIT_STATUS:
                continue
            count += 1
            status = _EXIT_STATUS[signal.Signals(number)]
            if count > 1:
                os._exit(status)
            timer = threading.Timer(EXIT_DEADLINE_SECONDS, os._exit, (status,))
            timer.daemon = True
            timer.start()
