"""Recurrent layers in numpy, from torch's own weights, so that a forecast need not load torch.

Knows layers that read one way, and nothing of what is made of their states.

A layer is built from its weights, the biases included, for a fixed number of chunks, and starts
from a state of zero. It is called with the inputs [F, B] of one step after the other and returns
the states [D, B], which stay valid until its next call. Chunks come last, so that a gate of all of
them is one stretch of memory.

Axes: T time steps, B chunks, F input features, D hidden size, G gates in torch's order.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from lstmcast.network.trained import NetworkShape
from lstmcast.ragged import Singles

RecurrentLayer = Callable[[Singles], Singles]
HALF = np.float32(0.5)
LAYER_NORM_EPSILON = np.float32(1e-5)
"""What torch's layer normalisation adds to the variance."""


class LayerWeights(NamedTuple):
    """Weights of a recurrent layer that read its inputs and its own state, with the bias of each.

    Sizes: inputs [G * D, F], state [G * D, D], and [G * D] for both biases.
    """

    inputs: Singles
    state: Singles
    input_bias: Singles
    state_bias: Singles


def encode_chunks(
    shape: NetworkShape, weights: Mapping[str, Singles], x: Singles, first: int = 0
) -> Singles:
    """Encode chunks [T, B, F] that begin at a state of zero; return the states [T - first, D, B].

    The states are those of the steps from `first` on. All layers take one step before they take the
    next: what they hold stays in the processor's cache.
    """
    n_steps, n_chunks, _ = x.shape
    steps: Iterable[Singles] = (step.T for step in x)
    for number in range(shape.layers):
        layer = _build_layer(shape, weights, number, n_chunks)
        residual = shape.residual and number > 0
        steps = _apply_layer(layer, steps, residual=residual)

    # Nothing is computed before this asks for the steps; what lies before `first` is dropped.
    n_kept = n_steps - first
    states = np.empty((n_kept, shape.hidden, n_chunks), dtype=np.float32)
    for t, state in enumerate(steps, -first):
        if t >= 0:
            states[t] = state

    return states


def _build_layer(
    shape: NetworkShape, weights: Mapping[str, Singles], number: int, chunks: int
) -> RecurrentLayer:
    """Build one layer of a network, with the normalisation that follows it, if any."""
    # torch numbers the layers of its own stack; layers one by one are each a stack of one.
    if shape.stacked:
        prefix, suffix = f"encoder.layers.{number}.", "_l0"
    else:
        prefix, suffix = "encoder.", f"_l{number}"

    layer_weights = LayerWeights(
        inputs=weights[f"{prefix}weight_ih{suffix}"],
        state=weights[f"{prefix}weight_hh{suffix}"],
        input_bias=weights[f"{prefix}bias_ih{suffix}"],
        state_bias=weights[f"{prefix}bias_hh{suffix}"],
    )
    build = NUMPY_CELLS[shape.cell]
    layer = build(layer_weights, chunks)
    if not shape.layer_norm:
        return layer

    norm_weight = weights[f"encoder.norms.{number}.weight"]
    norm_bias = weights[f"encoder.norms.{number}.bias"]
    return _with_layer_norm(layer, norm_weight, norm_bias)


def _apply_layer(
    layer: RecurrentLayer, steps: Iterable[Singles], *, residual: bool
) -> Iterator[Singles]:
    """Iterate over a layer's states of each step, with `residual` added to the step itself."""
    for step in steps:
        yield layer(step) + step if residual else layer(step)


def build_lstm_layer(weights: LayerWeights, chunks: int) -> RecurrentLayer:
    """Build a layer of Hochreiter & Schmidhuber (1997) with the forget gate of Gers et al. (2000).

    The logistic function is (1 + tanh(x / 2)) / 2: its three gates are halved and put side by side,
    so that one tanh makes all four. One product reads the input, the own state, and a one for the
    bias.
    """
    weight = _join_lstm_weights(weights)
    features = weights.inputs.shape[1]
    hidden_size = weights.state.shape[1]

    # Buffers that every step writes into, and views of their parts.
    operand = _zeros(features + hidden_size + 1, chunks)
    operand[-1] = 1
    inputs = operand[:features]
    state = operand[features:-1]
    cell = _zeros(hidden_size, chunks)
    gates = _zeros(4 * hidden_size, chunks)
    logistic = gates[: 3 * hidden_size]
    input_gate, forget_gate, output_gate, new = np.split(gates, 4)

    def layer(step: Singles) -> Singles:
        inputs[:] = step
        np.matmul(weight, operand, out=gates)
        np.tanh(gates, out=gates)

        # From tanh(x / 2) to the logistic function of x.
        np.add(logistic, 1, out=logistic)
        np.multiply(logistic, HALF, out=logistic)

        # cell = forget * cell + input * new, state = output * tanh(cell).
        np.multiply(cell, forget_gate, out=cell)
        np.multiply(new, input_gate, out=new)
        np.add(cell, new, out=cell)
        np.tanh(cell, out=state)
        np.multiply(state, output_gate, out=state)

        return state

    return layer


def _join_lstm_weights(weights: LayerWeights) -> Singles:
    """Join the weights of an LSTM as `build_lstm_layer` reads them, [4 * D, F + D + 1]."""
    hidden_size = weights.state.shape[1]
    bias = weights.input_bias + weights.state_bias
    columns = (weights.inputs, weights.state, bias[:, None])
    weight = np.concatenate(columns, 1)

    # torch orders input, forget, new, output; the new values come last here.
    input_rows, forget_rows, new_rows, output_rows = np.split(weight, 4)
    ordered = np.concatenate([input_rows, forget_rows, output_rows, new_rows])
    logistic_rows = ordered[: 3 * hidden_size]
    logistic_rows *= HALF
    return ordered


def _zeros(rows: int, chunks: int) -> Singles:
    return np.zeros((rows, chunks), dtype=np.float32)


def build_gru_layer(weights: LayerWeights, chunks: int) -> RecurrentLayer:
    """Build a layer of Cho et al. (2014) with the reset gate after the product, as torch has it."""
    hidden_size = weights.state.shape[1]
    input_bias = weights.input_bias[:, None]
    state_bias = weights.state_bias[:, None]
    state = _zeros(hidden_size, chunks)
    both_gates = slice(2 * hidden_size)
    new_rows = slice(2 * hidden_size, None)

    def layer(step: Singles) -> Singles:
        from_inputs = weights.inputs @ step + input_bias
        from_state = weights.state @ state + state_bias

        # The reset and the update gate are one block of rows, so that one pass makes both.
        gates = _logistic(from_inputs[both_gates] + from_state[both_gates])
        reset = gates[:hidden_size]
        update = gates[hidden_size:]
        remembered = reset * from_state[new_rows]
        new = np.tanh(from_inputs[new_rows] + remembered)

        # (1 - update) * new + update * state, with one product less.
        state[:] = new + update * (state - new)
        return state

    return layer


def build_rnn_layer(weights: LayerWeights, chunks: int) -> RecurrentLayer:
    """Build a layer of Elman (1990), with tanh."""
    hidden_size = weights.state.shape[1]
    bias = weights.input_bias + weights.state_bias
    bias = bias[:, None]
    state = _zeros(hidden_size, chunks)

    def layer(step: Singles) -> Singles:
        from_inputs = weights.inputs @ step
        from_state = weights.state @ state
        np.tanh(from_inputs + from_state + bias, out=state)
        return state

    return layer


NUMPY_CELLS: dict[str, Callable[[LayerWeights, int], RecurrentLayer]] = {
    "lstm": build_lstm_layer,
    "gru": build_gru_layer,
    "rnn": build_rnn_layer,
}


def _logistic(x: Singles) -> Singles:
    """Return the logistic function, by the tanh that numpy computes in one pass."""
    out: Singles = np.tanh(x * HALF)
    out += 1
    out *= HALF
    return out


def _with_layer_norm(
    layer: RecurrentLayer, weight: Singles, bias: Singles
) -> RecurrentLayer:
    """Normalise the states that a layer puts out, but not those it reads (Ba et al. 2016)."""
    weight = weight[:, None]
    bias = bias[:, None]

    def normalised(step: Singles) -> Singles:
        state = layer(step)
        centred = state - state.mean(0)
        squared = centred**2
        variance = squared.mean(0)
        deviation = np.sqrt(variance + LAYER_NORM_EPSILON)
        standard = centred / deviation
        out: Singles = standard * weight + bias

        return out

    return normalised
