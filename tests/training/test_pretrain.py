"""A small pretraining repeats itself to the byte and learns; the weights that ship are sound."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from lstmcast.compute.progress import Event
from lstmcast.config import NETWORK_QUANTILES
from lstmcast.features.candidates import (
    CANDIDATES,
    N_FAST_CANDIDATES,
    N_LOCAL_FEATURES,
)
from lstmcast.features.steps import N_FAST_FEATURES, N_STEP_FEATURES, TARGET_CLIP
from lstmcast.features.windows import Batch
from lstmcast.network.losses import pinball_loss
from lstmcast.network.torch_network import TorchNetwork, to_tensors
from lstmcast.network.trained import NetworkShape
from lstmcast.training import initial_weights, pretrain
from lstmcast.training.loop import TrainingResult, TrainingState
from lstmcast.training.pretrain import (
    NEIGHBOURS,
    NEW_CANDIDATE_LOGIT,
    SERIES_KINDS,
    FolderStore,
    SeriesKind,
    SyntheticSampler,
    candidate_mean_loss,
    draw_horizon,
    draw_sampler,
    draw_seasons,
    flat_pace,
    load_earlier_weights,
    pretrain_network,
)
from lstmcast.training.schedule import Schedule
from tests.conftest import ROOT
from tests.training.generators.make import describe_kind

SMALL = 2_000_000
"""Bytes that the shipped weights may take."""


def draw_batch(
    rng: np.random.Generator, kind: SeriesKind, series: int, origins: int
) -> Batch | None:
    """A batch of fresh series of a kind, or None if they are too short for a window."""
    sampler = draw_sampler(rng, kind, series)
    return None if sampler is None else sampler.draw(rng, series, origins)


def shape_of(hidden: int, layers: int) -> NetworkShape:
    return NetworkShape(
        N_STEP_FEATURES,
        N_LOCAL_FEATURES,
        len(CANDIDATES),
        hidden,
        layers,
        neighbours=NEIGHBOURS,
    )


def pretrain_small(steps: int, seed: int = 0) -> tuple[TorchNetwork, TrainingResult]:
    return pretrain_network(
        steps, hidden=16, layers=1, series=6, origins=4, seed=seed, log_every=20
    )


def held_out_loss(network: TorchNetwork, batches: int = 20) -> float:
    """Mean over fresh batches of the loss as a share of that of the mean of the candidates."""
    rng = np.random.default_rng(1234)
    shares: list[float] = []
    while len(shares) < batches:
        batch = draw_batch(rng, SERIES_KINDS[len(shares) % len(SERIES_KINDS)], 8, 4)
        if batch is None:
            continue
        with torch.no_grad():
            loss = pinball_loss(
                network(*to_tensors(batch)), torch.from_numpy(batch.target)
            )
        shares.append(float(loss) / candidate_mean_loss(batch))
    return float(np.mean(shares))


def test_a_small_pretraining_repeats_itself_to_the_byte() -> None:
    (first, one), (second, two) = pretrain_small(12), pretrain_small(12)
    other, _ = pretrain_small(12, seed=1)
    for name, value in first.state_dict().items():
        assert value.numpy().tobytes() == second.state_dict()[name].numpy().tobytes(), (
            name
        )
    assert [row.loss for row in one.history[1:]] == [
        row.loss for row in two.history[1:]
    ]
    assert not torch.equal(
        first.state_dict()["state.weight"], other.state_dict()["state.weight"]
    )


def test_a_small_pretraining_forecasts_fresh_series_better_than_the_mean_of_the_candidates() -> (
    None
):
    torch.manual_seed(0)
    untrained = TorchNetwork(shape_of(16, 1))
    assert held_out_loss(untrained) == pytest.approx(1.0, abs=1e-4)
    trained, result = pretrain_small(60)
    assert held_out_loss(trained) < 0.92
    assert [row.step for row in result.history] == [0, 20, 40, 60]


def test_earlier_weights_are_started_from(tmp_path: Path) -> None:
    first, _ = pretrain_small(60)
    path = tmp_path / "weights.safetensors"
    save_file(first.state_dict(), path)
    again = TorchNetwork(first.shape)
    load_earlier_weights(again, path)
    for name, value in again.state_dict().items():
        assert torch.equal(value, first.state_dict()[name]), name
    # A step further on nothing is lost: from nothing the loss of a single step is that of the mean.
    goes_on, _ = pretrain_network(
        1, hidden=16, layers=1, series=6, origins=4, start=path
    )
    assert held_out_loss(goes_on) < 0.92

    with pytest.raises(ValueError, match="holds no weights of this network"):
        load_earlier_weights(TorchNetwork(shape_of(24, 1)), path)


def test_candidates_that_earlier_weights_do_not_know_get_a_small_share(
    tmp_path: Path,
) -> None:
    earlier = NetworkShape(N_FAST_FEATURES, 18, N_FAST_CANDIDATES, hidden=8, layers=1)
    path = tmp_path / "weights.safetensors"
    save_file(TorchNetwork(earlier).state_dict(), path)
    network = TorchNetwork(shape_of(8, 1))
    load_earlier_weights(network, path)
    logits = network.head[4].bias[len(NETWORK_QUANTILES) :]
    assert (logits[:N_FAST_CANDIDATES] == 0).all()
    assert (logits[N_FAST_CANDIDATES:] == NEW_CANDIDATE_LOGIT).all()
    assert held_out_loss(network) < 1.05


def test_the_pace_rises_shortly_stays_and_falls_to_nothing() -> None:
    schedule = Schedule(1000, lr=3e-3)
    rates = np.array([flat_pace(schedule, step, 1000).lr for step in range(1, 1001)])
    assert rates[[0, 14]] == pytest.approx([1e-4, 1.5e-3])
    assert rates[29:651] == pytest.approx(3e-3)
    falling = np.diff(rates[650:])
    assert (falling < 0).all()
    assert rates[825] == pytest.approx(1.5e-3, rel=0.01)  # half way down half a cosine
    assert 0 < rates[-1] < 1e-7
    # The end can be put off as long as it has not begun to fall.
    assert flat_pace(schedule, 500, 1000) == flat_pace(schedule, 500, 4000)
    # Of a single step there is neither rise nor fall.
    assert flat_pace(schedule, 1, 1).lr == schedule.lr


class StoppedError(Exception):
    """Raised in the middle of a pretraining."""


def test_a_pretraining_that_was_cut_short_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pretrain, "SECONDS_BETWEEN_STATES", 0.0)
    # Samplers over long series that were left are not kept: every batch from fresh ones.
    monkeypatch.setattr(pretrain, "MAX_BATCHES_OF_SERIES", 1)

    def run(folder: Path, stop_at: int = 0) -> TorchNetwork:
        def stop(event: Event) -> None:
            if event.step and event.step == stop_at:
                raise StoppedError

        network, _ = pretrain_network(
            12,
            hidden=8,
            layers=1,
            series=4,
            origins=2,
            log_every=4,
            on_event=stop,
            folder=folder,
        )
        return network

    whole, parts = tmp_path / "whole", tmp_path / "parts"
    whole.mkdir()
    parts.mkdir()
    expected = run(whole).state_dict()
    with pytest.raises(StoppedError):
        run(parts, stop_at=8)
    store = FolderStore(parts, SyntheticSampler())
    kept = store.restore()
    assert kept is not None and 4 <= kept.facts["step"] < 12
    assert store.sampler.candidate_loss
    assert not list(parts.glob("*.new"))

    network = run(parts)
    for name, value in network.state_dict().items():
        assert torch.equal(value, expected[name]), name


def test_only_an_old_enough_state_is_kept_again(tmp_path: Path) -> None:
    store = FolderStore(tmp_path, SyntheticSampler())
    assert store.restore() is None
    assert not store.is_due()
    store.keep(TrainingState({"network.w": torch.zeros(2)}, {"step": 3}))
    assert not store.is_due()
    kept = store.restore()
    assert kept is not None and kept.facts == {"step": 3}
    assert torch.equal(kept.tensors["network.w"], torch.zeros(2))


def test_drawn_seasons_are_any_up_to_the_largest_and_half_have_a_second() -> None:
    rng = np.random.default_rng(0)
    drawn = [draw_seasons(rng) for _ in range(2000)]
    mains = np.array([seasons.main for seasons in drawn])
    assert mains.min() == 2 and mains.max() >= 0.9 * pretrain.MAX_DRAWN_SEASON
    assert mains.max() <= pretrain.MAX_DRAWN_SEASON
    # Uniform in the logarithm: half of them lie below the root of both ends.
    assert np.mean(mains < np.sqrt(2 * 400)) == pytest.approx(0.5, abs=0.04)
    cycles = {seasons.second / seasons.main for seasons in drawn if seasons.second}
    assert cycles == set(range(3, 11))
    assert np.mean([seasons.second > 0 for seasons in drawn]) == pytest.approx(
        0.5, abs=0.04
    )


def test_every_kind_of_series_counts_alike_in_the_loss() -> None:
    """What a batch is divided by follows the loss of the candidates on batches of its kind."""
    sampler, rng = SyntheticSampler(), np.random.default_rng(0)
    seen: dict[int, float] = {}
    for _ in range(30):
        batch = sampler.draw(rng, 4, 2)
        before, plain = dict(sampler.candidate_loss), candidate_mean_loss(batch)
        unit = sampler.loss_unit(batch)
        (kind,) = [
            k for k, loss in sampler.candidate_loss.items() if before.get(k) != loss
        ]
        seen[kind] = 0.98 * seen[kind] + 0.02 * plain if kind in seen else plain
        assert unit == seen[kind] == sampler.candidate_loss[kind]
    assert len(seen) > 5


@pytest.mark.parametrize(
    "kind",
    SERIES_KINDS,
    ids=describe_kind,
)
def test_batches_of_every_kind_are_finite_with_targets_to_learn_from(
    kind: SeriesKind,
) -> None:
    rng = np.random.default_rng(0)
    batches = [draw_batch(rng, kind, 6, 3) for _ in range(4)]
    assert any(batch is not None for batch in batches)
    for batch in batches:
        if batch is None:
            continue
        for name in ("x", "local", "blend", "base", "scale"):
            assert np.isfinite(getattr(batch, name)).all(), name
        assert (~np.isnan(batch.target)).any()
        assert np.nanmax(np.abs(batch.target)) <= TARGET_CLIP


def test_horizons_are_drawn_widely_and_none_is_preferred() -> None:
    """The network must not be made for the horizons of competitions, which the kinds have."""
    rng = np.random.default_rng(0)
    kind = next(kind for kind in SERIES_KINDS if kind.horizon == 18)
    drawn = np.array([draw_horizon(rng, kind, 300) for _ in range(4000)])
    assert drawn.min() == 1 and drawn.max() == 2 * kind.horizon
    assert set(drawn) == set(range(1, 37))
    assert (drawn == kind.horizon).mean() < 0.03
    assert (drawn > kind.horizon).mean() > 0.1
    assert max(draw_horizon(rng, kind, 20) for _ in range(500)) == 10


def test_the_program_writes_weights_that_load(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "lstmcast.training.pretrain",
        "--out",
        str(tmp_path),
        "--steps",
        "2",
        "--hidden",
        "8",
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command,
        check=True,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        env=environment,
    )
    assert done.stdout.startswith("step 2/2 loss ") and done.stdout.count("\n") == 1
    weights = load_file(tmp_path / "weights.safetensors")
    TorchNetwork(shape_of(8, 2)).load_state_dict(weights)
    (record,) = json.loads((tmp_path / "history.json").read_text())
    assert record["step"] == 2 and record["loss"] > 0


# ---- what ships


SHIPPED = pytest.mark.parametrize("season", [12, 24])


def load_shipped(season: int) -> TorchNetwork:
    """The shipped network for a season, rebuilt from its weights alone."""
    weights = initial_weights.load_pretrained_weights(season)
    network = TorchNetwork(weights.shape).eval()
    network.load_state_dict(
        {name: torch.from_numpy(value) for name, value in weights.arrays.items()}
    )
    return network


def test_the_shipped_weights_are_small_finite_and_fit_the_network() -> None:
    files = (
        initial_weights.PRETRAINED_WEIGHTS_FILE,
        initial_weights.LONG_SEASONS_WEIGHTS_FILE,
    )
    assert sum(file.stat().st_size for file in files) < SMALL
    for file in files:
        for name, value in load_file(file).items():
            assert value.dtype == torch.float32
            assert torch.isfinite(value).all(), name
            assert value.abs().max() < 100, name


@SHIPPED
def test_the_shipped_networks_beat_the_candidates_on_series_they_have_not_seen(
    season: int,
) -> None:
    network = load_shipped(season)
    assert network.shape.features == N_STEP_FEATURES
    assert held_out_loss(network, 45) < 0.75


def test_a_pretraining_is_in_full_precision_and_is_run_with_usual_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, Any] = {}

    def train(*parts: Any, **how: Any) -> Any:
        given.update(schedule=parts[2], **how)
        raise InterruptedError

    monkeypatch.setattr(pretrain, "train_network", train)
    monkeypatch.setattr(sys, "argv", ["pretrain", "--out", str(tmp_path / "out")])
    with pytest.raises(InterruptedError):
        pretrain.main()
    schedule = given["schedule"]
    assert (schedule.lr, schedule.batch_size, schedule.origins) == (2e-3, 40, 8)
    assert (schedule.precision, schedule.device) == ("float32", "cpu")
    assert (schedule.average_decay, given["pace"]) == (0.0, flat_pace)


def test_the_command_line_leaves_the_weights_and_the_history(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = {"steps": 1, "hidden": 8, "layers": 1, "series": 2, "origins": 2}
    options = [text for name, n in small.items() for text in (f"--{name}", str(n))]
    monkeypatch.setattr(sys, "argv", ["pretrain", "--out", str(tmp_path), *options])
    pretrain.main()
    weights = load_file(tmp_path / "weights.safetensors")
    expected = TorchNetwork(shape_of(8, 1)).state_dict()
    assert {name: one.shape for name, one in weights.items()} == {
        name: one.shape for name, one in expected.items()
    }
    assert (tmp_path / "history.json").stat().st_size > 20
