"""A trained network as its shape and its weights in arrays. Knows neither torch nor data.

Axes: D hidden size, F input features of a step, W width of an encoder's state (D, or 2 D where the
context is read both ways).
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
"""Fewest recurrent layers that have residual connections."""
INPUT_WEIGHT_NAME = re.compile(r"encoder\.(layers\.0\.)?weight_ih_l0(_reverse)?")
"""Weights of the first layer that read the inputs, as torch names them."""
_LAYER_INPUT_WEIGHT_NAME = re.compile(
    r"encoder\.(layers\.\d+\.weight_ih_l0|weight_ih_l\d+)"
)
_OUTPUTS_PER_LOSS = {
    "quantile": len(NETWORK_QUANTILES),
    "student-t": 3,
    "negative-binomial": 2,
}
"""Outputs for a step; one for every loss that is not here."""

WeightSize = tuple[str, tuple[int, ...]]
"""Name and size of a weight."""


class NetworkShape(NamedTuple):
    """The sizes and kinds that rebuild a network.

    features: inputs of a step. local: inputs of a horizon step. candidates: classical forecasts of
    a horizon step. covariates, ahead: a panel's own inputs, added to `features` and to `local`.
    context: steps that an origin can look back on, where the network itself must know
    (bidirectional or with attention). neighbours: horizon steps that each step of the decoder sees,
    its own in the middle; 0 where it sees its own alone.
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
    neighbours: int = 0

    @property
    def stacked(self) -> bool:
        """Whether its recurrent layers stand one by one, with something between them."""
        return self.layer_norm or self.residual

    @property
    def residual(self) -> bool:
        """Whether each layer but the first adds to what it reads."""
        return self.layers >= MIN_RESIDUAL_LAYERS

    @property
    def width(self) -> int:
        """Width W of an encoder's state."""
        return 2 * self.hidden if self.bidirectional else self.hidden

    @property
    def outputs(self) -> int:
        """Outputs for a horizon step, apart from the weights of the candidates."""
        return _OUTPUTS_PER_LOSS.get(self.loss, 1)


@dataclass(frozen=True, eq=False)
class TrainedNetwork:
    """A trained network as arrays, each under the name that torch has for it.

    Raises ValueError for weights that are not those of its shape.
    """

    shape: NetworkShape
    weights: Mapping[str, Singles]

    def __post_init__(self) -> None:
        sizes = {name: weight.shape for name, weight in self.weights.items()}
        for name, size in iter_weight_sizes(self.shape):
            if sizes.pop(name, None) != size:
                wanted = " x ".join(map(str, size))
                raise ValueError(f"its weights have no {name} of {wanted}")

        # What is left has no place in a network of this shape.
        if sizes:
            foreign = next(iter(sizes))
            raise ValueError(f"its weights are of another network: {foreign}")

    @property
    def interval(self) -> str:
        """Where its quantiles come from, see `config.QUANTILE_SOURCES`."""
        return QUANTILE_SOURCES[self.shape.loss]  # type: ignore[index]

    @property
    def parameters(self) -> int:
        """How many numbers were learnt."""
        return sum(weight.size for weight in self.weights.values())


def iter_weight_sizes(shape: NetworkShape) -> Iterator[WeightSize]:
    """Iterate over name and size of each weight of a network of this shape."""
    for layer in range(shape.layers):
        yield from _iter_layer_sizes(shape, layer)

    hidden = shape.hidden
    width = shape.width
    linear = {
        "state": (hidden, width),
        "local": (hidden, shape.local + shape.ahead),
        "head.1": (hidden, hidden),
        "head.4": (shape.outputs + shape.candidates, hidden),
    }
    if shape.attention:
        linear["attention.query"] = (hidden, width)

    if shape.neighbours:
        yield "neighbours.weight", (hidden, 1, shape.neighbours)

    for name, size in linear.items():
        yield f"{name}.weight", size
        yield f"{name}.bias", size[:1]

    if shape.attention:  # these two have no bias
        yield "attention.key.weight", (hidden, width)
        yield "attention.value.weight", (hidden, width)


def _iter_layer_sizes(shape: NetworkShape, layer: int) -> Iterator[WeightSize]:
    """Iterate over the weights of one recurrent layer, and of the normalisation after it."""
    # The first layer reads the steps, each other one the states of the one before.
    step_inputs = shape.features + shape.covariates
    inputs = shape.width if layer else step_inputs
    rows = GATES_PER_CELL[shape.cell] * shape.hidden
    sizes = {
        "weight_ih": (rows, inputs),
        "weight_hh": (rows, shape.hidden),
        "bias_ih": (rows,),
        "bias_hh": (rows,),
    }

    # Layers of torch's own stack have a number; those one by one are each a stack of one.
    if shape.stacked:
        prefix, suffix = f"encoder.layers.{layer}.", "_l0"
    else:
        prefix, suffix = "encoder.", f"_l{layer}"

    directions = ("", "_reverse") if shape.bidirectional else ("",)
    for direction in directions:
        for name, size in sizes.items():
            yield f"{prefix}{name}{suffix}{direction}", size

    if shape.layer_norm:
        yield f"encoder.norms.{layer}.weight", (shape.width,)
        yield f"encoder.norms.{layer}.bias", (shape.width,)


def count_recurrent_layers(weights: Mapping[str, Any]) -> int:
    """Count the recurrent layers of a network with these weights."""
    # The inputs of a layer are read by one weight, whatever its cell; a second direction, which
    # the pattern does not match, is no further layer.
    matches = map(_LAYER_INPUT_WEIGHT_NAME.fullmatch, weights)
    return sum(match is not None for match in matches)


def count_neighbours(weights: Mapping[str, Any]) -> int:
    """Count the horizon steps that a decoder with these weights sees at once, 0 for its own."""
    kernel = weights.get("neighbours.weight")
    return 0 if kernel is None else int(kernel.shape[-1])


def remove_covariate_columns(
    weights: Mapping[str, Array], features: int, local: int
) -> dict[str, Array]:
    """Return weights without the columns that a panel's own covariates added.

    What stays are `features` inputs of a step and `local` ones of a horizon step.
    """
    narrow = dict(weights)
    for name, weight in weights.items():
        if INPUT_WEIGHT_NAME.fullmatch(name):
            narrow[name] = weight[:, :features]

    local_weight = weights["local.weight"]
    narrow["local.weight"] = local_weight[:, :local]
    return narrow


def add_covariate_columns(
    weights: Mapping[str, Singles], shape: NetworkShape
) -> dict[str, Singles]:
    """Return weights with zero columns added for the covariates of `shape`.

    The weights are those of the same network without covariates, and its forecasts stay the same.
    """
    wide = dict(weights)
    inputs = shape.features + shape.covariates
    for name, weight in weights.items():
        if INPUT_WEIGHT_NAME.fullmatch(name):
            wide[name] = _widen(weight, inputs)

    local_inputs = shape.local + shape.ahead
    local_weight = weights["local.weight"]
    wide["local.weight"] = _widen(local_weight, local_inputs)
    return wide


def _widen(weight: Singles, columns: int) -> Singles:
    """Return a weight with as many columns of zero added as it lacks."""
    missing = columns - weight.shape[1]
    return np.pad(weight, ((0, 0), (0, missing)))
