"""Networks of earlier versions, brought to the inputs of this one without a change of forecast.

The first generation (up to version 0.2) knew neither slow patterns nor track records. What came
later stands behind what there was, so that its weights need only columns of zeros, and a logit that
gives a new candidate no share.

Axes: D hidden size, O outputs of a loss, A candidates.
"""

from collections.abc import Mapping

import numpy as np

from lstmcast.config import NETWORK_QUANTILES
from lstmcast.features.candidates import CANDIDATES, N_LOCAL_FEATURES
from lstmcast.features.steps import N_FAST_FEATURES, N_STEP_FEATURES
from lstmcast.network.trained import (
    INPUT_WEIGHT_NAME,
    NetworkShape,
    TrainedNetwork,
    count_neighbours,
    count_recurrent_layers,
)
from lstmcast.ragged import Floats, Singles

_NO_SHARE = np.float32(-1e9)
"""A logit whose softmax is exactly 0 beside any other."""


def infer_shape(weights: Mapping[str, Singles]) -> NetworkShape:
    """Infer the shape of a pretrained network, of any generation, from its weights.

    Raises KeyError where they are of no such network.
    """
    # The last layer puts out the corrections of all quantiles, and a logit of each candidate.
    n_outputs = len(weights["head.4.bias"])
    return NetworkShape(
        features=weights["encoder.weight_ih_l0"].shape[1],
        local=weights["local.weight"].shape[1],
        candidates=n_outputs - len(NETWORK_QUANTILES),
        hidden=len(weights["state.weight"]),
        layers=count_recurrent_layers(weights),
        neighbours=count_neighbours(weights),
    )


def upgrade_network(
    shape: NetworkShape, weights: Mapping[str, Singles]
) -> TrainedNetwork:
    """Build a network of this version from the shape and weights of any.

    Raises ValueError for weights that are not those of the shape.
    """
    network = TrainedNetwork(shape, weights)
    if shape.features != N_FAST_FEATURES:
        return network

    upgraded = dict(weights)
    for name, weight in weights.items():
        if INPUT_WEIGHT_NAME.fullmatch(name):
            upgraded[name] = _insert_zeros(weight, shape.features, N_STEP_FEATURES)
    local = weights["local.weight"]
    upgraded["local.weight"] = _insert_zeros(local, shape.local, N_LOCAL_FEATURES)

    # The logits of the candidates are the last rows of the last layer.
    n_new = len(CANDIDATES) - shape.candidates
    last = weights["head.4.weight"]
    no_rows = np.zeros((n_new, last.shape[1]), np.float32)
    upgraded["head.4.weight"] = np.concatenate([last, no_rows])
    no_share = np.full(n_new, _NO_SHARE)
    upgraded["head.4.bias"] = np.concatenate([weights["head.4.bias"], no_share])

    shape = shape._replace(
        features=N_STEP_FEATURES, local=N_LOCAL_FEATURES, candidates=len(CANDIDATES)
    )
    return TrainedNetwork(shape, upgraded)


def upgrade_candidate_weights(weights: Floats) -> Floats:
    """Give candidates that a run does not know yet the weight 0, [A]."""
    missing = len(CANDIDATES) - len(weights)
    return np.pad(weights, (0, max(missing, 0)))


def _insert_zeros(weight: Singles, own: int, wanted: int) -> Singles:
    """Insert columns of zeros after the first `own`, before those of covariates, up to `wanted`."""
    zeros = np.zeros((len(weight), wanted - own), np.float32)
    return np.concatenate([weight[:, :own], zeros, weight[:, own:]], 1)
