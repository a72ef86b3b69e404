"""An event says how far work has come, and cannot be changed by whoever shows it."""

from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from lstmcast.compute.progress import Event, ShareFile, follow_jobs


def test_an_event_of_unknown_length_has_no_total_and_no_losses() -> None:
    event = Event("jobs", step=3)
    assert (event.step, event.total, event.message) == (3, 0, "")
    assert event.loss is None and event.validation is None


def test_an_event_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        setattr(Event("jobs"), "step", 1)  # noqa: B010


def test_the_progress_of_a_job_here_is_part_of_a_step_of_all_jobs() -> None:
    events: list[Event] = []
    with follow_jobs(events.append, Event("folds", total=2), inline=True) as jobs:
        on_event = jobs.of_job(0)
        on_event(Event("train", step=5, total=20))
        # A second network of the same job begins: the job itself never goes back.
        on_event(Event("train", step=0, total=20))
        jobs.finish_job(0)
    steps = [(event.step, event.part) for event in events]
    assert steps == [(0, 0.0), (0, 0.25), (0, 0.25), (1, 0.0)]
    assert events[-1] == Event("folds", "", 1, 2)


def test_the_progress_of_jobs_elsewhere_is_read_from_their_files() -> None:
    events: list[Event] = []
    with follow_jobs(events.append, Event("folds", total=3), inline=False) as jobs:
        first, second = jobs.of_job(0), jobs.of_job(1)
        first(Event("train", step=1, total=2))
        second(Event("train", total=4, part=1.0))
        jobs.report()
        jobs.finish_job(0)
    assert [(event.step, event.part) for event in events] == [
        (0, 0.0),
        (0, 0.75),
        (1, 0.25),
    ]


def test_a_job_whose_folder_is_not_there_works_on(tmp_path: Path) -> None:
    share = ShareFile(tmp_path / "gone" / "0")
    share(Event("train", step=1, total=2))
    assert share.share == 0.5
