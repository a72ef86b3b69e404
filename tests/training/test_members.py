"""Members start from their recipes, and train alike in any number of processes."""

import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from lstmcast.compute.progress import Event
from lstmcast.compute.ranks import LostRankError
from lstmcast.config import Config, TrainConfig
from lstmcast.errors import DivergedError
from lstmcast.features.steps import Seasons
from lstmcast.features.windows import ScaledCovariates, Windows
from lstmcast.network import inference
from lstmcast.network.torch_network import to_tensors, to_trained_network
from lstmcast.training import members
from lstmcast.training.initial_weights import load_pretrained_arrays
from lstmcast.training.loop import HistoryRecord, TrainingResult
from lstmcast.training.members import (
    Member,
    build_network,
    describe_time_budget_cuts,
    train_members,
)
from lstmcast.training.recipes import Recipe, make_small_data_recipes
from lstmcast.training.sampler import TrainingTask
from lstmcast.training.schedule import Schedule
from tests.make import steps_of, wavy

QUICK = Schedule(steps=6, lr=3e-3, batch_size=4, origins=2, every=3, seed=1)
PLENTY = 10_000


def windows(covariates: bool = False, horizon: int = 5) -> Windows:
    rng = np.random.default_rng(0)
    negative = wavy(rng, 50, 4) - 30
    negative[20:23] = np.nan
    steps = steps_of([wavy(rng, 60, 4), negative], Seasons(4, 0))
    total = np.array([60 + horizon, 50 + horizon])
    table = ScaledCovariates(
        rng.normal(size=(110, 3)).astype(np.float32),
        rng.normal(size=(int(total.sum()), 2)).astype(np.float32),
        np.concatenate([[0], np.cumsum(total)]),
    )
    return Windows(
        steps, horizon, context=10, stride=10, covariates=table if covariates else None
    )


def task(covariates: bool = False) -> TrainingTask:
    return TrainingTask(
        windows(covariates),
        np.array([50, 40]),
        np.array([0, 0, 1]),
        np.array([49, 52, 39]),
    )


def recipes() -> list[Recipe]:
    start = load_pretrained_arrays()
    return [
        Recipe("as it is", start, QUICK._replace(steps=0)),
        Recipe("fine-tuned", start, QUICK._replace(seed=2)),
        Recipe("scratch", None, QUICK._replace(seed=3), hidden=8),
    ]


# ---- networks


def test_covariates_enter_through_columns_of_zeros_so_that_what_was_learnt_still_holds() -> (
    None
):
    tuned = recipes()[1]
    with_covariates, plain = (
        build_network(tuned, windows(covariates)).eval() for covariates in (True, False)
    )
    assert with_covariates.shape.covariates == 3 and with_covariates.shape.ahead == 2
    at = np.array([0, 1]), np.array([[40], [30]])
    outputs, expected = (
        network(*to_tensors(windows(covariates).batch(*at, 20)))
        for network, covariates in ((with_covariates, True), (plain, False))
    )
    torch.testing.assert_close(outputs, expected)


@pytest.mark.parametrize("covariates", [False, True])
def test_a_network_is_as_wide_as_its_windows_and_starts_from_the_weights_of_its_recipe(
    covariates: bool,
) -> None:
    start = load_pretrained_arrays()
    network = build_network(
        Recipe("x", start, QUICK, hidden=5, layers=7), windows(covariates)
    )
    assert network.shape.hidden == start["state.weight"].shape[0]
    assert (network.shape.covariates, network.shape.ahead) == (
        (3, 2) if covariates else (0, 0)
    )
    for name, value in to_trained_network(network).weights.items():
        rows, *rest = start[name].shape
        known = value[:, : rest[0]] if rest else value
        np.testing.assert_array_equal(known, start[name])
        assert not rest or not value[:, rest[0] :].any()
    fresh = build_network(
        Recipe("x", None, QUICK, hidden=5, layers=1), windows(covariates)
    )
    assert (fresh.shape.hidden, fresh.shape.layers) == (5, 1)


def test_any_number_of_jobs_gives_the_same_bytes() -> None:
    one, two = (
        train_members(recipes(), task(covariates=True), jobs, None) for jobs in (1, 2)
    )
    assert [member.recipe.name for member in one] == [
        member.recipe.name for member in two
    ]
    for a, b in zip(one, two, strict=True):
        assert a.trained.step == b.trained.step
        for name, value in a.network.state_dict().items():
            assert (
                value.numpy().tobytes()
                == b.network.state_dict()[name].numpy().tobytes()
            )
    results = [
        inference.forecast_windows(
            [to_trained_network(m.network) for m in x], task(True).windows, *task()[2:]
        )[0].tobytes()
        for x in (one, two)
    ]
    assert results[0] == results[1]


def test_a_member_does_not_depend_on_those_trained_before_it() -> None:
    torch.manual_seed(99)
    single = train_members(recipes()[2:], task(), 1, None)[0]
    together = train_members(recipes(), task(), 1, None)[2]
    for name, value in single.network.state_dict().items():
        assert torch.equal(value, together.network.state_dict()[name]), name


@pytest.mark.parametrize("shift", [1e6, -1e6])
def test_the_time_budget_holds_on_a_machine_that_was_started_at_another_time(
    monkeypatch: pytest.MonkeyPatch, shift: float
) -> None:
    here = time.monotonic

    def run_elsewhere(
        work: Callable[..., object],
        tasks: Iterable[tuple[Any, ...]],
        _: int,
        shared: tuple[Any, ...],
    ) -> Iterator[object]:
        for each in list(tasks):
            with monkeypatch.context() as there:
                there.setattr(time, "monotonic", lambda: here() + shift)
                done = work(*shared, *each)
            yield done

    monkeypatch.setattr(members, "run_jobs", run_elsewhere)
    long = QUICK._replace(steps=3000, patience=1000)
    for schedule, seconds, late in ((QUICK, 60, False), (long, 0.3, True)):
        learn = [Recipe("scratch", None, schedule, hidden=8)]
        results = train_members(
            learn, task(), 1, None, deadline=time.monotonic() + seconds
        )
        assert results[0].trained.stopped is late


def test_progress_is_reported_over_all_members() -> None:
    events: list[Event] = []
    train_members(recipes(), task(), 1, events.append)
    assert [event.message for event in events if event.phase == "member"] == [
        "as it is",
        "fine-tuned",
        "scratch",
    ]
    steps = [event.step for event in events if event.phase == "train"]
    assert steps == sorted(steps)
    assert steps[-1] == 12
    assert {event.total for event in events if event.phase == "train"} == {12}


def test_without_validation_windows_the_last_weights_are_kept() -> None:
    nothing = task()._replace(
        series=np.zeros(0, np.int64), origins=np.zeros(0, np.int64)
    )
    trained = train_members(recipes()[1:2], nothing, 1, None)[0].trained
    assert trained.step == 6
    assert np.isnan(trained.history[-1].validation)


def test_training_does_not_read_what_is_held_out() -> None:
    """Without a validation, values at and after the end of the training part do not matter."""
    rng = np.random.default_rng(0)
    y = wavy(rng, 60, 4)
    steps = steps_of([y], Seasons(4, 0))
    changed = steps_of(
        [np.concatenate([y[:50], np.full(10, 1e9)])], Seasons(4, 0), steps.state
    )
    nothing = np.zeros(0, np.int64)
    results = []
    for each in (steps, changed):
        held = TrainingTask(
            Windows(each, 5, context=10, stride=10), np.array([50]), nothing, nothing
        )
        results.append(
            train_members(recipes()[2:], held, 1, None)[0].network.state_dict()
        )
    for name, value in results[0].items():
        assert value.numpy().tobytes() == results[1][name].numpy().tobytes()


def test_settings_are_left_unchanged() -> None:
    config = Config(train=TrainConfig(steps=3))
    before = replace(config)
    start = load_pretrained_arrays()
    copies = {name: value.copy() for name, value in start.items()}
    train_members(make_small_data_recipes(config, start, 2, PLENTY), task(), 1, None)
    assert config == before
    assert all(np.array_equal(value, copies[name]) for name, value in start.items())


def test_a_member_that_diverges_is_left_out() -> None:
    good, bad = recipes()[:2]
    absurd = bad._replace(name="bad", schedule=bad.schedule._replace(lr=1e30))
    (member,) = train_members([good, absurd], task(), 1, None)
    assert member.recipe is good
    assert members.describe_dropped([good, absurd], [member]) == (
        "diverged in training and left out: bad",
    )
    assert members.describe_dropped([good], [member]) == ()
    with pytest.raises(DivergedError, match="lr=|the loss"):
        train_members([absurd], task(), 1, None)


def test_what_a_time_budget_cut_short_is_said_with_the_steps_that_were_done() -> None:
    records = [HistoryRecord(step, 1.0, 0.5, 0.5, 1e-3) for step in (3, 6)]
    recipe = Recipe("first", None, QUICK)
    cut = TrainingResult({}, 3, 0.5, records, stopped=True)
    members = [
        Member(recipe, None, trained) for trained in (cut, cut._replace(stopped=False))
    ]  # type: ignore[arg-type]
    config = Config(train=TrainConfig(time_budget=2.0))
    [note] = describe_time_budget_cuts(config, members)
    assert note == "the time budget of 2 s stopped training: first after 6 of 6 steps"


def test_a_training_that_lost_a_rank_reports_that_and_not_the_signal_after_it() -> None:
    checkpoint = Stoppable()
    with (
        pytest.raises(LostRankError),
        members._stop_on_signal(checkpoint, None),  # type: ignore[arg-type]
    ):
        os.kill(os.getpid(), signal.SIGTERM)
        raise LostRankError("a process was lost", "start it again")
    assert checkpoint.stopped


class Stoppable:
    """A checkpoint that remembers that it was stopped."""

    stopped = False

    def stop(self) -> None:
        self.stopped = True
