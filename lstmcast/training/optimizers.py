"""The optimizers of torch as functions over tensors: what is kept between steps is plain, and no compiler is loaded.

Torch's optimizer classes import its compiler when one is made, which costs more than many a
training here. Knows nothing of networks or schedules.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple, TypedDict

import torch
from torch import Tensor
from torch.optim.adam import adam
from torch.optim.adamw import adamw
from torch.optim.rmsprop import rmsprop
from torch.optim.sgd import sgd

OptimizerState = dict[str, list[Tensor]]
StepFunction = Callable[[list[Tensor], list[Tensor], OptimizerState, float, float], None]


class OptimizerRule(NamedTuple):
    """How parameters move, given gradients, state, rate and weight decay; `rate` is usual, as a multiple of AdamW's."""

    update: StepFunction
    rate: float
    state_names: tuple[str, ...]


def _step_adamw(
    values: list[Tensor], gradients: list[Tensor], state: OptimizerState, lr: float, decay: float
) -> None:
    moments = state["mean"], state["square"]
    adamw(
        values,
        gradients,
        *moments,
        [],
        state["step"],
        lr=lr,
        weight_decay=decay,
        fused=True,
        **_ADAM_SETTINGS,
    )


def _step_adam(
    values: list[Tensor], gradients: list[Tensor], state: OptimizerState, lr: float, decay: float
) -> None:
    moments = state["mean"], state["square"]
    adam(
        values,
        gradients,
        *moments,
        [],
        state["step"],
        lr=lr,
        weight_decay=decay,
        fused=True,
        **_ADAM_SETTINGS,
    )


def _step_sgd(
    values: list[Tensor], gradients: list[Tensor], state: OptimizerState, lr: float, decay: float
) -> None:
    sgd(
        values,
        gradients,
        [*state["mean"]],
        fused=True,
        lr=lr,
        weight_decay=decay,
        momentum=0.9,
        dampening=0.0,
        nesterov=True,
        maximize=False,
    )


def _step_rmsprop(
    values: list[Tensor], gradients: list[Tensor], state: OptimizerState, lr: float, decay: float
) -> None:
    rmsprop(
        values,
        gradients,
        state["square"],
        [],
        [],
        state["step"],
        lr=lr,
        weight_decay=decay,
        alpha=0.99,
        eps=1e-8,
        momentum=0.0,
        centered=False,
    )


class _AdamSettings(TypedDict):
    amsgrad: bool
    beta1: float
    beta2: float
    eps: float
    maximize: bool


_ADAM_SETTINGS: _AdamSettings = {
    "amsgrad": False,
    "beta1": 0.9,
    "beta2": 0.999,
    "eps": 1e-8,
    "maximize": False,
}
OPTIMIZERS = {
    "adamw": OptimizerRule(_step_adamw, 1.0, ("mean", "square", "step")),
    "adam": OptimizerRule(_step_adam, 1.0, ("mean", "square", "step")),
    "sgd": OptimizerRule(_step_sgd, 30.0, ("mean",)),
    "rmsprop": OptimizerRule(_step_rmsprop, 0.3, ("square", "step")),
}
"""AdamW (Loshchilov & Hutter 2019), Adam (Kingma & Ba 2015), SGD with Nesterov's momentum
(Sutskever et al. 2013), RMSprop (Tieleman & Hinton 2012), with torch's usual settings."""


class Optimizer:
    """Moves parameters against their gradients.

    lr: the learning rate. state: what is kept of each parameter, by name: running means of
    gradients and of their squares, steps taken.
    """

    def __init__(self, parameters: Iterable[Tensor], name: str, weight_decay: float) -> None:
        self.parameters, self.lr = list(parameters), 0.0
        self.rule, self.weight_decay = OPTIMIZERS[name], weight_decay
        self.state: OptimizerState = {
            kept: [
                torch.zeros((), device=p.device) if kept == "step" else torch.zeros_like(p)
                for p in self.parameters
            ]
            for kept in self.rule.state_names
        }

    @torch.no_grad()
    def step(self) -> None:
        """Take a step at the rate `lr`; every parameter has a gradient."""
        gradients = [p.grad for p in self.parameters]
        self.rule.update(self.parameters, gradients, self.state, self.lr, self.weight_decay)  # type: ignore[arg-type]

    def clear(self) -> None:
        """Forget the gradients."""
        for parameter in self.parameters:
            parameter.grad = None
