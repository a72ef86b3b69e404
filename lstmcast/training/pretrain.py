"""Pretraining of the shipped weights on synthetic series: `python -m lstmcast.training.pretrain --out DIR`.

Fresh series at every step, one network for every frequency and horizon. Everything derives from the
seed; no real data is read.
"""

import argparse
import json
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from safetensors.torch import save_file

from lstmcast.features.candidates import CANDIDATES, N_LOCAL_FEATURES
from lstmcast.features.scaler import fit_scaler
from lstmcast.features.steps import N_STEP_FEATURES, Seasons, compute_step_arrays
from lstmcast.features.windows import Batch, Windows, default_context
from lstmcast.network.losses import pinball_loss
from lstmcast.network.torch_network import TorchNetwork, to_tensors
from lstmcast.network.trained import NetworkShape
from lstmcast.training.sampler import WindowSampler
from lstmcast.training.synthetic import make_series


class SeriesKind(NamedTuple):
    """A kind of series: seasons, usual horizon, range of lengths, share of the training steps."""

    seasons: Seasons
    horizon: int
    shortest: int
    longest: int
    share: float


SERIES_KINDS = (
    SeriesKind(Seasons(1, 0), 6, 8, 50, 2.0),
    SeriesKind(Seasons(1, 0), 12, 20, 400, 1.2),
    SeriesKind(Seasons(1, 0), 30, 80, 800, 0.4),
    SeriesKind(Seasons(4, 0), 8, 9, 140, 1.3),
    SeriesKind(Seasons(12, 0), 18, 18, 330, 2.0),
    SeriesKind(Seasons(12, 0), 24, 40, 400, 0.6),
    SeriesKind(Seasons(7, 0), 14, 20, 500, 0.6),
    SeriesKind(Seasons(7, 0), 28, 60, 700, 0.4),
    SeriesKind(Seasons(7, 365), 28, 380, 1500, 0.3),
    SeriesKind(Seasons(24, 168), 48, 120, 1200, 1.0),
    SeriesKind(Seasons(24, 0), 24, 50, 300, 0.2),
    SeriesKind(Seasons(48, 336), 48, 340, 1500, 0.25),
    SeriesKind(Seasons(1, 52), 13, 60, 1000, 0.9),
    SeriesKind(Seasons(52, 0), 26, 110, 400, 0.3),
    SeriesKind(Seasons(5, 260), 10, 60, 900, 0.3),
)


def draw_batch(
    rng: np.random.Generator, setting: SeriesKind, series: int, origins: int
) -> Batch | None:
    """One batch of fresh series of a setting, or None if they turn out too short for a window."""
    low, high = np.log(setting.shortest), np.log(setting.longest)
    length = round(float(np.exp(rng.uniform(low, high))))
    horizon = setting.horizon if rng.random() < 0.6 else int(rng.integers(1, setting.horizon + 1))
    values = make_series(rng, series, length, setting.seasons).ravel()
    offsets = np.arange(series + 1) * length
    state = fit_scaler(values, offsets)
    steps = compute_step_arrays(values, offsets, setting.seasons, state)
    context = min(default_context(setting.seasons, horizon), length)
    windows = Windows(steps, horizon, context, min(2 * context, length))
    sampler = WindowSampler.over(windows, windows.lengths)
    return None if sampler is None else sampler.draw(rng, series, origins)


def pretrain_network(
    steps: int,
    *,
    hidden: int = 96,
    layers: int = 2,
    lr: float = 3e-3,
    series: int = 40,
    origins: int = 8,
    seed: int = 0,
    log_every: int = 500,
) -> tuple[TorchNetwork, list[dict[str, float]]]:
    """Train a network from nothing; returns it with the history of its loss.

    The loss of each setting is divided by that of the mean of the candidates there, so that none
    dominates.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    shape = NetworkShape(N_STEP_FEATURES, N_LOCAL_FEATURES, len(CANDIDATES), hidden, layers)
    network = TorchNetwork(shape, dropout=0.05)
    optimizer = torch.optim.AdamW(network.parameters(), lr=lr, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, total_steps=steps, pct_start=0.05)
    shares = np.array([s.share for s in SERIES_KINDS])
    norm: dict[int, float] = {}
    history: list[dict[str, float]] = []
    running, began = 1.0, time.monotonic()
    for step in range(1, steps + 1):
        k = int(rng.choice(len(SERIES_KINDS), p=shares / shares.sum()))
        batch = None
        while batch is None:
            batch = draw_batch(rng, SERIES_KINDS[k], series, origins)
        _, _, _, blend, _ = inputs = to_tensors(batch)
        target = torch.from_numpy(batch.target)
        loss = pinball_loss(network(*inputs), target)
        plain = float(
            pinball_loss(blend.mean(-1, keepdim=True).expand(*blend.shape[:-1], 9), target)
        )
        norm[k] = plain if k not in norm else 0.98 * norm[k] + 0.02 * plain
        optimizer.zero_grad(set_to_none=True)
        (loss / norm[k]).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        running += 0.01 * (float(loss.detach()) / max(plain, 1e-9) - running)
        if step % log_every == 0 or step == steps:
            history.append({"step": step, "seconds": time.monotonic() - began, "loss": running})
            print(
                f"step {step}/{steps} loss {running:.4f} {history[-1]['seconds']:.0f} s", flush=True
            )
    return network.eval(), history


def main() -> None:
    """Command line of the pretraining."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--out", type=Path, required=True, help="folder for weights.safetensors and history.json"
    )
    parser.add_argument("--steps", type=int, default=50_000)
    parser.add_argument("--hidden", type=int, default=96)
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    network, history = pretrain_network(
        options.steps, hidden=options.hidden, lr=options.lr, seed=options.seed
    )
    options.out.mkdir(parents=True, exist_ok=True)
    weights = {name: value.contiguous() for name, value in network.state_dict().items()}
    save_file(weights, options.out / "weights.safetensors")
    (options.out / "history.json").write_text(json.dumps(history), encoding="utf-8")


if __name__ == "__main__":
    main()
