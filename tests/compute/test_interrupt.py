"""A signal waits until work has been saved, but not for ever, and a second one does not wait."""

import os
import signal
import time
from collections.abc import Iterator

import pytest

from lstmcast.compute import interrupt
from lstmcast.compute.interrupt import SignalDeferral
from lstmcast.compute.system import ENDING_SIGNALS


class Arrived(Exception):
    pass


@pytest.fixture(autouse=True)
def handled() -> Iterator[None]:
    def handle(number: int, _: object) -> None:
        raise Arrived(number)

    before = {number: signal.signal(number, handle) for number in ENDING_SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def send(number: int) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", ENDING_SIGNALS)
def test_a_signal_prepares_and_is_delivered_at_the_end(number: int) -> None:
    done = []
    with (
        pytest.raises(Arrived, match=str(int(number))),
        SignalDeferral(lambda: done.append("prepared")),
    ):
        send(number)
        done.append("worked on")
    assert done == ["prepared", "worked on"]
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_without_a_signal_nothing_happens() -> None:
    before = [signal.getsignal(number) for number in (*ENDING_SIGNALS, signal.SIGALRM)]
    with SignalDeferral(lambda: pytest.fail("there was no signal")):
        pass
    assert [
        signal.getsignal(number) for number in (*ENDING_SIGNALS, signal.SIGALRM)
    ] == before


def test_a_second_signal_does_not_wait() -> None:
    with pytest.raises(Arrived), SignalDeferral(lambda: None):
        send(signal.SIGINT)
        send(signal.SIGINT)
        pytest.fail("it went on after the second signal")


def test_a_signal_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interrupt, "MAX_SIGNAL_DELAY_SECONDS", 0.05)
    with (
        pytest.raises(Arrived, match=str(int(signal.SIGTERM))),
        SignalDeferral(lambda: None),
    ):
        send(signal.SIGTERM)
        time.sleep(10)
        pytest.fail("it went on")


def test_a_signal_does_not_wait_where_nothing_can_be_saved() -> None:
    def full() -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(Arrived), SignalDeferral(full):
        send(signal.SIGINT)
        pytest.fail("it went on")


def test_a_signal_is_delivered_in_place_of_an_error_that_follows_it() -> None:
    with pytest.raises(Arrived), SignalDeferral(lambda: None):
        send(signal.SIGINT)
        raise ValueError("stopped")


def test_ignored_signals_stay_ignored() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with SignalDeferral(lambda: pytest.fail("it was not ignored")):
        send(signal.SIGHUP)
