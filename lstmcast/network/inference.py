"""What trained networks forecast: in numpy where that is the same, so that a forecast need not load torch.

Knows how networks are read, not how they are trained.

Axes: M networks, K windows, H horizon, Q quantiles, A candidates, J local features, O outputs of a loss, D hidden size.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import TypeVar

import numpy as np
from threadpoolctl import threadpool_limits

from lstmcast.config import QUANTILES
from lstmcast.features.candidates import CANDIDATES
from lstmcast.features.scaler import inverse
from lstmcast.features.windows import Batch, Windows
from lstmcast.network.numpy_layers import encode
from lstmcast.network.trained import Frozen, Singles
from lstmcast.ragged import Floats, Ints

T = TypeVar("T")

_WINDOWS = 512
"""Windows that are read at once, and..."""
_STEPS = 100_000
"""... their steps, behind and ahead: memory does not grow with context or horizon."""


def forecast(
    networks: Sequence[Frozen],
    windows: Windows,
    series: Ints,
    origins: Ints,
    levels: Sequence[float] = QUANTILES,
    spread: Floats | None = None,
    strip: int = 1,
) -> tuple[Floats, Floats]:
    """Sorted quantiles of each network [M, K, H, Q] and the candidates [K, H, A], in the user's units.

    levels: other than QUANTILES for losses of a distribution only. spread: [M, 1 or K, H, Q], in scales, makes
    quantiles of the forecasts of point losses. strip: see `strips`.
    """
    made = np.empty((len(networks), len(series), windows.horizon, len(levels)))
    options = np.empty((len(series), windows.horizon, len(CANDIDATES)))
    state = windows.steps.state

    def work(task: tuple[Ints, Batch]) -> None:
        part, batch = task
        base = batch.base + windows.effect(series[part], origins[part])
        scale, owner = batch.scale[..., None], series[part][..., None, None]
        for m, network in enumerate(networks):
            z = quantiles(network, batch, base, levels)
            if spread is not None:
                z = z + (spread[m] if len(spread[m]) == 1 else spread[m, part]) * scale
            made[m, part] = inverse(z, owner, state)
        blend = base[..., None] + batch.blend.astype(np.float64) * scale
        options[part] = inverse(blend, owner, state)

    # Each product on one thread: sums come out in one order, and two are slower on products this small.
    with threadpool_limits(1, "blas"):
        each(work, strips(windows, series, origins, strip), threads() if all(map(runs_here, networks)) else 1)
    if networks[0].interval == "none":
        options.clip(0, 1, out=options)
    return made, options


def batches(windows: Windows, series: Ints, origins: Ints) -> Iterator[tuple[slice, Batch]]:
    """Windows as validation and prediction read them, some at a time: which of them [K], and their batch."""
    steps = windows.context + windows.stride // 2
    size = _at_once(steps + windows.horizon)
    for start in range(0, len(series), size):
        part = slice(start, min(start + size, len(series)))
        yield part, windows.batch(series[part], origins[part, None], steps)


def _at_once(steps: int) -> int:
    """How many stretches of so many steps, behind and ahead, are read together."""
    return max(1, min(_WINDOWS, _STEPS // steps))


def strips(windows: Windows, series: Ints, origins: Ints, length: int) -> Iterator[tuple[Ints, Batch]]:
    """The same for up to `length` windows whose origins follow each other, read as one: which they are [B, P].

    Their context is encoded once for all of them, and is longer for the later ones: much faster, and no less accurate,
    though not the same. A strip that is shorter repeats its last window.
    """
    follows = (np.diff(series, prepend=-1) == 0) & (np.diff(origins, prepend=-2) == 1)
    begins = np.maximum.accumulate(np.where(follows, 0, np.arange(len(series))))
    first = np.flatnonzero((np.arange(len(series)) - begins) % length == 0)
    last = np.append(first[1:], len(series)) - 1
    places = np.minimum(first[:, None] + np.arange(length), last[:, None])
    steps = windows.context + windows.stride // 2 + length - 1
    size = _at_once(steps + length * windows.horizon)
    for start in range(0, len(places), size):
        part = places[start : start + size]
        yield part, windows.batch(series[part[:, 0]], origins[part], steps)


def each(work: Callable[[T], None], tasks: Iterator[T], count: int) -> None:
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


def threads() -> int:
    """Cores to forecast with: those of this process, or fewer where OMP_NUM_THREADS says so, as in a worker."""
    here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return min(here, int(asked)) if asked.isdigit() and int(asked) else here


def quantiles(network: Frozen, batch: Batch, base: Floats, levels: Sequence[float]) -> Floats:
    """Quantiles of a batch as transformed, float64 [B, P, H, Q]; of a point loss the point at every level."""
    if not runs_here(network):
        from lstmcast.network.torch_network import quantiles_in_torch  # a second and 200 MB, which most runs can spare

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
    first = int(batch.at.min())
    states = encode(shape, weights, batch.x, first)
    origin = states[batch.at - first, :, np.arange(len(batch.at))[:, None]]
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
