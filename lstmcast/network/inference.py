"""Forecasts of trained networks: in numpy wherever it can do the same, so that torch is not loaded.

Knows how networks are read, not how they are trained.

Axes: M networks, K windows, B chunks, P origins per chunk, L context, H horizon, Q quantiles, A
candidates, J local features, O outputs of a loss, D hidden size.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import TypeVar

import numpy as np
from threadpoolctl import threadpool_limits

from lstmcast.compute.system import count_usable_cores
from lstmcast.config import NETWORK_QUANTILES
from lstmcast.extras import require_torch
from lstmcast.features.candidates import CANDIDATES
from lstmcast.features.scaler import inverse_transform
from lstmcast.features.windows import Batch, Windows
from lstmcast.network.numpy_layers import encode_chunks
from lstmcast.network.trained import TrainedNetwork
from lstmcast.ragged import Floats, Ints, Singles

T = TypeVar("T")

_MAX_WINDOWS_PER_BATCH = 512
_MAX_STEPS_PER_BATCH = 100_000
"""Most windows that are read at once, and most steps of theirs, behind and ahead.

So memory does not grow with context or horizon."""


def forecast_windows(
    networks: Sequence[TrainedNetwork],
    windows: Windows,
    series: Ints,
    origins: Ints,
    levels: Sequence[float] = NETWORK_QUANTILES,
    spread: Floats | None = None,
    strip: int = 1,
    phases: Ints | None = None,
) -> tuple[Floats, Floats]:
    """Forecast windows by each network and by the classical candidates, in the user's units.

    Args:
        networks: M networks of one loss.
        windows: what they read.
        series: number of the series of each window, [K].
        origins: index in its series of the last step that each window may know, [K].
        levels: levels of the quantiles; other than NETWORK_QUANTILES only for losses that are the
            likelihood of a distribution.
        spread: quantiles of the errors of point forecasts, in scales, [M, 1 or K, H, Q]; added to
            the points.
        strip: most windows that are read as one, see `iter_strips`.
        phases: places of the origins on the time axis [K], as there.

    Returns:
        Sorted quantiles [M, K, H, Q] and candidates [K, H, A].
    """
    n_networks = len(networks)
    n_windows = len(series)
    n_levels = len(levels)
    n_candidates = len(CANDIDATES)
    horizon = windows.horizon
    members = np.empty((n_networks, n_windows, horizon, n_levels))
    candidates = np.empty((n_windows, horizon, n_candidates))
    state = windows.steps.state

    def forecast_batch(task: tuple[Ints, Batch]) -> None:
        """Fill in the forecasts of some windows, [B, P] of them."""
        part, batch = task
        of_series = series[part]
        effect = windows.effect(of_series, origins[part])
        base = batch.base + effect
        scale = batch.scale[..., None]
        owner = of_series[..., None, None]  # the series whose transform is undone
        for m, network in enumerate(networks):
            z = predict_batch_quantiles(network, batch, base, levels)
            if spread is not None:
                errors = spread[m]
                if len(errors) > 1:  # else they are the same for all windows
                    errors = errors[part]
                z = z + errors * scale
            members[m, part] = inverse_transform(z, owner, state)

        # The candidates stand in the batch relative to the base, in scales.
        relative = batch.blend.astype(np.float64)
        z = base[..., None] + relative * scale
        candidates[part] = inverse_transform(z, owner, state)

    tasks = iter_strips(windows, series, origins, strip, phases)
    in_numpy = all(map(can_run_in_numpy, networks))
    threads = count_threads() if in_numpy else 1

    # Each product on one thread: sums come out in one order, and two are slower on products this
    # small.
    with threadpool_limits(1, "blas"):
        run_in_threads(forecast_batch, tasks, threads)

    if networks[0].interval == "none":
        # Of a target of 0 and 1 they are probabilities.
        candidates.clip(0, 1, out=candidates)

    return members, candidates


def iter_batches(
    windows: Windows, series: Ints, origins: Ints
) -> Iterator[tuple[slice, Batch]]:
    """Iterate over windows as validation and prediction read them, a batch at a time.

    Yields which of the windows [K] a batch holds, and the batch.
    """
    steps = _chunk_steps(windows)
    size = _windows_per_batch(steps + windows.horizon)
    for start in range(0, len(series), size):
        end = min(start + size, len(series))
        part = slice(start, end)
        # Every chunk has one origin, [B, 1].
        last = origins[part]
        batch = windows.batch(series[part], last[:, None], steps)
        yield part, batch


def iter_strips(
    windows: Windows,
    series: Ints,
    origins: Ints,
    length: int,
    phases: Ints | None = None,
) -> Iterator[tuple[Ints, Batch]]:
    """Iterate over windows as `iter_batches` does, with up to `length` neighbours read as one.

    The context of a strip, of windows whose origins follow each other, is encoded once for all of
    them, and is longer for the later ones: much faster, and no less accurate, though not the same.
    phases: [K], places of the origins on the time axis; strips begin at multiples of `length`
    there, so that a forecast is the same whatever windows are asked for beside it. Yields which
    windows a batch holds, [B, P], a strip a row, and the batch. A strip that is shorter repeats its
    last window.
    """
    if phases is None:
        phases = origins
    places = phases % length
    strips = _group_strips(series, origins, places)

    # A strip that ends early is read from where it would have been read when whole.
    last_places = places[strips[:, -1]]
    for last_place in np.unique(last_places).tolist():
        alike = strips[last_places == last_place]
        steps = _chunk_steps(windows) + last_place
        size = _windows_per_batch(steps + alike.shape[1] * windows.horizon)
        for start in range(0, len(alike), size):
            part = alike[start : start + size]
            # All windows of a strip are of one series.
            first = part[:, 0]
            batch = windows.batch(series[first], origins[part], steps)
            yield part, batch


def _group_strips(series: Ints, origins: Ints, places: Ints) -> Ints:
    """Group windows whose origins follow each other into strips, one a row.

    A strip ends before a window whose place in its strip, of `places` [K], is 0.
    """
    same_series = np.diff(series, prepend=-1) == 0
    next_origin = np.diff(origins, prepend=-2) == 1
    follows = same_series & next_origin

    # A strip ends where the next one begins, and repeats its last window where it is short.
    begins = ~follows | (places == 0)
    first = np.flatnonzero(begins)
    end = np.append(first[1:], len(series))
    last = end - 1
    longest = int((end - first).max(initial=0))
    strips = first[:, None] + np.arange(longest)

    return np.asarray(np.minimum(strips, last[:, None]))


def _chunk_steps(windows: Windows) -> int:
    """Return how many steps up to an origin are read."""
    return windows.context + windows.lead


def _windows_per_batch(steps: int) -> int:
    """Return how many windows of so many steps, behind and ahead, are read together."""
    by_steps = _MAX_STEPS_PER_BATCH // steps
    count = min(_MAX_WINDOWS_PER_BATCH, by_steps)
    return max(1, count)


def run_in_threads(work: Callable[[T], None], tasks: Iterator[T], count: int) -> None:
    """Do the work for every task, `count` at a time; tasks are created only when one is free."""
    if count == 1:
        for task in tasks:
            work(task)
        return

    lock = Lock()

    def work_off_tasks() -> None:
        while True:
            with lock:  # an iterator is not safe to share
                task = next(tasks, None)
            if task is None:
                return
            work(task)

    with ThreadPoolExecutor(count) as pool:
        workers = [pool.submit(work_off_tasks) for _ in range(count)]
        for worker in workers:
            worker.result()


def count_threads() -> int:
    """Count the cores to forecast with: those of this process, or fewer by OMP_NUM_THREADS.

    That is how workers are told to use one each.
    """
    cores = count_usable_cores()
    limit = os.environ.get("OMP_NUM_THREADS", "")
    if limit.isdigit() and int(limit):
        cores = min(cores, int(limit))

    return cores


def predict_batch_quantiles(
    network: TrainedNetwork, batch: Batch, base: Floats, levels: Sequence[float]
) -> Floats:
    """Predict quantiles of a batch as transformed, float64 [B, P, H, Q], above `base` [B, P, H].

    Of a point loss the point stands at every level.
    """
    if not can_run_in_numpy(network):
        require_torch("the network of this run needs")
        # Takes a second and 200 MB, which most runs do without.
        from lstmcast.network.torch_network import predict_quantiles_in_torch

        return predict_quantiles_in_torch(network, batch, base, levels)

    outputs = compute_outputs(network, batch)
    # Nothing keeps the outputs of a network in order.
    ordered = np.sort(outputs.astype(np.float64), -1)
    scale = batch.scale[..., None]
    z = base[..., None] + ordered * scale
    if network.interval == "own":
        return z

    # The point stands at every level, without a copy.
    size = (*base.shape, len(levels))
    return np.broadcast_to(z, size)


def can_run_in_numpy(network: TrainedNetwork) -> bool:
    """Whether numpy forecasts with a network.

    It does with all cells and depths, read one way, of losses that are no distribution.
    """
    shape = network.shape
    needs_torch = shape.bidirectional or shape.attention
    return network.interval in ("own", "residuals") and not needs_torch


def compute_outputs(network: TrainedNetwork, batch: Batch) -> Singles:
    """Compute what `TorchNetwork` puts out for a batch, [B, P, H, O]; see `can_run_in_numpy`."""
    weights = network.weights
    # Only the states from the earliest origin on are kept, [T, D, B].
    first = int(batch.at.min())
    states = encode_chunks(network.shape, weights, batch.x, first)
    step = batch.at - first
    chunk = np.arange(len(step))
    at_origins = states[step, :, chunk[:, None]]  # (B, P, D)

    # The decoder, once for every horizon step.
    state = _apply_linear(weights, "state", at_origins)
    local = _apply_linear(weights, "local", batch.local)
    hidden = state[:, :, None] + local
    for name in ("head.1", "head.4"):
        np.maximum(hidden, 0, out=hidden)
        if name == "head.4" and network.shape.neighbours:
            hidden = _add_neighbours(hidden, weights["neighbours.weight"])
        hidden = _apply_linear(weights, name, hidden)

    # Its outputs are a correction, and the logits of a softmax over the candidates.
    n_outputs = network.shape.outputs
    correction = hidden[..., :n_outputs]
    logits = hidden[..., n_outputs:]
    mixed = _softmax_mean(logits, batch.blend)
    return np.asarray(correction + mixed)


def _add_neighbours(hidden: Singles, kernel: Singles) -> Singles:
    """Add to each horizon step what the kernel [D, 1, K] makes of those beside it, [..., H, D]."""
    *_, horizon, _ = hidden.shape
    width = kernel.shape[-1]
    out = hidden.copy()
    for place in range(width):
        offset = place - width // 2
        if abs(offset) >= horizon:
            continue
        weight = kernel[:, 0, place]
        source = slice(max(offset, 0), horizon + min(offset, 0))
        target = slice(max(-offset, 0), horizon + min(-offset, 0))
        out[..., target, :] += weight * hidden[..., source, :]
    return out


def _softmax_mean(logits: Singles, values: Singles) -> Singles:
    """Return the mean of the values on the last axis, by the softmax of the logits, [..., 1]."""
    # The largest is taken away so that no exponential overflows.
    largest = logits.max(-1, keepdims=True)
    weights = np.exp(logits - largest)

    total = weights.sum(-1, keepdims=True)
    weighted = weights * values
    return np.asarray(weighted.sum(-1, keepdims=True) / total)


def _apply_linear(weights: Mapping[str, Singles], name: str, x: Singles) -> Singles:
    """Apply a linear layer to the last axis."""
    weight = weights[f"{name}.weight"]
    *leading, n_inputs = x.shape
    rows = x.reshape(-1, n_inputs)  # one large product is faster than many small ones
    out: Singles = rows @ weight.T
    out += weights[f"{name}.bias"]

    return out.reshape(*leading, -1)
