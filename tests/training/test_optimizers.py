"""The optimizers move parameters as the classes of torch do, and load none of them."""

import subprocess
import sys

import pytest
import torch
from torch import Tensor, nn

from lstmcast.training.optimizers import OPTIMIZERS, Optimizer

CLASSES: dict[str, tuple[type[torch.optim.Optimizer], dict[str, object]]] = {
    "adamw": (torch.optim.AdamW, {}),
    "adam": (torch.optim.Adam, {}),
    "sgd": (torch.optim.SGD, {"momentum": 0.9, "nesterov": True}),
    "rmsprop": (torch.optim.RMSprop, {}),
}


def moved(name: str, *, own: bool) -> list[Tensor]:
    torch.manual_seed(1)
    net = nn.Linear(3, 2)
    kind, settings = CLASSES[name]
    ours, theirs = (
        Optimizer(net.parameters(), name, 0.1),
        kind(net.parameters(), lr=0.01, weight_decay=0.1, **settings),
    )  # type: ignore[call-arg]
    ours.lr = 0.01
    for k in range(5):
        for p in net.parameters():
            p.grad = None
        (net(torch.ones(4, 3) * k) - 1).square().sum().backward()
        (ours if own else theirs).step()
    return [p.detach() for p in net.parameters()]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_each_moves_parameters_as_the_class_of_torch_does(name: str) -> None:
    for own, other in zip(moved(name, own=True), moved(name, own=False), strict=True):
        torch.testing.assert_close(own, other, rtol=1e-5, atol=1e-6)


def test_a_step_loads_no_compiler() -> None:
    script = """
import sys, torch
from lstmcast.training.optimizers import OPTIMIZERS, Optimizer
for name in OPTIMIZERS:
    p = torch.ones(3, requires_grad=True)
    p.sum().backward()
    Optimizer([p], name, 0.0).step()
assert "torch._dynamo" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", script], check=True)
