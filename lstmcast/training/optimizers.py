"""The optimizers of torch as functions over tensors, without the classes that load its compiler.

Torch's optimizer classes import its compiler when one is made, which costs more than many a
training here. What is kept between steps is plain tensors. Knows nothing of networks or schedules.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple, Protocol

import torch
from torch import Tensor
from torch.optim.adam import adam
from torch.optim.adamw import adamw
from torch.optim.rmsprop import rmsprop
from torch.optim.sgd import sgd

from lstmcast.training.schedule import DEFAULT_MOMENTUM, LR_FACTORS

OptimizerState = dict[str, list[Tensor]]


class StepSize(NamedTuple):
    """How far a step goes, and what it remembers of those before."""

    lr: float
    weight_decay: float
    momentum: float


class StepFunction(Protocol):
    """Moves parameters against their gradients, in place, and updates the state."""

    def __call__(
        self,
        values: list[Tensor],
        gradients: list[Tensor],
        state: OptimizerState,
        size: StepSize,
    ) -> None:
        """Take one step."""


class OptimizerRule(NamedTuple):
    """How parameters move, and what is kept of each between steps.

    rate: the usual learning rate, as a multiple of AdamW's. state_names: what `update` keeps of
    each parameter.
    """

    update: StepFunction
    rate: float
    state_names: tuple[str, ...]


def _step_adam(
    values: list[Tensor],
    gradients: list[Tensor],
    state: OptimizerState,
    size: StepSize,
    *,
    update: Callable[..., None],
) -> None:
    """Take a step of Adam, or of AdamW, whose weights decay apart from the gradient."""
    update(
        values,
        gradients,
        state["mean"],
        state["square"],
        [],
        state["step"],
        fused=True,
        lr=size.lr,
        weight_decay=size.weight_decay,
        amsgrad=False,
        beta1=size.momentum,
        beta2=0.999,
        eps=1e-8,
        maximize=False,
    )


def _step_sgd(
    values: list[Tensor], gradients: list[Tensor], state: OptimizerState, size: StepSize
) -> None:
    sgd(
        values,
        gradients,
        [*state["mean"]],
        fused=True,
        lr=size.lr,
        weight_decay=size.weight_decay,
        momentum=size.momentum,
        dampening=0.0,
        nesterov=True,
        maximize=False,
    )


def _step_rmsprop(
    values: list[Tensor], gradients: list[Tensor], state: OptimizerState, size: StepSize
) -> None:
    rmsprop(
        values,
        gradients,
        state["square"],
        [],
        [],
        state["step"],
        lr=size.lr,
        weight_decay=size.weight_decay,
        alpha=0.99,
        eps=1e-8,
        momentum=0.0,  # of the rule, which has none
        centered=False,
    )


OPTIMIZERS = {
    "adamw": OptimizerRule(
        partial(_step_adam, update=adamw),
        LR_FACTORS["adamw"],
        ("mean", "square", "step"),
    ),
    "adam": OptimizerRule(
        partial(_step_adam, update=adam), LR_FACTORS["adam"], ("mean", "square", "step")
    ),
    "sgd": OptimizerRule(_step_sgd, LR_FACTORS["sgd"], ("mean",)),
    "rmsprop": OptimizerRule(_step_rmsprop, LR_FACTORS["rmsprop"], ("square", "step")),
}
"""AdamW (Loshchilov & Hutter 2019), Adam (Kingma & Ba 2015), SGD with Nesterov's momentum
(Sutskever et al. 2013), RMSprop (Tieleman & Hinton 2012), with torch's usual settings."""


class Optimizer:
    """Moves parameters against their gradients.

    lr: the learning rate. momentum: share of the last direction that is kept. state: what is kept
    of each parameter, by name: running means of gradients and of their squares, and steps taken.
    """

    def __init__(
        self, parameters: Iterable[Tensor], name: str, weight_decay: float
    ) -> None:
        self.parameters = list(parameters)
        self.lr = 0.0
        self.momentum = DEFAULT_MOMENTUM
        self.weight_decay = weight_decay
        self.rule = OPTIMIZERS[name]
        self.state: OptimizerState = {
            name: [_zero_state(name, parameter) for parameter in self.parameters]
            for name in self.rule.state_names
        }

    @torch.no_grad()
    def step(self) -> None:
        """Take a step at the rate `lr`; every parameter has a gradient."""
        gradients = [parameter.grad for parameter in self.parameters]
        size = StepSize(self.lr, self.weight_decay, self.momentum)
        self.rule.update(self.parameters, gradients, self.state, size)  # type: ignore[arg-type]

    def clear(self) -> None:
        """Forget the gradients."""
        for parameter in self.parameters:
            parameter.grad = None


def _zero_state(name: str, parameter: Tensor) -> Tensor:
    """Return what is kept of a parameter before the first step: steps are counted by a scalar."""
    if name == "step":
        return torch.zeros((), device=parameter.device)
    return torch.zeros_like(parameter)
