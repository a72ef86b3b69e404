"""What a trained network is when nothing trains it: its shape and its weights as arrays. Knows neither torch nor data.

Axes: D hidden size, F inputs of a step, W width of an encoder's state (D, or 2 D where the context is read both ways).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from lstmcast.config import INTERVALS, QUANTILES

Singles = NDArray[np.float32]
Array = TypeVar("Array", bound=Any)

GATES = {"lstm": 4, "gru": 3, "rnn": 1}
RESIDUAL = 3
"""Layers from which on there are connections past them."""
READS_STEPS = re.compile(r"encoder\.(layers\.0\.)?weight_ih_l0(_reverse)?")
_LAYER = re.compile(r"encoder\.(layers\.\d+\.weight_ih_l0|weight_ih_l\d+)")


class Shape(NamedTuple):
    """What rebuilds a network. `covariates` and `ahead` are inputs added to the universal ones.

    context: steps that an origin can look back on, where the network itself must know (both ways, attention).
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
        return self.layers >= RESIDUAL

    @property
    def outputs(self) -> int:
        """What it puts out for a step, the weights of the candidates apart."""
        return {"quantile": len(QUANTILES), "student-t": 3, "negative-binomial": 2}.get(self.loss, 1)


@dataclass(frozen=True, eq=False)
class Frozen:
    """A trained network as arrays, each under the name that torch has for it. Raises ValueError for wrong sizes."""

    shape: Shape
    weights: Mapping[str, Singles]

    def __post_init__(self) -> None:
        found = {name: weight.shape for name, weight in self.weights.items()}
        for name, size in sizes(self.shape):
            if found.pop(name, None) != size:
                raise ValueError(f"its weights have no {name} of {' x '.join(map(str, size))}")
        if found:
            raise ValueError(f"its weights are of another network: {next(iter(found))}")

    @property
    def interval(self) -> str:
        """Where its quantiles come from, see INTERVALS."""
        return INTERVALS[self.shape.loss]  # type: ignore[index]

    @property
    def parameters(self) -> int:
        """How many numbers it has learnt."""
        return sum(weight.size for weight in self.weights.values())


def sizes(shape: Shape) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Name and size of each weight of a network of this shape."""
    d, width = shape.hidden, shape.hidden * (1 + shape.bidirectional)
    rows = GATES[shape.cell] * d
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
    linear = {"state": (d, width), "local": (d, shape.local + shape.ahead), "head.1": (d, d), "head.4": (last, d)}
    linear |= {"attention.query": (d, width)} if shape.attention else {}
    for name, size in linear.items():
        yield f"{name}.weight", size
        yield f"{name}.bias", size[:1]
    if shape.attention:
        yield "attention.key.weight", (d, width)
        yield "attention.value.weight", (d, width)


def depth(weights: Mapping[str, Any]) -> int:
    """Recurrent layers of a network with these weights."""
    return sum(_LAYER.fullmatch(name) is not None for name in weights)


def narrow(weights: Mapping[str, Array], features: int, local: int) -> dict[str, Array]:
    """Weights without the columns that a panel's own covariates added to `features` and `local` inputs."""
    out = {name: value[:, :features] if READS_STEPS.fullmatch(name) else value for name, value in weights.items()}
    return out | {"local.weight": weights["local.weight"][:, :local]}


def widen(weights: Mapping[str, Singles], shape: Shape) -> dict[str, Singles]:
    """Weights of the same network without covariates, with zero columns added for those of `shape`."""
    out = dict(weights)
    widths = {name: shape.features + shape.covariates for name in weights if READS_STEPS.fullmatch(name)}
    for name, width in (widths | {"local.weight": shape.local + shape.ahead}).items():
        out[name] = np.pad(weights[name], ((0, 0), (0, width - weights[name].shape[1])))
    return out
