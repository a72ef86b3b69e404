"""A progress bar for whoever waits, on a terminal or in a notebook."""

from collections.abc import Iterator
from contextlib import contextmanager

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


@contextmanager
def show_progress(on_event: OnEvent | None = None) -> Iterator[OnEvent]:
    """Give a callback that shows events as bars, one a phase, and passes them on to `on_event`."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns) as bar:
        tasks: dict[str, TaskID] = {}

        def show(event: Event) -> None:
            if on_event is not None:
                on_event(event)
            if not event.total:
                return
            text = event.phase
            if event.validation is not None:
                text = f"{event.phase}: validation loss {event.validation:.4g}"
            if event.phase not in tasks:
                tasks[event.phase] = bar.add_task(text, total=event.total)
            bar.update(
                tasks[event.phase],
                description=text,
                completed=event.step,
                total=event.total,
            )

        yield show
