"""A progress bar for whoever waits, on a terminal or in a notebook."""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from html import escape

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from lstmcast.compute.progress import Event, OnEvent

_REDRAW_SECONDS = 0.2
"""Least time between two states of a bar in a notebook, which travel over a network."""


def follow_progress(
    progress: bool, on_event: OnEvent | None
) -> AbstractContextManager[OnEvent | None]:
    """Give the callback of a long work: one that shows bars, if they are wanted, or `on_event`."""
    return show_progress(on_event) if progress else nullcontext(on_event)


@contextmanager
def show_progress(on_event: OnEvent | None = None) -> Iterator[OnEvent]:
    """Give a callback that shows events as bars, one a phase, and passes them on to `on_event`."""
    bars = _show_in_notebook() if Console().is_jupyter else _show_on_terminal()
    with bars as draw:

        def show(event: Event) -> None:
            if on_event is not None:
                on_event(event)
            if event.total:
                draw(event)

        yield show


@contextmanager
def _show_on_terminal() -> Iterator[OnEvent]:
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns) as bar:
        tasks: dict[str, TaskID] = {}

        def draw(event: Event) -> None:
            if event.phase not in tasks:
                tasks[event.phase] = bar.add_task(event.phase, total=event.total)
            bar.update(
                tasks[event.phase],
                description=_describe(event),
                completed=event.step,
                total=event.total,
            )

        yield draw


@contextmanager
def _show_in_notebook() -> Iterator[OnEvent]:
    """Show bars of HTML, since those of rich need the package ipywidgets in a notebook."""
    from IPython import display

    newest: dict[str, Event] = {}
    page = display.HTML("")  # type: ignore[no-untyped-call]
    handle = display.display(page, display_id=True)  # type: ignore[no-untyped-call]
    drawn = 0.0

    def redraw() -> None:
        page.data = _draw_as_html(newest)
        handle.update(page)

    def draw(event: Event) -> None:
        nonlocal drawn
        newest[event.phase] = event
        now = time.monotonic()
        if now - drawn >= _REDRAW_SECONDS:
            drawn = now
            redraw()

    try:
        yield draw
    finally:
        redraw()


def _draw_as_html(events: dict[str, Event]) -> str:
    rows = (
        f'<div><progress value="{event.step}" max="{event.total}"></progress>'
        f" {escape(_describe(event))} {event.step:,}/{event.total:,}</div>"
        for event in events.values()
    )
    return "".join(rows)


def _describe(event: Event) -> str:
    if event.validation is None:
        return event.phase
    return f"{event.phase}: validation loss {event.validation:.4g}"
