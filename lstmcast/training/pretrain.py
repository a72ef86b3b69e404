"""Pretraining of the shipped weights: `python -m lstmcast.training.pretrain --out DIR`.

Fresh synthetic series, one network for every frequency and horizon. Everything derives from the
seed; no real data is read. It keeps its state in the folder as it goes, and the same command goes
on from there. Under `torchrun --nproc-per-node N` every process draws batches of its own, and all
take each step together.
"""

import argparse
import json
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from safetensors import safe_open
from safetensors.numpy import load_file
from safetensors.torch import save_file

from lstmcast.compute.progress import Event, OnEvent
from lstmcast.compute.ranks import current_rank_group, join_rank_group
from lstmcast.config import NETWORK_QUANTILES
from lstmcast.features.candidates import CANDIDATES, N_LOCAL_FEATURES
from lstmcast.features.scaler import fit_scaler
from lstmcast.features.steps import N_STEP_FEATURES, Seasons, compute_step_arrays
from lstmcast.features.windows import Batch, Windows, default_context
from lstmcast.network.generations import infer_shape, upgrade_network
from lstmcast.network.losses import pinball_loss
from lstmcast.network.torch_network import TorchNetwork
from lstmcast.network.trained import NetworkShape
from lstmcast.training.loop import (
    TrainingResult,
    TrainingState,
    train_network,
)
from lstmcast.training.sampler import WindowSampler
from lstmcast.training.schedule import Schedule, StepPace
from lstmcast.training.synthetic import make_series

WARM_UP_SHARE = 0.03
"""Share of the pretraining in which the learning rate rises."""
DECAY_SHARE = 0.35
"""Share of the pretraining, its end, in which the learning rate falls to nothing."""
MOMENTUM = 0.9
LONG_SERIES = 500
"""Series of more steps than this give several batches: to make them takes as long as to learn."""
MAX_BATCHES_OF_SERIES = 4
SECONDS_BETWEEN_STATES = 300.0
STATE_FILE = "state.safetensors"
LONGEST_HORIZON_FACTOR = 2
"""Horizons are drawn up to so many times the usual one of their kind.

The usual ones are those of forecasting competitions (M1, M3, M4, tourism), among others. The
network should not be made for these: any horizon from one step on may come.
"""


class SeriesKind(NamedTuple):
    """A kind of series: seasons, usual horizon, range of lengths, share of the training steps.

    seasons: None where those are drawn, see `draw_seasons`.
    """

    seasons: Seasons | None
    horizon: int
    shortest: int
    longest: int
    share: float


SERIES_KINDS = (
    # Years, and whatever has no season.
    SeriesKind(Seasons(1, 0), 6, 8, 50, 2.5),
    SeriesKind(Seasons(1, 0), 12, 20, 400, 1.0),
    SeriesKind(Seasons(1, 0), 30, 80, 2000, 0.5),
    # Quarters and months.
    SeriesKind(Seasons(4, 0), 8, 9, 140, 2.0),
    SeriesKind(Seasons(12, 0), 18, 18, 330, 3.0),
    SeriesKind(Seasons(12, 0), 24, 40, 800, 1.0),
    # Weeks, with a year.
    SeriesKind(Seasons(1, 52), 13, 60, 1500, 0.9),
    SeriesKind(Seasons(52, 0), 26, 110, 600, 0.4),
    # Days, with a week and a year; and the five days of a market.
    SeriesKind(Seasons(7, 0), 14, 20, 500, 0.6),
    SeriesKind(Seasons(7, 0), 28, 60, 1000, 0.4),
    SeriesKind(Seasons(7, 365), 28, 380, 3000, 0.9),
    SeriesKind(Seasons(1, 365), 28, 380, 3000, 0.3),
    SeriesKind(Seasons(5, 260), 10, 60, 1500, 0.3),
    # Hours and parts of an hour, with a day, a week and a year.
    SeriesKind(Seasons(24, 0), 24, 50, 600, 0.3),
    SeriesKind(Seasons(24, 168), 48, 120, 2000, 1.2),
    SeriesKind(Seasons(24, 168), 168, 600, 8000, 0.5),
    SeriesKind(Seasons(24, 168, 8766), 168, 9000, 20000, 0.2),
    SeriesKind(Seasons(48, 336), 48, 340, 3000, 0.4),
    SeriesKind(Seasons(96, 672), 96, 700, 5000, 0.2),
    SeriesKind(Seasons(288, 2016), 144, 900, 6000, 0.15),
    # Seasons that no calendar has.
    SeriesKind(None, 48, 40, 4000, 0.9),
)
MAX_CONTEXT = 128
"""Most steps of a context: what is longer ago is left to the patterns, which remember it."""
NEW_CANDIDATE_LOGIT = -2.0
"""Where the logits of candidates that earlier weights do not know start: a small share each."""
NEIGHBOURS = 5
"""Steps of the horizon that the decoder sees at once."""
MAX_DRAWN_SEASON = 400
LEAST_CYCLES = 2
"""Cycles of a drawn main season that its series have at least."""


def draw_seasons(rng: np.random.Generator) -> Seasons:
    """Draw seasons that no calendar has: a main one, and in half of all a second of some cycles."""
    log_season = rng.uniform(np.log(2), np.log(MAX_DRAWN_SEASON))
    main = round(float(np.exp(log_season)))
    cycles = int(rng.integers(3, 11))
    has_second = rng.random() < 0.5
    return Seasons(main, main * cycles if has_second else 0)


class SyntheticSampler:
    """Draws every batch from fresh series of one kind, and the kinds by their shares.

    The loss of a kind is divided by that of the mean of the candidates there, so that no kind
    dominates: by a moving average of it, since single batches differ. All ranks draw the same kind,
    and each draws series of its own.
    """

    def __init__(self) -> None:
        shares = np.array([kind.share for kind in SERIES_KINDS])
        self.weights = shares / shares.sum()
        self.candidate_loss: dict[int, float] = {}
        """Moving average of the loss of the mean of the candidates, by the number of a kind."""
        self._kind = 0
        self._left: dict[int, list[WindowSampler]] = {}
        """Samplers over long series that were not drawn from often enough yet, by kind."""

    def draw(self, rng: np.random.Generator, batch_size: int, origins: int) -> Batch:
        """Draw `batch_size` chunks of fresh series with `origins` origins each."""
        number = rng.choice(len(SERIES_KINDS), p=self.weights)
        self._kind = int(number)
        # The generator that all ranks share moves on by one number, whatever a rank makes of it.
        seeds = rng.integers(2**32, size=2).tolist()
        own = np.random.default_rng([*seeds, current_rank_group().rank])
        sampler = self._take_sampler(own, batch_size)
        series, at = sampler.draw_places(own, batch_size, origins)
        windows = sampler.windows
        return windows.batch(series, at, windows.chunk, sampler.ends)

    def _take_sampler(self, rng: np.random.Generator, n_series: int) -> WindowSampler:
        """Return a sampler over fresh series, or over long ones that were drawn from before."""
        left = self._left.setdefault(self._kind, [])
        if left:
            return left.pop()

        sampler = None
        # A series may turn out too short for a window of its horizon.
        while sampler is None:
            sampler = draw_sampler(rng, SERIES_KINDS[self._kind], n_series)
        longest = int(sampler.windows.lengths.max())
        uses = min(1 + longest // LONG_SERIES, MAX_BATCHES_OF_SERIES)
        left.extend([sampler] * (uses - 1))
        return sampler

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


def draw_sampler(
    rng: np.random.Generator, kind: SeriesKind, series: int
) -> WindowSampler | None:
    """Draw fresh series of a kind to draw windows from; None if they are too short for one."""
    seasons = kind.seasons
    if seasons is None:
        seasons = draw_seasons(rng)
        shortest = max(kind.shortest, LEAST_CYCLES * seasons.main)
        kind = kind._replace(shortest=shortest)
    length = _draw_length(rng, kind)
    horizon = draw_horizon(rng, kind, length)
    values = make_series(rng, series, length, seasons).ravel()
    offsets = np.arange(series + 1) * length
    scaler = fit_scaler(values, offsets)
    steps = compute_step_arrays(values, offsets, seasons, scaler)
    # The usual context, and as many steps again to draw origins from, within the series.
    usual = default_context(seasons, horizon)
    context = min(usual, MAX_CONTEXT, length)
    windows = Windows(steps, horizon, context, stride=context)
    return WindowSampler.over(windows, windows.lengths)


def draw_horizon(rng: np.random.Generator, kind: SeriesKind, length: int) -> int:
    """Draw a horizon, at most half of the series.

    One half of them is uniform, the other in its logarithm: few steps ahead are asked for as often
    as many, and the usual horizons get their practice.
    """
    longest = min(LONGEST_HORIZON_FACTOR * kind.horizon, length // 2)
    if longest > 1 and rng.random() < 0.5:
        return int(rng.integers(1, longest + 1))
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


def flat_pace(schedule: Schedule, step: int, steps: int) -> StepPace:
    """Return the pace of a step: a short rise, a long flat rate, and a fall to nothing.

    Unlike one cycle, the end can be put off while the rate is flat (Hu et al. 2024).
    """
    risen = step / max(WARM_UP_SHARE * steps, 1.0)
    left = (steps - step + 1) / max(DECAY_SHARE * steps, 1.0)
    # Along half a cosine, whose end is the gentlest.
    falling = (1 - math.cos(math.pi * min(left, 1.0))) / 2
    return StepPace(schedule.lr * min(risen, 1.0) * falling, MOMENTUM)


class FolderStore:
    """Keeps the state of a pretraining in its folder, and goes on from there.

    With each state goes what the sampler knows of its kinds. Series that were left to draw from are
    not kept: the first steps after a restart make new ones. Only the first rank writes.
    """

    def __init__(self, folder: Path, sampler: SyntheticSampler) -> None:
        self.path = folder / STATE_FILE
        self.sampler = sampler
        self._kept = time.monotonic()

    def restore(self) -> TrainingState | None:
        """Return the state that was kept last, None where there is none."""
        if not self.path.exists():
            return None
        tensors = {}
        with safe_open(self.path, "pt") as file:
            facts: dict[str, Any] = json.loads(file.metadata()["facts"])
            for name in file.keys():  # noqa: SIM118 - this is no dictionary
                tensors[name] = file.get_tensor(name)
        losses = facts.pop("candidate_loss")
        self.sampler.candidate_loss = {int(kind): loss for kind, loss in losses.items()}
        return TrainingState(tensors, facts)

    def is_due(self) -> bool:
        """Whether the last state is old enough for a new one."""
        return time.monotonic() - self._kept >= SECONDS_BETWEEN_STATES

    def keep(self, state: TrainingState) -> None:
        """Write the state beside the old one, and put it in its place."""
        self._kept = time.monotonic()
        if not current_rank_group().first:
            return
        facts = state.facts | {"candidate_loss": self.sampler.candidate_loss}
        fresh = self.path.with_suffix(".new")
        _save_tensors(state.tensors, fresh, {"facts": json.dumps(facts)})
        fresh.replace(self.path)


def load_earlier_weights(network: TorchNetwork, path: Path) -> None:
    """Give a network the weights of an earlier pretraining, of any generation.

    Inputs that those do not know start without effect, candidates with a small share. Raises
    OSError, KeyError or ValueError where the file holds no weights of such a network, or of another
    width or depth.
    """
    earlier = load_file(path)
    upgraded = upgrade_network(infer_shape(earlier), earlier).weights
    own = network.state_dict()
    for name, value in upgraded.items():
        if name not in own or own[name].shape != value.shape:
            raise ValueError(f"{path} holds no weights of this network: {name}")
        own[name] = torch.tensor(value)

    n_new = len(CANDIDATES) + len(NETWORK_QUANTILES) - len(earlier["head.4.bias"])
    if n_new:
        own["head.4.bias"][-n_new:] = NEW_CANDIDATE_LOGIT
    network.load_state_dict(own)


def pretrain_network(
    steps: int,
    *,
    hidden: int = 128,
    layers: int = 2,
    lr: float = 2e-3,
    series: int = 40,
    origins: int = 8,
    seed: int = 0,
    log_every: int = 500,
    on_event: OnEvent | None = None,
    folder: Path | None = None,
    start: Path | None = None,
) -> tuple[TorchNetwork, TrainingResult]:
    """Train a network without a validation: no batch is ever drawn twice.

    The losses of the history are shares of that of the mean of the candidates. folder: where the
    state is kept and a pretraining that was cut short goes on from. start: weights of an earlier
    pretraining to start from, see `load_earlier_weights`; without them it starts from nothing.
    """
    torch.manual_seed(seed)
    shape = NetworkShape(
        N_STEP_FEATURES,
        N_LOCAL_FEATURES,
        len(CANDIDATES),
        hidden,
        layers,
        neighbours=NEIGHBOURS,
    )
    network = TorchNetwork(shape, dropout=0.05)
    if start is not None:
        load_earlier_weights(network, start)
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
    sampler = SyntheticSampler()
    store = None if folder is None else FolderStore(folder, sampler)
    trained = train_network(
        network, sampler, schedule, on_event=on_event, store=store, pace=flat_pace
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
    parser.add_argument(
        "--start", type=Path, help="weights of an earlier pretraining to start from"
    )
    parser.add_argument("--steps", type=int, default=120_000)
    parser.add_argument("--hidden", type=int, default=128)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--series", type=int, default=40, help="series of a batch")
    parser.add_argument("--origins", type=int, default=8, help="origins of a series")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()

    def print_progress(event: Event) -> None:
        if not event.step or not current_rank_group().first:
            return
        seconds = time.monotonic() - began
        step = f"step {event.step}/{event.total}"
        progress = f"loss {event.loss:.4f} {seconds:.0f} s"
        print(step, progress, flush=True)

    torch.set_num_threads(1)
    with join_rank_group("cpu") as group:
        network, trained = pretrain_network(
            options.steps,
            hidden=options.hidden,
            layers=options.layers,
            lr=options.lr,
            series=options.series,
            origins=options.origins,
            seed=options.seed,
            on_event=print_progress,
            folder=options.out,
            start=options.start,
        )
        if group.first:
            _save_tensors(network.state_dict(), options.out / "weights.safetensors")
            _save_history(trained, options.out / "history.json")


def _save_tensors(
    tensors: Mapping[str, torch.Tensor],
    path: Path,
    facts: dict[str, str] | None = None,
) -> None:
    """Write tensors, each laid out in memory as the file wants it."""
    contiguous = {name: tensor.contiguous() for name, tensor in tensors.items()}
    save_file(contiguous, path, facts)


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
