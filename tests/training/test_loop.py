"""The training loop learns, keeps the best weights, repeats itself and reports its failures."""

import itertools
import json
import time

import numpy as np
import pytest
import torch
from torch import Tensor

from lstmcast.compute.progress import Event
from lstmcast.errors import DivergedError
from lstmcast.features.candidates import CANDIDATES, N_LOCAL_FEATURES
from lstmcast.features.steps import N_STEP_FEATURES, Seasons
from lstmcast.features.windows import Batch, Windows
from lstmcast.network.losses import pinball_loss
from lstmcast.network.torch_network import TorchNetwork, to_tensors
from lstmcast.network.trained import NetworkShape
from lstmcast.training import loop
from lstmcast.training.device import has_bfloat16_lstm
from lstmcast.training.loop import TrainingState, train_network
from lstmcast.training.optimizers import OPTIMIZERS, Optimizer
from lstmcast.training.sampler import WindowSampler
from lstmcast.training.schedule import (
    AVERAGE_DECAY,
    LR_DECAYS,
    WARM_UP_STEPS,
    Schedule,
    StepPace,
)
from tests.make import steps_of, wavy

SHAPE = NetworkShape(
    N_STEP_FEATURES, N_LOCAL_FEATURES, len(CANDIDATES), hidden=8, layers=1
)
QUICK = Schedule(steps=12, lr=3e-3, batch_size=4, origins=2, every=4, seed=1)


def network(hidden: int = 8, dropout: float = 0.1, layers: int = 1) -> TorchNetwork:
    torch.manual_seed(0)
    return TorchNetwork(SHAPE._replace(hidden=hidden, layers=layers), dropout)


def sampler(length: int = 80) -> WindowSampler:
    y = wavy(np.random.default_rng(0), length, 4)
    windows = Windows(steps_of([y], Seasons(4, 0)), 4, context=8, stride=8)
    drawn = WindowSampler.over(windows, windows.lengths)
    assert drawn is not None
    return drawn


def weights(net: TorchNetwork) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in net.state_dict().items()}


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not() -> None:
    runs = [
        train_network(network(), sampler(), QUICK._replace(seed=seed))
        for seed in (1, 1, 2)
    ]
    assert same(runs[0].weights, runs[1].weights)
    assert not same(runs[0].weights, runs[2].weights)
    losses = [[record.loss for record in run.history[1:]] for run in runs]
    assert losses[0] == losses[1] != losses[2]


def test_reduced_precision_trains_other_weights_of_the_same_type_and_almost_the_same_loss() -> (
    None
):
    if not has_bfloat16_lstm():
        pytest.skip("torch has no LSTM in bfloat16 for this processor")
    full, reduced = (
        train_network(network(), sampler(), QUICK._replace(precision=p))
        for p in ("float32", "bfloat16")
    )
    assert not same(full.weights, reduced.weights)
    assert {value.dtype for value in reduced.weights.values()} == {torch.float32}
    assert reduced.history[-1].loss == pytest.approx(full.history[-1].loss, rel=0.02)


def test_a_network_is_validated_and_used_in_full_precision() -> None:
    net, batch = network(), sampler().draw(np.random.default_rng(0), 2, 2)
    before = net.eval()(*to_tensors(batch))
    net.reduced = True
    assert torch.equal(net(*to_tensors(batch)), before)


def test_the_weights_that_validated_best_are_kept() -> None:
    scores = iter([5.0, 3.0, 1.0, 2.0])
    validated: list[dict[str, Tensor]] = []

    def validate(net: TorchNetwork) -> float:
        validated.append(weights(net))
        return next(scores)

    net = network()
    trained = train_network(net, sampler(), QUICK, validate)
    assert (trained.step, trained.validation) == (8, 1.0)
    assert same(trained.weights, validated[2])
    assert same(weights(net), validated[2])
    assert not net.training
    assert [record.step for record in trained.history] == [0, 4, 8, 12]
    assert [record.validation for record in trained.history] == [5.0, 3.0, 1.0, 2.0]


def test_weights_that_never_improve_are_left_as_they_were() -> None:
    scores = iter([1.0, 1.0, 2.0, 3.0])
    net = network()
    before = weights(net)
    trained = train_network(net, sampler(), QUICK, lambda _: next(scores))
    assert trained.step == 0
    assert same(trained.weights, before)


def test_training_stops_after_as_many_validations_without_improvement_as_patience_allows() -> (
    None
):
    scores = iter([9.0, 1.0, 2.0, 3.0, 0.0])
    returned: list[float] = []

    def validate(_: TorchNetwork) -> float:
        returned.append(next(scores))
        return returned[-1]

    trained = train_network(
        network(), sampler(), QUICK._replace(steps=400, patience=2), validate
    )
    assert len(returned) == 4
    assert trained.history[-1].step == 12
    assert trained.step == 4


def test_validation_that_is_no_number_is_never_the_best() -> None:
    scores = iter([2.0, float("nan"), 1.5, float("nan")])
    trained = train_network(network(), sampler(), QUICK, lambda _: next(scores))
    assert (trained.step, trained.validation) == (8, 1.5)


def test_what_is_validated_is_the_average_of_the_weights_not_the_newest() -> None:
    """Replays the run step by step: the average follows the weights as the definition says."""
    newest: list[dict[str, Tensor]] = []
    net = network()
    newest.append(weights(net))
    original = Optimizer.step

    def step(self: Optimizer) -> None:
        original(self)
        newest.append(weights(net))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Optimizer, "step", step)
        trained = train_network(net, sampler(), QUICK)
    average = newest[0]
    for k, now in enumerate(newest[1:], 1):
        decay = min(AVERAGE_DECAY, k / (k + 5))
        average = {
            name: decay * old + (1 - decay) * now[name] for name, old in average.items()
        }
    assert len(newest) == QUICK.steps + 1
    for name, value in average.items():
        torch.testing.assert_close(trained.weights[name], value)
        assert not torch.equal(value, newest[-1][name])


def test_without_validation_the_last_average_is_kept() -> None:
    trained = train_network(network(), sampler(), QUICK)
    assert trained.step == QUICK.steps
    assert np.isnan([record.validation for record in trained.history]).all()


@pytest.mark.parametrize("steps", [0, 10])
def test_nothing_is_trained_without_steps_or_without_a_window(steps: int) -> None:
    net = network()
    before = weights(net)
    trained = train_network(
        net,
        sampler() if steps == 0 else None,
        QUICK._replace(steps=steps),
        lambda _: 1.0,
    )
    assert same(trained.weights, before)
    assert [record.step for record in trained.history] == [0]


def test_the_learning_rate_warms_up() -> None:
    trained = train_network(network(), sampler(), QUICK._replace(every=1))
    rates = [record.lr for record in trained.history]
    np.testing.assert_allclose(
        rates, [QUICK.lr * min(1, k / WARM_UP_STEPS) for k in range(QUICK.steps + 1)]
    )


def test_progress_is_reported() -> None:
    events: list[Event] = []
    train_network(network(), sampler(), QUICK, lambda _: 1.0, events.append)
    assert [event.step for event in events] == [0, 4, 8, 12]
    assert {(event.phase, event.total, event.validation) for event in events} == {
        ("train", 12, 1.0)
    }
    assert all(
        event.loss is not None and np.isfinite(event.loss) for event in events[1:]
    )


@pytest.mark.parametrize("lr", [1e25, 1e38])
def test_training_at_an_absurd_rate_is_reported_to_diverge(lr: float) -> None:
    with pytest.raises(
        DivergedError, match=r"the loss (became|was) \S+ .*at step"
    ) as caught:
        train_network(network(), sampler(), QUICK._replace(steps=200, lr=lr))
    assert "--lr" in caught.value.hint


def test_gradients_are_clipped() -> None:
    norms: list[float] = []
    original = Optimizer.step

    def step(self: Optimizer) -> None:
        norms.append(
            float(
                torch.stack(
                    [p.grad.norm() for p in self.parameters if p.grad is not None]
                ).norm()
            )
        )
        original(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Optimizer, "step", step)
        train_network(network(), sampler(), QUICK._replace(grad_clip=1e-3))
    assert len(norms) == QUICK.steps
    assert max(norms) <= 1.001e-3


def test_it_learns_what_no_candidate_can_forecast() -> None:
    """A wave of 12 steps, declared to have no season, shows in the context but to no candidate."""
    t = np.arange(600)
    y = 10 + 3 * np.sin(2 * np.pi * t / 12) + 2 * np.cos(2 * np.pi * t / 6 + 1) - 20
    steps = steps_of([y], Seasons(1, 0))
    windows = Windows(steps, 6, context=24, stride=24)
    held = WindowSampler.over(windows, np.array([500]))
    assert held is not None
    net = network(hidden=24, dropout=0.0)
    batch = windows.batch(
        np.zeros(90, np.int64), np.arange(500, 590)[:, None], windows.chunk
    )
    before = float(
        pinball_loss(net(*to_tensors(batch)).detach(), torch.from_numpy(batch.target))
    )
    train_network(
        net, held, Schedule(steps=250, lr=1e-2, batch_size=16, origins=8, every=250)
    )
    learnt = float(
        pinball_loss(net(*to_tensors(batch)).detach(), torch.from_numpy(batch.target))
    )
    assert learnt < 0.25 * before


class Memory:
    """Keeps states in memory; after `cut` of them the training is interrupted."""

    def __init__(self, cut: int = 10**9) -> None:
        self.states: list[TrainingState] = []
        self.cut = cut

    def restore(self) -> TrainingState | None:
        return self.states[-1] if self.states else None

    def is_due(self) -> bool:
        return True

    def keep(self, state: TrainingState) -> None:
        facts = json.loads(json.dumps(state.facts))
        self.states.append(
            TrainingState(
                {name: value.clone() for name, value in state.tensors.items()}, facts
            )
        )
        if len(self.states) >= self.cut:
            raise KeyboardInterrupt


@pytest.mark.parametrize("cut", [1, 5, 8, 12])
def test_an_interrupted_training_goes_on_to_the_same_bytes(cut: int) -> None:
    expected = train_network(
        network(),
        sampler(),
        QUICK,
        validate=lambda net: float(weights(net)["state.bias"].sum()),
    )
    memory = Memory(cut)
    with pytest.raises(KeyboardInterrupt):
        train_network(
            network(),
            sampler(),
            QUICK,
            lambda net: float(weights(net)["state.bias"].sum()),
            store=memory,
        )
    assert memory.states[-1].facts["step"] == cut
    memory.cut = 10**9
    torch.manual_seed(99)
    found = train_network(
        network(),
        sampler(),
        QUICK,
        lambda net: float(weights(net)["state.bias"].sum()),
        store=memory,
    )
    assert same(found.weights, expected.weights)
    assert (found.step, found.validation) == (expected.step, expected.validation)
    plain = [record._replace(seconds=0.0) for record in expected.history]
    assert str([record._replace(seconds=0.0) for record in found.history]) == str(plain)


def test_a_training_at_its_end_is_not_trained_again() -> None:
    memory = Memory()
    expected = train_network(network(), sampler(), QUICK, store=memory)
    assert len(memory.states) == QUICK.steps
    again = train_network(network(), sampler(), QUICK, store=memory)
    assert len(memory.states) == QUICK.steps
    assert same(again.weights, expected.weights)


@pytest.mark.parametrize("fault", ["nan", "far"])
def test_a_training_that_diverges_is_tried_again_at_a_lower_rate(
    fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates: list[float] = []
    update = loop.take_training_step

    def failing(
        net: TorchNetwork, optimizer: Optimizer, *rest: object
    ) -> loop.StepLosses:
        losses = update(net, optimizer, *rest)  # type: ignore[arg-type]
        rates.append(optimizer.lr)
        if len(rates) == 4:
            return losses._replace(network=float("nan") if fault == "nan" else 1e6)
        return losses

    gentle = train_network(network(), sampler(), QUICK._replace(lr=QUICK.lr / 10))
    monkeypatch.setattr(loop, "take_training_step", failing)
    trained = train_network(network(), sampler(), QUICK)
    assert max(rates[4:]) <= QUICK.lr / 10 < max(rates[:4])
    assert same(trained.weights, gentle.weights)
    assert (
        "at a learning rate of 0.003; trained again at a tenth of it"
        in trained.diverged
    )
    assert trained.diverged.startswith(
        "diverged: the loss " + ("became nan" if fault == "nan" else "was ")
    )


def test_a_rate_beyond_reason_diverges_twice_and_is_an_error() -> None:
    with pytest.raises(DivergedError, match="learning rate of 100000") as caught:
        train_network(network(), sampler(), QUICK._replace(lr=1e6))
    assert "--lr" in caught.value.hint


def test_an_interrupted_second_attempt_stays_the_second_attempt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    update, calls = loop.take_training_step, itertools.count(1)

    def failing(*args: object) -> loop.StepLosses:
        losses = update(*args)  # type: ignore[arg-type]
        return losses._replace(network=float("inf")) if next(calls) == 6 else losses

    monkeypatch.setattr(loop, "take_training_step", failing)
    memory = Memory(9)
    with pytest.raises(KeyboardInterrupt):
        train_network(network(), sampler(), QUICK, store=memory)
    memory.cut = 10**9
    monkeypatch.setattr(loop, "take_training_step", update)
    found = train_network(network(), sampler(), QUICK, store=memory)
    assert "trained again" in found.diverged
    assert same(
        found.weights,
        train_network(network(), sampler(), QUICK._replace(lr=QUICK.lr / 10)).weights,
    )


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_learns_in_its_own_way(name: str) -> None:
    schedule = QUICK._replace(
        steps=80, every=80, lr=3e-3 * OPTIMIZERS[name].rate, optimizer=name
    )
    net = network()
    trained = train_network(net, sampler(), schedule)
    plain = train_network(
        network(), sampler(), schedule._replace(optimizer="adamw", lr=3e-3)
    )
    assert (
        trained.history[-1].loss
        < train_network(network(), sampler(), QUICK._replace(steps=1)).history[-1].loss
    )
    assert same(trained.weights, plain.weights) == (name == "adamw")


def test_the_pace_of_a_training_may_be_given() -> None:
    steps_seen: list[int] = []

    def pace(schedule: Schedule, step: int, steps: int) -> StepPace:
        assert steps == schedule.steps
        steps_seen.append(step)
        return StepPace(schedule.lr / step, 0.5)

    momenta: list[float] = []
    original = Optimizer.step

    def step(self: Optimizer) -> None:
        momenta.append(self.momentum)
        original(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Optimizer, "step", step)
        trained = train_network(
            network(), sampler(), QUICK._replace(every=1), pace=pace
        )
    assert steps_seen == list(range(1, QUICK.steps + 1))
    assert [record.lr for record in trained.history[1:]] == [
        QUICK.lr / k for k in steps_seen
    ]
    assert momenta == [0.5] * QUICK.steps


def test_losses_are_divided_by_the_unit_of_their_batch() -> None:
    class Halved(WindowSampler):
        def loss_unit(self, batch: Batch) -> float:  # noqa: ARG002
            return 2.0

    whole = sampler()
    halved = Halved(**vars(whole))
    schedule = QUICK._replace(steps=1, every=1, grad_clip=1e9)
    losses = [
        train_network(network(), one, schedule).history[-1].loss
        for one in (whole, halved)
    ]
    assert losses[1] == losses[0] / 2


def test_without_an_average_the_newest_weights_are_kept() -> None:
    newest: list[dict[str, Tensor]] = []
    net = network()
    original = Optimizer.step

    def step(self: Optimizer) -> None:
        original(self)
        newest.append(weights(net))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Optimizer, "step", step)
        trained = train_network(net, sampler(), QUICK._replace(average_decay=0.0))
    assert same(trained.weights, newest[-1])


@pytest.mark.parametrize("name", LR_DECAYS)
def test_the_learning_rate_that_is_used_is_that_of_the_schedule(name: str) -> None:
    trained = train_network(
        network(), sampler(), QUICK._replace(every=1, steps=20, decay=name)
    )
    rates = [record.lr for record in trained.history[1:]]
    expected = [
        QUICK.lr * min(1, k / WARM_UP_STEPS) * LR_DECAYS[name]((k - 1) / 20)
        for k in range(1, 21)
    ]
    np.testing.assert_allclose(rates, expected)


def test_training_stops_in_time_with_what_it_has() -> None:
    net = network()
    before = weights(net)
    began = time.monotonic()
    schedule = QUICK._replace(steps=1_000_000, every=1000, least=1000)
    trained = train_network(
        net, sampler(), schedule, lambda _: 1.0, deadline=began + 0.5
    )
    assert time.monotonic() - began < 3
    assert trained.stopped and trained.step == trained.history[-1].step > 0
    assert not same(before, trained.weights)
    assert not train_network(
        network(), sampler(), QUICK, deadline=time.monotonic() + 600
    ).stopped


def test_the_last_validation_ends_before_the_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = iter(range(1_000_000))
    now = [0.0]
    monkeypatch.setattr(
        "lstmcast.training.loop.time.monotonic", lambda: now[0] + 1e-6 * next(clock)
    )

    def slow(_: TorchNetwork) -> float:
        now[0] += 10.0
        return 1.0

    schedule = QUICK._replace(steps=100_000, every=1000, patience=9)
    trained = train_network(network(), sampler(), schedule, slow, deadline=20.00001)
    assert trained.stopped and 0 < trained.history[-1].step < 20
    assert now[0] == 20.0


@pytest.mark.parametrize(
    "change",
    [
        {"weight_decay": 0.5},
        {"grad_clip": 1e-3},
        {"patience": 1},
        {"batch_size": 5},
        {"origins": 3},
    ],
)
def test_every_setting_of_the_schedule_changes_the_training(
    change: dict[str, float],
) -> None:
    results = []
    for kind in ({}, change):
        scores = iter([3.0, 2.0, 3.0, 1.0])
        schedule = QUICK._replace(**kind)  # type: ignore[arg-type]
        results.append(
            train_network(
                network(), sampler(), schedule, lambda _, left=scores: next(left)
            )  # type: ignore[misc]
        )
    assert not same(results[0].weights, results[1].weights)


def test_a_network_is_trained_with_dropout_however_it_was_used_before() -> None:
    used, fresh = network(hidden=24, dropout=0.5), network(hidden=24, dropout=0.5)
    used.eval()
    found = [train_network(one, sampler(), QUICK).weights for one in (used, fresh)]
    assert same(*found)
    without = train_network(network(hidden=24, dropout=0.0), sampler(), QUICK).weights
    assert not same(found[0], without)
