"""A device is chosen or refused, and training reads the same data there."""

import numpy as np
import pytest
import torch

from lstmcast.config import Config, TrainConfig, WindowConfig
from lstmcast.errors import UsageError
from lstmcast.network.torch_network import to_tensors
from lstmcast.training import device
from lstmcast.training.forecaster import Forecaster
from lstmcast.training.sampler import WindowSampler
from tests.make import panel_of, wavy
from tests.training.test_members import windows

GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no GPU")


def test_a_gpu_that_is_not_there_is_refused_where_it_is_requested(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UsageError, match="device='cuda': torch finds no GPU") as caught:
        Forecaster(Config(train=TrainConfig(device="cuda"))).fit(
            panel_of([np.arange(40.0)])
        )
    assert "--device cpu" in caught.value.hint
    assert device.choose_device("auto") == device.choose_device("cpu") == device.CPU


def test_a_gpu_that_is_there_is_taken_unless_the_processor_is_requested(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert (
        device.choose_device("auto")
        == device.choose_device("cuda")
        == torch.device("cuda")
    )
    assert device.choose_device("cpu") == device.CPU


def test_the_gpu_of_apple_is_taken_on_request_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UsageError, match="device=.mps.: torch finds no GPU of Apple's"):
        device.choose_device("mps")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert device.choose_device("mps") == torch.device("mps")
    assert device.choose_device("auto") == device.CPU
    with pytest.raises(UsageError, match="loss.*bernoulli.*, which needs float64"):
        Config(train=TrainConfig(device="mps", loss="bernoulli"))


@pytest.mark.parametrize("covariates", [False, True])
def test_what_is_gathered_on_a_device_is_what_numpy_gathers(covariates: bool) -> None:
    whole = windows(covariates)
    assert device.with_tables_on_device(whole, device.CPU) is whole
    tables = [torch.from_numpy(whole.steps.x)]
    if whole.covariates is not None:
        tables.append(torch.from_numpy(whole.covariates.step))
    there = device.DeviceWindows(**vars(whole), tables=tuple(tables))
    drawn = []
    for one in (whole, there):
        sampler = WindowSampler.over(one, one.lengths)
        assert sampler is not None
        drawn.append(sampler.draw(np.random.default_rng(0), 8, 4))
    assert isinstance(drawn[1].x, torch.Tensor)
    for ours, theirs in zip(*map(to_tensors, drawn), strict=True):
        assert ours.numpy().tobytes() == theirs.numpy().tobytes()


def test_training_from_a_device_is_training_from_the_arrays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    panel = panel_of([wavy(np.random.default_rng(i), 60) for i in range(3)])
    config = Config(
        window=WindowConfig(horizon=4),
        train=TrainConfig(start="scratch", steps=3, members=1, jobs=1, device="cpu"),
    )
    usual = Forecaster(config).fit(panel)

    def gathered(whole: device.Windows, _: torch.device) -> device.Windows:
        return device.DeviceWindows(
            **vars(whole), tables=(torch.from_numpy(whole.steps.x),)
        )

    monkeypatch.setattr(device, "with_tables_on_device", gathered)
    trained = Forecaster(config).fit(panel)
    for name, weight in trained.networks[0].weights.items():
        assert weight.tobytes() == usual.networks[0].weights[name].tobytes(), name


@pytest.mark.gpu
@GPU
@pytest.mark.parametrize("precision", ["auto", "bfloat16"])
def test_a_gpu_learns_what_the_processor_learns(precision: str) -> None:
    panel = panel_of([wavy(np.random.default_rng(i), 120) for i in range(24)])
    losses = []
    for place in ("cpu", "cuda"):
        train = TrainConfig(
            steps=60, members=1, jobs=1, device=place, precision=precision
        )  # type: ignore[arg-type]
        trained = Forecaster(Config(window=WindowConfig(horizon=6), train=train)).fit(
            panel
        )
        assert trained.verdict is not None
        losses.append(trained.verdict.model["mase"])
        assert np.isfinite(trained.predict()["forecast"]).all()
    assert losses[1] == pytest.approx(losses[0], rel=0.05)


@pytest.mark.gpu
@GPU
def test_a_gpu_makes_the_same_forecasts_from_the_same_seed() -> None:
    panel = panel_of([wavy(np.random.default_rng(i), 90) for i in range(3)])
    train = TrainConfig(start="scratch", steps=20, members=1, device="cuda")
    trained = [
        Forecaster(Config(window=WindowConfig(horizon=6), train=train))
        .fit(panel)
        .predict()
        for _ in range(2)
    ]
    np.testing.assert_allclose(
        trained[0]["forecast"], trained[1]["forecast"], rtol=1e-4
    )


def test_bfloat16_is_refused_by_name_where_torch_cannot_train_in_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(device, "has_bfloat16_lstm", lambda: False)
    with pytest.raises(UsageError, match="precision='bfloat16'") as caught:
        device.is_reduced_precision("bfloat16")
    assert "float32" in caught.value.hint
    assert not device.is_reduced_precision("float32")


def test_to_try_bfloat16_takes_no_random_draws() -> None:
    torch.manual_seed(3)
    device.has_bfloat16_lstm()
    drawn = torch.rand(1)
    torch.manual_seed(3)
    assert torch.rand(1) == drawn


@pytest.mark.parametrize("covariates", [False, True])
def test_a_device_keeps_the_tables_that_the_windows_have(covariates: bool) -> None:
    whole = windows(covariates)
    # torch's device without memory stands for a GPU.
    there = device.with_tables_on_device(whole, torch.device("meta"))
    assert isinstance(there, device.DeviceWindows)
    expected = [whole.steps.x.shape]
    if whole.covariates is not None:
        expected.append(whole.covariates.step.shape)
    assert [tuple(table.shape) for table in there.tables] == expected
    assert {table.device.type for table in there.tables} == {"meta"}
