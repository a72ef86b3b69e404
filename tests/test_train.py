"""The training loop: it learns, keeps the best averaged weights, repeats itself to the byte and says when it fails."""

import numpy as np
import pytest
import torch
from torch import Tensor

from lstmcast import features
from lstmcast.errors import DivergedError
from lstmcast.features import Seasons
from lstmcast.losses import pinball
from lstmcast.model import Network, Shape
from lstmcast.train import AVERAGE, WARM_UP, Event, Schedule, train
from lstmcast.windows import Sampler, Windows
from tests.make import steps_of, wavy

SHAPE = Shape(features.STEP_FEATURES, features.LOCAL_FEATURES, len(features.CANDIDATES), hidden=8, layers=1)
QUICK = Schedule(steps=12, lr=3e-3, batch_size=4, origins=2, every=4, seed=1)


def network(hidden: int = 8, dropout: float = 0.1, layers: int = 1) -> Network:
    torch.manual_seed(0)
    return Network(SHAPE._replace(hidden=hidden, layers=layers), dropout)


def sampler(length: int = 80) -> Sampler:
    y = wavy(np.random.default_rng(0), length, 4)
    windows = Windows(steps_of([y], Seasons(4, 0)), 4, context=8, stride=8)
    made = Sampler.over(windows, windows.lengths)
    assert made is not None
    return made


def weights(net: Network) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in net.state_dict().items()}


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not() -> None:
    runs = [train(network(), sampler(), QUICK._replace(seed=seed)) for seed in (1, 1, 2)]
    assert same(runs[0].weights, runs[1].weights)
    assert not same(runs[0].weights, runs[2].weights)
    losses = [[record.loss for record in run.history[1:]] for run in runs]
    assert losses[0] == losses[1] != losses[2]


def test_the_weights_that_validated_best_are_kept() -> None:
    scores = iter([5.0, 3.0, 1.0, 2.0])
    asked: list[dict[str, Tensor]] = []

    def validate(net: Network) -> float:
        asked.append(weights(net))
        return next(scores)

    net = network()
    trained = train(net, sampler(), QUICK, validate)
    assert (trained.step, trained.validation) == (8, 1.0)
    assert same(trained.weights, asked[2])
    assert same(weights(net), asked[2])
    assert not net.training
    assert [record.step for record in trained.history] == [0, 4, 8, 12]
    assert [record.validation for record in trained.history] == [5.0, 3.0, 1.0, 2.0]


def test_weights_that_never_improve_are_given_back_as_they_were() -> None:
    scores = iter([1.0, 1.0, 2.0, 3.0])
    net = network()
    before = weights(net)
    trained = train(net, sampler(), QUICK, lambda _: next(scores))
    assert trained.step == 0
    assert same(trained.weights, before)


def test_training_stops_when_patience_is_at_an_end() -> None:
    asked: list[int] = []

    def validate(_: Network) -> float:
        asked.append(len(asked))
        return [9.0, 1.0, 2.0, 3.0, 0.0][len(asked) - 1]

    trained = train(network(), sampler(), QUICK._replace(steps=400, patience=2), validate)
    assert len(asked) == 4
    assert trained.history[-1].step == 12
    assert trained.step == 4


def test_validation_that_is_no_number_is_never_the_best() -> None:
    scores = iter([2.0, float("nan"), 1.5, float("nan")])
    trained = train(network(), sampler(), QUICK, lambda _: next(scores))
    assert (trained.step, trained.validation) == (8, 1.5)


def test_what_is_judged_is_the_average_of_the_weights_not_the_newest() -> None:
    """Replays the run step by step: the average follows the weights as the definition says."""
    newest: list[dict[str, Tensor]] = []
    net = network()
    newest.append(weights(net))
    original = torch.optim.AdamW.step

    def step(self: torch.optim.AdamW, *args: object, **kwargs: object) -> object:
        out = original(self, *args, **kwargs)
        newest.append(weights(net))
        return out

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.optim.AdamW, "step", step)
        trained = train(net, sampler(), QUICK)
    average = newest[0]
    for k, now in enumerate(newest[1:], 1):
        decay = min(AVERAGE, k / (k + 5))
        average = {name: decay * old + (1 - decay) * now[name] for name, old in average.items()}
    assert len(newest) == QUICK.steps + 1
    for name, value in average.items():
        torch.testing.assert_close(trained.weights[name], value)
        assert not torch.equal(value, newest[-1][name])


def test_without_validation_the_last_average_is_kept() -> None:
    trained = train(network(), sampler(), QUICK)
    assert trained.step == QUICK.steps
    assert np.isnan([record.validation for record in trained.history]).all()


@pytest.mark.parametrize("steps", [0, 10])
def test_nothing_is_trained_without_steps_or_without_a_window(steps: int) -> None:
    net = network()
    before = weights(net)
    trained = train(net, sampler() if steps == 0 else None, QUICK._replace(steps=steps), lambda _: 1.0)
    assert same(trained.weights, before)
    assert [record.step for record in trained.history] == [0]


def test_the_rate_warms_up() -> None:
    trained = train(network(), sampler(), QUICK._replace(every=1))
    rates = [record.lr for record in trained.history]
    np.testing.assert_allclose(rates, [QUICK.lr * min(1, k / WARM_UP) for k in range(QUICK.steps + 1)])


def test_progress_is_told() -> None:
    events: list[Event] = []
    train(network(), sampler(), QUICK, lambda _: 1.0, events.append)
    assert [event.step for event in events] == [0, 4, 8, 12]
    assert {(event.phase, event.total, event.validation) for event in events} == {("train", 12, 1.0)}
    assert all(event.loss is not None and np.isfinite(event.loss) for event in events[1:])


@pytest.mark.parametrize("lr", [1e25, 1e38])
def test_an_absurd_rate_is_said_to_diverge(lr: float) -> None:
    with pytest.raises(DivergedError, match=r"loss became (nan|inf) at step") as caught:
        train(network(), sampler(), QUICK._replace(steps=200, lr=lr))
    assert "--lr" in caught.value.hint


def test_gradients_are_clipped() -> None:
    norms: list[float] = []
    original = torch.optim.AdamW.step

    def step(self: torch.optim.AdamW, *args: object, **kwargs: object) -> object:
        grads = [p.grad for group in self.param_groups for p in group["params"]]
        norms.append(float(torch.stack([g.norm() for g in grads]).norm()))
        return original(self, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.optim.AdamW, "step", step)
        train(network(), sampler(), QUICK._replace(grad_clip=1e-3))
    assert len(norms) == QUICK.steps
    assert max(norms) <= 1.001e-3


def test_it_learns_what_no_candidate_can_forecast() -> None:
    """A wave of 12 steps, given as without a season, is plain to see in the context but not to any candidate."""
    t = np.arange(600)
    y = 10 + 3 * np.sin(2 * np.pi * t / 12) + 2 * np.cos(2 * np.pi * t / 6 + 1) - 20
    steps = steps_of([y], Seasons(1, 0))
    windows = Windows(steps, 6, context=24, stride=24)
    held = Sampler.over(windows, np.array([500]))
    assert held is not None
    net = network(hidden=24, dropout=0.0)
    batch = windows.batch(np.zeros(90, np.int64), np.arange(500, 590)[:, None], windows.chunk)
    before = float(pinball(net(*batch[:4]).detach(), batch.target))
    train(net, held, Schedule(steps=250, lr=1e-2, batch_size=16, origins=8, every=250))
    learnt = float(pinball(net(*batch[:4]).detach(), batch.target))
    assert learnt < 0.25 * before
