"""A bar shows each phase, and events are passed on."""

import pytest

from lstmcast.api.progress import show_progress
from lstmcast.compute.progress import Event


def test_a_bar_shows_a_phase_and_passes_events_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    events: list[Event] = []
    with show_progress(events.append) as show:
        show(Event("prepare", "season 7"))
        show(Event("train [bold]", step=1, total=4))
        show(Event("train [bold]", step=4, total=4, validation=0.5))
    shown = capsys.readouterr().out
    assert len(events) == 3
    assert "train [bold]: validation loss 0.5" in shown and "4/4" in shown
