"""A network as arrays: which weights it must have, and how they are widened and narrowed."""

from itertools import product

import numpy as np
import pytest

from lstmcast.config import NETWORK_QUANTILES
from lstmcast.network.losses import LOSSES
from lstmcast.network.torch_network import TorchNetwork, to_trained_network
from lstmcast.network.trained import (
    NetworkShape,
    TrainedNetwork,
    add_covariate_columns,
    count_recurrent_layers,
    iter_weight_sizes,
    remove_covariate_columns,
)

SHAPE = NetworkShape(
    features=7, local=5, candidates=4, hidden=6, layers=2, covariates=2, ahead=1
)
KINDS = [
    SHAPE._replace(
        cell=cell,
        layers=layers,
        bidirectional=both,
        layer_norm=norm,
        attention=attention,
        context=9,
    )
    for cell, layers, both, norm, attention in product(
        ("lstm", "gru", "rnn"), (1, 2, 3), (False, True), (False, True), (False, True)
    )
]


@pytest.mark.parametrize(
    "shape", [*KINDS, *(SHAPE._replace(loss=loss) for loss in LOSSES)], ids=str
)
def test_its_sizes_are_those_of_the_network_that_torch_builds(
    shape: NetworkShape,
) -> None:
    network = TorchNetwork(shape)
    assert dict(iter_weight_sizes(shape)) == {
        name: tuple(weight.shape) for name, weight in network.state_dict().items()
    }
    assert to_trained_network(network).parameters == sum(
        weight.numel() for weight in network.parameters()
    )
    assert count_recurrent_layers(network.state_dict()) == shape.layers


def test_each_loss_puts_out_what_its_shape_says() -> None:
    assert {loss: len(LOSSES[loss].start) for loss in LOSSES} == {
        loss: SHAPE._replace(loss=loss).outputs for loss in LOSSES
    }
    assert SHAPE.outputs == len(NETWORK_QUANTILES)


def test_weights_of_another_network_are_refused_by_name() -> None:
    weights = dict(to_trained_network(TorchNetwork(SHAPE)).weights)
    with pytest.raises(ValueError, match=r"no state.weight of 6 x 6"):
        TrainedNetwork(
            SHAPE,
            {
                name: weight
                for name, weight in weights.items()
                if name != "state.weight"
            },
        )
    with pytest.raises(ValueError, match="of another network: more"):
        TrainedNetwork(SHAPE, weights | {"more": np.zeros(1, np.float32)})
    with pytest.raises(ValueError, match="no encoder.weight_ih_l0 of 24 x 8"):
        TrainedNetwork(SHAPE._replace(covariates=1), weights)


def test_narrowing_undoes_widening() -> None:
    plain = SHAPE._replace(covariates=0, ahead=0)
    weights = to_trained_network(TorchNetwork(plain)).weights
    wide = add_covariate_columns(weights, SHAPE)
    assert (
        TrainedNetwork(SHAPE, wide).parameters
        > TrainedNetwork(plain, weights).parameters
    )
    assert not wide["encoder.weight_ih_l0"][:, SHAPE.features :].any()
    back = remove_covariate_columns(wide, SHAPE.features, SHAPE.local)
    assert all(np.array_equal(back[name], weight) for name, weight in weights.items())
