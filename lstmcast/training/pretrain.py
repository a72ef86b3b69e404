"""Pretraining of the shipped weights: `python -m lstmcast.training.pretrain --out DIR`.

Fresh synthetic series at every step, one network for every frequency and horizon. Everything
derives from the seed; no real data is read.
"""

import argparse
import json
import math
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from safetensors.torch import save_file

from lstmcast.compute.progress import Event, OnEvent
from lstmcast.config import NETWORK_QUANTILES
from lstmcast.features.candidates import CANDIDATES, N_LOCAL_FEATURES
from lstmcast.features.scaler import fit_scaler
from lstmcast.features.steps import N_STEP_FEATURES, Seasons, compute_step_arrays
from lstmcast.features.windows import Batch, Windows, default_context
from lstmcast.network.losses import pinball_loss
from lstmcast.network.torch_network import TorchNetwork
from lstmcast.network.trained import NetworkShape
from lstmcast.training.loop import TrainingResult, train_network
from lstmcast.training.sampler import WindowSampler
from lstmcast.training.schedule import Schedule, StepPace
from lstmcast.training.synthetic import make_series

RISE_SHARE = 0.05
"""Share of the pretraining in which the learning rate rises."""
FIRST_LR_SHARE = 1 / 25
"""The first learning rate, as a share of the highest."""
LAST_LR_SHARE = FIRST_LR_SHARE / 1e4
HIGH_MOMENTUM, LOW_MOMENTUM = 0.95, 0.85
"""Momentum at the ends of the pretraining, and where the learning rate is highest."""
USUAL_HORIZON_SHARE = 0.6
"""Share of the batches with the usual horizon of their kind; the others have a shorter one."""


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


class SyntheticSampler:
    """Draws every batch from fresh series of one kind, and the kinds by their shares.

    The loss of a kind is divided by that of the mean of the candidates there, so that no kind
    dominates: by a moving average of it, since single batches differ.
    """

    def __init__(self) -> None:
        shares = np.array([kind.share for kind in SERIES_KINDS])
        self.weights = shares / shares.sum()
        self.candidate_loss: dict[int, float] = {}
        """Moving average of the loss of the mean of the candidates, by the number of a kind."""
        self._kind = 0

    def draw(self, rng: np.random.Generator, batch_size: int, origins: int) -> Batch:
        """Draw `batch_size` chunks of fresh series with `origins` origins each."""
        self._kind = int(rng.choice(len(SERIES_KINDS), p=self.weights))
        batch = None
        # A series may turn out too short for a window of its horizon.
        while batch is None:
            batch = draw_batch(rng, SERIES_KINDS[self._kind], batch_size, origins)
        return batch

    def loss_unit(self, batch: Batch) -> float:
        """Return the loss of the mean of the candidates on batches of this kind, so far.

        The batch is the one that was drawn last; from now on it counts too.
        """
        loss = candidate_mean_loss(batch)
        average = self.candidate_loss.get(self._kind)
        if average is not None:
            loss = 0.98 * average + 0.02 * loss
        self.candidate_loss[self._kind] = loss
        return loss


def candidate_mean_loss(batch: Batch) -> float:
    """Return the pinball loss of the mean of the classical candidates, the same at every level."""
    mean = torch.from_numpy(batch.blend).mean(-1, keepdim=True)
    quantiles = mean.expand(*mean.shape[:-1], len(NETWORK_QUANTILES))
    return float(pinball_loss(quantiles, torch.from_numpy(batch.target)))


def draw_batch(
    rng: np.random.Generator, kind: SeriesKind, series: int, origins: int
) -> Batch | None:
    """Draw a batch of fresh series of a kind, or None if they are too short for a window."""
    # Lengths are uniform in their logarithm: short series are as frequent as long ones.
    low, high = np.log(kind.shortest), np.log(kind.longest)
    log_length = rng.uniform(low, high)
    length = round(float(np.exp(log_length)))
    horizon = kind.horizon
    if rng.random() >= USUAL_HORIZON_SHARE:
        horizon = int(rng.integers(1, kind.horizon + 1))
    values = make_series(rng, series, length, kind.seasons).ravel()
    offsets = np.arange(series + 1) * length
    scaler = fit_scaler(values, offsets)
    steps = compute_step_arrays(values, offsets, kind.seasons, scaler)
    context = min(default_context(kind.seasons, horizon), length)
    windows = Windows(steps, horizon, context, min(2 * context, length))
    sampler = WindowSampler.over(windows, windows.lengths)
    return None if sampler is None else sampler.draw(rng, series, origins)


def one_cycle_pace(schedule: Schedule, step: int, steps: int) -> StepPace:
    """Return the pace of a step of one cycle, as torch's OneCycleLR has it (Smith & Topin 2018).

    The learning rate rises and falls along a cosine, while the momentum falls and rises.
    """
    done = step - 1
    peak = max(RISE_SHARE * steps - 1, 0.0)
    first, last = schedule.lr * FIRST_LR_SHARE, schedule.lr * LAST_LR_SHARE
    # In a very short pretraining there is no rise, and it begins at the peak.
    if done <= peak:
        share = done / peak if peak else 1.0
        lr = _anneal(first, schedule.lr, share)
        return StepPace(lr, _anneal(HIGH_MOMENTUM, LOW_MOMENTUM, share))
    share = (done - peak) / (steps - 1 - peak)
    lr = _anneal(schedule.lr, last, share)
    return StepPace(lr, _anneal(LOW_MOMENTUM, HIGH_MOMENTUM, share))


def _anneal(start: float, end: float, share: float) -> float:
    """Go from one number to another along half a cosine."""
    return end + (start - end) / 2 * (math.cos(math.pi * share) + 1)


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
    on_event: OnEvent | None = None,
) -> tuple[TorchNetwork, TrainingResult]:
    """Train a network from nothing, without a validation: no batch is ever drawn twice.

    The losses of the history are shares of that of the mean of the candidates.
    """
    torch.manual_seed(seed)
    shape = NetworkShape(
        N_STEP_FEATURES, N_LOCAL_FEATURES, len(CANDIDATES), hidden, layers
    )
    network = TorchNetwork(shape, dropout=0.05)
    schedule = Schedule(
        steps,
        lr,
        batch_size=series,
        origins=origins,
        every=log_every,
        seed=seed,
        precision="float32",
        device="cpu",
        average_decay=0.0,  # the learning rate falls to nothing, which averages by itself
    )
    trained = train_network(
        network, SyntheticSampler(), schedule, on_event=on_event, pace=one_cycle_pace
    )
    return network, trained


def main() -> None:
    """Run the command line of the pretraining."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        help="folder for weights.safetensors and history.json",
    )
    parser.add_argument("--steps", type=int, default=50_000)
    parser.add_argument("--hidden", type=int, default=96)
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    began = time.monotonic()

    def print_progress(event: Event) -> None:
        if not event.step:
            return
        seconds = time.monotonic() - began
        step = f"step {event.step}/{event.total}"
        print(f"{step} loss {event.loss:.4f} {seconds:.0f} s", flush=True)

    torch.set_num_threads(1)
    network, trained = pretrain_network(
        options.steps,
        hidden=options.hidden,
        lr=options.lr,
        seed=options.seed,
        on_event=print_progress,
    )
    options.out.mkdir(parents=True, exist_ok=True)
    weights = {name: value.contiguous() for name, value in network.state_dict().items()}
    save_file(weights, options.out / "weights.safetensors")
    # Before the first step there is no loss, and JSON has no NaN.
    history = [
        {"step": record.step, "seconds": record.seconds, "loss": record.loss}
        for record in trained.history
        if record.step
    ]
    (options.out / "history.json").write_text(json.dumps(history), encoding="utf-8")


if __name__ == "__main__":
    main()
