"""The quantile loss against numbers worked out by hand."""

import numpy as np
import pytest
import torch

from lstmcast.config import QUANTILES
from lstmcast.losses import pinball

NAN = float("nan")


def slow(quantiles: list[float], target: float) -> float:
    """Pinball loss of one forecast, averaged over the levels."""
    costs = []
    for level, value in zip(QUANTILES, quantiles, strict=True):
        costs.append(level * (target - value) if target > value else (1 - level) * (value - target))
    return sum(costs) / len(costs)


def test_the_loss_charges_each_level_its_share_on_each_side() -> None:
    quantiles = torch.linspace(-1, 1, len(QUANTILES))
    for target in (-3.0, 0.1, 0.9, 5.0):
        made = float(pinball(quantiles[None], torch.tensor([target])))
        assert made == pytest.approx(slow(quantiles.tolist(), target), rel=1e-5)


def test_the_loss_is_least_at_the_true_quantiles() -> None:
    sample = torch.tensor(np.random.default_rng(0).normal(size=4000))
    truth = torch.quantile(sample, torch.tensor(QUANTILES, dtype=torch.float64))
    best = float(pinball(truth.expand(4000, -1), sample))
    for shift in (-0.2, 0.2):
        assert float(pinball((truth + shift).expand(4000, -1), sample)) > best


def test_missing_targets_count_for_nothing() -> None:
    quantiles = torch.randn(3, 4, len(QUANTILES), requires_grad=True)
    target = torch.randn(3, 4)
    holes = torch.zeros(3, 4, dtype=torch.bool)
    holes[0, 1] = holes[2, :] = True
    loss = pinball(quantiles, torch.where(holes, NAN, target))
    assert float(loss.detach()) == pytest.approx(float(pinball(quantiles[~holes], target[~holes]).detach()))
    loss.backward()  # type: ignore[no-untyped-call]
    assert quantiles.grad is not None
    assert torch.isfinite(quantiles.grad).all()
    assert not quantiles.grad[holes].any()
    assert quantiles.grad[~holes].any()


def test_the_loss_is_zero_where_nothing_is_known() -> None:
    quantiles = torch.randn(2, 3, len(QUANTILES), requires_grad=True)
    loss = pinball(quantiles, torch.full((2, 3), NAN))
    loss.backward()  # type: ignore[no-untyped-call]
    assert float(loss.detach()) == 0.0
    assert quantiles.grad is not None
    assert not quantiles.grad.any()
