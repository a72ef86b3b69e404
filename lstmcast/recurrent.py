"""Recurrent layers in numpy, from torch's own weights: to forecast, a run need not load torch.

Knows layers that read one way, and nothing of what is made of their states. Each takes the weights that read an input
[G D, F] and the own state [G D, D], the bias of each [G D], with G gates in torch's order, and the inputs [C, B, F].

Axes: C steps, B chunks, F input features, D hidden size.
"""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from lstmcast.network import Shape

Singles = NDArray[np.float32]
HALF = np.float32(0.5)
_TOGETHER = 2048
"""Rows of inputs in one product."""
NORM = np.float32(1e-5)
"""What torch's layer normalisation adds to the variance."""


def encode(shape: Shape, weights: Mapping[str, Singles], x: Singles) -> Singles:
    """States [C, B, D] of all steps of chunks [C, B, F], beginning at zero."""
    run = CELLS[shape.cell]
    for k in range(shape.layers):
        prefix, number = (f"encoder.layers.{k}.", 0) if shape.stacked else ("encoder.", k)
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        out = run(*(weights[f"{prefix}{name}_l{number}"] for name in names), x)
        if shape.layer_norm:
            out = _normalised(out, weights[f"encoder.norms.{k}.weight"], weights[f"encoder.norms.{k}.bias"])
        x = x + out if shape.residual and k else out
    return x


def lstm(read: Singles, again: Singles, bias: Singles, more: Singles, x: Singles) -> Singles:
    """Hochreiter & Schmidhuber (1997) with the forget gate of Gers et al. (2000).

    The logistic function is (1 + tanh(x / 2)) / 2: its three gates are halved and put side by side, so that one tanh
    makes all four.
    """
    d = again.shape[1]
    into, forget, new, output = (np.arange(k * d, (k + 1) * d) for k in range(4))
    order = np.concatenate([into, forget, output, new])
    half = np.repeat([HALF, HALF, HALF, np.float32(1)], d)
    weight, constant = (read[order] * half[:, None]).T, (bias + more)[order] * half
    turn = np.ascontiguousarray((again[order] * half[:, None]).T)
    states = np.empty((*x.shape[:2], d), dtype=np.float32)
    gates = np.empty((x.shape[1], 4 * d), dtype=np.float32)
    hidden, cell = np.zeros((2, x.shape[1], d), dtype=np.float32)
    let_in, keep, show, fresh = (gates[:, k * d : (k + 1) * d] for k in range(4))
    logistic = gates[:, : 3 * d]
    for t, given in _read(weight, constant, x):
        np.matmul(hidden, turn, out=gates)
        gates += given
        np.tanh(gates, out=gates)
        logistic += 1
        logistic *= HALF
        cell *= keep
        fresh *= let_in
        cell += fresh
        hidden = states[t]
        np.tanh(cell, out=hidden)
        hidden *= show
    return states


def gru(read: Singles, again: Singles, bias: Singles, more: Singles, x: Singles) -> Singles:
    """Cho et al. (2014), with the reset gate after the product, as torch has it."""
    d = again.shape[1]
    turn = np.ascontiguousarray(again.T)
    states = np.empty((*x.shape[:2], d), dtype=np.float32)
    hidden = np.zeros((x.shape[1], d), dtype=np.float32)
    for t, given in _read(read.T, bias, x):
        own = hidden @ turn + more
        gates = _logistic(given[:, : 2 * d] + own[:, : 2 * d])
        new = np.tanh(given[:, 2 * d :] + gates[:, :d] * own[:, 2 * d :])
        hidden = states[t] = new + gates[:, d:] * (hidden - new)
    return states


def rnn(read: Singles, again: Singles, bias: Singles, more: Singles, x: Singles) -> Singles:
    """Elman (1990), with tanh."""
    turn = np.ascontiguousarray(again.T)
    states = np.empty((*x.shape[:2], again.shape[1]), dtype=np.float32)
    hidden = np.zeros((x.shape[1], again.shape[1]), dtype=np.float32)
    for t, given in _read(read.T, bias + more, x):
        hidden = states[t] = np.tanh(given + hidden @ turn)
    return states


CELLS: dict[str, Callable[..., Singles]] = {
    "lstm": lstm,
    "gru": gru,
    "rnn": rnn,
}


def _read(weight: Singles, bias: Singles, x: Singles) -> Iterator[tuple[int, Singles]]:
    """Each step and what its inputs give to the gates, [B, G D]: one product for as many steps as stay in the cache."""
    steps, chunks, width = x.shape
    block = max(1, _TOGETHER // chunks)
    for start in range(0, steps, block):
        part = x[start : start + block]
        given = part.reshape(-1, width) @ weight
        given += bias
        yield from enumerate(given.reshape(len(part), chunks, -1), start)


def _logistic(x: Singles) -> Singles:
    out: Singles = np.tanh(x * HALF)
    out += 1
    out *= HALF
    return out


def _normalised(x: Singles, weight: Singles, bias: Singles) -> Singles:
    centred = x - x.mean(-1, keepdims=True)
    out: Singles = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + NORM) * weight + bias
    return out
