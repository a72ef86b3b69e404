"""What Ctrl-C, SIGTERM and a closed terminal do to the program: it ends soon, with a word and the right status.

The first signal is raised as an exception, so that everything on the way out is tidied. The second
ends the process on the spot, and so does a first one that nothing answers: long work in a library
holds exceptions up, but not the thread that watches here. Processes that were started notice, and
end too.
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
"""What the first signal was raised as. It may come out as something else, such as a failed
import."""


class Terminated(BaseException):
    """SIGTERM or SIGHUP arrived."""


def install_handlers() -> None:
    """Handle signals from now on; those that whoever started the program has it ignore (nohup) stay ignored."""
    for number in _EXIT_STATUS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _raise_signal)
    bell, ringer = os.pipe()
    os.set_blocking(ringer, False)
    signal.set_wakeup_fd(ringer, warn_on_full_buffer=False)
    with contextlib.suppress(RuntimeError):  # no memory for a thread: commands say so themselves
        threading.Thread(target=_watch_signals, args=(bell,), daemon=True).start()


def _raise_signal(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    raised_signals.append(KeyboardInterrupt() if number == signal.SIGINT else Terminated())
    raise raised_signals[-1]


def _watch_signals(bell: int) -> None:
    seen = 0
    while True:
        for number in os.read(bell, 64):
            if number in _EXIT_STATUS:
                seen += 1
                last = _EXIT_STATUS[signal.Signals(number)]
                if seen > 1:
                    os._exit(last)
                timer = threading.Timer(EXIT_DEADLINE_SECONDS, os._exit, (last,))
                timer.daemon = True
                timer.start()
