"""An event says how far work has come, and cannot be changed by whoever shows it."""

from dataclasses import FrozenInstanceError

import pytest

from lstmcast.compute.progress import Event


def test_an_event_of_unknown_length_has_no_total_and_no_losses() -> None:
    event = Event("jobs", step=3)
    assert (event.step, event.total, event.message) == (3, 0, "")
    assert event.loss is None and event.validation is None


def test_an_event_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        setattr(Event("jobs"), "step", 1)  # noqa: B010
