"""What trained networks forecast: in numpy where that is the same, so that a forecast need not load torch.

Knows how networks are read, not how they are trained.

Axes: M networks, K windows, H horizon, Q quantiles, A candidates, J local features, O outputs of a
loss, D hidden size.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import TypeVar

import numpy as np
from threadpoolctl import threadpool_limits

from lstmcast.config import NETWORK_QUANTILES
from lstmcast.features.candidates import CANDIDATES
from lstmcast.features.scaler import inverse_transform
from lstmcast.features.windows import Batch, Windows
from lstmcast.network.numpy_layers import encode_chunks
from lstmcast.network.trained import TrainedNetwork
from lstmcast.ragged import Floats, Ints, Singles

T = TypeVar("T")

_MAX_WINDOWS_PER_BATCH = 512
"""Windows that are read at once, and..."""
_MAX_STEPS_PER_BATCH = 100_000
"""... their steps, behind and ahead: memory does not grow with context or horizon."""


def forecast_windows(
    networks: Sequence[TrainedNetwork],
    windows: Windows,
    series: Ints,
    origins: Ints,
    levels: Sequence[float] = NETWORK_QUANTILES,
    spread: Floats | None = None,
    strip: int = 1,
) -> tuple[Floats, Floats]:
    """Sorted quantiles of each network [M, K, H, Q] and the candidates [K, H, A], in the user's units.

    levels: other than QUANTILES for losses of a distribution only. spread: [M, 1 or K, H, Q], in
    scales, makes quantiles of the forecasts of point losses. strip: see `strips`.
    """
    made = np.empty((len(networks), len(series), windows.horizon, len(levels)))
    options = np.empty((len(series), windows.horizon, len(CANDIDATES)))
    state = windows.steps.state

    def work(task: tuple[Ints, Batch]) -> None:
        part, batch = task
        base = batch.base + windows.effect(series[part], origins[part])
        scale, owner = batch.scale[..., None], series[part][..., None, None]
        for m, network in enumerate(networks):
            z = predict_batch_quantiles(network, batch, base, levels)
            if spread is not None:
                z = z + (spread[m] if len(spread[m]) == 1 else spread[m, part]) * scale
            made[m, part] = inverse_transform(z, owner, state)
        blend = base[..., None] + batch.blend.astype(np.float64) * scale
        options[part] = inverse_transform(blend, owner, state)

    # Each product on one thread: sums come out in one order, and two are slower on products this
    # small.
    with threadpool_limits(1, "blas"):
        run_in_threads(
            work,
            iter_strips(windows, series, origins, strip),
            count_threads() if all(map(can_run_in_numpy, networks)) else 1,
        )
    if networks[0].interval == "none":
        options.clip(0, 1, out=options)
    return made, options


def iter_batches(windows: Windows, series: Ints, origins: Ints) -> Iterator[tuple[slice, Batch]]:
    """Windows as validation and prediction read them, some at a time: which of them [K], and their batch."""
    steps = windows.context + windows.stride // 2
    size = _windows_per_batch(steps + windows.horizon)
    for start in range(0, len(series), size):
        part = slice(start, min(start + size, len(series)))
        yield part, windows.batch(series[part], origins[part, None], steps)


def _windows_per_batch(steps: int) -> int:
    """How many stretches of so many steps, behind and ahead, are read together."""
    return max(1, min(_MAX_WINDOWS_PER_BATCH, _MAX_STEPS_PER_BATCH // steps))


def iter_strips(
    windows: Windows, series: Ints, origins: Ints, length: int
) -> Iterator[tuple[Ints, Batch]]:
    """The same for up to `length` windows whose origins follow each other, read as one: which they are [B, P].

    Their context is encoded once for all of them, and is longer for the later ones: much faster,
    and no less accurate, though not the same. A strip that is shorter repeats its last window.
    """
    follows = (np.diff(series, prepend=-1) == 0) & (np.diff(origins, prepend=-2) == 1)
    begins = np.maximum.accumulate(np.where(follows, 0, np.arange(len(series))))
    first = np.flatnonzero((np.arange(len(series)) - begins) % length == 0)
    last = np.append(first[1:], len(series)) - 1
    places = np.minimum(first[:, None] + np.arange(length), last[:, None])
    steps = windows.context + windows.stride // 2 + length - 1
    size = _windows_per_batch(steps + length * windows.horizon)
    for start in range(0, len(places), size):
        part = places[start : start + size]
        yield part, windows.batch(series[part[:, 0]], origins[part], steps)


def run_in_threads(work: Callable[[T], None], tasks: Iterator[T], count: int) -> None:
    """Do the work for every task, `count` at a time; no more tasks are made than are being done."""
    if count == 1:
        for task in tasks:
            work(task)
        return
    lock = Lock()

    def share() -> None:
        while True:
            with lock:
                task = next(tasks, None)
            if task is None:
                return
            work(task)

    with ThreadPoolExecutor(count) as pool:
        for done in [pool.submit(share) for _ in range(count)]:
            done.result()


def count_threads() -> int:
    """Cores to forecast with: those of this process, or fewer where OMP_NUM_THREADS says so, as in a worker."""
    here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return min(here, int(asked)) if asked.isdigit() and int(asked) else here


def predict_batch_quantiles(
    network: TrainedNetwork, batch: Batch, base: Floats, levels: Sequence[float]
) -> Floats:
    """Quantiles of a batch as transformed, float64 [B, P, H, Q]; of a point loss the point at every level."""
    if not can_run_in_numpy(network):
        from lstmcast.network.torch_network import (
            predict_quantiles_in_torch,  # a second and 200 MB, which most runs can spare
        )

        return predict_quantiles_in_torch(network, batch, base, levels)
    out = compute_outputs(network, batch).astype(np.float64)
    made = base[..., None] + np.sort(out, -1) * batch.scale[..., None]
    return made if network.interval == "own" else np.broadcast_to(made, (*base.shape, len(levels)))


def can_run_in_numpy(network: TrainedNetwork) -> bool:
    """Whether numpy forecasts with it: all cells and depths, read one way, of losses that need no distribution."""
    shape = network.shape
    return network.interval in ("own", "residuals") and not (shape.bidirectional or shape.attention)


def compute_outputs(network: TrainedNetwork, batch: Batch) -> Singles:
    """What `model.Network` puts out for a batch, [B, P, H, O]; only of a network that runs here."""
    shape, weights = network.shape, network.weights
    first = int(batch.at.min())
    states = encode_chunks(shape, weights, batch.x, first)
    origin = states[batch.at - first, :, np.arange(len(batch.at))[:, None]]
    state = _apply_linear(weights, "state", origin)
    hidden = state[:, :, None] + _apply_linear(weights, "local", batch.local)
    for name in ("head.1", "head.4"):
        np.maximum(hidden, 0, out=hidden)
        hidden = _apply_linear(weights, name, hidden)
    correction, choice = hidden[..., : shape.outputs], hidden[..., shape.outputs :]
    choice = np.exp(choice - choice.max(-1, keepdims=True))
    mixed = (choice * batch.blend).sum(-1, keepdims=True) / choice.sum(-1, keepdims=True)
    return np.asarray(correction + mixed)


def _apply_linear(weights: Mapping[str, Singles], name: str, x: Singles) -> Singles:
    weight = weights[f"{name}.weight"]
    out: Singles = x.reshape(-1, weight.shape[1]) @ weight.T
    out += weights[f"{name}.bias"]
    return out.reshape(*x.shape[:-1], -1)
