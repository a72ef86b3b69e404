"""What a trained network is when nothing trains it: its shape and its weights as arrays. Knows neither torch nor data.

Axes: D hidden size, F inputs of a step, W width of an encoder's state (D, or 2 D where the context
is read both ways).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import numpy as np

from lstmcast.config import NETWORK_QUANTILES, QUANTILE_SOURCES
from lstmcast.ragged import Singles

Array = TypeVar("Array", bound=Any)

GATES_PER_CELL = {"lstm": 4, "gru": 3, "rnn": 1}
MIN_RESIDUAL_LAYERS = 3
"""Layers from which on there are connections past them."""
INPUT_WEIGHT_NAME = re.compile(r"encoder\.(layers\.0\.)?weight_ih_l0(_reverse)?")
_LAYER_INPUT_WEIGHT_NAME = re.compile(r"encoder\.(layers\.\d+\.weight_ih_l0|weight_ih_l\d+)")


class NetworkShape(NamedTuple):
    """What rebuilds a network. `covariates` and `ahead` are inputs added to the universal ones.

    context: steps that an origin can look back on, where the network itself must know (both ways,
    attention).
    """

    features: int
    local: int
    candidates: int
    hidden: int
    layers: int
    covariates: int = 0
    ahead: int = 0
    cell: str = "lstm"
    bidirectional: bool = False
    attention: bool = False
    layer_norm: bool = False
    context: int = 0
    loss: str = "quantile"

    @property
    def stacked(self) -> bool:
        """Whether its recurrent layers stand one by one, with something between them."""
        return self.layer_norm or self.residual

    @property
    def residual(self) -> bool:
        """Whether each layer but the first adds to what it reads."""
        return self.layers >= MIN_RESIDUAL_LAYERS

    @property
    def outputs(self) -> int:
        """What it puts out for a step, the weights of the candidates apart."""
        return {"quantile": len(NETWORK_QUANTILES), "student-t": 3, "negative-binomial": 2}.get(
            self.loss, 1
        )


@dataclass(frozen=True, eq=False)
class TrainedNetwork:
    """A trained network as arrays, each under the name that torch has for it. Raises ValueError for wrong sizes."""

    shape: NetworkShape
    weights: Mapping[str, Singles]

    def __post_init__(self) -> None:
        found = {name: weight.shape for name, weight in self.weights.items()}
        for name, size in iter_weight_sizes(self.shape):
            if found.pop(name, None) != size:
                raise ValueError(f"its weights have no {name} of {' x '.join(map(str, size))}")
        if found:
            raise ValueError(f"its weights are of another network: {next(iter(found))}")

    @property
    def interval(self) -> str:
        """Where its quantiles come from, see INTERVALS."""
        return QUANTILE_SOURCES[self.shape.loss]  # type: ignore[index]

    @property
    def parameters(self) -> int:
        """How many numbers it has learnt."""
        return sum(weight.size for weight in self.weights.values())


def iter_weight_sizes(shape: NetworkShape) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Name and size of each weight of a network of this shape."""
    d, width = shape.hidden, shape.hidden * (1 + shape.bidirectional)
    rows = GATES_PER_CELL[shape.cell] * d
    for layer in range(shape.layers):
        read = width if layer else shape.features + shape.covariates
        prefix, number = (f"layers.{layer}.", 0) if shape.stacked else ("", layer)
        for way in ("", "_reverse")[: 1 + shape.bidirectional]:
            for name, size in (
                ("weight_ih", (rows, read)),
                ("weight_hh", (rows, d)),
                ("bias_ih", (rows,)),
                ("bias_hh", (rows,)),
            ):
                yield f"encoder.{prefix}{name}_l{number}{way}", size
        if shape.layer_norm:
            yield f"encoder.norms.{layer}.weight", (width,)
            yield f"encoder.norms.{layer}.bias", (width,)
    last = shape.outputs + shape.candidates
    linear = {
        "state": (d, width),
        "local": (d, shape.local + shape.ahead),
        "head.1": (d, d),
        "head.4": (last, d),
    }
    linear |= {"attention.query": (d, width)} if shape.attention else {}
    for name, size in linear.items():
        yield f"{name}.weight", size
        yield f"{name}.bias", size[:1]
    if shape.attention:
        yield "attention.key.weight", (d, width)
        yield "attention.value.weight", (d, width)


def count_recurrent_layers(weights: Mapping[str, Any]) -> int:
    """Recurrent layers of a network with these weights."""
    return sum(_LAYER_INPUT_WEIGHT_NAME.fullmatch(name) is not None for name in weights)


def remove_covariate_columns(
    weights: Mapping[str, Array], features: int, local: int
) -> dict[str, Array]:
    """Weights without the columns that a panel's own covariates added to `features` and `local` inputs."""
    out = {
        name: value[:, :features] if INPUT_WEIGHT_NAME.fullmatch(name) else value
        for name, value in weights.items()
    }
    return out | {"local.weight": weights["local.weight"][:, :local]}


def add_covariate_columns(
    weights: Mapping[str, Singles], shape: NetworkShape
) -> dict[str, Singles]:
    """Weights of the same network without covariates, with zero columns added for those of `shape`."""
    out = dict(weights)
    widths = {
        name: shape.features + shape.covariates
        for name in weights
        if INPUT_WEIGHT_NAME.fullmatch(name)
    }
    for name, width in (widths | {"local.weight": shape.local + shape.ahead}).items():
        out[name] = np.pad(weights[name], ((0, 0), (0, width - weights[name].shape[1])))
    return out
