"""Training starts from the shipped weights where they fit, else from scratch, or as requested."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lstmcast.config import Config, ModelConfig, TrainConfig
from lstmcast.errors import UsageError
from lstmcast.network.losses import LOSSES
from lstmcast.network.torch_network import TorchNetwork, adapt_weights_to_loss
from lstmcast.runs import serialization
from lstmcast.training import initial_weights
from lstmcast.training.initial_weights import (
    InitialWeights,
    TrainingStart,
    can_forecast_untrained,
)

OTHERS = [
    (ModelConfig(cell="gru"), "--cell gru"),
    (ModelConfig(cell="rnn"), "--cell rnn"),
    (ModelConfig(hidden=12), "--hidden 12"),
    (ModelConfig(layers=1), "--layers 1"),
    (ModelConfig(bidirectional=True), "--bidirectional"),
    (ModelConfig(layer_norm=True), "--layer-norm"),
]


def no_run(path: str) -> InitialWeights:
    raise AssertionError(f"{path} was not requested")


def config_starting_from(
    start: str | None,
    model: ModelConfig = ModelConfig(),  # noqa: B008
) -> Config:
    return Config(train=TrainConfig(start=start), model=model)


def test_training_starts_from_the_shipped_weights_by_default() -> None:
    found = initial_weights.choose_initial_weights(Config(), no_run)
    assert found.weights is not None
    assert found.record == {
        "from": "pretrained",
        "sha256": serialization.weights_sha256(
            initial_weights.load_pretrained_arrays()
        ),
    }
    assert found.message == ""
    assert (
        initial_weights.choose_initial_weights(
            config_starting_from("pretrained"), no_run
        ).record
        == found.record
    )


@pytest.mark.parametrize("season", [1, 4, 12])
def test_years_quarters_and_months_have_the_weights_of_the_default(season: int) -> None:
    start = initial_weights.choose_initial_weights(Config(), no_run)
    chosen = initial_weights.choose_by_season(start, season)
    assert chosen.record == start.record


@pytest.mark.parametrize("season", [7, 24, 169])
def test_days_hours_and_odd_seasons_have_weights_of_their_own(season: int) -> None:
    start = initial_weights.choose_initial_weights(Config(), no_run)
    chosen = initial_weights.choose_by_season(start, season)
    assert chosen.record["from"] == "pretrained"
    assert chosen.record["sha256"] != start.record["sha256"]
    found = chosen.weights
    expected = initial_weights.load_pretrained_weights(24)
    assert found is not None and found.shape == expected.shape
    for name, value in expected.arrays.items():
        assert np.array_equal(found.arrays[name], value), name


def test_weights_that_were_asked_for_do_not_depend_on_the_season() -> None:
    scratch = TrainingStart(None, {"from": "scratch"})
    assert initial_weights.choose_by_season(scratch, 24) is scratch
    of_run = TrainingStart(
        initial_weights.load_pretrained_weights(), {"from": "runs/a", "sha256": "0"}
    )
    assert initial_weights.choose_by_season(of_run, 24) is of_run


def test_the_shipped_networks_have_one_size_so_that_options_fit_both_or_none() -> None:
    short, long = (
        initial_weights.load_pretrained_weights(season).shape for season in (12, 168)
    )
    for name in ("hidden", "layers", "cell", "bidirectional", "layer_norm", "loss"):
        assert getattr(short, name) == getattr(long, name)


def test_scratch_is_scratch() -> None:
    assert initial_weights.choose_initial_weights(
        config_starting_from("scratch"), no_run
    ) == initial_weights.TrainingStart(None, {"from": "scratch"})


@pytest.mark.parametrize(
    ("model", "option"), OTHERS, ids=[option for _, option in OTHERS]
)
def test_another_network_starts_from_scratch_with_a_message(
    model: ModelConfig, option: str
) -> None:
    found = initial_weights.choose_initial_weights(
        config_starting_from(None, model), no_run
    )
    assert found.weights is None
    assert found.message.startswith(f"{option}: ")
    assert found.record == {"from": "scratch", "why": found.message}


@pytest.mark.parametrize(
    ("model", "option"), OTHERS, ids=[option for _, option in OTHERS]
)
def test_requested_weights_that_do_not_fit_are_an_error(
    model: ModelConfig, option: str
) -> None:
    with pytest.raises(UsageError, match="start='pretrained' ") as caught:
        initial_weights.choose_initial_weights(
            config_starting_from("pretrained", model), no_run
        )
    assert option in caught.value.message
    assert "--from" in caught.value.hint


def test_the_sizes_that_the_weights_have_may_be_set() -> None:
    shape = initial_weights.load_pretrained_weights().shape
    model = ModelConfig(hidden=shape.hidden, layers=shape.layers, attention=True)
    assert (
        initial_weights.choose_initial_weights(
            config_starting_from("pretrained", model), no_run
        ).weights
        is not None
    )


def test_another_run_gives_its_weights_to_a_network_of_its_kind_only() -> None:
    shipped = initial_weights.load_pretrained_weights()
    gru = InitialWeights(
        shipped.arrays, shipped.shape._replace(cell="gru", attention=True)
    )
    wanted = config_starting_from("runs/a", ModelConfig(cell="gru", attention=True))
    assert (
        initial_weights.choose_initial_weights(
            wanted, {"runs/a": gru}.__getitem__
        ).weights
        is gru
    )
    with pytest.raises(UsageError, match=r"runs/a.*cell='lstm', attention=False.* GRU"):
        initial_weights.choose_initial_weights(
            replace(wanted, model=ModelConfig()), lambda _: gru
        )


@pytest.mark.parametrize("loss", [name for name in LOSSES if name != "quantile"])
def test_all_but_the_last_layer_carries_over_to_another_loss(loss: str) -> None:
    """And of that the candidates' part; the median becomes the location of losses with one."""
    shipped = initial_weights.load_pretrained_weights()
    network = TorchNetwork(shipped.shape._replace(loss=loss))
    fresh = dict(network.state_dict())
    adapted = adapt_weights_to_loss(shipped.arrays, network, "quantile")
    network.load_state_dict(adapted)
    for name, value in shipped.arrays.items():
        if not name.startswith("head.4"):
            assert np.array_equal(adapted[name], value), name
    outputs = len(LOSSES[loss].start)
    weight, old = adapted["head.4.weight"], shipped.arrays["head.4.weight"]
    assert np.array_equal(weight[outputs:], old[9:])
    median = torch.from_numpy(old[4])
    assert torch.equal(
        weight[0], median if LOSSES[loss].has_location else fresh["head.4.weight"][0]
    )
    assert torch.equal(weight[1:outputs], fresh["head.4.weight"][1:outputs])


def test_the_shipped_network_forecasts_untrained_only_what_it_was_trained_for() -> None:
    start = TrainingStart(initial_weights.load_pretrained_weights(), {}, "")
    untrained = Config(train=TrainConfig(steps=0))
    assert can_forecast_untrained(untrained, start) is True
    assert can_forecast_untrained(Config(), start) is False
    others = (
        Config(train=TrainConfig(steps=0, loss="mse")),
        Config(train=TrainConfig(steps=0), model=ModelConfig(attention=True)),
    )
    assert not any(can_forecast_untrained(other, start) for other in others)
    assert not can_forecast_untrained(untrained, start._replace(weights=None))
