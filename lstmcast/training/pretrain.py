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
LONGEST_HORIZON_FACTOR = 2
"""Horizons are drawn up to so many times the usual one of their kind.

The usual ones are those of forecasting competitions (M1, M3, M4, tourism), among others. The
network should not be made for these: any horizon from one step on may come.
"""


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
        number = rng.choice(len(SERIES_KINDS), p=self.weights)
        self._kind = int(number)
        kind = SERIES_KINDS[self._kind]
        batch = None
        # A series may turn out too short for a window of its horizon.
        while batch is None:
            batch = draw_batch(rng, kind, batch_size, origins)
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
    candidates = torch.from_numpy(batch.blend)
    target = torch.from_numpy(batch.target)
    mean = candidates.mean(-1, keepdim=True)
    every_level = (*mean.shape[:-1], len(NETWORK_QUANTILES))
    quantiles = mean.expand(every_level)
    return float(pinball_loss(quantiles, target))


def draw_batch(
    rng: np.random.Generator, kind: SeriesKind, series: int, origins: int
) -> Batch | None:
    """Draw a batch of fresh series of a kind, or None if they are too short for a window."""
    seasons = kind.seasons
    length = _draw_length(rng, kind)
    horizon = draw_horizon(rng, kind, length)
    values = make_series(rng, series, length, seasons).ravel()
    offsets = np.arange(series + 1) * length
    scaler = fit_scaler(values, offsets)
    steps = compute_step_arrays(values, offsets, seasons, scaler)
    # As in a fit: the usual context, and a stride of twice that, within the series.
    usual = default_context(seasons, horizon)
    context = min(usual, length)
    stride = min(2 * context, length)
    windows = Windows(steps, horizon, context, stride)
    sampler = WindowSampler.over(windows, windows.lengths)
    if sampler is None:
        return None
    return sampler.draw(rng, series, origins)


def draw_horizon(rng: np.random.Generator, kind: SeriesKind, length: int) -> int:
    """Draw a horizon that is uniform in its logarithm, and at most half of the series."""
    longest = min(LONGEST_HORIZON_FACTOR * kind.horizon, length // 2)
    # Half a step on both sides, so that the ends are as likely as what lies between them.
    low = np.log(0.5)
    high = np.log(longest + 0.5)
    log_horizon = rng.uniform(low, high)
    horizon = round(float(np.exp(log_horizon)))
    return min(max(horizon, 1), longest)


def _draw_length(rng: np.random.Generator, kind: SeriesKind) -> int:
    """Draw a length that is uniform in its logarithm: short series are as frequent as long ones."""
    low = np.log(kind.shortest)
    high = np.log(kind.longest)
    log_length = rng.uniform(low, high)
    length = np.exp(log_length)
    return round(float(length))


def one_cycle_pace(schedule: Schedule, step: int, steps: int) -> StepPace:
    """Return the pace of a step of one cycle, as torch's OneCycleLR has it (Smith & Topin 2018).

    The learning rate rises and falls along a cosine, while the momentum falls and rises.
    """
    done = step - 1
    peak = max(RISE_SHARE * steps - 1, 0.0)
    highest_lr = schedule.lr
    if done <= peak:
        # In a very short pretraining there is no rise, and it begins at the peak.
        share = done / peak if peak else 1.0
        first_lr = highest_lr * FIRST_LR_SHARE
        lr = _anneal(first_lr, highest_lr, share)
        momentum = _anneal(HIGH_MOMENTUM, LOW_MOMENTUM, share)
        return StepPace(lr, momentum)
    last = steps - 1
    share = (done - peak) / (last - peak)
    last_lr = highest_lr * LAST_LR_SHARE
    lr = _anneal(highest_lr, last_lr, share)
    momentum = _anneal(LOW_MOMENTUM, HIGH_MOMENTUM, share)
    return StepPace(lr, momentum)


def _anneal(start: float, end: float, share: float) -> float:
    """Go from one number to another along half a cosine."""
    angle = math.pi * share
    half_way = (start - end) / 2
    return end + half_way * (math.cos(angle) + 1)


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
        progress = f"loss {event.loss:.4f} {seconds:.0f} s"
        print(step, progress, flush=True)

    torch.set_num_threads(1)
    network, trained = pretrain_network(
        options.steps,
        hidden=options.hidden,
        lr=options.lr,
        seed=options.seed,
        on_event=print_progress,
    )
    options.out.mkdir(parents=True, exist_ok=True)
    _save_weights(network, options.out / "weights.safetensors")
    _save_history(trained, options.out / "history.json")


def _save_weights(network: TorchNetwork, path: Path) -> None:
    """Write the weights of a network, each a contiguous array."""
    weights = {}
    for name, value in network.state_dict().items():
        weights[name] = value.contiguous()
    save_file(weights, path)


def _save_history(trained: TrainingResult, path: Path) -> None:
    """Write the losses of a pretraining as JSON."""
    history = []
    for record in trained.history:
        # Before the first step there is no loss, and JSON has no NaN.
        if record.step:
            entry = {
                "step": record.step,
                "seconds": record.seconds,
                "loss": record.loss,
            }
            history.append(entry)
    path.write_text(json.dumps(history), encoding="utf-8")


if __name__ == "__main__":
    main()
