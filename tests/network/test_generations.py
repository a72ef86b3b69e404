"""A network of an earlier version forecasts what it did, with the inputs of this one."""

import numpy as np
import pytest

from lstmcast.features.candidates import (
    CANDIDATES,
    N_FAST_CANDIDATES,
    N_LOCAL_FEATURES,
)
from lstmcast.features.steps import N_FAST_FEATURES, N_STEP_FEATURES
from lstmcast.features.windows import Batch
from lstmcast.network.generations import upgrade_candidate_weights, upgrade_network
from lstmcast.network.inference import compute_outputs
from lstmcast.network.torch_network import TorchNetwork, to_trained_network
from lstmcast.network.trained import NetworkShape, TrainedNetwork
from lstmcast.ragged import Singles

OLD = NetworkShape(N_FAST_FEATURES, 18, N_FAST_CANDIDATES, hidden=8, layers=2)
NEW_INPUTS = N_STEP_FEATURES - N_FAST_FEATURES
NEW_LOCAL = N_LOCAL_FEATURES - 18


def random_network(shape: NetworkShape) -> TrainedNetwork:
    rng = np.random.default_rng(1)
    trained = to_trained_network(TorchNetwork(shape))
    weights = {
        name: rng.normal(size=array.shape).astype(np.float32) / 3
        for name, array in trained.weights.items()
    }
    return TrainedNetwork(shape, weights)


def normal(*shape: int, seed: int = 0) -> Singles:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def batch_of(x: Singles, local: Singles, blend: Singles) -> Batch:
    n = x.shape[1]
    ones = np.ones((n, 1, local.shape[2]))
    at = np.full((n, 1), len(x) - 1)
    return Batch(
        x, at, local, blend, ones, ones[..., :1], blend, ones, np.zeros(n, int)
    )


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_new_inputs_and_candidates_change_nothing(cell: str) -> None:
    shape = OLD._replace(cell=cell, covariates=2, ahead=1)
    old = random_network(shape)
    new = upgrade_network(shape, old.weights)
    assert new.shape.features == N_STEP_FEATURES
    assert new.shape.candidates == len(CANDIDATES)
    assert (new.shape.covariates, new.shape.ahead) == (2, 1)

    steps, covariates = normal(9, 3, N_FAST_FEATURES), normal(9, 3, 2, seed=1)
    local, ahead = normal(3, 1, 4, 18, seed=2), normal(3, 1, 4, 1, seed=3)
    blend = normal(3, 1, 4, len(CANDIDATES), seed=4)
    before = batch_of(
        np.concatenate([steps, covariates], -1),
        np.concatenate([local, ahead], -1),
        blend[..., :N_FAST_CANDIDATES],
    )
    after = batch_of(
        np.concatenate([steps, normal(9, 3, NEW_INPUTS, seed=5), covariates], -1),
        np.concatenate([local, normal(3, 1, 4, NEW_LOCAL, seed=6), ahead], -1),
        blend,
    )
    np.testing.assert_allclose(
        compute_outputs(new, after), compute_outputs(old, before), rtol=1e-5, atol=1e-6
    )


def test_a_network_of_this_version_stays_as_it_is() -> None:
    shape = OLD._replace(
        features=N_STEP_FEATURES, local=N_LOCAL_FEATURES, candidates=len(CANDIDATES)
    )
    network = random_network(shape)
    same = upgrade_network(shape, network.weights)
    assert same.shape == shape
    assert same.weights is network.weights


def test_weights_that_do_not_fit_their_shape_are_refused() -> None:
    network = random_network(OLD)
    with pytest.raises(ValueError, match="weights"):
        upgrade_network(OLD._replace(hidden=9), network.weights)


def test_candidates_that_a_run_did_not_know_count_nothing() -> None:
    old = np.full(N_FAST_CANDIDATES, 1 / N_FAST_CANDIDATES)
    weights = upgrade_candidate_weights(old)
    assert len(weights) == len(CANDIDATES)
    assert weights[:N_FAST_CANDIDATES].tolist() == old.tolist()
    assert not weights[N_FAST_CANDIDATES:].any()
    assert upgrade_candidate_weights(weights).tolist() == weights.tolist()
