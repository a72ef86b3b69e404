"""Recurrent layers in numpy, from torch's own weights: to forecast, a run need not load torch.

Knows layers that read one way, and nothing of what is made of their states. Each is made of the
weights that read an input [G D, F] and the own state [G D, D] and the bias of each [G D], with G
gates in torch's order, for so many chunks. It takes the inputs [F, B] of one step after the other
and gives the states [D, B], which are its own until the next. Chunks come last, so that a gate of
all of them is one stretch of memory.

Axes: C steps, B chunks, F input features, D hidden size.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np

from lstmcast.network.trained import NetworkShape
from lstmcast.ragged import Singles

RecurrentLayer = Callable[[Singles], Singles]
HALF = np.float32(0.5)
LAYER_NORM_EPSILON = np.float32(1e-5)
"""What torch's layer normalisation adds to the variance."""


def encode_chunks(
    shape: NetworkShape, weights: Mapping[str, Singles], x: Singles, since: int = 0
) -> Singles:
    """States [C - since, D, B] of the steps from `since` on of chunks [C, B, F], beginning at zero.

    All layers take one step before they take the next: what they hold stays in the processor's
    cache.
    """
    flow: Iterable[Singles] = (step.T for step in x)
    for k in range(shape.layers):
        prefix, number = (f"encoder.layers.{k}.", 0) if shape.stacked else ("encoder.", k)
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        layer = NUMPY_CELLS[shape.cell](
            *(weights[f"{prefix}{name}_l{number}"] for name in names), x.shape[1]
        )
        if shape.layer_norm:
            layer = _with_layer_norm(
                layer, weights[f"encoder.norms.{k}.weight"], weights[f"encoder.norms.{k}.bias"]
            )
        flow = _apply_layer(layer, flow, added=shape.residual and k > 0)
    states = np.empty((len(x) - since, shape.hidden, x.shape[1]), dtype=np.float32)
    for t, state in enumerate(flow, -since):
        if t >= 0:
            states[t] = state
    return states


def _apply_layer(
    layer: RecurrentLayer, flow: Iterable[Singles], *, added: bool
) -> Iterator[Singles]:
    """What a layer makes of each step, added to the step itself where asked."""
    for step in flow:
        yield layer(step) + step if added else layer(step)


def build_lstm_layer(
    read: Singles, again: Singles, bias: Singles, more: Singles, chunks: int
) -> RecurrentLayer:
    """Hochreiter & Schmidhuber (1997) with the forget gate of Gers et al. (2000).

    The logistic function is (1 + tanh(x / 2)) / 2: its three gates are halved and put side by side,
    so that one tanh makes all four. One product reads the input, the own state, and a one for the
    bias.
    """
    width, d = read.shape[1], again.shape[1]
    into, forget, new, output = (np.arange(k * d, (k + 1) * d) for k in range(4))
    order = np.concatenate([into, forget, output, new])
    half = np.repeat([HALF, HALF, HALF, np.float32(1)], d)[:, None]
    weight = np.concatenate([read, again, (bias + more)[:, None]], 1)[order] * half
    given = np.zeros((width + d + 1, chunks), dtype=np.float32)
    given[-1] = 1
    seen, hidden = given[:width], given[width:-1]
    cell, gates = (np.zeros((k * d, chunks), dtype=np.float32) for k in (1, 4))
    logistic = gates[: 3 * d]
    let_in, keep, show, fresh = gates.reshape(4, d, chunks)

    def layer(step: Singles) -> Singles:
        seen[:] = step
        np.matmul(weight, given, out=gates)
        np.tanh(gates, out=gates)
        np.add(logistic, 1, out=logistic)
        np.multiply(logistic, HALF, out=logistic)
        np.multiply(cell, keep, out=cell)
        np.multiply(fresh, let_in, out=fresh)
        np.add(cell, fresh, out=cell)
        np.tanh(cell, out=hidden)
        np.multiply(hidden, show, out=hidden)
        return hidden

    return layer


def build_gru_layer(
    read: Singles, again: Singles, bias: Singles, more: Singles, chunks: int
) -> RecurrentLayer:
    """Cho et al. (2014), with the reset gate after the product, as torch has it."""
    d, bias, more = again.shape[1], bias[:, None], more[:, None]
    hidden = np.zeros((d, chunks), dtype=np.float32)

    def layer(step: Singles) -> Singles:
        given, own = read @ step + bias, again @ hidden + more
        gates = _logistic(given[: 2 * d] + own[: 2 * d])
        new = np.tanh(given[2 * d :] + gates[:d] * own[2 * d :])
        hidden[:] = new + gates[d:] * (hidden - new)
        return hidden

    return layer


def build_rnn_layer(
    read: Singles, again: Singles, bias: Singles, more: Singles, chunks: int
) -> RecurrentLayer:
    """Elman (1990), with tanh."""
    constant, hidden = (bias + more)[:, None], np.zeros((again.shape[1], chunks), dtype=np.float32)

    def layer(step: Singles) -> Singles:
        np.tanh(read @ step + again @ hidden + constant, out=hidden)
        return hidden

    return layer


NUMPY_CELLS: dict[str, Callable[..., RecurrentLayer]] = {
    "lstm": build_lstm_layer,
    "gru": build_gru_layer,
    "rnn": build_rnn_layer,
}


def _logistic(x: Singles) -> Singles:
    out: Singles = np.tanh(x * HALF)
    out += 1
    out *= HALF
    return out


def _with_layer_norm(layer: RecurrentLayer, weight: Singles, bias: Singles) -> RecurrentLayer:
    """A layer whose states are normalised, which it does not itself see (Ba et al. 2016)."""

    def normalised(step: Singles) -> Singles:
        state = layer(step)
        centred = state - state.mean(0)
        out: Singles = (
            centred / np.sqrt((centred**2).mean(0) + LAYER_NORM_EPSILON) * weight[:, None]
            + bias[:, None]
        )
        return out

    return normalised
