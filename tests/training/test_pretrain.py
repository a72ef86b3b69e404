"""A small pretraining repeats itself to the byte and learns; the weights that ship are sound."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from lstmcast.features.candidates import CANDIDATES, N_LOCAL_FEATURES
from lstmcast.features.steps import N_STEP_FEATURES, TARGET_CLIP
from lstmcast.network.losses import pinball_loss
from lstmcast.network.torch_network import TorchNetwork, to_tensors
from lstmcast.network.trained import NetworkShape
from lstmcast.training import members
from lstmcast.training.pretrain import SERIES_KINDS, SeriesKind, draw_batch, pretrain_network
from tests.conftest import ROOT

SMALL = 1_000_000
"""Bytes that the shipped weights may take."""


def small(steps: int, seed: int = 0) -> tuple[TorchNetwork, list[dict[str, float]]]:
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
        target = torch.from_numpy(batch.target)
        plain = (
            torch.from_numpy(batch.blend).mean(-1, keepdim=True).expand(*batch.blend.shape[:-1], 9)
        )
        with torch.no_grad():
            shares.append(
                float(
                    pinball_loss(network(*to_tensors(batch)), target) / pinball_loss(plain, target)
                )
            )
    return float(np.mean(shares))


def test_a_small_pretraining_repeats_itself_to_the_byte(capsys: pytest.CaptureFixture[str]) -> None:
    (one, first), (other, second), (third, _) = small(12), small(12), small(12, seed=1)
    for name, value in one.state_dict().items():
        assert value.numpy().tobytes() == other.state_dict()[name].numpy().tobytes(), name
    assert [row["loss"] for row in first] == [row["loss"] for row in second]
    assert not torch.equal(one.state_dict()["state.weight"], third.state_dict()["state.weight"])
    assert capsys.readouterr().out.count("step 12/12") == 3


def test_a_small_pretraining_forecasts_fresh_series_better_than_the_mean_of_the_candidates() -> (
    None
):
    torch.manual_seed(0)
    untrained = TorchNetwork(
        NetworkShape(N_STEP_FEATURES, N_LOCAL_FEATURES, len(CANDIDATES), 16, 1)
    )
    assert held_out_loss(untrained) == pytest.approx(1.0, abs=1e-4)
    trained, history = small(60)
    assert held_out_loss(trained) < 0.92
    assert [row["step"] for row in history] == [20, 40, 60]


@pytest.mark.parametrize(
    "setting", SERIES_KINDS, ids=lambda s: f"{s.seasons.main}-{s.seasons.second}-{s.longest}"
)
def test_batches_of_every_setting_are_finite_with_targets_to_learn_from(
    setting: SeriesKind,
) -> None:
    rng = np.random.default_rng(0)
    batches = [draw_batch(rng, setting, 6, 3) for _ in range(4)]
    assert any(batch is not None for batch in batches)
    for batch in batches:
        if batch is None:
            continue
        for name in ("x", "local", "blend", "base", "scale"):
            assert np.isfinite(getattr(batch, name)).all(), name
        assert (~np.isnan(batch.target)).any()
        assert np.nanmax(np.abs(batch.target)) <= TARGET_CLIP


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
    subprocess.run(command, check=True, cwd=ROOT, capture_output=True, timeout=120, env=environment)
    weights = load_file(tmp_path / "weights.safetensors")
    shape = NetworkShape(N_STEP_FEATURES, N_LOCAL_FEATURES, len(CANDIDATES), 8, 2)
    TorchNetwork(shape).load_state_dict(weights)
    assert (tmp_path / "history.json").exists()


# ---- what ships


def shipped() -> TorchNetwork:
    """The shipped network, rebuilt from its weights alone."""
    weights = members.load_pretrained_arrays()
    layers = sum(name.startswith("encoder.weight_ih") for name in weights)
    hidden = weights["state.weight"].shape[0]
    network = TorchNetwork(
        NetworkShape(N_STEP_FEATURES, N_LOCAL_FEATURES, len(CANDIDATES), hidden, layers)
    ).eval()
    network.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
    return network


def test_the_shipped_weights_are_small_finite_and_fit_the_network() -> None:
    assert members.PRETRAINED_WEIGHTS_FILE.stat().st_size < SMALL
    network = shipped()
    for name, value in network.state_dict().items():
        assert value.dtype == torch.float32
        assert torch.isfinite(value).all(), name
        assert value.abs().max() < 100, name


def test_the_shipped_network_beats_the_candidates_on_series_it_has_not_seen() -> None:
    assert held_out_loss(shipped(), 45) < 0.75
