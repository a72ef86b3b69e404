"""What trained networks forecast: in numpy where that is the same, so that a forecast need not load torch.

Knows how networks are read, not how they are trained.

Axes: M networks, K windows, H horizon, Q quantiles, A candidates, J local features, O outputs of a loss, D hidden size.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from lstmcast import features
from lstmcast.config import QUANTILES
from lstmcast.network import Frozen, Singles
from lstmcast.recurrent import encode
from lstmcast.windows import Batch, Windows

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_CHUNK_OF_WINDOWS = 512


def forecast(
    networks: Sequence[Frozen],
    windows: Windows,
    series: Ints,
    origins: Ints,
    levels: Sequence[float] = QUANTILES,
    spread: Floats | None = None,
) -> tuple[Floats, Floats]:
    """Sorted quantiles of each network [M, K, H, Q] and the candidates [K, H, A], in the user's units.

    levels: other than QUANTILES for losses of a distribution only. spread: [M, 1 or K, H, Q], in scales, makes
    quantiles of the forecasts of point losses.
    """
    made = np.empty((len(networks), len(series), windows.horizon, len(levels)))
    options = np.empty((len(series), windows.horizon, len(features.CANDIDATES)))
    state = windows.steps.state
    # One thread: sums come out in one order wherever they are made, and two are slower on products this small.
    with threadpool_limits(1, "blas"):
        for part, batch in batches(windows, series, origins):
            base = batch.base + windows.effect(series[part], origins[part])[:, None]
            scale, owner = batch.scale[:, 0, :, None], series[part, None, None]
            for m, network in enumerate(networks):
                z = quantiles(network, batch, base, levels)[:, 0]
                if spread is not None:
                    z = z + (spread[m] if len(spread[m]) == 1 else spread[m, part]) * scale
                made[m, part] = features.inverse(z, owner, state)
            blend = base[:, 0, :, None] + batch.blend[:, 0].astype(np.float64) * scale
            options[part] = features.inverse(blend, owner, state)
    if networks[0].interval == "none":
        options.clip(0, 1, out=options)
    return made, options


def batches(windows: Windows, series: Ints, origins: Ints) -> Iterator[tuple[slice, Batch]]:
    """Windows as validation and prediction read them, some at a time: which of them [K], and their batch."""
    steps = windows.context + windows.stride // 2
    for start in range(0, len(series), _CHUNK_OF_WINDOWS):
        part = slice(start, min(start + _CHUNK_OF_WINDOWS, len(series)))
        yield part, windows.batch(series[part], origins[part, None], steps)


def quantiles(network: Frozen, batch: Batch, base: Floats, levels: Sequence[float]) -> Floats:
    """Quantiles of a batch as transformed, float64 [B, P, H, Q]; of a point loss the point at every level."""
    if not runs_here(network):
        from lstmcast.model import quantiles_in_torch  # a second and 200 MB, which most runs can spare

        return quantiles_in_torch(network, batch, base, levels)
    out = outputs(network, batch).astype(np.float64)
    made = base[..., None] + np.sort(out, -1) * batch.scale[..., None]
    return made if network.interval == "own" else np.broadcast_to(made, (*base.shape, len(levels)))


def runs_here(network: Frozen) -> bool:
    """Whether numpy forecasts with it: all cells and depths, read one way, of losses that need no distribution."""
    shape = network.shape
    return network.interval in ("own", "residuals") and not (shape.bidirectional or shape.attention)


def outputs(network: Frozen, batch: Batch) -> Singles:
    """What `model.Network` puts out for a batch, [B, P, H, O]; only of a network that runs here."""
    shape, weights = network.shape, network.weights
    states = encode(shape, weights, batch.x)
    origin = states[batch.at, np.arange(len(batch.at))[:, None]]
    state = _linear(weights, "state", origin)
    hidden = state[:, :, None] + _linear(weights, "local", batch.local)
    for name in ("head.1", "head.4"):
        np.maximum(hidden, 0, out=hidden)
        hidden = _linear(weights, name, hidden)
    correction, choice = hidden[..., : shape.outputs], hidden[..., shape.outputs :]
    choice = np.exp(choice - choice.max(-1, keepdims=True))
    mixed = (choice * batch.blend).sum(-1, keepdims=True) / choice.sum(-1, keepdims=True)
    return np.asarray(correction + mixed)


def _linear(weights: Mapping[str, Singles], name: str, x: Singles) -> Singles:
    weight = weights[f"{name}.weight"]
    out: Singles = x.reshape(-1, weight.shape[1]) @ weight.T
    out += weights[f"{name}.bias"]
    return out.reshape(*x.shape[:-1], -1)
