"""The network before it has learnt anything, and what may be added to it later."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from lstmcast.config import NETWORK_QUANTILES
from lstmcast.network.torch_network import (
    TorchNetwork,
    single_torch_thread,
    to_torch_network,
    to_trained_network,
)
from lstmcast.network.trained import NetworkShape, add_covariate_columns

SHAPE = NetworkShape(features=17, local=19, candidates=8, hidden=12, layers=2)
WITH_COVARIATES = SHAPE._replace(covariates=3, ahead=2)


def inputs(
    shape: NetworkShape, horizon: int = 5, seed: int = 0
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Random inputs of 4 chunks of 20 steps with 3 origins each."""
    rng = torch.Generator().manual_seed(seed)
    x = torch.randn(20, 4, shape.features + shape.covariates, generator=rng)
    at = torch.randint(5, 20, (4, 3), generator=rng)
    local = torch.randn(4, 3, horizon, shape.local + shape.ahead, generator=rng)
    blend = torch.randn(4, 3, horizon, shape.candidates, generator=rng)
    return x, at, local, blend


def trained(shape: NetworkShape) -> TorchNetwork:
    """A network whose every weight is random, as after training."""
    torch.manual_seed(1)
    network = TorchNetwork(shape, dropout=0.1).eval()
    with torch.no_grad():
        for weight in network.parameters():
            weight.copy_(0.3 * torch.randn_like(weight))
    return network


def arrays(network: TorchNetwork) -> dict[str, NDArray[np.float32]]:
    return dict(to_trained_network(network).weights)


def tensors(weights: dict[str, NDArray[np.float32]]) -> dict[str, Tensor]:
    return {name: torch.from_numpy(value) for name, value in weights.items()}


def test_a_new_network_forecasts_the_mean_of_the_candidates() -> None:
    for dropout in (0.0, 0.5):
        torch.manual_seed(0)
        x, at, local, blend = inputs(SHAPE)
        out = TorchNetwork(SHAPE, dropout)(x, at, local, blend)
        assert out.shape == (4, 3, 5, len(NETWORK_QUANTILES))
        torch.testing.assert_close(out, blend.mean(-1, keepdim=True).expand_as(out))


def test_covariates_have_no_effect_before_training() -> None:
    torch.manual_seed(0)
    network = TorchNetwork(WITH_COVARIATES)
    assert not network.encoder.get_parameter("weight_ih_l0")[:, SHAPE.features :].any()
    assert not network.local.weight[:, SHAPE.local :].any()
    assert network.encoder.get_parameter("weight_ih_l0")[:, : SHAPE.features].any()
    assert network.local.weight[:, : SHAPE.local].any()


def test_covariates_have_an_effect_once_their_weights_are_learnt() -> None:
    network = trained(WITH_COVARIATES)
    x, at, local, blend = inputs(WITH_COVARIATES)
    out = network(x, at, local, blend)
    other = x.clone()
    other[..., SHAPE.features :] += 1
    assert not torch.equal(network(other, at, local, blend), out)
    other = local.clone()
    other[..., SHAPE.local :] += 1
    assert not torch.equal(network(x, at, other, blend), out)


def test_widening_keeps_every_output() -> None:
    narrow = trained(SHAPE)
    wide = TorchNetwork(WITH_COVARIATES).eval()
    wide.load_state_dict(
        tensors(add_covariate_columns(arrays(narrow), WITH_COVARIATES))
    )
    x, at, local, blend = inputs(WITH_COVARIATES)
    expected = narrow(x[..., : SHAPE.features], at, local[..., : SHAPE.local], blend)
    torch.testing.assert_close(wide(x, at, local, blend), expected)


def test_widening_to_the_same_shape_changes_nothing() -> None:
    weights = arrays(trained(SHAPE))
    for name, value in add_covariate_columns(weights, SHAPE).items():
        np.testing.assert_array_equal(value, weights[name])


def test_each_horizon_step_is_forecast_alike_whatever_the_horizon() -> None:
    network = trained(SHAPE)
    x, at, local, blend = inputs(SHAPE, horizon=9)
    whole = network(x, at, local, blend)
    for horizon in (1, 4):
        part = network(x, at, local[:, :, :horizon], blend[:, :, :horizon])
        torch.testing.assert_close(part, whole[:, :, :horizon])


def test_an_origin_does_not_see_later_steps_of_its_chunk() -> None:
    network = trained(SHAPE)
    x, at, local, blend = inputs(SHAPE)
    out = network(x, at, local, blend)
    later = x.clone()
    later[int(at[1, 0]) + 1 :, 1] = 1e6
    assert torch.equal(network(later, at, local, blend)[1, 0], out[1, 0])
    later[int(at[1, 0]), 1] = 1e6
    assert not torch.equal(network(later, at, local, blend)[1, 0], out[1, 0])


def test_chunks_and_origins_do_not_mix() -> None:
    network = trained(SHAPE)
    x, at, local, blend = inputs(SHAPE)
    out = network(x, at, local, blend)
    for b in range(4):
        for p in range(3):
            single = network(
                x[:, b : b + 1],
                at[b : b + 1, p : p + 1],
                local[b, p][None, None],
                blend[b, p][None, None],
            )
            torch.testing.assert_close(single[0, 0], out[b, p])


def test_the_same_seed_makes_the_same_network() -> None:
    weights = []
    for _ in range(2):
        torch.manual_seed(7)
        weights.append(TorchNetwork(SHAPE).state_dict())
    for name, value in weights[0].items():
        assert torch.equal(value, weights[1][name])


def test_one_layer_needs_no_dropout_between_layers() -> None:
    shape = SHAPE._replace(layers=1)
    x, at, local, blend = inputs(shape)
    assert TorchNetwork(shape, dropout=0.5)(x, at, local, blend).shape == (
        4,
        3,
        5,
        len(NETWORK_QUANTILES),
    )


def test_a_network_as_arrays_forecasts_the_same_and_is_not_changed_by_training() -> (
    None
):
    network = trained(SHAPE)
    x, at, local, blend = inputs(SHAPE)
    before = network(x, at, local, blend)
    trained_network = to_trained_network(network)
    with torch.no_grad():
        network.state.weight += 1
    assert not to_torch_network(trained_network).training
    assert torch.equal(to_torch_network(trained_network)(x, at, local, blend), before)


def test_the_number_of_threads_is_as_it_was_after_a_forecast() -> None:
    before = torch.get_num_threads()
    with single_torch_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before
    with pytest.raises(ZeroDivisionError), single_torch_thread():
        raise ZeroDivisionError
    assert torch.get_num_threads() == before
