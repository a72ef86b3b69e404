"""The quantile loss against a slow one; every loss against what it must learn."""

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from lstmcast.config import NETWORK_QUANTILES
from lstmcast.network.losses import LOSSES, LossTargets, pinball_loss
from lstmcast.ragged import NAN


def slow_pinball(quantiles: list[float], target: float) -> float:
    """Pinball loss of one forecast, averaged over the levels."""
    costs = []
    for level, value in zip(NETWORK_QUANTILES, quantiles, strict=True):
        costs.append(
            level * (target - value)
            if target > value
            else (1 - level) * (value - target)
        )
    return sum(costs) / len(costs)


def test_the_loss_charges_each_level_its_share_on_each_side() -> None:
    quantiles = torch.linspace(-1, 1, len(NETWORK_QUANTILES))
    for target in (-3.0, 0.1, 0.9, 5.0):
        loss = float(pinball_loss(quantiles[None], torch.tensor([target])))
        assert loss == pytest.approx(slow_pinball(quantiles.tolist(), target), rel=1e-5)


def test_the_loss_is_least_at_the_true_quantiles() -> None:
    sample = torch.tensor(np.random.default_rng(0).normal(size=4000))
    best_quantiles = torch.quantile(
        sample, torch.tensor(NETWORK_QUANTILES, dtype=torch.float64)
    )
    best = float(pinball_loss(best_quantiles.expand(4000, -1), sample))
    for shift in (-0.2, 0.2):
        assert (
            float(pinball_loss((best_quantiles + shift).expand(4000, -1), sample))
            > best
        )


def test_missing_targets_count_for_nothing() -> None:
    quantiles = torch.randn(3, 4, len(NETWORK_QUANTILES), requires_grad=True)
    target = torch.randn(3, 4)
    holes = torch.zeros(3, 4, dtype=torch.bool)
    holes[0, 1] = holes[2, :] = True
    loss = pinball_loss(quantiles, torch.where(holes, NAN, target))
    assert float(loss.detach()) == pytest.approx(
        float(pinball_loss(quantiles[~holes], target[~holes]).detach())
    )
    loss.backward()  # type: ignore[no-untyped-call]
    assert quantiles.grad is not None
    assert torch.isfinite(quantiles.grad).all()
    assert not quantiles.grad[holes].any()
    assert quantiles.grad[~holes].any()


def test_the_loss_is_zero_where_nothing_is_known() -> None:
    quantiles = torch.randn(2, 3, len(NETWORK_QUANTILES), requires_grad=True)
    loss = pinball_loss(quantiles, torch.full((2, 3), NAN))
    loss.backward()  # type: ignore[no-untyped-call]
    assert float(loss.detach()) == 0.0
    assert quantiles.grad is not None
    assert not quantiles.grad.any()


# ---- what each loss learns


def targets_of(y: Tensor, base: float = 0.0, scale: float = 1.0) -> LossTargets:
    """Windows of one step, [K, 1], each with the same base and scale."""
    y = y.double()[:, None]
    return LossTargets(
        ((y - base) / scale).float(),
        y,
        torch.full_like(y, base),
        torch.full_like(y, scale),
    )


def learn_outputs(
    name: str, targets: LossTargets, mixed: float = 0.0, steps: int = 600
) -> Tensor:
    """The outputs [K, 1, O] that are best for all windows alike."""
    loss = LOSSES[name]
    out = torch.tensor(loss.start, requires_grad=True)
    optimizer = torch.optim.Adam([out], lr=0.03)
    for _ in range(steps):
        optimizer.zero_grad()
        cost = loss(
            loss.join(
                out.expand(len(targets.z), 1, -1),
                torch.full((len(targets.z), 1, 1), mixed),
            ),
            targets,
        )
        cost.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return loss.join(
        out.detach().expand(len(targets.z), 1, -1),
        torch.full((len(targets.z), 1, 1), mixed),
    )


def test_points_are_the_mean_the_median_and_what_lies_between() -> None:
    y = torch.tensor(np.random.default_rng(0).exponential(size=3000))
    targets = targets_of(y, base=-2.0, scale=3.0)
    quantiles = {
        n: float(LOSSES[n].quantiles(learn_outputs(n, targets), targets, (0.5,))[0, 0])
        for n in ("mse", "mae", "huber")
    }
    assert quantiles["mse"] == pytest.approx(float(y.mean()), abs=0.03)
    assert quantiles["mae"] == pytest.approx(float(y.median()), abs=0.03)
    assert quantiles["mae"] < quantiles["huber"] <= quantiles["mse"] + 0.01


@pytest.mark.parametrize(("base", "scale"), [(0.0, 1.0), (5.0, 0.3)])
def test_student_t_finds_the_location_width_and_tails_of_a_sample(
    base: float, scale: float
) -> None:
    sample = stats.t.rvs(4, size=6000, random_state=0)
    targets = targets_of(torch.tensor(base + scale * (1 + 0.5 * sample)), base, scale)
    out = learn_outputs("student-t", targets)
    levels = (0.01, 0.1, 0.5, 0.9)
    quantiles = LOSSES["student-t"].quantiles(out, targets, levels)[0, 0].numpy()
    np.testing.assert_allclose(
        (quantiles - base) / scale, 1 + 0.5 * stats.t.ppf(levels, 4), atol=0.15
    )
    density = LOSSES["student-t"].log_density(out, targets)
    expected = stats.t.logpdf(targets.z.numpy(), 4, base + scale, 0.5 * scale)
    assert float(density.mean()) == pytest.approx(expected.mean(), abs=0.01)


@pytest.mark.parametrize(("mean", "failures"), [(0.4, 1.0), (60.0, 5.0)])
def test_negative_binomial_finds_the_mean_and_spread_of_counts(
    mean: float, failures: float
) -> None:
    counts = stats.nbinom.rvs(
        failures, failures / (failures + mean), size=6000, random_state=1
    )
    targets = targets_of(torch.tensor(counts), base=mean / 2, scale=0.1)
    out = learn_outputs("negative-binomial", targets)
    levels = (0.1, 0.5, 0.9, 0.99)
    quantiles = (
        LOSSES["negative-binomial"].quantiles(out, targets, levels)[0, 0].numpy()
    )
    np.testing.assert_allclose(
        quantiles,
        stats.nbinom.ppf(levels, failures, failures / (failures + mean)),
        rtol=0.1,
    )
    assert (quantiles == np.round(quantiles)).all()
    density = LOSSES["negative-binomial"].log_density(out, targets).mean()
    assert float(density) == pytest.approx(
        stats.nbinom.logpmf(counts, failures, failures / (failures + mean)).mean(),
        abs=0.01,
    )


@pytest.mark.parametrize("share", [0.05, 0.5])
def test_bernoulli_finds_the_share_of_ones_whatever_the_blend_says(
    share: float,
) -> None:
    y = torch.tensor(np.random.default_rng(2).random(4000) < share).double()
    targets = targets_of(y, base=0.2, scale=2.0)
    out = learn_outputs("bernoulli", targets, mixed=0.1)
    quantiles = LOSSES["bernoulli"].quantiles(out, targets, (0.1, 0.9))
    np.testing.assert_allclose(quantiles[0, 0], float(y.mean()), atol=0.01)
    entropy = share * np.log(share) + (1 - share) * np.log(1 - share)
    assert float(LOSSES["bernoulli"].log_density(out, targets).mean()) == pytest.approx(
        entropy, abs=0.03
    )


@pytest.mark.parametrize("name", ["negative-binomial", "bernoulli"])
def test_losses_of_counts_and_events_start_at_the_blend(name: str) -> None:
    targets = targets_of(torch.tensor([0.0, 1.0]), base=0.5, scale=2.0)
    loss = LOSSES[name]
    start = loss.join(
        torch.tensor(loss.start).expand(2, 1, -1), torch.full((2, 1, 1), -0.1)
    )
    if name == "bernoulli":
        np.testing.assert_allclose(
            loss.quantiles(start, targets, (0.5,)), 0.3, rtol=1e-6
        )
    else:
        failures, log_odds = loss.parts(start, targets)  # type: ignore[attr-defined]
        np.testing.assert_allclose(failures * log_odds.exp(), 0.3, rtol=1e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_missing_targets_reach_neither_a_loss_nor_its_gradients(name: str) -> None:
    loss = LOSSES[name]
    targets = targets_of(torch.tensor([1.0, 0.0, 1.0, 1.0]), base=0.3, scale=0.5)
    holes = torch.tensor([False, True, False, True])[:, None]
    missing = targets._replace(
        relative=targets.relative.masked_fill(holes, NAN),
        z=targets.z.masked_fill(holes, NAN),
    )
    out = torch.randn(
        4, 1, len(loss.start), generator=torch.Generator().manual_seed(0)
    ).requires_grad_()
    blend = torch.full((4, 1, 1), 0.2)
    cost = loss(loss.join(out, blend), missing)
    rest = loss(
        loss.join(out, blend)[::2], LossTargets(*(part[::2] for part in targets))
    )
    assert float(cost.detach()) == pytest.approx(float(rest.detach()))
    cost.backward()  # type: ignore[no-untyped-call]
    assert out.grad is not None
    assert torch.isfinite(out.grad).all()
    assert not out.grad[holes[:, 0]].any()
    assert out.grad[~holes[:, 0]].any()
    nothing = LossTargets(
        targets.relative * NAN, targets.z * NAN, targets.base, targets.scale
    )
    assert float(loss(loss.join(out, blend), nothing).detach()) == 0.0


@pytest.mark.parametrize("name", ["student-t", "negative-binomial"])
def test_quantiles_of_a_distribution_rise_with_their_levels(name: str) -> None:
    loss = LOSSES[name]
    out = 2 * torch.randn(
        50, 1, len(loss.start), generator=torch.Generator().manual_seed(0)
    )
    quantiles = loss.quantiles(
        loss.join(out, torch.zeros(50, 1, 1)),
        targets_of(torch.zeros(50), 3.0),
        np.linspace(0.01, 0.99, 9),
    )
    assert torch.isfinite(quantiles).all()
    assert (quantiles.diff(dim=-1) >= 0).all()
