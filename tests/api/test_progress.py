"""A bar shows each phase, and events are passed on."""

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from lstmcast.api import progress
from lstmcast.api.progress import follow_progress, show_progress
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


def test_in_a_notebook_a_bar_is_html_that_ends_with_the_last_event(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pages: list[str] = []
    handle = SimpleNamespace(update=lambda page: pages.append(page.data))
    shown: Any = SimpleNamespace(
        HTML=lambda data: SimpleNamespace(data=data), display=lambda *_, **__: handle
    )
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(display=shown))
    monkeypatch.setattr(progress, "Console", lambda: SimpleNamespace(is_jupyter=True))
    with show_progress() as show:
        for step in range(1, 2001):
            show(Event("train <b>", step=step, total=2000))
    assert '<progress value="2000" max="2000"></progress>' in pages[-1]
    assert "train &lt;b&gt; 2,000/2,000" in pages[-1]
    # A state for each event would be more than a browser can draw.
    assert len(pages) < 500


def test_without_progress_events_go_where_they_went(
    capsys: pytest.CaptureFixture[str],
) -> None:
    events: list[Event] = []
    for listener in (None, events.append):
        with follow_progress(False, listener) as show:
            assert show is listener
    assert capsys.readouterr().out == ""
